use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;

use napi::bindgen_prelude::{Buffer, Function};
use napi::threadsafe_function::ThreadsafeFunctionCallMode;
use napi_derive::napi;

use crate::attempt::{Attempt, Grants, Limits};
use crate::calls::{Answer, Calls};
use crate::compiling::compiling_threads;
use crate::executor::Executor;
use crate::nesting::STACK;
use crate::outbox::{Outbox, Prepared, Report};
use crate::program::{self, Program, Refusal, Shape};
use crate::shared::Shared;
use crate::verdict::Ending;

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
    } = grants;
    Grants {
        env: pairs(env),
        config: pairs(config),
        hermetic: hermetic.and_then(|numbers| match numbers[..] {
            [start, a, b, c, d] => Some((start as u64, [a, b, c, d].map(|word| word as u32))),
            _ => None,
        }),
    }
}

#[napi(object, object_from_js = false)]
pub struct Line {
    pub level: &'static str,
    pub message: String,
}

/// Something that has ended, or a call that an attempt makes. Of an attempt: `kind` is that of its ending.
#[napi(object, object_from_js = false)]
pub struct Done {
    pub id: u32,
    pub kind: &'static str,
    /// The output, the message, what was printed, or what is asked.
    pub text: Option<String>,
    /// Of "failed".
    pub code: Option<&'static str>,
    /// The exit code, the milliseconds to wait, or the number of a program or a call.
    pub number: Option<f64>,
    pub starved: Option<bool>,
    pub logs: Option<Vec<Line>>,
    pub fuel: Option<f64>,
    pub bytes: Option<f64>,
    pub initial_memory: Option<f64>,
    /// The bytes of a call.
    pub data: Option<Buffer>,
    pub memories: Option<u32>,
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
    compiling: Sender<Job>,
    threads: Vec<JoinHandle<()>>,
}

#[derive(Default)]
struct Programs {
    next: AtomicU32,
    all: Mutex<HashMap<u32, Arc<Program>>>,
}

impl Programs {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Arc<Program>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A program to get: from disk, or of these bytes.
struct Job {
    id: u32,
    path: PathBuf,
    shape: Shape,
    binary: Option<Vec<u8>>,
}

fn failed(error: impl std::fmt::Display) -> napi::Error {
    napi::Error::from_reason(error.to_string())
}

fn shape(shape: &str) -> napi::Result<Shape> {
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
        let mut worker = |name: &str| {
            let (sender, receiver) = channel();
            let (shared, outbox) = (Arc::clone(&shared), Arc::clone(&outbox));
            let (programs, closing) = (Arc::clone(&programs), Arc::clone(&closing));
            let thread = std::thread::Builder::new()
                .name(name.into())
                .stack_size(STACK)
                .spawn(move || prepare_all(&receiver, &shared, &programs, &closing, &outbox))
                .map_err(failed)?;
            threads.push(thread);
            Ok::<_, napi::Error>(sender)
        };
        // Apart, so that what lies on disk does not wait for Cranelift.
        let loading = worker("millrace-load")?;
        let compiling = worker("millrace-compile")?;
        Ok(NativeEngine {
            version: version(&shared),
            slots: shared.slots,
            programs,
            closing,
            open: Mutex::new(Some(Open {
                shared,
                executor,
                outbox,
                loading,
                compiling,
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

    /// Gets a program from disk, or compiles it of `binary`.
    #[napi]
    pub fn prepare(
        &self,
        id: u32,
        kind: String,
        path: String,
        binary: Option<Buffer>,
    ) -> napi::Result<()> {
        let job = Job {
            id,
            path: path.into(),
            shape: shape(&kind)?,
            binary: binary.map(|bytes| bytes.to_vec()),
        };
        let open = self.lock();
        let open = open
            .as_ref()
            .ok_or_else(|| failed("the engine is closed"))?;
        let queue = if job.binary.is_some() {
            &open.compiling
        } else {
            &open.loading
        };
        queue.send(job).map_err(failed)
    }

    /// Forgets a program; attempts that have begun keep it.
    #[napi]
    pub fn release(&self, program: u32) {
        self.programs.lock().remove(&program);
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
        let found = self.programs.lock().get(&program).cloned();
        let found = found.ok_or_else(|| failed(format!("there is no program {program}")))?;
        let limits = Limits {
            wall_ms: limits.wall_ms as u64,
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
        // Without senders the threads that prepare end after what they have in hand.
        (open.loading, open.compiling) = (channel().0, channel().0);
        let outbox = Arc::clone(&open.outbox);
        let programs = Arc::clone(&self.programs);
        std::thread::spawn(move || {
            for thread in threads {
                // A thread that panicked has ended too.
                let _ = thread.join();
            }
            programs.lock().clear();
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

fn version(shared: &Shared) -> String {
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
    shared
        .engine
        .precompile_compatibility_hash()
        .hash(&mut hasher);
    let digest = hasher.0.finalize();
    digest[..8]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect()
}

fn functions_path(program: &Path, shared: &Shared) -> PathBuf {
    program.with_file_name(format!("functions-{}.bin", version(shared)))
}

/// A thread that gets one program after the other.
fn prepare_all(
    jobs: &Receiver<Job>,
    shared: &Shared,
    programs: &Programs,
    closing: &AtomicBool,
    outbox: &Outbox,
) {
    let mut known = PathBuf::new();
    let mut threads = None;
    for job in jobs {
        let work = std::panic::AssertUnwindSafe(|| match &job.binary {
            _ if closing.load(Ordering::Relaxed) => Err(Refusal {
                code: "ERR_STEP_CANCELLED",
                message: "The engine is closed.".to_owned(),
            }),
            None => program::load(&shared.engine, &job.path, job.shape),
            Some(binary) => {
                // Functions of a component are kept beside its file, for all of the folder.
                let functions = functions_path(&job.path, shared);
                if functions != known {
                    shared.functions.read(&functions);
                    known = functions;
                }
                let compile = || program::compile(&shared.engine, binary, &job.path, job.shape);
                if threads.is_none() {
                    threads = compiling_threads().ok();
                }
                // Without threads of its own it takes Wasmtime's.
                let program = match &threads {
                    Some(threads) => threads.install(compile),
                    None => compile(),
                };
                shared.functions.write(&known);
                program.map(Some)
            }
        });
        let outcome = std::panic::catch_unwind(work).unwrap_or_else(|_| {
            Err(Refusal {
                code: "ERR_ENGINE_BROKEN",
                message: "The compiler panicked.".to_owned(),
            })
        });
        let outcome = outcome.map(|program| {
            program.map(|program| {
                let number = programs.next.fetch_add(1, Ordering::Relaxed);
                let prepared = Prepared {
                    number,
                    bytes: program.bytes,
                    initial_memory: program.initial_memory,
                    memories: program.memories,
                };
                programs.lock().insert(number, Arc::new(program));
                prepared
            })
        });
        outbox.put(Report::Program {
            id: job.id,
            outcome,
        });
    }
}

fn done(report: Report) -> Done {
    let blank = |id, kind| Done {
        id,
        kind,
        text: None,
        code: None,
        number: None,
        starved: None,
        logs: None,
        fuel: None,
        bytes: None,
        initial_memory: None,
        data: None,
        memories: None,
    };
    match report {
        Report::Closed => blank(0, "closed"),
        Report::Call {
            id,
            number,
            head,
            bytes,
        } => Done {
            number: Some(number.into()),
            text: Some(head),
            data: (!bytes.is_empty()).then(|| bytes.into()),
            ..blank(id, "call")
        },
        Report::Forgotten { id, number } => Done {
            number: Some(number.into()),
            ..blank(id, "forgotten")
        },
        Report::Program { id, outcome } => match outcome {
            Ok(Some(prepared)) => Done {
                number: Some(prepared.number.into()),
                bytes: Some(prepared.bytes as f64),
                initial_memory: Some(prepared.initial_memory as f64),
                memories: Some(prepared.memories),
                ..blank(id, "program")
            },
            Ok(None) => blank(id, "absent"),
            Err(Refusal { code, message }) => Done {
                text: Some(message),
                code: Some(code),
                ..blank(id, "refused")
            },
        },
        Report::Attempt {
            id,
            ending,
            log,
            fuel,
        } => {
            let log = (!log.is_empty()).then(|| {
                log.into_iter()
                    .map(|line| Line {
                        level: line.level,
                        message: line.message,
                    })
                    .collect()
            });
            Done {
                logs: log,
                fuel: fuel.map(|fuel| fuel as f64),
                ..ended(ending, |kind| blank(id, kind))
            }
        }
    }
}

fn ended(ending: Ending, blank: impl Fn(&'static str) -> Done) -> Done {
    match ending {
        Ending::Exited {
            status,
            stdout,
            starved,
        } => Done {
            text: Some(stdout),
            number: Some(status.into()),
            starved: Some(starved),
            ..blank("exited")
        },
        Ending::Returned(text) => Done {
            text: Some(text),
            ..blank("returned")
        },
        Ending::Retry { message, after_ms } => Done {
            text: Some(message),
            number: after_ms.map(|after| after as f64),
            ..blank("retry")
        },
        Ending::Fatal(message) => Done {
            text: Some(message),
            ..blank("fatal")
        },
        Ending::Failed { code, message } => Done {
            text: Some(message),
            code: Some(code),
            ..blank("failed")
        },
    }
}
