//! Every action that there can be.

use botyard_kernel::action::{self, Action};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

use crate::any_event::{format, named_payload, settings, text};

/// Any action.
pub(crate) fn actions() -> impl Strategy<Value = Action> {
    prop_oneof![
        4 => choices(),
        7 => speech(),
        8 => desk(),
        8 => endings(),
        5 => machinery(),
    ]
}

prop_compose! {
    fn choice()(id in text(), label in text(), short_label in of(text())) -> action::Choice {
        action::Choice { id, label, short_label }
    }
}

prop_compose! {
    fn card()(
        id in text(), label in text(), short_label in of(text()), image in of(text()),
        description in of(text()),
    ) -> action::Card {
        action::Card { id, label, short_label, image, description }
    }
}

prop_compose! {
    fn row()(
        id in text(), label in text(), short_label in of(text()), description in of(text()),
    ) -> action::Row {
        action::Row { id, label, short_label, description }
    }
}

prop_compose! {
    fn section()(title in of(text()), rows in vec(row(), 0..3)) -> action::ListSection {
        action::ListSection { title, rows }
    }
}

prop_compose! {
    fn list_template()(
        header in of(text()), text in text(), footer in of(text()), button in text(),
        title in of(text()), sections in vec(section(), 0..3), multiple in any::<bool>(),
        fallback in of(text()),
    ) -> action::ListTemplate {
        action::ListTemplate { header, text, footer, button, title, sections, multiple, fallback }
    }
}

fn header() -> impl Strategy<Value = action::Header> {
    prop_oneof![
        text().prop_map(action::Header::Text),
        text().prop_map(action::Header::Image),
        text().prop_map(action::Header::Video),
        text().prop_map(action::Header::Document),
    ]
}

fn choices() -> impl Strategy<Value = Action> {
    prop_oneof![
        (text(), format(), vec(choice(), 0..4), of(text())).prop_map(
            |(text, format, options, fallback)| {
                Action::Bubbles(action::Bubbles { text, format, options, fallback })
            }
        ),
        (text(), vec(card(), 0..4), of(text())).prop_map(|(text, cards, fallback)| {
            Action::Carousel(action::Carousel { text, cards, fallback })
        }),
        (of(header()), text(), of(text()), vec(choice(), 0..4), of(text())).prop_map(
            |(header, text, footer, buttons, fallback)| {
                Action::ButtonTemplate(action::ButtonTemplate {
                    header,
                    text,
                    footer,
                    buttons,
                    fallback,
                })
            }
        ),
        list_template().prop_map(Action::ListTemplate),
    ]
}

fn speech() -> impl Strategy<Value = Action> {
    let link_button = (text(), of(text()), text())
        .prop_map(|(label, short_label, link)| action::LinkButton { label, short_label, link });
    prop_oneof![
        (text(), format())
            .prop_map(|(text, format)| Action::Message(action::Message { text, format })),
        (of(text()), vec(link_button, 0..4))
            .prop_map(|(text, links)| Action::Buttons(action::Buttons { text, links })),
        (text(), text(), of(text()), of(text())).prop_map(|(link, title, image, text)| {
            Action::RichLink(action::RichLink { link, title, image, text })
        }),
        (text(), of(text()), of(text()), of(text())).prop_map(
            |(link, name, mime_type, caption)| {
                Action::Media(action::Media { link, name, mime_type, caption })
            }
        ),
        text().prop_map(|link| Action::Navigate(action::Navigate { link })),
        prop_oneof![Just(action::Typing::Start), Just(action::Typing::Stop)]
            .prop_map(Action::Typing),
        (any::<u32>(), any::<bool>())
            .prop_map(|(delay_ms, typing)| Action::Delay(action::Delay { delay_ms, typing })),
    ]
}

prop_compose! {
    fn contact_update()(
        name in of(text()), email in of(text()), mobile_number in of(text()),
        external_customer_id in of(text()), custom_fields in of(text()),
    ) -> action::ContactUpdate {
        action::ContactUpdate { name, email, mobile_number, external_customer_id, custom_fields }
    }
}

prop_compose! {
    fn conversation_update()(
        subject in of(text()), topics in of(vec(text(), 0..3)), locale in of(text()),
        custom_fields in of(text()),
    ) -> action::ConversationUpdate {
        action::ConversationUpdate { subject, topics, locale, custom_fields }
    }
}

fn desk() -> impl Strategy<Value = Action> {
    prop_oneof![
        contact_update().prop_map(Action::ContactUpdate),
        conversation_update().prop_map(Action::ConversationUpdate),
        (text(), of(text())).prop_map(|(text, contact_id)| {
            Action::NoteCreate(action::NoteCreate { text, contact_id })
        }),
        vec(text(), 0..4).prop_map(Action::Tag),
        vec(text(), 0..4).prop_map(Action::Untag),
        any::<u32>().prop_map(Action::Priority),
        (text(), of(text()))
            .prop_map(|(queue, comment)| Action::WorkQueue(action::WorkQueue { queue, comment })),
        (text(), of(text()))
            .prop_map(|(form, text)| Action::SecureForm(action::SecureForm { form, text })),
    ]
}

fn forward() -> impl Strategy<Value = action::Forward> {
    let target = prop_oneof![
        Just(action::ForwardTarget::Any),
        text().prop_map(action::ForwardTarget::Group),
        vec(text(), 0..4).prop_map(action::ForwardTarget::Skills),
        text().prop_map(action::ForwardTarget::Human),
        text().prop_map(action::ForwardTarget::Bot),
    ];
    let on_failure =
        prop_oneof![Just(action::OnFailure::Feedback), Just(action::OnFailure::Unassign)];
    (target, of(on_failure)).prop_map(|(target, on_failure)| action::Forward { target, on_failure })
}

fn endings() -> impl Strategy<Value = Action> {
    let recipient = prop_oneof![
        Just(action::EmailRecipient::Contact),
        text().prop_map(action::EmailRecipient::Operator),
    ];
    prop_oneof![
        forward().prop_map(Action::Forward),
        Just(Action::Abort),
        Just(Action::End),
        of(text()).prop_map(|comment| Action::Resolve(action::Resolve { comment })),
        text().prop_map(|addon| Action::AddonDispatch(action::AddonDispatch { addon })),
        recipient.prop_map(|recipient| Action::EmailDispatch(action::EmailDispatch { recipient })),
        text().prop_map(Action::ContextUpdate),
        Just(Action::ContextClear),
    ]
}

prop_compose! {
    fn request()(
        name in text(), method in text(), url in text(), headers in settings(),
        body in of(text()), timeout_ms in of(any::<u32>()),
    ) -> action::Request {
        action::Request { name, method, url, headers, body, timeout_ms }
    }
}

fn machinery() -> impl Strategy<Value = Action> {
    prop_oneof![
        (text(), any::<u64>(), of(text())).prop_map(|(name, after_ms, payload)| {
            Action::Schedule(action::Schedule { name, after_ms, payload })
        }),
        text().prop_map(Action::CancelTimer),
        request().prop_map(Action::Request),
        (text(), text()).prop_map(|(vendor, json)| {
            Action::Passthrough(action::Passthrough { vendor, json })
        }),
        named_payload().prop_map(Action::Other),
    ]
}
