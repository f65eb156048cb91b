//! The limits that `wit/v1/action.wit` states, as a host enforces them.

mod field;

use std::collections::BTreeSet;

use serde_json::Value;

use self::field::{
    check_id, check_ids, check_json, check_label, check_link, check_name, check_object,
    check_optional, check_secure_link, check_short_label, check_text, is_header_name,
    is_header_value, require,
};
use super::outcome::options;
use crate::action::{
    Action, ButtonTemplate, Buttons, CONTEXT_BYTES_MAX, Carousel, Choice, ContactUpdate,
    ConversationUpdate, EmailRecipient, ForwardTarget, Header, ListTemplate, Media, Request,
    RichLink, Schedule, Setting,
};

const ACTIONS_MAX: usize = 32;
const ACTIONS_BYTES_MAX: usize = 64 * 1024;
const TEXT_CHARACTERS_MAX: usize = 5_000;
const LABEL_CHARACTERS_MAX: usize = 500;
const NAME_BYTES_MAX: usize = 200;
const OPTION_ID_BYTES_MAX: usize = 1_000;
const BUTTONS_MAX: usize = 3;
const DELAY_MS_MAX: u64 = 60_000;
const TIMER_MS_MAX: u64 = 31_536_000_000;
const TIMER_BYTES_MAX: usize = 8 * 1024;
const TIMERS_MAX: usize = 64;
const TIMERS_BYTES_MAX: usize = 64 * 1024;
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

/// Says whether the timers of the conversation are too many with those of an answer.
pub(super) fn check_timers<'a>(
    open: impl Iterator<Item = &'a Schedule>,
    actions: &'a [Action],
) -> Result<(), String> {
    let mut timers: Vec<&Schedule> = open.collect();
    for (index, action) in actions.iter().enumerate() {
        match action {
            Action::CancelTimer(name) => timers.retain(|timer| timer.name != *name),
            Action::Schedule(schedule) => {
                timers.retain(|timer| timer.name != schedule.name);
                timers.push(schedule);
                let bytes: usize = timers.iter().flat_map(|t| &t.payload).map(String::len).sum();
                let fits = timers.len() <= TIMERS_MAX && bytes <= TIMERS_BYTES_MAX;
                let rule = "a conversation has at most 64 timers with 64 KiB of payloads";
                require(fits, rule).map_err(|reason| format!("action {index}: {reason}"))?;
            }
            _ => {}
        }
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
        Action::Bubbles(bubbles) => {
            check_text(&bubbles.text)?;
            check_optional(&[&bubbles.fallback])?;
            check_choices(&bubbles.options)?;
            check_menu(action)
        }
        Action::Carousel(carousel) => check_carousel(carousel).and_then(|()| check_menu(action)),
        Action::ButtonTemplate(card) => check_template(card).and_then(|()| check_menu(action)),
        Action::ListTemplate(list) => check_list(list).and_then(|()| check_menu(action)),
        Action::Buttons(buttons) => check_buttons(buttons),
        Action::RichLink(link) => check_rich_link(link),
        Action::Media(media) => check_media(media),
        Action::Navigate(navigate) => check_link(&navigate.link),
        Action::ContextUpdate(json) => check_context(json),
        Action::ContactUpdate(update) => check_contact(update),
        Action::ConversationUpdate(update) => check_conversation(update),
        Action::NoteCreate(note) => {
            check_text(&note.text)?;
            note.contact_id.as_deref().map_or(Ok(()), check_id)
        }
        Action::Tag(tags) | Action::Untag(tags) => check_ids(tags),
        Action::WorkQueue(work) => {
            check_id(&work.queue)?;
            check_optional(&[&work.comment])
        }
        Action::Resolve(resolve) => check_optional(&[&resolve.comment]),
        Action::SecureForm(form) => {
            check_id(&form.form)?;
            check_optional(&[&form.text])
        }
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
        | Action::Abort
        | Action::End => Ok(()),
    }
}

fn check_carousel(carousel: &Carousel) -> Result<(), String> {
    check_text(&carousel.text)?;
    for card in &carousel.cards {
        check_short_label(card.short_label.as_deref())?;
        card.image.as_deref().map_or(Ok(()), check_secure_link)?;
        check_optional(&[&card.description])?;
    }
    check_optional(&[&carousel.fallback])
}

fn check_template(template: &ButtonTemplate) -> Result<(), String> {
    match &template.header {
        None => {}
        Some(Header::Text(text)) => check_text(text)?,
        Some(Header::Image(link) | Header::Video(link) | Header::Document(link)) => {
            check_link(link)?;
        }
    }
    check_text(&template.text)?;
    let few = template.buttons.len() <= BUTTONS_MAX;
    require(few, "a button template has at most 3 buttons")?;
    check_choices(&template.buttons)?;
    check_optional(&[&template.footer, &template.fallback])
}

fn check_list(list: &ListTemplate) -> Result<(), String> {
    check_text(&list.text)?;
    check_label(&list.button)?;
    check_optional(&[&list.header, &list.footer, &list.title, &list.fallback])?;
    for section in &list.sections {
        require(!section.rows.is_empty(), "a section has at least one row")?;
        check_optional(&[&section.title])?;
        for row in &section.rows {
            check_short_label(row.short_label.as_deref())?;
            check_optional(&[&row.description])?;
        }
    }
    Ok(())
}

fn check_choices(choices: &[Choice]) -> Result<(), String> {
    choices.iter().try_for_each(|choice| check_short_label(choice.short_label.as_deref()))
}

fn check_buttons(buttons: &Buttons) -> Result<(), String> {
    check_optional(&[&buttons.text])?;
    require(!buttons.links.is_empty(), "buttons need a link")?;
    for button in &buttons.links {
        check_label(&button.label)?;
        check_short_label(button.short_label.as_deref())?;
        check_link(&button.link)?;
    }
    Ok(())
}

fn check_rich_link(link: &RichLink) -> Result<(), String> {
    check_link(&link.link)?;
    check_label(&link.title)?;
    link.image.as_deref().map_or(Ok(()), check_link)?;
    check_optional(&[&link.text])
}

fn check_media(media: &Media) -> Result<(), String> {
    check_secure_link(&media.link)?;
    check_optional(&[&media.name, &media.mime_type, &media.caption])
}

fn check_context(json: &str) -> Result<(), String> {
    check_object(json)?;
    let compact = serde_json::from_str::<Value>(json).map_or(0, |value| value.to_string().len());
    require(compact <= CONTEXT_BYTES_MAX, "a context has at most 10,000 bytes")
}

fn check_contact(update: &ContactUpdate) -> Result<(), String> {
    let ContactUpdate { name, email, mobile_number, external_customer_id, custom_fields } = update;
    let empty = *update == ContactUpdate::new();
    require(!empty, "a contact update names at least one field")?;
    check_optional(&[name, email, mobile_number, external_customer_id])?;
    custom_fields.as_deref().map_or(Ok(()), check_object)
}

fn check_conversation(update: &ConversationUpdate) -> Result<(), String> {
    let ConversationUpdate { subject, topics, locale, custom_fields } = update;
    let empty = *update == ConversationUpdate::new();
    require(!empty, "a conversation update names at least one field")?;
    check_optional(&[subject, locale])?;
    topics.iter().flatten().try_for_each(|topic| check_text(topic))?;
    custom_fields.as_deref().map_or(Ok(()), check_object)
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
    let own = !request.name.starts_with("botyard.");
    require(own, "the name of a request does not begin with `botyard.`: the host's own do")?;
    let known = METHODS.contains(&request.method.as_str());
    require(known, "the method of a request is one of those that the WIT names")?;
    check_link(&request.url)?;
    check_headers(&request.headers)?;
    let bytes = request.body.as_ref().map_or(0, String::len);
    require(bytes <= REQUEST_BYTES_MAX, "the body of a request has at most 48 KiB")?;
    let timeout_ms = request.timeout_ms.unwrap_or(REQUEST_MS_MAX);
    let fits = (1..=REQUEST_MS_MAX).contains(&timeout_ms);
    require(fits, "a request waits 1 to 120,000 ms")
}

pub(super) fn check_headers(headers: &[Setting]) -> Result<(), String> {
    let bytes: usize = headers.iter().map(|h| h.name.len() + h.value.len()).sum();
    let fits = headers.len() <= HEADERS_MAX && bytes <= HEADERS_BYTES_MAX;
    require(fits, "a request has at most 64 headers of together at most 16 KiB")?;
    let reserved = |name: &str| ["host", "idempotency-key"].contains(&name);
    let legal = headers.iter().all(|h| is_header_name(&h.name) && is_header_value(&h.value));
    require(legal, "the names and values of headers are those of HTTP")?;
    let free = headers.iter().all(|header| !reserved(&header.name.to_ascii_lowercase()));
    require(free, "the headers `host` and `idempotency-key` are the host's")
}

fn check_menu(action: &Action) -> Result<(), String> {
    let options = options(action);
    require(!options.is_empty(), "a menu has at least one option")?;
    let mut ids = BTreeSet::new();
    for (id, label) in options {
        let fits = !id.is_empty() && id.len() <= OPTION_ID_BYTES_MAX;
        require(fits, "the id of an option has 1 to 1,000 bytes")?;
        require(ids.insert(id), "the ids of options are unique within their action")?;
        check_label(label)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
