//! Userlike's side of a chatbot: the webhooks that it sends, the API URL that a
//! bot calls by itself, and what Userlike remembers of each conversation.
//!
//! ```no_run
//! # async fn example() -> anyhow::Result<()> {
//! use botyard_twins::userlike::{Contact, Conversation, Userlike, Webhook};
//!
//! let userlike = Userlike::start("api-token").await?;
//! let webhook = Webhook {
//!     url: "http://127.0.0.1:8080/webhooks/main".to_owned(),
//!     header: Some(("API-SECURITY-TOKEN".to_owned(), "secret".to_owned())),
//! };
//! let conversation = Conversation::open(userlike.account(), &webhook, Contact::new())?;
//! conversation.start().await?;
//! let answer = conversation.message("Hello").await?;
//! println!("{:?}", answer.texts());
//! # Ok(())
//! # }
//! ```

mod account;
mod api;
mod console;
mod deliver;
pub mod document;
mod mediums;
mod options;
mod person;
mod record;
mod rules;
mod session;
mod webhook;

pub use account::Account;
pub use console::Person;
pub use deliver::{Delivery, Step};
pub use mediums::judge_on;
pub use options::{Operators, Options};
pub use person::Act;
pub use record::{By, Call, Change, Form, Record, Seen, Sent};
pub use rules::{Packet, packets};
pub use session::{Contact, State};
pub use webhook::{Answer, Conversation, Webhook};

pub use crate::faults::{Fault, Faults};
pub use crate::held::Held;
pub use crate::record::Keep;
pub use crate::wire::client;

use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::listener::Listener;
use account::Due;

/// A running account with its API URL. It stops when it is dropped.
#[derive(Debug)]
pub struct Userlike {
    listener: Listener,
    account: Account,
    // What Userlike sends by itself, until somebody sends it.
    due: Option<mpsc::UnboundedReceiver<Due>>,
    sender: Option<JoinHandle<()>>,
}

impl Userlike {
    /// Starts an endpoint that wants this `SECURITY-TOKEN`.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(token: &str) -> Result<Self> {
        Self::with(Options::new(token), ([127, 0, 0, 1], 0).into())
    }

    /// As [`Userlike::start`], but every connection is refused until it opens;
    /// with another length of the minute in which 20 requests of a conversation
    /// are let through.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn closed(token: &str, window: Duration) -> Result<Self> {
        let options = Options { window, ..Options::new(token) };
        Self::bound(options, ([127, 0, 0, 1], 0).into())
    }

    /// Starts an endpoint at this address; port 0 is a free one.
    ///
    /// # Errors
    ///
    /// The address cannot be had.
    pub fn with(options: Options, address: SocketAddr) -> Result<Self> {
        let mut userlike = Self::bound(options, address)?;
        userlike.open()?;
        Ok(userlike)
    }

    /// As [`Userlike::with`], but every connection is refused until it opens.
    ///
    /// # Errors
    ///
    /// The address cannot be had.
    pub fn bound(options: Options, address: SocketAddr) -> Result<Self> {
        let (account, due) = Account::new(options)?;
        let listener = Listener::bind(address)?;
        Ok(Self { listener, account, due: Some(due), sender: None })
    }

    /// Opens a closed endpoint.
    ///
    /// # Errors
    ///
    /// It is open.
    pub fn open(&mut self) -> Result<()> {
        let account = self.account.clone();
        self.listener.open(move |call| api::respond(account.clone(), call))?;
        if let Some(due) = self.due.take() {
            self.sender = Some(tokio::spawn(deliver::send_due(self.account.clone(), due)));
        }
        Ok(())
    }

    /// The API URL of the bot.
    pub fn api_url(&self) -> String {
        format!("http://{}/v1/", self.listener.address())
    }

    /// What this side remembers.
    pub fn account(&self) -> &Account {
        &self.account
    }
}

impl Drop for Userlike {
    fn drop(&mut self) {
        if let Some(sender) = &self.sender {
            sender.abort();
        }
    }
}

#[cfg(test)]
mod tests;
