//! One sending of a webhook over the line, as well or as badly as it is meant to go.

use std::time::Duration;

use anyhow::{Context as _, Result};

use http::Method;

use crate::faults::{Fault, Faults};
use crate::held::Held;

/// So much of an answer is read by who leaves in its middle: less than the
/// shortest head.
const TORN_BYTES: usize = 16;

/// An answer that takes longer is given up, where no document names a deadline.
pub(crate) const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// Where a webhook goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Target {
    /// `POST` for nearly all.
    pub method: Method,
    /// The whole address.
    pub url: String,
    /// Headers besides the content type.
    pub headers: Vec<(String, String)>,
}

impl From<&Self> for Target {
    fn from(own: &Self) -> Self {
        own.clone()
    }
}

/// A client for addresses of this machine.
///
/// # Errors
///
/// It cannot be made.
pub fn client() -> Result<reqwest::Client> {
    // The build has no default for TLS; a second installation changes nothing.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(ANSWER_WITHIN)
        .build()
        .context("cannot make an HTTP client")
}

/// What was read of an answer.
#[derive(Debug, Default)]
pub(crate) struct Read {
    /// The status, where it was read.
    pub(crate) status: Option<u16>,
    pub(crate) retry_after: Option<u64>,
    pub(crate) body: String,
    /// Read to its end.
    pub(crate) whole: bool,
    /// Why it is not whole.
    pub(crate) reason: String,
}

impl Read {
    pub(crate) fn broken(reason: impl Into<String>) -> Self {
        Self { reason: reason.into(), ..Self::default() }
    }

    fn whole(status: u16, retry_after: Option<u64>, body: String) -> Self {
        Self { status: Some(status), retry_after, body, whole: true, reason: String::new() }
    }
}

/// Sends it and reads the answer, with the fault that meets it.
pub(crate) async fn send(
    http: &reqwest::Client,
    to: &Target,
    body: &[u8],
    fault: Option<Fault>,
    faults: &Faults,
    stay: Duration,
) -> Read {
    let read = match fault {
        Some(Fault::Leave) => leave(to, body, stay).await,
        Some(Fault::Tear) => tear(to, body).await,
        Some(Fault::SlowRead) => slow(to, body, faults.pause).await,
        _ => well(http, to, body).await,
    };
    read.unwrap_or_else(|error| Read::broken(format!("{error:#}")))
}

async fn well(http: &reqwest::Client, to: &Target, body: &[u8]) -> Result<Read> {
    let mut request = http
        .request(to.method.clone(), &to.url)
        .header("content-type", "application/json")
        .body(body.to_vec());
    for (name, value) in &to.headers {
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
async fn leave(to: &Target, body: &[u8], stay: Duration) -> Result<Read> {
    let mut held = Held::send(to, body).await?;
    if held.is_answered_within(stay).await? {
        let (status, body) = held.answer().await?;
        return Ok(Read::whole(status, None, body));
    }
    drop(held);
    Ok(Read::broken("left before the answer"))
}

async fn tear(to: &Target, body: &[u8]) -> Result<Read> {
    let mut held = Held::send(to, body).await?;
    held.read_some(TORN_BYTES).await?;
    drop(held);
    Ok(Read::broken("left in the middle of the answer"))
}

async fn slow(to: &Target, body: &[u8], pause: Duration) -> Result<Read> {
    let held = Held::send(to, body).await?;
    let (status, body) = held.answer_slowly(pause).await?;
    Ok(Read::whole(status, None, body))
}
