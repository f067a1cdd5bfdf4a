use std::sync::Arc;
use std::time::Instant;

use wasmtime::component::Resource;
use wasmtime::{ResourceLimiter, Result};

use crate::attempt::Attempt;
use crate::clock::Clock;
use crate::hermetic::Hermetic;
use crate::log::Source;
use crate::slab::Slab;
use crate::tmp::{Failure, Fault, Now, Outcome, Tmp};
use crate::verdict::Verdict;
use crate::wasi::{Exchange, Files, Http, IoError, KeyValue, Pollable, wall_clock};

/// Table elements of all of an attempt's instances together: they lie in the host's own memory.
pub const MOST_TABLE_ELEMENTS: usize = 1024 * 1024;

/// Memories of one attempt: even an empty one takes gigabytes of the process' addresses, and a file if it has content.
pub const MOST_MEMORIES: usize = 100;

/// Tables of one attempt: each takes megabytes of the process' addresses.
pub const MOST_TABLES: usize = 100;

/// Core instances of one attempt.
pub const MOST_INSTANCES: usize = 10_000;

/// The memory that 32 bits can address.
const ADDRESSABLE: usize = 1 << 32;

/// All that one attempt can reach.
pub struct World {
    pub attempt: Arc<Attempt>,
    pub clock: Arc<Clock>,
    pub args: Vec<String>,
    /// Clocks and randomness, where a seed fixes them.
    pub hermetic: Option<Hermetic>,
    pub stdin: Stdin,
    pub files: Files,
    stdout: Vec<u8>,
    /// A typed step has its output in its result: what it prints is log.
    typed: bool,
    pub pollables: Slab<Ready>,
    pub errors: Slab<IoError>,
    pub http: Http,
    pub key_value: KeyValue,
    /// Its scratch folder, where that is granted.
    pub tmp: Option<Box<Tmp>>,
    memory: usize,
    /// Bytes that the host holds for the guest, beside its memory.
    held: usize,
    table_elements: usize,
    /// How the guest was refused memory that it asked for, the last time.
    pub starved: Option<String>,
    /// What the host ended the guest for; the first one stays.
    pub verdict: Option<Verdict>,
    began: Instant,
}

/// When a pollable is ready.
pub enum Ready {
    /// Nanoseconds of the monotonic clock; 0: at once.
    At(u64),
    /// Once a request has come to something.
    Exchange(Arc<Exchange>),
}

/// What stdin holds.
pub struct Stdin {
    text: Arc<str>,
    at: usize,
}

impl Stdin {
    /// Bytes from the front; None at the end.
    pub fn read(&mut self, at_most: usize) -> Option<&[u8]> {
        let left = &self.text.as_bytes()[self.at..];
        if left.is_empty() {
            return None;
        }
        let chunk = &left[..left.len().min(at_most)];
        self.at += chunk.len();
        Some(chunk)
    }
}

/// Where a guest writes to.
#[derive(Clone, Copy, PartialEq)]
pub enum Sink {
    Stdout,
    Stderr,
}

impl World {
    pub fn new(
        attempt: Arc<Attempt>,
        clock: Arc<Clock>,
        args: Vec<String>,
        stdin: Arc<str>,
        typed: bool,
    ) -> Self {
        let hermetic = attempt.grants.hermetic;
        let hermetic = hermetic.map(|(start_ms, words)| Hermetic::new(start_ms, words));
        let tmp = attempt.grants.tmp_bytes.map(|limit| {
            let now = || wall_clock(hermetic.as_ref());
            Box::new(Tmp::new(limit, &now))
        });
        World {
            hermetic,
            tmp,
            attempt,
            clock,
            args,
            stdin: Stdin { text: stdin, at: 0 },
            files: Files::default(),
            stdout: Vec::new(),
            typed,
            pollables: Slab::new("pollables"),
            errors: Slab::new("errors"),
            http: Http::new(),
            key_value: KeyValue::new(),
            memory: 0,
            held: 0,
            table_elements: 0,
            starved: None,
            verdict: None,
            began: Instant::now(),
        }
    }

    /// Ends the guest.
    pub fn end<T>(&mut self, verdict: Verdict) -> Result<T> {
        let verdict = self.verdict.get_or_insert(verdict).clone();
        Err(wasmtime::Error::new(verdict))
    }

    pub fn write(&mut self, sink: Sink, bytes: &[u8]) -> Result<()> {
        if sink == Sink::Stderr || self.typed {
            return self.log(Source::Stderr, bytes);
        }
        let limit = self.attempt.limits.output_bytes;
        if bytes.len() > limit.saturating_sub(self.stdout.len()) {
            let written = std::mem::take(&mut self.stdout).len() + bytes.len();
            return self.end(Verdict::breach(
                "ERR_STEP_OUTPUT_TOO_LARGE",
                format!(
                    "The step wrote {written} bytes to stdout, over the limit of {limit} bytes."
                ),
            ));
        }
        self.stdout.extend_from_slice(bytes);
        Ok(())
    }

    pub fn log(&mut self, source: Source, text: &[u8]) -> Result<()> {
        let limit = self.attempt.limits.log_bytes;
        let Some(written) = self.attempt.write_log(source, text) else {
            return Ok(());
        };
        self.end(Verdict::breach(
            "ERR_STEP_LOG_TOO_LARGE",
            format!("The attempt logged {written} bytes, over the limit of {limit} bytes."),
        ))
    }

    pub fn take_stdout(&mut self) -> String {
        match String::from_utf8(std::mem::take(&mut self.stdout)) {
            Ok(text) => text,
            Err(error) => String::from_utf8_lossy(error.as_bytes()).into_owned(),
        }
    }

    /// Nanoseconds on a clock that never goes back.
    pub fn monotonic(&self) -> u64 {
        if let Some(hermetic) = &self.hermetic {
            return hermetic.monotonic();
        }
        // Never 0: that is the time of what is ready at once.
        u64::try_from(self.began.elapsed().as_nanos()).unwrap_or(u64::MAX - 1) + 1
    }

    /// When a time on that clock is.
    pub fn instant(&self, monotonic: u64) -> Option<Instant> {
        self.began
            .checked_add(std::time::Duration::from_nanos(monotonic))
    }

    /// Does something with the scratch folder, which may end the guest; where there is none, it has no descriptor of it.
    pub fn with_tmp<T>(
        &mut self,
        work: impl FnOnce(&mut Tmp, Now<'_>) -> Outcome<T>,
    ) -> Result<std::result::Result<T, Fault>> {
        let Some(tmp) = &mut self.tmp else {
            return Ok(Err(Fault::BadDescriptor));
        };
        let hermetic = self.hermetic.as_ref();
        match work(tmp, &|| wall_clock(hermetic)) {
            Ok(done) => Ok(Ok(done)),
            Err(Failure::Fault(fault)) => Ok(Err(fault)),
            Err(Failure::Breach(verdict)) => self.end(verdict),
            Err(Failure::Trap(error)) => Err(error),
        }
    }

    pub fn add_pollable(&mut self, ready: Ready) -> Result<(Resource<Pollable>,)> {
        Ok((Resource::new_own(self.pollables.add(ready)?),))
    }

    /// Counts bytes that the host holds for the guest, as the guest's memory; ends it where they are too many.
    pub fn hold(&mut self, bytes: usize) -> Result<()> {
        let limit = self.attempt.limits.memory_bytes;
        let held = self.held.saturating_add(bytes);
        let others = self.memory.saturating_add(self.attempt.calls.bytes());
        let all = held.saturating_add(others);
        if all > limit {
            return self.end(Verdict::breach(
                "ERR_STEP_MEMORY",
                format!(
                    "The step's memory and what the host holds for it are {all} bytes, over the limit of {limit} bytes."
                ),
            ));
        }
        self.held = held;
        Ok(())
    }

    /// Lets go of what was held.
    pub fn release(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
    }
}

/// All memories of an attempt share its one limit, and a refusal is remembered.
impl ResourceLimiter for World {
    fn memory_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        // The module's own maximum refuses before the limit does: that is no lack of memory.
        if maximum.is_some_and(|maximum| desired > maximum && maximum < ADDRESSABLE) {
            return Ok(false);
        }
        let more = desired.saturating_sub(current);
        let total = self.memory.saturating_add(more);
        let limit = self.attempt.limits.memory_bytes;
        if total.saturating_add(self.held) > limit {
            let had = self.memory.saturating_add(self.held);
            self.starved = Some(format!(
                "it had {had} bytes and asked for {more} more, over the limit of {limit} bytes"
            ));
            return Ok(false);
        }
        self.memory = total;
        Ok(true)
    }

    fn memory_grow_failed(&mut self, error: wasmtime::Error) -> Result<()> {
        self.starved = Some(error.to_string());
        Ok(())
    }

    fn table_growing(
        &mut self,
        current: usize,
        desired: usize,
        maximum: Option<usize>,
    ) -> Result<bool> {
        if maximum.is_some_and(|maximum| desired > maximum) {
            return Ok(false);
        }
        let more = desired.saturating_sub(current);
        let total = self.table_elements.saturating_add(more);
        if total > MOST_TABLE_ELEMENTS {
            let had = self.table_elements;
            self.starved = Some(format!(
                "it had {had} elements of tables and asked for {more} more, over the limit of {MOST_TABLE_ELEMENTS}"
            ));
            return Ok(false);
        }
        self.table_elements = total;
        Ok(true)
    }

    fn instances(&self) -> usize {
        // A component's own were counted before; Wasmtime puts some between those of components that are nested.
        2 * MOST_INSTANCES
    }

    fn tables(&self) -> usize {
        MOST_TABLES
    }

    fn memories(&self) -> usize {
        MOST_MEMORIES
    }
}
