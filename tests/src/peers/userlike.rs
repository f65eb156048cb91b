//! Userlike's side of a chatbot: the API URL that a bot calls by itself, and
//! what Userlike remembers of each conversation.
//!
//! It is strict: it refuses what Userlike's documents rule out, and its limits
//! are typed from them, not taken from the host.

mod account;
mod rules;

pub use account::{Account, Call, Contact};
pub use rules::{Packet, packets};

use std::time::Duration;

use anyhow::Result;
use axum::Router;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::routing::post;

use super::Server;

/// A running endpoint.
#[derive(Debug)]
pub struct Userlike {
    server: Server,
    account: Account,
}

impl Userlike {
    /// Starts an endpoint that wants this `SECURITY-TOKEN`.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(token: &str) -> Result<Self> {
        let mut userlike = Self::closed(token, Duration::from_secs(60))?;
        userlike.open()?;
        Ok(userlike)
    }

    /// As [`Userlike::start`], but every connection is refused until it opens;
    /// with another length of the minute in which 20 requests of a conversation
    /// are let through.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn closed(token: &str, window: Duration) -> Result<Self> {
        let account = Account::new(token, window);
        let router = Router::new().route("/v1/", post(call)).with_state(account.clone());
        Ok(Self { server: Server::closed(router)?, account })
    }

    /// Opens a closed endpoint.
    ///
    /// # Errors
    ///
    /// It is open.
    pub fn open(&mut self) -> Result<()> {
        self.server.open()
    }

    /// The API URL of the bot.
    pub fn api_url(&self) -> String {
        format!("http://{}/v1/", self.server.address)
    }

    /// What this side remembers.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

async fn call(
    State(account): State<Account>,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, String) {
    let token = headers.get("security-token").and_then(|token| token.to_str().ok());
    let (status, reason) = account.receive(token, &body);
    (StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR), reason)
}
