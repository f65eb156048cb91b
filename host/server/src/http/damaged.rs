//! Parts of webhooks that cannot be read: kept as dead letters before the webhook is
//! answered, so that somebody can look at them, and told from letters of ours.

use botyard_kernel::action::{Action, NamedPayload};
use botyard_kernel::id::{ConversationKey, Digest, EventId, PartId, TurnId};
use botyard_kernel::log::{Row, RowEnd, Settled};
use botyard_kernel::time::Millis;
use botyard_store::StoreError;
use botyard_vendors::Damaged;
use metrics::counter;
use serde_json::json;

use crate::app::App;
use crate::registry::Channel;

/// The name of the action that stands for such a part.
pub(crate) const NAME: &str = "damaged_webhook";
/// The conversation whose letters they are: no vendor's key has blanks around it.
const CONVERSATION: &str = " damaged webhooks ";
/// So much of a part is kept (bytes).
const RAW_BYTES_MAX: usize = 32 * 1024;

/// Keeps them. The same part is kept once, however often it comes.
pub(super) async fn keep(
    app: &App,
    channel: &Channel,
    damaged: Vec<Damaged>,
    now: Millis,
) -> Result<(), StoreError> {
    let key: ConversationKey = channel.conversation(CONVERSATION.to_owned());
    for Damaged { reason, raw } in damaged {
        let vendor = channel.vendor().name();
        counter!("botyard_webhook_parts_damaged_total", "vendor" => vendor).increment(1);
        tracing::warn!(channel = %channel.id, reason, "a part of a webhook cannot be read");
        let digest = Digest::of_parts([channel.id.as_str().as_bytes(), raw.as_bytes()]);
        let part = PartId(format!("w{}", &digest.to_string()[..24]));
        let store = app.work.store().tenant(&channel.tenant);
        if store.dead_letter(&part).await?.is_some() {
            continue;
        }
        let settled = Settled {
            at_ms: now,
            rows: vec![(part.clone(), RowEnd::Dead(reason))],
            dead_letters: vec![letter(part, &raw, now)],
            ..Settled::default()
        };
        store.settle(&key, &settled).await?;
    }
    Ok(())
}

/// Whether a letter is such a part: there is nothing to send again.
pub(crate) fn is_damaged(row: &Row) -> bool {
    matches!(&row.action, Action::Other(payload) if payload.name == NAME)
}

fn letter(part: PartId, raw: &str, now: Millis) -> Row {
    let cut = raw.floor_char_boundary(RAW_BYTES_MAX);
    let json = json!({ "raw": &raw[..cut], "cut": cut < raw.len() }).to_string();
    Row {
        turn: TurnId(part.to_string()),
        event: EventId(part.to_string()),
        id: part,
        made_ms: now,
        action: Action::Other(NamedPayload { name: NAME.to_owned(), json }),
        context: None,
        quiet: true,
        by_human: false,
        hand_off: None,
    }
}
