//! Khoros Care's side of a bot: its Automation Framework with tokens, registrations,
//! ownership, all that a bot says and does, and the events that it is told.

mod care;
mod console;
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
pub use console::Person;
pub use options::{Hmac, Options};
pub use person::Act;
pub use webhook::HOOK;

use std::net::SocketAddr;

use anyhow::Result;
use serde_json::Value;

use crate::account::{Conduct, Twin};
use crate::fields::Fields;

/// Judges a call of `/respond`, whoever owns the conversation.
///
/// # Errors
///
/// Says what Khoros or the network refuses.
pub fn judge(options: &Options, body: &Value) -> Result<(), String> {
    let fields = Fields::of("the body", body)?;
    rules::judge_address(options, &fields)?;
    rules::judge_respond(options, &fields)
}

/// Starts an account's API on a free port of this machine. Calls go to
/// [`document::BASE`], those for a token to [`document::TOKEN_BASE`].
///
/// # Errors
///
/// No port is free.
pub fn start(options: Options, conduct: Conduct) -> Result<Twin<Care>> {
    start_at(options, conduct, ([127, 0, 0, 1], 0).into())
}

/// As [`start`], at this address.
///
/// # Errors
///
/// The address cannot be had.
pub fn start_at(options: Options, conduct: Conduct, address: SocketAddr) -> Result<Twin<Care>> {
    Twin::start(Care::new(options), conduct, address)
}

#[cfg(test)]
mod tests;
