//! What is said over the socket: `GET /status`, `POST /pause`, `POST /resume`.
//! Whatever goes wrong is answered with a [`Problem`].

use botyard_kernel::time::Millis;
use serde::{Deserialize, Serialize};

use crate::work::Pausable;

/// Asks for a pause or for its end.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PauseRequest {
    /// A bot or a channel.
    pub what: Pausable,
    /// Its name.
    pub name: String,
    /// Whose; may be absent where only one tenant has such a bot.
    pub tenant: Option<String>,
    /// Why, for whoever reads the status or the audit.
    pub reason: Option<String>,
}

/// Something that is paused, or was until now.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Paused {
    /// A bot or a channel.
    pub what: Pausable,
    /// Whose.
    pub tenant: String,
    /// Its name.
    pub name: String,
    /// Since when (Unix milliseconds).
    pub since_ms: Millis,
    /// Who paused it.
    pub by: String,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// What is left alone because it keeps failing.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct OpenBreaker {
    /// `bot`, or `destination`: the vendor of a channel, a web service.
    pub what: String,
    /// Its name; of a bot with its tenant, as `tenant/bot`.
    pub name: String,
    /// Since when (Unix milliseconds).
    pub since_ms: Millis,
}

/// How a host is.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Status {
    /// The host's version.
    pub version: String,
    /// Now, by the host's clock (Unix milliseconds).
    pub now_ms: Millis,
    /// It ends: no new work is taken.
    pub stopping: bool,
    /// `ok`, or what is wrong with the store.
    pub store: String,
    /// Conversations in memory.
    pub lanes: usize,
    /// What an operator has stopped.
    pub paused: Vec<Paused>,
    /// What is left alone because it keeps failing.
    pub breakers: Vec<OpenBreaker>,
}

/// Why a command was not done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// In words, with what to do.
    pub problem: String,
}
