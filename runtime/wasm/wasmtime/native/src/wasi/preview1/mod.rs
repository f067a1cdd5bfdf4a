//! `wasi_snapshot_preview1` for core modules.

mod clocks;
mod content;
mod descriptors;
mod files;
mod listing;
mod memory;
mod paths;
mod stdio;
mod texts;

use wasmtime::{Caller, Linker, Result};

use super::ambient::random;
use crate::tmp::{Fault, Now, Outcome, Tmp};
use crate::verdict::Verdict;
use crate::world::World;
pub use descriptors::{Files, preopen};
use memory::slice_and_world;

/// Error numbers that a step can meet, beside those of `Fault`.
mod errno {
    pub const SUCCESS: i32 = 0;
    pub const BADF: i32 = 8;
    pub const ILSEQ: i32 = 25;
    pub const INVAL: i32 = 28;
    pub const MFILE: i32 = 33;
    pub const NAMETOOLONG: i32 = 37;
    pub const NOSYS: i32 = 52;
    pub const NOTDIR: i32 = 54;
    pub const NOTSOCK: i32 = 57;
    pub const NOTSUP: i32 = 58;
    pub const SPIPE: i32 = 70;
}

const MODULE: &str = "wasi_snapshot_preview1";

type Host<'a> = Caller<'a, World>;

/// The functions of `wasi_snapshot_preview1`: arguments, environment, stdin, stdout, stderr, clocks, randomness, sleep and
/// exit work, and files in `/tmp` where it is granted; there are no sockets. Pointers that lead out of the module's memory
/// end the guest as a trap.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    descriptors::link(linker)?;
    texts::link(linker)?;
    stdio::link(linker)?;
    files::link(linker)?;
    content::link(linker)?;
    paths::link(linker)?;
    clocks::link(linker)?;
    linker.func_wrap(
        MODULE,
        "proc_exit",
        |mut host: Host<'_>, status: i32| -> Result<()> {
            host.data_mut().end(Verdict::Exit(status as u32))
        },
    )?;
    linker.func_wrap(MODULE, "proc_raise", |_: i32| errno::NOSYS)?;
    linker.func_wrap(MODULE, "sched_yield", || errno::SUCCESS)?;
    linker.func_wrap(
        MODULE,
        "random_get",
        |mut host: Host<'_>, at: u32, length: u32| -> Result<i32> {
            let (bytes, world) = slice_and_world(&mut host, at, length)?;
            random(world, bytes)?;
            Ok(errno::SUCCESS)
        },
    )?;
    Ok(())
}

/// What a call of the scratch folder gives, or the number of what was wrong.
fn in_tmp<T>(
    host: &mut Host<'_>,
    work: impl FnOnce(&mut Tmp, Now<'_>) -> Outcome<T>,
) -> Result<Result<T, i32>> {
    let done = host.data_mut().with_tmp(work)?;
    Ok(done.map_err(Fault::number))
}

/// Does something in the scratch folder that gives nothing but whether it was done.
fn done_in_tmp(
    host: &mut Host<'_>,
    work: impl FnOnce(&mut Tmp, Now<'_>) -> Outcome<()>,
) -> Result<i32> {
    let done = in_tmp(host, work)?;
    Ok(done.err().unwrap_or(errno::SUCCESS))
}
