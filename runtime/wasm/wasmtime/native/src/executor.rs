use std::collections::{HashMap, VecDeque};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError, Weak};
use std::task::{Context, Poll, Wake, Waker};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crate::attempt::{Attempt, run_attempt};
use crate::calls::Answer;
use crate::outbox::{Outbox, Report};
use crate::program::Program;
use crate::shared::{Shared, pooled_tables};
use crate::verdict::{Ending, Verdict};

/// Runs attempts on a fixed number of threads. One whose guest waits holds no thread meanwhile.
pub struct Executor {
    shared: Arc<Shared>,
    outbox: Arc<Outbox>,
    state: Mutex<State>,
    work: Condvar,
    /// Attempts that could go on, were there a thread.
    ready: AtomicUsize,
    /// Attempts that have been submitted, ever.
    submitted: AtomicUsize,
    /// A thread looks out for work before it sleeps.
    looking: AtomicBool,
}

/// With more attempts than this waiting for a thread, Node hears of several ends at once: to be told costs it and the
/// thread as much as a small attempt, and there is enough to do until it has answered.
const CROWD: usize = 16;

/// How long a thread that has just worked looks out for more: to be woken takes about as long.
const LOOK_OUT: Duration = Duration::from_micros(25);

#[derive(Default)]
struct State {
    /// Those that have begun and can go on.
    ready: VecDeque<Arc<Task>>,
    /// Those that have not begun.
    waiting: VecDeque<Arc<Task>>,
    tasks: HashMap<u32, Arc<Task>>,
    /// Memories and tables of those that have begun.
    memories: u32,
    tables: u32,
    begun: u32,
    idle: u32,
    closed: bool,
}

struct Task {
    attempt: Arc<Attempt>,
    program: Arc<Program>,
    /// Weak: a timer that is left behind must not keep the engine alive.
    executor: Weak<Executor>,
    progress: AtomicU8,
    run: Mutex<Run>,
}

enum Run {
    New(Arc<str>),
    Begun(Pin<Box<dyn Future<Output = Ending> + Send>>),
    Ended,
}

/// The progress of a task.
const SUSPENDED: u8 = 0;
const QUEUED: u8 = 1;
const RUNNING: u8 = 2;
/// It was woken while it ran.
const WOKEN: u8 = 3;

impl Wake for Task {
    fn wake(self: Arc<Self>) {
        loop {
            let (from, to) = match self.progress.load(Ordering::Acquire) {
                SUSPENDED => (SUSPENDED, QUEUED),
                RUNNING => (RUNNING, WOKEN),
                _ => return,
            };
            let changed =
                self.progress
                    .compare_exchange(from, to, Ordering::AcqRel, Ordering::Acquire);
            if changed.is_err() {
                continue;
            }
            if to == QUEUED
                && let Some(executor) = self.executor.upgrade()
            {
                executor.queue(self);
            }
            return;
        }
    }
}

impl Executor {
    pub fn new(shared: Arc<Shared>, outbox: Arc<Outbox>) -> Arc<Self> {
        Arc::new(Executor {
            shared,
            outbox,
            state: Mutex::default(),
            work: Condvar::new(),
            ready: AtomicUsize::new(0),
            submitted: AtomicUsize::new(0),
            looking: AtomicBool::new(false),
        })
    }

    pub fn start(self: &Arc<Self>, threads: usize) -> std::io::Result<Vec<JoinHandle<()>>> {
        (0..threads)
            .map(|_| {
                let executor = Arc::clone(self);
                std::thread::Builder::new()
                    .name("millrace-step".into())
                    .spawn(move || executor.work())
            })
            .collect()
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes an attempt; its end is reported, whatever becomes of it.
    pub fn submit(self: &Arc<Self>, attempt: Arc<Attempt>, program: Arc<Program>, input: Arc<str>) {
        let task = Arc::new(Task {
            attempt: Arc::clone(&attempt),
            program,
            executor: Arc::downgrade(self),
            progress: AtomicU8::new(QUEUED),
            run: Mutex::new(Run::New(input)),
        });
        let mut state = self.lock();
        if state.closed {
            drop(state);
            return self.outbox.put(report(&attempt, cancelled()));
        }
        state.tasks.insert(attempt.id, Arc::clone(&task));
        state.waiting.push_back(task);
        self.submitted.fetch_add(1, Ordering::Release);
        self.wake_one(state);
    }

    fn wake_one(&self, state: MutexGuard<'_, State>) {
        let idle = state.idle > 0;
        drop(state);
        if idle {
            self.work.notify_one();
        }
    }

    fn queue(&self, task: Arc<Task>) {
        let mut state = self.lock();
        state.ready.push_back(task);
        self.ready.fetch_add(1, Ordering::Relaxed);
        self.wake_one(state);
    }

    pub fn cancel(&self, id: u32) {
        let mut state = self.lock();
        let Some(task) = state.tasks.get(&id).cloned() else {
            return;
        };
        task.attempt.cancel();
        let place = state
            .waiting
            .iter()
            .position(|waiting| Arc::ptr_eq(waiting, &task));
        if let Some(place) = place {
            state.waiting.remove(place);
            state.tasks.remove(&id);
            drop(state);
            return self.outbox.put(report(&task.attempt, cancelled()));
        }
        drop(state);
        task.wake();
    }

    /// Takes the answer to a call; false when its bytes are more than the attempt may have. Late ones are dropped.
    pub fn answer(&self, id: u32, number: u32, answer: Answer) -> bool {
        let Some(task) = self.lock().tasks.get(&id).cloned() else {
            return true;
        };
        let Attempt { calls, limits, .. } = &*task.attempt;
        let taken = calls.answer(number, answer, limits.memory_bytes);
        task.wake();
        taken
    }

    /// Ends everything as cancelled; the threads end when that is done.
    pub fn close(&self) {
        let mut state = self.lock();
        state.closed = true;
        let waiting = std::mem::take(&mut state.waiting);
        for task in &waiting {
            state.tasks.remove(&task.attempt.id);
        }
        let begun: Vec<_> = state.tasks.values().cloned().collect();
        drop(state);
        for task in &waiting {
            self.outbox.put(report(&task.attempt, cancelled()));
        }
        for task in begun {
            task.attempt.cancel();
            task.wake();
        }
        self.work.notify_all();
    }

    /// One of the threads.
    fn work(self: Arc<Self>) {
        while let Some(task) = self.next() {
            self.shared.clock.enter();
            let ending = catch_unwind(AssertUnwindSafe(|| self.advance(&task)));
            self.shared.clock.leave();
            match ending {
                Ok(Some(ending)) => self.finish(&task, ending),
                Ok(None) => {}
                Err(_) => self.finish(
                    &task,
                    Ending::failed("ERR_ENGINE_BROKEN", "The engine panicked."),
                ),
            }
        }
        self.outbox.ring();
    }

    /// Those that have begun go first; None: the engine is closed and nothing is left.
    fn next(&self) -> Option<Arc<Task>> {
        let mut state = self.lock();
        let mut looked = false;
        loop {
            if let Some(task) = state.ready.pop_front() {
                self.ready.fetch_sub(1, Ordering::Relaxed);
                return Some(task);
            }
            if let Some(first) = state.waiting.front() {
                let (memories, tables) = (first.program.memories, first.program.tables);
                // One alone always may: what it needs beyond the pool fails it then.
                let room = state.begun == 0
                    || state.begun < self.shared.slots
                        && state.memories + memories <= self.shared.slots
                        && state.tables + tables <= pooled_tables(self.shared.slots);
                if room {
                    state.begun += 1;
                    state.memories += memories;
                    state.tables += tables;
                    return state.waiting.pop_front();
                }
            }
            if state.closed && state.begun == 0 {
                return None;
            }
            if !looked {
                looked = true;
                let submitted = self.submitted.load(Ordering::Acquire);
                let none = state.waiting.is_empty();
                drop(state);
                self.outbox.ring();
                if none {
                    self.look_out(submitted);
                }
                state = self.lock();
                continue;
            }
            state.idle += 1;
            state = self
                .work
                .wait(state)
                .unwrap_or_else(PoisonError::into_inner);
            state.idle -= 1;
        }
    }

    /// Waits a moment for more attempts than were submitted, awake; one thread at a time does.
    fn look_out(&self, submitted: usize) {
        if self.looking.swap(true, Ordering::Acquire) {
            return;
        }
        let began = Instant::now();
        while self.submitted.load(Ordering::Acquire) == submitted
            && self.ready.load(Ordering::Relaxed) == 0
            && began.elapsed() < LOOK_OUT
        {
            std::hint::spin_loop();
        }
        self.looking.store(false, Ordering::Release);
    }

    /// Runs a task until it ends or has to wait.
    fn advance(self: &Arc<Self>, task: &Arc<Task>) -> Option<Ending> {
        task.progress.store(RUNNING, Ordering::Release);
        // Nobody else holds it: only one thread at a time has a task that is running.
        let mut run = task.run.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(verdict) = task.attempt.overdue() {
            // What is suspended ends here: its stack is unwound.
            *run = Run::Ended;
            return Some(breach(verdict));
        }
        if let Run::New(input) = &*run {
            let executor = Arc::clone(self);
            *run = Run::Begun(Box::pin(run_attempt(
                Arc::clone(&self.shared),
                Arc::clone(&task.program),
                Arc::clone(&task.attempt),
                Arc::clone(input),
                move || {
                    executor.outbox.ring();
                    executor.ready.load(Ordering::Relaxed) > 0
                },
            )));
        }
        let Run::Begun(future) = &mut *run else {
            return None;
        };
        let waker = Waker::from(Arc::clone(task));
        let poll = || future.as_mut().poll(&mut Context::from_waker(&waker));
        let (progress, spent) = task.attempt.compute(poll);
        let ending = match (progress, spent) {
            (Poll::Ready(ending), _) => Some(ending),
            (Poll::Pending, spent) => spent.map(breach),
        };
        if ending.is_some() {
            *run = Run::Ended;
            return ending;
        }
        drop(run);
        let suspended =
            task.progress
                .compare_exchange(RUNNING, SUSPENDED, Ordering::AcqRel, Ordering::Acquire);
        if suspended.is_err() {
            task.progress.store(QUEUED, Ordering::Release);
            self.queue(Arc::clone(task));
        }
        None
    }

    fn finish(&self, task: &Arc<Task>, ending: Ending) {
        let mut state = self.lock();
        state.tasks.remove(&task.attempt.id);
        state.begun -= 1;
        state.memories -= task.program.memories;
        state.tables -= task.program.tables;
        let last = state.closed && state.begun == 0;
        // Room for one that needed what this one had.
        let more = state.idle > 0 && !state.waiting.is_empty();
        let crowd = state.waiting.len() > CROWD;
        drop(state);
        if last {
            self.work.notify_all();
        } else if more {
            self.work.notify_one();
        }
        let report = report(&task.attempt, ending);
        if crowd {
            self.outbox.hold(report);
        } else {
            self.outbox.put(report);
        }
    }
}

fn report(attempt: &Attempt, ending: Ending) -> Report {
    Report::Attempt {
        id: attempt.id,
        ending,
        log: attempt.take_log(),
        fuel: attempt.fuel(),
    }
}

fn breach(verdict: Verdict) -> Ending {
    match verdict {
        Verdict::Breach { code, message } => Ending::Failed { code, message },
        Verdict::Exit(status) => Ending::failed("ERR_STEP_FAILED", format!("exit {status}")),
    }
}

fn cancelled() -> Ending {
    breach(Verdict::cancelled())
}
