//! Actions without what people are told.

use super::{optional, text, values};
use crate::action::{
    Action, AddonDispatch, Bubbles, ButtonTemplate, Buttons, Card, Carousel, Choice, ContactUpdate,
    ConversationUpdate, Delay, EmailDispatch, Forward, Header, LinkButton, ListSection,
    ListTemplate, Media, Message, NamedPayload, Navigate, NoteCreate, Passthrough, Request,
    Resolve, RichLink, Row, Schedule, SecureForm, WorkQueue,
};

/// Hides what people are told in an action.
pub(super) fn hide(action: &mut Action) {
    match action {
        Action::Message(Message { text: said, format: _ }) => text(said),
        Action::Bubbles(it) => bubbles(it),
        Action::Carousel(it) => carousel(it),
        Action::ButtonTemplate(it) => button_template(it),
        Action::ListTemplate(it) => list_template(it),
        Action::Buttons(Buttons { text, links }) => {
            optional(text);
            links.iter_mut().for_each(link_button);
        }
        Action::RichLink(it) => rich_link(it),
        Action::Media(Media { link, name, mime_type: _, caption }) => {
            text(link);
            optional(name);
            optional(caption);
        }
        Action::Navigate(Navigate { link }) => text(link),
        Action::Typing(_) | Action::Delay(Delay { delay_ms: _, typing: _ }) => {}
        Action::ContextUpdate(json) => text(json),
        Action::ContactUpdate(it) => contact_update(it),
        Action::ConversationUpdate(it) => conversation_update(it),
        Action::NoteCreate(NoteCreate { text: note, contact_id }) => {
            text(note);
            optional(contact_id);
        }
        Action::WorkQueue(WorkQueue { queue: _, comment })
        | Action::Resolve(Resolve { comment }) => optional(comment),
        Action::SecureForm(SecureForm { form: _, text }) => optional(text),
        Action::Schedule(Schedule { name: _, after_ms: _, payload }) => optional(payload),
        Action::Request(it) => request(it),
        Action::Passthrough(Passthrough { vendor: _, json })
        | Action::Other(NamedPayload { name: _, json }) => text(json),
        // Chosen by the bot's author out of what the tenant has set up.
        Action::Tag(_)
        | Action::Untag(_)
        | Action::Forward(Forward { target: _, on_failure: _ })
        | Action::AddonDispatch(AddonDispatch { addon: _ })
        | Action::EmailDispatch(EmailDispatch { recipient: _ })
        | Action::CancelTimer(_) => {}
        Action::ContextClear | Action::Priority(_) | Action::Abort | Action::End => {}
    }
}

fn bubbles(bubbles: &mut Bubbles) {
    let Bubbles { text: said, format: _, options, fallback } = bubbles;
    text(said);
    options.iter_mut().for_each(choice);
    optional(fallback);
}

fn carousel(carousel: &mut Carousel) {
    let Carousel { text: said, cards, fallback } = carousel;
    text(said);
    for Card { id: _, label, short_label, image, description } in cards {
        text(label);
        optional(short_label);
        optional(image);
        optional(description);
    }
    optional(fallback);
}

fn button_template(template: &mut ButtonTemplate) {
    let ButtonTemplate { header, text: said, footer, buttons, fallback } = template;
    if let Some(Header::Text(it) | Header::Image(it) | Header::Video(it) | Header::Document(it)) =
        header
    {
        text(it);
    }
    text(said);
    optional(footer);
    buttons.iter_mut().for_each(choice);
    optional(fallback);
}

fn list_template(template: &mut ListTemplate) {
    let ListTemplate { header, text: said, footer, button, .. } = template;
    text(said);
    text(button);
    optional(header);
    optional(footer);
    let ListTemplate { title, sections, multiple: _, fallback, .. } = template;
    optional(title);
    optional(fallback);
    for ListSection { title, rows } in sections {
        optional(title);
        for Row { id: _, label, short_label, description } in rows {
            text(label);
            optional(short_label);
            optional(description);
        }
    }
}

fn choice(Choice { id: _, label, short_label }: &mut Choice) {
    text(label);
    optional(short_label);
}

fn link_button(LinkButton { label, short_label, link }: &mut LinkButton) {
    text(label);
    optional(short_label);
    text(link);
}

fn rich_link(rich: &mut RichLink) {
    let RichLink { link, title, image, text: said } = rich;
    text(link);
    text(title);
    optional(image);
    optional(said);
}

fn contact_update(update: &mut ContactUpdate) {
    let ContactUpdate { name, email, mobile_number, external_customer_id, custom_fields } = update;
    for field in [name, email, mobile_number, external_customer_id, custom_fields] {
        optional(field);
    }
}

fn conversation_update(update: &mut ConversationUpdate) {
    let ConversationUpdate { subject, topics, locale: _, custom_fields } = update;
    optional(subject);
    topics.iter_mut().flatten().for_each(text);
    optional(custom_fields);
}

fn request(request: &mut Request) {
    let Request { name: _, method: _, url, headers, body, timeout_ms: _ } = request;
    text(url);
    values(headers);
    optional(body);
}
