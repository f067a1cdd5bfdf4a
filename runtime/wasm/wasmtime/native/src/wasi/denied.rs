use wasmtime::component::{ComponentType, Lower, Resource, Val, WasmStr};
use wasmtime::{Result, StoreContextMut};

use super::{AddressStream, Instance, Network};
use crate::world::World;

type Context<'a> = StoreContextMut<'a, World>;

/// `error-code` of wasi:sockets/network, of which a step gets but one.
#[derive(ComponentType, Lower, Clone, Copy)]
#[allow(dead_code, reason = "the type has them")]
#[component(enum)]
#[repr(u8)]
enum SocketError {
    #[component(name = "unknown")]
    Unknown,
    #[component(name = "access-denied")]
    AccessDenied,
    #[component(name = "not-supported")]
    NotSupported,
    #[component(name = "invalid-argument")]
    InvalidArgument,
    #[component(name = "out-of-memory")]
    OutOfMemory,
    #[component(name = "timeout")]
    Timeout,
    #[component(name = "concurrency-conflict")]
    ConcurrencyConflict,
    #[component(name = "not-in-progress")]
    NotInProgress,
    #[component(name = "would-block")]
    WouldBlock,
    #[component(name = "invalid-state")]
    InvalidState,
    #[component(name = "new-socket-limit")]
    NewSocketLimit,
    #[component(name = "address-not-bindable")]
    AddressNotBindable,
    #[component(name = "address-in-use")]
    AddressInUse,
    #[component(name = "remote-unreachable")]
    RemoteUnreachable,
    #[component(name = "connection-refused")]
    ConnectionRefused,
    #[component(name = "connection-reset")]
    ConnectionReset,
    #[component(name = "connection-aborted")]
    ConnectionAborted,
    #[component(name = "datagram-too-large")]
    DatagramTooLarge,
    #[component(name = "name-unresolvable")]
    NameUnresolvable,
    #[component(name = "temporary-resolver-failure")]
    TemporaryResolverFailure,
    #[component(name = "permanent-resolver-failure")]
    PermanentResolverFailure,
}

/// wasi:sockets and terminals, which the C libraries of ordinary toolchains link whether or not a program uses them. There
/// is no terminal, and every way to a socket is denied, so that a guest never gets a resource of theirs: their other
/// functions can't be called.
pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match (interface, item) {
        // Their types name resources that this host does not have: values are made by hand.
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
        // Not made by hand: what a guest lends for the call would have to be given back so, too.
        ("wasi:sockets/ip-name-lookup", "resolve-addresses") => to.func_wrap(
            item,
            |_: Context<'_>,
             _: (Resource<Network>, WasmStr)|
             -> Result<(Result<Resource<AddressStream>, SocketError>,)> {
                Ok((Err(SocketError::AccessDenied),))
            },
        )?,
        ("wasi:sockets/tcp-create-socket", "create-tcp-socket")
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
