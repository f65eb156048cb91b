//! One sending of a webhook over the line, as well or as badly as it is meant to go.

use std::time::Duration;

use anyhow::{Context as _, Result};

use super::faults::{Fault, Faults};
use super::held::Held;
use super::webhook::Webhook;

/// So much of an answer is read by who leaves in its middle: less than the
/// shortest head.
const TORN_BYTES: usize = 16;

/// What was read of an answer.
#[derive(Debug, Default)]
pub(super) struct Read {
    /// The status, where it was read.
    pub(super) status: Option<u16>,
    pub(super) retry_after: Option<u64>,
    pub(super) body: String,
    /// Read to its end.
    pub(super) whole: bool,
    /// Why it is not whole.
    pub(super) reason: String,
}

impl Read {
    fn broken(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }

    fn whole(status: u16, retry_after: Option<u64>, body: String) -> Self {
        Self { status: Some(status), retry_after, body, whole: true, reason: String::new() }
    }
}

/// Sends it and reads the answer, with the fault that meets it.
pub(super) async fn send(
    http: &reqwest::Client,
    webhook: &Webhook,
    body: &[u8],
    fault: Option<Fault>,
    faults: &Faults,
    stay: Duration,
) -> Read {
    let read = match fault {
        Some(Fault::Leave) => leave(webhook, body, stay).await,
        Some(Fault::Tear) => tear(webhook, body).await,
        Some(Fault::SlowRead) => slow(webhook, body, faults.pause).await,
        _ => well(http, webhook, body).await,
    };
    read.unwrap_or_else(|error| Read::broken(format!("{error:#}")))
}

async fn well(http: &reqwest::Client, webhook: &Webhook, body: &[u8]) -> Result<Read> {
    let mut request =
        http.post(&webhook.url).header("content-type", "application/json").body(body.to_vec());
    if let Some((name, value)) = &webhook.header {
        request = request.header(name, value);
    }
    let response = request.send().await.context("no answer came")?;
    let status = response.status().as_u16();
    let retry_after = response.headers().get("retry-after");
    let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
    Ok(match response.text().await {
        Ok(body) => Read::whole(status, retry_after, body),
        Err(error) => Read {
            status: Some(status),
            retry_after,
            ..Read::broken(format!("the answer broke off: {error}"))
        },
    })
}

/// Whoever was answered by then stays: what has arrived is no longer missed.
async fn leave(webhook: &Webhook, body: &[u8], stay: Duration) -> Result<Read> {
    let mut held = Held::send(webhook, body).await?;
    if held.is_answered_within(stay).await? {
        let (status, body) = held.answer().await?;
        return Ok(Read::whole(status, None, body));
    }
    drop(held);
    Ok(Read::broken("left before the answer"))
}

async fn tear(webhook: &Webhook, body: &[u8]) -> Result<Read> {
    let mut held = Held::send(webhook, body).await?;
    held.read_some(TORN_BYTES).await?;
    drop(held);
    Ok(Read::broken("left in the middle of the answer"))
}

async fn slow(webhook: &Webhook, body: &[u8], pause: Duration) -> Result<Read> {
    let held = Held::send(webhook, body).await?;
    let (status, body) = held.answer_slowly(pause).await?;
    Ok(Read::whole(status, None, body))
}
