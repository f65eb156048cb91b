//! What was said in a conversation, as its log has it.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use botyard_kernel::action::Action;
use botyard_kernel::event::EventBody;
use botyard_kernel::log::{Arrival, Entry, Row, RowEnd, Seq};
use botyard_kernel::relay::is_relays;
use botyard_kernel::time::Millis;
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::failed;
use super::speak::is_reply;
use crate::api::{Path, Problem, Query};
use crate::app::App;
use crate::http::doors::{Door, Refusals, unknown};
use crate::shown::event_json;

/// At most so many entries of the log in one answer.
const PAGE: usize = 200;

#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct After {
    /// The `next` of the page before.
    #[serde(default)]
    after: Seq,
}

/// What was said in a conversation.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Transcript {
    messages: Vec<TranscriptLine>,
    /// To be sent as `after`, now for the next page, or later for what is new.
    next: Seq,
    /// There is more already.
    more: bool,
}

/// One thing that happened.
#[derive(Serialize, ToSchema)]
struct TranscriptLine {
    /// Its place in the log.
    place: Seq,
    /// When (Unix milliseconds).
    at_ms: Millis,
    /// Who: `person`, `bot`, `human`, `host` (or the vendor) or `delivery`.
    from: &'static str,
    /// The part, for what bots and humans say.
    #[serde(skip_serializing_if = "Option::is_none")]
    part: Option<String>,
    /// The event or the action in the canonical JSON, or what became of the part; of a
    /// service's answer only how it ended.
    what: Value,
}

/// What was said in a conversation, the oldest first, in pages of about 200.
#[utoipa::path(get, path = "/v1/channels/{channel}/desk/conversations/{conversation}/messages",
    tag = "desk", security(("desk-token" = [])),
    params(("channel" = String, Path),
        ("conversation" = String, Path, description = "The vendor's own key."), After),
    responses((status = 200, body = Transcript), Refusals))]
pub(in crate::http) async fn messages(
    State(app): State<Arc<App>>,
    Path((channel, conversation)): Path<(String, String)>,
    query: Result<Query<After>, Problem>,
    headers: HeaderMap,
) -> Result<Json<Transcript>, Problem> {
    let channel = Door::Desk.open(&app, channel, &headers)?;
    let Query(query) = query?;
    let key = channel.conversation(conversation);
    let store = app.work.store().tenant(&channel.tenant);
    let entries = store.read(&key, query.after, PAGE).await.map_err(|error| failed(&error))?;
    if entries.is_empty() && query.after == 0 {
        return Err(unknown());
    }
    let more = entries.len() == PAGE;
    let next = entries.last().map_or(query.after, |(seq, _)| *seq);
    let messages = entries.iter().flat_map(|(seq, entry)| lines(*seq, entry)).collect();
    Ok(Json(Transcript { messages, next, more }))
}

fn lines(place: Seq, entry: &Entry) -> Vec<TranscriptLine> {
    match entry {
        // It is there as what is delivered because of it.
        Entry::Accepted(arrival) if is_reply(arrival) => Vec::new(),
        Entry::Accepted(arrival) => happened(place, arrival).into_iter().collect(),
        Entry::Called(_) => Vec::new(),
        Entry::Turn(turn) => {
            let event = turn.fused.iter().filter_map(|arrival| happened(place, arrival));
            let own = turn.state.rows.iter().filter(|row| row.turn == turn.id);
            event.chain(own.filter_map(|row| said(place, "bot", row))).collect()
        }
        Entry::Settled(settled) => {
            let human = settled.revived.iter().filter(|row| row.by_human);
            let ends = settled.rows.iter().map(|(part, end)| TranscriptLine {
                place,
                at_ms: settled.at_ms,
                from: "delivery",
                part: Some(part.to_string()),
                what: match end {
                    RowEnd::Delivered => json!("delivered"),
                    RowEnd::Dead(why) => json!({ "given_up": why }),
                    RowEnd::Quarantined => json!("withheld"),
                },
            });
            human.filter_map(|row| said(place, "human", row)).chain(ends).collect()
        }
    }
}

/// What an external bot says is there as what the person is told; around it stands the key
/// of the conversation there, which is a secret.
fn happened(place: Seq, arrival: &Arrival) -> Option<TranscriptLine> {
    let event = &arrival.event;
    if is_relays(&event.body) {
        return None;
    }
    let what = event_json(&event.body);
    let from = match &event.body {
        EventBody::HumanSpoke(_) => "human",
        EventBody::Start(_)
        | EventBody::Message(_)
        | EventBody::Click(_)
        | EventBody::Media(_)
        | EventBody::Location(_) => "person",
        EventBody::Timer(_)
        | EventBody::Response(_)
        | EventBody::Signal(_)
        | EventBody::ForwardFailed(_)
        | EventBody::Returned(_)
        | EventBody::Ended(_)
        | EventBody::CampaignUnsubscribe(_)
        | EventBody::DeliveryFailed(_)
        | EventBody::Other(_) => "host",
    };
    Some(TranscriptLine { place, at_ms: event.received_ms, from, part: None, what })
}

/// Requests are said to services, not to the person, and may hold what opens doors there.
fn said(place: Seq, from: &'static str, row: &Row) -> Option<TranscriptLine> {
    if matches!(row.action, Action::Request(_)) {
        return None;
    }
    let what = serde_json::to_value(&row.action).unwrap_or_default();
    Some(TranscriptLine { place, at_ms: row.made_ms, from, part: Some(row.id.to_string()), what })
}

#[cfg(test)]
mod tests {
    use botyard_kernel::event::{Answer, Event, Response, ResponseOutcome, Setting};
    use botyard_kernel::session::Seed;

    use super::*;

    #[test]
    fn of_what_a_service_answers_only_the_outcome_is_shown() {
        let setting = |name: &str, value: &str| Setting { name: name.into(), value: value.into() };
        let answered = ResponseOutcome::Answered(Answer {
            status: 201,
            headers: vec![setting("set-cookie", "canary-cookie")],
            body: "canary-token".to_owned(),
            truncated: false,
        });
        let failed = ResponseOutcome::Failed("it did not answer".to_owned());
        let table = [
            (answered, json!({ "status": 201 })),
            (failed, json!({ "failed": "it did not answer" })),
        ];
        for (outcome, expected) in table {
            let body = EventBody::Response(Response { name: "order".to_owned(), outcome });
            let canonical = serde_json::to_value(&body).unwrap();
            let arrival = Arrival::new(Event::new("e1".into(), 7, body), Seed::default());
            let line = happened(1, &arrival).unwrap();
            assert_eq!(line.what["name"], canonical["name"]);
            let payload = json!({ "name": "order", "outcome": expected });
            assert_eq!((line.from, &line.what["payload"]), ("host", &payload));
        }
    }
}
