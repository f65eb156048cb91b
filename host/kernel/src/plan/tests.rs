//! What an event and its answer make of a conversation.

mod acknowledgements;
mod asides;
mod context;
mod desk;
mod menus;
mod order;
mod pin;
mod relay;
mod silence;
mod typing;
mod waits;

use super::*;
use crate::action::Schedule;
use crate::event;
use crate::log::Settled;
use crate::run::{Blame, Cost, FailureKind};
use crate::session::{Facts, Seed};
use crate::time::HOUR;

const NATIVE: &[&str] = &["message", "forward", "note_create", "end"];

/// A conversation that lives through one event after the other.
struct World {
    state: Conversation,
    policy: Policy,
    native: &'static [&'static str],
    /// The component of the version that runs.
    version: &'static [u8],
    now: Millis,
}

impl World {
    fn new() -> Self {
        let mut policy = Policy::new("userlike", "bot".into());
        policy.failure_texts.insert(String::new(), "Sorry.".to_owned());
        policy.failure_texts.insert("de".to_owned(), "Leider nicht.".to_owned());
        policy.failure_hand_off = true;
        let state = Conversation::default();
        Self { state, policy, native: NATIVE, version: b"v", now: 1_000 }
    }

    fn arrival(&mut self, body: EventBody) -> Arrival {
        self.now += 1;
        let event = Event::new(EventId(format!("e{}", self.now)), self.now, body);
        Arrival::new(event, Seed::default())
    }

    fn step(&self, arrival: &Arrival) -> Step {
        self.plan(arrival).step()
    }

    fn plan<'a>(&'a self, arrival: &'a Arrival) -> Plan<'a> {
        Plan { key: key(), state: &self.state, arrival, policy: &self.policy }
    }

    /// The bot's view of an event, its turn, and the conversation after it.
    fn turn(&mut self, arrival: &Arrival, result: Result<Vec<Action>, RunFailure>) -> Turn {
        let cost = Cost { cpu_us: 1, memory_bytes: 0 };
        let output =
            RunOutput { result, writes: Vec::new(), log: Vec::new(), log_cut_bytes: 0, cost };
        let profile = Profile::new(self.native, 5_000);
        let version = Digest::of(self.version);
        let turn = self.plan(arrival).complete(output, version, &profile, self.now + 7);
        self.state = turn.state.clone();
        turn
    }

    fn says(&mut self, actions: Vec<Action>) -> Turn {
        let arrival = self.arrival(hello());
        self.turn(&arrival, Ok(actions))
    }

    fn fails(&mut self) -> Turn {
        let arrival = self.arrival(hello());
        let message = "unreachable".to_owned();
        let failure = RunFailure { blame: Blame::Bot, kind: FailureKind::Trap, message };
        self.turn(&arrival, Err(failure))
    }

    /// The context that the bot would see now.
    fn seen(&mut self, vendor_context: Option<&str>) -> String {
        self.session(vendor_context).context
    }

    /// The version that wrote it, as the bot would be told.
    fn writer(&mut self, vendor_context: Option<&str>) -> Option<Digest> {
        self.session(vendor_context).context_by
    }

    fn session(&mut self, vendor_context: Option<&str>) -> Session {
        let mut arrival = self.arrival(hello());
        arrival.vendor_context = vendor_context.map(str::to_owned);
        let Step::Run(run) = self.step(&arrival) else { panic!("it does not run") };
        run.1
    }

    fn skip(&mut self, body: EventBody) -> SkipReason {
        let arrival = self.arrival(body);
        let Step::Skip(reason) = self.step(&arrival) else { panic!("it runs") };
        self.state = self.plan(&arrival).skip(reason).state;
        reason
    }

    /// The same for an arrival, with what the log says of it.
    fn skip_arrival(&mut self, arrival: &Arrival) -> (SkipReason, Vec<LogLine>) {
        let Step::Skip(reason) = self.step(arrival) else { panic!("it runs") };
        let turn = self.plan(arrival).skip(reason);
        self.state = turn.state;
        (reason, turn.log)
    }
}

fn key() -> &'static ConversationKey {
    static KEY: std::sync::LazyLock<ConversationKey> = std::sync::LazyLock::new(|| {
        ConversationKey { tenant: "t".into(), channel: "c".into(), vendor_key: "k".to_owned() }
    });
    &KEY
}

fn hello() -> EventBody {
    EventBody::Message(event::Message { text: "hello".to_owned(), format: TextFormat::Plain })
}

fn say(text: &str) -> Action {
    Action::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}

fn remember(json: &str) -> Action {
    Action::ContextUpdate(json.to_owned())
}

fn names(turn: &Turn) -> Vec<&'static str> {
    turn.state.rows.iter().map(|row| row.action.name()).collect()
}

#[test]
fn what_a_bot_learns_of_a_person_is_in_the_next_session() {
    for native in [&["message"][..], &["message", "contact_update"][..]] {
        let mut world = World { native, ..World::new() };
        let name = Some("Ida".to_owned());
        let update = crate::action::ContactUpdate { name, ..Default::default() };
        let turn = world.says(vec![Action::ContactUpdate(update)]);
        assert_eq!(turn.state.rows.len(), native.len() - 1, "whether the vendor is told or not");
        let mut next = world.arrival(hello());
        next.facts = Some(Facts { locale: Some("de".to_owned()), ..Facts::default() });
        let Step::Run(run) = world.step(&next) else { panic!("the bot runs") };
        let facts = run.1.facts;
        let known = (facts.contact.name.as_deref(), facts.locale.as_deref());
        assert_eq!(known, (Some("Ida"), Some("de")));
    }
}

#[test]
fn a_failure_is_told_once_and_handed_over_in_the_persons_language() {
    let mut world = World::new();
    world.state.facts = Facts { locale: Some("de-AT".to_owned()), ..Facts::default() };
    let turn = world.fails();
    assert_eq!(names(&turn), ["message", "forward"]);
    assert!(turn.state.rows.iter().all(|row| row.quiet), "no delivery-failed follows from it");
    assert!(format!("{:?}", turn.state.rows[0].action).contains("Leider"));
    assert!(turn.state.host_hand_off);
    assert_eq!(world.state.owner, Owner::HandingOff);
    let failed = EventBody::ForwardFailed(event::ForwardFailed::default());
    assert_eq!(world.skip(failed), SkipReason::HostHandOff);
    assert_eq!((world.state.owner, world.state.host_hand_off), (Owner::Bot, false));
    assert_eq!(world.state.rows.len(), 2, "no second hand-off");
}

#[test]
fn a_hand_off_of_the_hosts_own_that_somebody_took_does_not_fail_any_more() {
    let taken = [
        EventBody::HumanSpoke(event::HumanSpoke::default()),
        EventBody::Returned(event::Returned::default()),
    ];
    for body in taken {
        let mut world = World::new();
        world.fails();
        assert!(world.state.host_hand_off);
        let arrival = world.arrival(body);
        match world.step(&arrival) {
            Step::Skip(reason) => world.state = world.plan(&arrival).skip(reason).state,
            _ => drop(world.turn(&arrival, Ok(Vec::new()))),
        }
        assert!(!world.state.host_hand_off, "{:?}", arrival.event.body);
    }
}

#[test]
fn an_invalid_action_fails_the_turn_as_a_whole() {
    let mut world = World::new();
    let turn = world.says(vec![say("a"), remember("no JSON")]);
    let Outcome::Failed { failure, .. } = &turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(failure.kind, FailureKind::InvalidAction);
    assert_eq!(names(&turn), ["message", "forward"]);
}

#[test]
fn a_session_ends_after_a_day_of_silence_and_the_next_event_starts_another() {
    let mut world = World::new();
    world.says(vec![remember(r#"{"a":1}"#)]);
    let first = world.state.session.clone().unwrap();
    world.now += DAY - HOUR;
    world.says(Vec::new());
    assert_eq!(world.state.session.as_ref().unwrap().id, first.id);
    world.now += DAY;
    let arrival = world.arrival(hello());
    let Step::Run(run) = world.step(&arrival) else { panic!("it does not run") };
    let EventBody::Start(start) = &run.0.body else { panic!("{:?}", run.0.body) };
    assert!(start.resumed && start.first.is_some());
    // Who never says that a conversation begins does not say that this one goes on.
    world.policy.sends_start = false;
    let Step::Run(run) = world.step(&arrival) else { panic!("it does not run") };
    let EventBody::Start(start) = &run.0.body else { panic!("{:?}", run.0.body) };
    assert!(!start.resumed && start.first.is_some());
    assert_eq!(run.1.context, "{}");
    let signal = event::NamedPayload { name: "s".to_owned(), json: "null".to_owned() };
    let arrival = world.arrival(EventBody::Signal(signal));
    assert!(matches!(world.step(&arrival), Step::StartFirst(_)));
}

#[test]
fn a_session_starts_where_only_the_word_with_the_event_says_that_the_bot_has_the_conversation() {
    let mut world = World::new();
    world.state.owner = Owner::Human;
    let returned = EventBody::Returned(event::Returned::default());
    let other = event::NamedPayload { name: "CREATED".to_owned(), json: "{}".to_owned() };
    for body in [returned, EventBody::Other(other)] {
        let arrival = Arrival { owner: Some(Owner::Bot), ..world.arrival(body) };
        let Step::StartFirst(start) = world.step(&arrival) else { panic!("no start goes first") };
        assert!(matches!(world.step(&start), Step::Run(_)), "the start would wait for ever");
    }
}

#[test]
fn a_session_whose_time_is_over_ends_where_the_vendor_knows_no_end() {
    for (then, native, sent, ends) in [
        (TimeoutAction::End, "end", vec!["end"], true),
        (TimeoutAction::End, "message", vec![], true),
        (TimeoutAction::Unassign, "abort", vec!["abort"], false),
        (TimeoutAction::Forward, "message", vec![], true),
    ] {
        let mut world = World::new();
        world.policy.session_timeout = Some(SessionTimeout { after_ms: HOUR, then });
        world.says(Vec::new());
        let over =
            event::NamedPayload { name: "session-timeout".to_owned(), json: "{}".to_owned() };
        let mut arrival = world.arrival(EventBody::Other(over));
        arrival.event.id = session_timeout_id(1, world.now);
        assert!(matches!(world.step(&arrival), Step::TimeOut(_)), "{then:?}");
        let turn = world.plan(&arrival).by_host(&Profile::new(&[native], 5_000), world.now);
        assert_eq!(names(&turn), sent, "{then:?} where {native} is known");
        assert_eq!(turn.state.session.is_none(), ends, "{then:?} where {native} is known");
    }
}

#[test]
fn a_bot_that_ends_each_session_at_its_start_is_started_once_for_an_event() {
    let mut world = World { native: &["message"], ..World::new() };
    let signal = event::NamedPayload { name: "s".to_owned(), json: "null".to_owned() };
    let arrival = world.arrival(EventBody::Signal(signal));
    let Step::StartFirst(start) = world.step(&arrival) else { panic!("no start goes first") };
    let turn = world.turn(&start, Ok(vec![say("bye"), Action::End]));
    assert_eq!((turn.state.owner, &turn.state.session), (Owner::Bot, &None));
    assert_eq!(world.step(&arrival), Step::Skip(SkipReason::NoSession));
}

#[test]
fn what_a_human_said_long_ago_does_not_let_an_older_word_give_the_conversation_back() {
    let mut world = World::new();
    world.says(Vec::new());
    (world.state.owner, world.state.human_ms, world.now) = (Owner::Human, Some(9_000), 9_500);
    let mut spoke = world.arrival(EventBody::HumanSpoke(event::HumanSpoke::default()));
    spoke.event.vendor_ms = Some(2_000);
    world.state = world.plan(&spoke).skip(SkipReason::NotOwner).state;
    assert_eq!(world.state.human_ms, Some(9_000));
    let mut before = Arrival { owner: Some(Owner::Bot), ..world.arrival(hello()) };
    before.event.vendor_ms = Some(8_000);
    assert_eq!(world.step(&before), Step::Skip(SkipReason::NotOwner));
}

#[test]
fn nothing_starts_a_session_to_hear_of_the_end_or_of_a_human() {
    let mut world = World::new();
    let ended = EventBody::Ended(event::Ended::default());
    assert_eq!(world.skip(EventBody::HumanSpoke(event::HumanSpoke::default())), {
        SkipReason::NoSession
    });
    assert_eq!(world.state.owner, Owner::Human);
    assert_eq!(world.skip(ended), SkipReason::NoSession);
    assert_eq!(world.state.owner, Owner::Ended);
}

#[test]
fn what_was_skipped_is_handed_over_with_the_next_run() {
    let mut world = World::new();
    world.says(Vec::new());
    world.state.owner = Owner::Human;
    for _ in 0..SKIPPED_MAX + 5 {
        assert_eq!(world.skip(hello()), SkipReason::NotOwner);
    }
    let arrival = world.arrival(EventBody::Returned(event::Returned::default()));
    let Step::Run(run) = world.step(&arrival) else { panic!("it does not run") };
    assert_eq!(run.1.skipped.len(), SKIPPED_MAX);
    world.turn(&arrival, Ok(Vec::new()));
    assert_eq!(world.state.skipped.len(), 5, "the rest stays queued");
}

#[test]
fn of_what_was_skipped_the_newest_are_kept_and_a_line_says_so() {
    let mut world = World::new();
    world.says(Vec::new());
    world.state.owner = Owner::Human;
    let long = |n: usize| {
        let text = format!("{n} {}", "x".repeat(20_000));
        EventBody::Message(event::Message { text, format: TextFormat::Plain })
    };
    for n in 0..9 {
        world.skip(long(n));
    }
    let bytes: usize =
        world.state.skipped.iter().map(|event| serde_json::to_vec(event).unwrap().len()).sum();
    assert!(bytes <= SKIPPED_KEPT_BYTES_MAX, "{bytes}");
    let EventBody::Message(oldest) = &world.state.skipped[0].body else { panic!("a message") };
    assert!(oldest.text.starts_with("3 "), "the oldest three are gone");
}

#[test]
fn a_large_skipped_event_does_not_stand_before_the_others_for_ever() {
    let mut world = World::new();
    world.says(Vec::new());
    world.state.owner = Owner::Human;
    let text = "x".repeat(SKIPPED_BYTES_MAX);
    world.skip(EventBody::Message(event::Message { text, format: TextFormat::Plain }));
    let arrival = world.arrival(EventBody::Returned(event::Returned::default()));
    let Step::Run(run) = world.step(&arrival) else { panic!("it does not run") };
    assert_eq!(run.1.skipped.len(), 1);
    world.turn(&arrival, Ok(Vec::new()));
    assert!(world.state.skipped.is_empty());
}

#[test]
fn timers_are_replaced_by_name_and_cancelled() {
    let mut world = World::new();
    let set = |name: &str, after_ms| {
        Action::Schedule(Schedule { name: name.to_owned(), after_ms, payload: None })
    };
    world.says(vec![set("a", 100), set("b", 50), set("a", 200)]);
    let due = |world: &World| -> Vec<_> {
        world.state.timers.iter().map(|timer| (timer.name.clone(), timer.due_ms)).collect()
    };
    let now = world.now;
    assert_eq!(due(&world), [("b".to_owned(), now + 50), ("a".to_owned(), now + 200)]);
    assert_eq!(world.state.due(), Some(now + 50), "a row would be due at once");
    world.says(vec![Action::CancelTimer("b".to_owned()), Action::CancelTimer("x".to_owned())]);
    assert_eq!(due(&world), [("a".to_owned(), now + 200)]);
}

#[test]
fn an_end_ends_the_session_also_where_the_vendor_knows_none() {
    for (native, owner, rows) in [(NATIVE, Owner::Ended, 2), (&["message"][..], Owner::Bot, 1)] {
        let mut world = World::new();
        world.native = native;
        let turn = world.says(vec![say("bye"), Action::End, say("and another thing")]);
        assert_eq!((turn.state.owner, turn.state.rows.len()), (owner, rows));
        assert_eq!(turn.state.session, None);
        assert!(turn.log.iter().any(|line| line.message.contains("withheld")));
    }
}

#[test]
fn an_event_is_acknowledged_by_whom_it_is_for() {
    let rows = [
        (Owner::Bot, None, 1),
        (Owner::Human, None, 0),
        (Owner::Bot, Some(Owner::Human), 0),
        (Owner::Human, Some(Owner::Bot), 1),
        // Whoever writes again after the end writes to the bot.
        (Owner::Ended, None, 1),
    ];
    for (owner, said, acknowledgements) in rows {
        let mut world = World::new();
        world.policy.reopens = true;
        world.state.owner = owner;
        let mut arrival = world.arrival(hello());
        arrival.acknowledge = Some("m1".to_owned());
        arrival.owner = said;
        match world.step(&arrival) {
            Step::Skip(reason) => world.state = world.plan(&arrival).skip(reason).state,
            _ => world.state = world.turn(&arrival, Ok(Vec::new())).state,
        }
        assert_eq!(world.state.acknowledgements.len(), acknowledgements, "{owner:?}, {said:?}");
    }
}

#[test]
fn what_the_desk_calls_a_conversation_stays_until_its_end() {
    let mut world = World::new();
    world.says(vec![]);
    let named = Arrival { desk_id: Some("4299".to_owned()), ..world.arrival(hello()) };
    world.turn(&named, Ok(vec![]));
    let later = Arrival { reply_to: Some("{}".to_owned()), ..world.arrival(hello()) };
    world.turn(&later, Ok(vec![]));
    assert_eq!(world.state.desk_id.as_deref(), Some("4299"), "a message does not tell it");
    let ended = EventBody::Ended(event::Ended { reason: None });
    let ended = Arrival { desk_id: Some("4299".to_owned()), ..world.arrival(ended) };
    world.turn(&ended, Ok(vec![]));
    assert_eq!(world.state.desk_id, None, "the next one has another name");
}

#[test]
fn a_webhook_older_than_a_humans_taking_over_gives_nothing_back() {
    for (vendor_ms, skips) in [(Some(1_999), true), (Some(2_000), false), (None, false)] {
        let mut world = World::new();
        (world.state.owner, world.state.human_ms) = (Owner::Human, Some(2_000));
        let mut arrival = world.arrival(hello());
        (arrival.owner, arrival.event.vendor_ms) = (Some(Owner::Bot), vendor_ms);
        assert_eq!(matches!(world.step(&arrival), Step::Skip(_)), skips, "{vendor_ms:?}");
    }
}

#[test]
fn rows_age_from_their_turn_and_not_from_their_event() {
    let mut world = World::new();
    let turn = world.says(vec![say("a")]);
    assert_eq!(turn.state.rows[0].made_ms, world.now + 7);
}

#[test]
fn keys_are_remembered_for_a_day_and_bounded() {
    let mut world = World::new();
    for n in 0..crate::log::KEYS_MAX + 10 {
        let mut arrival = world.arrival(hello());
        arrival.key = Some(format!("k{n}"));
        world.turn(&arrival, Ok(Vec::new()));
    }
    assert_eq!(world.state.keys.len(), crate::log::KEYS_MAX);
    assert!(!world.state.knows("k0") && world.state.knows("k10"));
    let mut again = world.arrival(hello());
    again.key = Some("k10".to_owned());
    assert_eq!(world.step(&again), Step::Skip(SkipReason::Duplicate));
    world.now += crate::log::KEY_AGE_MS + 1;
    let mut late = world.arrival(hello());
    late.key = Some("late".to_owned());
    world.turn(&late, Ok(Vec::new()));
    assert_eq!(world.state.keys.len(), 1);
}

#[test]
fn a_duplicate_has_a_turn_of_its_own() {
    let mut world = World::new();
    let mut arrival = world.arrival(hello());
    arrival.key = Some("k".to_owned());
    let first = world.turn(&arrival, Ok(Vec::new()));
    let second = world.plan(&arrival).skip(SkipReason::Duplicate);
    assert_ne!(first.id, second.id, "or the store would take it for written");
}

#[test]
fn what_is_for_the_desk_goes_before_the_end_of_the_session() {
    let mut world = World::new();
    let note = Action::NoteCreate(crate::action::NoteCreate {
        text: "likes lamps".to_owned(),
        contact_id: None,
    });
    let turn = world.says(vec![say("Bye."), Action::End, note]);
    assert_eq!(names(&turn), ["message", "note_create", "end"]);
    let ids: Vec<_> = turn.state.rows.iter().map(|row| row.id.as_str().to_owned()).collect();
    assert!(ids[1].ends_with(".2.0") && ids[2].ends_with(".1.0"), "ids stay: {ids:?}");
}
