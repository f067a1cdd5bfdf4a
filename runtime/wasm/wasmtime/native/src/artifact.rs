use std::fs;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering};

use sha2::{Digest, Sha256};

const DIGEST_BYTES: usize = 32;

/// Makes names of temporary files differ within this process.
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Compiled code from disk; None when there is none, or when the file is not as it was written under this name.
pub fn read(path: &Path) -> Option<Vec<u8>> {
    let mut file = fs::read(path).ok()?;
    if file.len() < DIGEST_BYTES {
        return None;
    }
    let code = file.split_off(DIGEST_BYTES);
    (digest(path, &code) == file[..]).then_some(code)
}

/// Of the name too, which has the binary's digest and the engine's version: what was compiled of another binary, or by
/// another version, must not run because its file lies in this place.
fn digest(path: &Path, code: &[u8]) -> [u8; DIGEST_BYTES] {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    Sha256::new()
        .chain_update((name.len() as u64).to_le_bytes())
        .chain_update(name)
        .chain_update(code)
        .finalize()
        .into()
}

/// Writes compiled code behind its digest. A cache that can't be written is no failure: the next start is slower.
pub fn write(path: &Path, code: &[u8]) {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let temporary = path.with_extension(format!("{}-{number}", std::process::id()));
    let written = path
        .parent()
        .map_or(Ok(()), fs::create_dir_all)
        .and_then(|()| fs::write(&temporary, [&digest(path, code)[..], code].concat()))
        .and_then(|()| fs::rename(&temporary, path));
    if written.is_err() {
        // It may not be there.
        let _ = fs::remove_file(&temporary);
    }
}
