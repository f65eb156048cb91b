//! What a tenant writes down for a channel.

use std::fmt;

use http::HeaderValue;
use serde_json::{Value, json};

use super::NAME;
use super::dialect::Dialect;
use crate::SettingsError;
use crate::messenger::Messenger;
use crate::written::{Written, is_whole, wrong};

/// The names of all settings of a channel.
pub const KEYS: [&str; 5] = ["messenger", "client-id", "token", "hub-url", "dialect"];

const HUB_URL: &str = "https://hub.lexer.io";
const COPY_IT: &str = "copy it from the Bot User in Lexer, Manage > Team > Our Team";

/// A channel's settings, checked.
pub(super) struct Settings {
    /// What it rides on.
    pub(super) messenger: Messenger,
    /// Where claims and echoes go: up to the name of the call.
    pub(super) objects_url: String,
    /// What these calls carry.
    pub(super) token: HeaderValue,
    /// What the evidence does not prove.
    pub(super) dialect: Dialect,
}

impl fmt::Debug for Settings {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Settings")
            .field("messenger", &self.messenger)
            .field("objects_url", &self.objects_url)
            .finish_non_exhaustive()
    }
}

impl Settings {
    pub(super) fn read(written: Value) -> Result<Self, SettingsError> {
        let mut written = Written::new(NAME, &KEYS, written)?;
        let messenger = written.plain::<Value>("messenger")?.unwrap_or_else(|| json!({}));
        let messenger =
            Messenger::new(messenger).map_err(|error| wrong(format!("in `messenger`: {error}")))?;
        let client = client_id(written.plain("client-id")?)?;
        let hub = written.plain::<String>("hub-url")?.unwrap_or_else(|| HUB_URL.to_owned());
        if !is_whole(&hub) {
            return Err(wrong("`hub-url` must be a whole address that begins with https://"));
        }
        let hub = hub.trim_end_matches('/');
        let dialect: Dialect = written.plain("dialect")?.unwrap_or_default();
        if messenger.messaging_means_ours() && !dialect.pass_thread {
            return Err(wrong(
                "`messaging-means-ours` of the Messenger dialect would end every hand-off with the \
                 person's next message: it needs `pass-thread` in the dialect, on a page with \
                 handover roles; elsewhere let `returns-after-ms` give the conversation back",
            ));
        }
        let passes = dialect.pass_thread;
        Ok(Self {
            messenger: if passes { messenger } else { messenger.keeping_threads() },
            objects_url: format!("{hub}/api/clients/{client}/bots/objects"),
            token: written.token("token", COPY_IT)?,
            dialect,
        })
    }
}

/// A number, which a settings file may hold as a text.
fn client_id(written: Option<Value>) -> Result<u64, SettingsError> {
    let Some(written) = written else {
        return Err(wrong(format!("`client-id` is missing: {COPY_IT}")));
    };
    let number = written.as_u64().or_else(|| written.as_str()?.parse().ok());
    number.ok_or_else(|| wrong(format!("`client-id` must be a whole number: {COPY_IT}")))
}
