use super::bounds::Account;
use super::fault::{Failure, Outcome};
use crate::verdict::Verdict;

/// The bytes from an offset on: at most so many, fewer at the end.
pub fn read(content: &[u8], offset: u64, at_most: usize) -> &[u8] {
    let from = usize::try_from(offset).map_or(content.len(), |from| from.min(content.len()));
    let left = &content[from..];
    &left[..left.len().min(at_most)]
}

/// Writes bytes; between the end of the file and an offset behind it there will be zeros.
pub fn write(
    content: &mut Vec<u8>,
    offset: u64,
    bytes: &[u8],
    account: &mut Account,
) -> Outcome<()> {
    let end = u128::from(offset) + bytes.len() as u128;
    if end > content.len() as u128 {
        resize(content, end, account)?;
    }
    let from = offset as usize;
    content[from..from + bytes.len()].copy_from_slice(bytes);
    Ok(())
}

/// Makes a file longer, by zeros, or shorter. What it shall be is counted before memory is taken for it.
pub fn resize(content: &mut Vec<u8>, to: u128, account: &mut Account) -> Outcome<()> {
    let now = content.len();
    if to <= now as u128 {
        let to = to as usize;
        account.give_back(now - to);
        content.truncate(to);
        // No more than half of what is held may be unused, or a file that shrank would hold what is not counted.
        if to < content.capacity() / 2 {
            content.shrink_to_fit();
        }
        return Ok(());
    }
    account.take(to - now as u128)?;
    let to = to as usize;
    if to > content.capacity() {
        let capacity = to.max(now.saturating_mul(2));
        // The limit is the operator's, and may be more than the machine has.
        content
            .try_reserve_exact(capacity - now)
            .map_err(|_| refused(to))?;
    }
    content.resize(to, 0);
    Ok(())
}

fn refused(bytes: usize) -> Failure {
    Failure::Breach(Verdict::breach(
        "ERR_STEP_TMP",
        format!("The host has no memory for a file of {bytes} bytes in /tmp."),
    ))
}
