//! The answer of an API block: exactly one JSON object.

use serde_json::{Map, Value};

use super::document::ANSWER_KEYS;
use crate::fields::{Fields, is_link};

/// "Select output type": how an answer is shown. The builder says so, not the answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Output {
    /// As a text.
    Text,
    /// As a picture.
    Image,
    /// As a gallery of cards.
    Gallery,
    /// As buttons.
    Button,
    /// As buttons above the keyboard.
    QuickReply,
}

impl Output {
    /// All of them.
    pub const ALL: &[Self] =
        &[Self::Text, Self::Image, Self::Gallery, Self::Button, Self::QuickReply];

    /// Its name in records.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Image => "image",
            Self::Gallery => "gallery",
            Self::Button => "button",
            Self::QuickReply => "quick_reply",
        }
    }

    /// What can be tapped, out of `data` in the inferred form.
    pub(super) fn titles(self, data: &str) -> Result<Vec<String>, String> {
        titles(data, self)
    }
}

/// An answer that was judged good.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) data: String,
    pub(super) success: bool,
    pub(super) attributes: Map<String, Value>,
    /// What can be tapped.
    pub(super) titles: Vec<String>,
}

/// Reads an answer.
pub(super) fn judge(body: &str, output: Output, shapes: bool) -> Result<Answer, String> {
    let value: Value = serde_json::from_str(body).map_err(|error| format!("not JSON: {error}"))?;
    let fields = Fields::of("the answer", &value)?;
    fields.no_others(ANSWER_KEYS)?;
    for key in ["data", "message"] {
        if !value[key].is_string() {
            return Err(format!("{key} is {}, not a string", value[key]));
        }
    }
    if !value["success"].is_boolean() {
        return Err(format!("success is {}, not true or false", value["success"]));
    }
    fields.whole_number("status")?;
    if value.get("attributes").is_some() {
        fields.object("attributes")?;
    }
    let data = fields.word("data").to_owned();
    let judged = shapes && !data.is_empty();
    let titles = if judged { output.titles(&data)? } else { Vec::new() };
    let success = value["success"] == true;
    let attributes = value["attributes"].as_object().cloned().unwrap_or_default();
    Ok(Answer { data, success, attributes, titles })
}

/// The form of the structured kinds, which is inferred.
fn titles(data: &str, output: Output) -> Result<Vec<String>, String> {
    match output {
        Output::Text => Ok(Vec::new()),
        Output::Image if is_link(data) => Ok(Vec::new()),
        Output::Image => Err("data of an image is no address".to_owned()),
        Output::Gallery | Output::Button | Output::QuickReply => {
            let value: Value = serde_json::from_str(data)
                .map_err(|error| format!("data of a {} is no JSON: {error}", output.name()))?;
            let list = value.as_array().filter(|list| !list.is_empty());
            let list = list.ok_or_else(|| format!("data of a {} is no list", output.name()))?;
            let mut titles = Vec::new();
            for item in list {
                let fields = Fields::of(output.name(), item)?;
                fields.some_text("title")?;
                if output == Output::Gallery {
                    fields.optional_link("image")?;
                    let buttons = item["buttons"].as_array().into_iter().flatten();
                    titles.extend(buttons.filter_map(|it| it["title"].as_str()).map(str::to_owned));
                } else {
                    titles.push(fields.word("title").to_owned());
                }
            }
            Ok(titles)
        }
    }
}
