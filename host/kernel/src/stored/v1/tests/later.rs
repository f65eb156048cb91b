//! Samples of what came later than the form itself.

use super::*;

/// A human who answers at the host's desk, and hand-offs that are the host's own.
pub(super) fn desk_samples() -> [Entry; 3] {
    let spoke = EventBody::HumanSpoke(HumanSpoke { text: None, agent: Some("Ada".to_owned()) });
    let arrival = Arrival { by_host: true, ..arrival(spoke) };
    let (owner, human_ms) = (Owner::Human, Some(900));
    let state = Conversation { owner, at_desk: true, human_ms, ..Conversation::default() };
    let outcome = Outcome::Skipped(SkipReason::NotOwner);
    let turn = Turn { outcome, state, human_ms, ..empty_turn() };
    let row = full_state().rows.remove(0);
    let revived = [HandOff::Desk, HandOff::Nobody].map(|hand_off| Row {
        action: Action::Abort,
        hand_off: Some(hand_off),
        ..row.clone()
    });
    let settled = Settled { revived: revived.into(), ..Settled::default() };
    [Entry::Accepted(Box::new(arrival)), Entry::Turn(Box::new(turn)), Entry::Settled(settled)]
}

/// A vendor that is asked whether it has delivered what it took.
pub(super) fn asking_sample() -> Entry {
    let (id, token) = (PartId("t1.0.0.follows.0".to_owned()), "request:7".to_owned());
    let taken = Taken { part: PartId("t1.0.0".to_owned()), action: "message".to_owned() };
    let asks = Acknowledgement { id, made_ms: 1_000, token, asks_of: Some(taken) };
    Entry::Settled(Settled { follow_ups: vec![asks], ..Settled::default() })
}

/// A conversation of which it is known when it changed hands.
pub(super) fn ordered_sample() -> Entry {
    let state = Conversation { hands_ms: Some(900), ..Conversation::default() };
    let outcome = Outcome::Skipped(SkipReason::NotOwner);
    Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() }))
}

/// A conversation with a person whose address of e-mail a bot has learned.
pub(super) fn corrected_sample() -> Entry {
    let mut state = Conversation { own_email: true, ..Conversation::default() };
    state.facts.contact.email = Some("ada@example.com".to_owned());
    let outcome = Outcome::Skipped(SkipReason::NotOwner);
    Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() }))
}

/// A session that keeps the component that it began with.
pub(super) fn pinned_sample() -> Entry {
    let pinned = |session| SessionState { version: Some(digest(5)), ..session };
    let session = full_state().session.map(pinned);
    let state = Conversation { session, ..Conversation::default() };
    let outcome = Outcome::Ran { version: digest(5), actions: Vec::new(), cpu_us: 77 };
    Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() }))
}

/// What was to ride in an answer, with what calls carry of it, and that it missed it.
pub(super) fn missed_samples() -> [Entry; 2] {
    let row = full_state().rows.remove(0);
    let by_call = vec![row.action.clone(), row.action.clone()];
    let state = Conversation { rows: vec![Row { by_call, ..row }], ..Conversation::default() };
    let outcome = Outcome::Ran { version: digest(5), actions: Vec::new(), cpu_us: 77 };
    let by_call = vec![PartId("t1.0.0".to_owned())];
    let settled = Settled { by_call, ..Settled::default() };
    [Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() })), Entry::Settled(settled)]
}

/// An external bot that owes the person a word.
pub(super) fn silent_sample() -> Entry {
    let patience = Patience { now: 1_000, after_ms: Some(60_000) };
    let part = PartId("t1.0.0".to_owned());
    let (relay, _) = Relay::begin("care", &Facts::default(), part, patience);
    let (owner, relay) = (Owner::Relay, Some(relay));
    let state = Conversation { owner, relay, ..Conversation::default() };
    let outcome = Outcome::Skipped(SkipReason::Relayed);
    Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() }))
}

/// A menu with a short label.
pub(super) fn shortened_sample() -> Entry {
    let (id, label) = ("a".to_owned(), "A room with a view".to_owned());
    let menu = Menu {
        id: "t1.0.0".to_owned(),
        offered_ms: 1_000,
        current: true,
        asked_behind: false,
        numbered: false,
        options: vec![(id.clone(), label.clone())],
        short: [(0, "View".to_owned())].into(),
        pages: Vec::new(),
        shown: 0,
    };
    let bubbles = Bubbles {
        text: "Which?".to_owned(),
        format: TextFormat::Plain,
        options: vec![Choice { id, label, short_label: Some("View".to_owned()) }],
        fallback: None,
    };
    let state = Conversation { menus: vec![menu], ..Conversation::default() };
    let actions = vec![Action::Bubbles(bubbles)];
    let outcome = Outcome::Ran { version: digest(5), actions, cpu_us: 77 };
    Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() }))
}

/// A menu behind which something else is asked.
pub(super) fn overtalked_sample() -> Entry {
    let Entry::Turn(mut turn) = shortened_sample() else { panic!("a turn") };
    turn.state.menus[0].asked_behind = true;
    Entry::Turn(turn)
}

/// A menu that a person has read as numbered text.
pub(super) fn numbered_sample() -> Entry {
    let Entry::Turn(mut turn) = shortened_sample() else { panic!("a turn") };
    turn.state.menus[0].numbered = true;
    Entry::Turn(turn)
}

/// What happens beside the talk.
pub(super) fn aside_sample() -> Entry {
    let tagged = event::NamedPayload { name: "ticket_tags".to_owned(), json: "{}".to_owned() };
    let arrival = Arrival { aside: true, ..arrival(EventBody::Other(tagged)) };
    Entry::Accepted(Box::new(arrival))
}

/// A person who sees a sign of typing.
pub(super) fn typing_sample() -> Entry {
    let state = Conversation { typing: true, ..Conversation::default() };
    let outcome = Outcome::Ran { version: digest(5), actions: Vec::new(), cpu_us: 77 };
    Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() }))
}

/// Calls that wait, and more answered events than are remembered.
pub(super) fn paced_samples() -> [Entry; 2] {
    let settled = Settled { calls_from_ms: Some(5_500), ..Settled::default() };
    let state =
        Conversation { answered_until_ms: 4_000, calls_from_ms: 5_500, ..Conversation::default() };
    [Entry::Settled(settled), Entry::Turn(Box::new(Turn { state, ..empty_turn() }))]
}

/// A menu with a page that was asked for.
pub(super) fn paged_sample() -> Entry {
    let option = |id: &str| (id.to_owned(), id.to_uppercase());
    let page = Action::Bubbles(Bubbles {
        text: "Page 2 of 2".to_owned(),
        format: TextFormat::Plain,
        options: vec![Choice { id: "b".to_owned(), label: "B".to_owned(), short_label: None }],
        fallback: None,
    });
    let menu = Menu {
        id: "t1.0.0".to_owned(),
        offered_ms: 1_000,
        current: true,
        asked_behind: false,
        numbered: false,
        options: vec![option("a"), option("b")],
        short: BTreeMap::new(),
        pages: vec![page],
        shown: 1,
    };
    let state = Conversation { menus: vec![menu], ..Conversation::default() };
    let outcome = Outcome::Skipped(SkipReason::NextPage);
    Entry::Turn(Box::new(Turn { outcome, state, ..empty_turn() }))
}
