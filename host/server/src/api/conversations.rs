//! Conversations and their turns, as their tenant looks at them.

use axum::extract::Path;
use botyard_kernel::access::{Permission, redact};
use botyard_kernel::id::{ChannelId, ConversationKey};
use botyard_kernel::log::{Outcome, Turn as LoggedTurn};
use botyard_kernel::run::{LogLevel, LogLine};
use botyard_kernel::time::Millis;
use botyard_store::{Person, Place, Summary};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::{Json, Page, Paging, Query};
use super::problem::Problem;

/// A conversation in short.
#[derive(Serialize, ToSchema)]
pub(super) struct Conversation {
    channel: String,
    /// The vendor's own key.
    conversation: String,
    turns: u64,
    /// When something last happened (Unix milliseconds).
    active_ms: Millis,
    /// Who may speak: `bot`, `relay`, `handing_off`, `human` or `ended`.
    #[serde(skip_serializing_if = "Option::is_none")]
    owner: Option<&'static str>,
    /// When something is to be done in it; 0 for now.
    #[serde(skip_serializing_if = "Option::is_none")]
    due_ms: Option<Millis>,
    /// Since when a human has it.
    #[serde(skip_serializing_if = "Option::is_none")]
    human_ms: Option<Millis>,
}

/// One event handled.
#[derive(Serialize, ToSchema)]
pub(super) struct Turn {
    /// Its place in the conversation.
    seq: u64,
    /// Its id.
    turn: String,
    /// The event that was handled.
    event: String,
    /// `ran`, `failed`, or why nobody ran.
    result: Value,
    /// The version that ran.
    #[serde(skip_serializing_if = "Option::is_none")]
    version: Option<String>,
    /// What the bot returned, in the canonical form. Without the right to read texts,
    /// their lengths stand there.
    actions: Value,
    /// CPU time in microseconds.
    cpu_us: u64,
    /// What the bot wrote into its log.
    log: Vec<Line>,
}

/// A line of a bot's log.
#[derive(Serialize, ToSchema)]
pub(super) struct Line {
    #[schema(value_type = String)]
    level: LogLevel,
    message: String,
}

/// Which conversations.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Which {
    /// Only of this channel.
    channel: Option<String>,
    /// Only of the person with this address.
    email: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

/// Conversations of a tenant, the one first in which something happened last.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/conversations", tag = "conversations",
    params(("tenant" = String, Path), Which),
    responses((status = 200, body = Page<Conversation>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Query(which): Query<Which>,
) -> Result<Json<Page<Conversation>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let paging = Paging { limit: which.limit, after: which.after };
    let (store, channel) = (allowed.store(), which.channel.map(ChannelId));
    if let Some(email) = which.email {
        let person = Person::Email(&email);
        let found = store.person_conversations(channel.as_ref(), person, paging.limit()).await?;
        return Ok(Json(Page { items: found.into_iter().map(shown).collect(), after: None }));
    }
    let after = paging.after.as_deref().map(str::parse::<Place>).transpose();
    let after = after.map_err(|()| Problem::bad("`after` is the `after` of the page before"))?;
    let found = store.conversations(channel.as_ref(), after, paging.limit()).await?;
    let after = found.last().filter(|_| found.len() == paging.limit());
    let after = after.map(|(_, place)| place.to_string());
    let items = found.into_iter().map(|(summary, _)| shown(summary)).collect();
    Ok(Json(Page { items, after }))
}

/// A conversation, by the vendor's own key.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/channels/{channel}/conversations/{conversation}",
    tag = "conversations",
    params(("tenant" = String, Path), ("channel" = String, Path), ("conversation" = String, Path)),
    responses((status = 200, body = Conversation), (status = "4XX", body = Problem)))]
pub(super) async fn show(
    of: OfTenant,
    Path((_, channel, conversation)): Path<(String, ChannelId, String)>,
) -> Result<Json<Conversation>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let key = key(&allowed, channel, conversation);
    let found = allowed.store().summary(&key).await?.ok_or_else(Problem::not_found)?;
    Ok(Json(shown(found)))
}

/// The turns of a conversation, the oldest first.
#[utoipa::path(get,
    path = "/v1/tenants/{tenant}/channels/{channel}/conversations/{conversation}/turns",
    tag = "conversations",
    params(("tenant" = String, Path), ("channel" = String, Path), ("conversation" = String, Path),
        Paging),
    responses((status = 200, body = Page<Turn>), (status = "4XX", body = Problem)))]
pub(super) async fn turns(
    of: OfTenant,
    Path((_, channel, conversation)): Path<(String, ChannelId, String)>,
    Query(paging): Query<Paging>,
) -> Result<Json<Page<Turn>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let key = key(&allowed, channel, conversation);
    let after = paging.after.as_deref().map(str::parse).transpose();
    let after = after.map_err(|_| Problem::bad("`after` is the `seq` of a turn"))?.unwrap_or(0);
    let store = allowed.store();
    store.summary(&key).await?.ok_or_else(Problem::not_found)?;
    let found = store.turns(&key, after, paging.limit()).await?;
    let after = found.last().filter(|_| found.len() == paging.limit());
    let after = after.map(|(seq, _)| seq.to_string());
    let texts = allowed.shows_texts();
    let items = found.into_iter().map(|(seq, turn)| turn_shown(seq, turn, texts)).collect();
    Ok(Json(Page { items, after }))
}

fn key(allowed: &Allowed, channel: ChannelId, vendor_key: String) -> ConversationKey {
    ConversationKey { tenant: allowed.tenant.clone(), channel, vendor_key }
}

fn shown(summary: Summary) -> Conversation {
    let Summary { key, turns, active_ms, owner, due_ms, human_ms, .. } = summary;
    Conversation {
        channel: key.channel.0,
        conversation: key.vendor_key,
        turns,
        active_ms,
        owner: owner.map(|owner| owner.name()),
        due_ms,
        human_ms,
    }
}

/// A turn, with its texts or their lengths.
pub(super) fn turn_shown(seq: u64, turn: LoggedTurn, texts: bool) -> Turn {
    let (result, version, actions, cpu_us) = match turn.outcome {
        Outcome::Ran { version, actions, cpu_us } => {
            let actions = if texts { json!(actions) } else { redact::actions(&actions) };
            (json!("ran"), Some(version.to_string()), actions, cpu_us)
        }
        Outcome::Failed { version, failure } => {
            let mut failure = failure;
            if !texts {
                // It may quote what was said, or what the bot wrote before it broke down.
                failure.message = redact::length(&failure.message);
            }
            (json!({ "failed": failure }), Some(version.to_string()), json!([]), 0)
        }
        Outcome::Skipped(reason) => {
            (json!({ "skipped": format!("{reason:?}") }), None, json!([]), 0)
        }
    };
    let line = |line: LogLine| Line {
        level: line.level,
        message: if texts { line.message } else { redact::length(&line.message) },
    };
    Turn {
        seq,
        turn: turn.id.0,
        event: turn.event.0,
        result,
        version,
        actions,
        cpu_us,
        log: turn.log.into_iter().map(line).collect(),
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::id::Digest;
    use botyard_kernel::run::{Blame, FailureKind, RunFailure};

    use super::*;
    use crate::app::scratch::turn;

    #[test]
    fn a_failure_tells_no_words_to_whoever_may_read_none() {
        let failure = RunFailure {
            blame: Blame::Bot,
            kind: FailureKind::Trap,
            message: "panicked at `my secret words`".to_owned(),
        };
        let turn = turn(Outcome::Failed { version: Digest::of(b""), failure });
        let failed = |texts| turn_shown(1, turn.clone(), texts).result["failed"].clone();
        assert!(failed(true).to_string().contains("my secret words"));
        let hidden = failed(false);
        assert_eq!(hidden["message"], "[29 characters]");
        assert_eq!((&hidden["blame"], &hidden["kind"]), (&json!("bot"), &json!("trap")));
    }
}
