//! What surrounds an event: who, where, in which language.
//!
//! Facts are stored with the conversation, so each of them is bounded here. The whole
//! payload stays on the event.

use botyard_kernel::event::Setting;
use botyard_kernel::session::{Contact, Facts};
use serde_json::{Map, Value};
use url::form_urlencoded;

use super::form::TICKETS;

/// A longer text is cut.
pub(super) const TEXT_BYTES_MAX: usize = 1024;
/// The payload of a block does not say what kind of platform it is for.
const MEDIUM: &str = "myalice";
/// Of a longer query the first part is read.
const QUERY_BYTES_MAX: usize = 64 * 1024;
/// More params are not offered, nor any longer than a text.
const PARAMS_MAX: usize = 32;
/// What a person's attributes take together; those that find no room are not offered.
const CUSTOM_FIELDS_BYTES_MAX: usize = 16 * 1024;
/// The param that tells how many they are.
const DROPPED: &str = "custom-fields-dropped";
/// What is told elsewhere than among the attributes of a person.
const TOLD: [&str; 10] = [
    "uid",
    "id",
    "platform_id",
    "bot_enabled",
    "full_name",
    "email",
    "phone",
    "locale",
    "last_message_text",
    "last_message_time",
];

/// What the query says, in its order.
pub(super) fn query(query: Option<&str>) -> Vec<(String, String)> {
    let query = query.unwrap_or_default();
    let query = &query[..query.floor_char_boundary(QUERY_BYTES_MAX)];
    form_urlencoded::parse(query.as_bytes()).into_owned().collect()
}

/// Around a GET of a block: the query and nothing else.
pub(super) fn of_get(query: &[(String, String)], entry: &str) -> Facts {
    let mut params = Params::default();
    params.query(query);
    facts(params, entry, Contact::default())
}

/// Around a POST of a block.
pub(super) fn of_post(
    customer: &Map<String, Value>,
    query: &[(String, String)],
    entry: &str,
) -> Facts {
    let mut params = Params::default();
    params.push("platform_id", customer.get("platform_id"));
    let contact = contact(customer, "uid", &mut params);
    params.query(query);
    facts(params, entry, contact)
}

/// Around a ticket.
pub(super) fn of_ticket(body: &Map<String, Value>, platform: &str) -> Facts {
    let at = |object: &str, key: &str| body.get(object).and_then(|object| object.get(key));
    let mut params = Params::default();
    params.push("platform_id", Some(&Value::from(platform)));
    params.push("channel_type", at("channel", "type"));
    params.push("channel_name", at("channel", "name"));
    params.push("team_id", at("team", "id"));
    params.push("team_name", at("team", "name"));
    params.push("ticket_id", at("ticket", "id"));
    let nobody = Map::new();
    let customer = body.get("customer").and_then(Value::as_object).unwrap_or(&nobody);
    let contact = contact(customer, "id", &mut params);
    facts(params, TICKETS, contact)
}

fn facts(params: Params, entry: &str, contact: Contact) -> Facts {
    Facts {
        medium: MEDIUM.to_owned(),
        entry: Some(entry.to_owned()),
        params: params.0,
        locale: contact.locale.clone(),
        contact,
        ..Facts::default()
    }
}

fn contact(customer: &Map<String, Value>, id: &str, params: &mut Params) -> Contact {
    let text = |key: &str| customer.get(key).and_then(scalar);
    let names = || {
        let both = [text("first_name"), text("last_name")];
        let both = both.into_iter().flatten().collect::<Vec<_>>().join(" ");
        (!both.is_empty()).then(|| cut(both, TEXT_BYTES_MAX))
    };
    Contact {
        id: text(id),
        name: text("full_name").or_else(names),
        email: text("email"),
        mobile_number: text("phone"),
        external_customer_id: None,
        locale: text("locale").or_else(|| text("language")),
        custom_fields: custom_fields(customer, params),
    }
}

/// Everything else that is known of a person: the tenant's own attributes are in
/// between the vendor's fields, so none of them is left out by its name.
fn custom_fields(customer: &Map<String, Value>, params: &mut Params) -> String {
    // Of the braces; the last field has no comma behind it.
    let mut room = CUSTOM_FIELDS_BYTES_MAX - 1;
    let mut kept = Map::new();
    let mut dropped = 0_usize;
    let more = customer.iter().filter(|(key, _)| !TOLD.contains(&key.as_str()));
    for (key, value) in more {
        let size = Value::from(key.as_str()).to_string().len() + value.to_string().len();
        // Each has a colon and a comma.
        match room.checked_sub(size + 2) {
            Some(left) => {
                room = left;
                kept.insert(key.clone(), value.clone());
            }
            None => dropped += 1,
        }
    }
    if dropped > 0 {
        params.push(DROPPED, Some(&Value::from(dropped)));
    }
    Value::Object(kept).to_string()
}

/// More about the entry.
#[derive(Default)]
struct Params(Vec<Setting>);

impl Params {
    fn push(&mut self, name: &str, value: Option<&Value>) {
        if let Some(value) = value.and_then(scalar) {
            self.0.push(Setting::new(name, value));
        }
    }

    fn query(&mut self, query: &[(String, String)]) {
        let fitting =
            query.iter().filter(|(name, value)| name.len() + value.len() <= TEXT_BYTES_MAX);
        let room = PARAMS_MAX.saturating_sub(self.0.len());
        self.0.extend(fitting.take(room).map(|(name, value)| Setting::new(name, value)));
    }
}

/// A text or a number as text, not too long; an empty text is as good as none.
pub(super) fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => (!text.is_empty()).then(|| cut(text.clone(), TEXT_BYTES_MAX)),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// At most so many bytes of a text, whole characters.
pub(super) fn cut(mut text: String, bytes_max: usize) -> String {
    text.truncate(text.floor_char_boundary(bytes_max));
    text
}
