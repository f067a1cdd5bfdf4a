//! wasi:filesystem over the attempt's `/tmp`. Without the grant no folder is there, so that no descriptor ever is.

mod descriptor;
mod paths;
mod types;

use wasmtime::component::{Resource, ResourceType};
use wasmtime::{Result, StoreContextMut};

use super::Instance;
use super::io::IoError;
use crate::tmp::{Fault, Now, Outcome, TMP_PATH, Tmp};
use crate::world::World;
use types::{DescriptorType, DirectoryEntry};

/// Streams of this number and higher ones are those of files. Fewer of HTTP bodies can be there.
pub const FIRST_FILE_STREAM: u32 = 1 << 30;

/// The resources of wasi:filesystem.
pub struct Descriptor;
pub struct DirectoryEntryStream;

type Context<'a> = StoreContextMut<'a, World>;
type This = Resource<Descriptor>;

/// What a call of the scratch folder gives, or what was wrong, as a result.
fn in_tmp<T>(
    context: &mut Context<'_>,
    work: impl FnOnce(&mut Tmp, Now<'_>) -> Outcome<T>,
) -> Result<(std::result::Result<T, Fault>,)> {
    Ok((context.data_mut().with_tmp(work)?,))
}

pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match interface {
        "wasi:filesystem/preopens" => link_preopens(to, item),
        "wasi:filesystem/types" => {
            Ok(link_listing(to, item)? || descriptor::link(to, item)? || paths::link(to, item)?)
        }
        _ => Ok(false),
    }
}

fn link_preopens(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    if item != "get-directories" {
        return Ok(false);
    }
    to.func_wrap(item, |mut context: Context<'_>, (): ()| {
        let Some(tmp) = &mut context.data_mut().tmp else {
            return Ok((Vec::new(),));
        };
        // Programs ask once, as they begin; one that asks without an end runs out of handles.
        let root = This::new_own(tmp.open_root()?);
        Ok((vec![(root, TMP_PATH.to_owned())],))
    })?;
    Ok(true)
}

fn link_listing(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "[method]directory-entry-stream.read-directory-entry" => to.func_wrap(
            item,
            |mut context: Context<'_>, (listing,): (Resource<DirectoryEntryStream>,)| {
                in_tmp(&mut context, |tmp, _| {
                    let next = tmp.next_name(listing.rep())?;
                    let Some((name, inode)) = next.map(|(name, inode)| (name.to_owned(), inode))
                    else {
                        return Ok(None);
                    };
                    let kind = DescriptorType::of(&tmp.scratch.get(inode)?.is);
                    Ok(Some(DirectoryEntry { kind, name }))
                })
            },
        )?,
        // No stream over these files ever fails.
        "filesystem-error-code" => to
            .func_wrap(item, |_: Context<'_>, (_,): (Resource<IoError>,)| {
                Ok((None::<Fault>,))
            })?,
        _ => return Ok(false),
    }
    Ok(true)
}

/// The resources of wasi:filesystem; false for others.
pub fn link_resource(to: &mut Instance<'_>, item: &str) -> Result<bool> {
    match item {
        "descriptor" => to.resource(
            item,
            ResourceType::host::<Descriptor>(),
            |mut context: Context<'_>, descriptor| match &mut context.data_mut().tmp {
                Some(tmp) => tmp.close(descriptor),
                None => Ok(()),
            },
        ),
        "directory-entry-stream" => to.resource(
            item,
            ResourceType::host::<DirectoryEntryStream>(),
            |mut context: Context<'_>, listing| match &mut context.data_mut().tmp {
                Some(tmp) => tmp.listings.remove(listing).map(drop),
                None => Ok(()),
            },
        ),
        _ => return Ok(false),
    }?;
    Ok(true)
}

/// Bytes from the front of a file's stream; None at its end.
pub fn read(world: &mut World, stream: u32, at_most: usize) -> Result<Option<&[u8]>> {
    match &mut world.tmp {
        Some(tmp) => tmp.read_stream(stream - FIRST_FILE_STREAM, at_most),
        None => Ok(None),
    }
}

pub fn write(world: &mut World, stream: u32, bytes: &[u8]) -> Result<()> {
    let written =
        world.with_tmp(|tmp, now| tmp.write_stream(stream - FIRST_FILE_STREAM, bytes, now))?;
    written.map_err(|fault| wasmtime::format_err!("a file can't be written to: {}", fault.number()))
}

pub fn drop_stream(world: &mut World, stream: u32) -> Result<()> {
    match &mut world.tmp {
        Some(tmp) => tmp.drop_stream(stream - FIRST_FILE_STREAM),
        None => Ok(()),
    }
}
