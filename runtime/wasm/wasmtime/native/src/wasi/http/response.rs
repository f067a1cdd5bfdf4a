use wasmtime::Result;
use wasmtime::component::Resource;

use super::body::{self, IncomingBody};
use super::fields::{self, Entries};
use super::{Context, HANDLE_BYTES};
use crate::wasi::Instance;
use crate::world::World;

/// `incoming-response` of wasi:http/types.
pub struct IncomingResponse {
    status: u16,
    headers: Entries,
    /// Until the guest takes it.
    body: Option<Vec<u8>>,
}

type Handle = Resource<IncomingResponse>;

fn bytes(headers: &Entries) -> usize {
    HANDLE_BYTES + fields::bytes(headers)
}

pub fn add(
    world: &mut World,
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
) -> Result<Handle> {
    // Values are Latin-1.
    let value = |text: String| {
        text.chars()
            .map(|char| u8::try_from(char).unwrap_or(b'?'))
            .collect()
    };
    let headers = headers
        .into_iter()
        .map(|(name, text)| (name, value(text)))
        .collect();
    world.hold(bytes(&headers) + body.len())?;
    let response = IncomingResponse {
        status,
        headers,
        body: Some(body),
    };
    Ok(Resource::new_own(world.http.responses.add(response)?))
}

pub fn drop_response(context: &mut Context<'_>, response: u32) -> Result<()> {
    let world = context.data_mut();
    let response = world.http.responses.remove(response)?;
    world.release(bytes(&response.headers) + response.body.map_or(0, |body| body.len()));
    Ok(())
}

pub fn link(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[method]incoming-response.status" => {
            to.func_wrap(item, |context: Context<'_>, (this,): (Handle,)| {
                Ok((context.data().http.responses.get(this.rep())?.status,))
            })?
        }
        "[method]incoming-response.headers" => {
            to.func_wrap(item, |mut context: Context<'_>, (this,): (Handle,)| {
                let world = context.data_mut();
                let headers = world.http.responses.get(this.rep())?.headers.clone();
                Ok((fields::add_immutable(world, headers)?,))
            })?
        }
        "[method]incoming-response.consume" => {
            to.func_wrap(item, |mut context: Context<'_>, (this,): (Handle,)| {
                let world = context.data_mut();
                let Some(body) = world.http.responses.get_mut(this.rep())?.body.take() else {
                    return Ok((Err(()),));
                };
                let body: Resource<IncomingBody> = body::add_incoming(world, body)?;
                Ok((Ok(body),))
            })?
        }
        _ => return Ok(false),
    }
    Ok(true)
}
