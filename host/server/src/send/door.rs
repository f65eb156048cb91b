//! The door itself.

use std::collections::BTreeSet;
use std::error::Error;
use std::sync::{Arc, PoisonError, RwLock};
use std::time::Duration;

use bytes::BytesMut;
use http::{HeaderMap, HeaderName, Method, StatusCode, header};
use reqwest::{Client, Response};
use tokio::time::Instant;
use url::{Host, Url};

use super::HostPattern;
use super::message::{Answer, Outgoing, SendError};
use super::resolve::{LOCALHOST, Names, Refused, Resolver, Rules};
use super::tracked::{Progress, tracked};
use crate::config::Egress;

/// Hops that are followed.
const REDIRECTS_MAX: usize = 3;
/// A host that is there answers the first packets in this time.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// Shorter than what servers grant as a rule: a call on a connection that the
/// other side is just closing is lost.
const IDLE_TIMEOUT: Duration = Duration::from_secs(20);

/// Headers that belong to a connection or to the framing of one message.
const OWN_HEADERS: [&str; 12] = [
    "connection",
    "content-length",
    "expect",
    "host",
    "http2-settings",
    "keep-alive",
    "proxy-authorization",
    "proxy-connection",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];
/// Whether only the host itself may set a header of this name.
pub fn is_reserved(name: &HeaderName) -> bool {
    OWN_HEADERS.contains(&name.as_str()) || name == "idempotency-key"
}

/// Headers that another host may see after a redirect. All others may be
/// credentials, as APIs name them as they like.
const HARMLESS_HEADERS: [HeaderName; 3] =
    [header::ACCEPT, header::ACCEPT_LANGUAGE, header::USER_AGENT];

/// Everything that leaves this host leaves here. A clone is the same door.
#[derive(Clone, Debug)]
pub struct Door {
    client: Client,
    rules: Rules,
    forbidden: Arc<RwLock<BTreeSet<HostPattern>>>,
    timeout: Duration,
    answer_bytes_max: usize,
}

impl Door {
    /// Makes the door; its connections are kept for the next calls.
    ///
    /// # Errors
    /// The host's: there is no set of root certificates to trust.
    pub fn new(egress: &Egress) -> anyhow::Result<Self> {
        Self::with(egress, Names::System)
    }

    /// As [`Door::new`], with names from elsewhere.
    pub(super) fn with(egress: &Egress, names: Names) -> anyhow::Result<Self> {
        // Whoever was first has installed the same one.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let rules = Rules { allow_loopback: egress.allow_loopback };
        let client = Client::builder()
            .no_proxy()
            .dns_resolver(Resolver { rules, names })
            .redirect(reqwest::redirect::Policy::none())
            .retry(reqwest::retry::never())
            .referer(false)
            .http1_only()
            .connect_timeout(CONNECT_TIMEOUT)
            .pool_idle_timeout(IDLE_TIMEOUT)
            .build()?;
        Ok(Self {
            client,
            rules,
            forbidden: Arc::default(),
            timeout: egress.timeout,
            answer_bytes_max: egress.answer_bytes_max,
        })
    }

    /// From now on nothing goes to these hosts, whoever names them: the address of a
    /// channel's vendor or of an alert is a tenant's to write, too.
    pub fn forbid(&self, hosts: BTreeSet<HostPattern>) {
        *self.forbidden.write().unwrap_or_else(PoisonError::into_inner) = hosts;
    }

    fn is_forbidden(&self, url: &Url) -> bool {
        let forbidden = self.forbidden.read().unwrap_or_else(PoisonError::into_inner);
        HostPattern::of(url).is_some_and(|own| forbidden.iter().any(|host| host.forbids(&own)))
    }

    /// The most that a call may take, whatever its caller would grant it.
    pub fn patience(&self) -> Duration {
        self.timeout
    }

    /// Makes a call, follows redirects where asked, and reads the answer.
    ///
    /// # Errors
    /// See [`SendError`]: what matters is whether the call may have had an effect.
    pub async fn send(&self, request: Outgoing) -> Result<Answer, SendError> {
        let deadline = Instant::now() + request.timeout.min(self.timeout);
        let follow =
            request.follow_redirects && matches!(request.method, Method::GET | Method::HEAD);
        let answer_bytes_max = request.answer_bytes_max.min(self.answer_bytes_max);
        let mut url = Url::parse(&request.url).map_err(|error| {
            SendError::Denied(format!("the address of the call is wrong: {error}"))
        })?;
        let mut headers = request.headers.clone();
        for name in OWN_HEADERS {
            headers.remove(name);
        }
        let mut hops = 0;
        loop {
            self.check(&url, &request.allow)?;
            let with_secrets = request.secrets.added(&url, &headers);
            let response = self.once(&request, &url, with_secrets, deadline).await?;
            let Some(next) = redirect(&url, &response).filter(|_| follow) else {
                return read(response, answer_bytes_max, deadline).await;
            };
            if hops == REDIRECTS_MAX {
                return Err(SendError::Denied(format!(
                    "{} redirects again after {REDIRECTS_MAX} redirects; call the last address \
                     itself",
                    host(&url)
                )));
            }
            if next.origin() != url.origin() {
                headers = harmless(&headers);
            }
            url = next;
            hops += 1;
        }
    }

    /// Whether the rules allow an address; names are resolved, and checked again, later.
    fn check(&self, url: &Url, allow: &[HostPattern]) -> Result<(), SendError> {
        let denied = |why: String| Err(SendError::Denied(why));
        let local = match url.host() {
            Some(Host::Ipv4(address)) => super::is_loopback(address.into()),
            Some(Host::Ipv6(address)) => super::is_loopback(address.into()),
            Some(Host::Domain(name)) => name == LOCALHOST,
            None => return denied("the address of the call has no host".to_owned()),
        };
        let by_scheme = match url.scheme() {
            "https" => true,
            "http" => local && self.rules.allow_loopback,
            other => return denied(format!("calls go by https, not by {other}")),
        };
        if !by_scheme {
            return denied(format!("calls go by https only, {} is called by http", host(url)));
        }
        if !url.username().is_empty() || url.password().is_some() {
            return denied(format!(
                "the address at {} holds a user name or a password: send them in a header",
                host(url)
            ));
        }
        if !allow.iter().any(|pattern| pattern.matches(url)) {
            return denied(format!(
                "{} is on no list of allowed hosts: an admin of the tenant adds it to the bot's \
                 `hosts`, or the operator to `egress.allow-hosts`",
                host(url)
            ));
        }
        if self.is_forbidden(url) {
            return denied(format!(
                "the operator forbids calls to {}: only they can change `policy.forbidden-hosts`",
                host(url)
            ));
        }
        let literal = match url.host() {
            Some(Host::Ipv4(address)) => Some(address.into()),
            Some(Host::Ipv6(address)) => Some(address.into()),
            Some(Host::Domain(_)) | None => None,
        };
        if literal.is_some_and(|address| !self.rules.allow(address)) {
            return denied(format!("{} is not a public address", host(url)));
        }
        Ok(())
    }

    async fn once(
        &self,
        request: &Outgoing,
        url: &Url,
        headers: HeaderMap,
        deadline: Instant,
    ) -> Result<Response, SendError> {
        let (body, progress) = tracked(request.body.clone());
        let call = self
            .client
            .request(request.method.clone(), url.clone())
            .headers(headers)
            .body(body)
            .send();
        match tokio::time::timeout_at(deadline, call).await {
            Ok(Ok(response)) => Ok(response),
            Ok(Err(error)) => Err(failed(url, &error, &progress)),
            Err(_) if progress.cannot_have_left() => {
                Err(SendError::NotSent(format!("{} was not connected in time", host(url))))
            }
            Err(_) => Err(SendError::Lost(format!("{} did not answer in time", host(url)))),
        }
    }
}

async fn read(mut response: Response, max: usize, deadline: Instant) -> Result<Answer, SendError> {
    let url = response.url().clone();
    let lost = |why: &str| SendError::Lost(format!("the answer of {} {why}", host(&url)));
    let status = response.status();
    let headers = std::mem::take(response.headers_mut());
    let mut body = BytesMut::new();
    let mut truncated = false;
    while !truncated {
        let chunk = tokio::time::timeout_at(deadline, response.chunk())
            .await
            .map_err(|_| lost("was not complete in time"))?
            .map_err(|error| lost(&format!("broke off: {}", cause(&error))))?;
        let Some(chunk) = chunk else { break };
        let room = max - body.len();
        truncated = chunk.len() > room;
        body.extend_from_slice(&chunk[..chunk.len().min(room)]);
    }
    Ok(Answer { status, headers, body: body.freeze(), truncated })
}

fn failed(url: &Url, error: &reqwest::Error, progress: &Progress) -> SendError {
    if let Some(Refused(why)) = find::<Refused>(error) {
        return SendError::Denied(why.clone());
    }
    let host = host(url);
    let cause = cause(error);
    if error.is_builder() {
        return SendError::Denied(format!("the call to {host} cannot be made: {cause}"));
    }
    if error.is_connect() || progress.cannot_have_left() {
        return SendError::NotSent(format!("{host} cannot be reached: {cause}"));
    }
    SendError::Lost(format!("{host} was called and did not answer: {cause}"))
}

/// Where a redirect leads; nothing for what is none or leads nowhere.
fn redirect(url: &Url, response: &Response) -> Option<Url> {
    let follows = matches!(
        response.status(),
        StatusCode::MOVED_PERMANENTLY
            | StatusCode::FOUND
            | StatusCode::SEE_OTHER
            | StatusCode::TEMPORARY_REDIRECT
            | StatusCode::PERMANENT_REDIRECT
    );
    let location = response.headers().get(header::LOCATION).filter(|_| follows)?;
    url.join(location.to_str().ok()?).ok()
}

fn harmless(headers: &HeaderMap) -> HeaderMap {
    let kept = headers.iter().filter(|(name, _)| HARMLESS_HEADERS.contains(name));
    kept.map(|(name, value)| (name.clone(), value.clone())).collect()
}

/// Host and port, all that may be told of an address.
fn host(url: &Url) -> String {
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// The innermost causes, which tell what happened and hold no address.
fn cause(error: &reqwest::Error) -> String {
    let mut causes: Vec<String> = Vec::new();
    let mut source = error.source();
    while let Some(inner) = source {
        // A cause that repeats the one within it says nothing of its own.
        let text = inner.to_string();
        causes.retain(|outer| !outer.contains(&text));
        causes.push(text);
        source = inner.source();
    }
    if causes.is_empty() { "no reason is known".to_owned() } else { causes.join(": ") }
}

fn find<E: Error + 'static>(error: &reqwest::Error) -> Option<&E> {
    let mut source = error.source();
    while let Some(inner) = source {
        if let Some(found) = inner.downcast_ref() {
            return Some(found);
        }
        source = inner.source();
    }
    None
}
