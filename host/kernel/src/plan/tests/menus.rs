//! Menus with pages, ids that are too long, and authors who deny changes.

use std::sync::Arc;

use super::*;
use crate::action::{Bubbles, Card, Carousel, Choice};
use crate::event::{Click, First, Message};
use crate::id::PartId;
use crate::log::{Route, Settled};
use crate::profile::{ActionLimits, Count, Length, Sure, Unit};
use crate::relay::{Patience, Relay};

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
    let choice = |n| Choice {
        id: format!("{n}{}", "-long".repeat(n)),
        label: format!("Room {n}"),
        short_label: None,
    };
    let options = (1..=count).map(choice).collect();
    let (text, format) = ("Which one?".to_owned(), TextFormat::Plain);
    Action::Bubbles(Bubbles { text, format, options, fallback: None })
}

/// A menu whose options have names of their own.
fn drinks() -> Action {
    let choice =
        |id: &str| Choice { id: id.to_owned(), label: format!("Some {id}"), short_label: None };
    let options = ["tea", "coffee"].map(choice).into();
    let (text, format) = ("And to drink?".to_owned(), TextFormat::Plain);
    Action::Bubbles(Bubbles { text, format, options, fallback: None })
}

fn offers(world: &mut World, actions: Vec<Action>) -> Turn {
    offers_on(world, &profile(), actions)
}

fn offers_on(world: &mut World, profile: &Profile, actions: Vec<Action>) -> Turn {
    let arrival = world.arrival(hello());
    let output = RunOutput {
        result: Ok(actions),
        writes: Vec::new(),
        log: Vec::new(),
        log_cut_bytes: 0,
        cost: Cost::default(),
    };
    let now = world.now + 7;
    let turn = world.plan(&arrival).complete(output, Digest::of(b"v"), profile, now);
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
    assert_eq!(world.state.skipped, [], "it is no option of the bot's");
    assert_eq!(world.state.rows.len(), 1);
}

#[test]
fn a_tap_for_more_is_answered_when_the_session_is_over_and_begins_none() {
    for ended in [false, true] {
        let mut world = World::new();
        world.policy.reopens = true;
        offers(&mut world, vec![rooms(12)]);
        let more = ids(&world).pop().expect("an option for more");
        world.now += if ended { 0 } else { DAY };
        world.state.owner = if ended { Owner::Ended } else { Owner::Bot };
        let words = world.arrival(said("More"));
        assert!(matches!(world.step(&words), Step::Run(_)), "words are said to the bot");
        assert_eq!(world.skip(tap(&more)), SkipReason::NextPage, "ended: {ended}");
        assert_eq!((world.state.rows.len(), &world.state.session), (2, &None));
        // Only the option is something to tell the bot, and begins a session.
        let option = ids(&world).swap_remove(1);
        for body in [tap(&option), said("2"), said("Room 7")] {
            assert_eq!(first_option(&mut world, body), "Room 7", "ended: {ended}");
        }
        // Whoever types sees what was shown last.
        assert_eq!(world.skip(said("More")), SkipReason::NextPage, "ended: {ended}");
        assert_eq!((world.state.rows.len(), &world.state.session), (3, &None));
        assert_eq!(first_option(&mut world, said("2")), "Room 12");
    }
}

/// The option that a session begins with.
fn first_option(world: &mut World, body: EventBody) -> String {
    let arrival = world.arrival(body);
    let Step::Run(run) = world.step(&arrival) else { panic!("the bot does not run") };
    let EventBody::Start(start) = run.0.body else { panic!("no start: {:?}", run.0.body) };
    let Some(First::Click(click)) = start.first else { panic!("no click: {start:?}") };
    click.label.expect("a label")
}

#[test]
fn pages_are_shown_while_an_external_bot_has_the_conversation() {
    for idle in [0, DAY] {
        let mut world = World::new();
        offers(&mut world, vec![rooms(12)]);
        let more = ids(&world).pop().expect("an option for more");
        let patience = Patience { now: 0, after_ms: None };
        let part = PartId("t.0.0".to_owned());
        let (relay, _) = Relay::begin("care", &Facts::default(), part, patience);
        (world.state.owner, world.state.relay) = (Owner::Relay, Some(relay));
        world.now += idle;
        assert_eq!(world.skip(tap(&more)), SkipReason::NextPage, "idle for {idle}");
        assert_eq!((world.state.rows.len(), world.state.owner), (2, Owner::Relay));
        assert_eq!(world.state.skipped, []);
        let option = world.arrival(tap(&ids(&world)[0]));
        assert!(matches!(world.step(&option), Step::Relay(_)), "an option is said to it");
    }
}

#[test]
fn a_number_is_that_of_the_page_which_was_shown_last() {
    let mut world = World::new();
    let room = |n: usize| (format!("{n}{}", "-long".repeat(n)), false);
    offers(&mut world, vec![rooms(12)]);
    let first = ids(&world);
    assert_eq!(chosen(&mut world, said("2")), room(2));
    assert_eq!(chosen(&mut world, said("7")), room(7), "no page shows a seventh");
    assert_eq!(world.skip(said("6")), SkipReason::NextPage, "what stands there asks for more");
    let second = ids(&world);
    assert_eq!(chosen(&mut world, said("2")), room(7));
    assert_eq!(chosen(&mut world, said("the fifth one")), room(10));
    assert_eq!(chosen(&mut world, said("12")), room(12));
    assert_eq!(chosen(&mut world, said("Room 2")), room(2), "a label is that of any page");
    assert_eq!(world.skip(tap(&second[5])), SkipReason::NextPage);
    assert_eq!(chosen(&mut world, said("2")), room(12), "the last page has no more");
    assert_eq!(chosen(&mut world, said("3")), room(3));
    // What was shown before is shown again, and goes on from there.
    assert_eq!(world.skip(tap(&first[5])), SkipReason::NextPage);
    assert_eq!(chosen(&mut world, said("2")), room(7));
    assert_eq!(world.skip(said("More")), SkipReason::NextPage);
    assert_eq!(chosen(&mut world, said("2")), room(12));
}

#[test]
fn an_older_menu_whose_page_is_shown_is_what_is_asked_now() {
    let mut world = World::new();
    offers(&mut world, vec![rooms(12)]);
    let more = ids(&world).pop().expect("an option for more");
    offers(&mut world, vec![drinks()]);
    assert_eq!(chosen(&mut world, said("2")).0, "coffee");
    assert_eq!(world.skip(tap(&more)), SkipReason::NextPage);
    let (id, stale) = chosen(&mut world, said("2"));
    assert_eq!((&*id, stale), (&*format!("7{}", "-long".repeat(7)), false));
    assert_eq!(world.skip(said("More")), SkipReason::NextPage, "it is its next page");
    // A tap on the other one is what it was.
    assert_eq!(chosen(&mut world, tap("coffee")), ("coffee".to_owned(), false));
}

#[test]
fn every_menu_of_a_turn_can_be_tapped_and_the_last_one_answered_by_words() {
    let mut world = World::new();
    offers(&mut world, vec![rooms(7), drinks()]);
    let first: Vec<_> = world.state.rows[0].action.option_ids().map(str::to_owned).collect();
    let expected = (format!("5{}", "-long".repeat(5)), false);
    assert_eq!(chosen(&mut world, tap(&first[4])), expected, "a token is the id again");
    assert_eq!(chosen(&mut world, said("2")), ("coffee".to_owned(), false));
    assert_eq!(world.skip(tap(&first[5])), SkipReason::NextPage);
    offers(&mut world, vec![drinks()]);
    assert_eq!(chosen(&mut world, tap(&first[4])), (expected.0, true));
}

/// "2" after "How many people?" is how many, also where a menu was shown just before.
#[test]
fn a_question_behind_a_menu_leaves_it_to_taps_and_whole_labels() {
    let asked = |behind: Vec<Action>| {
        let mut world = World::new();
        offers(&mut world, [vec![rooms(7)], behind].concat());
        world
    };
    let mut world = asked(vec![say("How many people?")]);
    for text in ["2", "the second one", "Room"] {
        let arrival = world.arrival(said(text));
        let Step::Run(run) = world.step(&arrival) else { panic!("the bot does not run") };
        assert_eq!(run.0.body, said(text));
    }
    let first: Vec<_> = world.state.rows[0].action.option_ids().map(str::to_owned).collect();
    assert_eq!(chosen(&mut world, said("room 1")), ("1-long".to_owned(), false));
    assert_eq!(chosen(&mut world, tap(&first[0])), ("1-long".to_owned(), false));
    // Whoever asks for the next page is asked nothing else any more.
    assert_eq!(world.skip(said("More")), SkipReason::NextPage);
    assert_eq!(chosen(&mut world, said("1")).0, format!("6{}", "-long".repeat(6)));

    let mut world = asked(vec![say("Take your time.")]);
    assert_eq!(chosen(&mut world, said("2")).0, "2-long-long", "nothing else was asked");
    let mut world = asked(vec![say("How many people?"), drinks()]);
    assert_eq!(chosen(&mut world, said("2")).0, "coffee", "the last thing that was asked");
}

/// Quick replies go with the next message: options that it would take are given another form.
#[test]
fn options_that_vanish_are_not_followed_by_words() {
    let mut profile = Profile::new(&["message", "bubbles", "button_template", "typing"], 5_000);
    profile.native.push("bubbles_until_next");
    let names = |actions: Vec<Action>| {
        let mut world = World::new();
        let turn = offers_on(&mut world, &profile, actions);
        let rows: Vec<_> = turn.state.rows.iter().map(|row| row.action.name()).collect();
        (rows, turn.log.into_iter().map(|line| line.message).collect::<String>())
    };
    assert_eq!(names(vec![say("Hello"), rooms(5)]), (vec!["message", "bubbles"], String::new()));
    let silent = Action::Typing(crate::action::Typing::Stop);
    assert_eq!(names(vec![rooms(5), silent]).0, ["bubbles", "typing"]);
    let (rows, log) = names(vec![drinks(), say("Take your time.")]);
    assert_eq!(rows, ["button_template", "message"]);
    assert!(log.contains("such options vanish"), "{log}");
    let (rows, _) = names(vec![rooms(5), drinks()]);
    assert_eq!(rows, ["message", "bubbles"], "three buttons have no room for five options");
}

#[test]
fn a_tap_for_more_stands_for_no_message_before_it() {
    let mut world = World::new();
    offers(&mut world, vec![rooms(12)]);
    let options = ids(&world);
    for overlap in [Overlap::Latest, Overlap::Coalesce { silence_ms: 1_000 }] {
        world.policy.overlap = overlap;
        let message = world.arrival(said("Which one has a balcony?"));
        let nexts = [(tap(&options[5]), false), (said("More"), false), (tap(&options[0]), true)];
        for (body, supersedes) in nexts {
            let next = world.arrival(body.clone());
            assert_eq!(world.plan(&message).superseded_by(&next), supersedes, "{body:?}");
        }
    }
}

#[test]
fn what_takes_no_turn_is_handed_over_as_what_it_means() {
    for reason in [SkipReason::Superseded, SkipReason::NotOwner] {
        let mut world = World::new();
        offers(&mut world, vec![rooms(7)]);
        let token = ids(&world).swap_remove(4);
        world.state.owner =
            if reason == SkipReason::NotOwner { Owner::HandingOff } else { Owner::Bot };
        for body in [tap(&token), said("5")] {
            let arrival = world.arrival(body);
            world.state = world.plan(&arrival).skip(reason).state;
        }
        let kept = world.state.skipped.iter().map(|event| match &event.body {
            EventBody::Click(click) => click.option_ids.concat(),
            other => panic!("no option: {other:?}"),
        });
        let id = format!("5{}", "-long".repeat(5));
        assert_eq!(kept.collect::<Vec<_>>(), [id.clone(), id], "{reason:?}");
    }
}

#[test]
fn the_newest_menu_is_remembered_however_large_it_is() {
    let mut world = World::new();
    let long =
        |n| Choice { id: format!("{n:01000}"), label: format!("Room {n}"), short_label: None };
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

/// An answer has one place: what comes behind it is what calls carry, with a word in the
/// log, and whoever denies changes hears of it.
#[test]
fn one_menu_rides_in_an_answer_and_the_next_is_numbered() {
    let mut world = World::new();
    let mut profile = Profile::new(&["message"], 5_000);
    profile.let_ride(&["bubbles", "contact_update"]);
    let turn = offers_on(&mut world, &profile, vec![drinks(), drinks()]);
    let names: Vec<_> = turn.state.rows.iter().map(|row| row.action.name()).collect();
    assert_eq!(names, ["bubbles", "message"]);
    assert_eq!(turn.log.len(), 1, "{:?}", turn.log);

    world.policy.degrading = Degrading::Deny;
    let denied = offers_on(&mut world, &profile, vec![drinks()]);
    assert!(matches!(denied.outcome, Outcome::Ran { .. }), "{:?}", denied.outcome);
    let denied = offers_on(&mut world, &profile, vec![drinks(), drinks()]);
    assert!(matches!(denied.outcome, Outcome::Failed { .. }), "{:?}", denied.outcome);
    // Where options show no text, it would be a message of its own.
    profile.let_ride(&["bubbles_text_apart"]);
    let denied = offers_on(&mut world, &profile, vec![drinks()]);
    let Outcome::Failed { failure, .. } = denied.outcome else { panic!("{denied:?}") };
    assert!(failure.message.contains("the text is a message of its own"), "{failure:?}");
}

/// What only the answer carries has beside it what calls carry, whole, should it miss that.
#[test]
fn a_menu_that_rides_can_go_by_calls_in_as_many_as_it_needs() {
    let mut world = World::new();
    world.state.facts.locale = Some("de".to_owned());
    let mut profile = Profile::new(&["message"], 2_000);
    profile.let_ride(&["carousel"]);
    let card = |n| Card {
        id: format!("id-{n}"),
        label: format!("Lamp {n} {}", "x".repeat(80)),
        short_label: None,
        image: None,
        description: None,
    };
    let cards: Vec<Card> = (1..=40).map(card).collect();
    let carousel = Carousel { text: "Welche?".to_owned(), cards: cards.clone(), fallback: None };
    let turn = offers_on(&mut world, &profile, vec![say("Hallo"), Action::Carousel(carousel)]);
    let [text, menu] = &turn.state.rows[..] else { panic!("{:?}", turn.state.rows) };
    assert!(text.by_call.is_empty(), "calls carry it as it is");
    assert_eq!(menu.action.name(), "carousel");
    let said = menu.by_call.iter().map(|action| match action {
        Action::Message(message) => message.text.clone(),
        other => panic!("{other:?}"),
    });
    let said: Vec<String> = said.collect();
    assert!(said.len() > 1 && said.iter().all(|text| text.chars().count() <= 2_000), "{said:?}");
    let whole = said.join("\n");
    for (n, card) in (1..).zip(&cards) {
        assert!(whole.contains(&format!("{n}. {}", card.label)), "{n}: {whole}");
    }
    assert!(whole.contains("Bitte"), "the host's own words are the person's: {whole}");
    let settled = Settled { by_call: vec![menu.id.clone()], ..Settled::default() };
    let mut state = turn.state.clone();
    state.settle(&settled);
    let once = state.clone();
    state.settle(&settled);
    assert_eq!(state, once, "a settlement that comes twice changes nothing more");
    let (last, rest) = state.rows.split_last().unwrap();
    assert_eq!((&last.id, &last.context), (&menu.id, &menu.context));
    assert!(rest.iter().all(|row| row.context.is_none() && row.id != menu.id), "{rest:?}");
}

/// A GET of `MyAlice`'s has one answer, and nothing can be said behind it.
#[test]
fn a_text_beside_options_is_left_out_where_nothing_follows_the_answer() {
    let mut world = World::new();
    world.state.route = Route::ThisAnswer;
    let mut profile = Profile::new(&["message"], 5_000);
    profile.let_ride(&["bubbles", "bubbles_text_apart"]);
    let turn = offers_on(&mut world, &profile, vec![drinks()]);
    let names: Vec<_> = turn.state.rows.iter().map(|row| row.action.name()).collect();
    assert_eq!(names, ["bubbles"], "a message would be given up at once");
    let [line] = &turn.log[..] else { panic!("{:?}", turn.log) };
    assert!(line.message.contains("the text is left out"), "{line:?}");
    world.policy.degrading = Degrading::Deny;
    let denied = offers_on(&mut world, &profile, vec![drinks()]);
    assert!(matches!(denied.outcome, Outcome::Failed { .. }), "{:?}", denied.outcome);
}

#[test]
fn what_shows_nothing_takes_no_options_away() {
    let mut profile = Profile::new(&["message", "bubbles", "forward_any"], 5_000);
    profile.native.push("bubbles_until_next");
    let (vendor, json) = ("another".to_owned(), "{}".to_owned());
    let foreign = Action::Passthrough(crate::action::Passthrough { vendor, json });
    let forward = Action::Forward(Forward { target: ForwardTarget::Any, on_failure: None });
    for behind in [vec![foreign], vec![forward, say("Somebody will write.")]] {
        let mut world = World::new();
        let turn = offers_on(&mut world, &profile, [vec![rooms(5)], behind].concat());
        assert_eq!(turn.state.rows[0].action.name(), "bubbles");
    }
}
