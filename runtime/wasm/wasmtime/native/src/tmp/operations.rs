use super::fault::{Fault, Outcome};
use super::node::{Inode, Is};
use super::path::{Place, check_path, walk};
use super::scratch::{New, Now, Scratch};

/// How a path is opened.
pub struct Opening {
    /// Through a symbolic link at the path's end.
    pub follow: bool,
    pub create: bool,
    pub directory: bool,
    pub exclusive: bool,
    pub truncate: bool,
    /// Whether it is to be written to.
    pub write: bool,
}

/// A path, and the directory that it begins at.
#[derive(Clone, Copy)]
pub struct At<'a> {
    pub base: Inode,
    pub path: &'a str,
}

/// A place that does not borrow the tree, which is to be changed there.
struct Found {
    parent: Inode,
    name: Option<String>,
    node: Option<Inode>,
    slash: bool,
}

fn find_place(scratch: &Scratch, from: At<'_>, follow: bool) -> Result<Found, Fault> {
    let Place {
        parent,
        name,
        node,
        slash,
    } = walk(scratch, from.base, from.path, follow)?;
    Ok(Found {
        parent,
        name: name.map(str::to_owned),
        node,
        slash,
    })
}

/// The node that a path leads to, made or emptied where that was asked for.
pub fn open(scratch: &mut Scratch, from: At<'_>, how: &Opening, now: Now<'_>) -> Outcome<Inode> {
    if how.create && how.directory {
        return Err(Fault::Invalid.into());
    }
    let exclusive = how.create && how.exclusive;
    let place = find_place(scratch, from, how.follow && !exclusive)?;
    let Some(node) = place.node else {
        return if how.create {
            create_file(scratch, place, now)
        } else {
            Err(Fault::NoEntry.into())
        };
    };
    if exclusive {
        return Err(Fault::Exist.into());
    }
    match scratch.get(node)?.is {
        Is::Link(_) if how.directory => Err(Fault::NotDirectory.into()),
        Is::Link(_) => Err(Fault::Loop.into()),
        Is::Directory(_) if how.write || how.truncate || how.create => {
            Err(Fault::IsDirectory.into())
        }
        Is::Directory(_) => Ok(node),
        Is::File(_) if how.directory => Err(Fault::NotDirectory.into()),
        Is::File(_) => {
            if how.truncate {
                scratch.resize(node, 0, now)?;
            }
            Ok(node)
        }
    }
}

fn create_file(scratch: &mut Scratch, place: Found, now: Now<'_>) -> Outcome<Inode> {
    if place.slash {
        return Err(Fault::IsDirectory.into());
    }
    let name = place.name.ok_or(Fault::NoEntry)?;
    check_there(scratch, place.parent)?;
    scratch.create(place.parent, &name, &New::File, now)
}

/// The node that a path leads to, as it is.
pub fn find(scratch: &Scratch, from: At<'_>, follow: bool) -> Result<Inode, Fault> {
    walk(scratch, from.base, from.path, follow)?
        .node
        .ok_or(Fault::NoEntry)
}

/// What a symbolic link names.
pub fn read_link<'a>(scratch: &'a Scratch, from: At<'_>) -> Result<&'a str, Fault> {
    let node = find(scratch, from, false)?;
    match &scratch.get(node)?.is {
        Is::Link(target) => Ok(target),
        _ => Err(Fault::Invalid),
    }
}

pub fn make_directory(scratch: &mut Scratch, from: At<'_>, now: Now<'_>) -> Outcome<()> {
    let (parent, name, _) = place_of_new(scratch, from)?;
    scratch.create(parent, &name, &New::Directory, now)?;
    Ok(())
}

/// Makes a symbolic link. It is kept as it is written, but none that begins at a root; where it leads is seen when it is
/// followed.
pub fn make_link(scratch: &mut Scratch, target: &str, from: At<'_>, now: Now<'_>) -> Outcome<()> {
    check_path(target)?;
    let (parent, name, slash) = place_of_new(scratch, from)?;
    if slash {
        return Err(Fault::NoEntry.into());
    }
    scratch.create(parent, &name, &New::Link(target), now)?;
    Ok(())
}

/// Gives a file or a link one more name.
pub fn add_name(
    scratch: &mut Scratch,
    (from, follow): (At<'_>, bool),
    to: At<'_>,
    now: Now<'_>,
) -> Outcome<()> {
    let node = find(scratch, from, follow)?;
    if let Is::Directory(_) = scratch.get(node)?.is {
        return Err(Fault::NotPermitted.into());
    }
    let (parent, name, slash) = place_of_new(scratch, to)?;
    if slash {
        return Err(Fault::NoEntry.into());
    }
    scratch.add_name(parent, &name, node, now)
}

/// Where a name is to be made that must not be there yet, and whether it ends in a slash.
fn place_of_new(scratch: &Scratch, from: At<'_>) -> Result<(Inode, String, bool), Fault> {
    let place = find_place(scratch, from, false)?;
    let (Some(name), None) = (place.name, place.node) else {
        return Err(Fault::Exist);
    };
    check_there(scratch, place.parent)?;
    Ok((place.parent, name, place.slash))
}

pub fn remove_file(scratch: &mut Scratch, from: At<'_>, now: Now<'_>) -> Outcome<()> {
    let place = find_place(scratch, from, false)?;
    let node = place.node.ok_or(Fault::NoEntry)?;
    if let Is::Directory(_) = scratch.get(node)?.is {
        return Err(Fault::IsDirectory.into());
    }
    let name = place.name.ok_or(Fault::IsDirectory)?;
    scratch.remove_name(place.parent, &name, now)
}

pub fn remove_directory(scratch: &mut Scratch, from: At<'_>, now: Now<'_>) -> Outcome<()> {
    let place = find_place(scratch, from, false)?;
    let node = place.node.ok_or(Fault::NoEntry)?;
    let directory = scratch.directory(node)?;
    let name = place.name.ok_or(Fault::Invalid)?;
    if !directory.is_empty() {
        return Err(Fault::NotEmpty.into());
    }
    scratch.remove_name(place.parent, &name, now)
}

/// Moves what a path names to another one, over a file or an empty directory of its own kind.
pub fn rename(scratch: &mut Scratch, from: At<'_>, to: At<'_>, now: Now<'_>) -> Outcome<()> {
    let old = find_place(scratch, from, false)?;
    let place = find_place(scratch, to, false)?;
    let node = old.node.ok_or(Fault::NoEntry)?;
    let (Some(name), Some(new_name)) = (&old.name, &place.name) else {
        return Err(Fault::Busy.into());
    };
    if place.node == Some(node) {
        return Ok(());
    }
    check_replacing(scratch, node, &place)?;
    scratch.move_name((old.parent, name), (place.parent, new_name), now)
}

fn check_replacing(scratch: &Scratch, node: Inode, place: &Found) -> Result<(), Fault> {
    let other = place.node.map(|other| scratch.get(other)).transpose()?;
    let other = other.map(|other| &other.is);
    if let Is::Directory(_) = scratch.get(node)?.is {
        if is_within(scratch, place.parent, node)? {
            return Err(Fault::Invalid);
        }
        match other {
            Some(Is::Directory(other)) if !other.is_empty() => return Err(Fault::NotEmpty),
            Some(Is::File(_) | Is::Link(_)) => return Err(Fault::NotDirectory),
            _ => {}
        }
    } else {
        if let Some(Is::Directory(_)) = other {
            return Err(Fault::IsDirectory);
        }
        if place.slash {
            return Err(Fault::NotDirectory);
        }
    }
    check_there(scratch, place.parent)
}

/// Whether a directory is another one, or lies somewhere in it.
fn is_within(scratch: &Scratch, directory: Inode, other: Inode) -> Result<bool, Fault> {
    let mut at = directory;
    loop {
        if at == other {
            return Ok(true);
        }
        let parent = scratch.directory(at)?.parent;
        if parent == at {
            return Ok(false);
        }
        at = parent;
    }
}

/// A directory that was removed while it was open takes no names.
fn check_there(scratch: &Scratch, directory: Inode) -> Result<(), Fault> {
    if scratch.get(directory)?.links == 0 {
        return Err(Fault::NoEntry);
    }
    Ok(())
}
