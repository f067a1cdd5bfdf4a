//! The folder `/tmp` of an attempt to which it is granted: files in the host's memory, as runtime/wasm/v8/tmp has them.
//! It begins empty, and goes with the attempt.

pub mod bounds;
pub mod content;
mod descriptor;
mod fault;
mod node;
pub mod operations;
mod path;
mod scratch;

use wasmtime::Result;

pub use descriptor::Descriptor;
pub use fault::{Failure, Fault, Outcome};
pub use node::{Inode, Is, Node};
pub use operations::{At, Opening};
pub use scratch::{NewTime, Now, ROOT, Scratch, Set};

use crate::slab::Slab;

/// Where the folder is, as programs name it.
pub const TMP_PATH: &str = "/tmp";

pub struct Tmp {
    pub scratch: Scratch,
    pub descriptors: Slab<Descriptor>,
    pub streams: Slab<Stream>,
    pub listings: Slab<Listing>,
    open: u32,
}

/// The bytes of a file from a place on, which it holds; without one, where it ends.
pub struct Stream {
    inode: Inode,
    at: Option<u64>,
}

/// Names of a directory that are read one by one. It does not hold it: one that was removed has none.
pub struct Listing {
    inode: Inode,
    place: u64,
    over: bool,
}

impl Tmp {
    pub fn new(limit: u64, now: Now<'_>) -> Self {
        Tmp {
            scratch: Scratch::new(limit, now),
            descriptors: Slab::new("descriptors"),
            streams: Slab::new("streams of files"),
            listings: Slab::new("directory entry streams"),
            open: 0,
        }
    }

    /// Whether as many are open as may be.
    pub fn is_full(&self) -> bool {
        self.open >= bounds::MOST_DESCRIPTORS
    }

    pub fn open(&mut self, descriptor: Descriptor) -> Result<u32> {
        let inode = descriptor.inode;
        let number = self.descriptors.add(descriptor)?;
        self.scratch.hold(inode);
        self.open += 1;
        Ok(number)
    }

    /// The folder itself, open.
    pub fn open_root(&mut self) -> Result<u32> {
        self.open(Descriptor::new(ROOT, true, false, 0))
    }

    pub fn close(&mut self, number: u32) -> Result<()> {
        let descriptor = self.descriptors.remove(number)?;
        self.open -= 1;
        self.scratch.release(descriptor.inode);
        Ok(())
    }

    pub fn add_stream(&mut self, inode: Inode, at: Option<u64>) -> Result<u32> {
        let number = self.streams.add(Stream { inode, at })?;
        self.scratch.hold(inode);
        Ok(number)
    }

    pub fn drop_stream(&mut self, number: u32) -> Result<()> {
        let stream = self.streams.remove(number)?;
        self.scratch.release(stream.inode);
        Ok(())
    }

    /// Bytes from where a stream is; None at the file's end as it is now.
    pub fn read_stream(&mut self, number: u32, at_most: usize) -> Result<Option<&[u8]>> {
        let stream = self.streams.get_mut(number)?;
        let content = self.scratch.content(stream.inode).unwrap_or_default();
        let at = stream.at.unwrap_or_default();
        let bytes = content::read(content, at, at_most);
        let next = at + bytes.len() as u64;
        stream.at = Some(next);
        Ok((!bytes.is_empty() || next < content.len() as u64).then_some(bytes))
    }

    pub fn write_stream(&mut self, number: u32, bytes: &[u8], now: Now<'_>) -> Outcome<()> {
        let stream = self.streams.get_mut(number)?;
        let end = self
            .scratch
            .content(stream.inode)
            .map_or(0, |content| content.len() as u64);
        let at = stream.at.unwrap_or(end);
        self.scratch.write(stream.inode, at, bytes, now)?;
        stream.at = stream.at.map(|at| at + bytes.len() as u64);
        Ok(())
    }

    pub fn add_listing(&mut self, inode: Inode) -> Result<u32> {
        self.listings.add(Listing {
            inode,
            place: 0,
            over: false,
        })
    }

    /// The next name of a listing, and its node; once there was none it is over.
    pub fn next_name(&mut self, number: u32) -> Result<Option<(&str, Inode)>> {
        let listing = self.listings.get_mut(number)?;
        if listing.over {
            return Ok(None);
        }
        let next = self
            .scratch
            .directory(listing.inode)
            .ok()
            .and_then(|directory| directory.behind(listing.place));
        let Some((name, inode, place)) = next else {
            listing.over = true;
            return Ok(None);
        };
        listing.place = place;
        Ok(Some((name, inode)))
    }
}
