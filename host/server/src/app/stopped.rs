//! How a host ends: because it is told to, or because its store has stopped writing, which
//! nothing but a new start recovers.

use std::time::Duration;

/// A host looks at its store so often.
const EVERY: Duration = Duration::from_millis(500);
/// What is told of it has so long to leave.
const ALERT_WITHIN: Duration = Duration::from_secs(10);
/// What is under way when the store has stopped cannot be written down any more.
const STOPPED_GRACE: Duration = Duration::from_secs(2);

/// Waits until a host is told to end, or until its store has stopped writing and that has
/// been told. Then lets it `end` within so long: within `grace`, if its store writes.
///
/// # Errors
/// The store has stopped writing, whatever the host ends for, and also if it did so at
/// the very end: whoever looks after the process has to start it again.
pub(super) async fn serve(
    told: impl Future<Output = ()>,
    writes: impl Fn() -> bool,
    grace: Duration,
    end: impl AsyncFnOnce(Duration),
) -> anyhow::Result<()> {
    tokio::select! {
        biased;
        () = told => {}
        () = stops(&writes, EVERY, ALERT_WITHIN) => {}
    }
    end(if writes() { grace } else { grace.min(STOPPED_GRACE) }).await;
    anyhow::ensure!(
        writes(),
        "the store has stopped writing: look at the disk, then start the host again; everything \
         that was acknowledged is there"
    );
    Ok(())
}

async fn stops(writes: impl Fn() -> bool, every: Duration, within: Duration) {
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
        stops(writes, every, within).await;
        assert_eq!(looks.get(), 5);
        assert!(begun.elapsed() >= 4 * every + within);
    }

    /// How a host ends that is told to at once: whether well, and the time that it had.
    async fn told(writes: impl Fn() -> bool) -> (bool, Duration) {
        let mut had = Duration::ZERO;
        let end = async |within| had = within;
        let ended = serve(async {}, writes, Duration::from_secs(30), end).await;
        (ended.is_ok(), had)
    }

    #[tokio::test]
    async fn a_host_that_is_told_to_end_fails_if_its_store_has_stopped() {
        assert_eq!(told(|| true).await, (true, Duration::from_secs(30)));
        assert_eq!(told(|| false).await, (false, STOPPED_GRACE));
        let still = Cell::new(true);
        assert_eq!(told(|| still.replace(false)).await, (false, Duration::from_secs(30)));
    }
}
