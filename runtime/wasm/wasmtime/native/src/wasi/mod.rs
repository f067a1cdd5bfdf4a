//! The host's side of what a step imports: WASI 0.2 of any patch version, and `millrace:step/log`. What is granted at all
//! was decided by runtime/wasm/grants.ts; here, a component gets exactly the functions that it names.

mod ambient;
mod ask;
mod cli;
mod config;
mod denied;
mod filesystem;
mod http;
mod io;
mod keyvalue;
pub mod preview1;

use wasmtime::component::types::ComponentItem;
use wasmtime::component::{Component, Linker, LinkerInstance, ResourceType};
use wasmtime::{Result, StoreContextMut};

pub use ambient::wall_clock;
pub use http::{Exchange, Http};
pub use io::IoError;
pub use keyvalue::KeyValue;
pub use preview1::Files;

use crate::world::World;

/// The streams and times that a guest has handles of.
pub struct InputStream;
pub struct OutputStream;
pub struct Pollable;
pub struct Network;
pub struct AddressStream;

/// Stands for every resource of which a step never gets one; the number keeps the types apart.
const NOT_THERE: [&str; 9] = [
    "tcp-socket",
    "udp-socket",
    "incoming-datagram-stream",
    "outgoing-datagram-stream",
    "terminal-input",
    "terminal-output",
    "incoming-request",
    "outgoing-response",
    "response-outparam",
];

type Instance<'a> = LinkerInstance<'a, World>;

/// Defines what the component imports, under the versions that it names.
pub fn link(linker: &mut Linker<World>, component: &Component) -> Result<()> {
    let engine = linker.engine().clone();
    let ty = component.component_type();
    for (name, import) in ty.imports(&engine) {
        // Types may stand for others: nothing is to be defined for them.
        let ComponentItem::ComponentInstance(instance) = import.ty else {
            continue;
        };
        let interface = name.split('@').next().unwrap_or(name).to_owned();
        let mut definitions = linker.instance(name)?;
        for (item, export) in instance.exports(&engine) {
            match export.ty {
                ComponentItem::Resource(_) => link_resource(&mut definitions, item)?,
                ComponentItem::ComponentFunc(_) => {
                    link_function(&mut definitions, &interface, name, item)?
                }
                _ => {}
            }
        }
    }
    Ok(())
}

fn link_function(
    definitions: &mut Instance<'_>,
    interface: &str,
    name: &str,
    item: &str,
) -> Result<()> {
    let linked = cli::link(definitions, interface, item)?
        || io::link(definitions, interface, item)?
        || ambient::link(definitions, interface, item)?
        || config::link(definitions, interface, item)?
        || http::link(definitions, interface, item)?
        || keyvalue::link(definitions, interface, item)?
        || filesystem::link(definitions, interface, item)?
        || denied::link(definitions, interface, item)?;
    if linked {
        return Ok(());
    }
    // Functions that need a resource of which there are none, or are newer than this host.
    let missing = format!("{name} {item} is not there in a step");
    definitions.func_new(item, move |_, _, _, _| {
        Err(wasmtime::Error::msg(missing.clone()))
    })
}

fn link_resource(definitions: &mut Instance<'_>, item: &str) -> Result<()> {
    let keep = |_: StoreContextMut<'_, World>, _: u32| Ok(());
    if io::link_resource(definitions, item)?
        || http::link_resource(definitions, item)?
        || filesystem::link_resource(definitions, item)?
    {
        return Ok(());
    }
    match item {
        "resolve-address-stream" => {
            definitions.resource(item, ResourceType::host::<AddressStream>(), keep)
        }
        "network" => definitions.resource(item, ResourceType::host::<Network>(), keep),
        "bucket" | "cas" => keyvalue::link_resource(definitions, item),
        _ => {
            let number = NOT_THERE.iter().position(|name| *name == item);
            let number = number.unwrap_or(NOT_THERE.len()) as u32;
            definitions.resource(item, ResourceType::host_dynamic(number), keep)
        }
    }
}
