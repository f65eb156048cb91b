//! Calls of the action `request`: parallel to what is said, each with its answer.

use crate::action::Action;
use crate::event::{Answer, EventBody, Response, ResponseOutcome};
use crate::id::{EventId, PartId};
use crate::json;
use crate::log::{Conversation, Row, RowEnd, Settled};
use crate::outbox::settle::{follow_up, follow_up_id};
use crate::outbox::{
    CallId, Outbox, REQUEST_AGE_MAX_MS, REQUEST_ATTEMPTS_MAX, REQUESTS_MAX, RESPONSE_BYTES_MAX,
    Requested, Send, chance,
};
use crate::retry;
use crate::time::Millis;

/// What stands behind the id of a `request` in that of its `response`.
const RESPONSE: &str = "response";

/// The id of the event that says what came of a `request`.
pub(crate) fn response_id(request: &PartId) -> EventId {
    follow_up_id(request, RESPONSE)
}

impl Outbox {
    /// The call of a `request` action ended.
    pub fn requested(
        &mut self,
        state: &Conversation,
        call: CallId,
        requested: Requested,
        now: Millis,
    ) -> Option<Settled> {
        let id = self.requests.remove(&call)?;
        let row = state.rows.iter().find(|row| row.id == id)?;
        let Action::Request(action) = &row.action else { return None };
        let outcome = match requested {
            Requested::Answered(answer) => ResponseOutcome::Answered(storable(answer)),
            Requested::Refused(why) => ResponseOutcome::Failed(why),
            Requested::Held { until_ms } => {
                let tries = self.request_tries.entry(id.clone()).or_default();
                tries.next_ms = until_ms.max(now);
                if now < row.made_ms.saturating_add(REQUEST_AGE_MAX_MS) {
                    return None;
                }
                let why = "it was held back for too long: the service has not answered anybody, or \
                           the tenant has made too many calls";
                ResponseOutcome::Failed(format!("{why} (tried {} times)", tries.made))
            }
            Requested::Unanswered(why) => {
                let tries = self.request_tries.entry(id.clone()).or_default();
                tries.made += 1;
                tries.wait_ms = retry::wait(tries.wait_ms, None, chance(&id, tries.made));
                tries.next_ms = now.saturating_add(tries.wait_ms);
                let late = now >= row.made_ms.saturating_add(REQUEST_AGE_MAX_MS);
                if tries.made < REQUEST_ATTEMPTS_MAX && !late {
                    return None;
                }
                ResponseOutcome::Failed(format!("{why} (tried {} times)", tries.made))
            }
        };
        self.request_tries.remove(&id);
        let body = EventBody::Response(Response { name: action.name.clone(), outcome });
        let response = follow_up(&id, RESPONSE, body, row.quiet, now);
        Some(Settled {
            at_ms: now,
            rows: vec![(id, RowEnd::Delivered)],
            events: vec![response],
            ..Settled::default()
        })
    }

    pub(super) fn requests(&mut self, state: &Conversation, now: Millis) -> Vec<Send> {
        let room = REQUESTS_MAX.saturating_sub(self.requests.len());
        let ready: Vec<Row> = self
            .waiting_requests(state)
            .filter(|row| self.request_at(&row.id) <= now)
            .take(room)
            .cloned()
            .collect();
        let mut sends = Vec::new();
        for row in ready {
            self.calls += 1;
            self.requests.insert(self.calls, row.id.clone());
            sends.push(Send::Request { call: self.calls, row: Box::new(row) });
        }
        sends
    }

    pub(super) fn waiting_requests<'a>(
        &'a self,
        state: &'a Conversation,
    ) -> impl Iterator<Item = &'a Row> {
        let room = self.requests.len() < REQUESTS_MAX && !self.paused.turns();
        state
            .rows
            .iter()
            .filter(move |_| room)
            .filter(|row| matches!(row.action, Action::Request(_)))
            .filter(|row| !self.requests.values().any(|id| *id == row.id))
    }

    pub(super) fn request_at(&self, id: &PartId) -> Millis {
        self.request_tries.get(id).map_or(0, |tries| tries.next_ms)
    }
}

/// Cuts an answer that would be too large to store: escaping makes some bodies
/// several times as long.
fn storable(mut answer: Answer) -> Answer {
    while let Some(excess) = json::bytes(&answer).checked_sub(RESPONSE_BYTES_MAX + 1) {
        // A byte is at most six when it is escaped.
        let kept = answer.body.len().saturating_sub(excess / 6 + 1);
        if answer.body.is_empty() {
            break;
        }
        answer.body.truncate(answer.body.floor_char_boundary(kept));
        answer.truncated = true;
    }
    answer
}
