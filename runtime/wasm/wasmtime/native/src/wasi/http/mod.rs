//! wasi:http as a client has it: a request is sent once its body is whole, and a response comes whole.

mod body;
mod error;
mod exchange;
mod fields;
mod options;
mod request;
mod response;
mod syntax;

use std::sync::Arc;

use wasmtime::component::{Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use super::Instance;
use super::io::IoError;
use crate::slab::Slab;
use crate::world::World;
pub use body::{Unwritten, drop_input, drop_output, read, write};
pub use error::ErrorCode;
pub use exchange::{Awaited, Exchange};

/// Streams of this number and higher ones are those of bodies.
pub const FIRST_STREAM: u32 = 16;

/// What a handle takes beside the texts and bytes behind it, about.
const HANDLE_BYTES: usize = 256;

type Context<'a> = StoreContextMut<'a, World>;

/// What a guest has handles of.
pub struct Http {
    fields: Slab<fields::Fields>,
    requests: Slab<request::OutgoingRequest>,
    options: Slab<options::RequestOptions>,
    outgoing: Slab<body::OutgoingBody>,
    futures: Slab<Arc<Exchange>>,
    responses: Slab<response::IncomingResponse>,
    incoming: Slab<body::IncomingBody>,
    trailers: Slab<body::Trailers>,
}

impl Http {
    pub fn new() -> Self {
        Http {
            fields: Slab::new("fields"),
            requests: Slab::new("outgoing requests"),
            options: Slab::new("request options"),
            outgoing: Slab::new("outgoing bodies"),
            futures: Slab::new("future responses"),
            responses: Slab::new("incoming responses"),
            incoming: Slab::new("incoming bodies"),
            trailers: Slab::new("future trailers"),
        }
    }
}

pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match interface {
        "wasi:http/outgoing-handler" => exchange::link_handler(to, item),
        "wasi:http/types" => Ok(fields::link(to, item)?
            || request::link(to, item)?
            || options::link(to, item)?
            || body::link(to, item)?
            || exchange::link(to, item)?
            || response::link(to, item)?
            || link_error(to, item)?),
        _ => Ok(false),
    }
}

fn link_error(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    if item != "http-error-code" {
        return Ok(false);
    }
    to.func_wrap(
        item,
        |context: Context<'_>, (error,): (Resource<IoError>,)| {
            let IoError(code) = context.data().errors.get(error.rep())?;
            Ok((Some(code.clone()),))
        },
    )?;
    Ok(true)
}

/// The resources that a client has; false for others.
pub fn link_resource(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "fields" | "headers" | "trailers" => to.resource(
            item,
            ResourceType::host::<fields::Fields>(),
            |mut context: Context<'_>, fields| fields::take(context.data_mut(), fields).map(drop),
        ),
        "outgoing-request" => to.resource(
            item,
            ResourceType::host::<request::OutgoingRequest>(),
            |mut context: Context<'_>, request| exchange::drop_request(&mut context, request),
        ),
        "request-options" => to.resource(
            item,
            ResourceType::host::<options::RequestOptions>(),
            |mut context: Context<'_>, options| {
                exchange::take_options(context.data_mut(), options).map(drop)
            },
        ),
        "outgoing-body" => to.resource(
            item,
            ResourceType::host::<body::OutgoingBody>(),
            |mut context: Context<'_>, body| body::drop_outgoing(&mut context, body),
        ),
        "future-incoming-response" => to.resource(
            item,
            ResourceType::host::<exchange::Future>(),
            |mut context: Context<'_>, future| exchange::drop_future(&mut context, future),
        ),
        "incoming-response" => to.resource(
            item,
            ResourceType::host::<response::IncomingResponse>(),
            |mut context: Context<'_>, response| response::drop_response(&mut context, response),
        ),
        "incoming-body" => to.resource(
            item,
            ResourceType::host::<body::IncomingBody>(),
            |mut context: Context<'_>, body| body::drop_incoming(&mut context, body),
        ),
        "future-trailers" => to.resource(
            item,
            ResourceType::host::<body::Trailers>(),
            |mut context: Context<'_>, trailers| body::drop_trailers(&mut context, trailers),
        ),
        _ => return Ok(false),
    }?;
    Ok(true)
}
