use wasmtime::component::{ComponentType, Lower, Resource, ResourceType, WasmList};
use wasmtime::{Result, StoreContextMut};

use super::cli::STDERR;
use super::filesystem::{self, FIRST_FILE_STREAM};
use super::http::{self, Awaited, ErrorCode, FIRST_STREAM, Unwritten};
use super::{InputStream, Instance, OutputStream, Pollable};
use crate::waiting::wait;
use crate::world::{Ready, Sink, World};

/// How much a guest may read or write at once; what is too much in all is for the world to say.
const PERMITTED: u64 = 65_536;

/// `error` of wasi:io/error: why a stream failed, which those of HTTP bodies alone do.
pub struct IoError(pub ErrorCode);

#[derive(ComponentType, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

type Context<'a> = StoreContextMut<'a, World>;
type Input = Resource<InputStream>;
type Output = Resource<OutputStream>;
type Outcome = std::result::Result<(), StreamError>;

fn sink(stream: u32) -> Sink {
    if stream == STDERR {
        Sink::Stderr
    } else {
        Sink::Stdout
    }
}

/// wasi:io: streams over bytes that are all there or taken at once, and waiting for a time or an answer of the host.
pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match interface {
        "wasi:io/poll" => link_poll(to, item),
        "wasi:io/error" => link_error(to, item),
        "wasi:io/streams" => match item.split_once("input-stream.") {
            Some(("[method]", method)) => link_input(to, item, method),
            _ => link_output(to, item),
        },
        _ => Ok(false),
    }
}

fn link_error(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    if item != "[method]error.to-debug-string" {
        return Ok(false);
    }
    to.func_wrap(
        item,
        |context: Context<'_>, (error,): (Resource<IoError>,)| {
            let IoError(code) = context.data().errors.get(error.rep())?;
            Ok((format!("{code:?}"),))
        },
    )?;
    Ok(true)
}

fn link_poll(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[method]pollable.ready" => to.func_wrap(
            item,
            |context: Context<'_>, (pollable,): (Resource<Pollable>,)| {
                let world = context.data();
                Ok((is_ready(world, &pollable, world.monotonic())?,))
            },
        )?,
        "[method]pollable.block" => to.func_wrap_async(
            item,
            |context: Context<'_>, (pollable,): (Resource<Pollable>,)| {
                Box::new(async move {
                    wait_for_one(context, &[pollable]).await?;
                    Ok(())
                })
            },
        )?,
        "poll" => to.func_wrap_async(
            item,
            |context: Context<'_>, (pollables,): (Vec<Resource<Pollable>>,)| {
                Box::new(async move { Ok((wait_for_one(context, &pollables).await?,)) })
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The indices of those that are ready, once there is one.
async fn wait_for_one(context: Context<'_>, pollables: &[Resource<Pollable>]) -> Result<Vec<u32>> {
    let world = context.data();
    let mut calls = Vec::new();
    let mut first = None;
    let mut answered = false;
    for pollable in pollables {
        match world.pollables.get(pollable.rep())? {
            Ready::At(at) => first = Some(first.map_or(*at, |first: u64| first.min(*at))),
            Ready::Exchange(exchange) => match exchange.awaited(world) {
                Awaited::Call(call) => calls.push(call),
                Awaited::Guest => {}
                Awaited::Nothing => answered = true,
            },
        }
    }
    if pollables.is_empty() {
        wasmtime::bail!("poll was called with an empty list");
    }
    if !answered && first.is_none_or(|first| first > world.monotonic()) {
        wait(world, &calls, first).await;
    }
    let now = world.monotonic();
    let mut ready = Vec::new();
    for (index, pollable) in (0..).zip(pollables) {
        if is_ready(world, pollable, now)? {
            ready.push(index);
        }
    }
    Ok(ready)
}

fn is_ready(world: &World, pollable: &Resource<Pollable>, now: u64) -> Result<bool> {
    Ok(match world.pollables.get(pollable.rep())? {
        Ready::At(at) => *at <= now,
        Ready::Exchange(exchange) => matches!(exchange.awaited(world), Awaited::Nothing),
    })
}

/// Bytes from the front of a stream; None at the end.
fn read(world: &mut World, stream: &Input, at_most: u64) -> Result<Option<Vec<u8>>> {
    let at_most = at_most.min(PERMITTED) as usize;
    let bytes = match stream.rep() {
        stream @ FIRST_FILE_STREAM.. => filesystem::read(world, stream, at_most)?,
        stream @ FIRST_STREAM.. => http::read(world, stream, at_most)?,
        _ => world.stdin.read(at_most),
    };
    Ok(bytes.map(<[u8]>::to_vec))
}

fn write(world: &mut World, stream: &Output, bytes: &[u8]) -> Result<Outcome> {
    let stream = stream.rep();
    if stream < FIRST_STREAM {
        world.write(sink(stream), bytes)?;
        return Ok(Ok(()));
    }
    if stream >= FIRST_FILE_STREAM {
        filesystem::write(world, stream, bytes)?;
        return Ok(Ok(()));
    }
    Ok(match http::write(world, stream, bytes)? {
        Ok(()) => Ok(()),
        Err(Unwritten::Closed) => Err(StreamError::Closed),
        Err(Unwritten::Failed(code)) => {
            let error = world.errors.add(IoError(code))?;
            Err(StreamError::LastOperationFailed(Resource::new_own(error)))
        }
    })
}

fn link_input(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "read" | "blocking-read" => to.func_wrap(
            item,
            |mut context: Context<'_>, (stream, length): (Input, u64)| {
                let bytes = read(context.data_mut(), &stream, length)?;
                Ok((bytes.ok_or(StreamError::Closed),))
            },
        )?,
        "skip" | "blocking-skip" => to.func_wrap(
            item,
            |mut context: Context<'_>, (stream, length): (Input, u64)| {
                let bytes = read(context.data_mut(), &stream, length)?;
                let skipped = bytes.map(|bytes| bytes.len() as u64);
                Ok((skipped.ok_or(StreamError::Closed),))
            },
        )?,
        "subscribe" => to.func_wrap(item, |mut context: Context<'_>, (_,): (Input,)| {
            context.data_mut().add_pollable(Ready::At(0))
        })?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn link_output(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[method]output-stream.check-write" => to
            .func_wrap(item, |_: Context<'_>, (_,): (Output,)| {
                Ok((Ok::<_, StreamError>(PERMITTED),))
            })?,
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => to
            .func_wrap(
                item,
                |mut context: Context<'_>, (stream, bytes): (Output, WasmList<u8>)| {
                    // A copy: the guest's memory and its world lie in one store.
                    let bytes = bytes.as_le_slice(&context).to_vec();
                    Ok((write(context.data_mut(), &stream, &bytes)?,))
                },
            )?,
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => to
            .func_wrap(item, |_: Context<'_>, (_,): (Output,)| {
                Ok((Ok::<_, StreamError>(()),))
            })?,
        "[method]output-stream.subscribe" => {
            to.func_wrap(item, |mut context: Context<'_>, (_,): (Output,)| {
                context.data_mut().add_pollable(Ready::At(0))
            })?
        }
        "[method]output-stream.write-zeroes"
        | "[method]output-stream.blocking-write-zeroes-and-flush" => to.func_wrap(
            item,
            |mut context: Context<'_>, (stream, length): (Output, u64)| {
                let mut left = length;
                while left > 0 {
                    let piece = left.min(PERMITTED);
                    let zeroes = &[0; PERMITTED as usize][..piece as usize];
                    let written = write(context.data_mut(), &stream, zeroes)?;
                    if written.is_err() {
                        return Ok((written,));
                    }
                    left -= piece;
                }
                Ok((Ok(()),))
            },
        )?,
        "[method]output-stream.splice" | "[method]output-stream.blocking-splice" => to.func_wrap(
            item,
            |mut context: Context<'_>, (stream, from, length): (Output, Input, u64)| {
                let world = context.data_mut();
                let Some(piece) = read(world, &from, length)? else {
                    return Ok((Err(StreamError::Closed),));
                };
                let written = write(world, &stream, &piece)?;
                Ok((written.map(|()| piece.len() as u64),))
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The resources of wasi:io; false for others.
pub fn link_resource(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "input-stream" => to.resource(
            item,
            ResourceType::host::<InputStream>(),
            |mut context: Context<'_>, stream| match stream {
                FIRST_FILE_STREAM.. => filesystem::drop_stream(context.data_mut(), stream),
                FIRST_STREAM.. => http::drop_input(context.data_mut(), stream),
                _ => Ok(()),
            },
        ),
        "output-stream" => to.resource(
            item,
            ResourceType::host::<OutputStream>(),
            |mut context: Context<'_>, stream| match stream {
                FIRST_FILE_STREAM.. => filesystem::drop_stream(context.data_mut(), stream),
                FIRST_STREAM.. => http::drop_output(context.data_mut(), stream),
                _ => Ok(()),
            },
        ),
        // wasi:http has it under another name.
        "error" | "io-error" => to.resource(
            item,
            ResourceType::host::<IoError>(),
            |mut context: Context<'_>, error| context.data_mut().errors.remove(error).map(drop),
        ),
        "pollable" => to.resource(
            item,
            ResourceType::host::<Pollable>(),
            |mut context: Context<'_>, pollable| {
                context.data_mut().pollables.remove(pollable).map(drop)
            },
        ),
        _ => return Ok(false),
    }?;
    Ok(true)
}
