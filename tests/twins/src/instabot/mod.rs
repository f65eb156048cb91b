//! Both sides of Instabot's Chat API: a client that chats with a bot here as it would
//! with Instabot, and an Instabot whose bots a host may call.
//!
//! The page is "Chat API". It names no limits, no errors and no deadlines; what is
//! judged here is the form of what it shows.

mod agent;
mod bot;
mod chat;
mod client;
mod console;
mod user;

pub use agent::Agent;
pub use bot::{Bot, LEFT, Node, heard, start as start_bot, start_at as start_bot_at};
pub use client::{BASE, Client, Options, start as start_client, start_at as start_client_at};
pub use console::Person;

use serde_json::Value;

/// Judges an answer to a start or to a message.
///
/// # Errors
///
/// Says what a client can make nothing of.
pub fn judge_answer(body: &str) -> Result<(), String> {
    chat::judge(body).map(|_| ())
}

/// Judges a post to a callback.
///
/// # Errors
///
/// Says what a client can make nothing of.
pub fn judge_post(body: &Value) -> Result<(), String> {
    client::judge_post(body)
}

#[cfg(test)]
mod tests;
