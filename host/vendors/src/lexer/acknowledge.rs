//! Claims and echoes: the calls by which Lexer learns what the bot does.

use botyard_kernel::time::{Millis, SECOND};
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use jiff::Timestamp;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::dialect::PublishedAt;
use super::settings::Settings;
use crate::Call;
use crate::fields::Fields;

const TOKEN_HEADER: HeaderName = HeaderName::from_static("auth-api-token");
/// The vendor knows no other source.
const SOURCE: &str = "facebook";
/// What a claim makes of a message, the only state there is.
const STATE: &str = "closed";

/// What Lexer is to be told. Its JSON is the token that the host keeps until then.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "kebab-case")]
pub(super) enum Notice {
    /// The bot took a message of the person.
    Claim(Object),
    /// The bot said something.
    Echo(Object),
}

/// A message, in Lexer's words.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Object {
    object_id: String,
    published_at: Millis,
    account_id: String,
}

impl Object {
    /// The message with this id, sent at this time on this page.
    pub(super) fn new(mid: &str, at_ms: Millis, page: &str) -> Self {
        Self { object_id: mid.to_owned(), published_at: at_ms, account_id: page.to_owned() }
    }
}

impl Notice {
    pub(super) fn token(&self) -> String {
        serde_json::json!(self).to_string()
    }

    /// Another version of this host may have written another form.
    pub(super) fn of_token(token: &str) -> Option<Self> {
        serde_json::from_str(token).ok()
    }

    pub(super) fn call(&self, settings: &Settings) -> Call {
        let (name, object, state) = match self {
            Self::Claim(object) => ("claim", object, Some(STATE)),
            Self::Echo(object) => ("echo", object, None),
        };
        let body = Fields::new()
            .with("object_id", &*object.object_id)
            .with("published_at", written(settings.dialect.published_at, object.published_at))
            .with("source", SOURCE)
            .some("state", state)
            .with("account_id", &*object.account_id);
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(TOKEN_HEADER, settings.token.clone());
        Call {
            method: Method::POST,
            url: format!("{}/{name}", settings.objects_url),
            headers,
            body: Bytes::from(Value::from(body).to_string()),
        }
    }
}

fn written(how: PublishedAt, at_ms: Millis) -> Value {
    let number = Value::from(at_ms);
    match how {
        PublishedAt::EpochMs => number,
        // A year that no calendar has stays a number, which is allowed, too.
        PublishedAt::Iso8601 => iso_8601(at_ms).map_or(number, Value::from),
    }
}

fn iso_8601(at_ms: Millis) -> Option<String> {
    let seconds = i64::try_from(at_ms / SECOND).ok()?;
    Timestamp::from_second(seconds).ok().map(|at| at.to_string())
}
