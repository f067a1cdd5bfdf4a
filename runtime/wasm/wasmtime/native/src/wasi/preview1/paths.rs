use wasmtime::{Linker, Result};

use super::descriptors::Open;
use super::files::{ALL_FLAGS, APPEND, access, file_stat, new_times};
use super::memory::{put, slice};
use super::{Host, MODULE, done_in_tmp, errno, in_tmp};
use crate::tmp::bounds::PATH_BYTES;
use crate::tmp::{At, Descriptor, Inode, Now, Opening, Outcome, Scratch, operations};
use crate::world::World;

/// A pointer to text, and its length.
type Text = (u32, u32);

/// A folder, and a path from there.
struct Path {
    base: Inode,
    path: String,
}

impl Path {
    fn from(&self) -> At<'_> {
        At {
            base: self.base,
            path: &self.path,
        }
    }
}

/// What a descriptor and a text name, or the number of what is wrong with them.
fn path_at(host: &mut Host<'_>, fd: i32, text: Text) -> Result<Result<Path, i32>> {
    let file = match host.data().files.get(fd) {
        Some(Open::File(file)) => file,
        Some(Open::Stream(_)) => return Ok(Err(errno::NOTDIR)),
        None => return Ok(Err(errno::BADF)),
    };
    let base = in_tmp(host, |tmp, _| {
        Ok(tmp.descriptors.get(file)?.directory(&tmp.scratch)?)
    })?;
    let base = match base {
        Ok(base) => base,
        Err(number) => return Ok(Err(number)),
    };
    Ok(text_at(host, text)?.map(|path| Path { base, path }))
}

fn text_at(host: &mut Host<'_>, (at, length): Text) -> Result<Result<String, i32>> {
    let bytes = slice(host, at, length)?;
    if bytes.len() > PATH_BYTES {
        return Ok(Err(errno::NAMETOOLONG));
    }
    let text = std::str::from_utf8(bytes);
    Ok(text.map(str::to_owned).map_err(|_| errno::ILSEQ))
}

/// The value, or what is wrong as the function's result.
macro_rules! or_number {
    ($result:expr) => {
        match $result {
            Ok(value) => value,
            Err(number) => return Ok(number),
        }
    };
}

type Change = fn(&mut Scratch, At<'_>, Now<'_>) -> Outcome<()>;
type ChangeTwo = fn(&mut Scratch, At<'_>, At<'_>, Now<'_>) -> Outcome<()>;

/// What begins at a folder with a path.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    let simple: [(&str, Change); 3] = [
        ("path_create_directory", operations::make_directory),
        ("path_remove_directory", operations::remove_directory),
        ("path_unlink_file", operations::remove_file),
    ];
    for (name, change) in simple {
        linker.func_wrap(
            MODULE,
            name,
            move |mut host: Host<'_>, fd: i32, at: u32, length: u32| -> Result<i32> {
                let path = or_number!(path_at(&mut host, fd, (at, length))?);
                done_in_tmp(&mut host, |tmp, now| {
                    change(&mut tmp.scratch, path.from(), now)
                })
            },
        )?;
    }
    link_two(linker)?;
    link_looking(linker)?;
    link_open(linker)
}

fn with_two(
    host: &mut Host<'_>,
    (fd, text): (i32, Text),
    (other_fd, other_text): (i32, Text),
    change: impl FnOnce(&mut Scratch, At<'_>, At<'_>, Now<'_>) -> Outcome<()>,
) -> Result<i32> {
    let one = or_number!(path_at(host, fd, text)?);
    let other = or_number!(path_at(host, other_fd, other_text)?);
    done_in_tmp(host, |tmp, now| {
        change(&mut tmp.scratch, one.from(), other.from(), now)
    })
}

fn link_two(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "path_rename",
        |mut host: Host<'_>,
         fd: i32,
         at: u32,
         length: u32,
         new: i32,
         new_at: u32,
         new_length: u32| {
            let change: ChangeTwo = operations::rename;
            let to = (new, (new_at, new_length));
            with_two(&mut host, (fd, (at, length)), to, change)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_link",
        |mut host: Host<'_>,
         fd: i32,
         lookup: i32,
         at: u32,
         length: u32,
         new: i32,
         new_at: u32,
         new_length: u32| {
            let follow = lookup & 1 != 0;
            let to = (new, (new_at, new_length));
            with_two(
                &mut host,
                (fd, (at, length)),
                to,
                |scratch, from, to, now| operations::add_name(scratch, (from, follow), to, now),
            )
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_symlink",
        |mut host: Host<'_>,
         target_at: u32,
         target_length: u32,
         fd: i32,
         at: u32,
         length: u32|
         -> Result<i32> {
            let path = or_number!(path_at(&mut host, fd, (at, length))?);
            let target = or_number!(text_at(&mut host, (target_at, target_length))?);
            done_in_tmp(&mut host, |tmp, now| {
                operations::make_link(&mut tmp.scratch, &target, path.from(), now)
            })
        },
    )?;
    Ok(())
}

fn link_looking(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "path_readlink",
        |mut host: Host<'_>,
         fd: i32,
         at: u32,
         length: u32,
         into: u32,
         size: u32,
         used_at: u32|
         -> Result<i32> {
            let path = or_number!(path_at(&mut host, fd, (at, length))?);
            let target = or_number!(in_tmp(&mut host, |tmp, _| {
                let target = operations::read_link(&tmp.scratch, path.from())?;
                // What does not fit is cut off, as POSIX has it.
                let fits = target.len().min(size as usize);
                Ok(target.as_bytes()[..fits].to_vec())
            })?);
            put(&mut host, into, &target)?;
            put(&mut host, used_at, &(target.len() as u32).to_le_bytes())?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_filestat_get",
        |mut host: Host<'_>,
         fd: i32,
         lookup: i32,
         at: u32,
         length: u32,
         into: u32|
         -> Result<i32> {
            let path = or_number!(path_at(&mut host, fd, (at, length))?);
            let status = or_number!(in_tmp(&mut host, |tmp, _| {
                let inode = operations::find(&tmp.scratch, path.from(), lookup & 1 != 0)?;
                Ok(file_stat(inode, tmp.scratch.get(inode)?))
            })?);
            put(&mut host, into, &status)?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        "path_filestat_set_times",
        |mut host: Host<'_>,
         fd: i32,
         lookup: i32,
         at: u32,
         length: u32,
         accessed: i64,
         modified: i64,
         which: i32|
         -> Result<i32> {
            let path = or_number!(path_at(&mut host, fd, (at, length))?);
            done_in_tmp(&mut host, |tmp, now| {
                let inode = operations::find(&tmp.scratch, path.from(), lookup & 1 != 0)?;
                let (accessed, modified) = new_times(accessed, modified, which)?;
                tmp.scratch.set_times(inode, accessed, modified, now)
            })
        },
    )?;
    Ok(())
}

fn link_open(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "path_open",
        |mut host: Host<'_>,
         fd: i32,
         lookup: i32,
         at: u32,
         length: u32,
         how: i32,
         rights: i64,
         _inheriting: i64,
         flags: i32,
         fd_at: u32|
         -> Result<i32> {
            let path = or_number!(path_at(&mut host, fd, (at, length))?);
            if host.data().tmp.as_ref().is_some_and(|tmp| tmp.is_full()) {
                return Ok(errno::MFILE);
            }
            let (read, write) = access(rights);
            let how = Opening {
                follow: lookup & 1 != 0,
                create: how & 1 != 0,
                directory: how & 2 != 0,
                exclusive: how & 4 != 0,
                truncate: how & 8 != 0,
                write,
            };
            let file = or_number!(in_tmp(&mut host, |tmp, now| {
                let inode = operations::open(&mut tmp.scratch, path.from(), &how, now)?;
                let flags_kept = (flags & ALL_FLAGS) as u8;
                let mut descriptor = Descriptor::new(inode, read, write, flags_kept);
                descriptor.append = flags & APPEND != 0;
                Ok(tmp.open(descriptor)?)
            })?);
            let fd = host.data_mut().files.add(file);
            put(&mut host, fd_at, &fd.to_le_bytes())?;
            Ok(errno::SUCCESS)
        },
    )?;
    Ok(())
}
