use std::collections::HashMap;

use super::bounds::Account;
use super::content;
use super::fault::{Fault, Outcome};
use super::node::{Directory, Inode, Is, Node};

/// A time to set; None: leave it as it is.
pub type NewTime = Option<Set>;

#[derive(Clone, Copy)]
pub enum Set {
    Now,
    /// Nanoseconds since 1970.
    To(u64),
}

/// The attempt's clock. Each change looks at it once, when it is sure to be done; reading does not.
pub type Now<'a> = &'a dyn Fn() -> u64;

pub const ROOT: Inode = 1;

/// The files of one attempt: a tree in the host's own memory, in which paths mean nothing outside. What it holds is
/// counted.
pub struct Scratch {
    nodes: HashMap<Inode, Node>,
    last: Inode,
    account: Account,
}

/// What is to be made.
pub enum New<'a> {
    File,
    Directory,
    Link(&'a str),
}

impl Scratch {
    /// An empty tree.
    pub fn new(limit: u64, now: Now<'_>) -> Self {
        let mut root = Node::new(Is::Directory(Directory::new(ROOT)), now());
        root.links = 1;
        Scratch {
            nodes: HashMap::from([(ROOT, root)]),
            last: ROOT,
            account: Account::new(limit),
        }
    }

    /// A node; none that was forgotten.
    pub fn get(&self, inode: Inode) -> Result<&Node, Fault> {
        self.nodes.get(&inode).ok_or(Fault::BadDescriptor)
    }

    fn get_mut(&mut self, inode: Inode) -> Result<&mut Node, Fault> {
        self.nodes.get_mut(&inode).ok_or(Fault::BadDescriptor)
    }

    pub fn directory(&self, inode: Inode) -> Result<&Directory, Fault> {
        match &self.get(inode)?.is {
            Is::Directory(directory) => Ok(directory),
            _ => Err(Fault::NotDirectory),
        }
    }

    fn directory_mut(&mut self, inode: Inode) -> Result<&mut Directory, Fault> {
        match &mut self.get_mut(inode)?.is {
            Is::Directory(directory) => Ok(directory),
            _ => Err(Fault::NotDirectory),
        }
    }

    /// A descriptor or a stream begins to hold a node, which then lives on without a name.
    pub fn hold(&mut self, inode: Inode) {
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.holders += 1;
        }
    }

    pub fn release(&mut self, inode: Inode) {
        if let Some(node) = self.nodes.get_mut(&inode) {
            node.holders -= 1;
            self.forget(inode);
        }
    }

    /// Makes a node of that name.
    pub fn create(
        &mut self,
        parent: Inode,
        name: &str,
        new: &New<'_>,
        now: Now<'_>,
    ) -> Outcome<Inode> {
        let target = if let New::Link(target) = new {
            target.len()
        } else {
            0
        };
        self.count(name.len() + target)?;
        let time = now();
        self.last += 1;
        let inode = self.last;
        let is = match *new {
            New::File => Is::File(Vec::new()),
            New::Directory => Is::Directory(Directory::new(parent)),
            New::Link(target) => Is::Link(target.into()),
        };
        self.nodes.insert(inode, Node::new(is, time));
        self.enter(parent, name, inode, time)?;
        Ok(inode)
    }

    /// Gives a node one more name.
    pub fn add_name(
        &mut self,
        parent: Inode,
        name: &str,
        inode: Inode,
        now: Now<'_>,
    ) -> Outcome<()> {
        self.count(name.len())?;
        let time = now();
        self.enter(parent, name, inode, time)?;
        self.get_mut(inode)?.changed = time;
        Ok(())
    }

    pub fn remove_name(&mut self, parent: Inode, name: &str, now: Now<'_>) -> Outcome<()> {
        self.leave(parent, name, now())
    }

    /// Moves a name, in the place of another one if there is such.
    pub fn move_name(
        &mut self,
        (from, name): (Inode, &str),
        (to, new_name): (Inode, &str),
        now: Now<'_>,
    ) -> Outcome<()> {
        let longer = new_name.len().saturating_sub(name.len());
        self.account.take(longer as u128)?;
        let shorter = name.len().saturating_sub(new_name.len());
        self.account.give_back(shorter);
        let time = now();
        if self.directory(to)?.get(new_name).is_some() {
            self.leave(to, new_name, time)?;
        }
        let inode = self.directory_mut(from)?.remove(name);
        let inode = inode.ok_or(Fault::NoEntry)?;
        self.get_mut(inode)?.links -= 1;
        self.enter(to, new_name, inode, time)?;
        self.get_mut(from)?.touch(time);
        self.get_mut(inode)?.changed = time;
        Ok(())
    }

    /// The content of a file.
    pub fn content(&self, inode: Inode) -> Result<&[u8], Fault> {
        match &self.get(inode)?.is {
            Is::File(content) => Ok(content),
            _ => Err(Fault::BadDescriptor),
        }
    }

    pub fn write(&mut self, inode: Inode, offset: u64, bytes: &[u8], now: Now<'_>) -> Outcome<()> {
        if bytes.is_empty() {
            return Ok(());
        }
        self.change(inode, now, |content, account| {
            content::write(content, offset, bytes, account)
        })
    }

    pub fn resize(&mut self, inode: Inode, to: u128, now: Now<'_>) -> Outcome<()> {
        self.change(inode, now, |content, account| {
            content::resize(content, to, account)
        })
    }

    fn change(
        &mut self,
        inode: Inode,
        now: Now<'_>,
        change: impl FnOnce(&mut Vec<u8>, &mut Account) -> Outcome<()>,
    ) -> Outcome<()> {
        let node = self.nodes.get_mut(&inode).ok_or(Fault::BadDescriptor)?;
        let Is::File(content) = &mut node.is else {
            return Err(Fault::BadDescriptor.into());
        };
        change(content, &mut self.account)?;
        node.touch(now());
        Ok(())
    }

    pub fn set_times(
        &mut self,
        inode: Inode,
        accessed: NewTime,
        modified: NewTime,
        now: Now<'_>,
    ) -> Outcome<()> {
        let node = self.get_mut(inode)?;
        let time = now();
        let set = |to: &mut u64, new: NewTime| match new {
            Some(Set::Now) => *to = time,
            Some(Set::To(new)) => *to = new,
            None => {}
        };
        set(&mut node.accessed, accessed);
        set(&mut node.modified, modified);
        node.changed = time;
        Ok(())
    }

    /// Counts a name, and what comes with it, before anything is done.
    fn count(&mut self, bytes: usize) -> Outcome<()> {
        self.account.take_name()?;
        self.account.take(bytes as u128)
    }

    fn enter(&mut self, parent: Inode, name: &str, inode: Inode, time: u64) -> Outcome<()> {
        self.directory_mut(parent)?.insert(name, inode);
        self.get_mut(parent)?.touch(time);
        let node = self.get_mut(inode)?;
        node.links += 1;
        if let Is::Directory(directory) = &mut node.is {
            directory.parent = parent;
        }
        Ok(())
    }

    fn leave(&mut self, parent: Inode, name: &str, time: u64) -> Outcome<()> {
        let Some(inode) = self.directory_mut(parent)?.remove(name) else {
            return Ok(());
        };
        self.account.give_back(name.len());
        self.get_mut(parent)?.touch(time);
        let node = self.get_mut(inode)?;
        node.links -= 1;
        node.changed = time;
        if let Is::Directory(directory) = &mut node.is {
            // Or those that it lay in would have to be kept, uncounted, as long as it is held.
            directory.parent = inode;
        }
        if node.links > 0 {
            self.account.give_back_name();
        } else {
            self.forget(inode);
        }
        Ok(())
    }

    /// Gives back what a node took that has no name and no holder any more.
    fn forget(&mut self, inode: Inode) {
        let Some(node) = self.nodes.get(&inode) else {
            return;
        };
        if node.links > 0 || node.holders > 0 {
            return;
        }
        self.account.give_back_name();
        self.account.give_back(node.size());
        self.nodes.remove(&inode);
    }
}
