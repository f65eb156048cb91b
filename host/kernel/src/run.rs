//! What goes into a run of a bot and what comes out of it.
//!
//! A run is a function of its input: the same version, event, session, values
//! and configuration give the same output.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::action::Action;
use crate::event::Event;
use crate::log::Call;
use crate::session::Session;

/// Everything that a run depends on, besides the component.
#[derive(Clone, Debug, PartialEq)]
pub struct RunInput {
    /// What happened.
    pub event: Event,
    /// Where.
    pub session: Session,
    /// The conversation's own values, whole.
    pub conversation_kv: BTreeMap<String, String>,
    /// What the tenant configured for the bot.
    pub config: BTreeMap<String, String>,
    /// Calls that an earlier run on the same event has recorded, in order.
    pub calls: Vec<Call>,
}

/// What a run came to.
#[derive(Clone, Debug, PartialEq)]
pub struct RunOutput {
    /// The actions, or why there are none.
    pub result: Result<Vec<Action>, RunFailure>,
    /// Staged writes, in order; void when the run failed.
    pub writes: Vec<KvWrite>,
    /// The bot's own log: kept also when the run failed, because it says why.
    pub log: Vec<LogLine>,
    /// Bytes of log that were cut.
    pub log_cut_bytes: u64,
    /// What the guest used.
    pub cost: Cost,
}

/// What a run has cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Cost {
    /// CPU time, in microseconds.
    pub cpu_us: u64,
    /// The most memory that it held, over all memories of the instance, in bytes.
    pub memory_bytes: u64,
}

impl RunOutput {
    /// What a run came to that failed before it began.
    pub fn failed(failure: RunFailure) -> Self {
        Self {
            result: Err(failure),
            writes: Vec::new(),
            log: Vec::new(),
            log_cut_bytes: 0,
            cost: Cost::default(),
        }
    }
}

/// A staged write to the bot's values.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KvWrite {
    /// Whose value.
    pub scope: KvScope,
    /// Which value.
    pub key: String,
    /// What happens to it.
    pub change: KvChange,
}

/// Whose values.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KvScope {
    /// The conversation's.
    Conversation,
    /// The bot's.
    Bot,
}

/// What happens to a value.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KvChange {
    /// It is replaced.
    Set(String),
    /// It is taken away.
    Delete,
    /// A number is added to it.
    Add(i64),
}

/// A line of a bot's log.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct LogLine {
    /// How important it is.
    pub level: LogLevel,
    /// What it says.
    pub message: String,
}

/// How important a line of a bot's log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names say it")]
pub enum LogLevel {
    Trace,
    Debug,
    Info,
    Warn,
    Error,
}

/// Why a run gave no actions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, thiserror::Error)]
#[error("{kind}: {message}")]
pub struct RunFailure {
    /// Who must act.
    pub blame: Blame,
    /// What happened, from a closed set.
    pub kind: FailureKind,
    /// What happened, for who must act: with function names where there are any.
    pub message: String,
}

/// Who must act on a failure.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blame {
    /// The bot's author.
    Bot,
    /// The tenant, by a wrong setting.
    Tenant,
    /// The vendor.
    Vendor,
    /// Who runs this host. Such a run may be tried again.
    Host,
}

impl Blame {
    /// The name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Tenant => "tenant",
            Self::Vendor => "vendor",
            Self::Host => "host",
        }
    }
}

/// What kind of failure a run ended in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FailureKind {
    /// The bot said so itself (`failure.reject`).
    Rejected,
    /// The bot trapped: a panic, an exception, an unreachable.
    Trap,
    /// More CPU time than a turn may use.
    Cpu,
    /// More wall time than a turn may use.
    Wall,
    /// More memory than an instance may have.
    Memory,
    /// A deeper stack than an instance may have.
    Stack,
    /// More or larger output than a turn may have.
    Output,
    /// An action that no vendor could carry: the message names it.
    InvalidAction,
    /// The bot failed on too many events of late: it was not run.
    Suspended,
    /// A fault of the host itself.
    Internal,
}

impl FailureKind {
    /// The name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Rejected => "rejected",
            Self::Trap => "trap",
            Self::Cpu => "cpu",
            Self::Wall => "wall",
            Self::Memory => "memory",
            Self::Stack => "stack",
            Self::Output => "output",
            Self::InvalidAction => "invalid_action",
            Self::Suspended => "suspended",
            Self::Internal => "internal",
        }
    }
}

impl std::fmt::Display for FailureKind {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.name())
    }
}
