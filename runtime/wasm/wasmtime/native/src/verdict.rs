use std::fmt;

/// Why the host ended a guest where it stood. It travels through Wasmtime as an error and is found again behind it.
#[derive(Clone, Debug)]
pub enum Verdict {
    /// A limit was passed, or the attempt was cancelled; `code` is one of runtime/errors.ts.
    Breach { code: &'static str, message: String },
    /// The guest asked to exit.
    Exit(u32),
}

impl Verdict {
    pub fn breach(code: &'static str, message: impl Into<String>) -> Self {
        Verdict::Breach {
            code,
            message: message.into(),
        }
    }

    pub fn cancelled() -> Self {
        Self::breach("ERR_STEP_CANCELLED", "The attempt was cancelled.")
    }

    /// In milliseconds.
    pub fn processor_time(used: u64, limit: u64) -> Self {
        Self::breach(
            "ERR_STEP_CPU",
            format!("The attempt used {used} ms of processor time, over the limit of {limit} ms."),
        )
    }

    pub fn timeout(wall_ms: u64) -> Self {
        Self::breach(
            "ERR_STEP_TIMEOUT",
            format!("The attempt took longer than {wall_ms} ms."),
        )
    }
}

impl fmt::Display for Verdict {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Verdict::Breach { message, .. } => formatter.write_str(message),
            Verdict::Exit(status) => write!(formatter, "exit with code {status}"),
        }
    }
}

impl std::error::Error for Verdict {}

/// How an attempt came to its end; `Ending` of runtime/wasm/engine.ts.
#[derive(Debug)]
pub enum Ending {
    Exited {
        status: u32,
        stdout: String,
        /// How it had been refused memory.
        starved: Option<String>,
    },
    Returned(String),
    Retry {
        message: String,
        after_ms: Option<u64>,
        /// How it had been refused memory.
        starved: Option<String>,
    },
    Fatal(String),
    Failed {
        code: &'static str,
        message: String,
    },
}

impl Ending {
    pub fn failed(code: &'static str, message: impl Into<String>) -> Self {
        Ending::Failed {
            code,
            message: message.into(),
        }
    }
}
