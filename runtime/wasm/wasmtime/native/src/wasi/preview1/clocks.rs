use wasmtime::{Linker, Result};

use super::memory::{beyond, put, slice, u32_at, u64_at};
use super::{Host, MODULE, errno};
use crate::waiting::wait_until;
use crate::wasi::wall_clock;
use crate::world::World;

const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;

/// The time on a clock, in nanoseconds: 0 is the wall clock, 1 to 3 never go back; None: no such clock.
fn nanoseconds(world: &World, clock: u32) -> Option<u64> {
    match clock {
        0 => Some(wall_clock(world.hermetic.as_ref())),
        1..=3 => Some(world.monotonic()),
        _ => None,
    }
}

/// Clocks, and waiting for them.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "clock_res_get",
        |mut host: Host<'_>, clock: u32, at: u32| -> Result<i32> {
            if clock > 3 {
                return Ok(errno::INVAL);
            }
            let resolution: u64 = if clock == 0 { 1_000_000 } else { 1_000 };
            put(&mut host, at, &resolution.to_le_bytes())?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "clock_time_get",
        |mut host: Host<'_>, clock: u32, _: i64, at: u32| -> Result<i32> {
            let Some(now) = nanoseconds(host.data(), clock) else {
                return Ok(errno::INVAL);
            };
            put(&mut host, at, &now.to_le_bytes())?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap_async(
        MODULE,
        "poll_oneoff",
        |host: Host<'_>, (subscriptions, events, count, count_at): (u32, u32, u32, u32)| {
            Box::new(poll_oneoff(host, subscriptions, events, count, count_at))
        },
    )?;
    Ok(())
}

/// Waits until one of the subscriptions is due: stdio always is, a clock at its time.
async fn poll_oneoff(
    mut host: Host<'_>,
    subscriptions: u32,
    events: u32,
    count: u32,
    count_at: u32,
) -> Result<i32> {
    if count == 0 {
        return Ok(errno::INVAL);
    }
    let began = host.data().monotonic();
    let mut first = u64::MAX;
    for index in 0..count {
        let at = beyond(subscriptions, index.saturating_mul(SUBSCRIPTION_BYTES))?;
        first = first.min(due(&mut host, at, began)?.unwrap_or(0));
    }
    if first > began {
        wait_until(host.data(), first).await;
    }
    let mut written = 0;
    for index in 0..count {
        let at = beyond(subscriptions, index.saturating_mul(SUBSCRIPTION_BYTES))?;
        let due_at = due(&mut host, at, began)?;
        if due_at.unwrap_or(0) > first {
            continue;
        }
        let kind = slice(&mut host, at, SUBSCRIPTION_BYTES)?[8];
        let error = if kind == 0 {
            due_at.map_or(errno::INVAL, |_| errno::SUCCESS)
        } else {
            let fd = u32_at(&mut host, beyond(at, 16)?)? as i32;
            if host.data().files.get(fd).is_some() {
                errno::SUCCESS
            } else {
                errno::BADF
            }
        };
        let mut event = [0; EVENT_BYTES as usize];
        event[..8].copy_from_slice(slice(&mut host, at, 8)?);
        event[8] = error as u8;
        event[10] = kind;
        event[16] = u8::from(kind != 0);
        put(&mut host, beyond(events, written * EVENT_BYTES)?, &event)?;
        written += 1;
    }
    put(&mut host, count_at, &written.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

/// When a subscription is due, in nanoseconds of the monotonic clock; None: its clock is unknown.
fn due(host: &mut Host<'_>, at: u32, now: u64) -> Result<Option<u64>> {
    if slice(host, at, SUBSCRIPTION_BYTES)?[8] != 0 {
        return Ok(Some(0));
    }
    let timeout = u64_at(host, beyond(at, 24)?)?;
    let flags = slice(host, at, SUBSCRIPTION_BYTES)?[40];
    if flags & 1 == 0 {
        return Ok(Some(now.saturating_add(timeout)));
    }
    let clock = u32_at(host, beyond(at, 16)?)?;
    let time = nanoseconds(host.data(), clock);
    Ok(time.map(|time| now.saturating_add(timeout.saturating_sub(time))))
}
