//! Userlike as the host sees it: webhooks in the form of its documents, with
//! what Userlike itself adds: the contact as it stands, the context echoed.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result};
use serde_json::{Value, json};

use crate::peers::userlike::{Account, Contact, Packet, packets};

/// An answer that takes longer is given up: the host promises one in 4 s.
const ANSWER_WITHIN: Duration = Duration::from_secs(30);

/// A bot's webhook as Userlike has it configured.
#[derive(Clone, Debug)]
pub struct Webhook {
    /// Where it is.
    pub url: String,
    /// The header that Userlike sends along, if one is configured.
    pub header: Option<(String, String)>,
}

/// One conversation of one person with the bot.
#[derive(Debug)]
pub struct Conversation {
    /// Its key.
    pub cid: String,
    /// What the person writes on: `web`, `whatsapp_business`, ...
    pub medium: String,
    /// The messenger opened by itself.
    pub proactive: bool,
    http: reqwest::Client,
    webhook: Webhook,
    account: Account,
    number: u64,
}

/// What the host answered to a webhook.
#[derive(Clone, Debug)]
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
    /// No HTTP client can be made.
    pub fn open(account: &Account, webhook: &Webhook, contact: Contact) -> Result<Self> {
        static NUMBERS: AtomicU64 = AtomicU64::new(1);
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let cid = format!("chatbot::612:{:032x}", 0x3f0d_6c1b_e2a9_0000_u64 + number);
        let mut known = Contact::new();
        known.insert("id".to_owned(), json!(40_000 + number));
        known.insert("name".to_owned(), json!(""));
        known.insert("email".to_owned(), json!(""));
        known.extend(contact);
        account.open(&cid, known);
        Ok(Self {
            cid,
            medium: "web".to_owned(),
            proactive: false,
            http: client()?,
            webhook: webhook.clone(),
            account: account.clone(),
            number,
        })
    }

    /// The webhook is somewhere else now: a host that was started again has
    /// another port.
    pub fn move_to(&mut self, webhook: Webhook) {
        self.webhook = webhook;
    }

    /// The next call goes over a connection of its own.
    ///
    /// # Errors
    ///
    /// No HTTP client can be made.
    pub fn reconnect(&mut self) -> Result<()> {
        self.http = client()?;
        Ok(())
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

    /// Any event.
    ///
    /// # Errors
    ///
    /// As [`Conversation::post`].
    pub async fn send(&self, name: &str, payload: Value) -> Result<Answer> {
        self.post(self.body(name, payload).to_string()).await
    }

    /// The body of a webhook call as Userlike would send it now.
    pub fn body(&self, name: &str, payload: Value) -> Value {
        json!({
            "info": {
                "approach_mode": if self.proactive { "proactive" } else { "normal" },
                "cid": self.cid,
                "contact": self.account.contact(&self.cid),
                "context": self.account.context(&self.cid),
                "conversation": {
                    "id": 990_000 + self.number,
                    "url": format!("https://app.example.invalid/conversations/{}", self.number),
                    "subject": "",
                    "topics": [],
                    "locale": "en",
                    "contact_channel": { "state": "valid", "type": self.medium },
                },
                "widget": { "id": 5512, "name": "Shop widget" },
            },
            "packet": { "name": name, "payload": payload },
        })
    }

    /// Calls the webhook with a body as it is. The account takes over what a
    /// whole answer with status 200 says.
    ///
    /// # Errors
    ///
    /// The host cannot be reached or does not answer in time; the answer is
    /// one that Userlike would refuse.
    pub async fn post(&self, body: impl Into<Vec<u8>>) -> Result<Answer> {
        let start = Instant::now();
        let mut request = self
            .http
            .post(&self.webhook.url)
            .header("content-type", "application/json")
            .body(body.into());
        if let Some((name, value)) = &self.webhook.header {
            request = request.header(name, value);
        }
        let response = request.send().await.context("the host did not answer the webhook")?;
        let status = response.status().as_u16();
        let retry_after = response.headers().get("retry-after");
        let retry_after = retry_after.and_then(|value| value.to_str().ok()?.parse().ok());
        let body = response.text().await.context("the host's answer broke off")?;
        let took = start.elapsed();
        let packets = match status {
            200 if !body.is_empty() => packets(body.as_bytes())
                .map_err(|reason| anyhow::anyhow!("Userlike refuses the answer: {reason}"))?,
            _ => Vec::new(),
        };
        self.account.take(&packets);
        Ok(Answer { status, body, retry_after, packets, took })
    }
}

/// A client for addresses of this machine.
pub(crate) fn client() -> Result<reqwest::Client> {
    // The build has no default for TLS; a second installation changes nothing.
    rustls::crypto::ring::default_provider().install_default().ok();
    reqwest::Client::builder()
        .no_proxy()
        .timeout(ANSWER_WITHIN)
        .build()
        .context("cannot make an HTTP client")
}
