use proptest::prelude::*;

use crate::action::{self, Bubbles, Choice, Forward, ForwardTarget, OnFailure};
use crate::call::Journal;
use crate::choices::Menu;
use crate::event::{
    self, Approach, Click, EventBody, First, HumanSpoke, Location, Message, Setting, Start,
    TextFormat,
};
use crate::log::*;
use crate::relay::{Patience, Relay};
use crate::run::{Blame, FailureKind, KvChange, KvScope, LogLevel};
use crate::session::Contact;
use crate::stored::{decode, encode};

use super::{Action, BTreeMap, BotId, Digest, Event, EventId, Facts, KvWrite, LogLine, Owner};
use super::{PartId, RunFailure, Seed, SessionId, TurnId};

mod later;

use later::{
    aside_sample, asking_sample, corrected_sample, desk_samples, missed_samples, numbered_sample,
    ordered_sample, overtalked_sample, paced_samples, paged_sample, pinned_sample,
    shortened_sample, silent_sample, typing_sample,
};

const GOLDEN: &str = include_str!("golden.jsonl");

#[test]
fn the_form_has_not_changed() {
    let written: Vec<_> = samples().iter().map(text).collect();
    let golden: Vec<_> = GOLDEN.lines().collect();
    assert_eq!(written, golden, "form 1 may not change: make a form 2 instead");
}

#[test]
fn the_golden_file_reads_as_the_samples() {
    for (line, sample) in GOLDEN.lines().zip(samples()) {
        assert_eq!(decode(line.as_bytes()).unwrap(), sample);
    }
}

#[test]
fn a_part_is_written_as_its_entry() {
    for entry in samples() {
        let part = match &entry {
            Entry::Accepted(arrival) => encode(arrival.as_ref()),
            Entry::Called(call) => encode(call),
            Entry::Turn(turn) => encode(turn.as_ref()),
            Entry::Settled(settled) => encode(settled),
        };
        assert_eq!(part, encode(&entry));
    }
}

proptest! {
    #[test]
    fn what_is_written_is_read_again(entry in any_entry()) {
        let written = encode(&entry);
        prop_assert_eq!(decode(&written).unwrap(), entry);
    }
}

fn text(entry: &Entry) -> String {
    String::from_utf8(encode(entry)).unwrap()
}

fn samples() -> Vec<Entry> {
    let failed = Outcome::Failed {
        version: digest(1),
        failure: RunFailure {
            blame: Blame::Bot,
            kind: FailureKind::Trap,
            message: "unreachable in `handle`".to_owned(),
        },
    };
    let skip = |reason| Turn { outcome: Outcome::Skipped(reason), ..empty_turn() };
    let turns = [
        full_turn(),
        Turn { outcome: failed, ..empty_turn() },
        skip(SkipReason::Duplicate),
        skip(SkipReason::NotOwner),
        skip(SkipReason::NoSession),
        skip(SkipReason::HostHandOff),
    ];
    let mut samples = vec![
        Entry::Accepted(Box::new(full_arrival())),
        Entry::Accepted(Box::new(arrival(EventBody::Message(hello())))),
        Entry::Called(Call { journal: Journal::default(), of_start: false, ..full_call() }),
        Entry::Settled(full_settled()),
        Entry::Settled(Settled::default()),
    ];
    samples.extend(turns.map(|turn| Entry::Turn(Box::new(turn))));
    samples.extend(later_samples());
    samples.push(Entry::Called(full_call()));
    samples.extend(addressed_samples());
    samples.push(paged_sample());
    samples.extend(paced_samples());
    let older = serde_json::from_str(r#"{"bot":"care","asked":true}"#).unwrap();
    samples.push(relayed_sample(older));
    samples.extend(named_samples());
    samples.extend(desk_samples());
    let (patience, part) = (Patience { now: 1, after_ms: None }, PartId("t1.0.0".to_owned()));
    let (relay, _) = Relay::begin("care", &Facts::default(), part, patience);
    samples.push(relayed_sample(relay));
    samples.push(asking_sample());
    samples.push(ordered_sample());
    samples.push(corrected_sample());
    samples.push(pinned_sample());
    samples.extend(missed_samples());
    samples.extend([silent_sample(), shortened_sample(), overtalked_sample()]);
    samples.extend([aside_sample(), typing_sample(), numbered_sample()]);
    samples
}

/// What the vendor's desk calls a conversation.
fn named_samples() -> [Entry; 2] {
    let desk_id = Some("4299".to_owned());
    let named = Arrival { desk_id: desk_id.clone(), ..arrival(EventBody::Message(hello())) };
    let state = Conversation { desk_id, ..Conversation::default() };
    let turn = Turn { state, ..empty_turn() };
    [Entry::Accepted(Box::new(named)), Entry::Turn(Box::new(turn))]
}

/// What came later has entries of its own, so that the older ones stay as they were.
fn later_samples() -> Vec<Entry> {
    let row = full_state().rows.remove(0);
    let settled = Settled {
        acknowledged: vec![row.id.clone()],
        claimed: Some(vec![row.id.clone()]),
        dead_letters: vec![row.clone()],
        revived: vec![row.clone()],
        ..Settled::default()
    };
    let released = Settled { claimed: Some(Vec::new()), ..Settled::default() };
    let session =
        full_state().session.map(|session| SessionState { times_out_ms: Some(3_000), ..session });
    let acknowledgement = Acknowledgement {
        id: row.id.clone(),
        made_ms: 1_000,
        token: "m1".to_owned(),
        asks_of: None,
    };
    let acknowledgements = vec![acknowledgement];
    let claimed = vec![row.id];
    let state = Conversation { claimed, acknowledgements, session, ..Conversation::default() };
    let skip = |reason, state| Turn { outcome: Outcome::Skipped(reason), state, ..empty_turn() };
    let turns = [
        skip(SkipReason::Superseded, state),
        skip(SkipReason::SessionTimeout, Conversation::default()),
    ];
    let settled = [settled, released].map(Entry::Settled);
    let taken =
        Arrival { acknowledge: Some("m1".to_owned()), ..arrival(EventBody::Message(hello())) };
    let settled = settled.into_iter().chain([Entry::Accepted(Box::new(taken))]);
    settled.chain(turns.map(|turn| Entry::Turn(Box::new(turn)))).collect()
}

/// What vendors say of how and by whom a conversation is reached.
fn addressed_samples() -> [Entry; 3] {
    let addressed = Arrival {
        reply_to: Some(r#"{"messageId":"m1"}"#.to_owned()),
        route: Some(Route::Answers),
        owner: Some(Owner::Human),
        ..arrival(EventBody::Message(hello()))
    };
    let follow_up = Acknowledgement {
        id: PartId("t1.0.0.echo".to_owned()),
        made_ms: 1_000,
        token: "m1".to_owned(),
        asks_of: None,
    };
    let by_human = full_state().rows.into_iter().map(|row| Row { by_human: true, ..row });
    let settled = Settled {
        follow_ups: vec![follow_up],
        revived: by_human.collect(),
        human_ms: Some(900),
        ..Settled::default()
    };
    let menu = Menu {
        id: "t1.0.0".to_owned(),
        offered_ms: 1_000,
        current: true,
        asked_behind: false,
        numbered: false,
        options: vec![("a".to_owned(), "A".to_owned())],
        short: BTreeMap::new(),
        pages: Vec::new(),
        shown: 0,
    };
    let state = Conversation {
        menus: vec![menu],
        reply_to: addressed.reply_to.clone(),
        route: Route::ThisAnswer,
        human_ms: Some(900),
        returns_after_ms: Some(3_600_000),
        ..Conversation::default()
    };
    let outcome = Outcome::Skipped(SkipReason::NotOwner);
    let turn = Turn { outcome, state, human_ms: Some(900), ..empty_turn() };
    [Entry::Accepted(Box::new(addressed)), Entry::Settled(settled), Entry::Turn(Box::new(turn))]
}

/// A conversation that an external bot has.
fn relayed_sample(relay: Relay) -> Entry {
    let relay = Some(relay);
    let state = Conversation { owner: Owner::Relay, relay, ..Conversation::default() };
    let outcome = Outcome::Skipped(SkipReason::Relayed);
    Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() }))
}

fn full_call() -> Call {
    let reads = [("seen".to_owned(), Some("1".to_owned())), ("unseen".to_owned(), None)];
    Call {
        event: "e1".into(),
        of_start: true,
        index: 2,
        request: digest(2),
        answer: r#"{"status":200}"#.to_owned(),
        journal: Journal { version: Some(digest(1)), config: Some(digest(3)), reads: reads.into() },
    }
}

fn digest(n: u8) -> Digest {
    Digest::of(&[n])
}

fn hello() -> Message {
    Message { text: "Grüß \"Gott\"\n👋".to_owned(), format: TextFormat::Plain }
}

fn answer() -> action::Message {
    action::Message { text: "Hello".to_owned(), format: TextFormat::Plain }
}

fn arrival(body: EventBody) -> Arrival {
    let event = Event { id: "e1".into(), received_ms: 1_000, vendor_ms: None, raw: None, body };
    Arrival {
        event,
        facts: None,
        vendor_context: None,
        key: None,
        request: None,
        quiet: false,
        acknowledge: None,
        reply_to: None,
        desk_id: None,
        route: None,
        owner: None,
        aside: false,
        by_host: false,
        seed: Seed([1, 2, 3, u64::MAX]),
    }
}

fn facts() -> Facts {
    Facts {
        medium: "web".to_owned(),
        entry: Some("widget".to_owned()),
        params: vec![Setting::new("page", "shop")],
        approach: Some(Approach::Proactive),
        locale: Some("de".to_owned()),
        contact: Contact {
            id: Some("7".to_owned()),
            name: Some("Ada".to_owned()),
            custom_fields: r#"{"plan":"gold"}"#.to_owned(),
            ..Contact::default()
        },
        conversation_url: Some("https://desk.example/1".to_owned()),
        subject: Some("order".to_owned()),
        topics: vec!["shop".to_owned()],
    }
}

fn full_arrival() -> Arrival {
    let first = First::Click(Click { option_ids: vec!["a".to_owned()], ..Click::default() });
    let start = Start { approach: Some(Approach::Normal), first: Some(first), resumed: true };
    let mut arrival = arrival(EventBody::Start(start));
    arrival.event.vendor_ms = Some(999);
    arrival.event.raw = Some(r#"{"name":"start"}"#.to_owned());
    Arrival {
        facts: Some(facts()),
        vendor_context: Some("{}".to_owned()),
        key: Some("start:1".to_owned()),
        request: Some(digest(3)),
        quiet: true,
        ..arrival
    }
}

fn full_settled() -> Settled {
    Settled {
        at_ms: 5_000,
        rows: vec![
            (PartId("t1.0.0".to_owned()), RowEnd::Delivered),
            (PartId("t1.1.0".to_owned()), RowEnd::Dead("the vendor said 400".to_owned())),
            (PartId("t1.2.0".to_owned()), RowEnd::Quarantined),
        ],
        answered: vec!["e1".into()],
        called_ms: vec![4_000, 4_500],
        mirrored: Some(digest(4)),
        // Came later: what was written without them is still read.
        acknowledged: Vec::new(),
        claimed: None,
        dead_letters: Vec::new(),
        revived: Vec::new(),
        by_call: Vec::new(),
        follow_ups: Vec::new(),
        closed_until_ms: Some(6_000),
        calls_from_ms: None,
        owner: Some(Owner::HandingOff),
        events: vec![full_arrival()],
        due_ms: Some(7_000),
        human_ms: None,
    }
}

fn empty_turn() -> Turn {
    Turn {
        id: "t1".into(),
        previous: 0,
        base: 1,
        watermark: 1,
        fused: None,
        event: "e1".into(),
        outcome: Outcome::Skipped(SkipReason::Duplicate),
        log: vec![],
        bot: BotId("lead".to_owned()),
        bot_writes: vec![],
        state: Conversation::default(),
        due_ms: None,
        human_ms: None,
    }
}

fn full_turn() -> Turn {
    let write = |key: &str, change| KvWrite { scope: KvScope::Bot, key: key.to_owned(), change };
    let bubbles = Bubbles {
        text: "Which?".to_owned(),
        format: TextFormat::MarkdownV1,
        options: vec![Choice { id: "a".to_owned(), label: "A".to_owned(), short_label: None }],
        fallback: None,
    };
    let forward = Forward {
        target: ForwardTarget::Skills(vec!["billing".to_owned()]),
        on_failure: Some(OnFailure::Feedback),
    };
    let actions = vec![Action::Bubbles(bubbles), Action::Forward(forward), Action::End];
    Turn {
        previous: 3,
        base: 9,
        watermark: 8,
        fused: Some(Box::new(full_arrival())),
        outcome: Outcome::Ran { version: digest(5), actions, cpu_us: 77 },
        log: vec![LogLine { level: LogLevel::Warn, message: "slow".to_owned() }],
        bot_writes: vec![
            write("a", KvChange::Set("1".to_owned())),
            write("b", KvChange::Delete),
            write("c", KvChange::Add(-3)),
        ],
        state: full_state(),
        due_ms: Some(2_000),
        human_ms: None,
        ..empty_turn()
    }
}

fn full_state() -> Conversation {
    Conversation {
        turns: 4,
        owner: Owner::Human,
        session: Some(SessionState {
            id: SessionId("s1".to_owned()),
            started_ms: 1,
            active_ms: 2,
            context: r#"{"step":1}"#.to_owned(),
            context_by: Some(digest(6)),
            times_out_ms: None,
            // Came later.
            version: None,
        }),
        facts: facts(),
        foreign_context: Some("{}".to_owned()),
        mirrored: vec![digest(7)],
        keys: vec![("start:1".to_owned(), 1_000)],
        kv: BTreeMap::from([("k".to_owned(), "v".to_owned())]),
        timers: vec![TimerState {
            name: "nudge".to_owned(),
            due_ms: 9_000,
            payload: Some("1".to_owned()),
        }],
        rows: vec![Row {
            id: PartId::of(&TurnId("t1".to_owned()), 0, 0),
            turn: "t1".into(),
            made_ms: 1_000,
            action: Action::Message(answer()),
            by_call: Vec::new(),
            context: Some("{}".to_owned()),
            quiet: true,
            event: "e1".into(),
            by_human: false,
            hand_off: None,
        }],
        claimed: Vec::new(),
        acknowledgements: Vec::new(),
        menus: Vec::new(),
        reply_to: None,
        desk_id: None,
        route: Route::default(),
        open_answers: vec![OpenAnswer {
            request: digest(8),
            received_ms: 1_000,
            event: "e1".into(),
        }],
        // Came later: what was written without it is still read.
        answered: Vec::new(),
        answered_until_ms: 0,
        skipped: vec![arrival(EventBody::Message(hello())).event],
        called_ms: vec![900],
        closed_until_ms: 1_500,
        calls_from_ms: 0,
        host_hand_off: true,
        relay: None,
        at_desk: false,
        human_ms: None,
        returns_after_ms: None,
        hands_ms: None,
        own_email: false,
        typing: false,
    }
}

/// Entries whose texts, numbers and optional parts vary.
fn any_entry() -> impl Strategy<Value = Entry> {
    let parts = (".*", any::<u64>(), any::<bool>(), -180_000_i32..180_000, 0..4_u8);
    parts.prop_map(|(text, number, full, angle, kind)| {
        let place = Location {
            latitude: f64::from(angle) / 2_000.0,
            longitude: f64::from(angle) / 1_000.0,
            name: full.then(|| text.clone()),
            address: None,
        };
        let mut arrival = if full { full_arrival() } else { arrival(EventBody::Location(place)) };
        arrival.event.id = EventId(text.clone());
        arrival.event.received_ms = number;
        match kind {
            0 => Entry::Accepted(Box::new(arrival)),
            1 => {
                let call = full_call();
                let journal = if full { call.journal } else { Journal::default() };
                Entry::Called(Call {
                    event: arrival.event.id,
                    of_start: full,
                    request: digest(angle.to_le_bytes()[0]),
                    answer: text,
                    journal,
                    ..full_call()
                })
            }
            2 => {
                let mut turn = if full { full_turn() } else { empty_turn() };
                turn.fused = Some(Box::new(arrival));
                turn.state.kv.insert(text.clone(), text);
                turn.base = number;
                Entry::Turn(Box::new(turn))
            }
            _ => {
                let mut settled = if full { full_settled() } else { Settled::default() };
                settled.rows.push((PartId(text.clone()), RowEnd::Dead(text)));
                settled.events.push(arrival);
                settled.at_ms = number;
                Entry::Settled(settled)
            }
        }
    })
}
