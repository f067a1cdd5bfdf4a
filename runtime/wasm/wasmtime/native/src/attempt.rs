use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::time::{Duration, Instant};

use wasmtime::component::TypedFunc;
use wasmtime::{Store, Trap, UpdateDeadline, WasmBacktrace};

use crate::calls::Calls;
use crate::cpu::CpuTime;
use crate::log::{Log, LogLine, Source};
use crate::program::{Entry, Program};
use crate::shared::Shared;
use crate::typed::{Failure, Input, Named, TypedParams, TypedResults};
use crate::verdict::{Ending, Verdict};
use crate::wasi::preview1;
use crate::world::World;

/// What one attempt may use; `Limits` of runtime/limits.ts.
#[derive(Clone, Copy)]
pub struct Limits {
    pub wall_ms: u64,
    /// None: it is not counted.
    pub cpu_ms: Option<u64>,
    pub memory_bytes: usize,
    pub output_bytes: usize,
    pub log_bytes: usize,
    pub http_body_bytes: usize,
}

/// What its document gives it beyond input, output and log; `Capabilities` of runtime/capabilities.ts.
#[derive(Default)]
pub struct Grants {
    /// The variables of its environment: name and value.
    pub env: Vec<(String, String)>,
    /// Its configuration: name and value.
    pub config: Vec<(String, String)>,
    /// Where clocks and randomness begin that a seed fixes: milliseconds since 1970, and the generator's state.
    pub hermetic: Option<(u64, [u32; 4])>,
    /// What its folder `/tmp` may hold, where it has one.
    pub tmp_bytes: Option<u64>,
}

/// What the threads of an engine know of one attempt, whoever runs it.
pub struct Attempt {
    pub id: u32,
    pub limits: Limits,
    pub grants: Grants,
    pub calls: Calls,
    cpu: CpuTime,
    cancelled: AtomicBool,
    late: AtomicBool,
    /// When its time is over; set when it begins.
    deadline: OnceLock<Instant>,
    log: Mutex<Log>,
    /// Fuel that it used, where that is counted.
    fuel: Mutex<Option<u64>>,
}

impl Attempt {
    pub fn new(id: u32, limits: Limits, grants: Grants, calls: Calls) -> Self {
        Attempt {
            id,
            limits,
            grants,
            calls,
            cpu: CpuTime::default(),
            cancelled: AtomicBool::new(false),
            late: AtomicBool::new(false),
            deadline: OnceLock::new(),
            log: Mutex::default(),
            fuel: Mutex::default(),
        }
    }

    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }

    /// Starts its time where that was not done.
    pub fn begin(&self) -> Instant {
        *self.deadline.get_or_init(|| {
            let now = Instant::now();
            // A limit beyond what the clock can say is none.
            now.checked_add(Duration::from_millis(self.limits.wall_ms))
                .unwrap_or(now + Duration::from_secs(1 << 32))
        })
    }

    /// Its time is over although no clock of the host says so.
    pub fn expire(&self) {
        self.late.store(true, Ordering::Relaxed);
    }

    /// Why it must not go on.
    pub fn overdue(&self) -> Option<Verdict> {
        if self.cancelled.load(Ordering::Relaxed) {
            return Some(Verdict::cancelled());
        }
        let late = self.late.load(Ordering::Relaxed) || Instant::now() >= self.begin();
        late.then(|| Verdict::timeout(self.limits.wall_ms))
    }

    /// Has this thread compute for it; then why it must not go on, if it used up its processor time.
    pub fn compute<T>(&self, work: impl FnOnce() -> T) -> (T, Option<Verdict>) {
        if self.limits.cpu_ms.is_none() {
            return (work(), None);
        }
        self.cpu.resume();
        let result = work();
        let spent = self.spent();
        self.cpu.suspend();
        (result, spent)
    }

    /// Why the guest that computes on this thread must not go on, if it used up its processor time.
    fn spent(&self) -> Option<Verdict> {
        let limit = self.limits.cpu_ms?;
        let used = self.cpu.used() / 1_000_000;
        (used > limit).then(|| Verdict::processor_time(used, limit))
    }

    /// None: all was kept. Else how much was written, over the limit.
    pub fn write_log(&self, source: Source, text: &[u8]) -> Option<usize> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.write(source, text, self.limits.log_bytes)
    }

    pub fn take_log(&self) -> Vec<LogLine> {
        let mut log = self.log.lock().unwrap_or_else(PoisonError::into_inner);
        log.take_lines()
    }

    pub fn fuel(&self) -> Option<u64> {
        *self.fuel.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Runs one attempt to its end in a fresh instance. `crowded`, which is asked now and then while it computes, says whether
/// another attempt waits for this thread.
pub async fn run_attempt(
    shared: Arc<Shared>,
    program: Arc<Program>,
    attempt: Arc<Attempt>,
    input: Arc<str>,
    crowded: impl Fn() -> bool + Send + Sync + 'static,
) -> Ending {
    let typed = matches!(program.entry, Entry::Typed { .. });
    let text = Arc::clone(&input);
    let (args, record) = match read_input(&text, typed) {
        Ok(read) => read,
        Err(error) => return broken(format!("the input of the step can't be read: {error}")),
    };
    let world = World::new(
        Arc::clone(&attempt),
        Arc::clone(&shared.clock),
        args,
        input,
        typed,
    );
    let mut store = Store::new(&shared.engine, world);
    if let Err(error) = prepare_store(&mut store, &shared, &attempt, crowded) {
        return broken(format!("{error:#}"));
    }
    let outcome = call(&mut store, &program, record).await;
    if let Some(fuel) = shared.fuel {
        let used = fuel - store.get_fuel().unwrap_or(0);
        *attempt.fuel.lock().unwrap_or_else(PoisonError::into_inner) = Some(used);
    }
    let world = store.data_mut();
    if let Some(verdict) = world.verdict.take() {
        return verdict_ending(verdict, world, typed);
    }
    match outcome {
        Ok(Called::Ran(status)) => exited(world, status),
        Ok(Called::Returned(returned)) => {
            typed_ending(returned, attempt.limits.output_bytes, world)
        }
        Err(error) => match shared.fuel {
            Some(fuel) if error.downcast_ref() == Some(&Trap::OutOfFuel) => {
                out_of_fuel(fuel, &error)
            }
            _ => error_ending(&error, world, typed),
        },
    }
}

fn out_of_fuel(fuel: u64, error: &wasmtime::Error) -> Ending {
    Ending::failed(
        "ERR_STEP_FUEL",
        format!(
            "The attempt used {fuel} units of fuel and wanted more, over the limit of {fuel}{}.",
            place(error)
        ),
    )
}

fn read_input(text: &str, typed: bool) -> serde_json::Result<(Vec<String>, Option<Input<'_>>)> {
    if typed {
        let input: Input = serde_json::from_str(text)?;
        return Ok((vec![input.step_id().to_owned()], Some(input)));
    }
    let named: Named = serde_json::from_str(text)?;
    Ok((vec![named.step_id(), text.to_owned()], None))
}

fn prepare_store(
    store: &mut Store<World>,
    shared: &Shared,
    attempt: &Arc<Attempt>,
    crowded: impl Fn() -> bool + Send + Sync + 'static,
) -> wasmtime::Result<()> {
    store.limiter(|world| world);
    // A list that a guest hands to the host lies twice for a while: no longer one than its memory could hold.
    store.set_hostcall_fuel(attempt.limits.memory_bytes);
    if let Some(fuel) = shared.fuel {
        store.set_fuel(fuel)?;
    }
    let attempt = Arc::clone(attempt);
    store.set_epoch_deadline(1);
    store.epoch_deadline_callback(move |mut context| {
        if let Some(verdict) = attempt.overdue().or_else(|| attempt.spent()) {
            return context.data_mut().end(verdict);
        }
        Ok(if crowded() {
            UpdateDeadline::Yield(1)
        } else {
            UpdateDeadline::Continue(1)
        })
    });
    Ok(())
}

enum Called {
    Returned(Result<String, Failure>),
    Ran(u32),
}

async fn call(
    store: &mut Store<World>,
    program: &Program,
    input: Option<Input<'_>>,
) -> wasmtime::Result<Called> {
    match &program.entry {
        Entry::Typed { pre, run } => {
            let instance = pre.instantiate_async(&mut *store).await?;
            let run = instance.get_func(&mut *store, run);
            let (Some(run), Some(input)) = (run, input) else {
                wasmtime::bail!("the component lost its export");
            };
            // SAFETY: `program::link` checked that the export has the type of these parameters and results.
            #[allow(unsafe_code)]
            let run = unsafe { TypedFunc::<TypedParams<'_>, TypedResults>::new_unchecked(run) };
            let (returned,) = run.call_async(&mut *store, (input,)).await?;
            Ok(Called::Returned(returned))
        }
        Entry::Program { pre, run } => {
            let instance = pre.instantiate_async(&mut *store).await?;
            let run = instance.get_typed_func::<(), (Result<(), ()>,)>(&mut *store, run)?;
            let (result,) = run.call_async(&mut *store, ()).await?;
            Ok(Called::Ran(u32::from(result.is_err())))
        }
        Entry::Command { pre } => {
            preview1::preopen(store.data_mut())?;
            let instance = pre.instantiate_async(&mut *store).await?;
            let start = instance.get_typed_func::<(), ()>(&mut *store, "_start")?;
            start.call_async(&mut *store, ()).await?;
            Ok(Called::Ran(0))
        }
    }
}

fn exited(world: &mut World, status: u32) -> Ending {
    Ending::Exited {
        status,
        stdout: world.take_stdout(),
        starved: world.starved.take(),
    }
}

fn verdict_ending(verdict: Verdict, world: &mut World, typed: bool) -> Ending {
    match verdict {
        Verdict::Breach { code, message } => Ending::Failed { code, message },
        // A typed step that exits has no result: that is a failure, whatever the code.
        Verdict::Exit(0) if typed => Ending::failed(
            "ERR_STEP_FAILED",
            "The step exited with code 0 instead of returning.",
        ),
        Verdict::Exit(status) => exited(world, status),
    }
}

fn typed_ending(returned: Result<String, Failure>, limit: usize, world: &mut World) -> Ending {
    match returned {
        Ok(text) if text.len() > limit => Ending::failed(
            "ERR_STEP_OUTPUT_TOO_LARGE",
            format!(
                "The step returned {} bytes, over the limit of {limit} bytes.",
                text.len()
            ),
        ),
        Ok(text) => Ending::Returned(text),
        Err(Failure::Fatal(message)) => Ending::Fatal(message),
        Err(Failure::Retry(retry)) => Ending::Retry {
            message: retry.message,
            after_ms: retry.after,
            starved: world.starved.take(),
        },
    }
}

/// Tells what ended an instance that did not end by itself.
fn error_ending(error: &wasmtime::Error, world: &mut World, typed: bool) -> Ending {
    // What ended it may have come through without the world being told.
    if let Some(verdict) = error.downcast_ref::<Verdict>() {
        return verdict_ending(verdict.clone(), world, typed);
    }
    if error
        .downcast_ref::<wasmtime::PoolConcurrencyLimitError>()
        .is_some()
    {
        return broken(format!("its pool of instances is used up: {error:#}"));
    }
    let trap = error.downcast_ref::<Trap>();
    let place = place(error);
    // A trap says the same more plainly than the error that wraps it.
    let reason = trap.map_or_else(|| root(error), |trap| trap.to_string());
    match trap {
        Some(Trap::StackOverflow) => Ending::failed(
            "ERR_STEP_STACK",
            format!("The step's recursion went deeper than the engine's stack{place}."),
        ),
        _ => match world.starved.take() {
            Some(how) => Ending::failed(
                "ERR_STEP_MEMORY",
                format!("The step was refused more memory ({how}), then trapped: {reason}{place}."),
            ),
            None => Ending::failed(
                "ERR_STEP_TRAP",
                format!("The step trapped: {reason}{place}."),
            ),
        },
    }
}

fn root(error: &wasmtime::Error) -> String {
    error
        .chain()
        .last()
        .map_or_else(|| error.to_string(), ToString::to_string)
}

/// The innermost functions of the guest, where its binary names them.
fn place(error: &wasmtime::Error) -> String {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return String::new();
    };
    let names: Vec<&str> = backtrace
        .frames()
        .iter()
        .filter_map(|frame| frame.func_name())
        .take(4)
        .collect();
    if names.is_empty() {
        return String::new();
    }
    format!(" (in {})", names.join(" ← "))
}

fn broken(message: String) -> Ending {
    Ending::failed(
        "ERR_ENGINE_BROKEN",
        format!("The engine failed: {message}."),
    )
}
