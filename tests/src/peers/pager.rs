//! Whoever hears of alerts: takes JSON documents, refuses the first one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result, ensure};
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;
use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::Value;
use sha2::Sha256;

use super::Server;
use crate::wait;

/// What is older, or comes from so far ahead, may be somebody's replay.
const TOLERANCE: Duration = Duration::from_secs(5 * 60);

/// A running pager.
#[derive(Debug)]
pub struct Pager {
    server: Server,
    posted: Arc<Mutex<Vec<Posted>>>,
}

/// A request as it came.
#[derive(Clone, Debug)]
struct Posted {
    headers: HeaderMap,
    body: Bytes,
}

impl Pager {
    /// Starts a pager.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn start() -> Result<Self> {
        let posted = Arc::default();
        let router = Router::new().route("/alerts", post(alert)).with_state(Arc::clone(&posted));
        Ok(Self { server: Server::start(router)?, posted })
    }

    /// Where alerts are to be posted.
    pub fn url(&self) -> String {
        format!("http://{}/alerts", self.server.address)
    }

    /// What was posted so far, in order; the first document comes twice, because
    /// it was refused once.
    pub fn posted(&self) -> Vec<Value> {
        // What is no JSON was refused.
        self.requests().iter().filter_map(|it| serde_json::from_slice(&it.body).ok()).collect()
    }

    /// Waits until so many documents were posted.
    ///
    /// # Errors
    ///
    /// There were fewer within the time.
    pub async fn wait_posted(&self, least: usize, within: Duration) -> Result<Vec<Value>> {
        wait::until(&format!("{least} alerts"), within, || {
            Some(self.posted()).filter(|posted| posted.len() >= least)
        })
        .await
    }

    /// Checks each request that came so far with this secret, as
    /// <https://www.standardwebhooks.com> tells whoever gets one. Answers the names of the
    /// messages: tries of the same one have the same.
    ///
    /// # Errors
    ///
    /// One of them is not to be trusted.
    pub fn verified(&self, secret: &str) -> Result<Vec<String>> {
        self.requests().iter().map(|posted| posted.verified(secret)).collect()
    }

    fn requests(&self) -> Vec<Posted> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

impl Posted {
    fn verified(&self, secret: &str) -> Result<String> {
        let (id, timestamp) = (self.header("webhook-id")?, self.header("webhook-timestamp")?);
        let sent = Duration::from_secs(timestamp.parse().context("the time is a number")?);
        let apart = SystemTime::now().duration_since(UNIX_EPOCH)?.abs_diff(sent);
        ensure!(apart <= TOLERANCE, "the message is {apart:?} from now");
        let key = secret.strip_prefix("whsec_").context("a secret begins with `whsec_`")?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&BASE64_STANDARD.decode(key)?)?;
        mac.update(format!("{id}.{timestamp}.").as_bytes());
        mac.update(&self.body);
        // There may be several, of other versions and of other secrets.
        let mut signatures = self.header("webhook-signature")?.split(' ');
        let signed = signatures.any(|signature| {
            let ours = signature.strip_prefix("v1,").and_then(|it| BASE64_STANDARD.decode(it).ok());
            ours.is_some_and(|ours| mac.clone().verify_slice(&ours).is_ok())
        });
        ensure!(signed, "no signature of message {id} is good");
        Ok(id.to_owned())
    }

    fn header(&self, name: &str) -> Result<&str> {
        let value = self.headers.get(name).with_context(|| format!("there is no `{name}`"))?;
        value.to_str().with_context(|| format!("`{name}` is no text"))
    }
}

async fn alert(
    State(posted): State<Arc<Mutex<Vec<Posted>>>>,
    headers: HeaderMap,
    body: Bytes,
) -> StatusCode {
    if serde_json::from_slice::<Value>(&body).is_err() {
        return StatusCode::BAD_REQUEST;
    }
    let mut posted = posted.lock().unwrap_or_else(PoisonError::into_inner);
    posted.push(Posted { headers, body });
    if posted.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}
