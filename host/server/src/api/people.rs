//! What is known of a person: handed out, and taken away.

use botyard_kernel::access::Permission;
use botyard_kernel::id::{ChannelId, ConversationKey};
use botyard_store::{Cause, Person};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::conversations::turn_shown;
use super::page::{Json, Query};
use super::problem::{Code, Problem};

/// At most so many conversations of a person at a time.
const CONVERSATIONS_MAX: usize = 100;
const PAGE: usize = 200;

/// Which person: by an address of e-mail, or by the vendor's own key of a conversation.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    email: Option<String>,
    conversation: Option<String>,
    /// Only of this channel.
    channel: Option<String>,
}

/// What is known of a person.
#[derive(Serialize, ToSchema)]
pub(super) struct Export {
    /// Each conversation with its turns, and what is known of the person there.
    conversations: Vec<Value>,
}

/// What was taken away.
#[derive(Serialize, ToSchema)]
pub(super) struct Erased {
    /// So many conversations.
    conversations: usize,
}

/// Hand out all that is known of a person.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/persons", tag = "persons",
    params(("tenant" = String, Path), Who),
    responses((status = 200, body = Export), (status = "4XX", body = Problem)))]
pub(super) async fn export(of: OfTenant, Query(who): Query<Who>) -> Result<Json<Export>, Problem> {
    let allowed = of.may(Permission::ManagePeople, None)?;
    allowed.also(Permission::ReadTexts)?;
    let mut conversations = Vec::new();
    for key in found(&allowed, &who).await? {
        conversations.push(whole(&allowed, &key).await?);
    }
    Ok(Json(Export { conversations }))
}

/// Erase all that is known of a person. It cannot be taken back.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/persons", tag = "persons",
    params(("tenant" = String, Path), Who),
    responses((status = 200, body = Erased), (status = "4XX", body = Problem)))]
pub(super) async fn erase(of: OfTenant, Query(who): Query<Who>) -> Result<Json<Erased>, Problem> {
    let allowed = of.may(Permission::ManagePeople, None)?;
    let (store, mut conversations) = (allowed.store(), 0);
    for key in found(&allowed, &who).await? {
        conversations += usize::from(store.erase(&key, Cause::Person, &allowed.stamp).await?);
    }
    Ok(Json(Erased { conversations }))
}

async fn found(allowed: &Allowed, who: &Who) -> Result<Vec<ConversationKey>, Problem> {
    let person = match (&who.email, &who.conversation) {
        (Some(email), None) => Person::Email(email),
        (None, Some(key)) => Person::VendorKey(key),
        (Some(_), Some(_)) | (None, None) => {
            return Err(Problem::bad("name the person by either `email` or `conversation`"));
        }
    };
    let channel = who.channel.clone().map(ChannelId);
    let store = allowed.store();
    let found = store.person_conversations(channel.as_ref(), person, CONVERSATIONS_MAX).await?;
    if found.len() == CONVERSATIONS_MAX {
        let detail = "there are 100 conversations or more: name a `channel`, one after the other";
        return Err(Problem::new(Code::TooMany, detail));
    }
    Ok(found.into_iter().map(|summary| summary.key).collect())
}

async fn whole(allowed: &Allowed, key: &ConversationKey) -> Result<Value, Problem> {
    let store = allowed.store();
    let loaded = store.load(key, 0).await?;
    let facts = loaded.turn.map(|(_, turn)| turn.state.facts);
    let (mut turns, mut after) = (Vec::new(), 0);
    loop {
        let page = store.turns(key, after, PAGE).await?;
        let Some((last, _)) = page.last() else { break };
        after = *last;
        turns.extend(page.into_iter().map(|(seq, turn)| turn_shown(seq, turn, true)));
    }
    Ok(json!({
        "channel": key.channel,
        "conversation": key.vendor_key,
        "facts": facts,
        "turns": turns,
    }))
}
