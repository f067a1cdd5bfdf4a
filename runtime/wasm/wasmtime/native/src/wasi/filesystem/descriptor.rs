use wasmtime::Result;
use wasmtime::component::{Resource, WasmList};

use super::types::{
    Advice, DescriptorFlags, DescriptorStat, DescriptorType, MetadataHash, NewTimestamp,
};
use super::{Context, FIRST_FILE_STREAM, This, in_tmp};
use crate::tmp::{Fault, Is, content};
use crate::wasi::{InputStream, Instance, OutputStream};

/// What is done with an open file or folder, but for paths.
pub fn link(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item.strip_prefix("[method]descriptor.") {
        Some(method) => Ok(link_streams(to, item, method)?
            || link_content(to, item, method)?
            || link_state(to, item, method)?),
        None => Ok(false),
    }
}

fn link_streams(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "read-via-stream" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, offset): (This, u64)| {
                in_tmp(&mut context, |tmp, _| {
                    let inode = tmp.descriptors.get(this.rep())?.readable(&tmp.scratch)?;
                    let stream = tmp.add_stream(inode, Some(offset))?;
                    Ok(Resource::<InputStream>::new_own(FIRST_FILE_STREAM + stream))
                })
            },
        )?,
        "write-via-stream" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, offset): (This, u64)| {
                write_stream(&mut context, &this, Some(offset))
            },
        )?,
        "append-via-stream" => to
            .func_wrap(item, |mut context: Context<'_>, (this,): (This,)| {
                write_stream(&mut context, &this, None)
            })?,
        _ => return Ok(false),
    }
    Ok(true)
}

type Written = (std::result::Result<Resource<OutputStream>, Fault>,);

fn write_stream(context: &mut Context<'_>, this: &This, at: Option<u64>) -> Result<Written> {
    in_tmp(context, |tmp, _| {
        let inode = tmp.descriptors.get(this.rep())?.writable(&tmp.scratch)?;
        let stream = tmp.add_stream(inode, at)?;
        Ok(Resource::new_own(FIRST_FILE_STREAM + stream))
    })
}

fn link_content(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "advise" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, _, _, _): (This, u64, u64, Advice)| {
                in_tmp(&mut context, |tmp, _| {
                    let inode = tmp.descriptors.get(this.rep())?.inode;
                    match tmp.scratch.get(inode)?.is {
                        Is::File(_) => Ok(()),
                        _ => Err(Fault::BadDescriptor.into()),
                    }
                })
            },
        )?,
        "set-size" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, size): (This, u64)| {
                in_tmp(&mut context, |tmp, now| {
                    let inode = tmp.descriptors.get(this.rep())?.writable(&tmp.scratch)?;
                    tmp.scratch.resize(inode, size.into(), now)
                })
            },
        )?,
        "read" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, length, offset): (This, u64, u64)| {
                in_tmp(&mut context, |tmp, _| {
                    let inode = tmp.descriptors.get(this.rep())?.readable(&tmp.scratch)?;
                    let at_most = usize::try_from(length).unwrap_or(usize::MAX);
                    let content = tmp.scratch.content(inode)?;
                    let bytes = content::read(content, offset, at_most).to_vec();
                    let end = bytes.is_empty();
                    Ok((bytes, end))
                })
            },
        )?,
        "write" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, bytes, offset): (This, WasmList<u8>, u64)| {
                // A copy: the guest's memory and its world lie in one store.
                let bytes = bytes.as_le_slice(&context).to_vec();
                in_tmp(&mut context, |tmp, now| {
                    let inode = tmp.descriptors.get(this.rep())?.writable(&tmp.scratch)?;
                    tmp.scratch.write(inode, offset, &bytes, now)?;
                    Ok(bytes.len() as u64)
                })
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}

fn link_state(to: &mut Instance<'_>, item: &str, method: &str) -> Result<bool> {
    match method {
        "sync" | "sync-data" => to.func_wrap(item, |_: Context<'_>, (_,): (This,)| {
            Ok((Ok::<(), Fault>(()),))
        })?,
        "get-flags" => to.func_wrap(item, |mut context: Context<'_>, (this,): (This,)| {
            in_tmp(&mut context, |tmp, _| {
                let descriptor = tmp.descriptors.get(this.rep())?;
                Ok(match tmp.scratch.get(descriptor.inode)?.is {
                    Is::Directory(_) => DescriptorFlags::READ | DescriptorFlags::MUTATE_DIRECTORY,
                    _ => DescriptorFlags::of(descriptor.read, descriptor.write, descriptor.flags),
                })
            })
        })?,
        "get-type" => to.func_wrap(item, |mut context: Context<'_>, (this,): (This,)| {
            in_tmp(&mut context, |tmp, _| {
                let inode = tmp.descriptors.get(this.rep())?.inode;
                Ok(DescriptorType::of(&tmp.scratch.get(inode)?.is))
            })
        })?,
        "stat" => to.func_wrap(item, |mut context: Context<'_>, (this,): (This,)| {
            in_tmp(&mut context, |tmp, _| {
                let inode = tmp.descriptors.get(this.rep())?.inode;
                Ok(DescriptorStat::of(tmp.scratch.get(inode)?))
            })
        })?,
        "metadata-hash" => to.func_wrap(item, |mut context: Context<'_>, (this,): (This,)| {
            in_tmp(&mut context, |tmp, _| {
                Ok(MetadataHash::of(tmp.descriptors.get(this.rep())?.inode))
            })
        })?,
        "set-times" => to.func_wrap(
            item,
            |mut context: Context<'_>,
             (this, accessed, modified): (This, NewTimestamp, NewTimestamp)| {
                in_tmp(&mut context, |tmp, now| {
                    let inode = tmp.descriptors.get(this.rep())?.inode;
                    let (accessed, modified) = (accessed.read()?, modified.read()?);
                    tmp.scratch.set_times(inode, accessed, modified, now)
                })
            },
        )?,
        "is-same-object" => to.func_wrap(
            item,
            |mut context: Context<'_>, (this, other): (This, This)| {
                let same = context.data_mut().with_tmp(|tmp, _| {
                    let one = tmp.descriptors.get(this.rep())?.inode;
                    Ok(one == tmp.descriptors.get(other.rep())?.inode)
                })?;
                Ok((same.unwrap_or(false),))
            },
        )?,
        _ => return Ok(false),
    }
    Ok(true)
}
