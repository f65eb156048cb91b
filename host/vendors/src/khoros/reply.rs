//! What a reply needs of the message that it answers.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use super::dialect::Dialect;
use super::place::Place;
use super::receive::millis;
use crate::{SamplePlace, To};

/// The kernel keeps no longer ones.
const BYTES_MAX: usize = 4 * 1024;
/// A longer name is left out.
const NAME_BYTES_MAX: usize = 512;
/// What a coordinate is known to hold, for one that is too large as a whole.
const KNOWN: [&str; 9] = [
    "companyKey",
    "networkKey",
    "externalId",
    "messageId",
    "botId",
    "scope",
    "parentId",
    "topLevelId",
    "normalizedAuthorId",
];

/// Where replies go.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ReplyTo {
    /// As it came: "Do not alter the coordinate you receive."
    pub(super) coordinate: Map<String, Value>,
    /// Whom we answer.
    pub(super) author: Author,
    /// When the message was published and received.
    #[serde(default, rename = "publishedTS", skip_serializing_if = "Option::is_none")]
    pub(super) published_ts: Option<u64>,
    #[serde(default, rename = "receivedTS", skip_serializing_if = "Option::is_none")]
    pub(super) received_ts: Option<u64>,
    /// The conversation in Care, where an event has named it.
    #[serde(skip)]
    pub(super) display_id: Option<u64>,
}

/// A person as calls name them.
#[derive(Clone, Debug, PartialEq, Deserialize, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Author {
    /// The id on the network.
    pub(super) id: String,
    /// The name, which some networks do not tell.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) full_name: Option<String>,
}

/// A conversation with an invented person on this network.
pub(super) fn sample(network: &str) -> SamplePlace {
    let part = str::to_owned;
    let place = Place {
        company: part("acmehotel"),
        network: part(network),
        external: part("a-page"),
        author: part("a-person"),
    };
    let mut coordinate = place.coordinate("a-bot");
    coordinate.insert("messageId".to_owned(), json!("a-message"));
    let author = Author { id: place.author.clone(), full_name: None };
    let (published_ts, received_ts, display_id) = (None, None, Some(1));
    let reply_to = ReplyTo { coordinate, author, published_ts, received_ts, display_id };
    let reply_to = Some(json!(reply_to).to_string());
    SamplePlace { reply_to, ..SamplePlace::of(place.key()) }
}

impl ReplyTo {
    /// Out of an event, as it is stored; absent where the event tells too much.
    pub(super) fn of_event(event: &Value, place: &Place) -> Option<String> {
        let name = event.pointer("/author/fullName").and_then(Value::as_str);
        let name = name.filter(|name| name.len() <= NAME_BYTES_MAX).map(str::to_owned);
        let mut reply = Self {
            coordinate: event.get("coordinate")?.as_object()?.clone(),
            author: Author { id: place.author.clone(), full_name: name },
            published_ts: event.get("publishedTS").and_then(millis),
            received_ts: event.get("receivedTS").and_then(millis),
            display_id: None,
        };
        let mut json = json!(reply).to_string();
        if json.len() > BYTES_MAX {
            reply.coordinate.retain(|key, value| KNOWN.contains(&&**key) && !value.is_object());
            json = json!(reply).to_string();
        }
        (json.len() <= BYTES_MAX).then_some(json)
    }

    /// Where a reply goes: to the newest message, else to the person at large.
    pub(super) fn of(app_id: &str, to: &To<'_>) -> Self {
        let known = to.reply_to.and_then(|json| serde_json::from_str(json).ok());
        let reply = known.unwrap_or_else(|| Self::at_large(app_id, to));
        Self { display_id: to.desk_id.and_then(|id| id.trim().parse().ok()), ..reply }
    }

    fn at_large(app_id: &str, to: &To<'_>) -> Self {
        let place = Place::of_key(to.conversation);
        let coordinate = place.as_ref().map(|it| it.coordinate(app_id)).unwrap_or_default();
        let id = place.map(|place| place.author).unwrap_or_default();
        Self {
            coordinate,
            author: Author { id, full_name: None },
            published_ts: None,
            received_ts: None,
            display_id: None,
        }
    }

    /// The network.
    pub(super) fn network(&self) -> &str {
        self.coordinate.get("networkKey").and_then(Value::as_str).unwrap_or_default()
    }

    /// The coordinate of a reply: a public comment is answered below itself, where the
    /// network has that: "the messageId you receive is passed as parentId".
    pub(super) fn coordinate_of_reply(&self, dialect: &Dialect) -> Map<String, Value> {
        let mut coordinate = self.coordinate.clone();
        let nests = dialect.networks.sub_comments.iter().any(|it| it == self.network());
        let public = coordinate.get("scope").and_then(Value::as_str) == Some("PUBLIC");
        if nests
            && public
            && dialect.answer_below_comments
            && let Some(message) = coordinate.get("messageId").cloned()
        {
            coordinate.insert("parentId".to_owned(), message);
        }
        coordinate
    }

    /// The coordinate of a sign of typing, which belongs to no message.
    pub(super) fn coordinate_of_typing(&self) -> Map<String, Value> {
        let mut coordinate = self.coordinate.clone();
        coordinate.retain(|key, _| !matches!(&**key, "messageId" | "parentId" | "topLevelId"));
        coordinate
    }
}
