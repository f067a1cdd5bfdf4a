use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

/// The number of a node: 1 for the root, then in the order in which nodes are made. None is used again.
pub type Inode = u64;

/// Anything that has a name in the tree. Times are in nanoseconds since 1970.
pub struct Node {
    pub is: Is,
    /// Names that lead to it.
    pub links: u32,
    /// Descriptors and streams that hold it.
    pub holders: u32,
    pub accessed: u64,
    pub modified: u64,
    pub changed: u64,
}

pub enum Is {
    File(Vec<u8>),
    Directory(Directory),
    /// A symbolic link, and what it names.
    Link(Arc<str>),
}

/// The names in a directory, in the order in which they came into it.
pub struct Directory {
    places: HashMap<Arc<str>, u64>,
    names: BTreeMap<u64, (Arc<str>, Inode)>,
    /// The root's is the root; that of one that was removed is itself.
    pub parent: Inode,
    last_place: u64,
}

impl Node {
    pub fn new(is: Is, time: u64) -> Self {
        Node {
            is,
            links: 0,
            holders: 0,
            accessed: time,
            modified: time,
            changed: time,
        }
    }

    /// Its size as a program sees it.
    pub fn size(&self) -> usize {
        match &self.is {
            Is::File(content) => content.len(),
            Is::Directory(_) => 0,
            Is::Link(target) => target.len(),
        }
    }

    pub fn touch(&mut self, time: u64) {
        self.modified = time;
        self.changed = time;
    }
}

impl Directory {
    pub fn new(parent: Inode) -> Self {
        Directory {
            places: HashMap::new(),
            names: BTreeMap::new(),
            parent,
            last_place: 0,
        }
    }

    pub fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    pub fn get(&self, name: &str) -> Option<Inode> {
        let place = self.places.get(name)?;
        self.names.get(place).map(|(_, inode)| *inode)
    }

    /// A name that is not there yet. Its place is taken by no later one: reading goes on behind it.
    pub fn insert(&mut self, name: &str, inode: Inode) {
        let name: Arc<str> = name.into();
        self.last_place += 1;
        self.places.insert(Arc::clone(&name), self.last_place);
        self.names.insert(self.last_place, (name, inode));
    }

    pub fn remove(&mut self, name: &str) -> Option<Inode> {
        let place = self.places.remove(name)?;
        self.names.remove(&place).map(|(_, inode)| inode)
    }

    /// The first name behind a place, its node and its own place; names that come or go meanwhile don't move the others.
    pub fn behind(&self, place: u64) -> Option<(&Arc<str>, Inode, u64)> {
        let from = place.checked_add(1)?;
        let (place, (name, inode)) = self.names.range(from..).next()?;
        Some((name, *inode, *place))
    }
}
