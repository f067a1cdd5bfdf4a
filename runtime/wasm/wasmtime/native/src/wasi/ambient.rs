use std::time::{SystemTime, UNIX_EPOCH};

use wasmtime::component::{ComponentType, Lower, Resource};
use wasmtime::{Result, StoreContextMut};

use super::{Instance, Pollable};
use crate::hermetic::Hermetic;
use crate::world::{Ready, World};

#[derive(ComponentType, Lower)]
#[component(record)]
struct Datetime {
    seconds: u64,
    nanoseconds: u32,
}

type Context<'a> = StoreContextMut<'a, World>;

/// Nanoseconds since 1970-01-01T00:00:00Z, in steps of a millisecond; on a clock that is fixed, where there is one.
pub fn wall_clock(hermetic: Option<&Hermetic>) -> u64 {
    if let Some(hermetic) = hermetic {
        return hermetic.wall_clock();
    }
    let since = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or_default();
    since.as_millis() as u64 * 1_000_000
}

/// Random bytes of the system, or of the seed.
pub fn random(world: &mut World, bytes: &mut [u8]) -> Result<()> {
    if let Some(hermetic) = &mut world.hermetic {
        hermetic.random(bytes);
        return Ok(());
    }
    getrandom::fill(bytes).map_err(|error| wasmtime::format_err!("no random bytes: {error}"))
}

fn random_list(context: &mut Context<'_>, length: u64) -> Result<(Vec<u8>,)> {
    if length > context.data().attempt.limits.memory_bytes as u64 {
        wasmtime::bail!("{length} random bytes were asked for");
    }
    let mut bytes = vec![0; length as usize];
    random(context.data_mut(), &mut bytes)?;
    Ok((bytes,))
}

fn random_u64(context: &mut Context<'_>) -> Result<u64> {
    let mut bytes = [0; 8];
    random(context.data_mut(), &mut bytes)?;
    Ok(u64::from_le_bytes(bytes))
}

fn pollable(context: &mut Context<'_>, at: u64) -> Result<(Resource<Pollable>,)> {
    context.data_mut().add_pollable(Ready::At(at))
}

/// wasi:clocks and wasi:random.
pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match (interface, item) {
        ("wasi:clocks/monotonic-clock", "now") => to
            .func_wrap(item, |context: Context<'_>, (): ()| {
                Ok((context.data().monotonic(),))
            })?,
        ("wasi:clocks/monotonic-clock", "resolution") => {
            to.func_wrap(item, |_: Context<'_>, (): ()| Ok((1_000u64,)))?
        }
        ("wasi:clocks/monotonic-clock", "subscribe-instant") => to
            .func_wrap(item, |mut context: Context<'_>, (at,): (u64,)| {
                pollable(&mut context, at)
            })?,
        ("wasi:clocks/monotonic-clock", "subscribe-duration") => {
            to.func_wrap(item, |mut context: Context<'_>, (duration,): (u64,)| {
                let at = context.data().monotonic().saturating_add(duration);
                pollable(&mut context, at)
            })?
        }
        ("wasi:clocks/wall-clock", "now") => {
            to.func_wrap(item, |context: Context<'_>, (): ()| {
                let now = wall_clock(context.data().hermetic.as_ref());
                Ok((Datetime {
                    seconds: now / 1_000_000_000,
                    nanoseconds: (now % 1_000_000_000) as u32,
                },))
            })?
        }
        ("wasi:clocks/wall-clock", "resolution") => {
            to.func_wrap(item, |_: Context<'_>, (): ()| {
                Ok((Datetime {
                    seconds: 0,
                    nanoseconds: 1_000_000,
                },))
            })?
        }
        ("wasi:random/random", "get-random-bytes")
        | ("wasi:random/insecure", "get-insecure-random-bytes") => to
            .func_wrap(item, |mut context: Context<'_>, (length,): (u64,)| {
                random_list(&mut context, length)
            })?,
        ("wasi:random/random", "get-random-u64")
        | ("wasi:random/insecure", "get-insecure-random-u64") => to
            .func_wrap(item, |mut context: Context<'_>, (): ()| {
                Ok((random_u64(&mut context)?,))
            })?,
        ("wasi:random/insecure-seed", "insecure-seed") => {
            to.func_wrap(item, |mut context: Context<'_>, (): ()| {
                Ok(((random_u64(&mut context)?, random_u64(&mut context)?),))
            })?
        }
        _ => return Ok(false),
    }
    Ok(true)
}
