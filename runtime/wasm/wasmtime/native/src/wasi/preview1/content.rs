use wasmtime::{Linker, Result};

use super::descriptors::Open;
use super::files::on_file;
use super::memory::{put, slice_and_world, vector};
use super::{Host, done_in_tmp, errno, in_tmp};
use crate::tmp::{Descriptor, Fault, Inode, Is, Scratch, content};
use crate::world::World;

type Access = fn(&Descriptor, &Scratch) -> std::result::Result<Inode, Fault>;

/// What is done with the content of an open file: from its position on (`read`, `write`), or from any place.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    on_file!(
        linker,
        "fd_pread",
        errno::SPIPE,
        |host, file, vectors: u32, count: u32, offset: i64, read_at: u32| {
            let inode = match file_of(host, file, Descriptor::readable)? {
                Ok((inode, _)) => inode,
                Err(number) => return Ok(number),
            };
            let read = scatter(host, inode, offset as u64, vectors, count)?;
            put(host, read_at, &(read as u32).to_le_bytes())?;
            Ok(errno::SUCCESS)
        }
    );
    on_file!(
        linker,
        "fd_pwrite",
        errno::SPIPE,
        |host, file, vectors: u32, count: u32, offset: i64, written_at: u32| {
            let inode = match file_of(host, file, Descriptor::writable)? {
                Ok((inode, _)) => inode,
                Err(number) => return Ok(number),
            };
            let written = gather(host, inode, offset as u64, vectors, count)?;
            put(host, written_at, &(written as u32).to_le_bytes())?;
            Ok(errno::SUCCESS)
        }
    );
    on_file!(
        linker,
        "fd_allocate",
        errno::SPIPE,
        |host, file, offset: i64, length: i64| done_in_tmp(host, |tmp, now| {
            let inode = tmp.descriptors.get(file)?.writable(&tmp.scratch)?;
            if length == 0 {
                return Err(Fault::Invalid.into());
            }
            let end = u128::from(offset as u64) + u128::from(length as u64);
            if end > tmp.scratch.content(inode)?.len() as u128 {
                tmp.scratch.resize(inode, end, now)?;
            }
            Ok(())
        })
    );
    on_file!(
        linker,
        "fd_filestat_set_size",
        errno::SPIPE,
        |host, file, size: i64| done_in_tmp(host, |tmp, now| {
            let inode = tmp.descriptors.get(file)?.writable(&tmp.scratch)?;
            tmp.scratch.resize(inode, (size as u64).into(), now)
        })
    );
    link_positions(linker)
}

fn link_positions(linker: &mut Linker<World>) -> Result<()> {
    on_file!(
        linker,
        "fd_seek",
        errno::SPIPE,
        |host, file, offset: i64, whence: u32, position_at: u32| {
            let position = in_tmp(host, |tmp, _| {
                let descriptor = tmp.descriptors.get_mut(file)?;
                let size = tmp.scratch.content(descriptor.inode)?.len() as u64;
                let base = match whence {
                    0 => 0,
                    1 => descriptor.position,
                    2 => size,
                    _ => return Err(Fault::Invalid.into()),
                };
                let position = i128::from(base) + i128::from(offset);
                let position = i64::try_from(position).ok();
                let position = position.and_then(|position| u64::try_from(position).ok());
                descriptor.position = position.ok_or(Fault::Invalid)?;
                Ok(descriptor.position)
            })?;
            put_position(host, position, position_at)
        }
    );
    on_file!(
        linker,
        "fd_tell",
        errno::SPIPE,
        |host, file, position_at: u32| {
            let position = in_tmp(host, |tmp, _| {
                let descriptor = tmp.descriptors.get(file)?;
                tmp.scratch.content(descriptor.inode)?;
                Ok(descriptor.position)
            })?;
            put_position(host, position, position_at)
        }
    );
    on_file!(
        linker,
        "fd_advise",
        errno::SPIPE,
        |host, file, _offset: i64, _length: i64, advice: u32| done_in_tmp(host, |tmp, _| {
            let descriptor = tmp.descriptors.get(file)?;
            match tmp.scratch.get(descriptor.inode)?.is {
                Is::File(_) if advice > 5 => Err(Fault::Invalid.into()),
                Is::File(_) => Ok(()),
                _ => Err(Fault::BadDescriptor.into()),
            }
        })
    );
    Ok(())
}

fn put_position(host: &mut Host<'_>, position: Result<u64, i32>, at: u32) -> Result<i32> {
    match position {
        Ok(position) => put(host, at, &position.to_le_bytes()).map(|()| errno::SUCCESS),
        Err(number) => Ok(number),
    }
}

/// The file of a descriptor that may be used so, and its position.
fn file_of(host: &mut Host<'_>, file: u32, access: Access) -> Result<Result<(Inode, u64), i32>> {
    in_tmp(host, |tmp, _| {
        let descriptor = tmp.descriptors.get_mut(file)?;
        let inode = access(descriptor, &tmp.scratch)?;
        Ok((inode, descriptor.position))
    })
}

/// Moves a file's position on.
fn advance(host: &mut Host<'_>, file: u32, to: u64) -> Result<()> {
    done_in_tmp(host, |tmp, _| {
        tmp.descriptors.get_mut(file)?.position = to;
        Ok(())
    })?;
    Ok(())
}

/// fd_read of a file.
pub fn read(host: &mut Host<'_>, file: u32, vectors: u32, count: u32, read_at: u32) -> Result<i32> {
    let (inode, position) = match file_of(host, file, Descriptor::readable)? {
        Ok(found) => found,
        Err(number) => return Ok(number),
    };
    let read = scatter(host, inode, position, vectors, count)?;
    advance(host, file, position + read)?;
    put(host, read_at, &(read as u32).to_le_bytes())?;
    Ok(errno::SUCCESS)
}

/// fd_write of a file.
pub fn write(
    host: &mut Host<'_>,
    file: u32,
    vectors: u32,
    count: u32,
    written_at: u32,
) -> Result<i32> {
    let found = in_tmp(host, |tmp, _| {
        let descriptor = tmp.descriptors.get(file)?;
        let inode = descriptor.writable(&tmp.scratch)?;
        let end = tmp.scratch.content(inode)?.len() as u64;
        let append = descriptor.append;
        Ok((inode, if append { end } else { descriptor.position }))
    })?;
    let (inode, position) = match found {
        Ok(found) => found,
        Err(number) => return Ok(number),
    };
    let written = gather(host, inode, position, vectors, count)?;
    advance(host, file, position + written)?;
    put(host, written_at, &(written as u32).to_le_bytes())?;
    Ok(errno::SUCCESS)
}

/// Fills the vectors with what is in a file from an offset on, until there is less than they take; how much it was.
fn scatter(host: &mut Host<'_>, inode: Inode, from: u64, vectors: u32, count: u32) -> Result<u64> {
    let mut total: u64 = 0;
    for index in 0..count {
        let (at, length) = vector(host, vectors, index)?;
        let (into, world) = slice_and_world(host, at, length)?;
        let read = world.with_tmp(|tmp, _| {
            let content = tmp.scratch.content(inode)?;
            let bytes = content::read(content, from.saturating_add(total), into.len());
            into[..bytes.len()].copy_from_slice(bytes);
            Ok(bytes.len())
        })?;
        let read = read.unwrap_or(0);
        total += read as u64;
        if read < length as usize {
            break;
        }
    }
    Ok(total)
}

/// Writes the vectors to a file from an offset on; how much it was.
fn gather(host: &mut Host<'_>, inode: Inode, from: u64, vectors: u32, count: u32) -> Result<u64> {
    let mut total: u64 = 0;
    for index in 0..count {
        let (at, length) = vector(host, vectors, index)?;
        let (bytes, world) = slice_and_world(host, at, length)?;
        let written = world.with_tmp(|tmp, now| {
            tmp.scratch
                .write(inode, from.saturating_add(total), bytes, now)
        })?;
        if written.is_err() {
            break;
        }
        total += u64::from(length);
    }
    Ok(total)
}
