//! One action of every case, from a few words.

use crate::action::{
    Action, AddonDispatch, Bubbles, ButtonTemplate, Buttons, Card, Carousel, Choice, ContactUpdate,
    ConversationUpdate, Delay, EmailDispatch, EmailRecipient, Forward, ForwardTarget, Header,
    LinkButton, ListSection, ListTemplate, Media, Message, NamedPayload, Navigate, NoteCreate,
    OnFailure, Passthrough, Request, Resolve, RichLink, Row, Schedule, SecureForm, TextFormat,
    Typing, WorkQueue,
};

/// What the sample actions say.
#[derive(Clone, Debug)]
pub(crate) struct Words {
    pub(crate) text: String,
    pub(crate) extra: Option<String>,
    pub(crate) labels: Vec<String>,
}

pub(crate) fn words(text: &str, labels: &[&str]) -> Words {
    let labels = labels.iter().map(|&label| label.to_owned()).collect();
    Words { text: text.to_owned(), extra: None, labels }
}

/// Every case of `Action`, the choices among targets and vendors included.
pub(crate) fn every_action(words: &Words) -> Vec<Action> {
    let mut all = menus(words);
    all.extend(speech(words));
    all.extend(desk(words));
    all.extend(hand_offs());
    all.extend(host_side());
    all
}

/// Some options have a short label.
fn short(n: usize) -> Option<String> {
    (n % 2 == 1).then(|| format!("Nr {n}"))
}

pub(crate) fn menus(words: &Words) -> Vec<Action> {
    let Words { text, extra, labels } = words.clone();
    let ids = || {
        let named = labels.iter().enumerate();
        named.map(|(n, label)| (format!("id-{n}"), label.clone(), short(n)))
    };
    let choices: Vec<Choice> =
        ids().map(|(id, label, short_label)| Choice { id, label, short_label }).collect();
    let cards = ids().map(|(id, label, short_label)| Card {
        id,
        label,
        short_label,
        image: Some("https://a.b/c.png".to_owned()),
        description: extra.clone(),
    });
    let description = || extra.clone();
    let rows = ids().map(|(id, label, short_label)| Row {
        id,
        label,
        short_label,
        description: description(),
    });
    let sections = rows.map(|row| ListSection { title: extra.clone(), rows: vec![row] });
    vec![
        Action::Bubbles(Bubbles {
            text: text.clone(),
            format: TextFormat::MarkdownV1,
            options: choices.clone(),
            fallback: None,
        }),
        Action::Carousel(Carousel { text: text.clone(), cards: cards.collect(), fallback: None }),
        Action::ButtonTemplate(ButtonTemplate {
            header: extra.clone().map(Header::Text),
            text: text.clone(),
            footer: extra.clone(),
            buttons: choices.iter().take(3).cloned().collect(),
            fallback: None,
        }),
        Action::ListTemplate(ListTemplate {
            header: extra.clone(),
            text,
            footer: extra.clone(),
            button: "Open".to_owned(),
            title: extra.clone(),
            sections: sections.collect(),
            multiple: true,
            fallback: None,
        }),
    ]
}

pub(crate) fn speech(words: &Words) -> Vec<Action> {
    let Words { text, extra, labels } = words.clone();
    let link = "https://a.b/c".to_owned();
    let links = labels.iter().map(|label| LinkButton {
        label: label.clone(),
        short_label: None,
        link: link.clone(),
    });
    vec![
        Action::Message(Message { text: text.clone(), format: TextFormat::MarkdownV1 }),
        Action::Buttons(Buttons { text: extra.clone(), links: links.collect() }),
        Action::RichLink(RichLink {
            link: link.clone(),
            title: labels[0].clone(),
            image: Some(link.clone()),
            text: Some(text.clone()),
        }),
        Action::Media(Media {
            link: link.clone(),
            name: extra,
            mime_type: None,
            caption: Some(text.clone()),
        }),
        Action::Navigate(Navigate { link }),
        Action::SecureForm(SecureForm { form: "f".to_owned(), text: Some(text) }),
        Action::SecureForm(SecureForm { form: "f".to_owned(), text: None }),
    ]
}

pub(crate) fn desk(words: &Words) -> Vec<Action> {
    let text = words.text.clone();
    vec![
        Action::Typing(Typing::Start),
        Action::ContactUpdate(ContactUpdate { name: Some(text.clone()), ..Default::default() }),
        Action::ConversationUpdate(ConversationUpdate {
            subject: Some(text.clone()),
            ..Default::default()
        }),
        Action::NoteCreate(NoteCreate { text, contact_id: None }),
        Action::Tag(vec!["a".to_owned()]),
        Action::Untag(vec!["a".to_owned()]),
        Action::Priority(1),
        Action::WorkQueue(WorkQueue { queue: "q".to_owned(), comment: None }),
        Action::Resolve(Resolve::default()),
        Action::End,
        Action::AddonDispatch(AddonDispatch { addon: "a".to_owned() }),
        Action::EmailDispatch(EmailDispatch { recipient: EmailRecipient::Contact }),
        passthrough("userlike"),
        passthrough("khoros"),
        other("reaction"),
        other("message"),
    ]
}

pub(crate) fn hand_offs() -> Vec<Action> {
    let id = || "7".to_owned();
    let targets = [
        ForwardTarget::Any,
        ForwardTarget::Group(id()),
        ForwardTarget::Skills(vec![id()]),
        ForwardTarget::Human(id()),
        ForwardTarget::Bot(id()),
    ];
    let on_failure = Some(OnFailure::Feedback);
    let forwards = targets.map(|target| Action::Forward(Forward { target, on_failure }));
    forwards.into_iter().chain([Action::Abort]).collect()
}

pub(crate) fn host_side() -> Vec<Action> {
    let name = || "n".to_owned();
    vec![
        Action::Delay(Delay { delay_ms: 1, typing: true }),
        Action::ContextUpdate("{}".to_owned()),
        Action::ContextClear,
        Action::Schedule(Schedule { name: name(), after_ms: 1, payload: None }),
        Action::CancelTimer(name()),
        Action::Request(Request {
            name: name(),
            method: "GET".to_owned(),
            url: "https://a.b".to_owned(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
        }),
    ]
}

pub(crate) fn passthrough(vendor: &str) -> Action {
    Action::Passthrough(Passthrough {
        vendor: vendor.to_owned(),
        json: "{\"name\":\"survey\"}".to_owned(),
    })
}

pub(crate) fn other(name: &str) -> Action {
    Action::Other(NamedPayload { name: name.to_owned(), json: "{}".to_owned() })
}
