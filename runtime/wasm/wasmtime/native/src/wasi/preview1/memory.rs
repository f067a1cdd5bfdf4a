use std::ops::Range;

use wasmtime::{Extern, Memory, Result};

use super::Host;
use crate::world::World;

/// The memory of the module that calls.
fn memory(host: &mut Host<'_>) -> Result<Memory> {
    match host.get_export("memory") {
        Some(Extern::Memory(memory)) => Ok(memory),
        _ => wasmtime::bail!("the module calls WASI without exporting its memory"),
    }
}

fn range(at: u32, length: u32) -> Range<usize> {
    at as usize..at as usize + length as usize
}

fn out_of_bounds(at: u32, length: u32) -> wasmtime::Error {
    wasmtime::format_err!("a pointer is out of bounds: {at} + {length}")
}

pub fn slice<'a>(host: &'a mut Host<'_>, at: u32, length: u32) -> Result<&'a [u8]> {
    let bytes = memory(host)?.data(&*host).get(range(at, length));
    bytes.ok_or_else(|| out_of_bounds(at, length))
}

/// Bytes of the guest's memory, and its world.
pub fn slice_and_world<'a>(
    host: &'a mut Host<'_>,
    at: u32,
    length: u32,
) -> Result<(&'a mut [u8], &'a mut World)> {
    let (data, world) = memory(host)?.data_and_store_mut(host);
    let bytes = data.get_mut(range(at, length));
    Ok((bytes.ok_or_else(|| out_of_bounds(at, length))?, world))
}

pub fn u32_at(host: &mut Host<'_>, at: u32) -> Result<u32> {
    let mut bytes = [0; 4];
    bytes.copy_from_slice(slice(host, at, 4)?);
    Ok(u32::from_le_bytes(bytes))
}

pub fn u64_at(host: &mut Host<'_>, at: u32) -> Result<u64> {
    let mut bytes = [0; 8];
    bytes.copy_from_slice(slice(host, at, 8)?);
    Ok(u64::from_le_bytes(bytes))
}

pub fn put(host: &mut Host<'_>, at: u32, bytes: &[u8]) -> Result<()> {
    let (into, _) = slice_and_world(host, at, bytes.len() as u32)?;
    into.copy_from_slice(bytes);
    Ok(())
}

/// An address further on; one past the end of the address space is out of any memory.
pub fn beyond(at: u32, offset: u32) -> Result<u32> {
    at.checked_add(offset)
        .ok_or_else(|| out_of_bounds(at, offset))
}

/// Of an array of (pointer, length) pairs, the one at that index.
pub fn vector(host: &mut Host<'_>, vectors: u32, index: u32) -> Result<(u32, u32)> {
    let at = beyond(vectors, index.saturating_mul(8))?;
    Ok((u32_at(host, at)?, u32_at(host, beyond(at, 4)?)?))
}
