//! What is known of a person: handed out, and taken away.

use botyard_kernel::access::Permission;
use botyard_kernel::id::{ChannelId, ConversationKey};
use botyard_kernel::log::Entry;
use botyard_kernel::stored;
use botyard_store::{Cause, Person, Stamp};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::conversations::turn_shown;
use super::page::{Json, Query};
use super::problem::Problem;
use crate::clock;

/// So many conversations of a person are looked for at once.
const SEARCHED: usize = 100;
/// At most so many of a person in a channel are handed out.
const HANDED_OUT_MAX: usize = 100_000;
/// So many are handed out at a time: each is as long as it is.
const PAGE: usize = 20;
/// So many entries of a conversation are read at once.
const ENTRIES: usize = 100;

/// Which person: by an address of e-mail, or by the vendor's own key of a conversation.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    email: Option<String>,
    conversation: Option<String>,
    /// Only of this channel.
    channel: Option<String>,
    /// Of what is handed out: the `after` of the page before.
    after: Option<String>,
}

/// What is known of a person.
#[derive(Serialize, ToSchema)]
pub(super) struct Export {
    /// Conversations, each whole: `turns` as they are shown elsewhere; `log` with the
    /// events that came, the vendor's own words included, the calls of the bot and what
    /// was delivered or given up; `state` with what the host and the bot remember.
    conversations: Vec<Value>,
    /// Asks for the next page; absent in the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// What was taken away.
#[derive(Serialize, ToSchema)]
pub(super) struct Erased {
    /// So many conversations.
    conversations: usize,
}

/// Hand out all that is known of a person, page by page.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/persons", tag = "persons",
    params(("tenant" = String, Path), Who),
    responses((status = 200, body = Export), (status = "4XX", body = Problem)))]
pub(super) async fn export(of: OfTenant, Query(who): Query<Who>) -> Result<Json<Export>, Problem> {
    let allowed = of.may(Permission::ManagePeople, None)?;
    allowed.also(Permission::ReadTexts)?;
    let (store, stamp) = (allowed.store(), &allowed.stamp);
    let mut keys = found(&allowed, &who, HANDED_OUT_MAX).await?;
    keys.sort_by_key(place);
    keys.retain(|key| who.after.as_ref().is_none_or(|after| place(key) > *after));
    let more = keys.len() > PAGE;
    keys.truncate(PAGE);
    let after = keys.last().filter(|_| more).map(place);
    let mut conversations = Vec::new();
    for key in keys {
        let name = key.digest().to_string();
        store.witness("export", Cause::Person.as_str(), &name, stamp).await?;
        conversations.push(whole(&allowed, &key).await?);
    }
    Ok(Json(Export { conversations, after }))
}

/// Erase all that is known of a person. It cannot be taken back.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/persons", tag = "persons",
    params(("tenant" = String, Path), Who),
    responses((status = 200, body = Erased), (status = "4XX", body = Problem)))]
pub(super) async fn erase(of: OfTenant, Query(who): Query<Who>) -> Result<Json<Erased>, Problem> {
    let allowed = of.may(Permission::ManagePeople, None)?;
    let (store, mut conversations) = (allowed.store(), 0);
    loop {
        let mut erased = 0;
        for key in found(&allowed, &who, SEARCHED).await? {
            let stamp = Stamp { at_ms: clock::now(), ..allowed.stamp.clone() };
            erased += usize::from(store.erase(&key, Cause::Person, &stamp).await?);
        }
        conversations += erased;
        if erased == 0 {
            return Ok(Json(Erased { conversations }));
        }
    }
}

/// Where a conversation stands among those of a person.
fn place(key: &ConversationKey) -> String {
    format!("{}/{}", key.channel, key.vendor_key)
}

async fn found(allowed: &Allowed, who: &Who, most: usize) -> Result<Vec<ConversationKey>, Problem> {
    let person = match (&who.email, &who.conversation) {
        (Some(email), None) => Person::Email(email),
        (None, Some(key)) => Person::VendorKey(key),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::bad("name the person by either `email` or `conversation`"));
        }
    };
    let channel = who.channel.clone().map(ChannelId);
    let found = allowed.store().person_conversations(channel.as_ref(), person, most).await?;
    Ok(found.into_iter().map(|summary| summary.key).collect())
}

/// All entries of a conversation in the host's own form, and how it stands.
async fn whole(allowed: &Allowed, key: &ConversationKey) -> Result<Value, Problem> {
    let store = allowed.store();
    let loaded = store.load(key, 0).await?;
    let facts = loaded.turn.as_ref().map(|(_, turn)| turn.state.facts.clone());
    let state = loaded.turn.map(|(_, turn)| stored_form(&Entry::Turn(Box::new(turn))));
    let state = state.map(|mut turn| turn["turn"]["state"].take());
    let (mut turns, mut log, mut after) = (Vec::new(), Vec::new(), 0);
    loop {
        let page = store.read(key, after, ENTRIES).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        for (seq, entry) in page {
            let entry = match entry {
                Entry::Turn(turn) if turn.is_erasure() => continue,
                Entry::Turn(mut turn) => {
                    let fused = turn.fused.take().map(Entry::Accepted);
                    turns.push(turn_shown(seq, *turn, true));
                    let Some(fused) = fused else { continue };
                    fused
                }
                entry @ (Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_)) => entry,
            };
            log.push(json!({ "seq": seq, "entry": stored_form(&entry) }));
        }
    }
    Ok(json!({
        "channel": key.channel,
        "conversation": key.vendor_key,
        "facts": facts,
        "turns": turns,
        "log": log,
        "state": state,
    }))
}

/// An entry as it is stored, which leaves nothing out.
fn stored_form(entry: &Entry) -> Value {
    let whole: Value = serde_json::from_slice(&stored::encode(entry)).unwrap_or_default();
    whole.get("e").cloned().unwrap_or_default()
}
