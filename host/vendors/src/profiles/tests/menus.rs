//! Whatever menu a bot writes, every medium gets all of it and no more than it takes.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use botyard_kernel::action::{
    Action, Bubbles, ButtonTemplate, Card, Carousel, Choice, Header, ListSection, ListTemplate,
    Row, TextFormat,
};
use botyard_kernel::degrade::{Degraded, degrade};
use botyard_kernel::profile::{
    ActionLimits, Count, Length, Limits, Profile, Sure, Unit, limit_keys,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{select, subsequence};

use super::super::FILES;

const VENDOR: &str = "userlike";

/// How long a text is, counted here and not by what is tested.
fn measure(text: &str, unit: Unit) -> usize {
    use unicode_segmentation::UnicodeSegmentation as _;
    match unit {
        Unit::Characters => text.chars().fold(0, |sum, _| sum + 1),
        Unit::Utf16 => text.chars().map(char::len_utf16).sum(),
        Unit::Bytes => text.len(),
        Unit::Graphemes => text.graphemes(true).count(),
        Unit::Weighted => text
            .chars()
            .map(|c| match c {
                '\0'..='\u{10ff}' | '\u{2000}'..='\u{200d}' => 1,
                '\u{2010}'..='\u{201f}' | '\u{2032}'..='\u{2037}' => 1,
                _ => 2,
            })
            .sum(),
    }
}

/// The parts of an action that may have limits, by their keys.
fn parts(action: &Action) -> (BTreeMap<&'static str, usize>, Vec<(&'static str, &str)>) {
    let mut counts = BTreeMap::from([("options", action.option_ids().count())]);
    let mut texts: Vec<_> = action.option_ids().map(|id| ("id", id)).collect();
    match action {
        Action::Message(it) => texts.push(("text", &it.text)),
        Action::Bubbles(it) => {
            texts.push(("text", &it.text));
            texts.extend(it.options.iter().map(|it| ("label", &*it.label)));
        }
        Action::ButtonTemplate(it) => {
            texts.push(("text", &it.text));
            texts.extend(it.buttons.iter().map(|it| ("label", &*it.label)));
            texts.extend(it.footer.iter().map(|it| ("footer", &**it)));
            if let Some(Header::Text(header)) = &it.header {
                texts.push(("header", header));
            }
        }
        Action::Carousel(it) => {
            texts.push(("text", &it.text));
            texts.extend(it.cards.iter().map(|it| ("label", &*it.label)));
            let descriptions = it.cards.iter().filter_map(|it| it.description.as_deref());
            texts.extend(descriptions.map(|it| ("description", it)));
        }
        Action::ListTemplate(it) => {
            counts.insert("rows", action.option_ids().count());
            counts.insert("sections", it.sections.len());
            texts.extend([("text", &*it.text), ("button", &*it.button)]);
            texts.extend(it.header.iter().map(|it| ("header", &**it)));
            texts.extend(it.footer.iter().map(|it| ("footer", &**it)));
            texts.extend(it.title.iter().map(|it| ("title", &**it)));
            for section in &it.sections {
                texts.extend(section.title.iter().map(|it| ("title", &**it)));
                texts.extend(section.rows.iter().map(|it| ("label", &*it.label)));
                let descriptions = section.rows.iter().filter_map(|it| it.description.as_deref());
                texts.extend(descriptions.map(|it| ("description", it)));
            }
        }
        _ => panic!("a menu became {}", action.name()),
    }
    (counts, texts)
}

/// Nothing is more or longer than the profile says.
fn check_limits(action: &Action, profile: &Profile) {
    let name = action.name();
    assert!(profile.carries(name), "{name} is not carried");
    let limits = profile.of(name);
    let (counts, texts) = parts(action);
    for (key, most) in limits.counts() {
        let count = counts.get(key).copied().unwrap_or_default();
        assert!(count <= most.max, "{name} has {count} {key}, {} are the most", most.max);
    }
    let mut lengths: BTreeMap<_, _> = limits.lengths().collect();
    lengths.entry("text").or_insert(&profile.limits.text);
    for (key, text) in texts {
        if let Some(most) = lengths.get(key) {
            assert!(
                measure(text, most.unit) <= most.max,
                "{name}: the {key} {text:?} is over {most}"
            );
        }
    }
}

fn labels(action: &Action) -> Vec<&str> {
    parts(action).1.into_iter().filter(|(key, _)| *key == "label").map(|(_, it)| it).collect()
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

/// Every option of the bot is there, in order: to tap, by its id and as much of
/// its label as fits, or to type, by its number and all of its label.
fn check_options(given: &Action, done: &Degraded) {
    let last = done.actions.last().expect("a menu is never dropped");
    let wanted = labels(given);
    if last.option_ids().next().is_some() {
        let ids: Vec<_> = given.option_ids().collect();
        let mut offered: Vec<_> = last.option_ids().collect();
        let mut shown = labels(last);
        for page in &done.pages {
            let more = shown.pop().unwrap_or_default();
            let is_cut = more.strip_suffix('…').is_some_and(|begin| "More …".starts_with(begin));
            assert!(offered.pop() == Some("") && (more == "More …" || is_cut), "{done:?}");
            offered.extend(page.option_ids());
            shown.extend(labels(page));
        }
        assert_eq!(offered, ids);
        for (shown, wanted) in shown.iter().zip(&wanted) {
            let cut = shown.strip_suffix('…').is_some_and(|begin| wanted.starts_with(begin));
            assert!(shown == wanted || cut, "{wanted:?} became {shown:?}");
        }
        let distinct = |labels: &[&str]| labels.iter().collect::<BTreeSet<_>>().len();
        let pages: usize =
            [last].into_iter().chain(&done.pages).map(|it| distinct(&labels(it))).sum();
        assert!(pages >= distinct(&wanted), "labels that can be told from each other");
        let before = &done.actions[..done.actions.len() - 1];
        assert!(before.iter().all(|action| action.name() == "message"), "one menu: {before:?}");
    } else {
        let texts = done.actions.iter().flat_map(|action| parts(action).1);
        let read: String = texts.map(|(_, text)| bare(text)).collect();
        let mut from = 0;
        for (n, label) in (1..).zip(wanted) {
            let entry = format!("{n}.{}", bare(label));
            let at = read[from..].find(&entry);
            from += at.unwrap_or_else(|| panic!("{entry} is lost in {read}")) + entry.len();
        }
    }
}

fn check(given: &Action, profile: &Profile, vendor: &str) {
    let mut done = degrade(given.clone(), profile, vendor);
    check_options(given, &done);
    done.name_options(profile, "t0123456789abcdef0123456789abcdef.31.0", given);
    for action in done.actions.iter().chain(&done.pages) {
        check_limits(action, profile);
    }
}

fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[A-Za-z]{1,12}( [a-z0-9]{1,12}){0,6}",
        2 => "[あ-んア-ン一-十]{1,40}",
        2 => "[אבגדהוזחט ]{0,40}",
        2 => "(👩‍👩‍👧|🇩🇪|e\u{301}|👍🏽|x){0,30}",
        1 => "Option number [0-9]{1,2}",
        1 => ".{0,60}",
        1 => Just(String::new()),
    ]
}

fn option() -> impl Strategy<Value = (String, String, Option<String>)> {
    let id = prop_oneof![8 => "[a-z0-9]{1,20}", 1 => "[a-zé]{300}", 1 => ".{1,40}"];
    (id, label(), option::of("[a-zé👍 ]{0,90}"))
}

#[derive(Clone, Debug)]
struct Written {
    text: String,
    extra: Option<String>,
    options: Vec<(String, String, Option<String>)>,
    fallback: Option<String>,
}

fn written() -> impl Strategy<Value = Written> {
    let text = || "[A-Za-zé👍。*]{1,9}([ .!?\n]{1,2}[a-z0-9👩]{1,9}){0,60}";
    let options = prop::collection::vec(option(), 1..60);
    (text(), option::of(text()), options, option::of("[a-z ]{0,30}"))
        .prop_map(|(text, extra, options, fallback)| Written { text, extra, options, fallback })
}

fn menus(written: &Written) -> [Action; 4] {
    let Written { text, extra, options, fallback } = written.clone();
    let choices = |options: &[(String, String, Option<String>)]| -> Vec<Choice> {
        let choice = |(id, label, _): &_| Choice {
            id: String::clone(id),
            label: String::clone(label),
            short_label: None,
        };
        options.iter().map(choice).collect()
    };
    let cards = options.iter().cloned().map(|(id, label, description)| {
        let image = description.as_ref().map(|_| "https://a.invalid/c.png".to_owned());
        Card { id, label, short_label: None, image, description }
    });
    let rows = options.iter().cloned();
    let rows: Vec<Row> = rows
        .map(|(id, label, description)| Row { id, label, short_label: None, description })
        .collect();
    let sections =
        rows.chunks(7).map(|rows| ListSection { title: extra.clone(), rows: rows.to_vec() });
    [
        Action::Bubbles(Bubbles {
            text: text.clone(),
            format: TextFormat::MarkdownV1,
            options: choices(&options),
            fallback: fallback.clone(),
        }),
        Action::Carousel(Carousel {
            text: text.clone(),
            cards: cards.collect(),
            fallback: fallback.clone(),
        }),
        Action::ButtonTemplate(ButtonTemplate {
            header: extra.clone().map(Header::Text),
            text: text.clone(),
            footer: extra.clone(),
            buttons: choices(&options),
            fallback: fallback.clone(),
        }),
        Action::ListTemplate(ListTemplate {
            header: extra.clone(),
            text,
            footer: extra.clone(),
            button: "Show all of them".to_owned(),
            title: extra.clone(),
            sections: sections.collect(),
            multiple: true,
            fallback,
        }),
    ]
}

const NATIVE: &[&str] = &[
    "message_markdown",
    "bubbles",
    "bubbles_markdown",
    "bubbles_text_apart",
    "button_template",
    "button_template_header_text",
    "button_template_footer",
    "list_template",
    "list_template_sections",
    "list_template_details",
    "list_template_multiple",
    "carousel",
    "carousel_text_apart",
];

fn length(most: std::ops::Range<usize>) -> impl Strategy<Value = Length> {
    let unit =
        select(vec![Unit::Characters, Unit::Utf16, Unit::Bytes, Unit::Graphemes, Unit::Weighted]);
    (most, unit).prop_map(|(max, unit)| Length {
        max,
        unit,
        source: "made up".to_owned(),
        sure: Sure::Guessed,
    })
}

fn limits() -> impl Strategy<Value = ActionLimits> {
    let count = |most: std::ops::Range<usize>| {
        option::of(most).prop_map(|max: Option<usize>| {
            max.map(|max| Count { max, source: "made up".to_owned(), sure: Sure::Guessed })
        })
    };
    let counts = (count(1..40), count(1..40), count(1..5));
    // A character that is longer than a part stands alone, so parts have room for one.
    let short = || option::of(length(4..40));
    // What stands for an id has 24 bytes at most.
    let id = || option::of(length(24..400));
    let lengths = (short(), id(), option::of(length(8..300)), short(), short(), short());
    (counts, lengths, short(), short()).prop_map(
        |(
            (options, rows, sections),
            (label, id, text, title, description, header),
            footer,
            button,
        )| {
            let caption = None;
            ActionLimits {
                options,
                rows,
                sections,
                label,
                id,
                text,
                title,
                description,
                header,
                footer,
                caption,
                button,
            }
        },
    )
}

/// A medium that no vendor has.
fn profile() -> impl Strategy<Value = Profile> {
    let native = prop_oneof![Just(NATIVE.to_vec()), subsequence(NATIVE.to_vec(), 0..NATIVE.len())];
    let each = [limits(), limits(), limits(), limits()];
    (native, length(8..300), each).prop_map(|(mut native, text, each)| {
        native.push("message");
        let names = ["bubbles", "button_template", "list_template", "carousel"];
        let actions = names.into_iter().zip(each).collect();
        let limits = Arc::new(Limits { text, actions });
        Profile { native, rides: Vec::new(), limits, settings: Vec::new() }
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn every_option_reaches_every_medium_of_every_vendor(written in written()) {
        for file in FILES {
            for medium in file.mediums().all() {
                let profile = (file.usual)(&medium.names[0]);
                for menu in menus(&written) {
                    check(&menu, &profile, file.vendor);
                }
            }
        }
    }

    #[test]
    fn every_option_reaches_whatever_medium_there_may_be(
        written in written(),
        profile in profile(),
    ) {
        for menu in menus(&written) {
            check(&menu, &profile, VENDOR);
        }
    }
}

#[test]
fn every_limit_that_is_held_to_is_looked_at() {
    let looked = |action: &Action| {
        let (counts, texts) = parts(action);
        counts.into_keys().chain(texts.into_iter().map(|(key, _)| key)).collect::<BTreeSet<_>>()
    };
    let option = || ("a".to_owned(), "A".to_owned(), Some("d".to_owned()));
    let extra = Some("e".to_owned());
    let written = Written { text: "t".to_owned(), extra, options: vec![option()], fallback: None };
    for menu in menus(&written) {
        let held: BTreeSet<_> = limit_keys(menu.name()).iter().copied().collect();
        assert_eq!(looked(&menu), held, "{}", menu.name());
    }
}
