//! What is kept of an operation, among the notes of whoever asked for it.

use std::sync::LazyLock;

use botyard_kernel::id::{BotId, TenantId};
use botyard_kernel::time::{DAY, Millis};
use botyard_store::{Record, StoreError, TenantStore};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use crate::api::{Code, Problem};
use crate::clock;
use crate::tenancy::Who;

/// The kind of the notes.
pub(super) const KIND: &str = "operation";
/// How long an operation can be asked for after its end.
const KEPT_MS: Millis = DAY;

pub(crate) const WAITING: &str = "waiting";
pub(crate) const DONE: &str = "done";
pub(crate) const FAILED: &str = "failed";

/// This run of the host.
static RUN: LazyLock<u64> = LazyLock::new(rand::random);

/// What takes long.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case")]
pub(crate) enum Task {
    /// A component becomes a version of a bot.
    Upload { bot: BotId, version: String },
    /// The store is copied.
    Backup { into: String },
    /// All that is known of a person goes. Who that was is forgotten with it.
    Erasure {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        who: Option<Who>,
    },
    /// A tenant goes with everything that it has.
    TenantDeletion { tenant: TenantId },
}

/// How far something is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub(crate) struct Progress {
    /// So many are done, since the host was started last.
    pub(crate) done: u64,
    /// Of so many; absent where nobody knows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) total: Option<u64>,
}

/// An operation as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct Kept {
    #[serde(flatten)]
    pub(crate) task: Task,
    /// Who asked for it, as the audit names them.
    actor: String,
    pub(crate) phase: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) progress: Option<Progress>,
    pub(crate) started_ms: Millis,
    pub(crate) changed_ms: Millis,
    /// What came of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) result: Option<Value>,
    /// Why it has failed, or what it does not get past now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) problem: Option<Value>,
    /// The run of the host that has begun it.
    run: u64,
}

/// What goes on until it is done, over restarts, too: each step may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Durable {
    Erasure(Who),
    TenantDeletion(TenantId),
}

impl Task {
    /// What of it a host that starts goes on with.
    pub(crate) fn durable(&self) -> Option<Durable> {
        match self {
            Self::Upload { .. } | Self::Backup { .. } | Self::Erasure { who: None } => None,
            Self::Erasure { who: Some(who) } => Some(Durable::Erasure(who.clone())),
            Self::TenantDeletion { tenant } => Some(Durable::TenantDeletion(tenant.clone())),
        }
    }
}

impl From<Durable> for Task {
    fn from(durable: Durable) -> Self {
        match durable {
            Durable::Erasure(who) => Self::Erasure { who: Some(who) },
            Durable::TenantDeletion(tenant) => Self::TenantDeletion { tenant },
        }
    }
}

impl Kept {
    pub(super) fn begun(task: Task, actor: &str) -> Self {
        let now = clock::now();
        Self {
            task,
            actor: actor.to_owned(),
            phase: WAITING.to_owned(),
            progress: None,
            started_ms: now,
            changed_ms: now,
            result: None,
            problem: None,
            run: *RUN,
        }
    }

    pub(super) fn actor(&self) -> &str {
        &self.actor
    }

    pub(crate) fn is_ended(&self) -> bool {
        matches!(self.phase.as_str(), DONE | FAILED)
    }

    /// The same at its end. Who was erased is known no more.
    pub(super) fn ended(mut self, done: Result<Option<Value>, Problem>) -> Self {
        let (phase, result, problem) = match done {
            Ok(result) => (DONE, result, None),
            Err(problem) => (FAILED, None, Some(json!(problem))),
        };
        if let Task::Erasure { who } = &mut self.task {
            *who = None;
        }
        let (phase, changed_ms) = (phase.to_owned(), clock::now());
        Self { phase, changed_ms, result, problem, ..self }
    }

    /// How it is, where this host does not carry it on: what an earlier run had begun and
    /// cannot be gone on with has failed.
    pub(super) fn left(self) -> Self {
        if self.run == *RUN || self.is_ended() || self.task.durable().is_some() {
            return self;
        }
        let detail = "the host was started anew meanwhile: send the same again";
        self.ended(Err(Problem::new(Code::Unavailable, detail)))
    }

    /// Notes it. It stays until its end, and a day longer.
    pub(super) async fn put(&self, store: &TenantStore, id: &str) -> Result<(), StoreError> {
        let expires_ms = match (self.is_ended(), self.task.durable()) {
            (false, Some(_)) => None,
            (true, _) | (false, None) => Some(self.changed_ms + KEPT_MS),
        };
        store.note_put(KIND, id, &json!(self), expires_ms).await
    }

    pub(super) async fn find(store: &TenantStore, id: &str) -> Result<Option<Self>, StoreError> {
        let found = store.note_get(KIND, id, clock::now()).await?;
        // What an older host has noted can be read no more, and would have ended soon.
        Ok(found.and_then(|found| serde_json::from_value(found).ok()))
    }
}

/// An operation that has not ended, with whose it is and its name.
pub(super) type Unfinished = (TenantId, String, Kept);

/// What was promised and is not done yet, of all notes of operations.
pub(super) fn unfinished(
    notes: Vec<(TenantId, Record)>,
) -> impl Iterator<Item = (Unfinished, Durable)> {
    notes.into_iter().filter_map(|(tenant, Record { name, value })| {
        let kept: Kept = serde_json::from_value(value).ok().filter(|it: &Kept| !it.is_ended())?;
        let durable = kept.task.durable()?;
        Some(((tenant, name, kept), durable))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_an_earlier_run_had_begun_has_failed_unless_it_goes_on() {
        let upload = || Task::Upload { bot: "bot".into(), version: String::new() };
        let erasure = || Task::Erasure { who: Who::new(Some("a@x.example".into()), None, None) };
        let rows = [
            (upload(), "compiling", *RUN, "compiling"),
            (upload(), "compiling", *RUN ^ 1, "failed"),
            (upload(), "done", *RUN ^ 1, "done"),
            (Task::Backup { into: "/b".into() }, "copying", *RUN ^ 1, "failed"),
            (erasure(), "erasing", *RUN ^ 1, "erasing"),
            (Task::TenantDeletion { tenant: "acme".into() }, "stopping", *RUN ^ 1, "stopping"),
        ];
        for (task, phase, run, expected) in rows {
            let kept = Kept { phase: phase.to_owned(), run, ..Kept::begun(task, "test") };
            let shown = kept.left();
            assert_eq!(shown.phase, expected);
            assert_eq!(shown.problem.is_some(), expected == "failed");
        }
    }

    #[test]
    fn it_is_read_as_it_was_noted_and_whoever_is_erased_is_not_kept() {
        let who = Who::new(Some("ada@x.example".to_owned()), None, Some("web".into()));
        let kept = Kept::begun(Task::Erasure { who }, "token 1");
        let noted = json!(kept);
        assert_eq!(noted["kind"], "erasure");
        let read: Kept = serde_json::from_value(noted).unwrap();
        assert_eq!((&read.task, read.actor()), (&kept.task, "token 1"));
        let ended = json!(read.ended(Ok(Some(json!({ "conversations": 2 })))));
        assert!(!ended.to_string().contains("ada@x.example"), "{ended}");
        assert_eq!(
            (&ended["phase"], &ended["result"]["conversations"]),
            (&json!("done"), &json!(2))
        );
    }
}
