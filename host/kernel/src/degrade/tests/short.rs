//! Short labels of the bot's own, where the whole ones have no room.

use super::{limited, options, profile};
use crate::action::{Action, Bubbles, Buttons, Card, Carousel, Choice, LinkButton, TextFormat};
use crate::degrade::{Degraded, degrade};
use crate::profile::{ActionLimits, Length, Profile, Sure, Unit};

const LAKE: &str = "A room with a view of the lake";
const YARD: &str = "A room with a view of the yard";

fn menu(labels: &[(&str, Option<&str>)]) -> Action {
    let choice = |(n, (label, short)): (usize, &(&str, Option<&str>))| Choice {
        id: format!("{n}"),
        label: (*label).to_owned(),
        short_label: short.map(str::to_owned),
    };
    Action::Bubbles(Bubbles {
        text: "Which one?".to_owned(),
        format: TextFormat::Plain,
        options: labels.iter().enumerate().map(choice).collect(),
        fallback: None,
    })
}

fn carried(given: &Action, medium: &Profile) -> Degraded {
    degrade(given.clone(), medium, "userlike")
}

/// Labels of at most so many characters in this form.
fn of(form: &'static str, characters: usize, medium: Profile) -> Profile {
    let source = "a test".to_owned();
    let label = Length { max: characters, unit: Unit::Characters, source, sure: Sure::Guessed };
    limited(form, ActionLimits { label: Some(label), ..ActionLimits::NONE }, medium)
}

fn buttons_of(characters: usize) -> Profile {
    of("bubbles", characters, profile(&["message", "bubbles"], 1_000))
}

fn labels(done: &Degraded) -> Vec<&str> {
    options(&done.actions[0]).into_iter().map(|(_, label)| label).collect()
}

fn notes(done: &Degraded) -> Vec<&str> {
    done.notes.iter().map(|note| &*note.what).collect()
}

#[test]
fn a_short_label_stands_where_the_whole_one_has_no_room() {
    let given = menu(&[(LAKE, Some("Lake view")), ("Cellar", Some("Dark")), (YARD, Some("Yard"))]);
    let done = carried(&given, &buttons_of(12));
    assert_eq!(labels(&done), ["Lake view", "Cellar", "Yard"], "whole where there is room");
    assert_eq!(notes(&done), [""; 0], "that is what the bot wanted");
    let roomy = carried(&given, &buttons_of(40));
    assert_eq!((&roomy.actions[..], notes(&roomy)), (std::slice::from_ref(&given), vec![]));
}

#[test]
fn it_comes_before_another_form_and_a_cut_of_ours_behind_that() {
    let native = ["message", "bubbles", "list_template"];
    let medium = of("list_template", 40, of("bubbles", 12, profile(&native, 1_000)));
    let name = |given: &Action| carried(given, &medium).actions[0].name();
    assert_eq!(name(&menu(&[(LAKE, Some("Lake")), (YARD, Some("Yard"))])), "bubbles");
    assert_eq!(name(&menu(&[(LAKE, Some("Lake")), (YARD, None)])), "list_template");
    let small = of("list_template", 12, medium.clone());
    let done = carried(&menu(&[(LAKE, Some("Lake")), ("Yard", None)]), &small);
    assert_eq!((done.actions[0].name(), labels(&done)), ("bubbles", vec!["Lake", "Yard"]));
}

#[test]
fn where_some_have_none_only_those_are_cut() {
    let given = menu(&[(LAKE, Some("Lake")), ("One with a balcony", None), ("Cellar", None)]);
    let done = carried(&given, &buttons_of(12));
    assert_eq!(labels(&done), ["Lake", "One with a…", "Cellar"]);
    assert_eq!(
        notes(&done),
        ["labels were cut: they have at most 12 characters here (1 were longer)"]
    );
}

#[test]
fn a_short_label_that_helps_nobody_is_as_good_as_none() {
    let medium = buttons_of(12);
    let cut = ["One with a…", "Two with a…"];
    let (one, two) = ("One with a balcony", "Two with a balcony");
    let long = "A balcony that is long";
    for short in [None, Some(""), Some("  "), Some("Balcony"), Some(long)] {
        // Both are called the same, have no name, or one that is too long as well.
        let done = carried(&menu(&[(one, short), (two, short)]), &medium);
        assert_eq!(labels(&done), cut, "{short:?}");
    }
    let done = carried(&menu(&[(LAKE, Some("Room")), (YARD, Some("Room"))]), &medium);
    assert_eq!(done.actions[0].name(), "message", "they cannot be told from each other");
}

#[test]
fn cards_and_links_have_short_labels_too() {
    let card = |label: &str, short: &str| Card {
        id: short.to_owned(),
        label: label.to_owned(),
        short_label: Some(short.to_owned()),
        image: None,
        description: None,
    };
    let cards = vec![card(LAKE, "Lake"), card(YARD, "Yard")];
    let carousel = Carousel { text: "Which one?".to_owned(), cards, fallback: None };
    let done = carried(
        &Action::Carousel(carousel),
        &of("carousel", 12, profile(&["message", "carousel"], 1_000)),
    );
    assert_eq!((done.actions[0].name(), labels(&done)), ("carousel", vec!["Lake", "Yard"]));
    let (label, link) = (LAKE.to_owned(), "https://a.b".to_owned());
    let links = vec![LinkButton { label, short_label: Some("Lake".to_owned()), link }];
    let done = carried(
        &Action::Buttons(Buttons { text: None, links }),
        &of("buttons", 12, profile(&["message", "buttons"], 1_000)),
    );
    let [Action::Buttons(sent)] = &done.actions[..] else { panic!("{done:?}") };
    assert_eq!((&*sent.links[0].label, notes(&done)), ("Lake", vec![]));
}

#[test]
fn numbered_text_has_room_for_the_whole_label() {
    let done = carried(&menu(&[(LAKE, Some("Lake"))]), &profile(&["message"], 1_000));
    let [Action::Message(text)] = &done.actions[..] else { panic!("{done:?}") };
    assert!(text.text.contains(&format!("1. {LAKE}")), "{}", text.text);
}
