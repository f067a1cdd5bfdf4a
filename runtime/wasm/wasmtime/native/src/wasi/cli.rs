use wasmtime::component::{ComponentType, Lift, Resource, WasmStr};
use wasmtime::{Result, StoreContextMut};

use super::{InputStream, Instance, OutputStream};
use crate::log::Source;
use crate::verdict::Verdict;
use crate::world::World;

#[derive(ComponentType, Lift, Clone, Copy)]
#[allow(dead_code, reason = "only guests make them")]
#[component(enum)]
#[repr(u8)]
enum Level {
    #[component(name = "trace")]
    Trace,
    #[component(name = "debug")]
    Debug,
    #[component(name = "info")]
    Info,
    #[component(name = "warn")]
    Warn,
    #[component(name = "error")]
    Error,
}

impl Level {
    fn name(self) -> &'static str {
        match self {
            Level::Trace => "trace",
            Level::Debug => "debug",
            Level::Info => "info",
            Level::Warn => "warn",
            Level::Error => "error",
        }
    }
}

type Context<'a> = StoreContextMut<'a, World>;

/// What stands for the streams of the host.
pub const STDIN: u32 = 0;
pub const STDOUT: u32 = 1;
pub const STDERR: u32 = 2;

/// wasi:cli and millrace:step/log: arguments, environment, standard streams, exit, no terminal.
pub fn link(to: &mut Instance<'_>, interface: &str, item: &str) -> Result<bool> {
    match (interface, item) {
        ("millrace:step/log", "log") => to.func_wrap(
            item,
            |mut context: Context<'_>, (level, message): (Level, WasmStr)| {
                let message = message.to_str(&context)?.into_owned();
                let source = Source::Line(level.name());
                context.data_mut().log(source, message.as_bytes())
            },
        )?,
        ("wasi:cli/environment", "get-environment") => to
            .func_wrap(item, |context: Context<'_>, (): ()| {
                Ok((context.data().attempt.grants.env.clone(),))
            })?,
        ("wasi:cli/environment", "get-arguments") => to
            .func_wrap(item, |context: Context<'_>, (): ()| {
                Ok((context.data().args.clone(),))
            })?,
        ("wasi:cli/environment", "initial-cwd") => {
            to.func_wrap(item, |_: Context<'_>, (): ()| Ok((None::<String>,)))?
        }
        ("wasi:cli/exit", "exit") => to.func_wrap(
            item,
            |mut context: Context<'_>, (status,): (Result<(), ()>,)| -> Result<()> {
                let status = u32::from(status.is_err());
                context.data_mut().end(Verdict::Exit(status))
            },
        )?,
        ("wasi:cli/exit", "exit-with-code") => to.func_wrap(
            item,
            |mut context: Context<'_>, (status,): (u8,)| -> Result<()> {
                context.data_mut().end(Verdict::Exit(status.into()))
            },
        )?,
        ("wasi:cli/stdin", "get-stdin") => to.func_wrap(item, |_: Context<'_>, (): ()| {
            Ok((Resource::<InputStream>::new_own(STDIN),))
        })?,
        ("wasi:cli/stdout", "get-stdout") => to.func_wrap(item, |_: Context<'_>, (): ()| {
            Ok((Resource::<OutputStream>::new_own(STDOUT),))
        })?,
        ("wasi:cli/stderr", "get-stderr") => to.func_wrap(item, |_: Context<'_>, (): ()| {
            Ok((Resource::<OutputStream>::new_own(STDERR),))
        })?,
        _ => return Ok(false),
    }
    Ok(true)
}
