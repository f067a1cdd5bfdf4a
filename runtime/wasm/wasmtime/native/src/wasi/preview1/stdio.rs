use wasmtime::{Linker, Result};

use super::content;
use super::descriptors::Open;
use super::files;
use super::memory::{put, slice, slice_and_world, vector};
use super::{Host, MODULE, errno};
use crate::world::{Sink, World};

/// What both stdin, stdout, stderr and files have.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "fd_read",
        |mut host: Host<'_>, fd: i32, vectors: u32, count: u32, read_at: u32| {
            let host = &mut host;
            match host.data().files.get(fd) {
                Some(Open::Stream(0)) => read(host, vectors, count, read_at),
                Some(Open::File(file)) => content::read(host, file, vectors, count, read_at),
                _ => Ok(errno::BADF),
            }
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_write",
        |mut host: Host<'_>, fd: i32, vectors: u32, count: u32, written_at: u32| {
            let host = &mut host;
            match host.data().files.get(fd) {
                Some(Open::Stream(1)) => write(host, Sink::Stdout, vectors, count, written_at),
                Some(Open::Stream(2)) => write(host, Sink::Stderr, vectors, count, written_at),
                Some(Open::File(file)) => content::write(host, file, vectors, count, written_at),
                _ => Ok(errno::BADF),
            }
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_get",
        |mut host: Host<'_>, fd: i32, at: u32| -> Result<i32> {
            // File type unknown (a pipe: no terminal), no flags, the right to read or to write.
            let mut status = [0; 24];
            status[8] = match host.data().files.get(fd) {
                Some(Open::Stream(0)) => 0x02,
                Some(Open::Stream(_)) => 0x40,
                Some(Open::File(file)) => return files::status(&mut host, file, at),
                None => return Ok(errno::BADF),
            };
            put(&mut host, at, &status)?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_filestat_get",
        |mut host: Host<'_>, fd: i32, at: u32| -> Result<i32> {
            match host.data().files.get(fd) {
                Some(Open::Stream(_)) => put(&mut host, at, &[0; 64])?,
                Some(Open::File(file)) => return files::file_status(&mut host, file, at),
                None => return Ok(errno::BADF),
            }
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_fdstat_set_flags",
        |mut host: Host<'_>, fd: i32, flags: i32| match host.data().files.get(fd) {
            Some(Open::Stream(_)) => Ok(errno::SUCCESS),
            Some(Open::File(file)) => files::set_flags(&mut host, file, flags),
            None => Ok(errno::BADF),
        },
    )?;
    Ok(())
}

fn read(host: &mut Host<'_>, vectors: u32, count: u32, read_at: u32) -> Result<i32> {
    let mut total: u32 = 0;
    for index in 0..count {
        let (at, length) = vector(host, vectors, index)?;
        slice(host, at, length)?;
        if length == 0 {
            continue;
        }
        let stdin = &mut host.data_mut().stdin;
        let bytes = stdin.read(length as usize).map(<[u8]>::to_vec);
        let Some(bytes) = bytes else { break };
        put(host, at, &bytes)?;
        total = total.saturating_add(bytes.len() as u32);
    }
    put(host, read_at, &total.to_le_bytes())?;
    Ok(errno::SUCCESS)
}

fn write(
    host: &mut Host<'_>,
    sink: Sink,
    vectors: u32,
    count: u32,
    written_at: u32,
) -> Result<i32> {
    let mut total: u32 = 0;
    for index in 0..count {
        let (at, length) = vector(host, vectors, index)?;
        let (bytes, world) = slice_and_world(host, at, length)?;
        world.write(sink, bytes)?;
        total = total.wrapping_add(length);
    }
    put(host, written_at, &total.to_le_bytes())?;
    Ok(errno::SUCCESS)
}
