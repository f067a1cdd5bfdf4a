use wasmtime::component::{ComponentType, Lift, Lower, Resource, WasmList};
use wasmtime::{Result, StoreContextMut};

use super::cli::STDERR;
use super::{InputStream, Instance, OutputStream, Pollable};
use crate::waiting::wait_until;
use crate::world::{Sink, World};

/// How much a guest may read or write at once; what is too much in all is for the world to say.
const PERMITTED: u64 = 65_536;

/// `error` of wasi:io/error, of which there are none.
pub struct IoError;

#[derive(ComponentType, Lift, Lower)]
#[component(variant)]
enum StreamError {
    #[component(name = "last-operation-failed")]
    #[allow(dead_code, reason = "nothing here fails so, but the type has it")]
    LastOperationFailed(Resource<IoError>),
    #[component(name = "closed")]
    Closed,
}

type Context<'a> = StoreContextMut<'a, World>;
type Input = Resource<InputStream>;
type Output = Resource<OutputStream>;

fn sink(stream: &Output) -> Sink {
    if stream.rep() == STDERR {
        Sink::Stderr
    } else {
        Sink::Stdout
    }
}

/// wasi:io: streams over bytes that are all there or taken at once, and waiting for time to pass.
pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match interface {
        "wasi:io/poll" => link_poll(to, item),
        "wasi:io/streams" => match item.split_once("input-stream.") {
            Some(("[method]", method)) => link_input(to, item, method),
            _ => link_output(to, item),
        },
        _ => Ok(false),
    }
}

fn link_poll(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[method]pollable.ready" => to.func_wrap(
            item,
            |context: Context<'_>, (pollable,): (Resource<Pollable>,)| {
                let world = context.data();
                Ok((world.monotonic() >= *world.pollables.get(pollable.rep())?,))
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
    let mut times = Vec::with_capacity(pollables.len());
    for pollable in pollables {
        times.push(*world.pollables.get(pollable.rep())?);
    }
    let Some(first) = times.iter().min() else {
        wasmtime::bail!("poll was called with an empty list");
    };
    if *first > world.monotonic() {
        wait_until(world, *first).await;
    }
    let now = world.monotonic();
    let ready = (0..).zip(times).filter(|(_, at)| *at <= now);
    Ok(ready.map(|(index, _)| index).collect())
}

fn link_input(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "read" | "blocking-read" => to.func_wrap(
            item,
            |mut context: Context<'_>, (_, length): (Input, u64)| {
                let bytes = context
                    .data_mut()
                    .stdin
                    .read(length.min(PERMITTED) as usize);
                Ok((bytes.map(<[u8]>::to_vec).ok_or(StreamError::Closed),))
            },
        )?,
        "skip" | "blocking-skip" => to.func_wrap(
            item,
            |mut context: Context<'_>, (_, length): (Input, u64)| {
                let bytes = context
                    .data_mut()
                    .stdin
                    .read(length.min(PERMITTED) as usize);
                Ok((bytes
                    .map(|bytes| bytes.len() as u64)
                    .ok_or(StreamError::Closed),))
            },
        )?,
        "subscribe" => to.func_wrap(item, |mut context: Context<'_>, (_,): (Input,)| {
            ready_now(&mut context)
        })?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn ready_now(context: &mut Context<'_>) -> Result<(Resource<Pollable>,)> {
    Ok((Resource::new_own(context.data_mut().pollables.add(0)?),))
}

type Written = Result<(Result<(), StreamError>,)>;

fn link_output(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[method]output-stream.check-write" => to
            .func_wrap(item, |_: Context<'_>, (_,): (Output,)| {
                Ok((Ok::<_, StreamError>(PERMITTED),))
            })?,
        "[method]output-stream.write" | "[method]output-stream.blocking-write-and-flush" => to
            .func_wrap(
                item,
                |mut context: Context<'_>, (stream, bytes): (Output, WasmList<u8>)| -> Written {
                    // A copy: the guest's memory and its world lie in one store.
                    let bytes = bytes.as_le_slice(&context).to_vec();
                    context.data_mut().write(sink(&stream), &bytes)?;
                    Ok((Ok(()),))
                },
            )?,
        "[method]output-stream.flush" | "[method]output-stream.blocking-flush" => to
            .func_wrap(item, |_: Context<'_>, (_,): (Output,)| -> Written {
                Ok((Ok(()),))
            })?,
        "[method]output-stream.subscribe" => to
            .func_wrap(item, |mut context: Context<'_>, (_,): (Output,)| {
                ready_now(&mut context)
            })?,
        "[method]output-stream.write-zeroes"
        | "[method]output-stream.blocking-write-zeroes-and-flush" => to.func_wrap(
            item,
            |mut context: Context<'_>, (stream, length): (Output, u64)| -> Written {
                let mut left = length;
                while left > 0 {
                    let piece = left.min(PERMITTED);
                    let zeroes = &[0; PERMITTED as usize][..piece as usize];
                    context.data_mut().write(sink(&stream), zeroes)?;
                    left -= piece;
                }
                Ok((Ok(()),))
            },
        )?,
        "[method]output-stream.splice" | "[method]output-stream.blocking-splice" => to.func_wrap(
            item,
            |mut context: Context<'_>, (stream, _, length): (Output, Input, u64)| {
                let world = context.data_mut();
                let piece = world.stdin.read(length.min(PERMITTED) as usize);
                let Some(piece) = piece.map(<[u8]>::to_vec) else {
                    return Ok((Err(StreamError::Closed),));
                };
                world.write(sink(&stream), &piece)?;
                Ok((Ok(piece.len() as u64),))
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}
