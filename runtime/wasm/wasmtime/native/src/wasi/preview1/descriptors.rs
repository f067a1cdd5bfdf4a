use std::collections::BTreeMap;

use wasmtime::{Linker, Result};

use super::{Host, MODULE, errno};
use crate::world::World;

/// The descriptors of a preview 1 command: stdin, stdout and stderr, until it closes them, and what it opened in `/tmp`.
pub struct Files {
    /// The number of each standard stream.
    streams: [Option<i32>; 3],
    /// What stands for those of `/tmp` in its table, by their number.
    files: BTreeMap<i32, u32>,
}

/// What a descriptor leads to.
#[derive(Clone, Copy)]
pub enum Open {
    /// 0, 1 and 2 are stdin, stdout and stderr, whatever their number.
    Stream(usize),
    File(u32),
}

impl Default for Files {
    fn default() -> Self {
        Files {
            streams: [Some(0), Some(1), Some(2)],
            files: BTreeMap::new(),
        }
    }
}

impl Files {
    pub fn get(&self, fd: i32) -> Option<Open> {
        let stream = self.streams.iter().position(|number| *number == Some(fd));
        stream
            .map(Open::Stream)
            .or_else(|| self.files.get(&fd).copied().map(Open::File))
    }

    /// Gives a file the lowest number that is free.
    pub fn add(&mut self, file: u32) -> i32 {
        let mut fd = 0;
        while self.get(fd).is_some() {
            fd += 1;
        }
        self.files.insert(fd, file);
        fd
    }

    fn put(&mut self, fd: i32, open: Open) {
        match open {
            Open::Stream(stream) => self.streams[stream] = Some(fd),
            Open::File(file) => {
                self.files.insert(fd, file);
            }
        }
    }

    fn remove(&mut self, fd: i32) -> Option<Open> {
        let open = self.get(fd)?;
        match open {
            Open::Stream(stream) => self.streams[stream] = None,
            Open::File(_) => {
                self.files.remove(&fd);
            }
        }
        Some(open)
    }
}

/// Opens the scratch folder as 3, where there is one, before the command begins.
pub fn preopen(world: &mut World) -> Result<()> {
    if let Some(tmp) = &mut world.tmp {
        let root = tmp.open_root()?;
        world.files.add(root);
    }
    Ok(())
}

/// False when it was not open.
fn close(world: &mut World, fd: i32) -> Result<bool> {
    let closed = world.files.remove(fd);
    if let (Some(Open::File(file)), Some(tmp)) = (closed, &mut world.tmp) {
        tmp.close(file)?;
    }
    Ok(closed.is_some())
}

fn renumber(world: &mut World, from: i32, to: i32) -> Result<i32> {
    if world.files.get(from).is_none() || world.files.get(to).is_none() {
        return Ok(errno::BADF);
    }
    if world.tmp.is_none() {
        return Ok(errno::NOSYS);
    }
    if from != to {
        close(world, to)?;
        if let Some(open) = world.files.remove(from) {
            world.files.put(to, open);
        }
    }
    Ok(errno::SUCCESS)
}

/// Closing and moving descriptors, and what only sockets have, of which there are none.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    linker.func_wrap(
        MODULE,
        "fd_close",
        |mut host: Host<'_>, fd: i32| -> Result<i32> {
            let closed = close(host.data_mut(), fd)?;
            Ok(if closed { errno::SUCCESS } else { errno::BADF })
        },
    )?;
    linker.func_wrap(
        MODULE,
        "fd_renumber",
        |mut host: Host<'_>, from: i32, to: i32| renumber(host.data_mut(), from, to),
    )?;
    macro_rules! no_socket {
        ($(($name:literal $(, $more:ty)*)),*) => {$(
            linker.func_wrap(MODULE, $name, |host: Host<'_>, fd: i32 $(, _: $more)*| {
                host.data().files.get(fd).map_or(errno::BADF, |_| errno::NOTSOCK)
            })?;
        )*};
    }
    no_socket!(
        ("sock_accept", i32, i32),
        ("sock_recv", i32, i32, i32, i32, i32),
        ("sock_send", i32, i32, i32, i32),
        ("sock_shutdown", i32)
    );
    Ok(())
}
