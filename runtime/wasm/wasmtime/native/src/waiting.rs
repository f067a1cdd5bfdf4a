use std::pin::pin;
use std::task::Poll;

use crate::clock::Sleep;
use crate::world::World;

/// Waits until one of these calls is answered or until that time on the monotonic clock of the world, whichever is first;
/// or until the attempt's own time is over. What waits holds no thread.
pub async fn wait(world: &World, calls: &[u32], monotonic: Option<u64>) {
    if let (Some(hermetic), [], Some(monotonic)) = (&world.hermetic, calls, monotonic) {
        let elapsed = hermetic.pass_to(monotonic);
        if elapsed > world.attempt.limits.wall_ms.saturating_mul(1_000_000) {
            world.attempt.expire();
            // As below, but at once.
            std::future::poll_fn::<(), _>(|context| {
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
        return;
    }
    // Clocks that are fixed stand while an answer is waited for: whatever it takes, it comes before the time.
    let monotonic = monotonic.filter(|_| world.hermetic.is_none());
    let deadline = world.attempt.begin();
    let until = monotonic
        .and_then(|at| world.instant(at))
        .map_or(deadline, |at| at.min(deadline));
    let mut sleep = pin!(Sleep::new(&world.clock, until));
    std::future::poll_fn(|context| {
        let mut calls = calls.iter();
        if calls.any(|call| world.attempt.calls.is_answered(*call)) {
            return Poll::Ready(());
        }
        // Where the attempt's own time is over, the thread that polls ends it before this is reached again.
        match sleep.as_mut().poll(context) {
            Poll::Ready(()) if until < deadline => Poll::Ready(()),
            _ => Poll::Pending,
        }
    })
    .await;
}

/// Waits until that time on the monotonic clock of the world, or until the attempt's own time is over.
pub async fn wait_until(world: &World, monotonic: u64) {
    wait(world, &[], Some(monotonic)).await;
}
