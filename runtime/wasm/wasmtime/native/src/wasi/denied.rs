use wasmtime::component::{Resource, Val};
use wasmtime::{Result, StoreContextMut};

use super::{Instance, Network};
use crate::world::World;

type Context<'a> = StoreContextMut<'a, World>;

/// wasi:filesystem, wasi:sockets and terminals, which the C libraries of ordinary toolchains link whether or not a
/// program uses them. No folder is preopened, there is no terminal, and every way to a socket is denied, so that a guest
/// never gets a resource of theirs: their other functions can't be called.
pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match (interface, item) {
        // Their types name resources that this host does not have: values are made by hand.
        ("wasi:filesystem/preopens", "get-directories") => to
            .func_new(item, |_: Context<'_>, _, _, results| {
                answer(results, Val::List(Vec::new()))
            })?,
        (
            "wasi:cli/terminal-stdin" | "wasi:cli/terminal-stdout" | "wasi:cli/terminal-stderr",
            "get-terminal-stdin" | "get-terminal-stdout" | "get-terminal-stderr",
        ) => to.func_new(item, |_: Context<'_>, _, _, results| {
            answer(results, Val::Option(None))
        })?,
        ("wasi:sockets/instance-network", "instance-network") => to
            .func_wrap(item, |_: Context<'_>, (): ()| {
                Ok((Resource::<Network>::new_own(0),))
            })?,
        ("wasi:sockets/ip-name-lookup", "resolve-addresses")
        | ("wasi:sockets/tcp-create-socket", "create-tcp-socket")
        | ("wasi:sockets/udp-create-socket", "create-udp-socket") => {
            to.func_new(item, |_: Context<'_>, _, _, results| {
                let denied = Val::Enum("access-denied".to_owned());
                answer(results, Val::Result(Err(Some(Box::new(denied)))))
            })?
        }
        _ => return Ok(false),
    }
    Ok(true)
}

fn answer(results: &mut [Val], value: Val) -> Result<()> {
    match results {
        [result] => {
            *result = value;
            Ok(())
        }
        _ => wasmtime::bail!("the function has another number of results"),
    }
}
