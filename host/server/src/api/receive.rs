//! Components are received into a file, at a pace that nobody can slow down for long.

use std::path::Path;
use std::time::Duration;

use axum::body::Body;
use botyard_kernel::limits::{Bound, Limit};
use botyard_runtime::{Incoming, Upload};
use futures_util::StreamExt as _;
use tokio::time::{Instant, timeout_at};

use super::problem::{Code, Problem};
use crate::config::Config;

/// How slow an upload may be.
#[derive(Clone, Copy, Debug)]
struct Pace {
    /// Every upload may take so long.
    grace: Duration,
    /// And a second more for each of so many bytes that came.
    bytes_a_second: usize,
    /// It may stand still for so long.
    patience: Duration,
}

impl Pace {
    /// How long so many bytes may take.
    fn allowed(self, bytes: usize) -> Duration {
        self.grace + Duration::from_secs_f64(bytes as f64 / self.bytes_a_second as f64)
    }

    fn late(self) -> Problem {
        let detail = format!(
            "the upload is too slow, or stood still: it may take {} s and one more for each {} \
             KiB; send it again",
            self.grace.as_secs(),
            self.bytes_a_second >> 10
        );
        Problem::bad(detail)
    }
}

/// Receives a component: as much as the larger of both tiers takes.
pub(super) async fn receive(body: Body, config: &Config) -> Result<Upload, Problem> {
    let patience = config.server.body_timeout;
    let pace = Pace { grace: Duration::from_secs(30), bytes_a_second: 64 << 10, patience };
    let tiers = [&config.runtime.native, &config.runtime.interpreted];
    let most = tiers.map(|tier| tier.limits.component_bytes).into_iter().max().unwrap_or(0);
    receive_at(pace, most, body, &config.store.directory).await
}

async fn receive_at(
    pace: Pace,
    most: usize,
    body: Body,
    directory: &Path,
) -> Result<Upload, Problem> {
    let mut incoming = Incoming::begin(directory).await.map_err(unwritten)?;
    let (began, mut pieces) = (Instant::now(), body.into_data_stream());
    loop {
        let until = (began + pace.allowed(incoming.bytes())).min(Instant::now() + pace.patience);
        let piece = timeout_at(until, pieces.next()).await.map_err(|_| pace.late())?;
        let Some(piece) = piece else { return Ok(incoming.finish()) };
        let piece =
            piece.map_err(|error| Problem::bad(format!("the upload broke off: {error}")))?;
        if incoming.bytes() + piece.len() > most {
            // The larger of both tiers: which one it is in, its code says, and that is not here.
            let bound = Bound::of_kind(Limit::InterpretedComponentBytes, most as u64);
            let detail = format!("a component has at most {most} bytes ({bound})");
            return Err(Problem::new(Code::TooLarge, detail));
        }
        incoming = incoming.push(piece).await.map_err(unwritten)?;
    }
}

fn unwritten(error: std::io::Error) -> Problem {
    tracing::error!(%error, "an upload cannot be written to the directory of the store");
    Problem::new(Code::Unavailable, "the host cannot take the upload now: send it again later")
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use futures_util::stream;

    use super::*;

    const PACE: Pace = Pace {
        grace: Duration::from_millis(500),
        bytes_a_second: 64 << 10,
        patience: Duration::from_secs(60),
    };

    /// Receives so many pieces of so many bytes, one after each pause.
    async fn received(
        pace: Pace,
        count: usize,
        bytes: usize,
        pause: Duration,
    ) -> Result<Upload, Problem> {
        let pieces = stream::unfold(0, move |sent| async move {
            if sent == count {
                return None;
            }
            tokio::time::sleep(pause).await;
            Some((Ok::<_, std::io::Error>(Bytes::from(vec![7; bytes])), sent + 1))
        });
        let directory = tempfile::tempdir().unwrap();
        let received =
            receive_at(pace, 32 << 20, Body::from_stream(pieces), directory.path()).await;
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
        received
    }

    #[tokio::test]
    async fn who_sends_a_byte_now_and_then_is_not_waited_for() {
        let pause = Duration::from_millis(50);
        let problem = received(PACE, 100_000, 1, pause).await.unwrap_err();
        assert!(problem.detail.contains("too slow"), "{}", problem.detail);
        let impatient = Pace { patience: pause, grace: Duration::from_secs(3_600), ..PACE };
        let problem = received(impatient, 1, 1, 100 * pause).await.unwrap_err();
        assert!(problem.detail.contains("stood still"), "{}", problem.detail);
    }

    #[tokio::test]
    async fn what_comes_earns_time() {
        // Twice as long as the grace, and what came was worth more.
        let upload = received(PACE, 20, 128 << 10, Duration::from_millis(50)).await.unwrap();
        assert_eq!(upload.bytes(), 20 * (128 << 10));
    }

    #[tokio::test]
    async fn what_is_too_large_is_not_read_to_its_end() {
        let problem = received(PACE, 1_000, 1 << 20, Duration::ZERO).await.unwrap_err();
        assert_eq!(problem.code, "too-large");
    }
}
