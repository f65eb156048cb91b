//! Commands on the management API: of the host on this machine through its socket, or of
//! one elsewhere with a token.

mod apply;
mod bot;
mod channels;
mod declared;
mod follow;
mod grants;
pub(super) mod letters_elsewhere;
mod moving;
mod objects;
pub(super) mod operation;
mod pauses;
mod people;
mod quotas;
mod steps;
mod table;
mod upload;

use std::io::{self, Write as _};
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use bytes::Bytes;
use clap::{Args, Subcommand};
use http::header::{CONTENT_TYPE, HeaderName};
use http::{Method, StatusCode};
use http_body_util::BodyExt as _;
use http_body_util::combinators::UnsyncBoxBody;
use serde_json::{Value, json};
use url::form_urlencoded::byte_serialize;

use super::operate::Host;
use crate::admin::client::{self, Unreachable};

const JSON: [(HeaderName, &str); 1] = [(CONTENT_TYPE, "application/json")];

pub(super) use channels::{ChannelCommand, channel};

/// Where the API is, and as whom it is used.
#[derive(Debug, Args)]
pub(super) struct Api {
    /// The address of a host elsewhere, for example `https://bots.example.com`. Its token
    /// is taken from the environment variable `BOTYARD_TOKEN`. Default: the host on this
    /// machine, through its socket.
    #[arg(long, env = "BOTYARD_URL", value_name = "URL")]
    url: Option<String>,
    /// A file with the token, in the place of `BOTYARD_TOKEN`.
    #[arg(long, value_name = "FILE", requires = "url")]
    token_file: Option<PathBuf>,
    #[command(flatten)]
    pub(super) local: Host,
}

/// The same, for a tenant.
#[derive(Debug, Args)]
pub(super) struct TenantApi {
    /// The tenant. Default: the token's own.
    #[arg(long, env = "BOTYARD_TENANT", value_name = "NAME")]
    pub(super) tenant: Option<String>,
    #[command(flatten)]
    pub(super) api: Api,
}

/// What can be managed.
#[derive(Debug, Subcommand)]
pub(super) enum Management {
    /// Tenants of the host.
    #[command(subcommand)]
    Tenant(objects::TenantCommand),
    /// Tokens of a tenant; of the tenant `operator`, those of the operator.
    #[command(subcommand)]
    Token(objects::TokenCommand),
    /// Secrets of a tenant: they can be put, and read by nobody.
    #[command(subcommand)]
    Secret(objects::SecretCommand),
    /// Bots, their versions and which of them answers.
    #[command(subcommand)]
    Bot(bot::BotCommand),
    /// External bots, to which a tenant's bots hand over.
    #[command(subcommand)]
    Relay(channels::RelayCommand),
    /// Conversations: look at them, and speak into them.
    #[command(subcommand)]
    Conversation(channels::ConversationCommand),
    /// What bots may do at most, whatever their tenants grant.
    #[command(subcommand)]
    Policy(grants::PolicyCommand),
    /// Bring a host to what files say: tenants, secrets, bots, external bots, channels.
    Apply(apply::Apply),
    /// Limits of a tenant, with what is used of them.
    #[command(subcommand)]
    Limit(quotas::LimitCommand),
    Usage(quotas::UsageCommand),
    Storage(quotas::StorageCommand),
    /// The changes of a tenant, by whom, and whether their chain is whole.
    #[command(subcommand)]
    Audit(objects::AuditCommand),
    /// What is known of a person: hand it out, or erase it.
    #[command(subcommand)]
    Person(people::PersonCommand),
}

/// Does what is asked for.
pub(super) async fn manage(command: Management) -> anyhow::Result<()> {
    match command {
        Management::Tenant(command) => objects::tenant(command).await,
        Management::Token(command) => objects::token(command).await,
        Management::Secret(command) => objects::secret(command).await,
        Management::Bot(command) => bot::bot(command).await,
        Management::Relay(command) => channels::relay(command).await,
        Management::Conversation(command) => channels::conversation(command).await,
        Management::Policy(command) => grants::policy(command).await,
        Management::Apply(apply) => apply::apply(apply).await,
        Management::Limit(command) => quotas::limit(command).await,
        Management::Usage(command) => quotas::usage(command).await,
        Management::Storage(command) => quotas::storage(command).await,
        Management::Audit(command) => objects::audit(command).await,
        Management::Person(command) => people::person(command).await,
    }
}

/// An answer as it comes.
type AsItComes = UnsyncBoxBody<Bytes, io::Error>;

/// The host does not do what it was asked for.
#[derive(Debug, thiserror::Error)]
#[error("{why}")]
struct Refused {
    status: StatusCode,
    why: String,
}

/// What the host answered.
struct Answered {
    status: StatusCode,
    body: Value,
}

impl Api {
    /// The API of a host on this machine.
    pub(super) fn of(local: Host) -> Self {
        Self { url: None, token_file: None, local }
    }

    /// Whether the host is elsewhere.
    pub(super) fn is_elsewhere(&self) -> bool {
        self.url.is_some()
    }

    /// Asks; `path` begins behind `/v1`. What is refused is an error.
    pub(super) async fn ask(
        &self,
        method: Method,
        path: &str,
        body: Option<&Value>,
    ) -> anyhow::Result<Value> {
        let bytes = body.map(|body| Bytes::from(body.to_string()));
        let answered = self.send(method, path, &JSON, bytes).await?;
        good(answered)
    }

    /// As [`Api::ask`], with one more header.
    async fn ask_with(
        &self,
        method: Method,
        path: &str,
        (name, value): (HeaderName, &str),
        body: &Value,
    ) -> anyhow::Result<Value> {
        let headers = [(CONTENT_TYPE, "application/json"), (name, value)];
        let bytes = Bytes::from(body.to_string());
        good(self.send(method, path, &headers, Some(bytes)).await?)
    }

    /// As [`Api::ask`]; nothing where there is no such object.
    async fn find(&self, path: &str) -> anyhow::Result<Option<Value>> {
        let answered = self.send(Method::GET, path, &JSON, None).await?;
        if answered.status == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        good(answered).map(Some)
    }

    /// All pages of a list.
    async fn all(&self, path: &str) -> anyhow::Result<Vec<Value>> {
        let (mut all, mut after) = (Vec::new(), None);
        loop {
            let (items, next) = self.page(path, after.as_deref()).await?;
            all.extend(items);
            match next {
                Some(next) => after = Some(next),
                None => return Ok(all),
            }
        }
    }

    /// A page of a list, and behind what the next one begins.
    async fn page(
        &self,
        path: &str,
        after: Option<&str>,
    ) -> anyhow::Result<(Vec<Value>, Option<String>)> {
        let more = after.map(|after| format!("&after={}", escaped(after))).unwrap_or_default();
        let sign = if path.contains('?') { '&' } else { '?' };
        let page = format!("{path}{sign}limit=200{more}");
        let mut page = self.ask(Method::GET, &page, None).await?;
        let Value::Array(items) = page["items"].take() else {
            bail!("the host answers something else: is it of this version?");
        };
        Ok((items, page["after"].as_str().map(str::to_owned)))
    }

    /// The bytes that are there.
    async fn fetch(&self, path: &str) -> anyhow::Result<Bytes> {
        let (status, bytes) = self.talk(Method::GET, path, &[], None).await?;
        if status.is_success() {
            return Ok(bytes);
        }
        let body = serde_json::from_slice(&bytes).unwrap_or_default();
        good(Answered { status, body }).map(|_| bytes)
    }

    async fn talk(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<Bytes>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let path = format!("/v1{path}");
        Ok(match &self.url {
            None => client::talk(&self.local.socket()?, method, &path, headers, body).await?,
            Some(url) => self.over_http(url, method, &path, headers, body).await?,
        })
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<Bytes>,
    ) -> anyhow::Result<Answered> {
        let (status, bytes) = self.talk(method, path, headers, body).await?;
        let body = if bytes.is_empty() {
            Value::Null
        } else {
            serde_json::from_slice(&bytes).with_context(|| {
                format!("the host answers {status} without JSON: is the address that of a host?")
            })?
        };
        Ok(Answered { status, body })
    }

    async fn over_http(
        &self,
        url: &str,
        method: Method,
        path: &str,
        headers: &[(HeaderName, &str)],
        body: Option<Bytes>,
    ) -> anyhow::Result<(StatusCode, Bytes)> {
        let url = format!("{}{path}", url.trim_end_matches('/'));
        let request = self.request(reqwest::Client::builder(), method, &url, headers)?;
        let answer = request.body(body.unwrap_or_default()).send().await;
        let answer = answer.map_err(|error| unreachable(&url, error))?;
        let status = answer.status();
        Ok((status, answer.bytes().await.map_err(|error| unreachable(&url, error))?))
    }

    /// What is there, as it comes. A host elsewhere that is silent for so long is not there
    /// any more.
    async fn open(
        &self,
        path: &str,
        headers: &[(HeaderName, &str)],
        silent_max: Duration,
    ) -> anyhow::Result<http::Response<AsItComes>> {
        let Some(url) = &self.url else {
            let socket = self.local.socket()?;
            let answer = client::open(&socket, Method::GET, path, headers, None).await?;
            return Ok(answer.map(|body| body.map_err(io::Error::other).boxed_unsync()));
        };
        let url = format!("{}{path}", url.trim_end_matches('/'));
        let client = reqwest::Client::builder().read_timeout(silent_max);
        let request = self.request(client, Method::GET, &url, headers)?;
        let answer = request.send().await.map_err(|error| unreachable(&url, error))?;
        let answer = http::Response::from(answer);
        Ok(answer.map(|body: reqwest::Body| body.map_err(io::Error::other).boxed_unsync()))
    }

    fn request(
        &self,
        client: reqwest::ClientBuilder,
        method: Method,
        url: &str,
        headers: &[(HeaderName, &str)],
    ) -> anyhow::Result<reqwest::RequestBuilder> {
        // It fails where another part of the process has chosen one already.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = client.build().context("cannot make an HTTP client")?;
        let request = client.request(method, url);
        let request = request.header("authorization", format!("Bearer {}", self.token()?));
        Ok(headers.iter().fold(request, |request, (name, value)| request.header(name, *value)))
    }

    fn token(&self) -> anyhow::Result<String> {
        let text = match &self.token_file {
            Some(file) => std::fs::read_to_string(file)
                .with_context(|| format!("cannot read the token in {}", file.display()))?,
            None => std::env::var("BOTYARD_TOKEN")
                .context("set BOTYARD_TOKEN to a token of that host, or give --token-file")?,
        };
        Ok(text.trim().to_owned())
    }

    /// Prints what the host says: as JSON, or in words.
    pub(super) fn print(
        &self,
        answer: &Value,
        words: impl FnOnce(&Value) -> String,
    ) -> anyhow::Result<()> {
        let out = if self.local.json { format!("{answer:#}\n") } else { words(answer) };
        io::stdout().write_all(out.as_bytes()).context("cannot print the answer")
    }
}

impl TenantApi {
    /// The path of the tenant's things.
    async fn base(&self) -> anyhow::Result<String> {
        let tenant = match &self.tenant {
            Some(tenant) => tenant.clone(),
            None => {
                let me = self.api.ask(Method::GET, "/whoami", None).await?;
                let own = me["tenant"].as_str().map(str::to_owned);
                own.context("say which tenant is meant: --tenant NAME, or BOTYARD_TENANT")?
            }
        };
        Ok(format!("/tenants/{}", escaped(&tenant)))
    }
}

fn unreachable(url: &str, error: reqwest::Error) -> Unreachable {
    Unreachable::Elsewhere { url: url.to_owned(), error: error.without_url().to_string() }
}

fn good(answered: Answered) -> anyhow::Result<Value> {
    let Answered { status, body } = answered;
    if status.is_success() {
        return Ok(body);
    }
    let why = match (body["detail"].as_str(), body["code"].as_str()) {
        (Some(detail), Some(code)) => format!("{detail} ({code})"),
        _ => format!("the host answers {status}: is it of this version?"),
    };
    Err(Refused { status, why }.into())
}

/// A text as a part of a path or a query.
fn escaped(text: &str) -> String {
    byte_serialize(text.as_bytes()).collect::<String>().replace('+', "%20")
}

/// JSON out of a file, or of standard input for `-`.
fn json_file(file: &std::path::Path) -> anyhow::Result<Value> {
    let text = if file == std::path::Path::new("-") {
        io::read_to_string(io::stdin()).context("cannot read standard input")?
    } else {
        std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?
    };
    serde_json::from_str(&text).with_context(|| format!("{} holds no JSON", file.display()))
}

/// The fields of an object that are given.
fn given<const N: usize>(fields: [(&str, Option<Value>); N]) -> Value {
    let given = fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?)));
    json!(given.collect::<serde_json::Map<String, Value>>())
}
