//! Userlike as the host sees it: webhooks in the form of its documents, with
//! what Userlike itself adds: the contact as it stands, the context echoed.

use std::sync::LazyLock;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use anyhow::{Context as _, Result};
use http::Method;
use serde_json::{Value, json};

use super::account::Account;
use super::deliver::{Delivery, Step};
use super::rules::Packet;
use super::session::{Contact, State};
use crate::wire::Target;

/// A bot's webhook as Userlike has it configured.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where it is.
    pub url: String,
    /// The header that Userlike sends along, if one is configured.
    pub header: Option<(String, String)>,
}

impl From<&Webhook> for Target {
    fn from(webhook: &Webhook) -> Self {
        let headers = webhook.header.iter().cloned().collect();
        Self { method: Method::POST, url: webhook.url.clone(), headers }
    }
}

/// One conversation of one person with the bot.
#[derive(Clone, Debug)]
pub struct Conversation {
    /// Its key.
    pub cid: String,
    /// What the person writes on: `web`, `whatsapp_business`, ...
    pub medium: String,
    /// The messenger opened by itself.
    pub proactive: bool,
    webhook: Webhook,
    account: Account,
    number: u64,
}

/// What Userlike knows of a conversation to send a webhook of it.
#[derive(Clone, Debug)]
pub(super) struct Line {
    pub(super) webhook: Webhook,
    pub(super) medium: String,
    pub(super) proactive: bool,
    pub(super) number: u64,
}

/// What the host answered to a webhook.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it came.
    pub body: String,
    /// The `Retry-After` header, in seconds.
    pub retry_after: Option<u64>,
    /// The events in it.
    pub packets: Vec<Packet>,
    /// Until the answer was complete.
    pub took: Duration,
}

impl Answer {
    /// The texts in it, in order.
    pub fn texts(&self) -> Vec<&str> {
        self.packets.iter().filter_map(Packet::text).collect()
    }
}

impl Conversation {
    /// Opens a conversation of a person who writes on the web. The account
    /// knows it from now on; the host hears of it with the first event.
    ///
    /// # Errors
    ///
    /// The webhook's address is none that can be called.
    pub fn open(account: &Account, webhook: &Webhook, contact: Contact) -> Result<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        // A host that runs on knows the conversations of earlier programs.
        static BEGIN: LazyLock<u64> = LazyLock::new(|| {
            let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
            u64::try_from(since.as_nanos()).unwrap_or(u64::MAX)
        });
        let cid = format!("chatbot::612:{:016x}{number:016x}", *BEGIN);
        let mut known = Contact::new();
        known.insert("id".to_owned(), json!(40_000 + number));
        known.insert("name".to_owned(), json!(""));
        known.insert("email".to_owned(), json!(""));
        known.extend(contact);
        account.open(&cid, known);
        let url = &webhook.url;
        reqwest::Url::parse(url).with_context(|| format!("`{url}` is no address of a webhook"))?;
        let conversation = Self {
            cid,
            medium: "web".to_owned(),
            proactive: false,
            webhook: webhook.clone(),
            account: account.clone(),
            number,
        };
        conversation.connect();
        Ok(conversation)
    }

    /// The webhook is somewhere else now: a host that was started again has
    /// another port.
    pub fn move_to(&mut self, webhook: Webhook) {
        self.webhook = webhook;
        self.connect();
    }

    /// The person opened the messenger.
    ///
    /// # Errors
    ///
    /// As [`Conversation::post`].
    pub async fn start(&self) -> Result<Answer> {
        self.send("start", json!({})).await
    }

    /// The person wrote.
    ///
    /// # Errors
    ///
    /// As [`Conversation::post`].
    pub async fn message(&self, text: &str) -> Result<Answer> {
        self.send("message", json!({ "body": text })).await
    }

    /// The person chose an option.
    ///
    /// # Errors
    ///
    /// As [`Conversation::post`].
    pub async fn click(&self, id: &str, label: &str) -> Result<Answer> {
        self.send("click", json!({ "id": id, "label": label })).await
    }

    /// Any event, whatever the state of the session: the caller decides.
    ///
    /// # Errors
    ///
    /// As [`Conversation::post`].
    pub async fn send(&self, name: &str, payload: Value) -> Result<Answer> {
        if name == "forward_failed" {
            // The bot has the conversation again, and its answer is taken.
            self.account.change(&mut self.account.memory(), &self.cid, State::Open);
        }
        self.post(self.body(name, payload).to_string()).await
    }

    /// The body of a webhook call as Userlike would send it now.
    pub fn body(&self, name: &str, payload: Value) -> Value {
        let line = self.line();
        body(&self.account, &self.cid, &line, name, payload)
    }

    /// Calls the webhook once with a body as it is, without faults. The account
    /// takes over what a whole answer with status 200 says.
    ///
    /// # Errors
    ///
    /// The host cannot be reached or does not answer in time; the answer is
    /// one that Userlike would refuse.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> Result<Answer> {
        self.account.post(&self.cid, &self.line(), &body.into()).await
    }

    /// Sends an event as Userlike does: with the faults of the plan, and again
    /// after each failure until the schedule is at its end.
    pub async fn deliver(&self, step: Step) -> Delivery {
        self.connect();
        self.account.deliver(&self.cid, step).await
    }

    /// As [`Conversation::deliver`], one event after the other; of two that follow
    /// each other the plan may let the second go first.
    pub async fn play(&self, steps: impl IntoIterator<Item = Step>) -> Vec<Delivery> {
        self.connect();
        self.account.play(&self.cid, steps.into_iter().collect()).await
    }

    /// Tells the account how this conversation is reached now, also for what Userlike
    /// sends by itself. Every sending does so as well.
    pub fn connect(&self) {
        self.line();
    }

    /// What the account needs to know to send webhooks of this conversation.
    fn line(&self) -> Line {
        let line = Line {
            webhook: self.webhook.clone(),
            medium: self.medium.clone(),
            proactive: self.proactive,
            number: self.number,
        };
        self.account.connect(&self.cid, line.clone());
        line
    }
}

/// A webhook's body.
pub(super) fn body(account: &Account, cid: &str, line: &Line, name: &str, payload: Value) -> Value {
    json!({
        "info": {
            "approach_mode": if line.proactive { "proactive" } else { "normal" },
            "cid": cid,
            "contact": account.contact(cid),
            "context": account.context(cid),
            "conversation": {
                "id": 990_000 + line.number,
                "url": format!("https://app.example.invalid/conversations/{}", line.number),
                "subject": "",
                "topics": [],
                "locale": "en",
                "contact_channel": { "state": "valid", "type": line.medium },
            },
            "widget": { "id": 5512, "name": "Shop widget" },
        },
        "packet": { "name": name, "payload": payload },
    })
}
