use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use serde::{Deserialize, Serialize};

use crate::outbox::{Outbox, Report};

/// Calls of one attempt that Node has not answered yet.
const MOST_UNDER_WAY: usize = 1_000;

/// What a guest's import asks of the host; `HostCall` of runtime/wasm/calls.ts.
#[derive(Serialize)]
#[serde(tag = "op", rename_all_fields = "camelCase")]
pub enum HostCall<'a> {
    #[serde(rename = "http")]
    Http(Request),
    #[serde(rename = "kv.get")]
    Get { bucket: &'a str, key: &'a str },
    #[serde(rename = "kv.delete")]
    Delete { bucket: &'a str, key: &'a str },
    #[serde(rename = "kv.exists")]
    Exists { bucket: &'a str, key: &'a str },
    #[serde(rename = "kv.keys")]
    Keys {
        bucket: &'a str,
        #[serde(skip_serializing_if = "Option::is_none")]
        cursor: Option<&'a str>,
    },
    #[serde(rename = "kv.set")]
    Set {
        bucket: &'a str,
        key: &'a str,
        /// Some(None): only where there is no such key.
        #[serde(skip_serializing_if = "Option::is_none")]
        revision: Option<Option<&'a str>>,
    },
    #[serde(rename = "kv.increment")]
    Increment {
        bucket: &'a str,
        key: &'a str,
        delta: String,
    },
}

/// One outgoing request; its body is the bytes.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Request {
    pub method: String,
    pub scheme: &'static str,
    pub authority: String,
    pub path: String,
    /// Names in lower case; values as Latin-1.
    pub headers: Vec<(String, String)>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub connect_timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub first_byte_timeout_ms: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub between_bytes_timeout_ms: Option<u64>,
}

/// What Node answers; `HostAnswer` of runtime/wasm/calls.ts. A breach ends the attempt before it gets here.
#[derive(Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub enum HostAnswer {
    Response {
        status: u16,
        headers: Vec<(String, String)>,
    },
    HttpError {
        code: String,
        detail: Option<String>,
    },
    Value {
        found: bool,
        revision: Option<String>,
    },
    Done {
        changed: bool,
    },
    Count {
        value: String,
    },
    Keys {
        keys: Vec<String>,
        cursor: Option<String>,
    },
    KvError {
        code: String,
        detail: Option<String>,
    },
}

/// An answer, with its bytes.
pub struct Answer {
    /// JSON.
    pub head: String,
    pub bytes: Vec<u8>,
}

/// What one attempt has asked of Node.
pub struct Calls {
    attempt: u32,
    /// None: nobody is there to answer.
    outbox: Option<Arc<Outbox>>,
    state: Mutex<State>,
}

#[derive(Default)]
struct State {
    next: u32,
    open: HashMap<u32, Slot>,
    /// Those of `open` that are not answered.
    under_way: usize,
    /// That Node has of the attempt or the attempt has not taken yet.
    bytes: usize,
}

enum Slot {
    /// With the bytes that went along.
    Asked(usize),
    /// The same, of one whose answer nobody wants any more.
    Forgotten(usize),
    Answered(Answer),
}

impl Calls {
    pub fn new(attempt: u32, outbox: Option<Arc<Outbox>>) -> Self {
        Calls {
            attempt,
            outbox,
            state: Mutex::default(),
        }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Bytes that the host holds for calls.
    pub fn bytes(&self) -> usize {
        self.lock().bytes
    }

    /// Sends a call to Node; None: too many are under way.
    pub fn ask(&self, call: &HostCall<'_>, bytes: Vec<u8>) -> Option<u32> {
        let outbox = self.outbox.as_ref()?;
        let head = serde_json::to_string(call).ok()?;
        let number = {
            let mut state = self.lock();
            if state.under_way == MOST_UNDER_WAY {
                return None;
            }
            state.next = state.next.wrapping_add(1);
            let number = state.next;
            state.open.insert(number, Slot::Asked(bytes.len()));
            state.under_way += 1;
            state.bytes += bytes.len();
            number
        };
        outbox.put(Report::Call {
            id: self.attempt,
            number,
            head,
            bytes,
        });
        Some(number)
    }

    /// Takes an answer of Node; false when its bytes are more than `limit` with all others.
    pub fn answer(&self, number: u32, answer: Answer, limit: usize) -> bool {
        let mut state = self.lock();
        let State {
            open,
            under_way,
            bytes,
            ..
        } = &mut *state;
        let Entry::Occupied(mut slot) = open.entry(number) else {
            return true;
        };
        match *slot.get() {
            Slot::Answered(_) => return true,
            Slot::Forgotten(sent) => {
                *bytes -= sent;
                slot.remove();
            }
            Slot::Asked(sent) => {
                *bytes -= sent;
                if bytes.saturating_add(answer.bytes.len()) > limit {
                    return false;
                }
                *bytes += answer.bytes.len();
                slot.insert(Slot::Answered(answer));
            }
        }
        *under_way -= 1;
        true
    }

    /// Whether there is an answer to take, or none will come.
    pub fn is_answered(&self, number: u32) -> bool {
        !matches!(self.lock().open.get(&number), Some(Slot::Asked(_)))
    }

    pub fn take(&self, number: u32) -> Option<Answer> {
        let mut state = self.lock();
        match state.open.get(&number) {
            Some(Slot::Answered(_)) => {}
            _ => return None,
        }
        let Some(Slot::Answered(answer)) = state.open.remove(&number) else {
            return None;
        };
        state.bytes -= answer.bytes.len();
        Some(answer)
    }

    /// Lets go of a call: Node may give it up, and its answer is dropped.
    pub fn forget(&self, number: u32) {
        let mut state = self.lock();
        match state.open.get_mut(&number) {
            Some(slot @ Slot::Asked(_)) => {
                if let Slot::Asked(sent) = *slot {
                    *slot = Slot::Forgotten(sent);
                }
            }
            Some(Slot::Answered(answer)) => {
                let bytes = answer.bytes.len();
                state.bytes -= bytes;
                state.open.remove(&number);
                return;
            }
            _ => return,
        }
        drop(state);
        if let Some(outbox) = &self.outbox {
            outbox.put(Report::Forgotten {
                id: self.attempt,
                number,
            });
        }
    }
}
