//! The limits that `wit/v1/action.wit` states, as a host enforces them.

use std::collections::BTreeSet;

use serde_json::Value;

use super::outcome::options;
use crate::action::{
    Action, Buttons, CONTEXT_BYTES_MAX, Carousel, ContactUpdate, ConversationUpdate,
    EmailRecipient, ForwardTarget, Media, Request, RichLink, Schedule,
};

const ACTIONS_MAX: usize = 32;
const ACTIONS_BYTES_MAX: usize = 64 * 1024;
const TEXT_CHARACTERS_MAX: usize = 5_000;
const LABEL_CHARACTERS_MAX: usize = 500;
const ID_BYTES_MAX: usize = 200;
const BUTTONS_MAX: usize = 3;
const DELAY_MS_MAX: u64 = 60_000;
const TIMER_MS_MAX: u64 = 31_536_000_000;
const TIMER_BYTES_MAX: usize = 8 * 1024;
const HEADERS_MAX: usize = 64;
const HEADERS_BYTES_MAX: usize = 16 * 1024;
const REQUEST_BYTES_MAX: usize = 48 * 1024;
const REQUEST_MS_MAX: u32 = 120_000;
const PASSTHROUGH_BYTES_MAX: usize = 32 * 1024;
const OTHER_BYTES_MAX: usize = 64 * 1024;
const METHODS: [&str; 6] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"];

/// Says which limit an answer breaks, if any.
pub(super) fn check(actions: &[Action]) -> Result<(), String> {
    if actions.len() > ACTIONS_MAX {
        let count = actions.len();
        return Err(format!("a turn has at most {ACTIONS_MAX} actions, this one has {count}"));
    }
    let delay_ms: u64 = actions.iter().map(delay_ms).sum();
    if delay_ms > DELAY_MS_MAX {
        return Err(format!("a turn waits at most {DELAY_MS_MAX} ms, this one waits {delay_ms}"));
    }
    for (index, action) in actions.iter().enumerate() {
        check_action(action).map_err(|reason| format!("action {index}: {reason}"))?;
    }
    // The host counts its own JSON of the actions, which is about as long as this.
    let bytes = format!("{actions:?}").len();
    require(bytes <= ACTIONS_BYTES_MAX, "the actions of a turn have at most 64 KiB together")
}

fn delay_ms(action: &Action) -> u64 {
    match action {
        Action::Delay(delay) => delay.delay_ms.into(),
        _ => 0,
    }
}

fn check_action(action: &Action) -> Result<(), String> {
    match action {
        Action::Message(message) => check_text(&message.text),
        Action::Bubbles(bubbles) => check_text(&bubbles.text).and_then(|()| check_menu(action)),
        Action::Carousel(carousel) => check_carousel(carousel).and_then(|()| check_menu(action)),
        Action::ButtonTemplate(template) => {
            check_text(&template.text)?;
            let few = template.buttons.len() <= BUTTONS_MAX;
            require(few, "a button template has at most 3 buttons")?;
            check_menu(action)
        }
        Action::ListTemplate(list) => {
            check_text(&list.text)?;
            check_label(&list.button)?;
            let full = list.sections.iter().all(|section| !section.rows.is_empty());
            require(full, "a section has at least one row")?;
            check_menu(action)
        }
        Action::Buttons(buttons) => check_buttons(buttons),
        Action::RichLink(link) => check_rich_link(link),
        Action::Media(media) => check_media(media),
        Action::Navigate(navigate) => check_link(&navigate.link),
        Action::ContextUpdate(json) => check_context(json),
        Action::ContactUpdate(update) => check_contact(update),
        Action::ConversationUpdate(update) => check_conversation(update),
        Action::NoteCreate(note) => check_text(&note.text),
        Action::Tag(tags) | Action::Untag(tags) => check_ids(tags),
        Action::WorkQueue(work) => check_id(&work.queue),
        Action::SecureForm(form) => check_id(&form.form),
        Action::Forward(forward) => check_target(&forward.target),
        Action::AddonDispatch(dispatch) => check_id(&dispatch.addon),
        Action::EmailDispatch(dispatch) => match &dispatch.recipient {
            EmailRecipient::Contact => Ok(()),
            EmailRecipient::Operator(operator) => check_id(operator),
        },
        Action::Schedule(timer) => check_timer(timer),
        Action::CancelTimer(name) => check_name(name),
        Action::Request(request) => check_request(request),
        Action::Passthrough(passthrough) => {
            check_id(&passthrough.vendor)?;
            check_object(&passthrough.json)?;
            let fits = passthrough.json.len() <= PASSTHROUGH_BYTES_MAX;
            require(fits, "a passthrough has at most 32 KiB")
        }
        Action::Other(other) => {
            check_id(&other.name)?;
            check_json(&other.json)?;
            require(other.json.len() <= OTHER_BYTES_MAX, "a payload has at most 64 KiB")
        }
        // The delays are summed up over the whole turn.
        Action::Delay(_)
        | Action::Typing(_)
        | Action::ContextClear
        | Action::Priority(_)
        | Action::Resolve(_)
        | Action::Abort
        | Action::End => Ok(()),
    }
}

fn check_carousel(carousel: &Carousel) -> Result<(), String> {
    check_text(&carousel.text)?;
    let mut images = carousel.cards.iter().filter_map(|card| card.image.as_ref());
    let secure = images.all(|image| image.starts_with("https://"));
    require(secure, "the picture of a card has an https address")
}

fn check_buttons(buttons: &Buttons) -> Result<(), String> {
    require(!buttons.links.is_empty(), "buttons need a link")?;
    for button in &buttons.links {
        check_label(&button.label)?;
        check_link(&button.link)?;
    }
    Ok(())
}

fn check_rich_link(link: &RichLink) -> Result<(), String> {
    check_link(&link.link)?;
    check_label(&link.title)?;
    link.image.as_deref().map_or(Ok(()), check_link)
}

fn check_media(media: &Media) -> Result<(), String> {
    require(media.link.starts_with("https://"), "media has an https address")
}

fn check_context(json: &str) -> Result<(), String> {
    check_object(json)?;
    require(json.len() <= CONTEXT_BYTES_MAX, "a context has at most 10,000 bytes")
}

fn check_contact(update: &ContactUpdate) -> Result<(), String> {
    let empty = *update == ContactUpdate::new();
    require(!empty, "a contact update names at least one field")?;
    update.custom_fields.as_deref().map_or(Ok(()), check_object)
}

fn check_conversation(update: &ConversationUpdate) -> Result<(), String> {
    let empty = *update == ConversationUpdate::new();
    require(!empty, "a conversation update names at least one field")?;
    update.custom_fields.as_deref().map_or(Ok(()), check_object)
}

fn check_target(target: &ForwardTarget) -> Result<(), String> {
    match target {
        ForwardTarget::Any => Ok(()),
        ForwardTarget::Group(id) | ForwardTarget::Human(id) | ForwardTarget::Bot(id) => {
            check_id(id)
        }
        ForwardTarget::Skills(ids) => check_ids(ids),
    }
}

fn check_timer(timer: &Schedule) -> Result<(), String> {
    check_name(&timer.name)?;
    require(timer.after_ms <= TIMER_MS_MAX, "a timer is due within 365 days")?;
    let Some(payload) = &timer.payload else { return Ok(()) };
    check_json(payload)?;
    require(payload.len() <= TIMER_BYTES_MAX, "the payload of a timer has at most 8 KiB")
}

fn check_request(request: &Request) -> Result<(), String> {
    check_name(&request.name)?;
    let known = METHODS.contains(&request.method.as_str());
    require(known, "the method of a request is one of those that the WIT names")?;
    check_link(&request.url)?;
    let bytes: usize = request.headers.iter().map(|h| h.name.len() + h.value.len()).sum();
    let fits = request.headers.len() <= HEADERS_MAX && bytes <= HEADERS_BYTES_MAX;
    require(fits, "a request has at most 64 headers of together at most 16 KiB")?;
    let reserved = |name: &str| ["host", "idempotency-key"].contains(&name);
    let free = request.headers.iter().all(|header| !reserved(&header.name.to_ascii_lowercase()));
    require(free, "the headers `host` and `idempotency-key` are the host's")?;
    let bytes = request.body.as_ref().map_or(0, String::len);
    require(bytes <= REQUEST_BYTES_MAX, "the body of a request has at most 48 KiB")?;
    let timeout_ms = request.timeout_ms.unwrap_or(REQUEST_MS_MAX);
    let fits = (1..=REQUEST_MS_MAX).contains(&timeout_ms);
    require(fits, "a request waits 1 to 120,000 ms")
}

fn check_menu(action: &Action) -> Result<(), String> {
    let options = options(action);
    require(!options.is_empty(), "a menu has at least one option")?;
    let mut ids = BTreeSet::new();
    for (id, label) in options {
        let fits = !id.is_empty() && id.len() <= ID_BYTES_MAX;
        require(fits, "the id of an option has 1 to 200 bytes")?;
        require(ids.insert(id), "the ids of options are unique within their action")?;
        check_label(label)?;
    }
    Ok(())
}

fn check_text(text: &str) -> Result<(), String> {
    let characters = text.chars().count();
    require(characters >= 1, "a text has at least 1 character")?;
    require(characters <= TEXT_CHARACTERS_MAX, "a text has at most 5,000 characters")
}

fn check_label(label: &str) -> Result<(), String> {
    let fits = (1..=LABEL_CHARACTERS_MAX).contains(&label.chars().count());
    require(fits, "a label has 1 to 500 characters")
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty() && name.len() <= ID_BYTES_MAX;
    require(fits, "a name has 1 to 200 bytes")
}

fn check_id(id: &str) -> Result<(), String> {
    require(!id.is_empty(), "an id or name of the vendor is not empty")
}

fn check_ids(ids: &[String]) -> Result<(), String> {
    require(!ids.is_empty(), "a list of ids has at least one")?;
    ids.iter().try_for_each(|id| check_id(id))
}

fn check_link(link: &str) -> Result<(), String> {
    let rest = link.strip_prefix("https://").or_else(|| link.strip_prefix("http://"));
    let host = rest.and_then(|rest| rest.split(['/', '?', '#']).next()).unwrap_or_default();
    let plain = !link.contains(|c: char| c.is_whitespace() || c.is_control());
    require(!host.is_empty() && plain, "a link is an absolute http or https address")
}

fn check_json(json: &str) -> Result<(), String> {
    require(serde_json::from_str::<Value>(json).is_ok(), "a payload is JSON")
}

fn check_object(json: &str) -> Result<(), String> {
    let object = serde_json::from_str::<Value>(json).is_ok_and(|value| value.is_object());
    require(object, "contexts, custom fields and packets are JSON objects")
}

fn require(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{Bubbles, ButtonTemplate, Forward, ListTemplate, delay, schedule, tag};
    use crate::{actions, reply};

    /// The contract in words, where these numbers come from.
    const WIT: &str = include_str!("../../../../wit/v1/action.wit");

    #[test]
    fn the_limits_are_those_of_the_contract() {
        let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
        let thousands = |number: u64| {
            let digits = number.to_string();
            let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
            groups.collect::<Vec<_>>().join(",")
        };
        let stated = [
            format!("at most {ACTIONS_MAX} actions of together at most {}", kib(ACTIONS_BYTES_MAX)),
            format!("1 to {} characters; longer than", thousands(TEXT_CHARACTERS_MAX as u64)),
            format!("1 to {LABEL_CHARACTERS_MAX} characters; mediums"),
            format!("unique within the action, at most {ID_BYTES_MAX} bytes"),
            format!("at most {} ms a turn, in sum", thousands(DELAY_MS_MAX)),
            format!("from this turn's `now-ms`; at most {}", thousands(TIMER_MS_MAX)),
            format!("at most {}; comes back in the event", kib(TIMER_BYTES_MAX)),
            format!("at most {HEADERS_MAX}, together at most {}", kib(HEADERS_BYTES_MAX)),
            format!("at most {}", kib(REQUEST_BYTES_MAX)),
            format!("30,000 where absent, at most {}", thousands(REQUEST_MS_MAX.into())),
            format!("that vendor's form, at most {}", kib(PASSTHROUGH_BYTES_MAX)),
            format!("a json object of at most {}", thousands(CONTEXT_BYTES_MAX as u64)),
        ];
        let words = |text: &str| text.replace("///", " ").to_lowercase();
        let wit = words(WIT).split_whitespace().collect::<Vec<_>>().join(" ");
        for limit in stated {
            assert!(wit.contains(&limit.to_lowercase()), "the contract does not state: {limit}");
        }
    }

    #[test]
    fn broken_limits_are_named() {
        let buttons = (0..4).fold(ButtonTemplate::new("Choose"), |buttons, number| {
            buttons.button(number.to_string(), "Label")
        });
        let shop = || Request::get("r", "https://shop.example");
        let rows = [
            (vec![reply("x").into(); 33], "at most 32 actions"),
            (vec![reply("x".repeat(5_000)).into(); 14], "at most 64 KiB together"),
            (actions![reply("")], "action 0: a text has at least 1"),
            (actions![reply("ok"), reply("ä".repeat(5_001))], "action 1: a text has at most 5,000"),
            (actions![Bubbles::new("Choose")], "at least one option"),
            (actions![Bubbles::new("Choose").option("a", "A").option("a", "B")], "unique"),
            (actions![Bubbles::new("Choose").option("a", "")], "label"),
            (actions![ListTemplate::new("Choose", "Open").section("Empty")], "at least one row"),
            (actions![buttons], "at most 3 buttons"),
            (actions![Buttons::new()], "need a link"),
            (actions![Buttons::new().link("Open", "shop.example")], "absolute"),
            (actions![Buttons::new().link("Open", "https:///path")], "absolute"),
            (actions![Media::new("http://files.example/a.png")], "https address"),
            (actions![Action::ContextUpdate("[]".to_owned())], "JSON objects"),
            (actions![ContactUpdate::new()], "at least one field"),
            (actions![tag(Vec::<String>::new())], "at least one"),
            (actions![Forward::group("")], "not empty"),
            (actions![delay(40_000), delay(20_001)], "at most 60000 ms"),
            (actions![schedule("", 1)], "1 to 200 bytes"),
            (actions![schedule("late", TIMER_MS_MAX + 1)], "365 days"),
            (actions![Request::new("r", "BREW", "https://pot.example")], "method"),
            (actions![shop().header("Host", "other.example")], "the host's"),
            (actions![shop().body("x".repeat(REQUEST_BYTES_MAX + 1))], "48 KiB"),
            (actions![shop().timeout_ms(0)], "1 to 120,000 ms"),
        ];
        for (actions, expected) in rows {
            let reason = check(&actions).unwrap_err();
            assert!(reason.contains(expected), "{expected}: {reason}");
        }
    }

    #[test]
    fn what_fits_is_no_error() {
        let actions = actions![
            reply("ä".repeat(5_000)),
            Bubbles::new("Choose").option("a", "A").option("b", "B"),
            Buttons::new().link("Open", "http://shop.example:8080/?a=b"),
            delay(60_000),
            schedule("in a year", TIMER_MS_MAX),
            Request::get("r", "https://shop.example").timeout_ms(120_000),
        ];
        assert_eq!(check(&actions), Ok(()));
    }
}
