use std::sync::atomic::{AtomicU64, Ordering};

/// What each look at a clock moves all of them on by, in nanoseconds: whoever waits for a time by looking gets there.
const LOOK: u64 = 1_000;

/// Clocks and randomness that nothing outside of the attempt moves; runtime/wasm/v8/wasi/hermetic.ts does the same.
pub struct Hermetic {
    /// Milliseconds since 1970-01-01T00:00:00Z.
    start_ms: u64,
    /// Nanoseconds.
    elapsed: AtomicU64,
    words: [u32; 4],
}

impl Hermetic {
    pub fn new(start_ms: u64, words: [u32; 4]) -> Self {
        Hermetic {
            start_ms,
            elapsed: AtomicU64::new(0),
            words,
        }
    }

    fn look(&self) -> u64 {
        let elapsed = self.elapsed.load(Ordering::Relaxed);
        self.pass_to(elapsed.saturating_add(LOOK))
    }

    /// Nanoseconds on a clock that never goes back.
    pub fn monotonic(&self) -> u64 {
        self.look()
    }

    /// Nanoseconds since 1970, in steps of a millisecond.
    pub fn wall_clock(&self) -> u64 {
        let now = (self.start_ms.saturating_mul(1_000_000)).saturating_add(self.look());
        now - now % 1_000_000
    }

    /// Lets time pass until then.
    pub fn pass_to(&self, elapsed: u64) -> u64 {
        self.elapsed
            .fetch_max(elapsed, Ordering::Relaxed)
            .max(elapsed)
    }

    /// xoshiro128** by David Blackman and Sebastiano Vigna: 32 bits at a time. Not for secrets, which a seed can't make.
    fn next(&mut self) -> u32 {
        let [a, b, c, d] = &mut self.words;
        let result = b.wrapping_mul(5).rotate_left(7).wrapping_mul(9);
        let shifted = *b << 9;
        *c ^= *a;
        *d ^= *b;
        *b ^= *c;
        *a ^= *d;
        *c ^= shifted;
        *d = d.rotate_left(11);
        result
    }

    pub fn random(&mut self, bytes: &mut [u8]) {
        for chunk in bytes.chunks_mut(4) {
            let word = self.next().to_le_bytes();
            chunk.copy_from_slice(&word[..chunk.len()]);
        }
    }
}
