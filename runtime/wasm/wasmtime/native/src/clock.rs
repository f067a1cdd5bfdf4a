use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::task::Waker;
use std::time::{Duration, Instant};

use wasmtime::Engine;

/// How long a guest goes on, at most, after its time is over.
const TICK: Duration = Duration::from_millis(1);

/// Ticks without a guest after which the ticking pauses: to start it again costs more than a tick.
const IDLE_TICKS: u32 = 50;

/// Wakes what sleeps, and has running guests look at their deadlines.
#[derive(Default)]
pub struct Clock {
    state: Mutex<State>,
    changed: Condvar,
    /// Threads that run a guest now.
    running: AtomicUsize,
}

#[derive(Default)]
struct State {
    timers: BinaryHeap<Reverse<Timer>>,
    next_id: u64,
    /// The thread waits without ticking.
    paused: bool,
    closed: bool,
}

struct Timer {
    at: Instant,
    id: u64,
    waker: Waker,
}

impl PartialEq for Timer {
    fn eq(&self, other: &Self) -> bool {
        (self.at, self.id) == (other.at, other.id)
    }
}
impl Eq for Timer {}
impl PartialOrd for Timer {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Timer {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        (self.at, self.id).cmp(&(other.at, other.id))
    }
}

impl Clock {
    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// To be called around everything that runs a guest.
    pub fn enter(&self) {
        // Ordered against `paused`: either this sees it set, or the thread sees the guest.
        if self.running.fetch_add(1, Ordering::SeqCst) == 0 {
            let mut state = self.lock();
            if state.paused {
                state.paused = false;
                self.changed.notify_one();
            }
        }
    }

    pub fn leave(&self) {
        self.running.fetch_sub(1, Ordering::SeqCst);
    }

    pub fn wake_at(&self, at: Instant, waker: Waker) {
        let mut state = self.lock();
        let id = state.next_id;
        state.next_id += 1;
        let first = state
            .timers
            .peek()
            .is_none_or(|Reverse(first)| at < first.at);
        state.timers.push(Reverse(Timer { at, id, waker }));
        if first {
            self.changed.notify_one();
        }
    }

    pub fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_one();
    }

    /// The clock's own thread, until it is closed.
    pub fn run(&self, engine: &Engine) {
        let mut idle = 0;
        let mut next_tick = Instant::now() + TICK;
        let mut state = self.lock();
        while !state.closed {
            let now = Instant::now();
            let mut due = Vec::new();
            while let Some(Reverse(first)) = state.timers.peek()
                && first.at <= now
            {
                due.extend(state.timers.pop().map(|Reverse(timer)| timer.waker));
            }
            if !due.is_empty() {
                drop(state);
                due.drain(..).for_each(Waker::wake);
                state = self.lock();
                continue;
            }
            if now >= next_tick {
                next_tick = now + TICK;
                engine.increment_epoch();
                idle = if self.running.load(Ordering::SeqCst) == 0 {
                    idle + 1
                } else {
                    0
                };
            }
            state.paused = idle >= IDLE_TICKS;
            if state.paused && self.running.load(Ordering::SeqCst) > 0 {
                state.paused = false;
                idle = 0;
            }
            let timer = state.timers.peek().map(|Reverse(first)| first.at);
            let until = match (state.paused, timer) {
                (true, None) => None,
                (true, Some(timer)) => Some(timer),
                (false, None) => Some(next_tick),
                (false, Some(timer)) => Some(timer.min(next_tick)),
            };
            state = match until {
                None => self
                    .changed
                    .wait(state)
                    .unwrap_or_else(PoisonError::into_inner),
                Some(until) => {
                    let rest = until.saturating_duration_since(now);
                    self.changed
                        .wait_timeout(state, rest)
                        .unwrap_or_else(PoisonError::into_inner)
                        .0
                }
            };
            if !state.paused {
                idle = idle.min(IDLE_TICKS - 1);
            }
        }
    }
}

/// Is ready at a time.
pub struct Sleep<'a> {
    clock: &'a Clock,
    until: Instant,
    armed: bool,
}

impl<'a> Sleep<'a> {
    pub fn new(clock: &'a Clock, until: Instant) -> Self {
        Sleep {
            clock,
            until,
            armed: false,
        }
    }
}

impl Future for Sleep<'_> {
    type Output = ();

    fn poll(
        mut self: std::pin::Pin<&mut Self>,
        context: &mut std::task::Context<'_>,
    ) -> std::task::Poll<()> {
        if Instant::now() >= self.until {
            return std::task::Poll::Ready(());
        }
        if !self.armed {
            self.armed = true;
            self.clock.wake_at(self.until, context.waker().clone());
        }
        std::task::Poll::Pending
    }
}
