use wasmtime::{Caller, Extern, Linker, Memory, Result};

use super::ambient::{random, wall_clock};
use crate::verdict::Verdict;
use crate::waiting::wait_until;
use crate::world::{Sink, World};

/// Error numbers that a step can meet.
mod errno {
    pub const SUCCESS: i32 = 0;
    pub const BADF: i32 = 8;
    pub const INVAL: i32 = 28;
    pub const NOSYS: i32 = 52;
    pub const NOTDIR: i32 = 54;
    pub const NOTSOCK: i32 = 57;
    pub const SPIPE: i32 = 70;
}

const MODULE: &str = "wasi_snapshot_preview1";
const SUBSCRIPTION_BYTES: u32 = 48;
const EVENT_BYTES: u32 = 32;

type Host<'a> = Caller<'a, World>;

/// The functions of `wasi_snapshot_preview1` for core modules: arguments, environment, stdin, stdout, stderr, clocks,
/// randomness, sleep and exit work; there are no files, folders or sockets. Pointers that lead out of the module's memory
/// end the guest as a trap.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    link_absent(linker)?;
    link_texts(linker)?;
    link_stdio(linker)?;
    link_clocks(linker)?;
    linker.func_wrap(
        MODULE,
        "proc_exit",
        |mut host: Host<'_>, status: i32| -> Result<()> {
            host.data_mut().end(Verdict::Exit(status as u32))
        },
    )?;
    linker.func_wrap(MODULE, "proc_raise", |_: i32| errno::NOSYS)?;
    linker.func_wrap(MODULE, "sched_yield", || errno::SUCCESS)?;
    linker.func_wrap(
        MODULE,
        "random_get",
        |mut host: Host<'_>, at: u32, length: u32| -> Result<i32> {
            let bounds = range(at, length);
            let memory = memory(&mut host)?;
            let (data, world) = memory.data_and_store_mut(&mut host);
            let Some(bytes) = data.get_mut(bounds) else {
                wasmtime::bail!("a pointer is out of bounds: {at} + {length}");
            };
            random(world, bytes)?;
            Ok(errno::SUCCESS)
        },
    )?;
    Ok(())
}

fn memory(host: &mut Host<'_>) -> Result<Memory> {
    match host.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => wasmtime::bail!("the module calls WASI without exporting its memory"),
    }
}

fn range(at: u32, length: u32) -> std::ops::Range<usize> {
    at as usize..at as usize + length as usize
}

fn slice<'a>(host: &'a mut Host<'_>, at: u32, length: u32) -> Result<&'a [u8]> {
    let bytes = memory(host)?.data(&*host).get(range(at, length));
    bytes.ok_or_else(|| wasmtime::format_err!("a pointer is out of bounds: {at} + {length}"))
}

fn slice_mut<'a>(host: &'a mut Host<'_>, at: u32, length: u32) -> Result<&'a mut [u8]> {
    let bytes = memory(host)?.data_mut(host).get_mut(range(at, length));
    bytes.ok_or_else(|| wasmtime::format_err!("a pointer is out of bounds: {at} + {length}"))
}

fn u32_at(host: &mut Host<'_>, at: u32) -> Result<u32> {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(slice(host, at, 4)?);
    Ok(u32::from_le_bytes(bytes))
}

fn u64_at(host: &mut Host<'_>, at: u32) -> Result<u64> {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(slice(host, at, 8)?);
    Ok(u64::from_le_bytes(bytes))
}

fn put(host: &mut Host<'_>, at: u32, bytes: &[u8]) -> Result<()> {
    slice_mut(host, at, bytes.len() as u32)?.copy_from_slice(bytes);
    Ok(())
}

/// An address further on; one past the end of the address space is out of any memory.
fn beyond(at: u32, offset: u32) -> Result<u32> {
    at.checked_add(offset)
        .ok_or_else(|| wasmtime::format_err!("a pointer is out of bounds: {at} + {offset}"))
}

/// What only files, folders and sockets have, of which there are none.
fn link_absent(linker: &mut Linker<World>) -> Result<()> {
    use errno::{BADF, NOSYS, NOTDIR, NOTSOCK, SPIPE};
    let on = |host: &Host<'_>, fd: i32, result: i32| {
        if host.data().files.is_open(fd) {
            result
        } else {
            BADF
        }
    };
    macro_rules! absent {
        ($result:expr, $(($name:literal $(, $more:ty)*)),* $(,)?) => {$(
            linker.func_wrap(MODULE, $name, move |host: Host<'_>, fd: i32 $(, _: $more)*| on(&host, fd, $result))?;
        )*};
    }
    absent!(
        SPIPE,
        ("fd_advise", i64, i64, i32),
        ("fd_allocate", i64, i64),
        ("fd_datasync"),
        ("fd_fdstat_set_rights", i64, i64),
        ("fd_filestat_set_size", i64),
        ("fd_filestat_set_times", i64, i64, i32),
        ("fd_pread", i32, i32, i64, i32),
        ("fd_pwrite", i32, i32, i64, i32),
        ("fd_readdir", i32, i32, i64, i32),
        ("fd_seek", i64, i32, i32),
        ("fd_sync"),
        ("fd_tell", i32),
    );
    absent!(
        NOTDIR,
        ("path_create_directory", i32, i32),
        ("path_filestat_get", i32, i32, i32, i32),
        ("path_filestat_set_times", i32, i32, i32, i64, i64, i32),
        ("path_link", i32, i32, i32, i32, i32, i32),
        ("path_open", i32, i32, i32, i32, i64, i64, i32, i32),
        ("path_readlink", i32, i32, i32, i32, i32),
        ("path_remove_directory", i32, i32),
        ("path_rename", i32, i32, i32, i32, i32),
        ("path_unlink_file", i32, i32),
    );
    absent!(
        NOTSOCK,
        ("sock_accept", i32, i32),
        ("sock_recv", i32, i32, i32, i32, i32),
        ("sock_send", i32, i32, i32, i32),
        ("sock_shutdown", i32),
    );
    linker.func_wrap(
        MODULE,
        "path_symlink",
        move |host: Host<'_>, _: i32, _: i32, fd: i32, _: i32, _: i32| on(&host, fd, NOTDIR),
    )?;
    linker.func_wrap(MODULE, "fd_prestat_get", |_: i32, _: i32| BADF)?;
    linker.func_wrap(MODULE, "fd_prestat_dir_name", |_: i32, _: i32, _: i32| BADF)?;
    absent!(errno::SUCCESS, ("fd_fdstat_set_flags", i32));
    linker.func_wrap(MODULE, "fd_close", |mut host: Host<'_>, fd: i32| {
        if host.data_mut().files.close(fd) {
            errno::SUCCESS
        } else {
            BADF
        }
    })?;
    linker.func_wrap(
        MODULE,
        "fd_renumber",
        |host: Host<'_>, from: i32, to: i32| {
            let files = &host.data().files;
            if files.is_open(from) && files.is_open(to) {
                NOSYS
            } else {
                BADF
            }
        },
    )?;
    Ok(())
}

fn link_texts(linker: &mut Linker<World>) -> Result<()> {
    link_list(linker, "args_sizes_get", "args_get", |world| {
        world.args.clone()
    })?;
    link_list(linker, "environ_sizes_get", "environ_get", |world| {
        let env = &world.attempt.grants.env;
        env.iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    })
}

/// The two functions that give out a list of texts, each with a NUL behind it.
fn link_list(
    linker: &mut Linker<World>,
    sizes_name: &str,
    name: &str,
    list: fn(&World) -> Vec<String>,
) -> Result<()> {
    linker.func_wrap(
        MODULE,
        sizes_name,
        move |mut host: Host<'_>, count_at: u32, size_at: u32| -> Result<i32> {
            let texts = list(host.data());
            let size: usize = texts.iter().map(|text| text.len() + 1).sum();
            put(&mut host, count_at, &(texts.len() as u32).to_le_bytes())?;
            put(&mut host, size_at, &(size as u32).to_le_bytes())?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        name,
        move |mut host: Host<'_>, mut pointers: u32, mut at: u32| -> Result<i32> {
            for text in list(host.data()) {
                let mut text = text.into_bytes();
                text.push(0);
                put(&mut host, pointers, &at.to_le_bytes())?;
                put(&mut host, at, &text)?;
                pointers = beyond(pointers, 4)?;
                at = beyond(at, text.len() as u32)?;
            }
            Ok(errno::SUCCESS)
        },
    )?;
    Ok(())
}

fn link_stdio(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "fd_read",
        |mut host: Host<'_>, fd: i32, vectors: u32, count: u32, read_at: u32| -> Result<i32> {
            if fd != 0 || !host.data().files.is_open(fd) {
                return Ok(errno::BADF);
            }
            let mut total: u32 = 0;
            for index in 0..count {
                let vector = beyond(vectors, index.saturating_mul(8))?;
                let (at, length) = (
                    u32_at(&mut host, vector)?,
                    u32_at(&mut host, beyond(vector, 4)?)?,
                );
                slice(&mut host, at, length)?;
                if length == 0 {
                    continue;
                }
                let bytes = host
                    .data_mut()
                    .stdin
                    .read(length as usize)
                    .map(<[u8]>::to_vec);
                let Some(bytes) = bytes else { break };
                put(&mut host, at, &bytes)?;
                total = total.saturating_add(bytes.len() as u32);
            }
            put(&mut host, read_at, &total.to_le_bytes())?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut host: Host<'_>, fd: i32, vectors: u32, count: u32, written_at: u32| -> Result<i32> {
            let sink = match fd {
                1 => Sink::Stdout,
                2 => Sink::Stderr,
                _ => return Ok(errno::BADF),
            };
            if !host.data().files.is_open(fd) {
                return Ok(errno::BADF);
            }
            let mut total: u32 = 0;
            for index in 0..count {
                let vector = beyond(vectors, index.saturating_mul(8))?;
                let (at, length) = (
                    u32_at(&mut host, vector)?,
                    u32_at(&mut host, beyond(vector, 4)?)?,
                );
                let bounds = range(at, length);
                let memory = memory(&mut host)?;
                let (data, world) = memory.data_and_store_mut(&mut host);
                let Some(bytes) = data.get(bounds) else {
                    wasmtime::bail!("a pointer is out of bounds: {at} + {length}");
                };
                world.write(sink, bytes)?;
                total = total.wrapping_add(length);
            }
            put(&mut host, written_at, &total.to_le_bytes())?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_get",
        |mut host: Host<'_>, fd: i32, at: u32| -> Result<i32> {
            if !host.data().files.is_open(fd) {
                return Ok(errno::BADF);
            }
            // File type unknown (a pipe: no terminal), no flags, the right to read or to write.
            let mut status = [0; 24];
            status[8] = if fd == 0 { 0x02 } else { 0x40 };
            put(&mut host, at, &status)?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_get",
        |mut host: Host<'_>, fd: i32, at: u32| -> Result<i32> {
            if !host.data().files.is_open(fd) {
                return Ok(errno::BADF);
            }
            put(&mut host, at, &[0; 64])?;
            Ok(errno::SUCCESS)
        },
    )?;
    Ok(())
}

/// The time on a clock, in nanoseconds: 0 is the wall clock, 1 to 3 never go back; None: no such clock.
fn nanoseconds(world: &World, clock: u32) -> Option<u64> {
    match clock {
        0 => Some(wall_clock(world)),
        1..=3 => Some(world.monotonic()),
        _ => None,
    }
}

fn link_clocks(linker: &mut Linker<World>) -> Result<()> {
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
            if host.data().files.is_open(fd) {
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
