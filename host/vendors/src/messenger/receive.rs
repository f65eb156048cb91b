//! A webhook's body to the events of all its entries.

use botyard_kernel::event::RAW_BYTES_MAX;
use botyard_kernel::time::Millis;
use http::Method;
use serde_json::Value;

use super::bounded::cut;
use super::items::{self, FACEBOOK, Heard, Place, Unread};
use super::keys::{get, id, text};
use super::settings::Settings;
use super::verify;
use crate::{Damaged, Inbound, Incoming, Received};

/// What an acknowledgement of a message needs; absent where the channel wants none.
pub(super) type Acknowledge<'a> = &'a dyn Fn(&Heard<'_>) -> Option<String>;

/// Reads a webhook that was verified. What cannot be read is answered with success all
/// the same, and kept: a page whose webhooks fail for long loses its subscription.
pub(super) fn read(
    settings: &Settings,
    request: &Inbound<'_>,
    now: Millis,
    acknowledge: Acknowledge<'_>,
) -> Received {
    if *request.method == Method::GET {
        return verify::challenge(request).map_or_else(Received::Rejected, Received::Challenge);
    }
    let mut reader = Reader::new(settings, now, acknowledge);
    match serde_json::from_slice(request.body) {
        Ok(body) => reader.body(&body),
        Err(error) => {
            let raw = String::from_utf8_lossy(request.body);
            reader.damage_of(format!("the body is not JSON: {error}"), &raw);
        }
    }
    reader.done()
}

/// Reads all there is, whatever is wrong with some of it.
struct Reader<'a> {
    settings: &'a Settings,
    now: Millis,
    acknowledge: Acknowledge<'a>,
    events: Vec<Incoming>,
    damaged: Vec<Damaged>,
    /// Why the first of those that are nothing to us is nothing.
    ignored: Option<&'static str>,
}

impl<'a> Reader<'a> {
    fn new(settings: &'a Settings, now: Millis, acknowledge: Acknowledge<'a>) -> Self {
        let (events, damaged) = (Vec::new(), Vec::new());
        Self { settings, now, acknowledge, events, damaged, ignored: None }
    }

    fn body(&mut self, body: &Value) {
        let instagram = text(body, "object").is_some_and(|it| it.eq_ignore_ascii_case("instagram"));
        let medium = if instagram { "instagram" } else { FACEBOOK };
        match get(body, "entry") {
            Some(Value::Array(entries)) => {
                for entry in entries {
                    self.entry(medium, entry);
                }
            }
            // An item without an envelope, as documents print them.
            None if get(body, "sender").is_some() && get(body, "recipient").is_some() => {
                self.item(&Place { medium, page: None, standby: false }, body);
            }
            Some(_) | None => self.damage("`entry` must be a list", body),
        }
    }

    fn entry(&mut self, medium: &'static str, entry: &Value) {
        if !entry.is_object() {
            return self.damage("an entry must be an object", entry);
        }
        for (list, standby) in [("messaging", false), ("standby", true)] {
            match get(entry, list) {
                Some(Value::Array(items)) => {
                    let place = Place { medium, page: id(entry, "id"), standby };
                    for item in items {
                        self.item(&place, item);
                    }
                }
                Some(_) => self.damage(format!("`{list}` must be a list"), entry),
                None => {}
            }
        }
    }

    fn item(&mut self, place: &Place, item: &Value) {
        match items::read(self.settings, place, item, self.now, self.acknowledge) {
            Ok(events) => self.events.extend(events),
            Err(Unread::Ignored(why)) => self.ignored = self.ignored.or(Some(why)),
            Err(Unread::Damaged(why)) => self.damage(why, item),
        }
    }

    fn damage(&mut self, reason: impl Into<String>, part: &Value) {
        self.damage_of(reason.into(), &part.to_string());
    }

    fn damage_of(&mut self, reason: String, raw: &str) {
        self.damaged.push(Damaged { reason, raw: cut(raw, RAW_BYTES_MAX) });
    }

    fn done(self) -> Received {
        if self.events.is_empty() && self.damaged.is_empty() {
            return Received::Ignored(self.ignored.unwrap_or("no messages"));
        }
        Received::Events { events: self.events, damaged: self.damaged }
    }
}
