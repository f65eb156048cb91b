//! Parts of webhooks that cannot be read: kept as dead letters before the webhook is
//! answered, so that somebody can look at them, and told from letters of ours.
//!
//! Whoever may send webhooks may fill one with such parts, so of each webhook the first
//! are kept one by one, and the others in one letter, as far as they fit.

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
/// So many parts of a webhook have a letter of their own.
const PARTS_MAX: usize = 32;

/// The parts of a webhook as they are kept.
pub(super) fn bounded(mut damaged: Vec<Damaged>) -> Vec<Damaged> {
    let rest = damaged.split_off(damaged.len().min(PARTS_MAX));
    if let Some(Damaged { reason, .. }) = rest.first() {
        let reason = format!("{} more parts cannot be read, the first: {reason}", rest.len());
        let raw: Vec<String> = rest.into_iter().map(|part| part.raw).collect();
        damaged.push(Damaged { reason, raw: raw.join("\n") });
    }
    damaged
}

/// Keeps them. The same part is kept once, however often it comes.
///
/// # Errors
/// The channel has gone meanwhile, or the store does not keep them.
pub(super) async fn keep(
    app: &App,
    channel: &Channel,
    damaged: Vec<Damaged>,
    now: Millis,
) -> Result<(), StoreError> {
    let key: ConversationKey = channel.conversation(CONVERSATION.to_owned());
    let store = app.work.store().tenant(&channel.tenant);
    for Damaged { reason, raw } in damaged {
        let digest = Digest::of_parts([channel.id.as_str().as_bytes(), raw.as_bytes()]);
        let part = PartId(format!("w{}", &digest.to_string()[..24]));
        if store.dead_letter(&part).await?.is_some() {
            continue;
        }
        if channel.is_closed() {
            // A later tenant of its name would read them.
            return Err(StoreError::NotFound);
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

/// Tells of so many parts of a webhook, in one line.
pub(super) fn tell(channel: &Channel, parts: usize, kept: &[Damaged]) {
    let Some(Damaged { reason, .. }) = kept.first() else { return };
    let vendor = channel.vendor().name();
    counter!("botyard_webhook_parts_damaged_total", "vendor" => vendor).increment(parts as u64);
    tracing::warn!(channel = %channel.id, parts, reason, "a part of a webhook cannot be read");
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
        by_call: Vec::new(),
        hand_off: None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parts(count: usize) -> Vec<Damaged> {
        let part = |n: usize| Damaged { reason: format!("reason {n}"), raw: n.to_string() };
        (0..count).map(part).collect()
    }

    #[test]
    fn of_many_parts_the_first_have_letters_of_their_own() {
        for count in [0, 1, PARTS_MAX] {
            assert_eq!(bounded(parts(count)).len(), count);
        }
        let kept = bounded(parts(PARTS_MAX + 3));
        assert_eq!(kept.len(), PARTS_MAX + 1);
        assert_eq!((&*kept[31].reason, &*kept[31].raw), ("reason 31", "31"));
        assert_eq!(kept[32].reason, "3 more parts cannot be read, the first: reason 32");
        assert_eq!(kept[32].raw, "32\n33\n34");
    }
}
