//! Events and actions without what people said, for whoever may look but not read.
//!
//! What is hidden leaves its length behind, so that an empty text is told from a long
//! one: `[12 characters]`. Names that the bot's author or the vendor's administrator
//! chose stay: ids of options, forms and queues, names of timers and requests, tags.
//! Whatever anybody else wrote, or may have put into a link or a payload, is hidden.

mod action;
mod event;

use serde_json::Value;

use crate::action::{Action, Setting};
use crate::event::Event;
use crate::session::{Contact, Facts};

/// The canonical JSON of an event, without what people said.
pub fn event(event: &Event) -> Value {
    let mut shown = event.clone();
    event::hide(&mut shown);
    json(&shown)
}

/// The canonical JSON of actions, without what people are told.
pub fn actions(actions: &[Action]) -> Value {
    let hidden = |action: &Action| {
        let mut shown = action.clone();
        action::hide(&mut shown);
        json(&shown)
    };
    actions.iter().map(hidden).collect()
}

/// The JSON of facts, without what is known of the person and of the matter.
pub fn facts(facts: &Facts) -> Value {
    let mut shown = facts.clone();
    let Facts { medium: _, entry: _, params, approach: _, locale: _, contact, .. } = &mut shown;
    values(params);
    let Contact { id, name, email, mobile_number, external_customer_id, locale: _, custom_fields } =
        contact;
    for field in [id, name, email, mobile_number, external_customer_id] {
        optional(field);
    }
    text(custom_fields);
    let Facts { conversation_url, subject, topics, .. } = &mut shown;
    optional(conversation_url);
    optional(subject);
    topics.iter_mut().for_each(text);
    json(&shown)
}

/// A text, for instance a line of a bot's log, without what it says.
pub fn length(text: &str) -> String {
    match text.chars().count() {
        1 => "[1 character]".to_owned(),
        count => format!("[{count} characters]"),
    }
}

fn json(value: &impl serde::Serialize) -> Value {
    serde_json::to_value(value).expect("what is canonical has text keys")
}

fn text(text: &mut String) {
    *text = length(text);
}

fn optional(text: &mut Option<String>) {
    *text = text.as_deref().map(length);
}

/// Names stay, values do not.
fn values(settings: &mut [Setting]) {
    settings.iter_mut().for_each(|setting| text(&mut setting.value));
}

#[cfg(test)]
mod tests;
