use std::collections::BTreeMap;
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
    /// What to wake when; the number keeps those of the same time apart.
    timers: BTreeMap<TimerKey, Waker>,
    next_id: u64,
    /// The thread waits without ticking.
    paused: bool,
    closed: bool,
}

type TimerKey = (Instant, u64);

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

    fn wake_at(&self, at: Instant, waker: Waker) -> TimerKey {
        let mut state = self.lock();
        let key = (at, state.next_id);
        state.next_id += 1;
        let first = state
            .timers
            .first_key_value()
            .is_none_or(|(first, _)| key < *first);
        state.timers.insert(key, waker);
        if first {
            self.changed.notify_one();
        }
        key
    }

    fn forget(&self, timer: TimerKey) {
        // Its waker is let go of behind the lock.
        let waker = self.lock().timers.remove(&timer);
        drop(waker);
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
            while let Some(first) = state.timers.first_entry()
                && first.key().0 <= now
            {
                due.push(first.remove());
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
            let timer = state.timers.first_key_value().map(|((at, _), _)| *at);
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

/// Is ready at a time. Given up before, it leaves nothing behind.
pub struct Sleep<'a> {
    clock: &'a Clock,
    until: Instant,
    armed: Option<TimerKey>,
}

impl<'a> Sleep<'a> {
    pub fn new(clock: &'a Clock, until: Instant) -> Self {
        Sleep {
            clock,
            until,
            armed: None,
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
        if self.armed.is_none() {
            self.armed = Some(self.clock.wake_at(self.until, context.waker().clone()));
        }
        std::task::Poll::Pending
    }
}

impl Drop for Sleep<'_> {
    fn drop(&mut self) {
        if let Some(timer) = self.armed {
            self.clock.forget(timer);
        }
    }
}
