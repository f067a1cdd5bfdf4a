use std::sync::{Arc, Mutex, PoisonError, Weak};
use std::thread::JoinHandle;

use wasmtime::{
    CacheStore, Collector, Config, Enabled, Engine, InstanceAllocationStrategy, OptLevel,
    PoolingAllocationConfig, Result,
};

use crate::clock::Clock;
use crate::functions::Functions;
use crate::world::{MOST_MEMORIES, MOST_TABLE_ELEMENTS, MOST_TABLES};

/// Attempts that can be alive at once, where the address space allows it.
const SLOTS: u32 = 10_000;

/// A table may have this many elements; all of an attempt together too.
const TABLE_ELEMENTS: usize = MOST_TABLE_ELEMENTS;

/// The guest's own stack, and that with room for the host's functions below it.
const WASM_STACK: usize = 768 * 1024;
const FIBER_STACK: usize = 1024 * 1024;

/// Tables that all attempts together can have.
pub fn pooled_tables(slots: u32) -> u32 {
    slots.saturating_mul(4)
}

/// What a slot keeps of what an attempt has written to, put back to how it was: a step of JavaScript writes to less. To
/// give pages back and have them again costs interrupts on every core that runs a thread of this process. All slots that
/// were ever in use at once keep it, so that more would be gigabytes after a crowd.
const KEPT_OF_MEMORY: usize = 160 * 1024;
const KEPT_OF_TABLE: usize = 16 * 1024;

/// What all engines of a process share: the pool takes most of the address space, so there can be but one.
pub struct Shared {
    pub engine: Engine,
    pub clock: Arc<Clock>,
    /// Attempts that can be alive at once.
    pub slots: u32,
    /// What an attempt gets, where fuel is counted.
    pub fuel: Option<u64>,
    /// What was compiled of functions.
    pub functions: Arc<Functions>,
    ticking: Option<JoinHandle<()>>,
}

static CURRENT: Mutex<Vec<Weak<Shared>>> = Mutex::new(Vec::new());

impl Shared {
    /// The one of this process with that fuel.
    pub fn get(fuel: Option<u64>) -> Result<Arc<Self>> {
        let mut current = CURRENT.lock().unwrap_or_else(PoisonError::into_inner);
        current.retain(|weak| weak.strong_count() > 0);
        let same = current
            .iter()
            .filter_map(Weak::upgrade)
            .find(|shared| shared.fuel == fuel);
        if let Some(shared) = same {
            return Ok(shared);
        }
        let shared = Arc::new(Self::new(fuel)?);
        current.push(Arc::downgrade(&shared));
        Ok(shared)
    }

    fn new(fuel: Option<u64>) -> Result<Self> {
        let functions = Arc::new(Functions::default());
        let (engine, slots) = largest_engine(fuel.is_some(), &functions)?;
        let clock = Arc::new(Clock::default());
        let ticking = std::thread::Builder::new()
            .name("millrace-clock".into())
            .spawn({
                let (clock, engine) = (Arc::clone(&clock), engine.clone());
                move || clock.run(&engine)
            })?;
        Ok(Shared {
            engine,
            clock,
            slots,
            fuel,
            functions,
            ticking: Some(ticking),
        })
    }

    /// Of Wasmtime and its configuration: what another one compiled can't be used.
    pub fn version(&self) -> String {
        use sha2::{Digest, Sha256};
        use std::hash::{Hash, Hasher};

        /// Wasmtime tells what its code depends on only to a hasher.
        struct Digesting(Sha256);
        impl Hasher for Digesting {
            fn write(&mut self, bytes: &[u8]) {
                self.0.update(bytes);
            }
            fn finish(&self) -> u64 {
                0
            }
        }
        let mut hasher = Digesting(Sha256::new());
        self.engine
            .precompile_compatibility_hash()
            .hash(&mut hasher);
        let digest = hasher.0.finalize();
        digest[..8]
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

impl Drop for Shared {
    fn drop(&mut self) {
        self.clock.close();
        if let Some(ticking) = self.ticking.take() {
            // It panics only together with all else.
            let _ = ticking.join();
        }
    }
}

/// An engine with as large a pool as the system gives address space for.
fn largest_engine(fuel: bool, functions: &Arc<Functions>) -> Result<(Engine, u32)> {
    let engine = |slots| {
        let mut config = config(fuel, slots);
        config.enable_incremental_compilation(Arc::clone(functions) as Arc<dyn CacheStore>)?;
        Engine::new(&config)
    };
    let mut last = None;
    for slots in [SLOTS, SLOTS / 10, SLOTS / 100] {
        match engine(Some(slots)) {
            Ok(engine) => return Ok((engine, slots)),
            Err(error) => last = Some(error),
        }
    }
    engine(None)
        .map(|engine| (engine, SLOTS / 100))
        .map_err(|error| last.unwrap_or(error))
}

/// The configuration of all engines, the plain one of the benchmark too. Without slots nothing is pooled.
pub fn config(fuel: bool, slots: Option<u32>) -> Config {
    let mut config = Config::new();
    config
        .consume_fuel(fuel)
        .epoch_interruption(true)
        .max_wasm_stack(WASM_STACK)
        .async_stack_size(FIBER_STACK)
        .cranelift_opt_level(OptLevel::Speed)
        // The same input gives the same bits on every machine.
        .cranelift_nan_canonicalization(true)
        .relaxed_simd_deterministic(true)
        .wasm_relaxed_simd(true)
        .wasm_tail_call(true)
        .wasm_multi_memory(true)
        .wasm_extended_const(true)
        .wasm_function_references(true)
        .wasm_exceptions(true)
        .wasm_gc(false)
        .wasm_memory64(false)
        .collector(Collector::Null)
        // Exceptions of one attempt lie in a heap of this size at most; its growth counts as memory.
        .gc_heap_reservation(1 << 32)
        .memory_init_cow(true);
    if let Some(slots) = slots {
        // Attempts at once that may use exceptions: for all of them the address space would not suffice.
        let heaps = slots.min(1000);
        let mut pool = PoolingAllocationConfig::new();
        pool.total_component_instances(slots)
            // Instances are counted, not kept ready: what they take is bounded for each component below.
            .total_core_instances(u32::MAX)
            .max_core_instances_per_component(u32::MAX)
            // A heap of exceptions lies in a memory, beside those of the component.
            .total_memories(slots + heaps)
            .total_tables(pooled_tables(slots))
            .total_stacks(slots)
            .total_gc_heaps(heaps)
            .max_memory_size(1 << 32)
            .table_elements(TABLE_ELEMENTS)
            .max_memories_per_module(MOST_MEMORIES as u32)
            .max_tables_per_module(MOST_TABLES as u32)
            .max_core_instance_size(16 * 1024 * 1024)
            .max_component_instance_size(16 * 1024 * 1024)
            .linear_memory_keep_resident(KEPT_OF_MEMORY)
            .table_keep_resident(KEPT_OF_TABLE)
            .async_stack_keep_resident(16 * 1024)
            .pagemap_scan(Enabled::Auto);
        config.allocation_strategy(InstanceAllocationStrategy::Pooling(pool));
    }
    config
}
