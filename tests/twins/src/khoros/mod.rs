//! Khoros Care's side of a bot: its Automation Framework with tokens, registrations,
//! ownership, all that a bot says and does, and the events that it is told.

mod care;
mod control;
pub mod document;
mod networks;
mod options;
mod person;
mod refusal;
mod registrations;
mod respond;
mod route;
mod rules;
mod tokens;
mod webhook;

pub use care::Care;
pub use options::{Hmac, Options};
pub use person::Act;
pub use webhook::HOOK;

use anyhow::Result;

use crate::account::{Conduct, Twin};

/// Starts an account's API on a free port of this machine. Calls go to
/// [`document::BASE`], those for a token to [`document::TOKEN_BASE`].
///
/// # Errors
///
/// No port is free.
pub fn start(options: Options, conduct: Conduct) -> Result<Twin<Care>> {
    Twin::start(Care::new(options), conduct, ([127, 0, 0, 1], 0).into())
}

#[cfg(test)]
mod tests;
