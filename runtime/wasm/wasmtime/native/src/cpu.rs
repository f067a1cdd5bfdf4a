use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

/// The processor time of one attempt: what its threads compute for it, not what they wait or what others compute.
#[derive(Default)]
pub struct CpuTime {
    /// Until it was last put aside, in nanoseconds.
    before: AtomicU64,
    /// Where its thread's clock stood when it was taken up, in nanoseconds.
    from: AtomicU64,
}

impl CpuTime {
    /// This thread goes on with it.
    pub fn resume(&self) {
        self.from.store(thread_time(), Ordering::Relaxed);
    }

    /// This thread, which resumed it, puts it aside.
    pub fn suspend(&self) {
        let used = self.used();
        self.before.store(used, Ordering::Relaxed);
    }

    /// Until now in nanoseconds, on the thread that resumed it.
    pub fn used(&self) -> u64 {
        let from = self.from.load(Ordering::Relaxed);
        let now = thread_time().saturating_sub(from);
        self.before.load(Ordering::Relaxed).saturating_add(now)
    }
}

/// Nanoseconds on a clock that stands while this thread waits, or waits for a processor, where the system has one.
fn thread_time() -> u64 {
    #[cfg(unix)]
    let time = {
        use rustix::time::{ClockId, clock_gettime};
        Duration::try_from(clock_gettime(ClockId::ThreadCPUTime)).unwrap_or_default()
    };
    #[cfg(not(unix))]
    let time = {
        use std::sync::LazyLock;
        use std::time::Instant;
        static BEGAN: LazyLock<Instant> = LazyLock::new(Instant::now);
        BEGAN.elapsed()
    };
    u64::try_from(Duration::as_nanos(&time)).unwrap_or(u64::MAX)
}
