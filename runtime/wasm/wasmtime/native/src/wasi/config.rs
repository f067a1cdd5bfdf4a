use wasmtime::component::{ComponentType, Lower};
use wasmtime::{Result, StoreContextMut};

use super::Instance;
use crate::world::World;

/// `error` of wasi:config/store: what is there needs nothing that could fail.
#[derive(ComponentType, Lower)]
#[component(variant)]
#[allow(dead_code, reason = "nothing here fails, but the type has it")]
enum ConfigError {
    #[component(name = "upstream")]
    Upstream(String),
    #[component(name = "io")]
    Io(String),
}

type Context<'a> = StoreContextMut<'a, World>;

/// wasi:config/store: the names and values of the step's document.
pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match (interface, item) {
        ("wasi:config/store", "get") => {
            to.func_wrap(item, |context: Context<'_>, (key,): (String,)| {
                let mut config = context.data().attempt.grants.config.iter();
                let value = config.find(|(name, _)| *name == key);
                Ok((Ok::<_, ConfigError>(value.map(|(_, value)| value.clone())),))
            })?
        }
        ("wasi:config/store", "get-all") => {
            to.func_wrap(item, |context: Context<'_>, (): ()| {
                let config = context.data().attempt.grants.config.clone();
                Ok((Ok::<_, ConfigError>(config),))
            })?
        }
        _ => return Ok(false),
    }
    Ok(true)
}
