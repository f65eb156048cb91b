//! A vendor's desk for one conversation: sees what comes in, and judges it by the
//! vendor's own rules, which are written down here and not read from our profiles.

use std::collections::BTreeSet;

use botyard_kernel::action::Action;
use botyard_kernel::id::PartId;
use botyard_kernel::log::Row;
use botyard_kernel::time::Millis;
use serde_json::Value;

use crate::batch::Told;
use crate::site::{Channel, Place, Speaks};

/// Userlike takes no longer text.
const TEXT_CHARACTERS_MAX: usize = 5_000;
/// Userlike keeps no larger context.
const CONTEXT_BYTES_MAX: usize = 10_240;

#[derive(Default)]
pub(crate) struct Desk {
    /// Ids of the rows that came in, with the time, in order.
    pub(crate) received: Vec<(PartId, Millis)>,
    /// Rows that may come twice, because nobody can know that they came once.
    pub(crate) may_repeat: BTreeSet<PartId>,
    /// Rows that came in an answer: answers are not claimed, so if their end was
    /// not stored they leave again unmarked.
    pub(crate) offered: BTreeSet<PartId>,
    /// Rows that were given up once: after a crash nobody knows of it.
    pub(crate) given_up: BTreeSet<PartId>,
    /// Dead letters that an operator had sent again.
    pub(crate) redriven: BTreeSet<PartId>,
    /// Events that it was told of as taken, in order.
    pub(crate) acknowledged: Vec<String>,
    /// When it reads the last answer that was written.
    pub(crate) read_ms: Millis,
    /// Times of API calls.
    pub(crate) calls: Vec<Millis>,
    /// The context that it holds.
    pub(crate) context: Option<Value>,
}

/// How something came in.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Way {
    Answer,
    Call,
}

impl Desk {
    /// Rows come in, in one list.
    pub(crate) fn take(
        &mut self,
        rows: &[Row],
        body: &[u8],
        way: Way,
        (channel, place): (&Channel, &Place),
        now: Millis,
    ) {
        match channel.speaks {
            Speaks::Userlike => self.judge_userlike(rows, body, way, place),
            Speaks::Batch => judge_batch(rows, body, place, channel.rules.delivery.lists),
        }
        for row in rows {
            let again = self.received.iter().any(|(id, _)| *id == row.id);
            assert!(
                !again || self.may_repeat.contains(&row.id),
                "{} came twice although its delivery was certain",
                row.id
            );
            if way == Way::Answer {
                self.offered.insert(row.id.clone());
            }
            self.received.push((row.id.clone(), now));
        }
    }

    pub(crate) fn give_up(&mut self, rows: &[Row]) {
        self.given_up.extend(rows.iter().map(|row| row.id.clone()));
    }

    pub(crate) fn doubt(&mut self, rows: &[Row]) {
        self.may_repeat.extend(rows.iter().map(|row| row.id.clone()));
    }

    fn judge_userlike(&mut self, rows: &[Row], body: &[u8], way: Way, place: &Place) {
        if rows.is_empty() {
            assert!(body.is_empty() || body == b"[]", "an empty answer carries something");
            return;
        }
        let list: Vec<Value> = serde_json::from_slice(body).expect("Userlike takes a JSON list");
        assert_eq!(list.len(), rows.len(), "packets and rows differ in number");
        let media = list.iter().filter(|it| it["packet"]["name"] == "media").count();
        assert!(media == 0 || (list.len() == 1 && way == Way::Call), "media travels alone by API");
        let last = &list[list.len() - 1]["packet"]["name"];
        assert!(last != "delay", "a delay goes with what follows it");
        for (packet, row) in list.iter().zip(rows) {
            assert_eq!(packet["info"]["cid"], *place.key.vendor_key, "of another conversation");
            judge_packet(&packet["packet"], row);
            if let Some(context) = packet["info"].get("context") {
                let bytes = context.to_string().len();
                assert!(bytes <= CONTEXT_BYTES_MAX, "the context has {bytes} bytes");
                self.context = Some(context.clone());
            }
        }
    }
}

fn judge_packet(packet: &Value, row: &Row) {
    let name = packet["name"].as_str().unwrap_or_default();
    let expected = match row.action.name() {
        "forward" => "forward_any",
        other => other,
    };
    assert_eq!(name, expected, "another action than {}", row.id);
    if let Action::Message(message) = &row.action {
        assert_eq!(packet["payload"]["body"], *message.text, "another text than {}", row.id);
        let characters = message.text.chars().count();
        assert!(characters <= TEXT_CHARACTERS_MAX, "{characters} characters are too many");
    }
}

fn judge_batch(rows: &[Row], body: &[u8], place: &Place, lists: bool) {
    let told: Told = serde_json::from_slice(body).expect("it is told in JSON");
    assert_eq!(told.conversation, place.key.vendor_key, "of another conversation");
    let ids: Vec<_> = rows.iter().map(|row| row.id.to_string()).collect();
    assert_eq!(told.parts, ids, "other parts than were meant");
    assert!(lists || rows.len() <= 1, "this vendor takes one at a time");
}
