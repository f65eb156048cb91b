//! What stands around the options of lists, cards and button templates.

use super::{EVERYTHING, check, profile, with_list_rows};
use crate::action::{Action, ListTemplate};
use crate::degrade::samples::{menus, words};
use crate::profile::Profile;

/// What becomes of a list with a part of every kind, and what is said of it.
fn list(change: impl FnOnce(&mut ListTemplate), profile: &Profile) -> (Vec<Action>, Vec<String>) {
    let mut words = words("When?", &["8:00", "9:00"]);
    words.extra = Some("more".to_owned());
    let Action::ListTemplate(mut list) = menus(&words).swap_remove(3) else { unreachable!() };
    list.multiple = false;
    change(&mut list);
    let done = check(&Action::ListTemplate(list), profile);
    (done.actions, done.notes.into_iter().map(|note| note.what).collect())
}

#[test]
fn a_list_that_is_too_long_becomes_bubbles_that_say_all_of_it() {
    let short = with_list_rows(1, profile(EVERYTHING, 100));
    let (actions, notes) = list(|_| {}, &short);
    let [Action::Bubbles(bubbles)] = &actions[..] else { panic!("{actions:?}") };
    assert_eq!(bubbles.text, "more\nWhen?\nmore\nmore\n8:00 – more\nmore\n9:00 – more\nmore");
    assert_eq!(
        notes,
        [
            "the label of its button was left out: no button opens the options",
            "sent as `bubbles`: a list has at most 1 options here, this one 2",
        ]
    );
    let long = with_list_rows(2, profile(EVERYTHING, 100));
    assert_eq!(list(|_| {}, &long).1, [""; 0]);
}

#[test]
fn what_a_list_loses_is_noted() {
    let rows_only = profile(&["message", "list_template"], 100);
    let (actions, notes) = list(|list| list.multiple = true, &rows_only);
    let [Action::ListTemplate(sent)] = &actions[..] else { panic!("{actions:?}") };
    assert!(!sent.multiple && sent.sections.iter().all(|section| section.title.is_none()));
    assert_eq!(sent.header.as_deref(), Some("more"), "the vendor knows best what to leave out");
    assert_eq!(
        notes,
        [
            "only one option can be chosen: this medium has no multiple choice",
            "the headlines of its sections were left out: this medium shows one list",
            "the vendor may leave out on this medium: header, footer, title, descriptions of its \
             options",
        ]
    );
}

#[test]
fn the_headline_of_an_only_section_is_kept_as_the_title() {
    let titled = profile(&["message", "list_template", "list_template_details"], 100);
    let only = |list: &mut ListTemplate| {
        list.sections.truncate(1);
        list.title = None;
    };
    let (actions, notes) = list(only, &titled);
    assert!(matches!(&actions[..], [Action::ListTemplate(sent)]
        if sent.title.as_deref() == Some("more")));
    assert_eq!(notes, ["the headline of its only section became its title: no sections here"]);
}

#[test]
fn what_stands_around_buttons_is_noted_where_it_may_not_show() {
    let mut words = words("Which one?", &["Red"]);
    words.extra = Some("more".to_owned());
    let template = menus(&words).swap_remove(2);
    let notes = |native: &[&'static str]| {
        let done = check(&template, &profile(native, 100));
        assert_eq!(done.actions, std::slice::from_ref(&template));
        done.notes.into_iter().map(|note| note.what).collect::<Vec<_>>()
    };
    let bare = ["message", "button_template"];
    assert_eq!(notes(&bare), ["the vendor may leave out on this medium: header, footer"]);
    let image = [&bare[..], &["button_template_header_image", "button_template_footer"]].concat();
    assert_eq!(notes(&image), ["the vendor may leave out on this medium: header"]);
    let text = [&image[..], &["button_template_header_text"]].concat();
    assert_eq!(notes(&text), [""; 0]);
}

#[test]
fn the_text_of_cards_goes_before_them_where_they_carry_none() {
    let apart = profile(&["message", "carousel", "carousel_text_apart"], 100);
    let carousel = |text: &str| menus(&words(text, &["Lamp"])).swap_remove(1);
    let done = check(&carousel("Which one?"), &apart);
    let [Action::Message(message), Action::Carousel(cards)] = &done.actions[..] else {
        panic!("{done:?}")
    };
    assert_eq!((&*message.text, &*cards.text), ("Which one?", ""));
    let notes: Vec<_> = done.notes.iter().map(|note| &*note.what).collect();
    assert_eq!(notes, ["the text is a message of its own: cards carry none here"]);
    assert_eq!(check(&carousel(" "), &apart).actions.len(), 1);
}

#[test]
fn the_text_of_options_goes_before_them_where_they_carry_none() {
    let apart = profile(&["message", "bubbles", "bubbles_text_apart"], 100);
    let bubbles = |text: &str| menus(&words(text, &["Yes", "No"])).swap_remove(0);
    let done = check(&bubbles("*Sure?*"), &apart);
    let [Action::Message(message), Action::Bubbles(options)] = &done.actions[..] else {
        panic!("{done:?}")
    };
    assert_eq!((&*message.text, &*options.text, options.options.len()), ("Sure?", "", 2));
    let notes: Vec<_> = done.notes.iter().map(|note| &*note.what).collect();
    let [apart_note, bare] = notes[..] else { panic!("{notes:?}") };
    assert_eq!(apart_note, "the text is a message of its own: options carry none here");
    assert!(bare.starts_with("sent as bare text"), "{bare}");
    assert_eq!(check(&bubbles(" "), &apart).actions.len(), 1);
}

#[test]
fn a_button_without_a_label_gets_one_of_ours() {
    for label in ["", "  "] {
        let (actions, _) =
            list(|list| label.clone_into(&mut list.button), &profile(EVERYTHING, 100));
        let [Action::ListTemplate(list)] = &actions[..] else { panic!("{actions:?}") };
        assert_eq!(list.button, "Choose");
    }
}
