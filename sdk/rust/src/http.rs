//! Calls to web services within a turn, see [`Turn::http`](crate::Turn::http).
//!
//! ```
//! use botyard_sdk::http;
//! use botyard_sdk::prelude::*;
//! use botyard_sdk::testing::Chat;
//!
//! #[derive(Default)]
//! struct Weather;
//!
//! impl Bot for Weather {
//!     fn on_message(&self, message: &event::Message, turn: &Turn<'_>) -> Answer {
//!         let request = http::Request::get("https://weather.example/today").timeout_ms(2_000);
//!         Ok(match turn.http(&request) {
//!             Ok(answer) if answer.status == 200 => actions![reply(answer.text())],
//!             Ok(_) | Err(_) => actions![reply("I cannot see the sky from here.")],
//!         })
//!     }
//! }
//!
//! let mut chat = Chat::<Weather>::new().web(|_| Ok(http::Response::new(200).body("sunny")));
//! chat.say("weather?").says("sunny");
//! ```

use serde::Serialize;
use serde::de::DeserializeOwned;

pub use crate::bindings::botyard::bot::http::{Error, Request, Response};
pub use crate::bindings::botyard::bot::types::Setting;

impl Request {
    /// `GET` an absolute address of at most 8 KiB.
    pub fn get(url: impl Into<String>) -> Self {
        Self::new("GET", url)
    }

    /// `POST`, see [`Request::get`].
    pub fn post(url: impl Into<String>) -> Self {
        Self::new("POST", url)
    }

    /// Any of `GET`, `HEAD`, `POST`, `PUT`, `PATCH` and `DELETE`, see [`Request::get`].
    pub fn new(method: impl Into<String>, url: impl Into<String>) -> Self {
        Self {
            method: method.into(),
            url: url.into(),
            headers: Vec::new(),
            body: None,
            timeout_ms: None,
        }
    }

    /// Adds a header: at most 64, together at most 16 KiB. `host` and
    /// `idempotency-key` are the host's own.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Setting { name: name.into(), value: value.into() });
        self
    }

    /// The body, at most 1 MiB.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = Some(body.into());
        self
    }

    /// The body as JSON, with its `content-type`.
    ///
    /// # Errors
    /// The value cannot be JSON, for example a map whose keys are no texts.
    pub fn json<T: Serialize>(self, value: &T) -> Result<Self, serde_json::Error> {
        let body = serde_json::to_vec(value)?;
        Ok(self.header("content-type", "application/json").body(body))
    }

    /// How long the whole answer may take: at most what is left of the turn's 10 s,
    /// but for half a second.
    #[must_use]
    pub fn timeout_ms(mut self, timeout_ms: u32) -> Self {
        self.timeout_ms = Some(timeout_ms);
        self
    }
}

impl Response {
    /// An answer without headers and body, for tests.
    pub fn new(status: u16) -> Self {
        Self { status, headers: Vec::new(), body: Vec::new() }
    }

    /// Adds a header. Hosts give their names in lower case.
    #[must_use]
    pub fn with_header(mut self, name: impl Into<String>, value: impl Into<String>) -> Self {
        self.headers.push(Setting { name: name.into(), value: value.into() });
        self
    }

    /// The body.
    #[must_use]
    pub fn body(mut self, body: impl Into<Vec<u8>>) -> Self {
        self.body = body.into();
        self
    }

    /// The value of a header, the first where there are more.
    pub fn header(&self, name: &str) -> Option<&str> {
        let header = self.headers.iter().find(|header| header.name.eq_ignore_ascii_case(name));
        header.map(|header| header.value.as_str())
    }

    /// The body as a text; what is no UTF-8 is replaced.
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    /// The body read as JSON.
    ///
    /// # Errors
    /// It is no JSON, or does not fit.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, serde_json::Error> {
        serde_json::from_slice(&self.body)
    }
}
