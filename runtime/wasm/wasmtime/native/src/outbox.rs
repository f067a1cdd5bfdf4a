use std::sync::{Mutex, MutexGuard, PoisonError};

use crate::log::LogLine;
use crate::program::Refusal;
use crate::verdict::Ending;

/// What the threads of an engine tell Node.
pub enum Report {
    Attempt {
        id: u32,
        ending: Ending,
        log: Vec<LogLine>,
        fuel: Option<u64>,
    },
    /// A program is there by that number; None: it is not on disk.
    Program {
        id: u32,
        outcome: Result<Option<Prepared>, Refusal>,
    },
    /// An attempt asks something of the host.
    Call {
        id: u32,
        number: u32,
        /// JSON.
        head: String,
        bytes: Vec<u8>,
    },
    /// An attempt no longer wants the answer to a call.
    Forgotten { id: u32, number: u32 },
    /// All threads have ended.
    Closed,
}

/// A program that can be executed.
pub struct Prepared {
    pub number: u32,
    /// What is kept of it in memory, about.
    pub bytes: usize,
    /// The memory with which its largest module begins.
    pub initial_memory: u64,
    /// Its memories: each that has content holds a file open.
    pub memories: u32,
}

/// Reports that wait for Node. One ring of the bell is for all that came until Node looks.
pub struct Outbox {
    waiting: Mutex<Waiting>,
    bell: Box<dyn Fn() + Send + Sync>,
}

#[derive(Default)]
struct Waiting {
    reports: Vec<Report>,
    rung: bool,
}

/// Reports that Node is not told of before there are so many, where others are soon to come.
const MOST_HELD: usize = 8;

impl Outbox {
    pub fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        Outbox {
            waiting: Mutex::default(),
            bell: Box::new(bell),
        }
    }

    pub fn put(&self, report: Report) {
        self.lock().reports.push(report);
        self.ring();
    }

    /// Puts a report of which Node may be told together with later ones. Whoever does so rings before it sleeps, and while
    /// a guest computes.
    pub fn hold(&self, report: Report) {
        let mut waiting = self.lock();
        waiting.reports.push(report);
        let many = waiting.reports.len() >= MOST_HELD;
        drop(waiting);
        if many {
            self.ring();
        }
    }

    /// Tells Node of what there is, unless that was done.
    pub fn ring(&self) {
        let mut waiting = self.lock();
        if waiting.rung || waiting.reports.is_empty() {
            return;
        }
        waiting.rung = true;
        drop(waiting);
        (self.bell)();
    }

    pub fn take(&self) -> Vec<Report> {
        std::mem::take(&mut *self.lock()).reports
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
