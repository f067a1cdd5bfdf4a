use wasmtime::{Linker, Result};

use super::descriptors::Open;
use super::listing;
use super::memory::{beyond, put, slice_and_world};
use super::{Host, done_in_tmp, errno, in_tmp};
use crate::tmp::{Fault, Inode, Is, NewTime, Node, Outcome, ROOT, Set, TMP_PATH};
use crate::world::World;

/// fdflags: bytes go to the file's end; and all of them.
pub const APPEND: i32 = 1;
pub const ALL_FLAGS: i32 = 0x1f;

const READ_RIGHT: u64 = 1 << 1;
const WRITE_RIGHT: u64 = 1 << 6;
const ALL_RIGHTS: u64 = (1 << 30) - 1;
/// What a file that can't be written to lacks: fd_datasync, fd_write, fd_allocate, fd_filestat_set_size.
const WRITE_RIGHTS: u64 = 1 | WRITE_RIGHT | 1 << 8 | 1 << 22;
/// What a folder has: two calls for descriptors, fd_readdir, fd_filestat_get and _set_times, and paths but for their sizes.
const FOLDER_RIGHTS: u64 = 0x7b7_fe18;

/// The rights for which preview 1 opens something, as what may be done with it: read, write.
pub fn access(rights: i64) -> (bool, bool) {
    let rights = rights as u64;
    (rights & READ_RIGHT != 0, rights & WRITE_RIGHT != 0)
}

/// What preview 1 calls the type of a node.
pub fn file_type(is: &Is) -> u8 {
    match is {
        Is::Directory(_) => 3,
        Is::File(_) => 4,
        Is::Link(_) => 7,
    }
}

/// A function of an open file or folder of `/tmp`; on stdin, stdout and stderr it gives `$otherwise`.
macro_rules! on_file {
    ($linker:ident, $name:literal, $otherwise:expr, |$host:ident, $file:ident $(, $param:ident: $type:ty)*| $body:expr) => {
        $linker.func_wrap(
            $crate::wasi::preview1::MODULE,
            $name,
            |mut host: Host<'_>, fd: i32 $(, $param: $type)*| -> Result<i32> {
                let $file = match host.data().files.get(fd) {
                    Some(Open::File(file)) => file,
                    Some(Open::Stream(_)) => return Ok($otherwise),
                    None => return Ok(errno::BADF),
                };
                let $host = &mut host;
                $body
            },
        )?
    };
}
pub(super) use on_file;

/// What begins with an open file or folder, but for contents and paths.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    on_file!(linker, "fd_datasync", errno::SPIPE, |_host, _file| Ok(
        errno::SUCCESS
    ));
    on_file!(linker, "fd_sync", errno::SPIPE, |_host, _file| Ok(
        errno::SUCCESS
    ));
    on_file!(
        linker,
        "fd_fdstat_set_rights",
        errno::SPIPE,
        |_host, _file, _base: i64, _inheriting: i64| Ok(errno::NOTSUP)
    );
    on_file!(
        linker,
        "fd_filestat_set_times",
        errno::SPIPE,
        |host, file, accessed: i64, modified: i64, which: i32| {
            done_in_tmp(host, |tmp, now| {
                let inode = tmp.descriptors.get(file)?.inode;
                let (accessed, modified) = new_times(accessed, modified, which)?;
                tmp.scratch.set_times(inode, accessed, modified, now)
            })
        }
    );
    on_file!(
        linker,
        "fd_readdir",
        errno::SPIPE,
        |host, file, at: u32, length: u32, cookie: i64, used_at: u32| {
            listing::read_directory(host, file, (at, length), cookie as u64, used_at)
        }
    );
    on_file!(
        linker,
        "fd_prestat_get",
        errno::BADF,
        |host, file, at: u32| {
            if !is_root(host, file)? {
                return Ok(errno::BADF);
            }
            put(host, at, &[0; 4])?;
            put(host, beyond(at, 4)?, &(TMP_PATH.len() as u32).to_le_bytes())?;
            Ok(errno::SUCCESS)
        }
    );
    on_file!(
        linker,
        "fd_prestat_dir_name",
        errno::BADF,
        |host, file, at: u32, length: u32| {
            if !is_root(host, file)? {
                return Ok(errno::BADF);
            }
            if (length as usize) < TMP_PATH.len() {
                return Ok(errno::NAMETOOLONG);
            }
            put(host, at, TMP_PATH.as_bytes())?;
            Ok(errno::SUCCESS)
        }
    );
    Ok(())
}

fn is_root(host: &mut Host<'_>, file: u32) -> Result<bool> {
    let root = in_tmp(host, |tmp, _| Ok(tmp.descriptors.get(file)?.inode == ROOT))?;
    Ok(root.unwrap_or(false))
}

/// The times that the flags name: 1 and 4 say that a time is set, 2 and 8 that it is set to now.
pub fn new_times(accessed: i64, modified: i64, which: i32) -> Outcome<(NewTime, NewTime)> {
    if which & 3 == 3 || which & 12 == 12 {
        return Err(Fault::Invalid.into());
    }
    let time = |to: i64, set: i32, now: i32| match which {
        which if which & set != 0 => Some(Set::To(to as u64)),
        which if which & now != 0 => Some(Set::Now),
        _ => None,
    };
    Ok((time(accessed, 1, 2), time(modified, 4, 8)))
}

/// fd_fdstat_set_flags of a file.
pub fn set_flags(host: &mut Host<'_>, file: u32, flags: i32) -> Result<i32> {
    done_in_tmp(host, |tmp, _| {
        let descriptor = tmp.descriptors.get_mut(file)?;
        descriptor.flags = (flags & ALL_FLAGS) as u8;
        descriptor.append = flags & APPEND != 0;
        Ok(())
    })
}

/// fd_fdstat_get of a file.
pub fn status(host: &mut Host<'_>, file: u32, at: u32) -> Result<i32> {
    let (into, world) = slice_and_world(host, at, 24)?;
    let done = world.with_tmp(|tmp, _| {
        let descriptor = tmp.descriptors.get(file)?;
        let is = &tmp.scratch.get(descriptor.inode)?.is;
        let directory = matches!(is, Is::Directory(_));
        let mut rights = ALL_RIGHTS;
        if !descriptor.read {
            rights &= !READ_RIGHT;
        }
        if !descriptor.write {
            rights &= !WRITE_RIGHTS;
        }
        let (rights, inheriting) = if directory {
            (FOLDER_RIGHTS, ALL_RIGHTS)
        } else {
            (rights, 0)
        };
        into.fill(0);
        into[0] = file_type(is);
        into[2] = descriptor.flags;
        into[8..16].copy_from_slice(&rights.to_le_bytes());
        into[16..].copy_from_slice(&inheriting.to_le_bytes());
        Ok(())
    })?;
    Ok(done.map_or_else(Fault::number, |()| errno::SUCCESS))
}

/// fd_filestat_get of a file.
pub fn file_status(host: &mut Host<'_>, file: u32, at: u32) -> Result<i32> {
    let status = in_tmp(host, |tmp, _| {
        let inode = tmp.descriptors.get(file)?.inode;
        Ok(file_stat(inode, tmp.scratch.get(inode)?))
    })?;
    match status {
        Ok(status) => put(host, at, &status).map(|()| errno::SUCCESS),
        Err(number) => Ok(number),
    }
}

/// What is known of a node as preview 1's `filestat`.
pub fn file_stat(inode: Inode, node: &Node) -> [u8; 64] {
    let mut bytes = [0; 64];
    let numbers = [
        1,
        inode,
        file_type(&node.is).into(),
        node.links.into(),
        node.size() as u64,
        node.accessed,
        node.modified,
        node.changed,
    ];
    for (into, number) in bytes.chunks_exact_mut(8).zip(numbers) {
        into.copy_from_slice(&number.to_le_bytes());
    }
    bytes
}
