//! Wasmtime without the engine around it: what `rust-loop` measures.
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use wasmtime::component::Component;
use wasmtime::{Engine, Result, Store};

use crate::attempt::{Attempt, Grants, Limits};
use crate::calls::Calls;
use crate::clock::Clock;
use crate::program::{Entry, Shape, link_component};
use crate::shared::config;
use crate::typed::{TypedParams, TypedResults};
use crate::world::World;

/// A typed component, ready to be instantiated.
pub struct Step {
    engine: Engine,
    entry: Entry,
    clock: Arc<Clock>,
    /// It imports functions that can wait, which Wasmtime calls on a stack of their own alone.
    waits: bool,
}

/// What a future gives that has nothing to wait for.
fn at_once<T>(future: impl Future<Output = Result<T>>) -> Result<T> {
    let future = std::pin::pin!(future);
    match future.poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(output) => output,
        Poll::Pending => wasmtime::bail!("the component waits"),
    }
}

impl Step {
    /// Without epochs nothing can end it, which is how much they cost.
    pub fn new(binary: &[u8], epochs: bool) -> Result<Self> {
        let mut config = config(false, Some(100));
        let engine = Engine::new(config.epoch_interruption(epochs))?;
        let component = Component::from_binary(&engine, binary)?;
        let program = link_component(&engine, &component, Shape::Typed, 0)
            .map_err(|refusal| wasmtime::Error::msg(refusal.message))?;
        let waits = component
            .component_type()
            .imports(&engine)
            .any(|(name, _)| name.starts_with("wasi:io/poll@"));
        Ok(Step {
            engine,
            entry: program.entry,
            clock: Arc::default(),
            waits,
        })
    }

    /// Reads the input as a step gets it.
    pub fn read(input: &str) -> Result<()> {
        let (_,): TypedParams<'_> = (serde_json::from_str(input).map_err(wasmtime::Error::new)?,);
        Ok(())
    }

    /// A fresh instance, and one call of it.
    pub fn call(&self, input: &Arc<str>) -> Result<String> {
        let Entry::Typed { pre, run } = &self.entry else {
            wasmtime::bail!("the component is not typed");
        };
        let limits = Limits {
            wall_ms: 0,
            cpu_ms: None,
            memory_bytes: 1 << 30,
            output_bytes: 1 << 20,
            log_bytes: 1 << 16,
            http_body_bytes: 0,
        };
        let attempt = Arc::new(Attempt::new(
            0,
            limits,
            Grants::default(),
            Calls::new(0, None),
        ));
        let clock = Arc::clone(&self.clock);
        let world = World::new(attempt, clock, Vec::new(), Arc::clone(input), true);
        let mut store = Store::new(&self.engine, world);
        store.set_epoch_deadline(1);
        let record = serde_json::from_str(input).map_err(wasmtime::Error::new)?;
        let (returned,) = if self.waits {
            at_once(async {
                let instance = pre.instantiate_async(&mut store).await?;
                let run =
                    instance.get_typed_func::<TypedParams<'_>, TypedResults>(&mut store, run)?;
                run.call_async(&mut store, (record,)).await
            })?
        } else {
            let instance = pre.instantiate(&mut store)?;
            let run = instance.get_typed_func::<TypedParams<'_>, TypedResults>(&mut store, run)?;
            run.call(&mut store, (record,))?
        };
        returned.map_err(|_| wasmtime::Error::msg("the step failed"))
    }
}
