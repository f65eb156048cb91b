//! The rules that many fields share.

use serde_json::Value;

use super::{LABEL_CHARACTERS_MAX, NAME_BYTES_MAX, TEXT_CHARACTERS_MAX};

pub(super) fn check_text(text: &str) -> Result<(), String> {
    let characters = text.chars().count();
    require(characters >= 1, "a text has at least 1 character")?;
    require(characters <= TEXT_CHARACTERS_MAX, "a text has at most 5,000 characters")
}

pub(super) fn check_optional(texts: &[&Option<String>]) -> Result<(), String> {
    let given = texts.iter().filter_map(|text| text.as_deref());
    given.filter(|text| !text.is_empty()).try_for_each(check_text)
}

pub(super) fn check_label(label: &str) -> Result<(), String> {
    let fits = (1..=LABEL_CHARACTERS_MAX).contains(&label.chars().count());
    require(fits, "a label has 1 to 500 characters")
}

/// As a label; an empty one counts as absent.
pub(super) fn check_short_label(label: Option<&str>) -> Result<(), String> {
    let Some(label) = label.filter(|label| !label.is_empty()) else { return Ok(()) };
    require(!label.trim().is_empty(), "a short label is not blank")?;
    check_label(label)
}

pub(super) fn check_name(name: &str) -> Result<(), String> {
    let fits = !name.is_empty() && name.len() <= NAME_BYTES_MAX;
    require(fits, "a name has 1 to 200 bytes")
}

pub(super) fn check_id(id: &str) -> Result<(), String> {
    require(!id.is_empty(), "an id or name of the vendor is not empty")
}

pub(super) fn check_ids(ids: &[String]) -> Result<(), String> {
    require(!ids.is_empty(), "a list of ids has at least one")?;
    ids.iter().try_for_each(|id| check_id(id))
}

pub(super) fn check_link(link: &str) -> Result<(), String> {
    let http = is_address(link, "http") || is_address(link, "https");
    require(http, "a link is an absolute http or https address in ASCII")
}

pub(super) fn check_secure_link(link: &str) -> Result<(), String> {
    let rule = "pictures of cards and media have an absolute https address in ASCII";
    require(is_address(link, "https"), rule)
}

fn is_address(link: &str, scheme: &str) -> bool {
    let Some((given, rest)) = link.split_once("://") else { return false };
    let host = rest.split(['/', '?', '#']).next().unwrap_or_default();
    given.eq_ignore_ascii_case(scheme)
        && !host.is_empty()
        && link.chars().all(|c| c.is_ascii_graphic())
}

pub(super) fn is_header_name(name: &str) -> bool {
    let legal = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    !name.is_empty() && name.chars().all(legal)
}

pub(super) fn is_header_value(value: &str) -> bool {
    value.chars().all(|c| c.is_ascii_graphic() || c == ' ' || c == '\t')
}

pub(super) fn check_json(json: &str) -> Result<(), String> {
    require(serde_json::from_str::<Value>(json).is_ok(), "a payload is JSON")
}

pub(super) fn check_object(json: &str) -> Result<(), String> {
    let object = serde_json::from_str::<Value>(json).is_ok_and(|value| value.is_object());
    require(object, "contexts, custom fields and packets are JSON objects")
}

pub(super) fn require(holds: bool, rule: &str) -> Result<(), String> {
    if holds { Ok(()) } else { Err(rule.to_owned()) }
}
