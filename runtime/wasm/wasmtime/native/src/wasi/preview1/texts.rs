use wasmtime::{Linker, Result};

use super::memory::{beyond, put};
use super::{Host, MODULE, errno};
use crate::world::World;

/// Arguments and the environment.
pub fn link(linker: &mut Linker<World>) -> Result<()> {
    link_list(linker, "args_sizes_get", "args_get", |world| {
        world.args.clone()
    })?;
    link_list(linker, "environ_sizes_get", "environ_get", |world| {
        let env = &world.attempt.grants.env;
        env.iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect()
    })
}

/// The two functions that give out a list of texts, each with a NUL behind it.
fn link_list(
    linker: &mut Linker<World>,
    sizes_name: &str,
    name: &str,
    list: fn(&World) -> Vec<String>,
) -> Result<()> {
    linker.func_wrap(
        MODULE,
        sizes_name,
        move |mut host: Host<'_>, count_at: u32, size_at: u32| -> Result<i32> {
            let texts = list(host.data());
            let size: usize = texts.iter().map(|text| text.len() + 1).sum();
            put(&mut host, count_at, &(texts.len() as u32).to_le_bytes())?;
            put(&mut host, size_at, &(size as u32).to_le_bytes())?;
            Ok(errno::SUCCESS)
        },
    )?;
    linker.func_wrap(
        MODULE,
        name,
        move |mut host: Host<'_>, mut pointers: u32, mut at: u32| -> Result<i32> {
            for text in list(host.data()) {
                let mut text = text.into_bytes();
                text.push(0);
                put(&mut host, pointers, &at.to_le_bytes())?;
                put(&mut host, at, &text)?;
                pointers = beyond(pointers, 4)?;
                at = beyond(at, text.len() as u32)?;
            }
            Ok(errno::SUCCESS)
        },
    )?;
    Ok(())
}
