use wasmtime::Result;
use wasmtime::component::Resource;

use super::{Context, HANDLE_BYTES};
use crate::wasi::Instance;

/// `request-options` of wasi:http/types, in nanoseconds.
#[derive(Default)]
pub struct RequestOptions {
    pub connect: Option<u64>,
    pub first_byte: Option<u64>,
    pub between_bytes: Option<u64>,
}

type Handle = Resource<RequestOptions>;

fn link_get(
    to: &mut Instance<'_>,
    item: &str,
    get: fn(&RequestOptions) -> Option<u64>,
) -> Result<()> {
    to.func_wrap(item, move |context: Context<'_>, (this,): (Handle,)| {
        Ok((get(context.data().http.options.get(this.rep())?),))
    })
}

fn link_set(
    to: &mut Instance<'_>,
    item: &str,
    set: fn(&mut RequestOptions, Option<u64>),
) -> Result<()> {
    to.func_wrap(
        item,
        move |mut context: Context<'_>, (this, duration): (Handle, Option<u64>)| {
            let options = context.data_mut().http.options.get_mut(this.rep())?;
            set(options, duration);
            Ok((Ok::<(), ()>(()),))
        },
    )
}

pub fn link(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[constructor]request-options" => {
            to.func_wrap(item, |mut context: Context<'_>, (): ()| {
                let world = context.data_mut();
                world.hold(HANDLE_BYTES)?;
                let options = world.http.options.add(RequestOptions::default())?;
                Ok((Handle::new_own(options),))
            })?
        }
        "[method]request-options.connect-timeout" => link_get(to, item, |options| options.connect)?,
        "[method]request-options.set-connect-timeout" => {
            link_set(to, item, |options, duration| options.connect = duration)?
        }
        "[method]request-options.first-byte-timeout" => {
            link_get(to, item, |options| options.first_byte)?
        }
        "[method]request-options.set-first-byte-timeout" => {
            link_set(to, item, |options, duration| options.first_byte = duration)?
        }
        "[method]request-options.between-bytes-timeout" => {
            link_get(to, item, |options| options.between_bytes)?
        }
        "[method]request-options.set-between-bytes-timeout" => {
            link_set(to, item, |options, duration| {
                options.between_bytes = duration
            })?
        }
        _ => return Ok(false),
    }
    Ok(true)
}
