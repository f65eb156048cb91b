//! A store that has stopped writing: nothing but a new start recovers it.

use std::time::Duration;

/// A host looks at its store so often.
const EVERY: Duration = Duration::from_millis(500);
/// What is told of it has so long to leave.
const ALERT_WITHIN: Duration = Duration::from_secs(10);

/// Waits until the store has stopped writing, and until that has been told.
pub(super) async fn wait(writes: impl Fn() -> bool) {
    wait_for(writes, EVERY, ALERT_WITHIN).await;
}

async fn wait_for(writes: impl Fn() -> bool, every: Duration, within: Duration) {
    while writes() {
        tokio::time::sleep(every).await;
    }
    tracing::error!(
        ?within,
        "the store has stopped writing: this host ends, so that the next start can recover it"
    );
    tokio::time::sleep(within).await;
}

#[cfg(test)]
mod tests {
    use std::cell::Cell;

    use super::*;

    #[tokio::test]
    async fn a_host_ends_only_when_its_store_has_stopped_and_that_was_told() {
        let (begun, looks) = (std::time::Instant::now(), Cell::new(0));
        let writes = || {
            looks.set(looks.get() + 1);
            looks.get() < 5
        };
        let (every, within) = (Duration::from_millis(1), Duration::from_millis(20));
        wait_for(writes, every, within).await;
        assert_eq!(looks.get(), 5);
        assert!(begun.elapsed() >= 4 * every + within);
    }
}
