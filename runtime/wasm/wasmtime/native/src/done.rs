use napi::bindgen_prelude::Buffer;
use napi_derive::napi;

use crate::outbox::Report;
use crate::program::Refusal;
use crate::verdict::Ending;

#[napi(object, object_from_js = false)]
pub struct Line {
    pub level: &'static str,
    pub message: String,
}

/// Something that has ended, or a call that an attempt makes. Of an attempt: `kind` is that of its ending.
#[napi(object, object_from_js = false)]
pub struct Done {
    pub id: u32,
    pub kind: &'static str,
    /// The output, the message, what was printed, or what is asked.
    pub text: Option<String>,
    /// Of "failed".
    pub code: Option<&'static str>,
    /// The exit code, the milliseconds to wait, or the number of a program or a call.
    pub number: Option<f64>,
    pub starved: Option<String>,
    pub logs: Option<Vec<Line>>,
    pub fuel: Option<f64>,
    pub bytes: Option<f64>,
    pub initial_memory: Option<f64>,
    /// The bytes of a call.
    pub data: Option<Buffer>,
    pub memories: Option<u32>,
}

pub fn done(report: Report) -> Done {
    let blank = |id, kind| Done {
        id,
        kind,
        text: None,
        code: None,
        number: None,
        starved: None,
        logs: None,
        fuel: None,
        bytes: None,
        initial_memory: None,
        data: None,
        memories: None,
    };
    match report {
        Report::Closed => blank(0, "closed"),
        Report::Call {
            id,
            number,
            head,
            bytes,
        } => Done {
            number: Some(number.into()),
            text: Some(head),
            data: (!bytes.is_empty()).then(|| bytes.into()),
            ..blank(id, "call")
        },
        Report::Forgotten { id, number } => Done {
            number: Some(number.into()),
            ..blank(id, "forgotten")
        },
        Report::Program { id, outcome } => match outcome {
            Ok(Some(prepared)) => Done {
                number: Some(prepared.number.into()),
                bytes: Some(prepared.bytes as f64),
                initial_memory: Some(prepared.initial_memory as f64),
                memories: Some(prepared.memories),
                ..blank(id, "program")
            },
            Ok(None) => blank(id, "absent"),
            Err(Refusal { code, message }) => Done {
                text: Some(message),
                code: Some(code),
                ..blank(id, "refused")
            },
        },
        Report::Attempt {
            id,
            ending,
            log,
            fuel,
        } => {
            let log = (!log.is_empty()).then(|| {
                log.into_iter()
                    .map(|line| Line {
                        level: line.level,
                        message: line.message,
                    })
                    .collect()
            });
            Done {
                logs: log,
                fuel: fuel.map(|fuel| fuel as f64),
                ..ended(ending, |kind| blank(id, kind))
            }
        }
    }
}

fn ended(ending: Ending, blank: impl Fn(&'static str) -> Done) -> Done {
    match ending {
        Ending::Exited {
            status,
            stdout,
            starved,
        } => Done {
            text: Some(stdout),
            number: Some(status.into()),
            starved,
            ..blank("exited")
        },
        Ending::Returned(text) => Done {
            text: Some(text),
            ..blank("returned")
        },
        Ending::Retry {
            message,
            after_ms,
            starved,
        } => Done {
            text: Some(message),
            number: after_ms.map(|after| after as f64),
            starved,
            ..blank("retry")
        },
        Ending::Fatal(message) => Done {
            text: Some(message),
            ..blank("fatal")
        },
        Ending::Failed { code, message } => Done {
            text: Some(message),
            code: Some(code),
            ..blank("failed")
        },
    }
}
