use std::sync::Arc;

use wasmtime::Result;
use wasmtime::component::Resource;

use super::error::ErrorCode;
use super::exchange::Exchange;
use super::fields::{self, Fields};
use super::{Context, FIRST_STREAM, HANDLE_BYTES};
use crate::verdict::Verdict;
use crate::wasi::{InputStream, Instance, OutputStream};
use crate::world::{Ready, World};

/// `outgoing-body` of wasi:http/types.
pub struct OutgoingBody {
    exchange: Arc<Exchange>,
    bytes: Vec<u8>,
    /// What the headers say.
    length: Option<u64>,
    stream: Stream,
    /// Why it can't be finished.
    failed: Option<ErrorCode>,
}

/// `incoming-body` of wasi:http/types.
pub struct IncomingBody {
    bytes: Vec<u8>,
    at: usize,
    stream: Stream,
}

/// `future-trailers` of wasi:http/types: there are none, which is known at once.
pub struct Trailers {
    taken: bool,
}

/// The one stream of a body, which its body outlives.
#[derive(PartialEq)]
enum Stream {
    Unused,
    Alive,
    /// Of a body that was dropped: what it held goes with the stream.
    Orphan,
    Dropped,
}

impl Stream {
    /// The first time alone.
    fn begin(&mut self) -> std::result::Result<(), ()> {
        if *self != Stream::Unused {
            return Err(());
        }
        *self = Stream::Alive;
        Ok(())
    }

    fn check_over(&self) -> Result<()> {
        if *self == Stream::Alive {
            wasmtime::bail!("a body ends before its stream is dropped");
        }
        Ok(())
    }
}

pub fn add(
    world: &mut World,
    exchange: Arc<Exchange>,
    length: Option<u64>,
) -> Result<Resource<OutgoingBody>> {
    world.hold(HANDLE_BYTES)?;
    let body = OutgoingBody {
        exchange,
        bytes: Vec::new(),
        length,
        stream: Stream::Unused,
        failed: None,
    };
    Ok(Resource::new_own(world.http.outgoing.add(body)?))
}

/// The bytes are held already.
pub fn add_incoming(world: &mut World, bytes: Vec<u8>) -> Result<Resource<IncomingBody>> {
    world.hold(HANDLE_BYTES)?;
    let body = IncomingBody {
        bytes,
        at: 0,
        stream: Stream::Unused,
    };
    Ok(Resource::new_own(world.http.incoming.add(body)?))
}

/// Why an output stream did not take bytes.
pub enum Unwritten {
    Failed(ErrorCode),
    /// It failed before.
    Closed,
}

/// Writes to the body of an output stream.
pub fn write(
    world: &mut World,
    stream: u32,
    bytes: &[u8],
) -> Result<std::result::Result<(), Unwritten>> {
    let body = world.http.outgoing.get_mut(stream - FIRST_STREAM)?;
    if body.failed.is_some() {
        return Ok(Err(Unwritten::Closed));
    }
    let size = body.bytes.len() + bytes.len();
    let limit = world.attempt.limits.http_body_bytes;
    if size > limit {
        return world.end(Verdict::breach(
            "ERR_STEP_HTTP_TOO_LARGE",
            format!(
                "The body of an HTTP request had {size} bytes or more, over the limit of {limit}."
            ),
        ));
    }
    if let Some(length) = body.length.filter(|length| size as u64 > *length) {
        let error = ErrorCode::RequestBodySize(Some(length));
        body.failed = Some(error.clone());
        return Ok(Err(Unwritten::Failed(error)));
    }
    world.hold(bytes.len())?;
    let body = world.http.outgoing.get_mut(stream - FIRST_STREAM)?;
    body.bytes.extend_from_slice(bytes);
    Ok(Ok(()))
}

/// Bytes from the front of an input stream's body; None at the end.
pub fn read(world: &mut World, stream: u32, at_most: usize) -> Result<Option<&[u8]>> {
    let body = world.http.incoming.get_mut(stream - FIRST_STREAM)?;
    let left = &body.bytes[body.at..];
    if left.is_empty() {
        return Ok(None);
    }
    let chunk = &left[..left.len().min(at_most)];
    body.at += chunk.len();
    Ok(Some(chunk))
}

pub fn drop_output(world: &mut World, stream: u32) -> Result<()> {
    world.http.outgoing.get_mut(stream - FIRST_STREAM)?.stream = Stream::Dropped;
    Ok(())
}

pub fn drop_input(world: &mut World, stream: u32) -> Result<()> {
    let body = stream - FIRST_STREAM;
    let stream = &mut world.http.incoming.get_mut(body)?.stream;
    if *stream == Stream::Orphan {
        return remove_incoming(world, body);
    }
    *stream = Stream::Dropped;
    Ok(())
}

fn finish(
    context: &mut Context<'_>,
    body: u32,
    trailers: Option<u32>,
) -> Result<std::result::Result<(), ErrorCode>> {
    let world = context.data_mut();
    let trailers = trailers.map(|trailers| fields::take(world, trailers));
    let trailers = trailers.transpose()?.unwrap_or_default();
    let mut body = take_outgoing(world, body)?;
    let written = body.bytes.len() as u64;
    if !trailers.is_empty() {
        let why = "Requests of a step have no trailers.".to_owned();
        body.failed = Some(ErrorCode::InternalError(Some(why)));
    } else if body.failed.is_none() && body.length.is_some_and(|length| length != written) {
        body.failed = Some(ErrorCode::RequestBodySize(Some(written)));
    }
    if let Some(error) = body.failed {
        world.release(body.bytes.len());
        body.exchange.fail(error.clone());
        return Ok(Err(error));
    }
    body.exchange.finish(world, body.bytes);
    Ok(Ok(()))
}

/// The bytes stay held.
fn take_outgoing(world: &mut World, body: u32) -> Result<OutgoingBody> {
    world.http.outgoing.get(body)?.stream.check_over()?;
    world.release(HANDLE_BYTES);
    world.http.outgoing.remove(body)
}

/// Without its end a body is no body: the request fails.
pub fn drop_outgoing(context: &mut Context<'_>, body: u32) -> Result<()> {
    let world = context.data_mut();
    let body = take_outgoing(world, body)?;
    world.release(body.bytes.len());
    let why = body.failed.unwrap_or(ErrorCode::ProtocolError);
    body.exchange.fail(why);
    Ok(())
}

/// Languages that collect garbage may drop a body before its stream, which goes on.
pub fn drop_incoming(context: &mut Context<'_>, body: u32) -> Result<()> {
    let world = context.data_mut();
    let stream = &mut world.http.incoming.get_mut(body)?.stream;
    if *stream == Stream::Alive {
        *stream = Stream::Orphan;
        return Ok(());
    }
    remove_incoming(world, body)
}

fn remove_incoming(world: &mut World, body: u32) -> Result<()> {
    let body = world.http.incoming.remove(body)?;
    world.release(HANDLE_BYTES + body.bytes.len());
    Ok(())
}

pub fn drop_trailers(context: &mut Context<'_>, trailers: u32) -> Result<()> {
    let world = context.data_mut();
    world.release(HANDLE_BYTES);
    world.http.trailers.remove(trailers).map(drop)
}

pub fn link(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    type Outgoing = Resource<OutgoingBody>;
    match item {
        "[method]outgoing-body.write" => {
            to.func_wrap(item, |mut context: Context<'_>, (this,): (Outgoing,)| {
                let body = context.data_mut().http.outgoing.get_mut(this.rep())?;
                let begun = body.stream.begin();
                Ok(
                    (
                        begun
                            .map(|()| Resource::<OutputStream>::new_own(FIRST_STREAM + this.rep())),
                    ),
                )
            })?
        }
        "[static]outgoing-body.finish" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, trailers): (Outgoing, Option<Resource<Fields>>)| {
                let trailers = trailers.map(|trailers| trailers.rep());
                Ok((finish(&mut context, this.rep(), trailers)?,))
            },
        )?,
        _ => return link_incoming(to, item),
    }
    Ok(true)
}

fn link_incoming(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    type Incoming = Resource<IncomingBody>;
    type Got =
        Option<std::result::Result<std::result::Result<Option<Resource<Fields>>, ErrorCode>, ()>>;
    match item {
        "[method]incoming-body.stream" => {
            to.func_wrap(item, |mut context: Context<'_>, (this,): (Incoming,)| {
                let body = context.data_mut().http.incoming.get_mut(this.rep())?;
                let begun = body.stream.begin();
                Ok((begun.map(|()| Resource::<InputStream>::new_own(FIRST_STREAM + this.rep())),))
            })?
        }
        "[static]incoming-body.finish" => {
            to.func_wrap(item, |mut context: Context<'_>, (this,): (Incoming,)| {
                let world = context.data_mut();
                world.http.incoming.get(this.rep())?.stream.check_over()?;
                remove_incoming(world, this.rep())?;
                world.hold(HANDLE_BYTES)?;
                let trailers = world.http.trailers.add(Trailers { taken: false })?;
                Ok((Resource::<Trailers>::new_own(trailers),))
            })?
        }
        "[method]future-trailers.subscribe" => to.func_wrap(
            item,
            |mut context: Context<'_>, (_,): (Resource<Trailers>,)| {
                context.data_mut().add_pollable(Ready::At(0))
            },
        )?,
        "[method]future-trailers.get" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this,): (Resource<Trailers>,)| {
                let trailers = context.data_mut().http.trailers.get_mut(this.rep())?;
                let taken = std::mem::replace(&mut trailers.taken, true);
                let got: Got = Some(if taken { Err(()) } else { Ok(Ok(None)) });
                Ok((got,))
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}
