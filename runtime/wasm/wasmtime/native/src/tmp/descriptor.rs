use super::fault::Fault;
use super::node::{Inode, Is};
use super::scratch::Scratch;

/// An open file, directory or link; it holds its node until it is closed.
#[derive(Clone)]
pub struct Descriptor {
    pub inode: Inode,
    pub read: bool,
    pub write: bool,
    /// Flags that a program set and that change nothing here but what it is told.
    pub flags: u8,
    /// Of preview 1: where the next byte is read or written, and whether all is written at the end.
    pub position: u64,
    pub append: bool,
}

impl Descriptor {
    pub fn new(inode: Inode, read: bool, write: bool, flags: u8) -> Self {
        Descriptor {
            inode,
            read,
            write,
            flags,
            position: 0,
            append: false,
        }
    }

    /// The directory that a path begins at.
    pub fn directory(&self, scratch: &Scratch) -> Result<Inode, Fault> {
        scratch.directory(self.inode).map(|_| self.inode)
    }

    /// The file of a descriptor that may be read.
    pub fn readable(&self, scratch: &Scratch) -> Result<Inode, Fault> {
        match scratch.get(self.inode)?.is {
            Is::Directory(_) => Err(Fault::IsDirectory),
            Is::File(_) if self.read => Ok(self.inode),
            _ => Err(Fault::BadDescriptor),
        }
    }

    /// The file of a descriptor that may be written to.
    pub fn writable(&self, scratch: &Scratch) -> Result<Inode, Fault> {
        match scratch.get(self.inode)?.is {
            Is::File(_) if self.write => Ok(self.inode),
            _ => Err(Fault::BadDescriptor),
        }
    }
}
