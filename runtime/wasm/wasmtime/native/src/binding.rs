use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use napi::bindgen_prelude::{Buffer, Function};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::attempt::{Attempt, Grants, Limits};
use crate::calls::{Answer, Calls};
use crate::done::{Done, done};
use crate::executor::Executor;
use crate::loading::{Job, Programs, load_all};
use crate::nesting::STACK;
use crate::outbox::{Outbox, Report};
use crate::program::Shape;
use crate::shared::Shared;

#[napi(object)]
pub struct EngineOptions {
    pub threads: u32,
    /// Fuel that an attempt gets; it is counted only where this is given.
    pub fuel: Option<f64>,
}

/// What an attempt takes, beside its number, its program and its input.
#[napi(object)]
pub struct AttemptLimits {
    pub wall_ms: f64,
    pub cpu_ms: Option<f64>,
    pub memory_bytes: f64,
    pub output_bytes: f64,
    pub log_bytes: f64,
    pub http_body_bytes: f64,
}

/// What an attempt's document gives it; nothing by default.
#[napi(object)]
pub struct AttemptGrants {
    /// Name and value, one after the other.
    pub env: Vec<String>,
    /// Its configuration, likewise.
    pub config: Vec<String>,
    /// Fixes clocks and randomness: milliseconds since 1970, and the four words of the generator behind it.
    pub hermetic: Option<Vec<f64>>,
    /// What its folder `/tmp` may hold, where it has one.
    pub tmp_bytes: Option<f64>,
}

fn pairs(texts: Vec<String>) -> Vec<(String, String)> {
    let mut texts = texts.into_iter();
    std::iter::from_fn(|| texts.next().zip(texts.next())).collect()
}

fn grants(grants: Option<AttemptGrants>) -> Grants {
    let Some(grants) = grants else {
        return Grants::default();
    };
    let AttemptGrants {
        env,
        config,
        hermetic,
        tmp_bytes,
    } = grants;
    Grants {
        env: pairs(env),
        config: pairs(config),
        hermetic: hermetic.and_then(|numbers| match numbers[..] {
            [start, a, b, c, d] => Some((start as u64, [a, b, c, d].map(|word| word as u32))),
            _ => None,
        }),
        tmp_bytes: tmp_bytes.map(|bytes| bytes as u64),
    }
}

/// The native half of an engine. What takes time is only asked for here; `drain` has what has ended.
#[napi]
pub struct NativeEngine {
    version: String,
    slots: u32,
    open: Mutex<Option<Open>>,
    programs: Arc<Programs>,
    /// Programs that are asked for are no longer made.
    closing: Arc<AtomicBool>,
}

/// What an engine holds until it is closed.
struct Open {
    shared: Arc<Shared>,
    executor: Arc<Executor>,
    outbox: Arc<Outbox>,
    loading: Sender<Job>,
    threads: Vec<JoinHandle<()>>,
}

pub fn failed(error: impl std::fmt::Display) -> napi::Error {
    napi::Error::from_reason(error.to_string())
}

pub fn shape(shape: &str) -> napi::Result<Shape> {
    match shape {
        "typed" => Ok(Shape::Typed),
        "program" => Ok(Shape::Program),
        "command" => Ok(Shape::Command),
        _ => Err(failed(format!("there is no shape {shape}"))),
    }
}

#[napi]
impl NativeEngine {
    /// `notify` is called when there is something to drain.
    #[napi(constructor)]
    pub fn new(options: EngineOptions, notify: Function<'_, (), ()>) -> napi::Result<Self> {
        let shared = Shared::get(options.fuel.map(|fuel| fuel as u64)).map_err(failed)?;
        // Weak: only attempts keep the process alive, which is for the JavaScript side to say.
        let notify = notify.build_threadsafe_function().weak::<true>().build()?;
        let outbox = Arc::new(Outbox::new(move || {
            notify.call((), ThreadsafeFunctionCallMode::NonBlocking);
        }));
        let executor = Executor::new(Arc::clone(&shared), Arc::clone(&outbox));
        let mut threads = executor
            .start(options.threads.max(1) as usize)
            .map_err(failed)?;
        let programs = Arc::new(Programs::default());
        let closing = Arc::new(AtomicBool::new(false));
        let (loading, jobs) = channel();
        let load = {
            let (shared, outbox) = (Arc::clone(&shared), Arc::clone(&outbox));
            let (programs, closing) = (Arc::clone(&programs), Arc::clone(&closing));
            move || load_all(&jobs, &shared.engine, &programs, &closing, &outbox)
        };
        let thread = std::thread::Builder::new()
            .name("millrace-load".into())
            .stack_size(STACK)
            .spawn(load);
        threads.push(thread.map_err(failed)?);
        Ok(NativeEngine {
            version: shared.version(),
            slots: shared.slots,
            programs,
            closing,
            open: Mutex::new(Some(Open {
                shared,
                executor,
                outbox,
                loading,
                threads,
            })),
        })
    }

    /// Of Wasmtime and its configuration: what another one compiled can't be used.
    #[napi(getter)]
    pub fn version(&self) -> &str {
        &self.version
    }

    /// Attempts that can be alive at once.
    #[napi(getter)]
    pub fn slots(&self) -> u32 {
        self.slots
    }

    fn lock(&self) -> MutexGuard<'_, Option<Open>> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gets a program of its compiled code on disk.
    #[napi]
    pub fn load(&self, id: u32, kind: String, path: String) -> napi::Result<()> {
        let job = Job {
            id,
            path: path.into(),
            shape: shape(&kind)?,
        };
        let open = self.lock();
        let open = open
            .as_ref()
            .ok_or_else(|| failed("the engine is closed"))?;
        open.loading.send(job).map_err(failed)
    }

    /// Forgets a program; attempts that have begun keep it.
    #[napi]
    pub fn release(&self, program: u32) {
        self.programs.release(program);
    }

    #[napi]
    pub fn execute(
        &self,
        id: u32,
        program: u32,
        input: String,
        limits: AttemptLimits,
        given: Option<AttemptGrants>,
    ) -> napi::Result<()> {
        let found = self.programs.get(program);
        let found = found.ok_or_else(|| failed(format!("there is no program {program}")))?;
        let limits = Limits {
            wall_ms: limits.wall_ms as u64,
            cpu_ms: limits.cpu_ms.map(|limit| limit as u64),
            memory_bytes: limits.memory_bytes as usize,
            output_bytes: limits.output_bytes as usize,
            log_bytes: limits.log_bytes as usize,
            http_body_bytes: limits.http_body_bytes as usize,
        };
        let open = self.lock();
        let open = open
            .as_ref()
            .ok_or_else(|| failed("the engine is closed"))?;
        let calls = Calls::new(id, Some(Arc::clone(&open.outbox)));
        let attempt = Attempt::new(id, limits, grants(given), calls);
        open.executor.submit(Arc::new(attempt), found, input.into());
        Ok(())
    }

    #[napi]
    pub fn cancel(&self, id: u32) {
        if let Some(open) = self.lock().as_ref() {
            open.executor.cancel(id);
        }
    }

    /// Answers a call of an attempt; false when the bytes are more than it may have.
    #[napi]
    pub fn answer(&self, id: u32, number: u32, head: String, bytes: Option<Buffer>) -> bool {
        let open = self.lock();
        let Some(open) = open.as_ref() else {
            return true;
        };
        let bytes = bytes.map_or_else(Vec::new, |bytes| bytes.to_vec());
        open.executor.answer(id, number, Answer { head, bytes })
    }

    /// All that has ended or was asked since the last call.
    #[napi]
    pub fn drain(&self) -> Vec<Done> {
        let outbox = self.lock().as_ref().map(|open| Arc::clone(&open.outbox));
        let reports = outbox.map_or_else(Vec::new, |outbox| outbox.take());
        reports.into_iter().map(done).collect()
    }

    /// Ends all; `drain` has a "closed" once every thread has ended, and is empty after that.
    #[napi]
    pub fn close(&self) {
        let mut slot = self.lock();
        let Some(open) = slot.as_mut() else { return };
        let threads = std::mem::take(&mut open.threads);
        if threads.is_empty() {
            return;
        }
        self.closing.store(true, Ordering::Relaxed);
        open.executor.close();
        // Without a sender the thread that loads ends after what it has in hand.
        open.loading = channel().0;
        let outbox = Arc::clone(&open.outbox);
        let programs = Arc::clone(&self.programs);
        std::thread::spawn(move || {
            for thread in threads {
                // A thread that panicked has ended too.
                let _ = thread.join();
            }
            programs.clear();
            outbox.put(Report::Closed);
        });
    }

    /// After "closed": lets go of what all engines share.
    #[napi]
    pub fn dispose(&self) {
        let open = self.lock().take();
        if let Some(Open { shared, .. }) = open {
            // The last one gives back the address space and ends the clock.
            drop(shared);
        }
    }
}
