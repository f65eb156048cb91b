//! What a bot knows and may call while it handles an event.

use serde::de::DeserializeOwned;

use crate::Failure;
use crate::event::Event;
use crate::http;
use crate::kv::{Kv, Scope};
use crate::log::Level;
use crate::session::{Contact, Session, Setting};

#[cfg(target_arch = "wasm32")]
pub(crate) use crate::imports::Imports as Host;
#[cfg(not(target_arch = "wasm32"))]
pub(crate) use crate::testing::World as Host;

/// One event being handled: where it happened, and what the host offers meanwhile.
pub struct Turn<'a> {
    event: &'a Event,
    session: &'a Session,
    host: &'a Host,
}

impl<'a> Turn<'a> {
    pub(crate) fn new(event: &'a Event, session: &'a Session, host: &'a Host) -> Self {
        Self { event, session, host }
    }

    /// The event itself: its id, its times and the vendor's raw payload.
    pub fn event(&self) -> &'a Event {
        self.event
    }

    /// The session as it stands before this turn. Set by the host.
    pub fn session(&self) -> &'a Session {
        self.session
    }

    /// What is known of the person. Set by the vendor.
    pub fn contact(&self) -> &'a Contact {
        &self.session.contact
    }

    /// The time of this turn in milliseconds since 1970-01-01T00:00:00Z. It does
    /// not move while the turn runs, and a repetition of the turn sees the same.
    pub fn now_ms(&self) -> u64 {
        self.session.now_ms
    }

    /// 256 bits of chance, fixed for this event: a repetition gets the same.
    pub fn seed(&self) -> [u64; 4] {
        self.session.seed.into()
    }

    /// The context of the session as `T`, or `T::default()` where there is none
    /// that fits: at first, after another program or an older version of the bot
    /// wrote it. Never fails; a context that does not fit is noted in the bot's log.
    pub fn context<T: DeserializeOwned + Default>(&self) -> T {
        if self.session.context == "{}" {
            return T::default();
        }
        read(&self.session.context).unwrap_or_else(|reason| {
            self.warn(&format!("{reason}; the default is used"));
            T::default()
        })
    }

    /// The context of the session as `T`.
    ///
    /// # Errors
    /// Fails where the context does not fit, also for the empty `{}` of a new
    /// session unless `T` allows it. With `?` the person then gets the channel's
    /// failure text: prefer [`Turn::context`].
    pub fn context_strict<T: DeserializeOwned>(&self) -> Result<T, Failure> {
        read(&self.session.context).map_err(Failure::new)
    }

    /// What the tenant configured under this key.
    pub fn config(&self, key: &str) -> Option<String> {
        self.host.config_get(key)
    }

    /// What the tenant has to configure under this key.
    ///
    /// # Errors
    /// Fails with a reason that asks the tenant for it.
    pub fn config_required(&self, key: &str) -> Result<String, Failure> {
        self.config(key).ok_or_else(|| {
            Failure::new(format!("the tenant has to configure `{key}` for this bot"))
        })
    }

    /// Everything that the tenant configured, by key.
    pub fn config_all(&self) -> Vec<Setting> {
        self.host.config_all()
    }

    /// The values of this conversation: at most 64 KiB in all, kept over its sessions.
    pub fn conversation_kv(&self) -> Kv<'a> {
        Kv::new(self.host, Scope::Conversation)
    }

    /// The values of the bot over all conversations: at most 16 MiB in all, past
    /// which writes are left out, see [`kv`](crate::kv). Reads see a snapshot, so
    /// reading and then writing may lose what others wrote; [`Kv::add`] does not.
    pub fn bot_kv(&self) -> Kv<'a> {
        Kv::new(self.host, Scope::Bot)
    }

    /// Calls a web service within the turn; the conversation waits meanwhile.
    /// Prefer [`Request`](crate::action::Request), which waits outside of a turn.
    ///
    /// A turn makes at most 8 calls and may then take 10 s in all. When it has to
    /// run again, it is given the same answers: what a bot asks for must follow
    /// from what it was given.
    ///
    /// # Errors
    /// As [`http::Error`] says. An answer with any status is no error.
    pub fn http(&self, request: &http::Request) -> Result<http::Response, http::Error> {
        self.host.http(request)
    }

    /// Adds a line to the bot's log, which its author reads: at most 16 KiB a
    /// turn. Do not log what people wrote.
    pub fn log(&self, level: Level, message: &str) {
        self.host.log(level, message);
    }

    /// A line of [`Level::Info`], see [`Turn::log`].
    pub fn info(&self, message: &str) {
        self.log(Level::Info, message);
    }

    /// A line of [`Level::Warn`], see [`Turn::log`].
    pub fn warn(&self, message: &str) {
        self.log(Level::Warn, message);
    }
}

/// Reads a context, or says where it does not fit, without quoting it.
fn read<T: DeserializeOwned>(context: &str) -> Result<T, String> {
    // A struct would be read from a list as well, but a list is no context of ours.
    if !context.trim_start().starts_with('{') {
        return Err("the context of the session is no JSON object".to_owned());
    }
    serde_json::from_str(context).map_err(|error| {
        let (line, column) = (error.line(), error.column());
        format!("the context of the session does not fit at line {line}, column {column}")
    })
}
