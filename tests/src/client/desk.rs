//! A human at the desk.

use anyhow::Result;
use serde_json::Value;

use super::userlike::client;

/// The desk of a channel.
#[derive(Clone, Debug)]
pub struct Desk {
    /// Where it is.
    pub url: String,
    /// What opens it.
    pub token: String,
}

impl Desk {
    /// Reads; answers the status and the JSON, or the text where it is none.
    ///
    /// # Errors
    ///
    /// The host does not answer.
    pub async fn read(&self, path: &str) -> Result<(u16, Value)> {
        let request = client()?.get(format!("{}{path}", self.url)).bearer_auth(&self.token);
        answer(request.send().await?).await
    }

    /// Does something; answers as [`Desk::read`].
    ///
    /// # Errors
    ///
    /// The host does not answer.
    pub async fn post(&self, path: &str, key: Option<&str>, body: &Value) -> Result<(u16, Value)> {
        let request = client()?.post(format!("{}{path}", self.url)).bearer_auth(&self.token);
        let mut request = request.body(body.to_string());
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        answer(request.send().await?).await
    }
}

async fn answer(answer: reqwest::Response) -> Result<(u16, Value)> {
    let (status, text) = (answer.status().as_u16(), answer.text().await?);
    Ok((status, serde_json::from_str(&text).unwrap_or(Value::String(text))))
}
