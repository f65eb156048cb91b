//! Whoever uses the management API.

use anyhow::{Context as _, Result, ensure};
use http::{Method, StatusCode};
use serde_json::{Value, json};

use super::userlike::client;

/// The management API of a host, for whoever shows a token.
#[derive(Clone, Debug)]
pub struct Management {
    /// The host's address.
    pub url: String,
    /// What is shown, if anything is.
    pub token: Option<String>,
    /// The `Idempotency-Key` of what is asked.
    pub key: Option<String>,
}

/// What the host answered.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// The status.
    pub status: StatusCode,
    /// The body; `null` where there is none.
    pub body: Value,
}

/// A channel of a Userlike account that this bot answers, as it is put: with the tenant's
/// secrets `webhook`, in the header `API-SECURITY-TOKEN`, and `token`.
pub fn userlike_channel(bot: &str, api_url: &str) -> Value {
    json!({"settings": {
        "vendor": "userlike",
        "bot": bot,
        "webhook-header": "API-SECURITY-TOKEN",
        "webhook-secret": {"secret": "webhook"},
        "api-url": api_url,
        "api-token": {"secret": "token"},
    }})
}

impl Answered {
    /// The stable code of a problem.
    pub fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

impl Management {
    /// The same for whoever shows another token.
    #[must_use]
    pub fn with(&self, token: &str) -> Self {
        Self { token: Some(token.to_owned()), ..self.clone() }
    }

    /// Asks; `path` begins behind `/v1`.
    ///
    /// # Errors
    ///
    /// The host does not answer, or with something that is no JSON.
    pub async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Answered> {
        let body = body.map(|body| ("application/json", body.to_string().into_bytes()));
        self.send(method, path, body, &[]).await
    }

    /// What is there.
    ///
    /// # Errors
    ///
    /// It is not: any other status than 200.
    pub async fn get(&self, path: &str) -> Result<Value> {
        good(path, self.ask(Method::GET, path, None).await?)
    }

    /// Makes something.
    ///
    /// # Errors
    ///
    /// The host refuses.
    pub async fn post(&self, path: &str, body: Value) -> Result<Value> {
        good(path, self.ask(Method::POST, path, Some(body)).await?)
    }

    /// As [`Management::ask`] to make something, with a key by which it counts once.
    ///
    /// # Errors
    ///
    /// As [`Management::ask`].
    pub async fn post_once(&self, path: &str, key: &str, body: Value) -> Result<Answered> {
        let with_key = Self { key: Some(key.to_owned()), ..self.clone() };
        with_key.ask(Method::POST, path, Some(body)).await
    }

    /// Sets something.
    ///
    /// # Errors
    ///
    /// The host refuses.
    pub async fn put(&self, path: &str, body: Value) -> Result<Value> {
        good(path, self.ask(Method::PUT, path, Some(body)).await?)
    }

    /// Takes something away, and waits until it is.
    ///
    /// # Errors
    ///
    /// The host refuses.
    pub async fn delete(&self, path: &str) -> Result<Value> {
        let answered = self.deleted(path).await?;
        ensure!(answered.status != StatusCode::ACCEPTED, "{path}: not yet: {}", answered.body);
        good(path, answered)
    }

    /// As [`Management::ask`] to take something away, with an answer when it is done.
    ///
    /// # Errors
    ///
    /// As [`Management::ask`].
    pub async fn deleted(&self, path: &str) -> Result<Answered> {
        self.send(Method::DELETE, path, None, &[("prefer", "wait=60")]).await
    }

    /// Uploads a component.
    ///
    /// # Errors
    ///
    /// The host does not answer.
    pub async fn upload(&self, path: &str, wasm: Vec<u8>) -> Result<Answered> {
        self.send(Method::POST, path, Some(("application/wasm", wasm)), &[]).await
    }

    /// Uploads a component and waits for no more than that it has arrived.
    ///
    /// # Errors
    ///
    /// The host does not answer.
    pub async fn upload_later(&self, path: &str, wasm: Vec<u8>) -> Result<Answered> {
        let body = Some(("application/wasm", wasm));
        self.send(Method::POST, path, body, &[("prefer", "respond-async")]).await
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        body: Option<(&str, Vec<u8>)>,
        headers: &[(&str, &str)],
    ) -> Result<Answered> {
        let mut request = client()?.request(method, format!("{}/v1{path}", self.url));
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = &self.key {
            request = request.header("idempotency-key", key);
        }
        if let Some((kind, body)) = body {
            request = request.header("content-type", kind).body(body);
        }
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let answer = request.send().await?;
        let (status, text) = (answer.status(), answer.text().await?);
        let parsed = || serde_json::from_str(&text).with_context(|| format!("{path}: {text}"));
        let body = if text.is_empty() { Value::Null } else { parsed()? };
        Ok(Answered { status, body })
    }
}

fn good(path: &str, answered: Answered) -> Result<Value> {
    ensure!(answered.status.is_success(), "{path}: {} {}", answered.status, answered.body);
    Ok(answered.body)
}
