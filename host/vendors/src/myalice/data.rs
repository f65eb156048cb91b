//! The `data` of an answer: a text, whatever the block shows.
//!
//! What a text block takes is stated; the forms of all others are not public, so they
//! are templates. In a template a text that is a name in braces, such as `{label}`,
//! stands for what the action says there; a field whose text the action lacks is left
//! out. A template that comes out as a text is the `data`, any other one is its JSON.

use botyard_kernel::action::{
    Action, Bubbles, Buttons, Card, Carousel, Choice, LinkButton, Media, RichLink,
};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::form::Form;

/// The templates.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub(super) struct Data {
    /// A `media`, for an image block: `{link}`, `{name}`, `{mime_type}`.
    image: Value,
    /// A `carousel`, for a gallery: `{text}` and `{items}`, each of them with `{id}`,
    /// `{label}`, `{image}` and `{description}`.
    gallery: List,
    /// A `rich_link`, for a gallery: its one item has `{link}`, `{title}`, `{image}` and
    /// `{text}`.
    gallery_link: List,
    /// The `buttons` of a button block: `{text}` and `{items}`, each of them with
    /// `{label}` and `{link}`.
    button: List,
    /// The `bubbles` of a quick reply block: `{text}` and `{items}`, each of them with
    /// `{id}` and `{label}`.
    quick_reply: List,
}

impl Default for Data {
    fn default() -> Self {
        let item = |item: Value| List { whole: json!("{items}"), item };
        Self {
            image: json!("{link}"),
            gallery: item(json!({
                "title": "{label}",
                "subtitle": "{description}",
                "image": "{image}",
                "buttons": [{ "title": "{label}" }],
            })),
            gallery_link: item(json!({
                "title": "{title}",
                "subtitle": "{text}",
                "image": "{image}",
                "buttons": [{ "title": "{title}", "type": "web_url", "url": "{link}" }],
            })),
            button: item(json!({ "title": "{label}", "type": "web_url", "url": "{link}" })),
            quick_reply: item(json!({ "title": "{label}" })),
        }
    }
}

/// A template of a list, and of its items.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(deny_unknown_fields, rename_all = "kebab-case")]
struct List {
    whole: Value,
    item: Value,
}

/// What stands for a name in braces; absent where the action says nothing.
type Meaning<'a> = (&'static str, Option<Value>);

impl Data {
    /// What a block of this form shows of an action; absent where it is not made for it.
    pub(super) fn of(&self, form: Form, action: &Action) -> Option<String> {
        let value = match action {
            Action::Message(it) if form == Form::Text => Some(Value::from(&*it.text)),
            Action::Media(it) if form == Form::Image => fill(&self.image, &media(it)),
            Action::Carousel(it) if form == Form::Gallery => gallery(&self.gallery, it),
            Action::RichLink(it) if form == Form::Gallery => {
                self.gallery_link.fill(None, std::iter::once(link(it)))
            }
            Action::Buttons(it) if form == Form::Button => buttons(&self.button, it),
            Action::Bubbles(it) if form == Form::QuickReply => bubbles(&self.quick_reply, it),
            Action::Message(_)
            | Action::Bubbles(_)
            | Action::Carousel(_)
            | Action::ButtonTemplate(_)
            | Action::ListTemplate(_)
            | Action::Buttons(_)
            | Action::RichLink(_)
            | Action::Media(_)
            | Action::Navigate(_)
            | Action::Typing(_)
            | Action::Delay(_)
            | Action::ContextUpdate(_)
            | Action::ContextClear
            | Action::ContactUpdate(_)
            | Action::ConversationUpdate(_)
            | Action::NoteCreate(_)
            | Action::Tag(_)
            | Action::Untag(_)
            | Action::Priority(_)
            | Action::WorkQueue(_)
            | Action::Resolve(_)
            | Action::SecureForm(_)
            | Action::Forward(_)
            | Action::Abort
            | Action::End
            | Action::AddonDispatch(_)
            | Action::EmailDispatch(_)
            | Action::Schedule(_)
            | Action::CancelTimer(_)
            | Action::Request(_)
            | Action::Passthrough(_)
            | Action::Other(_) => None,
        };
        match value? {
            Value::String(text) => Some(text),
            other => Some(other.to_string()),
        }
    }

    /// Whether a block of this form has a place for the text above its items.
    pub(super) fn tells(&self, form: Form) -> bool {
        match form {
            Form::Text => true,
            Form::Image => false,
            Form::Gallery => self.gallery.tells(),
            Form::Button => self.button.tells(),
            Form::QuickReply => self.quick_reply.tells(),
        }
    }

    /// Whether every name in braces stands for something; in words for the tenant.
    pub(super) fn check(&self) -> Result<(), String> {
        known("image", &self.image, &["link", "name", "mime_type"])?;
        let lists = [
            ("gallery", &self.gallery, &["id", "label", "image", "description"][..]),
            ("gallery-link", &self.gallery_link, &["link", "title", "image", "text"]),
            ("button", &self.button, &["label", "link"]),
            ("quick-reply", &self.quick_reply, &["id", "label"]),
        ];
        for (name, list, names) in lists {
            known(name, &list.whole, &["text", "items"])?;
            known(name, &list.item, names)?;
        }
        Ok(())
    }
}

impl List {
    fn tells(&self) -> bool {
        stands_in(&self.whole, "text")
    }

    fn fill<'a, const N: usize>(
        &self,
        text: Option<&str>,
        items: impl Iterator<Item = [Meaning<'a>; N]>,
    ) -> Option<Value> {
        let items = items.filter_map(|item| fill(&self.item, &item)).collect();
        fill(&self.whole, &[("text", some(text)), ("items", Some(Value::Array(items)))])
    }
}

fn media(media: &Media) -> [Meaning<'_>; 3] {
    let (name, mime_type) = (media.name.as_deref(), media.mime_type.as_deref());
    [("link", some(Some(&media.link))), ("name", some(name)), ("mime_type", some(mime_type))]
}

fn gallery(template: &List, carousel: &Carousel) -> Option<Value> {
    let card = |card: &Card| {
        [
            ("id", some(Some(&card.id))),
            ("label", some(Some(&card.label))),
            ("image", some(card.image.as_deref())),
            ("description", some(card.description.as_deref())),
        ]
    };
    template.fill(Some(&carousel.text), carousel.cards.iter().map(card))
}

fn link(link: &RichLink) -> [Meaning<'_>; 4] {
    [
        ("link", some(Some(&link.link))),
        ("title", some(Some(&link.title))),
        ("image", some(link.image.as_deref())),
        ("text", some(link.text.as_deref())),
    ]
}

fn buttons(template: &List, buttons: &Buttons) -> Option<Value> {
    let button =
        |it: &LinkButton| [("label", some(Some(&it.label))), ("link", some(Some(&it.link)))];
    template.fill(buttons.text.as_deref(), buttons.links.iter().map(button))
}

fn bubbles(template: &List, bubbles: &Bubbles) -> Option<Value> {
    let option = |it: &Choice| [("id", some(Some(&it.id))), ("label", some(Some(&it.label)))];
    template.fill(Some(&bubbles.text), bubbles.options.iter().map(option))
}

fn some(text: Option<&str>) -> Option<Value> {
    text.filter(|text| !text.is_empty()).map(Value::from)
}

/// A template with everything in its place; `None` where it is a name alone and the
/// action says nothing there.
fn fill(template: &Value, meanings: &[Meaning<'_>]) -> Option<Value> {
    match template {
        Value::String(text) => match meanings.iter().find(|(name, _)| braced(text) == Some(name)) {
            Some((_, meaning)) => meaning.clone(),
            None => Some(template.clone()),
        },
        Value::Array(items) => Some(items.iter().filter_map(|item| fill(item, meanings)).collect()),
        Value::Object(fields) => {
            let filled = fields
                .iter()
                .filter_map(|(key, value)| Some((key.clone(), fill(value, meanings)?)));
            Some(Value::Object(filled.collect()))
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => Some(template.clone()),
    }
}

/// Whether a template has a place for what this name stands for.
fn stands_in(template: &Value, name: &str) -> bool {
    match template {
        Value::String(text) => braced(text) == Some(name),
        Value::Array(items) => items.iter().any(|item| stands_in(item, name)),
        Value::Object(fields) => fields.values().any(|field| stands_in(field, name)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// The name that stands in braces.
fn braced(text: &str) -> Option<&str> {
    text.strip_prefix('{')?.strip_suffix('}')
}

fn known(form: &str, template: &Value, names: &[&str]) -> Result<(), String> {
    match template {
        Value::String(text) => match braced(text) {
            Some(name) if !names.contains(&name) => Err(format!(
                "nothing is called `{text}` in this part of `{form}`; known are: {}",
                names.iter().map(|name| format!("`{{{name}}}`")).collect::<Vec<_>>().join(", ")
            )),
            Some(_) | None => Ok(()),
        },
        Value::Array(items) => items.iter().try_for_each(|item| known(form, item, names)),
        Value::Object(fields) => fields.values().try_for_each(|field| known(form, field, names)),
        Value::Null | Value::Bool(_) | Value::Number(_) => Ok(()),
    }
}
