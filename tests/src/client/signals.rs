//! A tenant's own system that speaks into conversations.

use anyhow::Result;
use serde_json::Value;

use super::userlike::client;

/// The door of one conversation.
#[derive(Clone, Debug)]
pub struct Signals {
    /// Where it is.
    pub url: String,
    /// What opens it, if anything is shown.
    pub token: Option<String>,
}

impl Signals {
    /// Sends a body; answers the status and the text.
    ///
    /// # Errors
    ///
    /// The host does not answer.
    pub async fn send(&self, key: Option<&str>, body: &Value) -> Result<(u16, String)> {
        let mut request = client()?.post(&self.url).body(body.to_string());
        if let Some(token) = &self.token {
            request = request.header("authorization", format!("Bearer {token}"));
        }
        if let Some(key) = key {
            request = request.header("idempotency-key", key);
        }
        let answer = request.send().await?;
        Ok((answer.status().as_u16(), answer.text().await?))
    }
}
