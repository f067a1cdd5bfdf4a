use wasmtime::{Result, StoreContextMut};

use crate::calls::{HostAnswer, HostCall};
use crate::verdict::Verdict;
use crate::waiting::wait;
use crate::world::World;

/// Asks something of the host, and sets the guest aside until the answer is there.
pub async fn ask(
    context: &mut StoreContextMut<'_, World>,
    call: &HostCall<'_>,
    bytes: Vec<u8>,
) -> Result<(HostAnswer, Vec<u8>)> {
    let world = context.data();
    let calls = &world.attempt.calls;
    let Some(number) = calls.ask(call, bytes) else {
        wasmtime::bail!("too many calls to the host are under way");
    };
    wait(world, &[number], None).await;
    let answer = calls.take(number);
    let read = answer.and_then(|answer| Some((read(&answer.head)?, answer.bytes)));
    read.map_or_else(|| broken(context), Ok)
}

pub fn read(head: &str) -> Option<HostAnswer> {
    serde_json::from_str(head).ok()
}

/// Ends an attempt for which the host has no answer, or one to another question.
pub fn broken<T>(context: &mut StoreContextMut<'_, World>) -> Result<T> {
    context.data_mut().end(Verdict::breach(
        "ERR_ENGINE_BROKEN",
        "The host's answer to an import of the step can't be read.",
    ))
}
