//! Waiting for something that another program does, within a time.

use std::time::{Duration, Instant};

use anyhow::{Result, bail};

const POLL: Duration = Duration::from_millis(10);

/// Asks again and again until there is an answer.
///
/// # Errors
///
/// There was none within the time; `what` is named.
pub async fn until<T>(
    what: &str,
    within: Duration,
    mut ask: impl FnMut() -> Option<T>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return Ok(answer);
        }
        if start.elapsed() >= within {
            bail!("{what}: nothing within {within:?}");
        }
        tokio::time::sleep(POLL).await;
    }
}

/// As [`until`], for a question that takes its time.
///
/// # Errors
///
/// As [`until`], and where the question fails.
pub async fn until_asked<T>(
    what: &str,
    within: Duration,
    mut ask: impl AsyncFnMut() -> Result<Option<T>>,
) -> Result<T> {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask().await? {
            return Ok(answer);
        }
        if start.elapsed() >= within {
            bail!("{what}: nothing within {within:?}");
        }
        tokio::time::sleep(POLL).await;
    }
}
