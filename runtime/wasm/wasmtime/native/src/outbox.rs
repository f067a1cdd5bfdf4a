use std::sync::{Mutex, PoisonError};

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
    reports: Mutex<Vec<Report>>,
    bell: Box<dyn Fn() + Send + Sync>,
}

impl Outbox {
    pub fn new(bell: impl Fn() + Send + Sync + 'static) -> Self {
        Outbox {
            reports: Mutex::default(),
            bell: Box::new(bell),
        }
    }

    pub fn put(&self, report: Report) {
        let mut reports = self.reports.lock().unwrap_or_else(PoisonError::into_inner);
        reports.push(report);
        let first = reports.len() == 1;
        drop(reports);
        if first {
            (self.bell)();
        }
    }

    pub fn take(&self) -> Vec<Report> {
        std::mem::take(&mut *self.reports.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
