//! What operators see of turns: lines and numbers, never what people wrote.

use botyard_kernel::id::{ConversationKey, EventId};
use botyard_kernel::log::{Outcome, RowEnd, Settled, Turn};
use botyard_kernel::run::{FailureKind, RunFailure};
use botyard_kernel::time::Millis;
use metrics::{counter, histogram};

use crate::registry::Channel;

pub(super) fn turned(channel: &Channel, key: &ConversationKey, turn: &Turn) {
    let (vendor, id, fused) = (channel.vendor().name(), &turn.id, turn.fused.is_some());
    let result = match &turn.outcome {
        Outcome::Ran { actions, cpu_us, .. } => {
            let actions = actions.len();
            histogram!("botyard_turn_cpu_seconds").record(*cpu_us as f64 / 1e6);
            tracing::info!(conversation = %key, turn = %id, actions, cpu_us, fused, "turn {id}: ran");
            "ran"
        }
        Outcome::Failed { failure, version } => {
            let (blame, kind) = (failure.blame.name(), failure.kind.name());
            let (bot, reason) = (&channel.bot().id, for_operators(failure));
            count_failure(failure);
            tracing::warn!(
                conversation = %key, turn = %id, %bot, %version, blame, kind, reason,
                "turn {id}: the run failed, {blame} must act"
            );
            "failed"
        }
        Outcome::Skipped(reason) => {
            tracing::info!(conversation = %key, turn = %id, ?reason, fused, "turn {id}: no run");
            "skipped"
        }
    };
    counter!("botyard_turns_total", "vendor" => vendor, "result" => result).increment(1);
    let way = if fused { "fused" } else { "accepted" };
    counter!("botyard_turn_commits_total", "way" => way).increment(1);
}

/// A run that is repeated leaves a line and counts like one that is not.
pub(super) fn run_failed(
    channel: &Channel,
    key: &ConversationKey,
    event: &EventId,
    failure: &RunFailure,
    tries: u32,
    pause_ms: Millis,
) {
    let (blame, kind) = (failure.blame.name(), failure.kind.name());
    let (bot, reason) = (&channel.bot().id, for_operators(failure));
    count_failure(failure);
    tracing::warn!(
        conversation = %key, %event, %bot, tries, pause_ms, blame, kind, reason,
        "the run on {event} failed and is repeated in {pause_ms} ms, {blame} must act if it goes on"
    );
}

/// A conversation that has no room for even the smallest turn leaves a line.
pub(super) fn too_large(key: &ConversationKey, event: &EventId, pause_ms: Millis) {
    tracing::error!(
        conversation = %key, %event, pause_ms,
        "the conversation stands still at {event}: even a failure is larger than the store \
         takes; it goes on when deliveries have made room, the host is to blame"
    );
}

/// Rows that end without having been handed over leave a line each.
pub(super) fn settled(channel: &Channel, key: &ConversationKey, settled: &Settled) {
    let vendor = channel.vendor().name();
    for part in &settled.by_call {
        tracing::warn!(
            conversation = %key, %part,
            "{part} was to ride in an answer, which went without it: it goes by calls"
        );
    }
    for (part, end) in &settled.rows {
        let name = match end {
            RowEnd::Delivered => "delivered",
            RowEnd::Dead(why) => {
                let kept = settled.dead_letters.iter().any(|letter| letter.id == *part);
                let kept = if kept { ": a dead letter" } else { "" };
                tracing::warn!(conversation = %key, %part, why, "{part} is given up{kept}");
                "dead"
            }
            RowEnd::Quarantined => {
                tracing::warn!(
                    conversation = %key, %part,
                    "{part} is withheld: somebody else speaks in the conversation now"
                );
                "quarantined"
            }
        };
        counter!("botyard_rows_total", "vendor" => vendor, "end" => name).increment(1);
    }
}

fn count_failure(failure: &RunFailure) {
    let (blame, kind) = (failure.blame.name(), failure.kind.name());
    counter!("botyard_run_failures_total", "blame" => blame, "kind" => kind).increment(1);
}

/// What a failure says without the bot's own words: those may quote what people
/// wrote, so they stay in the turn, where the bot's author reads them.
fn for_operators(failure: &RunFailure) -> &str {
    if failure.kind == FailureKind::Rejected {
        return "the bot refused the event";
    }
    let (what, _) = failure.message.split_once("; it wrote: ").unwrap_or((&failure.message, ""));
    what
}
