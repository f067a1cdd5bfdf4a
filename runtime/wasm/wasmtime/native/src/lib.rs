//! The Wasmtime engine of Millrace as a Node addon: `binding` is what Node sees, `executor` runs attempts, `wasi` is what
//! they can import. `unsafe` is denied but where its reason stands beside it; what is left is in Wasmtime and napi-rs.
#![deny(unsafe_code)]

mod artifact;
mod attempt;
mod binding;
mod calls;
mod clock;
mod compiling;
mod cpu;
mod done;
mod executor;
mod functions;
mod hermetic;
mod loading;
mod log;
mod nesting;
mod outbox;
pub mod plain;
mod program;
mod shared;
mod slab;
mod tmp;
mod type_text;
mod typed;
mod verdict;
mod waiting;
mod wasi;
mod world;
