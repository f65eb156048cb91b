//! Golden files, settings, and what Lexer is told of whom.

mod golden;
mod hostile;
mod rules;
mod settings;

use std::sync::Arc;

use serde_json::{Value, json};

use super::connect;
use crate::{Vendor, messenger};

const TOKEN: &str = "token-of-the-bot-user";

/// Settings of a channel.
fn settings() -> Value {
    json!({ "messenger": messenger::tests::settings(), "client-id": 42, "token": TOKEN })
}

fn channel(settings: Value) -> Arc<dyn Vendor> {
    connect(settings).expect("settings")
}

fn with_dialect(dialect: Value) -> Arc<dyn Vendor> {
    let mut settings = settings();
    settings["dialect"] = dialect;
    channel(settings)
}
