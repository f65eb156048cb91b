//! A limit that one of our profiles has too high is refused by the twin.

use std::collections::BTreeSet;
use std::sync::Arc;

use botyard_kernel::action::{
    Action, Bubbles, ButtonTemplate, Buttons, Card, Carousel, Choice, Header, LinkButton,
    ListSection, ListTemplate, Message, RichLink, Row, TextFormat,
};
use botyard_kernel::profile::{ActionLimits, Length, Limits, Sure};

use super::side::Side;

/// A limit: the action, or nothing for any text, and the part.
type Key = (Option<&'static str>, &'static str);

/// Everything that a profile limits and that somebody states: what we guessed, no document
/// of the vendor's can contradict.
fn stated(side: &Side) -> Vec<Key> {
    let limits = &*side.profile.limits;
    let mut keys = Vec::new();
    if limits.text.sure != Sure::Guessed {
        keys.push((None, "text"));
    }
    let carried = limits.actions.iter().filter(|(action, _)| side.profile.carries(action));
    for (action, own) in carried {
        let counts = own.counts().map(|(key, it)| (key, it.sure));
        let lengths = own.lengths().map(|(key, it)| (key, it.sure));
        let sure = counts.chain(lengths).filter(|(_, sure)| *sure != Sure::Guessed);
        keys.extend(sure.map(|(key, _)| (Some(*action), key)));
    }
    keys
}

/// The same limits with this one higher by one.
fn raise(limits: &mut Limits, (action, part): Key) {
    let Some(action) = action else {
        limits.text.max += 1;
        return;
    };
    let own = limits.actions.get_mut(action).unwrap();
    let count = |it: &mut Option<botyard_kernel::profile::Count>| it.as_mut().unwrap().max += 1;
    let length = |it: &mut Option<Length>| it.as_mut().unwrap().max += 1;
    match part {
        "options" => count(&mut own.options),
        "rows" => count(&mut own.rows),
        "sections" => count(&mut own.sections),
        "label" => length(&mut own.label),
        "id" => length(&mut own.id),
        "text" => length(&mut own.text),
        "title" => length(&mut own.title),
        "description" => length(&mut own.description),
        "header" => length(&mut own.header),
        "footer" => length(&mut own.footer),
        "caption" => length(&mut own.caption),
        "button" => length(&mut own.button),
        other => panic!("no such part: {other}"),
    }
}

/// A text that has all the room there is, or a few letters where there is no limit.
fn filled(limit: Option<&Length>) -> String {
    "a".repeat(limit.map_or(9, |limit| limit.max))
}

/// The same, and other than those of other options.
fn numbered(limit: Option<&Length>, number: usize) -> String {
    let mut text = filled(limit);
    text.replace_range(..2, &format!("{number:02}"));
    text
}

/// An action of which every part is as long as these limits allow.
fn full(action: Option<&str>, limits: &Limits) -> Action {
    let own = action.map_or(&ActionLimits::NONE, |action| limits.of(action));
    let any = action.is_none().then_some(&limits.text);
    let text = filled(own.text.as_ref().or(any));
    let most = own.rows.as_ref().or(own.options.as_ref()).map_or(1, |count| count.max);
    let id = |number| numbered(own.id.as_ref(), number);
    let label = |number| numbered(own.label.as_ref(), number);
    let description = || own.description.as_ref().map(|limit| filled(Some(limit)));
    let choices =
        || (0..most).map(|it| Choice { id: id(it), label: label(it), short_label: None }).collect();
    let title = own.title.as_ref().map(|limit| filled(Some(limit)));
    let header = own.header.as_ref().map(|limit| filled(Some(limit)));
    let footer = own.footer.as_ref().map(|limit| filled(Some(limit)));
    let link = || "https://a.invalid/".to_owned();
    match action {
        None => Action::Message(Message { text, format: TextFormat::Plain }),
        Some("bubbles") => Action::Bubbles(Bubbles {
            text,
            format: TextFormat::Plain,
            options: choices(),
            fallback: None,
        }),
        Some("button_template") => Action::ButtonTemplate(ButtonTemplate {
            header: header.map(Header::Text),
            text,
            footer,
            buttons: choices(),
            fallback: None,
        }),
        Some("carousel") => {
            let card = |it| {
                let (id, label, description) = (id(it), label(it), description());
                Card { id, label, short_label: None, image: Some(link()), description }
            };
            Action::Carousel(Carousel {
                text,
                cards: (0..most).map(card).collect(),
                fallback: None,
            })
        }
        Some("list_template") => {
            let row = |it| Row {
                id: id(it),
                label: label(it),
                short_label: None,
                description: description(),
            };
            let rows = (0..most).map(row).collect();
            Action::ListTemplate(ListTemplate {
                header,
                text,
                footer,
                button: filled(own.button.as_ref()),
                title: title.clone(),
                sections: vec![ListSection { title, rows }],
                multiple: false,
                fallback: None,
            })
        }
        Some("buttons") => {
            let link = |it| LinkButton { label: label(it), short_label: None, link: link() };
            Action::Buttons(Buttons { text: Some(text), links: (0..most).map(link).collect() })
        }
        Some("rich_link") => Action::RichLink(RichLink {
            link: link(),
            title: title.unwrap_or_else(|| "a".to_owned()),
            image: Some(link()),
            text: Some(text),
        }),
        Some(other) => panic!("{other} has limits and no example here"),
    }
}

/// Whether the twin takes what becomes of an action that fills the limits.
fn is_taken(side: &Side, key: Key) -> Result<(), String> {
    let action = full(key.0, &side.profile.limits);
    side.carry(&action, None).iter().try_for_each(|carried| side.judge(carried))
}

/// Whether the twin refuses an action that fills limits of which this one is too high:
/// it would go out as it is. (The kernel itself would keep to three buttons.)
fn is_refused(mut side: Side, key: Key) -> bool {
    raise(Arc::make_mut(&mut side.profile.limits), key);
    side.judge(&full(key.0, &side.profile.limits)).is_err()
}

/// A stated limit of a medium, by the names of both.
fn name(side: &Side, (action, part): Key) -> String {
    format!("{}: {part} of {}", side.name, action.unwrap_or("any text"))
}

#[test]
fn every_stated_limit_can_be_filled_and_one_more_is_refused() {
    let (mut stated_names, mut refused) = (BTreeSet::new(), BTreeSet::new());
    for side in Side::all() {
        for key in stated(&side) {
            assert_eq!(is_taken(&side, key), Ok(()), "{}", name(&side, key));
            // A medium may be more than one side: a limit is the least of them.
            stated_names.insert(name(&side, key));
            if is_refused(side.clone(), key) {
                refused.insert(name(&side, key));
            }
        }
    }
    let taken: Vec<_> = stated_names.difference(&refused).collect();
    assert!(taken.is_empty(), "the twins take more than these: {taken:#?}");
    for vendor in ["userlike on", "khoros on", "messenger on", "lexer on"] {
        let count = refused.iter().filter(|name| name.starts_with(vendor)).count();
        assert!(count >= 7, "{vendor}: {count} of {refused:#?}");
    }
    // These vendors state no limit at all.
    for vendor in ["myalice on", "instabot on"] {
        assert!(!refused.iter().any(|name| name.starts_with(vendor)), "{refused:#?}");
    }
}
