//! Menus with pages, ids that are too long, and authors who deny changes.

use std::sync::Arc;

use super::*;
use crate::action::{Bubbles, Choice};
use crate::event::{Click, Message};
use crate::profile::{ActionLimits, Count, Length, Sure, Unit};

/// Six options at once, with ids of at most 24 bytes.
fn profile() -> Profile {
    let mut profile = Profile::new(&["message", "bubbles"], 5_000);
    let source = || "a test".to_owned();
    let options = Some(Count { max: 6, source: source(), sure: Sure::Guessed });
    let id = Some(Length { max: 24, unit: Unit::Bytes, source: source(), sure: Sure::Guessed });
    let limits = ActionLimits { options, id, ..ActionLimits::NONE };
    Arc::make_mut(&mut profile.limits).actions.insert("bubbles", limits);
    profile
}

fn rooms(count: usize) -> Action {
    let choice = |n| Choice { id: format!("{n}{}", "-long".repeat(n)), label: format!("Room {n}") };
    let options = (1..=count).map(choice).collect();
    let (text, format) = ("Which one?".to_owned(), TextFormat::Plain);
    Action::Bubbles(Bubbles { text, format, options, fallback: None })
}

fn offers(world: &mut World, actions: Vec<Action>) -> Turn {
    let arrival = world.arrival(hello());
    let output = RunOutput {
        result: Ok(actions),
        writes: Vec::new(),
        log: Vec::new(),
        log_cut_bytes: 0,
        cpu_us: 1,
    };
    let now = world.now + 7;
    let turn = world.plan(&arrival).complete(output, Digest::of(b"v"), &profile(), now);
    world.state = turn.state.clone();
    turn
}

fn said(text: &str) -> EventBody {
    EventBody::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}

fn tap(id: &str) -> EventBody {
    EventBody::Click(Click { option_ids: vec![id.to_owned()], ..Click::default() })
}

/// The ids that the person can tap, of what was sent last.
fn ids(world: &World) -> Vec<String> {
    let row = world.state.rows.last().expect("a row");
    row.action.option_ids().map(str::to_owned).collect()
}

/// The option that the bot is told of.
fn chosen(world: &mut World, body: EventBody) -> (String, bool) {
    let arrival = world.arrival(body);
    let Step::Run(run) = world.step(&arrival) else { panic!("the bot does not run") };
    let EventBody::Click(click) = run.0.body else { panic!("no option: {:?}", run.0.body) };
    (click.option_ids.concat(), click.stale)
}

#[test]
fn the_host_shows_the_next_page_to_whoever_asks_for_more() {
    let mut world = World::new();
    let turn = offers(&mut world, vec![rooms(12)]);
    assert_eq!(turn.state.rows.len(), 1);
    let first = ids(&world);
    assert_eq!(first.len(), 6);

    assert_eq!(world.skip(tap(&first[5])), SkipReason::NextPage);
    assert_eq!(world.state.rows.len(), 2);
    assert_eq!(chosen(&mut world, tap(&first[0])), ("1-long".to_owned(), false));
    assert_eq!(world.skip(said("More")), SkipReason::NextPage);
    let last = ids(&world);
    let expected = (format!("12{}", "-long".repeat(12)), false);
    assert_eq!(chosen(&mut world, tap(&last[1])), expected, "a token is the id again");
    assert_eq!(chosen(&mut world, said("twelfth")), expected);

    // There is no more: what is said is said to the bot.
    let arrival = world.arrival(said("More"));
    let Step::Run(run) = world.step(&arrival) else { panic!("the bot does not run") };
    assert_eq!(run.0.body, said("More"));
    // A tap on what was shown before shows the same again.
    assert_eq!(world.skip(tap(&first[5])), SkipReason::NextPage);
    assert_eq!(world.state.rows[1].action, world.state.rows[3].action);
}

#[test]
fn more_is_a_word_like_others_once_something_else_was_asked() {
    let mut world = World::new();
    offers(&mut world, vec![rooms(12)]);
    let more = ids(&world).pop().expect("an option for more");
    offers(&mut world, vec![say("How many people?")]);
    let arrival = world.arrival(said("More"));
    assert!(matches!(world.step(&arrival), Step::Run(_)), "the bot asked how many");
    assert_eq!(world.skip(tap(&more)), SkipReason::NextPage, "a tap means its menu");
}

#[test]
fn nobody_shows_pages_in_a_conversation_that_the_bot_has_not() {
    let mut world = World::new();
    offers(&mut world, vec![rooms(12)]);
    let more = ids(&world).pop().expect("an option for more");
    world.state.owner = Owner::Human;
    assert_eq!(world.skip(tap(&more)), SkipReason::NotOwner);
    world.state.owner = Owner::Bot;
    world.now += DAY;
    let arrival = world.arrival(tap(&more));
    assert!(matches!(world.step(&arrival), Step::Run(_)), "another session begins");
}

#[test]
fn the_newest_menu_is_remembered_however_large_it_is() {
    let mut world = World::new();
    let long = |n| Choice { id: format!("{n:01000}"), label: format!("Room {n}") };
    let options: Vec<_> = (0..26).map(long).collect();
    let (text, format) = ("Which one?".to_owned(), TextFormat::Plain);
    let menu = Action::Bubbles(Bubbles { text, format, options, fallback: None });
    offers(&mut world, vec![menu]);
    let token = ids(&world).swap_remove(2);
    assert_eq!(chosen(&mut world, tap(&token)).0, format!("{:01000}", 2));
}

#[test]
fn an_author_who_denies_changes_fails_the_turn_that_needs_one() {
    let mut world = World::new();
    world.policy.degrading = Degrading::Deny;
    let turn = offers(&mut world, vec![rooms(6)]);
    assert!(matches!(turn.outcome, Outcome::Ran { .. }));
    let turn = offers(&mut world, vec![say("Hello"), rooms(7)]);
    let Outcome::Failed { failure, .. } = &turn.outcome else { panic!("{:?}", turn.outcome) };
    assert_eq!(failure.blame, Blame::Bot);
    assert!(failure.message.contains("action 1 (bubbles)"), "{}", failure.message);
    assert_eq!(names(&turn)[1..], ["message"], "the failure text is the host's own");
}
