//! What a tenant's own systems say to conversations, with a token of the management API.

use botyard_kernel::access::Permission;
use botyard_kernel::id::ChannelId;
use http::{HeaderMap, StatusCode};
use metrics::counter;

use super::caller::OfTenant;
use super::page::{Json, Path};
use super::problem::Problem;
use crate::http::{Signal, bring, idempotency_key};

/// Speak into a conversation: its bot gets the event `signal`. With an `Idempotency-Key`, by
/// which it counts once.
#[utoipa::path(post,
    path = "/v1/tenants/{tenant}/channels/{channel}/conversations/{conversation}/signals",
    tag = "conversations", request_body = Signal,
    params(("tenant" = String, Path), ("channel" = String, Path), ("conversation" = String, Path),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200)),
    responses((status = 202), (status = "4XX", body = Problem)))]
pub(super) async fn bring_signal(
    of: OfTenant,
    Path((_, channel, conversation)): Path<(String, String, String)>,
    headers: HeaderMap,
    Json(signal): Json<Signal>,
) -> Result<StatusCode, Problem> {
    let allowed = of.may(Permission::Signal, None)?;
    let channel = allowed.app.work.channel(&ChannelId(channel));
    let own = channel.filter(|channel| channel.tenant == allowed.tenant);
    let channel = own.ok_or_else(Problem::not_found)?;
    let key = idempotency_key(&headers)?;
    // Counted until the answer is there.
    let _admitted = allowed.app.work.admit(&allowed.tenant, 0).map_err(|it| Problem::busy(&it))?;
    let brought = bring(&allowed.app, &channel, conversation, key, signal).await;
    let label = if brought.is_ok() { "accepted" } else { "refused" };
    counter!("botyard_signals_total", "result" => label).increment(1);
    brought?;
    Ok(StatusCode::ACCEPTED)
}
