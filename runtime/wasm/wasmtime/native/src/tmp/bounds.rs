use super::fault::{Failure, Outcome};
use crate::verdict::Verdict;

/// Names, and nodes that are held without one. No document changes it, nor the others; v8 has the same ones.
const MOST_NAMES: u32 = 10_000;

/// Descriptors that are open at once.
pub const MOST_DESCRIPTORS: u32 = 1_024;

/// Of a path and of a link's target, in bytes.
pub const PATH_BYTES: usize = 4_096;
pub const NAME_BYTES: usize = 255;

/// Symbolic links that one path may lead through.
pub const MOST_LINKS: u32 = 40;

/// Counts what the tree holds; going over ends the attempt.
pub struct Account {
    limit: u64,
    bytes: u64,
    names: u32,
}

fn breach(message: String) -> Failure {
    Failure::Breach(Verdict::breach("ERR_STEP_TMP", message))
}

impl Account {
    pub fn new(limit: u64) -> Self {
        Account {
            limit,
            bytes: 0,
            names: 0,
        }
    }

    /// Counts bytes of contents, links' targets and names.
    pub fn take(&mut self, bytes: u128) -> Outcome<()> {
        let all = u128::from(self.bytes) + bytes;
        match u64::try_from(all) {
            Ok(all) if all <= self.limit || bytes == 0 => {
                self.bytes = all;
                Ok(())
            }
            _ => Err(breach(format!(
                "The attempt put {all} bytes into /tmp, over the limit of {}.",
                self.limit
            ))),
        }
    }

    pub fn give_back(&mut self, bytes: usize) {
        self.bytes = self.bytes.saturating_sub(bytes as u64);
    }

    /// Counts a name, or a node that is held without one.
    pub fn take_name(&mut self) -> Outcome<()> {
        self.names += 1;
        if self.names <= MOST_NAMES {
            return Ok(());
        }
        Err(breach(format!(
            "The attempt has {} files and folders in /tmp, over the limit of {MOST_NAMES}.",
            self.names
        )))
    }

    pub fn give_back_name(&mut self) {
        self.names = self.names.saturating_sub(1);
    }
}
