use wasmtime::Result;
use wasmtime::component::Resource;

use super::types::{
    DescriptorFlags, DescriptorStat, MetadataHash, NewTimestamp, OpenFlags, PathFlags,
};
use super::{Context, DirectoryEntryStream, This, in_tmp};
use crate::tmp::{
    At, Descriptor, Failure, Fault, Inode, Now, Opening, Outcome, Scratch, Tmp, operations,
};
use crate::wasi::Instance;

type Change = fn(&mut Scratch, At<'_>, Now<'_>) -> Outcome<()>;

/// The folder of a descriptor.
fn base(tmp: &Tmp, this: &This) -> std::result::Result<Inode, Failure> {
    Ok(tmp.descriptors.get(this.rep())?.directory(&tmp.scratch)?)
}

fn from<'a>(tmp: &Tmp, this: &This, path: &'a str) -> Outcome<At<'a>> {
    let base = base(tmp, this)?;
    Ok(At { base, path })
}

fn follows(flags: PathFlags) -> bool {
    flags.contains(PathFlags::SYMLINK_FOLLOW)
}

/// What begins at a folder, with a path but for `read-directory`.
pub fn link(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    let Some(method) = item.strip_prefix("[method]descriptor.") else {
        return Ok(false);
    };
    Ok(link_simple(to, item, method)?
        || link_two(to, item, method)?
        || link_looking(to, item, method)?
        || link_links(to, item, method)?
        || link_open(to, item, method)?)
}

fn link_simple(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    let change: Change = match method {
        "create-directory-at" => operations::make_directory,
        "remove-directory-at" => operations::remove_directory,
        "unlink-file-at" => operations::remove_file,
        _ => return Ok(false),
    };
    to.func_wrap(
        item,
        move |mut context: Context<'_>, (this, path): (This, String)| {
            in_tmp(&mut context, |tmp, now| {
                let from = from(tmp, &this, &path)?;
                change(&mut tmp.scratch, from, now)
            })
        },
    )?;
    Ok(true)
}

fn link_two(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "rename-at" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, path, other, new): (This, String, This, String)| {
                in_tmp(&mut context, |tmp, now| {
                    let one = from(tmp, &this, &path)?;
                    let other = from(tmp, &other, &new)?;
                    operations::rename(&mut tmp.scratch, one, other, now)
                })
            },
        )?,
        "link-at" => to.func_wrap(
            item,
            |mut context: Context<'_>,
             (this, flags, path, other, new): (This, PathFlags, String, This, String)| {
                in_tmp(&mut context, |tmp, now| {
                    let one = from(tmp, &this, &path)?;
                    let other = from(tmp, &other, &new)?;
                    operations::add_name(&mut tmp.scratch, (one, follows(flags)), other, now)
                })
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn link_looking(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "stat-at" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, flags, path): (This, PathFlags, String)| {
                in_tmp(&mut context, |tmp, _| {
                    let from = from(tmp, &this, &path)?;
                    let inode = operations::find(&tmp.scratch, from, follows(flags))?;
                    Ok(DescriptorStat::of(tmp.scratch.get(inode)?))
                })
            },
        )?,
        "metadata-hash-at" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, flags, path): (This, PathFlags, String)| {
                in_tmp(&mut context, |tmp, _| {
                    let from = from(tmp, &this, &path)?;
                    let inode = operations::find(&tmp.scratch, from, follows(flags))?;
                    Ok(MetadataHash::of(inode))
                })
            },
        )?,
        "set-times-at" => to.func_wrap(
            item,
            |mut context: Context<'_>,
             (this, flags, path, accessed, modified): (
                This,
                PathFlags,
                String,
                NewTimestamp,
                NewTimestamp,
            )| {
                in_tmp(&mut context, |tmp, now| {
                    let from = from(tmp, &this, &path)?;
                    let inode = operations::find(&tmp.scratch, from, follows(flags))?;
                    let (accessed, modified) = (accessed.read()?, modified.read()?);
                    tmp.scratch.set_times(inode, accessed, modified, now)
                })
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn link_links(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "symlink-at" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, target, path): (This, String, String)| {
                in_tmp(&mut context, |tmp, now| {
                    let from = from(tmp, &this, &path)?;
                    operations::make_link(&mut tmp.scratch, &target, from, now)
                })
            },
        )?,
        "readlink-at" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, path): (This, String)| {
                in_tmp(&mut context, |tmp, _| {
                    let from = from(tmp, &this, &path)?;
                    Ok(operations::read_link(&tmp.scratch, from)?.to_owned())
                })
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn link_open(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "open-at" => to.func_wrap(
            item,
            |mut context: Context<'_>,
             (this, flags, path, how, access): (
                This,
                PathFlags,
                String,
                OpenFlags,
                DescriptorFlags,
            )| {
                in_tmp(&mut context, |tmp, now| {
                    let from = from(tmp, &this, &path)?;
                    if tmp.is_full() {
                        return Err(Fault::InsufficientMemory.into());
                    }
                    let how = Opening {
                        follow: follows(flags),
                        create: how.contains(OpenFlags::CREATE),
                        directory: how.contains(OpenFlags::DIRECTORY),
                        exclusive: how.contains(OpenFlags::EXCLUSIVE),
                        truncate: how.contains(OpenFlags::TRUNCATE),
                        write: access.contains(DescriptorFlags::WRITE),
                    };
                    let inode = operations::open(&mut tmp.scratch, from, &how, now)?;
                    let read = access.contains(DescriptorFlags::READ);
                    let kept = access.kept();
                    let number = tmp.open(Descriptor::new(inode, read, how.write, kept))?;
                    Ok(This::new_own(number))
                })
            },
        )?,
        "read-directory" => to.func_wrap(item, |mut context: Context<'_>, (this,): (This,)| {
            in_tmp(&mut context, |tmp, _| {
                let inode = base(tmp, &this)?;
                let listing = tmp.add_listing(inode)?;
                Ok(Resource::<DirectoryEntryStream>::new_own(listing))
            })
        })?,
        _ => return Ok(false),
    }
    Ok(true)
}
