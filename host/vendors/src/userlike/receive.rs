//! A webhook's body to one event.

use botyard_kernel::event::{
    CampaignUnsubscribe, Click, EventBody, First, ForwardFailed, Location, Media, Message,
    NamedPayload, Start, TextFormat,
};
use serde_json::{Value, json};

use super::dialect::{Dialect, Paths, PayloadPaths};
use super::facts;
use super::settings::Settings;
use crate::webhook::{bad, named, raw};
use crate::{Inbound, Incoming, Received, Rejection};

/// A longer `cid` is not one of Userlike's.
const CID_BYTES_MAX: usize = 512;
/// A longer packet name is cut.
const NAME_BYTES_MAX: usize = 200;
/// Of a longer text, somebody's paste, the first part is told.
const TEXT_BYTES_MAX: usize = 64 * 1024;
/// Of a larger payload of an unknown packet the first part is told, as a text.
const JSON_BYTES_MAX: usize = 64 * 1024;
/// Of any other field so much is told; a longer one is nobody's label or link.
const FIELD_BYTES_MAX: usize = 8 * 1024;
/// What stands for the id of `start`, which a conversation has but once.
const START_KEY: &str = "start";

/// Reads a webhook that was verified.
pub(super) fn receive(settings: &Settings, request: &Inbound<'_>) -> Received {
    read(settings, request).map_or_else(Received::Rejected, |incoming| Received::Events {
        events: vec![incoming],
        damaged: Vec::new(),
    })
}

fn read(settings: &Settings, request: &Inbound<'_>) -> Result<Incoming, Rejection> {
    let body: Value = serde_json::from_slice(request.body)
        .map_err(|error| bad(format!("the body is not JSON: {error}")))?;
    let info = body.get("info").unwrap_or(&Value::Null);
    let packet = body.get("packet").unwrap_or(&Value::Null);
    let cid = info.get("cid").and_then(Value::as_str).unwrap_or_default();
    if cid.trim().is_empty() || cid.len() > CID_BYTES_MAX {
        return Err(bad(format!("`info.cid` must be a text of 1 to {CID_BYTES_MAX} bytes")));
    }
    let name = packet.get("name").and_then(Value::as_str).unwrap_or_default();
    if name.is_empty() {
        return Err(bad("`packet.name` must be a text that is not empty"));
    }
    let payload = packet.get("payload").unwrap_or(&Value::Null);
    let body = event(&settings.dialect, name, payload, info);
    Ok(Incoming {
        key: matches!(body, EventBody::Start(_)).then(|| START_KEY.to_owned()),
        request: Some(named(request)),
        raw: raw(request.body),
        facts: facts::facts(&settings.dialect, info),
        context: facts::context(info),
        ..Incoming::new(cid, body)
    })
}

/// A packet that we do not know, or whose payload we cannot read, is told as it is.
fn event(dialect: &Dialect, name: &str, payload: &Value, info: &Value) -> EventBody {
    let paths = &dialect.payload;
    let known = match name {
        "start" => Some(EventBody::Start(start(paths, payload, info))),
        "message" => message(paths, payload).map(EventBody::Message),
        "click" => click(paths, payload).map(EventBody::Click),
        "media" => media(paths, payload).map(EventBody::Media),
        "location" => location(paths, payload).map(EventBody::Location),
        "forward_failed" => {
            let reason = field(&paths.failure_reason, payload);
            Some(EventBody::ForwardFailed(ForwardFailed { reason }))
        }
        "campaign_unsubscribe" => Some(EventBody::CampaignUnsubscribe(CampaignUnsubscribe {
            campaign_id: field(&paths.campaign_id, payload),
            campaign_name: field(&paths.campaign_name, payload),
            keyword: field(&paths.campaign_keyword, payload),
        })),
        _ => None,
    };
    known.unwrap_or_else(|| EventBody::Other(other(name, payload)))
}

fn start(paths: &PayloadPaths, payload: &Value, info: &Value) -> Start {
    let first = nested_first(paths, payload).or_else(|| flat_first(paths, payload));
    Start { approach: facts::approach(info), first, resumed: false }
}

/// What the person opened with, where it stands in an object of its own.
fn nested_first(paths: &PayloadPaths, payload: &Value) -> Option<First> {
    let in_message = || message(paths, paths.start_message.object(payload)?).map(First::Message);
    let in_media = || media(paths, paths.start_media.object(payload)?).map(First::Media);
    let in_click = || click(paths, paths.start_click.object(payload)?).map(First::Click);
    let in_place = || location(paths, paths.start_location.object(payload)?).map(First::Location);
    in_media().or_else(in_place).or_else(in_click).or_else(in_message)
}

/// What the person opened with, where the payload itself says it.
fn flat_first(paths: &PayloadPaths, payload: &Value) -> Option<First> {
    if let Some(media) = media(paths, payload) {
        return Some(First::Media(media));
    }
    if let Some(location) = location(paths, payload) {
        return Some(First::Location(location));
    }
    if paths.start_click_marks.text(payload).is_some() {
        return click(paths, payload).map(First::Click);
    }
    message(paths, payload).map(First::Message)
}

/// An empty text is a message too: something was sent that the vendor could
/// not put into words.
fn message(paths: &PayloadPaths, payload: &Value) -> Option<Message> {
    let empty = || paths.text.found(payload).any(Value::is_string).then(String::new);
    let text = facts::cut(paths.text.text(payload).or_else(empty)?, TEXT_BYTES_MAX);
    let format = match paths.text_format.text(payload).as_deref() {
        Some("markdown_v1") => TextFormat::MarkdownV1,
        Some(_) | None => TextFormat::Plain,
    };
    Some(Message { text, format })
}

fn click(paths: &PayloadPaths, payload: &Value) -> Option<Click> {
    let label = field(&paths.option_label, payload);
    let id = field(&paths.option_id, payload).or_else(|| label.clone())?;
    Some(Click { option_ids: vec![id], label, ..Click::default() })
}

fn media(paths: &PayloadPaths, payload: &Value) -> Option<Media> {
    Some(Media {
        link: field(&paths.media_link, payload)?,
        name: field(&paths.media_name, payload),
        mime_type: field(&paths.media_mime_type, payload),
        size_bytes: paths.media_size.number(payload),
    })
}

fn location(paths: &PayloadPaths, payload: &Value) -> Option<Location> {
    let latitude: f64 = paths.latitude.number(payload)?;
    let longitude: f64 = paths.longitude.number(payload)?;
    let on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    on_earth.then(|| Location {
        latitude,
        longitude,
        name: field(&paths.place_name, payload),
        address: field(&paths.place_address, payload),
    })
}

fn field(paths: &Paths, payload: &Value) -> Option<String> {
    paths.text(payload).map(|text| facts::cut(text, FIELD_BYTES_MAX))
}

fn other(name: &str, payload: &Value) -> NamedPayload {
    let json = match payload {
        Value::Null => "{}".to_owned(),
        payload => payload.to_string(),
    };
    NamedPayload {
        name: facts::cut(name.to_owned(), NAME_BYTES_MAX),
        json: if json.len() <= JSON_BYTES_MAX { json } else { first_part(&json) },
    }
}

/// The first part of a JSON text that is too large, as a JSON object that is not.
fn first_part(json: &str) -> String {
    let of = |text: &str| json!({ "truncated": text }).to_string();
    let mut room = JSON_BYTES_MAX - of("").len();
    let cut = json.char_indices().find_map(|(at, c)| {
        // The JSON of a JSON text escapes its quotes once more.
        let told = if matches!(c, '"' | '\\') { 2 } else { c.len_utf8() };
        match room.checked_sub(told) {
            Some(left) => {
                room = left;
                None
            }
            None => Some(at),
        }
    });
    of(&json[..cut.unwrap_or(json.len())])
}
