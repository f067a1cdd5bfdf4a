use super::bounds::{MOST_LINKS, NAME_BYTES, PATH_BYTES};
use super::fault::Fault;
use super::node::{Inode, Is};
use super::scratch::Scratch;

/// Where a path leads.
pub struct Place<'a> {
    pub parent: Inode,
    /// None when the path ends in `.` or `..`: its directory has no name here that could be changed.
    pub name: Option<&'a str>,
    /// None: there is nothing of that name yet.
    pub node: Option<Inode>,
    /// The path ends in a slash: only a directory will do.
    pub slash: bool,
}

/// Walks a path from a directory. It never leads above that directory, by `..` or a link, whatever is moved meanwhile:
/// `..` goes back to where the walk came from. `follow`: through a symbolic link at its end too.
pub fn walk<'a>(
    scratch: &'a Scratch,
    base: Inode,
    path: &'a str,
    follow: bool,
) -> Result<Place<'a>, Fault> {
    check_path(path)?;
    let mut walked = vec![base];
    let mut rest: Vec<&str> = names(path).collect();
    let mut slash = path.ends_with('/');
    let mut links = 0;
    let mut parent = base;
    while let Some(name) = rest.pop() {
        let last = rest.is_empty();
        if name == "." || name == ".." {
            if name == ".." {
                walked.pop();
            }
            parent = *walked.last().ok_or(Fault::NotPermitted)?;
            continue;
        }
        if name.len() > NAME_BYTES {
            return Err(Fault::NameTooLong);
        }
        let found = scratch.directory(parent)?.get(name);
        let place = Place {
            parent,
            name: Some(name),
            node: found,
            slash,
        };
        let Some(node) = found else {
            return if last { Ok(place) } else { Err(Fault::NoEntry) };
        };
        match &scratch.get(node)?.is {
            Is::Link(target) if !last || follow || slash => {
                links += 1;
                if links > MOST_LINKS {
                    return Err(Fault::Loop);
                }
                rest.extend(names(target));
                if last {
                    slash |= target.ends_with('/');
                }
                continue;
            }
            Is::Directory(_) => {}
            _ if !last || slash => return Err(Fault::NotDirectory),
            _ => {}
        }
        if last {
            return Ok(place);
        }
        parent = node;
        walked.push(parent);
    }
    Ok(Place {
        parent,
        name: None,
        node: Some(parent),
        slash,
    })
}

/// The last one first.
fn names(path: &str) -> impl Iterator<Item = &str> {
    path.rsplit('/').filter(|name| !name.is_empty())
}

/// What is wrong with a path whatever the tree holds; one that begins at a root leads out of it.
pub fn check_path(path: &str) -> Result<(), Fault> {
    if path.is_empty() {
        return Err(Fault::NoEntry);
    }
    if path.contains('\0') {
        return Err(Fault::Invalid);
    }
    if path.len() > PATH_BYTES {
        return Err(Fault::NameTooLong);
    }
    if path.starts_with('/') {
        return Err(Fault::NotPermitted);
    }
    Ok(())
}
