//! Whatever a bot writes, no vendor refuses anything of it.

use botyard_kernel::action::{
    Action, Bubbles, ButtonTemplate, Buttons, Card, Carousel, Choice, Header, LinkButton,
    ListSection, ListTemplate, Media, Message, RichLink, Row, TextFormat,
};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;

use super::side::Side;

/// What options are called: in many scripts, of many lengths, also nothing.
fn label() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[A-Za-z]{1,12}( [a-z0-9]{1,12}){0,6}",
        2 => "[あ-んア-ン一-十]{1,40}",
        2 => "[אבגדהוזחט ]{0,40}",
        2 => "(\u{202e}|[ابتثجح ]){1,40}",
        2 => "(👩‍👩‍👧|🇩🇪|e\u{301}|👍🏽|x){0,30}",
        1 => "Option number [0-9]{1,2}",
        1 => "\\PC{0,90}",
        1 => ".{0,60}",
        1 => Just(String::new()),
    ]
}

/// What comes back of an option: up to 300 bytes and more.
fn id() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[a-z0-9]{1,20}",
        2 => "[a-z]{300}",
        1 => "[a-zé👍]{300}",
        1 => "[a-z]{1001}",
        1 => ".{1,40}",
    ]
}

/// Texts of a few words and of many, up to the most that an action may have.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "[A-Za-zé👍。*]{1,9}([ .!?\n]{1,2}[a-z0-9👩]{1,9}){0,60}",
        1 => "[a-z]{1,9}([ .]{1,2}[a-z]{1,9}){300,500}",
        1 => "[一-十]{200,2500}",
        1 => "(👩‍👩‍👧|🇩🇪|👍🏽){100,600}",
        1 => "x[אבגדהוזחט ]{0,900}",
    ]
}

#[derive(Clone, Debug)]
struct Option {
    id: String,
    label: String,
    short: std::option::Option<String>,
    more: std::option::Option<String>,
}

fn option() -> impl Strategy<Value = Option> {
    let more = option::of("[a-zé👍一-十 ]{0,90}");
    (id(), label(), option::of(label()), more).prop_map(|(id, label, short, more)| Option {
        id,
        label,
        short,
        more,
    })
}

/// What a bot writes, for every action that has options or a text.
#[derive(Clone, Debug)]
struct Written {
    text: String,
    extra: std::option::Option<String>,
    options: Vec<Option>,
    fallback: std::option::Option<String>,
    button: String,
    locale: std::option::Option<&'static str>,
}

fn written() -> impl Strategy<Value = Written> {
    let options = prop::collection::vec(option(), 1..40);
    let locale = option::of(select(vec!["en", "de", "fr", "es"]));
    (text(), option::of(text()), options, option::of("[a-z ]{0,30}"), label(), locale).prop_map(
        |(text, extra, options, fallback, button, locale)| Written {
            text,
            extra,
            options,
            fallback,
            button,
            locale,
        },
    )
}

fn actions(written: &Written) -> Vec<Action> {
    let Written { text, extra, options, fallback, button, .. } = written.clone();
    let choice = |it: &Option| Choice {
        id: it.id.clone(),
        label: it.label.clone(),
        short_label: it.short.clone(),
    };
    let choices: Vec<_> = options.iter().map(choice).collect();
    let row = |it: &Option| Row {
        id: it.id.clone(),
        label: it.label.clone(),
        short_label: it.short.clone(),
        description: it.more.clone(),
    };
    let section = |rows: &[Option]| ListSection {
        title: extra.clone(),
        rows: rows.iter().map(row).collect(),
    };
    let image = || "https://a.invalid/c.png".to_owned();
    let card = |it: &Option| Card {
        id: it.id.clone(),
        label: it.label.clone(),
        short_label: it.short.clone(),
        image: it.more.as_ref().map(|_| image()),
        description: it.more.clone(),
    };
    let link = |it: &Option| LinkButton {
        label: it.label.clone(),
        short_label: it.short.clone(),
        link: "https://a.invalid/".to_owned(),
    };
    let template = |header| {
        Action::ButtonTemplate(ButtonTemplate {
            header,
            text: text.clone(),
            footer: extra.clone(),
            buttons: choices.clone(),
            fallback: fallback.clone(),
        })
    };
    vec![
        Action::Message(Message { text: text.clone(), format: TextFormat::MarkdownV1 }),
        Action::Bubbles(Bubbles {
            text: text.clone(),
            format: TextFormat::Plain,
            options: choices.clone(),
            fallback: fallback.clone(),
        }),
        Action::Carousel(Carousel {
            text: text.clone(),
            cards: options.iter().map(card).collect(),
            fallback: fallback.clone(),
        }),
        template(extra.clone().map(Header::Text)),
        template(Some(Header::Image(image()))),
        Action::ListTemplate(ListTemplate {
            header: extra.clone(),
            text: text.clone(),
            footer: extra.clone(),
            button,
            title: extra.clone(),
            sections: options.chunks(7).map(section).collect(),
            multiple: true,
            fallback: fallback.clone(),
        }),
        Action::Buttons(Buttons { text: extra.clone(), links: options.iter().map(link).collect() }),
        Action::RichLink(RichLink {
            link: "https://a.invalid/".to_owned(),
            title: text.clone(),
            image: extra.as_ref().map(|_| image()),
            text: extra.clone(),
        }),
        Action::Media(Media { link: image(), name: None, mime_type: None, caption: extra.clone() }),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 24, failure_persistence: None, ..ProptestConfig::default()
    })]

    #[test]
    fn no_vendor_refuses_what_is_rendered_on_any_of_its_mediums(written in written()) {
        for side in Side::all() {
            for action in actions(&written) {
                for carried in side.carry(&action, written.locale) {
                    let judged = side.judge(&carried);
                    prop_assert!(
                        judged.is_ok(),
                        "{}, {}: {}\n{carried:?}",
                        side.name,
                        action.name(),
                        judged.unwrap_err()
                    );
                }
            }
        }
    }
}
