//! Conversations and their turns, as their tenant looks at them.

use axum::extract::Path;
use botyard_kernel::access::Permission;
use botyard_kernel::id::{ChannelId, ConversationKey};
use botyard_kernel::time::Millis;
use botyard_store::{Place, Summary, Which};
use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use super::caller::{Allowed, OfTenant};
use super::page::{Json, Page, Paging, Query};
use super::problem::Problem;
use super::turns::{Reader, Turn, handled};

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

/// Which conversations.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Wanted {
    /// Only of this channel.
    channel: Option<String>,
    /// Only of the person with this address.
    email: Option<String>,
    /// At most so many: 1 to 200, 50 by default.
    limit: Option<usize>,
    /// The `after` of the page before.
    after: Option<String>,
}

/// Conversations of a tenant, the one first in which something happened last.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/conversations", tag = "conversations",
    params(("tenant" = String, Path), Wanted),
    responses((status = 200, body = Page<Conversation>), (status = "4XX", body = Problem)))]
pub(super) async fn list(
    of: OfTenant,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Page<Conversation>>, Problem> {
    let allowed = of.may(Permission::ReadObjects, None)?;
    let Wanted { channel, email, limit, after } = wanted;
    let (paging, channel) = (Paging { limit, after }, channel.map(ChannelId));
    let which = Which { channel: channel.as_ref(), email: email.as_deref() };
    let after = paging.after.as_deref().map(str::parse::<Place>).transpose();
    let after = after.map_err(|()| Problem::bad("`after` is the `after` of the page before"))?;
    let found = allowed.store().conversations(which, after, paging.limit()).await?;
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
    let reader = Reader::of(&allowed);
    let turns: Vec<_> = found.iter().map(|(_, turn)| (&key, turn)).collect();
    let events = handled(&store, &turns).await?;
    let shown = found.into_iter().zip(events);
    let items = shown.map(|((seq, turn), event)| reader.turn(seq, turn, event)).collect();
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
