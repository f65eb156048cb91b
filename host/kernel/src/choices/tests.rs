use proptest::prelude::*;

use super::*;
use crate::event::TextFormat;

const BREADS: [&str; 5] = ["Rye loaf", "Spelt roll", "Baguette", "Croissant", "Crème brûlée"];

fn options(labels: &[&str]) -> Vec<(String, String)> {
    labels.iter().enumerate().map(|(n, label)| (format!("id-{n}"), (*label).to_owned())).collect()
}

/// The option that a text means among the breads, from 1; 0 for none.
fn breads(text: &str, locale: &str) -> usize {
    let locale = Some(locale).filter(|locale| !locale.is_empty());
    recognize(text, &options(&BREADS), locale).map_or(0, |option| option + 1)
}

#[test]
fn what_people_type() {
    // Text, language, option.
    let table = [
        ("2", "", 2),
        ("2.", "", 2),
        (" (2) ", "", 2),
        ("#2", "", 2),
        ("２", "", 2),
        ("0", "", 0),
        ("6", "", 0),
        ("99999999999999999999999", "", 0),
        ("the second one", "", 2),
        ("Second", "", 2),
        ("the 3rd, please", "", 3),
        ("number four", "", 4),
        ("option 5", "", 5),
        ("one", "", 1),
        ("the one", "", 1),
        ("option one please", "", 1),
        ("the first one", "", 1),
        ("no 2", "", 2),
        ("No. 3", "", 3),
        ("no one", "", 0),
        ("No one, please", "", 0),
        ("no, the first", "", 0),
        ("the other one", "", 0),
        ("two one", "", 0),
        ("please", "", 0),
        ("zwei", "", 0),
        ("zwei", "de", 2),
        ("Die zweite bitte", "de-AT", 2),
        ("zweitens", "de", 2),
        ("fünf", "de", 5),
        ("second", "de", 2),
        ("la deuxième", "fr", 2),
        ("le 3ème", "fr_FR", 3),
        ("le deux", "fr", 2),
        ("les deux", "fr", 0),
        ("les premiers", "fr", 0),
        ("la segunda", "es", 2),
        ("la opción tres", "es", 3),
        ("rye loaf", "", 1),
        ("RYE LOAF!", "", 1),
        ("creme brulee", "", 5),
        ("Crème Brûlée 🍮", "", 0),
        ("bag", "", 3),
        ("ba", "", 0),
        ("cr", "", 0),
        ("croi", "", 4),
        ("Bagette", "", 3),
        ("Spetl roll", "", 2),
        ("Spekt rill", "", 0),
        ("id-3", "", 4),
        ("", "", 0),
        ("?!", "", 0),
        ("what do you have?", "", 0),
        ("I do not know which of the two", "", 0),
    ];
    for (text, locale, option) in table {
        assert_eq!(breads(text, locale), option, "{text:?} in {locale:?}");
    }
}

#[test]
fn where_more_than_one_fits_none_is_taken() {
    let twins = options(&["Blue car", "Blue cat", "blue car"]);
    for text in ["blue car", "blue ca", "blue cax"] {
        assert_eq!(recognize(text, &twins, None), None, "{text}");
    }
    assert_eq!(recognize("2", &twins, None), Some(1), "its number still tells it");
}

#[test]
fn a_number_that_is_a_label_means_that_label() {
    let rooms = options(&["4", "2", "1"]);
    assert_eq!(recognize("2", &rooms, None), Some(1));
    assert_eq!(recognize("1", &rooms, None), Some(2));
    assert_eq!(recognize("3", &rooms, None), Some(2), "it is no label, so it is a place");
}

/// How many are they? The number of guests, the place in the list, both.
#[test]
fn a_number_in_the_label_of_another_option_may_mean_either() {
    let tables = options(&["Table for 2", "Table for 4", "3 people", "One of us", "Table for 5"]);
    let rows = [
        ("2", None),
        ("4", None),
        ("3", Some(2)),
        ("one", None),
        ("1", None),
        ("5", Some(4)),
        ("number 2", Some(1)),
        ("the second one", Some(1)),
        ("table for 2", Some(0)),
    ];
    for (text, option) in rows {
        assert_eq!(recognize(text, &tables, None), option, "{text:?}");
    }
    let (mut state, reading) = (Conversation::default(), Reading::default());
    state.offer(menu("t1.0.0", tables.clone()));
    assert_eq!(state.understand(message("2"), reading), message("2"), "the bot asks again");
    assert!(matches!(state.understand(message("3"), reading), EventBody::Click(_)));
    state.offer(Menu { numbered: true, ..menu("t2.0.0", tables) });
    let click = state.understand(message("2"), reading);
    assert!(matches!(click, EventBody::Click(_)), "the host itself has printed the numbers");

    let words = options(&["Table for two", "Table for four", "Pizza €2.50"]);
    assert_eq!(recognize("2", &words, None), None);
    assert_eq!(recognize("two", &words, None), None);
    assert_eq!(recognize("3", &words, None), Some(2));
}

/// Nobody sees ids: "2" after "How many people?" is no option whose id is "2".
#[test]
fn an_id_that_is_a_number_is_no_label() {
    let ids = ["1", "2", "two"].map(|id| (id.to_owned(), format!("Room {id}x")));
    for (text, clicks) in [("2", false), ("two", false), ("Room 2x", true)] {
        let mut state = Conversation::default();
        state.offer(Menu { asked_behind: true, ..menu("t1.0.0", ids.to_vec()) });
        let read = |recognition| {
            let reading = Reading { recognition, late_taps: false };
            matches!(state.understand(message(text), reading), EventBody::Click(_))
        };
        assert_eq!(read(Recognition::All), clicks, "{text:?}");
        assert_eq!(read(Recognition::Labels), clicks, "{text:?}");
    }
}

#[test]
fn another_digit_is_no_typing_error() {
    let menu = options(&["Order 1041", "09:30", "Something else"]);
    let rows = [
        ("Order 1042", None),
        ("19:30", None),
        ("09:30!", Some(1)),
        ("Oder 1041", Some(0)),
        ("Order 10411", None),
        ("Order 104", None),
        ("Order", Some(0)),
        ("Somethng else", Some(2)),
    ];
    for (text, option) in rows {
        assert_eq!(recognize(text, &menu, None), option, "{text:?}");
    }
}

#[test]
fn a_number_means_a_place_before_an_id_that_nobody_sees() {
    let ids = |pairs: [(&str, &str); 2]| pairs.map(|(id, label)| (id.to_owned(), label.to_owned()));
    let answers = ids([("0", "Yes"), ("1", "No")]);
    assert_eq!(recognize("1", &answers, None), Some(0));
    assert_eq!(recognize("2", &answers, None), Some(1));
    assert_eq!(recognize("0", &answers, None), Some(0), "it is no place");
    assert_eq!(recognize("17", &ids([("16", "Yes"), ("17", "No")]), None), Some(1));
}

#[test]
fn a_label_of_a_picture_is_told_by_it() {
    let faces = options(&["👍", "👎"]);
    assert_eq!(recognize("👎", &faces, None), Some(1));
}

fn message(text: &str) -> EventBody {
    EventBody::Message(Message { text: text.to_owned(), format: TextFormat::Plain })
}

fn menu(part: &str, options: Vec<(String, String)>) -> Menu {
    let (short, pages) = (BTreeMap::new(), Vec::new());
    Menu {
        id: part.to_owned(),
        offered_ms: 1_000,
        current: true,
        asked_behind: false,
        numbered: false,
        options,
        short,
        pages,
        shown: 0,
    }
}

fn asked(state: &mut Conversation, part: &str, labels: &[&str]) {
    state.offer(menu(part, options(labels)));
}

#[test]
fn a_short_label_names_its_option_as_well_as_the_whole_one() {
    let mut state = Conversation::default();
    let short = [(0, "Rye".to_owned()), (1, "Roll".to_owned()), (4, "rye".to_owned())].into();
    state.offer(Menu { short, ..menu("t1.0.0", options(&BREADS)) });
    let chosen = |body| match state.understand(body, Reading::default()) {
        EventBody::Click(click) => click.label,
        _ => None,
    };
    for text in ["Roll", "roll!", "Rol", "Spelt roll", "2"] {
        assert_eq!(chosen(message(text)).as_deref(), Some("Spelt roll"), "{text}");
    }
    assert_eq!(chosen(message("rye")), None, "two are called so");
    let tap = Click {
        option_ids: vec!["Roll".to_owned()],
        label: Some("Roll".to_owned()),
        ..Click::default()
    };
    let EventBody::Click(click) = state.understand(EventBody::Click(tap), Reading::default())
    else {
        panic!("a click")
    };
    assert_eq!(click.option_ids, ["id-1"], "some vendors give back the label alone");
}

#[test]
fn only_the_last_thing_that_was_asked_is_answered_by_a_text() {
    let mut state = Conversation::default();
    assert_eq!(
        state.understand(message("2"), Reading::default()),
        message("2"),
        "how many people?"
    );
    asked(&mut state, "t1.0.0", &BREADS);
    let EventBody::Click(click) = state.understand(message("2"), Reading::default()) else {
        panic!("a click")
    };
    let expected = Click {
        option_ids: vec!["id-1".to_owned()],
        label: Some("Spelt roll".to_owned()),
        menu: Some("t1.0.0".to_owned()),
        stale: false,
        typed_text: Some("2".to_owned()),
    };
    assert_eq!(click, expected);
    state.close_menus();
    assert_eq!(state.understand(message("2"), Reading::default()), message("2"));
}

#[test]
fn an_author_narrows_what_texts_mean_or_switches_it_off() {
    let mut state = Conversation::default();
    asked(&mut state, "t1.0.0", &BREADS);
    let rows = [
        ("2", true, true, false),
        ("Spelt roll", true, true, true),
        ("SPELT roll!", true, true, true),
        ("id-1", true, true, true),
        ("the second one", true, false, false),
        ("spelt", true, false, false),
        ("Spetl roll", true, false, false),
        ("neither", false, false, false),
    ];
    for (text, all, numbers, labels) in rows {
        let each = [
            (Recognition::All, all),
            (Recognition::NumbersAndLabels, numbers),
            (Recognition::Labels, labels),
            (Recognition::Off, false),
        ];
        for (recognition, is_click) in each {
            let reading = Reading { recognition, late_taps: false };
            let click = matches!(state.understand(message(text), reading), EventBody::Click(_));
            assert_eq!(click, is_click, "{text:?} by {recognition:?}");
        }
    }
    // Whatever texts mean, a tap is a tap.
    let tap = Click { option_ids: vec!["id-1".to_owned()], ..Click::default() };
    let off = Reading { recognition: Recognition::Off, late_taps: true };
    let EventBody::Click(click) = state.understand(EventBody::Click(tap), off) else { panic!() };
    assert_eq!(click.label.as_deref(), Some("Spelt roll"));
}

/// On some mediums a second tap, or a late one, is a message with the label.
#[test]
fn a_label_of_an_answered_menu_is_a_late_tap_where_the_vendor_tells_of_taps_so() {
    let mut state = Conversation::default();
    asked(&mut state, "t1.0.0", &["Rye", "Spelt", "2", "Two", "No", "Twin"]);
    asked(&mut state, "t2.0.0", &["White", "No", "Twin", "Twin"]);
    let late = Reading { late_taps: true, ..Reading::default() };
    let read = |state: &Conversation, text: &str, reading| {
        let EventBody::Click(click) = state.understand(message(text), reading) else {
            return None;
        };
        assert_eq!(click.typed_text.as_deref(), Some(text));
        Some((click.option_ids[0].clone(), click.menu.unwrap_or_default(), click.stale))
    };
    let is = |option: &str, menu: &str, stale| Some((option.to_owned(), menu.to_owned(), stale));
    assert_eq!(read(&state, "White", late), is("id-0", "t2.0.0", false), "it is asked now");
    assert_eq!(read(&state, "Rye", late), is("id-0", "t1.0.0", true), "it was asked before");
    assert_eq!(read(&state, "Rye", Reading::default()), None, "elsewhere taps say what they are");
    assert_eq!(read(&state, "Twin", late), None, "two fit of what is asked now");
    // How many people?
    state.close_menus();
    let rows = [
        ("White", is("id-0", "t2.0.0", true)),
        ("No", is("id-1", "t2.0.0", true)),
        ("Rye", is("id-0", "t1.0.0", true)),
        ("rye", None),
        ("Rye!", None),
        ("Ry", None),
        ("Twin", is("id-5", "t1.0.0", true)),
        ("2", None),
        ("Two", None),
        ("something else", None),
    ];
    for (text, expect) in rows {
        assert_eq!(read(&state, text, late), expect, "{text:?}");
    }
    let off = Reading { recognition: Recognition::Off, late_taps: true };
    assert_eq!(read(&state, "Rye", off), None);
}

#[test]
fn a_tap_on_an_older_menu_is_known_and_stale() {
    let mut state = Conversation::default();
    asked(&mut state, "t1.0.0", &["A", "B"]);
    let new = vec![("new".to_owned(), "N".to_owned())];
    state.offer(menu("t2.0.0", new));
    let tap = |id: &str| {
        let tap = Click { option_ids: vec![id.to_owned()], ..Click::default() };
        let EventBody::Click(click) = state.understand(EventBody::Click(tap), Reading::default())
        else {
            panic!()
        };
        (click.label, click.menu, click.stale)
    };
    let (a, new) = (Some("A".to_owned()), Some("N".to_owned()));
    assert_eq!(tap("id-0"), (a, Some("t1.0.0".to_owned()), true));
    assert_eq!(tap("new"), (new, Some("t2.0.0".to_owned()), false));
    assert_eq!(tap("nobody"), (None, None, false));
}

#[test]
fn a_tap_whose_id_the_vendor_changed_is_known_by_its_label() {
    let mut state = Conversation::default();
    asked(&mut state, "t1.0.0", &["A", "B", "C", "C"]);
    let tap = |label: &str| {
        let (option_ids, label) = (vec!["#4503599627370497".to_owned()], Some(label.to_owned()));
        let tap = Click { option_ids, label, ..Click::default() };
        let EventBody::Click(click) = state.understand(EventBody::Click(tap), Reading::default())
        else {
            panic!()
        };
        (click.option_ids, click.menu)
    };
    assert_eq!(tap("B"), (vec!["id-1".to_owned()], Some("t1.0.0".to_owned())));
    for unknown in ["C", "D"] {
        assert_eq!(tap(unknown), (vec!["#4503599627370497".to_owned()], None), "{unknown}");
    }
}

/// Two options may be called the same: their numbers tell them apart.
#[test]
fn a_number_that_stands_for_an_id_names_its_option() {
    let mut state = Conversation::default();
    asked(&mut state, "t1.0.0", &["A", "A"]);
    for (option, id) in ["id-0", "id-1"].into_iter().enumerate() {
        let tap = Click {
            option_ids: vec![of_number(number_of(id))],
            label: Some("A".to_owned()),
            ..Click::default()
        };
        let body = state.understand(EventBody::Click(tap), Reading::default());
        let EventBody::Click(click) = body else { panic!("a click") };
        assert_eq!(click.option_ids, [format!("id-{option}")]);
    }
    assert_eq!((number_of("7"), of_number(7)), (7, "#7".to_owned()));
}

#[test]
fn few_menus_are_remembered_and_not_much_of_them() {
    let mut state = Conversation::default();
    for n in 0..20 {
        asked(&mut state, &format!("t{n}.0.0"), &["A"]);
    }
    assert_eq!(state.menus.len(), MENUS_MAX);
    let long = "x".repeat(MENUS_BYTES_MAX - 100);
    asked(&mut state, "t21.0.0", &[&long]);
    assert_eq!(state.menus.len(), MENUS_MAX, "the older ones are small");
    asked(&mut state, "t22.0.0", &[&long]);
    assert_eq!(state.menus.len(), 1);
}

fn labels() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec("[a-z]{6,12}|[α-ω]{6,12}|[一-丠]{2,6}|[א-ת]{6,12}|🍞.{0,6}", 1..30)
}

proptest! {
    /// Whatever a menu says, a number, and where it is unambiguous a label and a label
    /// in capitals, mean their own option.
    #[test]
    fn every_option_can_be_named(labels in labels()) {
        let menu: Vec<_> = labels.iter().map(|label| (format!("<{label}>"), label.clone())).collect();
        let same = |label: &str| {
            labels.iter().filter(|other| normal::normal(other) == normal::normal(label)).count()
        };
        for (option, label) in labels.iter().enumerate() {
            let number = (option + 1).to_string();
            let says = |label: &String| normal::normal(label).contains(&number);
            if !labels.iter().any(says) {
                prop_assert_eq!(recognize(&number, &menu, None), Some(option));
            }
            if same(label) == 1 && !normal::normal(label).is_empty() {
                prop_assert_eq!(recognize(label, &menu, None), Some(option));
                prop_assert_eq!(recognize(&format!("  {label}! "), &menu, None), Some(option));
            }
        }
    }

    #[test]
    fn any_text_has_an_answer(text in ".{0,200}", labels in labels(), locale in "[a-z]{2}") {
        let menu: Vec<_> = labels.iter().map(|label| (label.clone(), label.clone())).collect();
        if let Some(option) = recognize(&text, &menu, Some(&locale)) {
            prop_assert!(option < menu.len());
        }
    }
}
