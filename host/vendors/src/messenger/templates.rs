//! Messages with buttons: the vendor's button template and generic template.

use botyard_kernel::action::{
    ButtonTemplate, Buttons, Card, Carousel, Choice, Header, LinkButton, RichLink,
};
use serde_json::{Value, json};

use super::dialect::Dialect;
use crate::fields::Fields;

/// Characters of the title and the subtitle of a card, as the profile has them.
pub(super) const CARD_CHARACTERS_MAX: usize = 80;
/// Characters of a button, as the profile has them.
pub(super) const BUTTON_CHARACTERS_MAX: usize = 20;

/// The template has no text above its cards: the kernel says it before.
pub(super) fn carousel(dialect: &Dialect, carousel: &Carousel) -> Value {
    generic(carousel.cards.iter().map(|card| self::card(dialect, card)).collect())
}

/// A card is chosen by the button below it.
fn card(dialect: &Dialect, card: &Card) -> Value {
    let label = Some(&*dialect.card_button).filter(|text| !text.is_empty());
    let label = shortened(label.unwrap_or(&card.label));
    Fields::new()
        .with("title", &*card.label)
        .some("subtitle", present(card.description.as_deref()))
        .some("image_url", present(card.image.as_deref()))
        .with("buttons", vec![postback(&card.id, &label)])
        .into()
}

/// A label that does not fit onto a button: it stands above it in full.
fn shortened(label: &str) -> String {
    if label.chars().count() <= BUTTON_CHARACTERS_MAX {
        return label.to_owned();
    }
    label.chars().take(BUTTON_CHARACTERS_MAX - 1).chain(['…']).collect()
}

/// A picture above a short text is a card. All else around the text stands in lines of
/// its own: the button template shows a text and nothing more.
pub(super) fn button_template(template: &ButtonTemplate) -> Value {
    let buttons: Vec<Value> = template.buttons.iter().map(choice).collect();
    let footer = present(template.footer.as_deref());
    let fits = |text: &str| text.chars().count() <= CARD_CHARACTERS_MAX;
    if let Some(Header::Image(link)) = &template.header
        && fits(&template.text)
        && footer.is_none_or(fits)
    {
        let card = Fields::new()
            .with("title", &*template.text)
            .some("subtitle", footer)
            .with("image_url", &**link)
            .with("buttons", buttons);
        return generic(vec![card.into()]);
    }
    let header = template.header.as_ref().map(|header| match header {
        Header::Text(text) => &**text,
        Header::Image(link) | Header::Video(link) | Header::Document(link) => &**link,
    });
    let lines = [present(header), Some(&*template.text), footer];
    let text = lines.into_iter().flatten().collect::<Vec<_>>().join("\n");
    titled(&text, buttons)
}

/// The vendor demands a text above buttons: without one, their labels are it.
pub(super) fn buttons(buttons: &Buttons) -> Value {
    let labels = || {
        let labels: Vec<_> = buttons.links.iter().map(|it| it.label.as_str()).collect();
        labels.join(", ")
    };
    let text = present(buttons.text.as_deref()).map_or_else(labels, str::to_owned);
    titled(&text, buttons.links.iter().map(link).collect())
}

pub(super) fn rich_link(rich: &RichLink) -> Value {
    let card = Fields::new()
        .with("title", &*rich.title)
        .some("subtitle", present(rich.text.as_deref()))
        .some("image_url", present(rich.image.as_deref()))
        .with("default_action", json!({ "type": "web_url", "url": rich.link }))
        .with(
            "buttons",
            vec![json!({
                "type": "web_url",
                "title": shortened(&rich.title),
                "url": rich.link,
            })],
        );
    generic(vec![card.into()])
}

fn generic(elements: Vec<Value>) -> Value {
    template(json!({ "template_type": "generic", "elements": elements }))
}

fn titled(text: &str, buttons: Vec<Value>) -> Value {
    template(json!({ "template_type": "button", "text": text, "buttons": buttons }))
}

fn template(payload: Value) -> Value {
    json!({ "attachment": { "type": "template", "payload": payload } })
}

fn choice(choice: &Choice) -> Value {
    postback(&choice.id, &choice.label)
}

fn postback(id: &str, label: &str) -> Value {
    json!({ "type": "postback", "title": label, "payload": id })
}

fn link(button: &LinkButton) -> Value {
    json!({ "type": "web_url", "title": button.label, "url": button.link })
}

/// Bots may write an absent text as an empty one.
fn present(text: Option<&str>) -> Option<&str> {
    text.filter(|text| !text.trim().is_empty())
}
