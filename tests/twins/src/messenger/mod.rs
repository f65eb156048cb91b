//! Messenger's side of a page: signed webhooks of what people do, the Send API, the
//! handover protocol, and what came of it.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use botyard_twins::messenger::{HOOK, Options, conduct, start};
//!
//! let options = Options::new("app-secret", "verify-token", "page-token");
//! let messenger = start(options, conduct())?;
//! let page = messenger.account();
//! page.point(HOOK, "http://127.0.0.1:8080/webhooks/page");
//! page.write("2410099887766", "Hello").await;
//! println!("calls go to {}/v23.0: {:?}", messenger.url(), page.texts("2410099887766"));
//! # Ok(())
//! # }
//! ```

mod console;
mod control;
pub mod document;
mod event;
mod graph;
mod medium;
mod message;
mod options;
mod page;
mod person;
mod thread;

pub use console::Person;
pub use event::{Event, HOOK};
pub use medium::Medium;
pub use options::{Noise, Options, Role};
pub use page::Page;
pub use person::Act;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use serde_json::Value;

use crate::account::{Conduct, Twin};

/// How Meta sends webhooks: an answer must come within 5 seconds (older text says 20),
/// and failed ones come again; the pages name no schedule.
pub fn conduct() -> Conduct {
    Conduct {
        redeliver: [1, 5, 30].map(Duration::from_secs).to_vec(),
        answer_within: Duration::from_secs(5),
        ..Conduct::default()
    }
}

/// Judges a call to the Send API, whoever it is for.
///
/// # Errors
///
/// Says what the platform refuses.
pub fn judge(medium: Medium, body: &Value) -> Result<(), String> {
    page::judge_on(medium, body).map(|_| ())
}

/// Starts a page's API on a free port of this machine.
///
/// # Errors
///
/// No port is free.
pub fn start(options: Options, conduct: Conduct) -> Result<Twin<Page>> {
    start_at(options, conduct, ([127, 0, 0, 1], 0).into())
}

/// As [`start`], at this address.
///
/// # Errors
///
/// The address cannot be had.
pub fn start_at(options: Options, conduct: Conduct, address: SocketAddr) -> Result<Twin<Page>> {
    Twin::start(Page::new(options), conduct, address)
}

#[cfg(test)]
mod tests;
