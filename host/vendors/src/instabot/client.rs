//! The Chat API as its clients see it: the calls, and what comes back.
//!
//! Bytes only: who keeps the stream ids, and who speaks when, is not decided here. What
//! the vendor's page leaves open is in the settings: where the API is, and which text
//! of an agent says that no more will come.

mod read;
mod relay;

use std::fmt;

use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderValue, Method};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

pub use self::read::{AgentText, Answer, QuickReply, Text, Unreadable, User};
use crate::dialects::Described;
use crate::fields::Fields;
use crate::written::{Written, wrong};
use crate::{Call, CallAnswer, Outcome, SettingsError};

/// The names of all settings of a client.
pub const KEYS: [&str; 4] = ["base-url", "api-key", "bot-id", "dialect"];

/// What the vendor's page does not prove. Every field can be overridden.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default, deny_unknown_fields, rename_all = "kebab-case")]
pub struct Dialect {
    /// Texts that a callback carries when the agent has left, without regard to case,
    /// blanks around and a full stop. Nothing else tells them from what agents write.
    pub agent_left: Vec<String>,
    /// A chat is over when its agent has left.
    pub agent_left_ends: bool,
    /// Texts of the bot that say that a chat is over, without regard to case.
    pub end_texts: Vec<String>,
    /// Statuses of answers that say that a chat is over, for good.
    pub gone_statuses: Vec<u16>,
    /// What stands behind the `@` of the address of a person who has none: the vendor
    /// demands one.
    pub guest_domain: String,
    /// When a chat is over, the vendor is asked what it knows of the person.
    pub ask_user: bool,
}

impl Default for Dialect {
    fn default() -> Self {
        Self {
            agent_left: vec!["Agent has ended this live session".to_owned()],
            agent_left_ends: true,
            end_texts: Vec::new(),
            gone_statuses: Vec::new(),
            guest_domain: "guest.invalid".to_owned(),
            ask_user: true,
        }
    }
}

/// The keys of the dialect, for people.
pub(crate) const DIALECT: Described = Described {
    source: include_str!("client.rs"),
    defaults: || serde_json::json!(Dialect::default()),
};

/// A bot of an Instabot account, as its clients reach it.
pub struct Client {
    base_url: String,
    api_key: String,
    bot_id: u64,
    dialect: Dialect,
}

impl fmt::Debug for Client {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Client").field("bot_id", &self.bot_id).finish_non_exhaustive()
    }
}

/// A chat that begins.
#[derive(Clone, Copy, PartialEq)]
pub struct NewChat<'a> {
    /// The person's e-mail address: the vendor demands one.
    pub email: &'a str,
    /// Where live agents' texts are posted. The vendor shows no secret there, so the
    /// address must be one that nobody can guess.
    pub callback_url: Option<&'a str>,
    /// What the bot is told besides.
    pub metadata: Option<&'a Map<String, Value>>,
}

impl fmt::Debug for NewChat<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let has_callback = self.callback_url.is_some();
        f.debug_struct("NewChat").field("has_callback", &has_callback).finish_non_exhaustive()
    }
}

impl Client {
    /// Makes a client out of its settings, a JSON object with these keys:
    ///
    /// - `base-url`: what stands before `/secure/send`; the vendor's page does not
    ///   say, and accounts differ.
    /// - `api-key`: the account's API key.
    /// - `bot-id`: the bot's number.
    /// - `dialect`: see [`Dialect`].
    ///
    /// # Errors
    /// In words for the tenant, without any value of a secret.
    pub fn connect(settings: Value) -> Result<Self, SettingsError> {
        let mut written = Written::new("instabot client", &KEYS, settings)?;
        let copy_it = "copy it from the account's API settings at Instabot";
        let base_url = written.url("base-url", "set it to what stands before `/secure/send`")?;
        Ok(Self {
            base_url: base_url.trim_end_matches('/').to_owned(),
            api_key: written.text("api-key", copy_it)?,
            bot_id: written
                .plain("bot-id")?
                .ok_or_else(|| wrong(format!("`bot-id` is missing: {copy_it}")))?,
            dialect: written.plain("dialect")?.unwrap_or_default(),
        })
    }

    /// The call that begins a chat: its answer says the stream id.
    pub fn start(&self, chat: &NewChat<'_>) -> Call {
        let body = Fields::new()
            .with("apiKey", &*self.api_key)
            .with("start", true)
            .with("botId", self.bot_id)
            .with("email", chat.email)
            .some("callbackUrl", chat.callback_url)
            .some("metadata", chat.metadata.cloned());
        self.post("/secure/send", &body.into())
    }

    /// The call that says something in a chat; for a choice the quick reply's title and
    /// its payload, as they came.
    pub fn respond(&self, stream_id: &str, text: &str, payload: Option<i64>) -> Call {
        let message = Fields::new().with("text", text).some("payload", payload);
        let body = json!({ "streamId": stream_id, "message": Value::from(message) });
        self.post("/secure/send", &body)
    }

    /// The call that asks what is known of a person.
    pub fn get_user(&self, email: &str) -> Call {
        self.post("/secure/user", &json!({ "apiKey": self.api_key, "email": email }))
    }

    /// What came back of [`Client::start`] and [`Client::respond`].
    ///
    /// # Errors
    /// What is to be done about it, never [`Outcome::Delivered`].
    pub fn answer(&self, answer: &CallAnswer) -> Result<Answer, Outcome> {
        read::answer(&self.dialect, answer)
    }

    /// What came back of [`Client::get_user`].
    ///
    /// # Errors
    /// As [`Client::answer`].
    pub fn user(&self, answer: &CallAnswer) -> Result<User, Outcome> {
        read::user(&self.dialect, answer)
    }

    /// What was posted to a callback URL. Whoever knows the address may have posted
    /// it: the caller must know the stream id, and that an agent may speak there.
    ///
    /// # Errors
    /// When it is not as the vendor documents it.
    pub fn agent_text(&self, body: &[u8]) -> Result<AgentText, Unreadable> {
        read::agent_text(&self.dialect, body)
    }

    fn post(&self, path: &str, body: &Value) -> Call {
        let mut headers = HeaderMap::new();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        Call {
            method: Method::POST,
            url: format!("{}{path}", self.base_url),
            headers,
            body: body.to_string().into(),
        }
    }
}
