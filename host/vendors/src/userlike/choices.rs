//! Choice messages: everything whose options come back as a click.

use botyard_kernel::action::{
    Bubbles, ButtonTemplate, Carousel, Choice, Header, ListTemplate, Row, TextFormat,
};
use botyard_kernel::text;
use serde_json::Value;

use super::dialect::{Dialect, Keys};
use super::fields::text_format;
use crate::fields::Fields;

pub(super) fn bubbles(dialect: &Dialect, bubbles: &Bubbles) -> Fields {
    let format = text_format(bubbles.format).filter(|_| dialect.bubbles_text_format);
    Fields::new()
        .with(&dialect.keys.choice_text, &*bubbles.text)
        .some("text_format", format)
        .with(&dialect.keys.options, choices(&dialect.keys, &bubbles.options))
        .with("fallback", bubbles_fallback(bubbles))
}

/// Userlike demands a fallback of every choice message; the body says it too.
fn fallback<'a>(given: Option<&'a str>, body: &'a str) -> &'a str {
    given.filter(|text| !text.is_empty()).unwrap_or(body)
}

/// The fallback has no format of its own: what is made of the body is bare text.
fn bubbles_fallback(bubbles: &Bubbles) -> String {
    match bubbles.format {
        TextFormat::Plain => fallback(bubbles.fallback.as_deref(), &bubbles.text).to_owned(),
        TextFormat::MarkdownV1 => {
            fallback(bubbles.fallback.as_deref(), &text::bare(&bubbles.text)).to_owned()
        }
    }
}

fn choices(keys: &Keys, choices: &[Choice]) -> Vec<Value> {
    choices.iter().map(|choice| option(keys, &choice.id, &choice.label).into()).collect()
}

fn option(keys: &Keys, id: &str, label: &str) -> Fields {
    Fields::new().with(&keys.option_id, id).with(&keys.option_label, label)
}

pub(super) fn carousel(keys: &Keys, carousel: &Carousel) -> Fields {
    let cards = carousel.cards.iter().map(|card| {
        option(keys, &card.id, &card.label)
            .some(&keys.option_image, card.image.as_deref())
            .some(&keys.option_description, card.description.as_deref())
            .into()
    });
    Fields::new()
        .with(&keys.choice_text, &*carousel.text)
        .with(&keys.options, cards.collect::<Vec<Value>>())
        .with("fallback", fallback(carousel.fallback.as_deref(), &carousel.text))
}

pub(super) fn button_template(keys: &Keys, template: &ButtonTemplate) -> Fields {
    Fields::new()
        .some(&keys.template_header, template.header.as_ref().map(|it| header(keys, it)))
        .with(&keys.choice_text, &*template.text)
        .some(&keys.template_footer, template.footer.as_deref())
        .with(&keys.template_buttons, choices(keys, &template.buttons))
        .with("fallback", fallback(template.fallback.as_deref(), &template.text))
}

fn header(keys: &Keys, header: &Header) -> Value {
    let (kind, key, value) = match header {
        Header::Text(text) => (&keys.header_type_text, &keys.header_text, text),
        Header::Image(link) => (&keys.header_type_image, &keys.header_link, link),
        Header::Video(link) => (&keys.header_type_video, &keys.header_link, link),
        Header::Document(link) => (&keys.header_type_document, &keys.header_link, link),
    };
    Fields::new().with(&keys.header_type, &**kind).with(key, &**value).into()
}

/// A list has one section here: the rows of all sections follow each other.
pub(super) fn list_template(keys: &Keys, template: &ListTemplate) -> Fields {
    let rows = template.sections.iter().flat_map(|section| &section.rows);
    Fields::new()
        .some(&keys.template_header, template.header.as_deref())
        .with(&keys.choice_text, &*template.text)
        .some(&keys.template_footer, template.footer.as_deref())
        .with(&keys.list_button, &*template.button)
        .some(&keys.list_title, template.title.as_deref())
        .with(&keys.options, rows.map(|row| list_row(keys, row)).collect::<Vec<_>>())
        .with("fallback", fallback(template.fallback.as_deref(), &template.text))
}

fn list_row(keys: &Keys, row: &Row) -> Value {
    option(keys, &row.id, &row.label)
        .some(&keys.option_description, row.description.as_deref())
        .into()
}
