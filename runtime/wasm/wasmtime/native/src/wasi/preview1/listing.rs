use wasmtime::Result;

use super::files::file_type;
use super::memory::{put, slice_and_world};
use super::{Host, errno};
use crate::tmp::{Fault, Inode, Outcome, Scratch};

const HEADER_BYTES: usize = 24;

/// Cookies of `.` and `..`; behind them come the places of names.
const DOTS: u64 = 2;

/// fd_readdir: what is in a folder behind a cookie, as `dirent`s.
pub fn read_directory(
    host: &mut Host<'_>,
    file: u32,
    (at, length): (u32, u32),
    cookie: u64,
    used_at: u32,
) -> Result<i32> {
    let directory = super::in_tmp(host, |tmp, _| {
        Ok(tmp.descriptors.get(file)?.directory(&tmp.scratch)?)
    })?;
    let directory = match directory {
        Ok(directory) => directory,
        Err(number) => return Ok(number),
    };
    let (into, world) = slice_and_world(host, at, length)?;
    let used = world.with_tmp(|tmp, _| list(&tmp.scratch, directory, into, cookie))?;
    match used {
        Ok(used) => put(host, used_at, &(used as u32).to_le_bytes()).map(|()| errno::SUCCESS),
        Err(fault) => Ok(Fault::number(fault)),
    }
}

/// What is left to write to.
struct Entries<'a> {
    scratch: &'a Scratch,
    into: &'a mut [u8],
    used: usize,
}

impl Entries<'_> {
    /// Writes one, cut where no more fits; false when it did not.
    fn put(&mut self, next: u64, inode: Inode, name: &str) -> Outcome<bool> {
        let kind = file_type(&self.scratch.get(inode)?.is);
        let mut entry = Vec::with_capacity(HEADER_BYTES + name.len());
        entry.extend_from_slice(&next.to_le_bytes());
        entry.extend_from_slice(&inode.to_le_bytes());
        entry.extend_from_slice(&(name.len() as u32).to_le_bytes());
        entry.extend_from_slice(&[kind, 0, 0, 0]);
        entry.extend_from_slice(name.as_bytes());
        let left = &mut self.into[self.used..];
        let part = entry.len().min(left.len());
        left[..part].copy_from_slice(&entry[..part]);
        self.used += part;
        Ok(part == entry.len())
    }
}

/// How many bytes were written.
fn list(scratch: &Scratch, inode: Inode, into: &mut [u8], cookie: u64) -> Outcome<usize> {
    let directory = scratch.directory(inode)?;
    let mut entries = Entries {
        scratch,
        into,
        used: 0,
    };
    if cookie < 1 && !entries.put(1, inode, ".")? {
        return Ok(entries.used);
    }
    if cookie < DOTS && !entries.put(DOTS, directory.parent, "..")? {
        return Ok(entries.used);
    }
    let mut place = cookie.saturating_sub(DOTS);
    while let Some((name, inode, next)) = directory.behind(place) {
        if !entries.put(next + DOTS, inode, name)? {
            break;
        }
        place = next;
    }
    Ok(entries.used)
}
