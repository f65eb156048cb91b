//! The steps of the ladder, and what is told of each.

use super::{check, limited, profile, read_lines};
use crate::action::{
    Action, Bubbles, ButtonTemplate, Buttons, Choice, Header, LinkButton, ListSection,
    ListTemplate, RichLink, Row, TextFormat,
};
use crate::degrade::{Degraded, Note, degrade_in, refusal};
use crate::profile::{ActionLimits, Count, Length, Profile, Sure, Unit};
use crate::run::{Blame, FailureKind};

fn count(max: usize) -> Option<Count> {
    Some(Count { max, source: "a test".to_owned(), sure: Sure::Guessed })
}

fn length(max: usize, unit: Unit) -> Option<Length> {
    Some(Length { max, unit, source: "a test".to_owned(), sure: Sure::Guessed })
}

fn options(options: usize, label: usize) -> ActionLimits {
    let label = length(label, Unit::Characters);
    ActionLimits { options: count(options), label, ..ActionLimits::NONE }
}

fn bubbles(labels: &[&str]) -> Action {
    let choice = |(n, label): (usize, &&str)| Choice {
        id: format!("{n}"),
        label: (*label).into(),
        short_label: None,
    };
    Action::Bubbles(Bubbles {
        text: "Which one?".to_owned(),
        format: TextFormat::Plain,
        options: labels.iter().enumerate().map(choice).collect(),
        fallback: None,
    })
}

fn numbers(n: usize) -> Vec<String> {
    (1..=n).map(|n| format!("Room {n}")).collect()
}

fn rooms(n: usize) -> Action {
    bubbles(&numbers(n).iter().map(String::as_str).collect::<Vec<_>>())
}

/// What `WhatsApp` has: three buttons, else a list of ten with longer labels.
fn buttons_and_lists() -> Profile {
    let native = ["message", "button_template", "list_template", "list_template_details"];
    let list = ActionLimits {
        rows: count(10),
        label: length(24, Unit::Characters),
        description: length(12, Unit::Characters),
        header: length(10, Unit::Characters),
        title: length(10, Unit::Characters),
        footer: length(10, Unit::Characters),
        button: length(6, Unit::Characters),
        ..ActionLimits::NONE
    };
    let buttons = ActionLimits {
        header: length(10, Unit::Characters),
        footer: length(10, Unit::Characters),
        ..options(3, 20)
    };
    limited("list_template", list, limited("button_template", buttons, profile(&native, 1_000)))
}

fn names(done: &Degraded) -> Vec<&'static str> {
    done.actions.iter().map(Action::name).collect()
}

fn notes(done: &Degraded) -> Vec<&str> {
    done.notes.iter().map(|note| &*note.what).collect()
}

fn labels(action: &Action) -> Vec<&str> {
    super::options(action).into_iter().map(|(_, label)| label).collect()
}

#[test]
fn a_menu_takes_the_first_step_that_carries_all_of_it() {
    let medium = buttons_and_lists();
    let rows = [
        (rooms(3), "button_template", "this medium has no such form"),
        (rooms(4), "list_template", "this medium has no such form"),
        (rooms(10), "list_template", "this medium has no such form"),
        (rooms(11), "list_template", "this medium has no such form"),
        (bubbles(&["A label of more than 20", "B"]), "list_template", "no such form"),
    ];
    for (menu, expect, why) in rows {
        let done = check(&menu, &medium);
        assert_eq!(names(&done), [expect], "{done:?}");
        assert!(notes(&done).iter().any(|note| note.ends_with(why)), "{done:?}");
    }
}

#[test]
fn a_list_that_a_bot_gave_needs_no_button_of_ours_and_bubbles_do() {
    let done = degrade_in(rooms(4), &buttons_and_lists(), "userlike", Some("de-DE"));
    let [Action::ListTemplate(list)] = &done.actions[..] else { panic!("{done:?}") };
    assert_eq!(list.button, "Auswä…", "cut to the limit");
    assert_eq!(list.sections.len(), 1);
    assert_eq!(
        notes(&done),
        [
            "sent as `list_template`: this medium has no such form",
            "cut to 6 characters: the label of its button",
        ]
    );
}

#[test]
fn labels_are_cut_only_where_no_form_takes_them_whole() {
    let medium = limited("bubbles", options(13, 8), profile(&["message", "bubbles"], 1_000));
    let long = bubbles(&["Breakfast", "Lunch", "👩‍👩‍👧 family"]);
    let done = super::degrade(long.clone(), &medium, "userlike");
    assert_eq!(labels(&done.actions[0]), ["Breakfa…", "Lunch", "👩‍👩‍👧 f…"]);
    assert_eq!(
        notes(&done),
        ["labels were cut: they have at most 8 characters here (2 were longer)"]
    );

    let mut both = medium.clone();
    both.native.push("carousel");
    let done = check(&long, &both);
    assert_eq!(names(&done), ["carousel"]);
    assert_eq!(notes(&done), ["sent as `carousel`: labels have at most 8 characters here"]);
}

#[test]
fn labels_that_would_look_alike_are_numbered() {
    let medium = limited("bubbles", options(13, 10), profile(&["message", "bubbles"], 1_000));
    let done = check(&bubbles(&["Option number 1", "Option number 2"]), &medium);
    assert_eq!(
        read_lines(&done),
        "Which one?\n1. Option number 1\n2. Option number 2\nReply with a number."
    );
    assert_eq!(
        notes(&done),
        ["sent as numbered text, without options to tap: labels cut to 10 characters could not \
             be told from each other",]
    );
    // What the bot itself calls the same stays so.
    let done = super::degrade(bubbles(&["Yes", "Yes", "Longer than ten"]), &medium, "userlike");
    assert_eq!(labels(&done.actions[0]), ["Yes", "Yes", "Longer th…"]);
}

#[test]
fn labels_are_counted_as_the_vendor_counts_them() {
    for (unit, fits) in [
        (Unit::Characters, true),
        (Unit::Graphemes, true),
        (Unit::Utf16, true),
        (Unit::Weighted, true),
        (Unit::Bytes, false),
    ] {
        let limits = ActionLimits { label: length(6, unit), ..ActionLimits::NONE };
        let medium = limited("bubbles", limits, profile(&["message", "bubbles"], 100));
        let done = super::degrade(bubbles(&["Frühst"]), &medium, "userlike");
        assert_eq!(done.notes.is_empty(), fits, "{unit:?}: {done:?}");
    }
}

#[test]
fn an_option_without_a_label_keeps_its_number() {
    let done = check(&bubbles(&["Red", " "]), &profile(&["message", "bubbles"], 100));
    assert_eq!(read_lines(&done), "Which one?\n1. Red\n2.  \nReply with a number.");
    assert!(notes(&done)[0].ends_with("an option without a label cannot be tapped"), "{done:?}");
}

#[test]
fn numbered_text_is_in_the_language_of_the_session() {
    let last = |locale| {
        let done = degrade_in(rooms(2), &profile(&["message"], 100), "userlike", locale);
        read_lines(&done).lines().last().map(str::to_owned)
    };
    assert_eq!(last(Some("de")).as_deref(), Some("Bitte mit einer Nummer antworten."));
    assert_eq!(last(Some("fr-FR")).as_deref(), Some("Répondez avec un numéro."));
    assert_eq!(last(Some("es-MX")).as_deref(), Some("Responda con un número."));
    assert_eq!(last(Some("ja")).as_deref(), Some("Reply with a number."));
}

#[test]
fn the_text_above_options_has_a_limit_of_its_own() {
    let limits = ActionLimits { text: length(12, Unit::Characters), ..ActionLimits::NONE };
    let medium = limited("bubbles", limits, profile(&["message", "bubbles"], 40));
    let Action::Bubbles(mut long) = rooms(1) else { unreachable!() };
    long.text = "First part. Second part. Which one?".to_owned();
    let done = check(&Action::Bubbles(long.clone()), &medium);
    assert_eq!(read_lines(&done), "First part. Second part.\n---\nWhich one?");
    assert_eq!(
        notes(&done),
        ["the text was split into 2 parts: this medium carries 12 characters"]
    );
    // White space alone is nothing to read.
    long.text = " ".repeat(50);
    let done = super::degrade(Action::Bubbles(long), &medium, "userlike");
    assert_eq!(read_lines(&done), " ".repeat(12));
}

fn template() -> ButtonTemplate {
    ButtonTemplate {
        header: Some(Header::Text("Your room".to_owned())),
        text: "Which one?".to_owned(),
        footer: Some("Thank you".to_owned()),
        buttons: vec![Choice { id: "a".to_owned(), label: "A".to_owned(), short_label: None }],
        fallback: None,
    }
}

#[test]
fn what_is_too_long_for_its_place_goes_into_the_text() {
    let mut medium = buttons_and_lists();
    medium.native.extend(["button_template_header_text", "button_template_footer"]);
    assert_eq!(notes(&check(&Action::ButtonTemplate(template()), &medium)), [""; 0]);
    let mut long = template();
    long.header = Some(Header::Text("Your room with a view".to_owned()));
    long.footer = Some("Thank you very much".to_owned());
    let done = check(&Action::ButtonTemplate(long), &medium);
    assert_eq!(read_lines(&done), "Your room with a view\nWhich one?\nThank you very much");
    assert_eq!(
        notes(&done),
        [
            "the header went into the text: it is too long for its place here",
            "the footer went into the text: it is too long for its place here",
        ]
    );
}

fn list() -> ListTemplate {
    let row = |id: &str, description: &str| Row {
        id: id.to_owned(),
        label: id.to_uppercase(),
        short_label: None,
        description: Some(description.to_owned()),
    };
    let rows = vec![row("a", "with a view of the sea"), row("b", "quiet")];
    let section = |title: &str, rows| ListSection { title: Some(title.to_owned()), rows };
    ListTemplate {
        header: Some("Your next room".to_owned()),
        text: "Which one?".to_owned(),
        footer: Some("Thank you very much".to_owned()),
        button: "Show rooms".to_owned(),
        title: Some("All of our rooms".to_owned()),
        sections: vec![section("Upper floors", rows), section("Low", vec![row("c", "dark")])],
        multiple: false,
        fallback: None,
    }
}

#[test]
fn a_list_says_in_its_text_what_has_no_room_in_it() {
    let mut medium = buttons_and_lists();
    medium.native.push("list_template_sections");
    let done = check(&Action::ListTemplate(list()), &medium);
    assert_eq!(
        read_lines(&done),
        "Your next room\nWhich one?\nAll of our rooms\nA – with a view of the sea\nThank you very \
         much"
    );
    let [Action::ListTemplate(sent)] = &done.actions[..] else { panic!("{done:?}") };
    let titles: Vec<_> = sent.sections.iter().map(|it| it.title.as_deref()).collect();
    assert_eq!(titles, [Some("Upper flo…"), Some("Low")]);
    assert_eq!(sent.sections[0].rows[1].description.as_deref(), Some("quiet"));
    assert_eq!(sent.button, "Show…");
    assert_eq!(done.notes.len(), 6, "{:?}", notes(&done));
}

#[test]
fn sections_that_are_too_many_become_one() {
    let mut medium = profile(&["message", "list_template", "list_template_details"], 1_000);
    medium.native.push("list_template_sections");
    let sections = |max| ActionLimits { sections: count(max), ..ActionLimits::NONE };
    assert_eq!(
        notes(&check(
            &Action::ListTemplate(list()),
            &limited("list_template", sections(2), medium.clone())
        )),
        [""; 0]
    );
    let done = check(&Action::ListTemplate(list()), &limited("list_template", sections(1), medium));
    let [Action::ListTemplate(sent)] = &done.actions[..] else { panic!("{done:?}") };
    assert_eq!(sent.sections.len(), 1);
    assert_eq!(
        notes(&done),
        [
            "its 2 sections became one: 1 are the most here",
            "the headlines of its sections were left out: this medium shows one list",
        ]
    );
}

#[test]
fn links_that_have_no_buttons_are_lines() {
    let limits = options(2, 10);
    let medium =
        limited("buttons", limits, profile(&["message", "buttons", "buttons_text"], 1_000));
    let buttons = |labels: &[&str]| {
        let link = |label: &&str| LinkButton {
            label: (*label).to_owned(),
            short_label: None,
            link: "https://a.b".to_owned(),
        };
        let links = labels.iter().map(link).collect();
        Action::Buttons(Buttons { text: Some("See:".to_owned()), links })
    };
    assert_eq!(names(&check(&buttons(&["A", "B"]), &medium)), ["buttons"]);
    let done = check(&buttons(&["A", "B", "C"]), &medium);
    assert_eq!(read_lines(&done), "See:\nA: https://a.b\nB: https://a.b\nC: https://a.b");
    assert_eq!(notes(&done), ["sent as text: `buttons` has at most 2 options here, these are 3"]);
    let done = check(&buttons(&["Rooms and rates"]), &medium);
    assert!(
        matches!(&done.actions[..], [Action::Buttons(it)] if it.links[0].label == "Rooms and…")
    );
}

#[test]
fn the_title_of_a_preview_is_never_lost() {
    let limits = ActionLimits {
        title: length(10, Unit::Characters),
        text: length(40, Unit::Characters),
        ..ActionLimits::NONE
    };
    let medium = limited("rich_link", limits, profile(&["message", "rich_link"], 100));
    let rich = Action::RichLink(RichLink {
        link: "https://a.b".to_owned(),
        title: "Rooms and rates".to_owned(),
        image: None,
        text: Some("See here.".to_owned()),
    });
    let done = check(&rich, &medium);
    assert!(matches!(&done.actions[..], [Action::RichLink(it)]
        if it.title == "Rooms and…" && it.text.as_deref() == Some("Rooms and rates\nSee here.")));
}

#[test]
fn a_caption_is_as_long_as_the_medium_takes_it() {
    let limits = ActionLimits { caption: length(9, Unit::Characters), ..ActionLimits::NONE };
    let medium = limited("media", limits, profile(&["message", "media", "media_caption"], 100));
    let media = |caption: &str| {
        let words = crate::degrade::samples::words(caption, &["l"]);
        crate::degrade::samples::speech(&words).swap_remove(3)
    };
    assert_eq!(names(&check(&media("Our menu."), &medium)), ["media"]);
    assert_eq!(names(&check(&media("Our dinner."), &medium)), ["media", "message"]);
}

#[test]
fn ids_that_are_too_long_are_named_by_the_place_of_their_option() {
    let limits = ActionLimits { id: length(24, Unit::Bytes), ..ActionLimits::NONE };
    let medium = limited("bubbles", limits, profile(&["message", "bubbles"], 100));
    let Action::Bubbles(mut menu) = rooms(2) else { unreachable!() };
    menu.options[1].id = "long".repeat(75);
    let menu = Action::Bubbles(menu);
    let mut done = check(&menu, &medium);
    assert_eq!(done.actions, std::slice::from_ref(&menu));
    assert!(!medium.takes_ids(&done.actions[0]));
    done.name_options(&medium, "t1.0.0", &menu);
    assert!(medium.takes_ids(&done.actions[0]));
    let ids: Vec<_> = done.actions[0].option_ids().collect();
    assert!(ids[0] == "0" && ids[1].starts_with('o') && ids[1].ends_with(".1"), "{ids:?}");
}

#[test]
fn options_that_are_too_many_stand_on_pages() {
    let done = check(&rooms(25), &buttons_and_lists());
    assert_eq!(names(&done), ["list_template"]);
    assert_eq!(labels(&done.actions[0]).last(), Some(&"More …"));
    let pages: Vec<_> = done.pages.iter().map(|page| labels(page).len()).collect();
    assert_eq!(pages, [10, 7], "the first has nine");
    let [Action::ListTemplate(second), Action::ListTemplate(last)] = &done.pages[..] else {
        panic!("{done:?}")
    };
    assert_eq!((&*second.text, &*last.text), ("Page 2 of 3", "Page 3 of 3"));
    assert_eq!(notes(&done), ["sent as 3 pages of `list_template`: this medium has no such form"]);
    let german = degrade_in(rooms(25), &buttons_and_lists(), "userlike", Some("de"));
    assert_eq!(german.notes.len(), 2, "what is cut on each page is told once: {german:?}");
    let last =
        |n: usize| labels(check(&rooms(n), &buttons_and_lists()).pages.last().unwrap()).len();
    assert_eq!((last(11), last(19), last(20)), (2, 10, 2), "the last has no option for more");
}

#[test]
fn whatever_is_read_sooner_as_text_has_no_pages() {
    let medium = limited("bubbles", options(5, 20), profile(&["message", "bubbles"], 1_000));
    assert_eq!(names(&check(&rooms(6), &medium)), ["message"], "pages of four");
    assert_eq!(names(&check(&rooms(60), &buttons_and_lists())), ["message"], "seven pages");
    let mut own = numbers(11);
    own[3] = "more...".to_owned();
    let own = bubbles(&own.iter().map(String::as_str).collect::<Vec<_>>());
    assert_eq!(names(&check(&own, &buttons_and_lists())), ["message"], "which of the two?");
    let mut many = list();
    many.multiple = true;
    many.sections = (0..20).map(|n| ListSection { title: None, rows: vec![row(n)] }).collect();
    let done = check(&Action::ListTemplate(many), &buttons_and_lists());
    assert_eq!(names(&done), ["message"], "several options are chosen on one page");
}

fn row(n: usize) -> Row {
    Row { id: format!("row-{n}"), label: format!("Row {n}"), short_label: None, description: None }
}

#[test]
fn whoever_denies_changes_hears_what_would_be_lost() {
    let menu = bubbles(&["Private label"]);
    assert_eq!(refusal(1, &menu, &[], "userlike", "sms"), None);
    let note = |what: &str| Note { action: "bubbles", what: what.to_owned() };
    let notes = [note("labels were cut"), note("the text was split")];
    let failure = refusal(1, &menu, &notes, "userlike", "sms").expect("a failure");
    assert_eq!((failure.blame, failure.kind), (Blame::Bot, FailureKind::InvalidAction));
    assert_eq!(
        failure.message,
        "action 1 (bubbles): userlike cannot carry it unchanged on `sms`, and the bot denies \
         changes: labels were cut; the text was split; ask `session.profile` what the medium \
         carries, or allow changes"
    );
}
