//! `MyAlice`'s side of a chatbot: API blocks that are answered within five seconds, news
//! of tickets, and the REST API.

mod answer;
mod console;
pub mod document;
mod person;
mod platform;

pub use answer::Output;
pub use console::Person;
pub use person::{News, TICKETS};
pub use platform::{Block, Options, Platform};

use std::net::SocketAddr;

use anyhow::Result;
use serde_json::Value;

use crate::account::{Conduct, Twin};

/// How `MyAlice` calls: it waits for five seconds and does not try again, as far as its
/// pages say.
pub fn conduct() -> Conduct {
    Conduct { answer_within: document::ANSWER_WITHIN, ..Conduct::default() }
}

/// Judges the answer of an API block with this output type.
///
/// # Errors
///
/// Says what `MyAlice` can make nothing of.
pub fn judge_answer(output: Output, body: &str) -> Result<(), String> {
    answer::judge(body, output, true).map(|_| ())
}

/// Judges a call to `/customers/send-text-message`, whoever it is for.
///
/// # Errors
///
/// Says what `MyAlice` refuses.
pub fn judge_text(body: &Value) -> Result<(), String> {
    platform::judge_text(body).map_err(|refused| refused.reason)
}

/// Starts a platform's REST API on a free port of this machine. Calls go to
/// [`document::BASE`].
///
/// # Errors
///
/// No port is free.
pub fn start(options: Options, conduct: Conduct) -> Result<Twin<Platform>> {
    start_at(options, conduct, ([127, 0, 0, 1], 0).into())
}

/// As [`start`], at this address.
///
/// # Errors
///
/// The address cannot be had.
pub fn start_at(options: Options, conduct: Conduct, address: SocketAddr) -> Result<Twin<Platform>> {
    Twin::start(Platform::new(options), conduct, address)
}

#[cfg(test)]
mod tests;
