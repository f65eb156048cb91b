//! What the person sees: the bodies of `/respond`.
//!
//! A body holds at most one of `list`, `payload`, `media` and `richContent`: each
//! action makes one of them or none, so nothing here can hold two.

use botyard_kernel::action::{
    Bubbles, ButtonTemplate, Card, Carousel, Choice, Header, ListTemplate, Media, Passthrough,
    RichLink, Row,
};
use botyard_kernel::files::{Kind, mime_type};
use serde_json::{Map, Value, json};

use super::Khoros;
use super::dialect::{Dialect, ListWords};
use super::reply::ReplyTo;
use crate::fields::Fields;

/// The body that says this to the person.
pub(super) fn body(khoros: &Khoros, reply: &ReplyTo, fields: Fields) -> Value {
    let dialect = &khoros.settings.dialect;
    let mut body = Map::new();
    body.insert("coordinate".to_owned(), reply.coordinate_of_reply(dialect).into());
    body.insert("author".to_owned(), json!(reply.author));
    body.insert("type".to_owned(), "message".into());
    if let Value::Object(fields) = fields.into() {
        body.extend(fields);
    }
    if dialect.synchronous {
        body.insert("processSynchronously".to_owned(), true.into());
    }
    body.into()
}

pub(super) fn text(text: &str) -> Fields {
    Fields::new().some("text", (!text.is_empty()).then_some(text))
}

/// Options to tap: a list picker where the network has those, else reply buttons.
pub(super) fn bubbles(khoros: &Khoros, reply: &ReplyTo, bubbles: &Bubbles) -> Fields {
    let dialect = &khoros.settings.dialect;
    if dialect.networks.lists.iter().any(|it| it == reply.network()) {
        return bubbles_list(&dialect.list, bubbles);
    }
    let said = owned(khoros, reply, text(&bubbles.text));
    said.with("actions", buttons("reply", &bubbles.options))
}

pub(super) fn button_template(
    khoros: &Khoros,
    reply: &ReplyTo,
    template: &ButtonTemplate,
) -> Fields {
    let said = owned(khoros, reply, text(&template_text(template)));
    said.with("actions", buttons("postback", &template.buttons))
}

/// The network's own payload, as the bot wrote it: also Apple's custom extensions.
pub(super) fn passthrough(passthrough: &Passthrough) -> Fields {
    Fields::new().with("payload", &*passthrough.json)
}

/// What goes with buttons that come back: who owns the conversation, and the times of
/// the message that is answered, where an event told them.
fn owned(khoros: &Khoros, reply: &ReplyTo, fields: Fields) -> Fields {
    fields
        .with("owner", json!({ "type": "BOT", "appId": khoros.settings.app_id }))
        .some("publishedTS", reply.published_ts)
        .some("receivedTS", reply.received_ts)
}

fn buttons(kind: &str, choices: &[Choice]) -> Vec<Value> {
    let button =
        |choice: &Choice| json!({ "type": kind, "payload": choice.id, "text": choice.label });
    choices.iter().map(button).collect()
}

/// What a template has around its text has no place of its own.
fn template_text(template: &ButtonTemplate) -> String {
    let header = template.header.as_ref().map(|header| match header {
        Header::Text(text) => text,
        Header::Image(link) | Header::Video(link) | Header::Document(link) => link,
    });
    lines([header.map(String::as_str), Some(&*template.text), template.footer.as_deref()])
}

fn lines<'a>(lines: impl IntoIterator<Item = Option<&'a str>>) -> String {
    let there = lines.into_iter().flatten().filter(|line| !line.trim().is_empty());
    there.collect::<Vec<_>>().join("\n")
}

fn bubbles_list(words: &ListWords, bubbles: &Bubbles) -> Fields {
    let rows = bubbles.options.iter().map(|option| choice(&option.id, &option.label, None, None));
    let section = section(0, &bubbles.text, false, rows.collect());
    picker(words, &bubbles.text, None, vec![section])
}

/// Cards in a list picker, the one form that shows options with pictures.
pub(super) fn carousel(words: &ListWords, carousel: &Carousel) -> Fields {
    let row = |card: &Card| {
        let picture = card.image.as_deref().map(|image| picture(words, image));
        choice(&card.id, &card.label, card.description.as_deref(), picture)
    };
    let rows = carousel.cards.iter().map(row).collect();
    let section = section(0, &carousel.text, false, rows);
    picker(words, &carousel.text, None, vec![section])
}

fn picture(words: &ListWords, link: &str) -> Value {
    let picture = json!({ "url": link, "mediaType": "IMAGE" });
    if words.picture_in_list { json!([picture]) } else { picture }
}

/// A list picker: the question is its title where the bot gave it none.
pub(super) fn list(words: &ListWords, list: &ListTemplate) -> Fields {
    let title = list.title.as_deref().filter(|title| !title.trim().is_empty());
    let title = title.unwrap_or(&list.text);
    let sections = list.sections.iter().enumerate().map(|(nth, part)| {
        let headline = part.title.as_deref().filter(|title| !title.trim().is_empty());
        let row = |row: &Row| choice(&row.id, &row.label, row.description.as_deref(), None);
        let rows = part.rows.iter().map(row).collect();
        section(nth, headline.unwrap_or(title), list.multiple, rows)
    });
    let said = lines([list.header.as_deref(), Some(&*list.text), list.footer.as_deref()]);
    let list = picker(words, title, Some(&list.button), sections.collect());
    list.some("text", (!said.is_empty()).then_some(said))
}

fn picker(words: &ListWords, title: &str, subtitle: Option<&str>, sections: Vec<Value>) -> Fields {
    let given = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let request = Fields::new()
        .with("title", title)
        .some("subtitle", subtitle.and_then(given))
        .with("style", &*words.request_style);
    let response = Fields::new()
        .with("title", given(&words.response_title).unwrap_or_else(|| title.to_owned()))
        .some("subtitle", given(&words.response_subtitle))
        .with("style", &*words.response_style);
    let list = Fields::new()
        .with("requestMessage", Value::from(request))
        .with("responseMessage", Value::from(response))
        .with("sections", sections);
    Fields::new().with("list", Value::from(list))
}

fn section(nth: usize, title: &str, multiple: bool, choices: Vec<Value>) -> Value {
    let id = nth.to_string();
    json!({ "id": id, "title": title, "multipleSelection": multiple, "choices": choices })
}

fn choice(id: &str, title: &str, subtitle: Option<&str>, picture: Option<Value>) -> Value {
    let subtitle = subtitle.filter(|text| !text.trim().is_empty());
    let message =
        Fields::new().with("title", title).some("subtitle", subtitle).some("media", picture);
    Fields::new().with("id", id).with("message", Value::from(message)).into()
}

/// All fields of a rich link are required, so the kernel makes a text of one without a
/// picture, and so does this of one that an older host left. The text beside it is for networks that show no rich links, so it names the page.
pub(super) fn rich_link(rich: &RichLink) -> Fields {
    let page = format!("{}: {}", rich.title, rich.link);
    let own = rich.text.as_deref();
    let names_page = own.is_some_and(|text| text.contains(&*rich.link));
    let said = text(&lines([own, (!names_page).then_some(&*page)]));
    let Some(image) = &rich.image else { return said };
    // An address without an ending is most often a picture's.
    let mime_type = mime_type(image).unwrap_or("image/jpeg");
    let Some(media_type) = media_type(Kind::of(mime_type)) else { return said };
    said.with(
        "richContent",
        json!({
            "mediaType": media_type,
            "url": rich.link,
            "title": rich.title,
            "mediaUrl": image,
            "mimeType": mime_type,
        }),
    )
}

/// Khoros takes pictures and videos. The kernel makes a link of any other file, which
/// every network carries, and so does this of one that an older host left.
pub(super) fn media(dialect: &Dialect, media: &Media) -> Fields {
    let name = media.name.as_deref().filter(|name| !name.trim().is_empty());
    let Some(media_type) = Kind::of_media(media).and_then(media_type) else {
        let link =
            name.map_or_else(|| media.link.clone(), |name| format!("{name}: {}", media.link));
        return text(&lines([media.caption.as_deref(), Some(&*link)]));
    };
    let title = name.filter(|_| dialect.media_title);
    let file =
        Fields::new().with("url", &*media.link).with("mediaType", media_type).some("title", title);
    text(media.caption.as_deref().unwrap_or_default()).with("media", vec![Value::from(file)])
}

/// Khoros' word for a kind of file. It has one for pictures and one for videos.
fn media_type(kind: Kind) -> Option<&'static str> {
    match kind {
        Kind::Image => Some("IMAGE"),
        Kind::Video => Some("VIDEO"),
        Kind::Audio | Kind::Document => None,
    }
}
