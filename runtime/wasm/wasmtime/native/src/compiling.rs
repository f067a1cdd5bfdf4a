use rayon::{ThreadPool, ThreadPoolBuildError, ThreadPoolBuilder};

use crate::nesting::STACK;

/// The threads on which Cranelift compiles, beside those of attempts and behind them. They end with the engine.
pub fn compiling_threads() -> Result<ThreadPool, ThreadPoolBuildError> {
    ThreadPoolBuilder::new()
        .thread_name(|_| "millrace-compile".to_owned())
        .start_handler(|_| step_back())
        .stack_size(STACK)
        .build()
}

/// Lets the threads of attempts go first where the cores do not suffice for all.
#[cfg(target_os = "linux")]
fn step_back() {
    // SAFETY: it reads and writes no memory. On Linux 0 is the calling thread alone; if it is refused, all stays as it is.
    #[allow(unsafe_code)]
    unsafe {
        libc::setpriority(libc::PRIO_PROCESS, 0, 5);
    }
}

#[cfg(not(target_os = "linux"))]
fn step_back() {}
