//! Events that were consumed without a run and wait to be handed over.

use crate::event::Event;
use crate::json;
use crate::log::Conversation;
use crate::plan::{SKIPPED_BYTES_MAX, SKIPPED_KEPT_BYTES_MAX, SKIPPED_MAX};
use crate::run::{LogLevel, LogLine};

pub(super) fn keep(state: &mut Conversation, event: &Event, log: &mut Vec<LogLine>) {
    state.skipped.push(Event { raw: None, ..event.clone() });
    let mut bytes: usize = state.skipped.iter().map(json::bytes).sum();
    let mut cut = 0;
    while bytes > SKIPPED_KEPT_BYTES_MAX && cut < state.skipped.len() {
        bytes -= json::bytes(&state.skipped[cut]);
        cut += 1;
    }
    if cut > 0 {
        state.skipped.drain(..cut);
        let message = format!(
            "the {cut} oldest skipped events will not be handed over: {SKIPPED_KEPT_BYTES_MAX} \
             bytes are kept; the conversation's log has them"
        );
        log.push(LogLine { level: LogLevel::Warn, message });
    }
}

/// How many of the skipped events fit into one turn: one at least, lest a large
/// one stands before the others for ever.
pub(super) fn handed_over(skipped: &[Event]) -> usize {
    let mut bytes = 0;
    let fitting = skipped
        .iter()
        .take(SKIPPED_MAX)
        .take_while(|event| {
            bytes += json::bytes(event);
            bytes <= SKIPPED_BYTES_MAX
        })
        .count();
    fitting.max(1).min(skipped.len())
}
