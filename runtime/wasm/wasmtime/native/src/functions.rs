use std::borrow::Cow;
use std::collections::HashMap;
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

use wasmtime::CacheStore;

use crate::artifact;

/// Kept in memory at most, in bytes; then it begins anew.
const MOST_BYTES: usize = 64 * 1024 * 1024;

/// Single functions that were compiled. Most of a changed component is as it was (its interpreter, its libraries), so
/// that compiling it again takes a fraction of the first time. Keys are digests over all that a function's code depends
/// on, which Cranelift makes.
#[derive(Debug, Default)]
pub struct Functions {
    kept: Mutex<Kept>,
    changed: AtomicBool,
}

#[derive(Debug, Default)]
struct Kept {
    code: HashMap<Box<[u8]>, Box<[u8]>>,
    bytes: usize,
}

impl Kept {
    fn insert(&mut self, key: &[u8], code: &[u8]) {
        if self.bytes + key.len() + code.len() > MOST_BYTES {
            *self = Kept::default();
        }
        if self.code.insert(key.into(), code.into()).is_none() {
            self.bytes += key.len() + code.len();
        }
    }
}

impl CacheStore for Functions {
    fn get(&self, key: &[u8]) -> Option<Cow<'_, [u8]>> {
        let kept = self.lock();
        kept.code.get(key).map(|code| Cow::Owned(code.to_vec()))
    }

    fn insert(&self, key: &[u8], code: Vec<u8>) -> bool {
        self.lock().insert(key, &code);
        self.changed.store(true, Ordering::Relaxed);
        true
    }
}

impl Functions {
    fn lock(&self) -> MutexGuard<'_, Kept> {
        self.kept.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds what a file holds; one that is not as it was written adds nothing.
    pub fn read(&self, path: &Path) {
        let Some(file) = artifact::read(path) else {
            return;
        };
        let mut rest = &file[..];
        let mut kept = self.lock();
        while let (Some(key), Some(code)) = (take(&mut rest), take(&mut rest)) {
            kept.insert(key, code);
        }
    }

    /// Writes all to a file, if there is something new.
    pub fn write(&self, path: &Path) {
        if !self.changed.swap(false, Ordering::Relaxed) {
            return;
        }
        let mut file = Vec::new();
        for (key, code) in &self.lock().code {
            for part in [key, code] {
                file.extend_from_slice(&(part.len() as u32).to_le_bytes());
                file.extend_from_slice(part);
            }
        }
        artifact::write(path, &file);
    }
}

/// The next part of a file: its length, then its bytes.
fn take<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let (length, behind) = rest.split_first_chunk::<4>()?;
    let (part, behind) = behind.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    *rest = behind;
    Some(part)
}
