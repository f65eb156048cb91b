//! `MyAlice`'s side of a chatbot: API blocks that are answered within five seconds, news
//! of tickets, and the REST API.

mod answer;
pub mod document;
mod person;
mod platform;

pub use answer::Output;
pub use person::{News, TICKETS};
pub use platform::{Block, Options, Platform};

use anyhow::Result;

use crate::account::{Conduct, Twin};

/// How `MyAlice` calls: it waits for five seconds and does not try again, as far as its
/// pages say.
pub fn conduct() -> Conduct {
    Conduct { answer_within: document::ANSWER_WITHIN, ..Conduct::default() }
}

/// Starts a platform's REST API on a free port of this machine. Calls go to
/// [`document::BASE`].
///
/// # Errors
///
/// No port is free.
pub fn start(options: Options, conduct: Conduct) -> Result<Twin<Platform>> {
    Twin::start(Platform::new(options), conduct, ([127, 0, 0, 1], 0).into())
}

#[cfg(test)]
mod tests;
