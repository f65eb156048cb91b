//! The limits that `wit/v1/action.wit` states, as a host enforces them.

use std::collections::BTreeSet;

use super::outcome::options;
use crate::action::{Action, CONTEXT_BYTES_MAX};

const ACTIONS_MAX: usize = 32;
const TEXT_CHARACTERS_MAX: usize = 5_000;
const ID_BYTES_MAX: usize = 200;
const LABEL_CHARACTERS_MAX: usize = 500;
const DELAY_MS_MAX: u64 = 60_000;
const TIMER_MS_MAX: u64 = 31_536_000_000;
const TIMER_BYTES_MAX: usize = 8 * 1024;
const REQUEST_BYTES_MAX: usize = 256 * 1024;
const REQUEST_MS_MAX: u32 = 120_000;
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
    Ok(())
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
        Action::Carousel(carousel) => check_text(&carousel.text).and_then(|()| check_menu(action)),
        Action::ListTemplate(list) => check_text(&list.text).and_then(|()| check_menu(action)),
        Action::ButtonTemplate(template) => {
            check_text(&template.text)?;
            require(template.buttons.len() <= 3, "a button template has at most 3 buttons")?;
            check_menu(action)
        }
        Action::Buttons(buttons) => require(!buttons.links.is_empty(), "buttons need a link"),
        Action::ContextUpdate(json) => check_context(json),
        Action::ContactUpdate(update) => {
            let empty = *update == crate::action::ContactUpdate::new();
            require(!empty, "a contact update names at least one field")
        }
        Action::ConversationUpdate(update) => {
            let empty = *update == crate::action::ConversationUpdate::new();
            require(!empty, "a conversation update names at least one field")
        }
        Action::Schedule(timer) => {
            check_name(&timer.name)?;
            require(timer.after_ms <= TIMER_MS_MAX, "a timer is due within 365 days")?;
            let bytes = timer.payload.as_ref().map_or(0, String::len);
            require(bytes <= TIMER_BYTES_MAX, "the payload of a timer has at most 8 KiB")
        }
        Action::Request(request) => {
            check_name(&request.name)?;
            let known = METHODS.contains(&request.method.as_str());
            require(known, "the method of a request is one of those that the WIT names")?;
            let bytes = request.body.as_ref().map_or(0, String::len);
            require(bytes <= REQUEST_BYTES_MAX, "the body of a request has at most 256 KiB")?;
            let timeout_ms = request.timeout_ms.unwrap_or(0);
            require(timeout_ms <= REQUEST_MS_MAX, "a request waits at most 120,000 ms")
        }
        _ => Ok(()),
    }
}

fn check_text(text: &str) -> Result<(), String> {
    let characters = text.chars().count();
    require(characters >= 1, "a text has at least 1 character")?;
    require(characters <= TEXT_CHARACTERS_MAX, "a text has at most 5,000 characters")
}

fn check_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty() && name.len() <= ID_BYTES_MAX;
    require(fits, "a name has 1 to 200 bytes")
}

fn check_menu(action: &Action) -> Result<(), String> {
    let options = options(action);
    require(!options.is_empty(), "a menu has at least one option")?;
    let mut ids = BTreeSet::new();
    for (id, label) in options {
        let fits = !id.is_empty() && id.len() <= ID_BYTES_MAX;
        require(fits, "the id of an option has 1 to 200 bytes")?;
        require(ids.insert(id), "the ids of options are unique within their action")?;
        let fits = !label.is_empty() && label.chars().count() <= LABEL_CHARACTERS_MAX;
        require(fits, "the label of an option has 1 to 500 characters")?;
    }
    Ok(())
}

fn check_context(json: &str) -> Result<(), String> {
    let value = serde_json::from_str::<serde_json::Value>(json);
    require(value.is_ok_and(|value| value.is_object()), "a context is a JSON object")?;
    require(json.len() <= CONTEXT_BYTES_MAX, "a context has at most 10,000 bytes")
}

fn require(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::action::{
        Bubbles, ButtonTemplate, Buttons, ContactUpdate, Request, delay, schedule,
    };
    use crate::{actions, reply};

    #[test]
    fn broken_limits_are_named() {
        let buttons = (0..4).fold(ButtonTemplate::new("Choose"), |buttons, number| {
            buttons.button(number.to_string(), "Label")
        });
        let rows = [
            (vec![reply("x").into(); 33], "at most 32 actions"),
            (actions![reply("")], "action 0: a text has at least 1"),
            (actions![reply("ok"), reply("ä".repeat(5_001))], "action 1: a text has at most 5,000"),
            (actions![Bubbles::new("Choose")], "at least one option"),
            (actions![Bubbles::new("Choose").option("a", "A").option("a", "B")], "unique"),
            (actions![Bubbles::new("Choose").option("a", "")], "label"),
            (actions![buttons], "at most 3 buttons"),
            (actions![Buttons::new()], "need a link"),
            (actions![Action::ContextUpdate("[]".to_owned())], "JSON object"),
            (actions![ContactUpdate::new()], "at least one field"),
            (actions![delay(40_000), delay(20_001)], "at most 60000 ms"),
            (actions![schedule("", 1)], "1 to 200 bytes"),
            (actions![schedule("late", TIMER_MS_MAX + 1)], "365 days"),
            (actions![Request::new("r", "BREW", "https://pot.example")], "method"),
        ];
        for (actions, expected) in rows {
            let reason = check(&actions).unwrap_err();
            assert!(reason.contains(expected), "{actions:?}: {reason}");
        }
    }

    #[test]
    fn what_fits_is_no_error() {
        let actions = actions![
            reply("ä".repeat(5_000)),
            Bubbles::new("Choose").option("a", "A").option("b", "B"),
            delay(60_000),
            schedule("in a year", TIMER_MS_MAX),
            Request::get("r", "https://shop.example").timeout_ms(120_000),
        ];
        assert_eq!(check(&actions), Ok(()));
    }
}
