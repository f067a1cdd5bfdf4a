use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use napi::bindgen_prelude::{AsyncTask, Buffer};
use napi::{Env, Task};
use napi_derive::napi;
use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::binding::{failed, shape};
use crate::nesting::STACK;
use crate::program::{self, Refusal, Shape};
use crate::shared::Shared;

/// Compiles binaries into files that an engine of the same version loads. It is made for a process of its own: what a
/// hostile binary makes of Cranelift (hours, gigabytes, a crash) must not be the host's.
#[napi]
pub struct Compiler {
    shared: Arc<Shared>,
    threads: Arc<ThreadPool>,
    known: Arc<Mutex<PathBuf>>,
}

/// Why a binary can't run.
#[napi(object, object_from_js = false)]
pub struct Refused {
    pub code: &'static str,
    pub text: String,
}

#[napi]
impl Compiler {
    #[napi(constructor)]
    pub fn new(fuel: Option<f64>) -> napi::Result<Self> {
        Ok(Compiler {
            shared: Shared::get(fuel.map(|fuel| fuel as u64)).map_err(failed)?,
            threads: Arc::new(compiling_threads().map_err(failed)?),
            known: Arc::default(),
        })
    }

    /// Compiles a binary into the file `path`; null, or why it can't run. One at a time.
    #[napi]
    pub fn compile(
        &self,
        kind: String,
        path: String,
        binary: Buffer,
    ) -> napi::Result<AsyncTask<Compilation>> {
        Ok(AsyncTask::new(Compilation {
            shared: Arc::clone(&self.shared),
            threads: Arc::clone(&self.threads),
            known: Arc::clone(&self.known),
            shape: shape(&kind)?,
            path: path.into(),
            binary: binary.to_vec(),
        }))
    }
}

pub struct Compilation {
    shared: Arc<Shared>,
    threads: Arc<ThreadPool>,
    /// The file whose functions are in memory.
    known: Arc<Mutex<PathBuf>>,
    shape: Shape,
    path: PathBuf,
    binary: Vec<u8>,
}

impl Task for Compilation {
    type Output = Option<Refusal>;
    type JsValue = Option<Refused>;

    fn compute(&mut self) -> napi::Result<Self::Output> {
        let Shared {
            engine, functions, ..
        } = &*self.shared;
        // Functions of a component are kept beside its file, for all of the folder.
        let beside = functions_path(&self.path, &self.shared);
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        if *known != beside {
            functions.read(&beside);
            known.clone_from(&beside);
        }
        let compile = AssertUnwindSafe(|| {
            let compile = || program::compile(engine, &self.binary, &self.path, self.shape);
            self.threads.install(compile)
        });
        let compiled = catch_unwind(compile).unwrap_or_else(|_| Err(Refusal::panicked()));
        functions.write(&beside);
        Ok(compiled.err())
    }

    fn resolve(&mut self, _: Env, output: Self::Output) -> napi::Result<Self::JsValue> {
        Ok(output.map(|Refusal { code, message }| Refused {
            code,
            text: message,
        }))
    }
}

fn functions_path(program: &Path, shared: &Shared) -> PathBuf {
    program.with_file_name(format!("functions-{}.bin", shared.version()))
}

/// The threads on which Cranelift compiles. What reads a binary is called on them too: they have the stack for it.
fn compiling_threads() -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .thread_name(|_| "millrace-compile".to_owned())
        .stack_size(STACK)
        .build()
}

/// Has the system refuse this process that much more data than it has now, in bytes, where it can.
#[napi]
pub fn limit_growth(bytes: f64) {
    #[cfg(target_os = "linux")]
    if let Some(now) = data_bytes() {
        use rustix::process::{Resource, Rlimit, setrlimit};
        let most = Some(now.saturating_add(bytes as u64));
        let limit = Rlimit {
            current: most,
            maximum: most,
        };
        // If it is refused, all stays as it is.
        let _ = setrlimit(Resource::Data, limit);
    }
    #[cfg(not(target_os = "linux"))]
    let _ = bytes;
}

/// What this process has of what that limit is on: the pool alone has reserved much more than it uses.
#[cfg(target_os = "linux")]
fn data_bytes() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmData:"))?;
    let kilobytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kilobytes * 1024)
}
