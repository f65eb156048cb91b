//! What the contract promises of webhooks, held against the rows of every vendor.

use std::collections::BTreeSet;
use std::sync::Arc;

use botyard_kernel::action::Action;
use botyard_kernel::event::EventBody;
use botyard_kernel::id::PartId;
use botyard_kernel::time::{MINUTE, Millis};
use botyard_vendors::{Incoming, Part, Received, Rejection, To, VENDORS, Vendor, connect};
use http::StatusCode;
use serde_json::{Value, json};

use crate::rows::{self, By, Door, NOW, Refused, Row, Rows, Trip, Unknown, Webhook};

// Any secret that a vendor takes: long, and fit for a URL.
const OLD: &str = "the-old-secret-of-more-than-32-characters";
const NEW: &str = "the-new-secret-of-more-than-32-characters";
const OTHER: &str = "the-secret-of-somebody-else-altogether";

/// The bot's own ids of options.
const OPTION_IDS: [&str; 5] = ["7", "rye", "a/b c?d=e&f", "Grüße \"von\" {hier}", "0007"];

#[test]
fn every_vendor_fills_the_table() {
    let vendors: BTreeSet<_> = VENDORS.iter().map(|known| known.name).collect();
    let filled: Vec<_> = rows::all().iter().map(|rows| rows.vendor).collect();
    assert_eq!(filled.len(), vendors.len(), "a vendor fills it twice: {filled:?}");
    assert_eq!(filled.into_iter().collect::<BTreeSet<_>>(), vendors);
    for rows in rows::all() {
        assert!(!rows.doors.is_empty(), "{}: anybody may call it", rows.vendor);
        assert!(!rows.conversation.is_empty(), "{}: nothing comes back", rows.vendor);
        for why in reasons(&rows) {
            assert!(why.split(' ').count() > 3, "{}: `{why}` is no reason", rows.vendor);
        }
    }
}

/// Why a vendor has no such case, or another answer.
fn reasons(rows: &Rows) -> Vec<&'static str> {
    fn why<T>(row: &Row<T>) -> Option<&'static str> {
        match row {
            Row::Has(_) => None,
            Row::HasNot(why) => Some(why),
        }
    }
    let doors = rows.doors.iter().filter_map(|door| match door.refused {
        Refused::Unauthorized => None,
        Refused::Otherwise(_, why) => Some(why),
    });
    let absent = [
        why(&rows.batch),
        why(&rows.siblings),
        why(&rows.echoes),
        why(&rows.unknown),
        why(&rows.option),
        why(&rows.signed_time),
    ];
    doors.chain(absent.into_iter().flatten()).collect()
}

#[test]
fn whoever_shows_the_secret_is_heard_and_nobody_else() {
    for_each_door(|rows, door| {
        let channel = with_secret(rows, door, json!(OLD));
        heard(&*channel, rows, door, OLD);
        refused(&*channel, rows, door, NEW);
    });
}

#[test]
fn while_a_secret_is_changed_the_old_and_the_new_one_are_heard() {
    for_each_door(|rows, door| {
        for two in [json!([NEW, OLD]), json!([OLD, NEW])] {
            let channel = with_secret(rows, door, two);
            heard(&*channel, rows, door, OLD);
            heard(&*channel, rows, door, NEW);
            refused(&*channel, rows, door, OTHER);
        }
        let afterwards = with_secret(rows, door, json!(NEW));
        refused(&*afterwards, rows, door, OLD);
    });
}

fn for_each_door(check: impl Fn(&Rows, &Door)) {
    for rows in rows::all() {
        for door in &rows.doors {
            check(&rows, door);
        }
    }
}

fn with_secret(rows: &Rows, door: &Door, secret: Value) -> Arc<dyn Vendor> {
    connect(rows.vendor, (door.settings)(secret)).unwrap()
}

fn heard(channel: &dyn Vendor, rows: &Rows, door: &Door, secret: &str) {
    let received = (door.shows)(secret).receive(channel, NOW);
    let taken = matches!(
        received,
        Received::Events { .. } | Received::Challenge(_) | Received::Asked { .. }
    );
    assert!(taken, "{}, {}: {received:?}", rows.vendor, door.name);
}

fn refused(channel: &dyn Vendor, rows: &Rows, door: &Door, secret: &str) {
    let what = format!("{}, {}", rows.vendor, door.name);
    let rejection = rejected((door.shows)(secret).receive(channel, NOW), &what);
    let status = match door.refused {
        Refused::Unauthorized => StatusCode::UNAUTHORIZED,
        Refused::Otherwise(status, _) => status,
    };
    assert_eq!(rejection.status, status, "{what}: {}", rejection.reason);
    for secret in [OLD, NEW, OTHER] {
        assert!(!rejection.reason.contains(secret), "{what}: {}", rejection.reason);
    }
}

fn rejected(received: Received, what: &str) -> Rejection {
    match received {
        Received::Rejected(rejection) => rejection,
        other => panic!("{what}: a rejection, not {other:?}"),
    }
}

#[test]
fn a_batch_of_so_many_is_so_many_events_each_with_a_key_of_its_own() {
    for rows in rows::all() {
        let Row::Has(batch) = rows.batch else { continue };
        let channel = crate::channel(rows.vendor);
        for count in 1..=7 {
            let (events, damaged) = parts(&*channel, &batch(count));
            assert_eq!((events.len(), damaged), (count, 0), "{}", rows.vendor);
            let keys: BTreeSet<_> = events.into_iter().map(|event| event.key.unwrap()).collect();
            assert_eq!(keys.len(), count, "{}: {keys:?}", rows.vendor);
        }
    }
}

#[test]
fn what_nobody_can_read_leaves_what_stands_beside_it() {
    for rows in rows::all() {
        let (Row::Has(siblings), Row::Has(batch)) = (rows.siblings, rows.batch) else { continue };
        let channel = crate::channel(rows.vendor);
        for count in 1..=7 {
            let (events, damaged) = parts(&*channel, &siblings(count));
            assert_eq!((events.len(), damaged), (count, 1), "{}", rows.vendor);
            let (alone, _) = parts(&*channel, &batch(count));
            let said = |events: Vec<Incoming>| -> Vec<_> {
                events.into_iter().map(|event| (event.conversation, event.body)).collect()
            };
            assert_eq!(said(events), said(alone), "{}", rows.vendor);
        }
    }
}

/// The events of a webhook, and how many parts nobody can read.
fn parts(channel: &dyn Vendor, webhook: &Webhook) -> (Vec<Incoming>, usize) {
    match webhook.read(channel) {
        Received::Events { events, damaged } => {
            assert!(damaged.iter().all(|it| !it.reason.is_empty() && !it.raw.is_empty()));
            (events, damaged.len())
        }
        other => panic!("{}: {other:?}", channel.name()),
    }
}

#[test]
fn our_own_words_are_no_events() {
    for rows in rows::all() {
        let Row::Has(echoes) = rows.echoes else { continue };
        let channel = crate::channel(rows.vendor);
        assert!(!echoes.is_empty(), "{}", rows.vendor);
        for echo in echoes {
            let received = echo.read(&*channel);
            let Received::Ignored(why) = received else { panic!("{}: {received:?}", rows.vendor) };
            assert!(why.contains("own"), "{}: {why}", rows.vendor);
        }
    }
}

#[test]
fn what_no_page_knows_is_told_by_its_name_or_left_out_with_a_reason() {
    for rows in rows::all() {
        let Row::Has(unknown) = rows.unknown else { continue };
        let channel = crate::channel(rows.vendor);
        assert!(!unknown.is_empty(), "{}", rows.vendor);
        for (webhook, becomes) in unknown {
            let received = webhook.read(&*channel);
            match (&received, becomes) {
                (Received::Ignored(why), Unknown::Ignored(words)) if why.contains(words) => {}
                (Received::Events { events, damaged }, Unknown::Told(name)) => {
                    let [event] = &**events else { panic!("{}: {received:?}", rows.vendor) };
                    let EventBody::Other(told) = &event.body else {
                        panic!("{}: {received:?}", rows.vendor)
                    };
                    assert_eq!((&*told.name, damaged.len()), (name, 0), "{}", rows.vendor);
                }
                _ => panic!("{}: {received:?}", rows.vendor),
            }
        }
    }
}

#[test]
fn what_names_a_conversation_comes_back_as_it_came() {
    for rows in rows::all() {
        let door = &rows.doors[0];
        let channel = with_secret(&rows, door, json!(OLD));
        let webhook = (door.shows)(OLD);
        let Received::Events { events, .. } = webhook.receive(&*channel, NOW) else {
            panic!("{}: a person's message", rows.vendor)
        };
        for Trip { from, by, to } in rows.conversation {
            let hello = json!({ "name": "message", "payload": { "text": "Hello" } });
            let sent = sent(&*channel, &events[0], *by, hello);
            let (given, back) = (webhook.json(), sent.pointer(to).cloned());
            let given = given.pointer(from).expect("it stands in the webhook");
            let same = back.as_ref().is_some_and(|back| as_text(back) == as_text(given));
            assert!(same, "{}: {from} was {given}, {to} of the {by:?} is {back:?}", rows.vendor);
        }
    }
}

#[test]
fn what_names_an_option_comes_back_with_a_tap_on_it() {
    for rows in rows::all() {
        let Row::Has(tap) = rows.option else { continue };
        let channel = crate::channel(rows.vendor);
        let Received::Events { events, .. } = (rows.doors[0].shows)(OLD).read(&*channel) else {
            panic!("{}: a person's message", rows.vendor)
        };
        for id in OPTION_IDS {
            let options = [json!({ "id": id, "label": "Rye" }), json!({ "id": "x", "label": "X" })];
            let menu =
                json!({ "name": "bubbles", "payload": { "text": "Which?", "options": options } });
            let sent = sent(&*channel, &events[0], tap.by, menu);
            let token =
                sent.pointer(tap.token).unwrap_or_else(|| panic!("{}: {sent}", rows.vendor));
            let (events, _) = parts(&*channel, &(tap.webhook)(token, "Rye"));
            let [Incoming { body: EventBody::Click(click), .. }] = &*events else {
                panic!("{}: {events:?}", rows.vendor)
            };
            assert_eq!(click.option_ids, [(tap.comes)(id)], "{}", rows.vendor);
            assert_eq!(click.label.as_deref(), Some("Rye"), "{}", rows.vendor);
        }
    }
}

/// The JSON by which this leaves, as what follows from this event.
fn sent(channel: &dyn Vendor, event: &Incoming, by: By, action: Value) -> Value {
    let action: Action = serde_json::from_value(action).unwrap();
    let id = PartId::from("t1.0.0");
    let part = [Part { id: &id, action: &action, context: None }];
    let to = To {
        reply_to: event.reply_to.as_deref(),
        form: event.form,
        ..To::conversation(&event.conversation)
    };
    let body = match by {
        By::Answer => channel.answer(&to, &part).body,
        By::Call => channel.call_at(&to, &part, NOW).body,
        By::Acknowledgement => {
            let token = event.acknowledge.as_deref().expect("something to acknowledge by");
            channel.acknowledge(&to, token).expect("an acknowledgement").body
        }
    };
    serde_json::from_slice(&body).unwrap()
}

/// Some vendors write as a text in one place what is a number in another.
fn as_text(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[test]
fn a_time_that_is_signed_is_good_within_its_window_only() {
    for rows in rows::all() {
        let Row::Has((window_ms, sent_at)) = rows.signed_time else { continue };
        let channel = with_secret(&rows, &rows.doors[0], json!(OLD));
        check_window(window_ms, |sent_ms, now| sent_at(sent_ms).receive(&*channel, now));
    }
}

fn check_window(window_ms: Millis, receive: impl Fn(Millis, Millis) -> Received) {
    for age_ms in [0, window_ms / 2, window_ms] {
        let received = receive(NOW - age_ms, NOW);
        assert!(!matches!(received, Received::Rejected(_)), "after {age_ms} ms: {received:?}");
    }
    for age_ms in [window_ms + 1_000, 2 * window_ms, NOW] {
        let rejection = rejected(receive(NOW - age_ms, NOW), &format!("after {age_ms} ms"));
        assert_eq!(rejection.status, StatusCode::UNAUTHORIZED);
    }
    // Clocks differ, but not by so much.
    let ahead = rejected(receive(NOW + 2 * window_ms, NOW), "from the future");
    assert_eq!(ahead.status, StatusCode::UNAUTHORIZED);
}

/// No vendor signs a time yet, so the check itself is tried with rules of our own.
#[test]
fn the_check_of_signed_times_tells_a_window_from_none() {
    let by_rule = |good: fn(Millis, Millis) -> bool| {
        move |sent_ms, now| {
            if good(sent_ms, now) {
                return Received::Ignored("it is in time");
            }
            let (status, reason) = (StatusCode::UNAUTHORIZED, "it is not in time".to_owned());
            let blame = botyard_kernel::run::Blame::Vendor;
            Received::Rejected(Rejection { status, reason, blame })
        }
    };
    let window = 5 * MINUTE;
    check_window(window, by_rule(|sent_ms, now| now.abs_diff(sent_ms) <= 5 * MINUTE));
    let wrong: [fn(Millis, Millis) -> bool; 3] = [
        |_, _| true,
        |sent_ms, now| now.saturating_sub(sent_ms) <= 5 * MINUTE,
        |sent_ms, now| now.abs_diff(sent_ms) < MINUTE,
    ];
    for rule in wrong {
        let noticed = std::panic::catch_unwind(|| check_window(window, by_rule(rule)));
        assert!(noticed.is_err());
    }
}
