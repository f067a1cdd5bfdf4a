use std::collections::HashMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::mpsc::Receiver;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use wasmtime::Engine;

use crate::outbox::{Outbox, Prepared, Report};
use crate::program::{self, Program, Refusal, Shape};

/// The programs of an engine, by number.
#[derive(Default)]
pub struct Programs {
    next: AtomicU32,
    all: Mutex<HashMap<u32, Arc<Program>>>,
}

impl Programs {
    fn lock(&self) -> MutexGuard<'_, HashMap<u32, Arc<Program>>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub fn get(&self, number: u32) -> Option<Arc<Program>> {
        self.lock().get(&number).cloned()
    }

    /// Forgets a program; attempts that have begun keep it.
    pub fn release(&self, number: u32) {
        let program = self.lock().remove(&number);
        // Behind the lock: to give back its memory takes a while.
        drop(program);
    }

    pub fn clear(&self) {
        self.lock().clear();
    }

    fn add(&self, program: Program) -> Prepared {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        let prepared = Prepared {
            number,
            bytes: program.bytes,
            initial_memory: program.initial_memory,
            memories: program.memories,
        };
        self.lock().insert(number, Arc::new(program));
        prepared
    }
}

/// A program to get from its compiled code on disk.
pub struct Job {
    pub id: u32,
    pub path: PathBuf,
    pub shape: Shape,
}

/// A thread that gets one program after the other.
pub fn load_all(
    jobs: &Receiver<Job>,
    engine: &Engine,
    programs: &Programs,
    closing: &AtomicBool,
    outbox: &Outbox,
) {
    for Job { id, path, shape } in jobs {
        let work = AssertUnwindSafe(|| {
            if closing.load(Ordering::Relaxed) {
                return Err(Refusal {
                    code: "ERR_STEP_CANCELLED",
                    message: "The engine is closed.".to_owned(),
                });
            }
            program::load(engine, &path, shape)
        });
        let outcome = catch_unwind(work).unwrap_or_else(|_| Err(Refusal::panicked()));
        let outcome = outcome.map(|program| program.map(|program| programs.add(program)));
        outbox.put(Report::Program { id, outcome });
    }
}
