//! What authors and agents do.

use std::collections::VecDeque;

use serde_json::{Value, json};

use super::care::{Care, Conversation};
use super::{registrations, webhook};
use crate::account::{Account, Delivery, Memory, Outgoing};
use crate::clock::epoch_ms;

/// What an author does.
#[derive(Clone, Debug, PartialEq)]
pub enum Act {
    /// Writes in private.
    Write(String),
    /// Writes where everybody reads.
    Comment(String),
    /// Taps a button or a reply, by its payload.
    Tap(String),
    /// Sends a file: its address and `IMAGE`, `VIDEO`, ...
    Media(String, String),
    /// Writes on a network that tells the bot no text.
    Mute,
}

impl Account<Care> {
    /// Registers the bot as its own call would: live, with `BASIC_AUTH` or `HMAC`.
    ///
    /// # Errors
    ///
    /// Says what the framework finds wrong.
    pub fn register(
        &self,
        url: &str,
        kind: &str,
        identity: &str,
        secret: &str,
    ) -> Result<(), String> {
        let mut memory = self.memory();
        let Memory { vendor, ledger } = &mut *memory;
        let options = &vendor.options;
        let body = json!({
            "platform": "LITHIUM",
            "companyKey": options.company_key,
            "networkKey": options.network_key,
            "externalId": options.external_id,
            "appId": options.app_id,
            "name": "Bot",
            "callbackUrl": url,
            "mode": "LIVE",
            "credentials": { "type": kind, "identity": identity, "secret": secret },
        });
        let reply = registrations::register(vendor, &body, ledger);
        if reply.acted { Ok(()) } else { Err(reply.reason) }
    }

    /// A token that was made before; the one before it is void.
    pub fn token(&self) -> String {
        let mut memory = self.memory();
        let now = memory.ledger.now();
        memory.vendor.make_token(now)["token"].as_str().unwrap_or_default().to_owned()
    }

    /// The webhooks that come of what an author does: none where no bot is live. A new
    /// conversation is the bot's, and is told as `CREATED` after its first message.
    ///
    /// # Errors
    ///
    /// The author was offered no such thing to tap.
    pub fn act(&self, author: &str, act: Act) -> Result<Vec<Outgoing>, String> {
        let mut memory = self.memory();
        let care = &mut memory.vendor;
        let said = said(care, author, &act)?;
        let is_live = care.is_live();
        let is_new = !care.conversations.contains_key(author);
        let number = care.next_number();
        let owner = care.bot();
        let known = care
            .conversations
            .entry(author.to_owned())
            .or_insert_with(|| Conversation::new(number, owner));
        known.messages.push_back(format!("m_{number}"));
        known.scope = if matches!(act, Act::Comment(_)) { "PUBLIC" } else { "PRIVATE" };
        if !is_live {
            // Agents take it, so that the bot does not wake up in the middle.
            known.owner = json!({ "type": "AGENT" });
            known.is_created = true;
            memory.ledger.change(author, "owner AGENT");
            return Ok(Vec::new());
        }
        let mut webhooks: Vec<_> = webhook::message(care, author, &said).into_iter().collect();
        if is_new {
            webhooks.extend(webhook::update(care, author, "CREATED"));
        }
        Ok(webhooks)
    }

    /// An author writes, and the bot is told.
    pub async fn write(&self, author: &str, text: &str) -> Vec<Delivery> {
        // Everybody can write at any time.
        let webhooks = self.act(author, Act::Write(text.to_owned())).unwrap_or_default();
        self.tell(author, webhooks).await
    }

    /// Sends webhooks one after the other. After the first message's the conversation
    /// exists for agents as well.
    pub async fn tell(&self, author: &str, webhooks: Vec<Outgoing>) -> Vec<Delivery> {
        let mut deliveries = Vec::with_capacity(webhooks.len());
        for (number, webhook) in webhooks.into_iter().enumerate() {
            if number == 1 {
                self.create(author);
            }
            deliveries.push(self.deliver(webhook).await);
        }
        deliveries
    }

    /// The conversation of an author exists from now on, so that it can be handed over.
    pub fn create(&self, author: &str) {
        if let Some(known) = self.memory().vendor.conversations.get_mut(author) {
            known.is_created = true;
        }
    }

    /// An agent takes the conversation.
    pub fn take_over(&self, author: &str) -> Option<Outgoing> {
        self.hand(author, json!({ "type": "AGENT" }))
    }

    /// An agent gives the conversation to the bot.
    pub fn hand_back(&self, author: &str) -> Option<Outgoing> {
        let bot = self.memory().vendor.bot();
        self.hand(author, bot)
    }

    /// An agent answers. Whether that takes the conversation is not documented; here it
    /// does not.
    pub fn agent_says(&self, author: &str) -> Option<Outgoing> {
        webhook::update(&self.memory().vendor, author, "AGENT_RESPONSE")
    }

    /// The conversation is closed; the next one is the bot's again.
    pub fn close(&self, author: &str) -> Option<Outgoing> {
        let care = &mut self.memory().vendor;
        let bot = care.bot();
        care.conversations.get_mut(author)?.owner = bot;
        webhook::update(care, author, "CLOSED")
    }

    /// A webhook with any body, and with the credentials of the registration.
    pub fn signed(&self, author: &str, body: &Value) -> Option<Outgoing> {
        webhook::signed(&self.memory().vendor, author, body)
    }

    /// The owner of an author's conversation, `BOT` or `AGENT`.
    pub fn owner(&self, author: &str) -> Option<String> {
        let care = &self.memory().vendor;
        care.conversations.get(author)?.owner["type"].as_str().map(str::to_owned)
    }

    /// The next hand-offs meet a conflict that passes.
    pub fn conflict_next(&self, count: u32) {
        self.memory().vendor.conflicts = count;
    }

    /// The network cannot reach an author, or can again.
    pub fn set_gone(&self, author: &str, is_gone: bool) {
        if let Some(known) = self.memory().vendor.conversations.get_mut(author) {
            known.is_gone = is_gone;
        }
    }

    fn hand(&self, author: &str, owner: Value) -> Option<Outgoing> {
        let mut memory = self.memory();
        let state = format!("owner {}", owner["type"].as_str().unwrap_or_default());
        let known = memory.vendor.conversations.get_mut(author)?;
        known.owner = owner;
        known.updated = epoch_ms();
        memory.ledger.change(author, &state);
        webhook::control(&memory.vendor, author)
    }
}

impl Conversation {
    fn new(number: u64, owner: Value) -> Self {
        Self {
            name: "Ines Roth".to_owned(),
            display_id: 4_000 + number,
            owner,
            is_created: false,
            is_gone: false,
            scope: "PRIVATE",
            updated: epoch_ms(),
            messages: VecDeque::new(),
            actions: Vec::new(),
        }
    }
}

/// What an author's message holds besides its address.
fn said(care: &Care, author: &str, act: &Act) -> Result<Value, String> {
    Ok(match act {
        Act::Write(text) | Act::Comment(text) => json!({ "text": text }),
        Act::Mute => json!({}),
        Act::Media(url, kind) => json!({ "media": [{ "url": url, "mediaType": kind }] }),
        Act::Tap(payload) => {
            let known = care.conversations.get(author);
            let mut offered = known.into_iter().flat_map(|known| known.actions.iter().rev());
            let action = offered.find(|action| action["payload"] == **payload);
            let action = action.ok_or_else(|| format!("no action with the payload {payload}"))?;
            json!({ "actions": [action] })
        }
    })
}
