//! What is said over the socket besides the management API: `GET /deployed`, `POST /backup`,
//! `POST /rotate-key`, `POST /pause`, `POST /resume`,
//! `GET /dead-letters`, `GET /dead-letters/{part}`, `POST /dead-letters/redrive`,
//! `GET /channels/{channel}/samples`, `GET` and `POST /channels/{channel}/probe`,
//! `POST /channels/{channel}/capture`, `GET /channels/{channel}/captured`.
//! Whatever goes wrong is answered with a [`Problem`]. A backup is answered with an operation of
//! the management API, among those of the tenant `operator`.

use std::path::PathBuf;

use botyard_kernel::action::Action;
use botyard_kernel::time::Millis;
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::work::{Pausable, Pause, Subject};

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

/// A version that answers.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct DeployedVersion {
    /// Its digest.
    pub version: String,
    /// A tenant that has it.
    pub tenant: String,
}

/// Asks for a copy of the store.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct BackupRequest {
    /// A directory that is not there yet, or empty: the whole path.
    pub into: PathBuf,
}

/// Something that is paused, or was until now.
#[derive(Clone, Debug, Serialize, Deserialize, ToSchema)]
#[schema(as = PausedObject)]
pub struct Paused {
    /// A bot or a channel.
    #[schema(value_type = String)]
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

impl From<(Subject, Pause)> for Paused {
    fn from((subject, pause): (Subject, Pause)) -> Self {
        let Subject { what, tenant, name } = subject;
        let Pause { since_ms, by, reason, by_operator: _ } = pause;
        Self { what, tenant: tenant.0, name, since_ms, by, reason }
    }
}

/// An action that was given up.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letter {
    /// Its id, which the vendor saw if it saw it at all.
    pub part: String,
    /// Whose.
    pub tenant: String,
    /// In which channel.
    pub channel: String,
    /// The vendor's key of the conversation.
    pub conversation: String,
    /// The turn that made it.
    pub turn: String,
    /// What kind of action it is.
    pub action: String,
    /// When that turn was (Unix milliseconds).
    pub made_ms: Millis,
    /// When it was given up (Unix milliseconds).
    pub given_up_ms: Millis,
    /// Why.
    pub reason: String,
    /// The action itself, where a single letter is asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<serde_json::Value>,
}

/// Dead letters, the oldest of a tenant first.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Letters {
    /// The letters.
    pub letters: Vec<Letter>,
    /// Where the next list begins, if there may be one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
}

/// Asks to send dead letters again: those named, or all.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct RedriveRequest {
    /// Which.
    pub parts: Vec<String>,
    /// All of them, of a tenant or a channel where one is named.
    pub all: bool,
    /// Only this tenant's.
    pub tenant: Option<String>,
    /// Only this channel's.
    pub channel: Option<String>,
}

/// What became of letters that were to be sent again.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Redriven {
    /// They stand in the queues of their conversations again, on stable storage.
    pub queued: usize,
    /// Their conversations have not taken them up: somebody else than the bot has them, or
    /// too much waits there. Where only the host is slow they still will.
    pub waiting: usize,
    /// Their channels are not in the settings any more.
    pub not_served: usize,
}

/// Why a command was not done.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Problem {
    /// In words, with what to do.
    pub problem: String,
}

/// What can be tried of a channel.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Samples {
    /// The channel's vendor.
    pub vendor: String,
    /// So long should calls be apart (milliseconds).
    pub pause_ms: u64,
    /// The samples. Pictures and documents in them stand nowhere: whoever sends one puts an
    /// address in the place of [`botyard_vendors::PICTURE`] or
    /// [`botyard_vendors::DOCUMENT`].
    pub samples: Vec<Sample>,
}

/// An action that can be tried.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Sample {
    /// What is particular to it.
    pub what: String,
    /// The action itself.
    pub action: Action,
}

impl Sample {
    /// Whether it gives the conversation away, or ends it.
    pub fn ends(&self) -> bool {
        matches!(self.action, Action::Forward(_) | Action::Abort | Action::End)
    }
}

/// Asks for a try.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct ProbeRequest {
    /// What to send.
    pub sample: Sample,
    /// The vendor's own key of the test conversation.
    pub conversation: String,
    /// What a reply needs besides; absent: what the host knows of the conversation.
    pub reply_to: Option<String>,
    /// What the test person writes on; absent: what the host knows of the conversation, or
    /// what people of this vendor usually do.
    pub medium: Option<String>,
    /// Keys of the dialect to try in the place of the channel's own.
    pub dialect: Option<serde_json::Value>,
}

/// What came of a try.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Probed {
    /// The action.
    pub action: String,
    /// What is particular to it.
    pub what: String,
    /// What the test person writes on.
    pub medium: String,
    /// What the medium does not carry of it, in words.
    pub notes: Vec<String>,
    /// What was sent, and how the vendor took it; nothing where nothing is carried.
    pub calls: Vec<Taken>,
}

/// How the vendor took a call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Taken {
    /// What it carried.
    pub action: String,
    /// The status of the answer, where there was one.
    pub status: Option<u16>,
    /// Whether the vendor took it; absent where it was not sent.
    pub accepted: Option<bool>,
    /// Why not.
    pub reason: String,
}

impl Probed {
    /// Whether the vendor took all that was sent; absent where nothing was.
    pub fn accepted(&self) -> Option<bool> {
        self.calls.iter().filter_map(|call| call.accepted).reduce(|all, one| all && one)
    }
}

/// Asks to keep webhooks as they come.
#[derive(Clone, Copy, Debug, Serialize, Deserialize)]
pub struct CaptureRequest {
    /// For so long (milliseconds).
    pub for_ms: Millis,
}

/// Webhooks are kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Capturing {
    /// Of which channel.
    pub channel: String,
    /// Until when (Unix milliseconds).
    pub until_ms: Millis,
}
