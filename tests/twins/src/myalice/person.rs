//! What customers and agents do.

use http::Method;
use serde_json::{Map, Value, json};

use super::platform::{Block, Customer, Platform};
use crate::account::{Account, Delivery, Memory, Outgoing};
use crate::clock::epoch_ms;

/// The name of the webhook for tickets and new customers.
pub const TICKETS: &str = "tickets";

/// What happens to a ticket, or to a customer. The first two words are of the page,
/// the others are inferred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum News {
    /// `ticket_created`
    TicketCreated,
    /// `ticket_resolved`
    TicketResolved,
    /// `ticket_tagged`
    TicketTagged,
    /// `ticket_reopened`
    TicketReopened,
    /// `customer_created`
    CustomerCreated,
}

impl News {
    const fn name(self) -> &'static str {
        match self {
            Self::TicketCreated => "ticket_created",
            Self::TicketResolved => "ticket_resolved",
            Self::TicketTagged => "ticket_tagged",
            Self::TicketReopened => "ticket_reopened",
            Self::CustomerCreated => "customer_created",
        }
    }
}

impl Account<Platform> {
    /// A sequence has this API block now; its webhook is where [`Account::point`] says.
    pub fn add_block(&self, hook: &str, block: Block) {
        self.memory().vendor.blocks.insert(hook.to_owned(), block);
    }

    /// A customer exists.
    pub fn know(&self, uid: u64, phone: &str) {
        let mut memory = self.memory();
        memory.ledger.open(&uid.to_string());
        memory.vendor.customers.insert(
            uid,
            Customer {
                bot_enabled: true,
                created: "2020-10-16 06:41:59.039735+00:00".to_owned(),
                last_text: String::new(),
                phone: phone.to_owned(),
                ticket: 0,
                attributes: Map::new(),
                titles: Vec::new(),
            },
        );
    }

    /// The webhook of an API block that a customer runs into with these words. It says
    /// whether the bot is switched on for them, and comes in either case.
    ///
    /// # Errors
    ///
    /// There is no such block or customer.
    pub fn ask(&self, uid: u64, hook: &str, text: &str) -> Result<Outgoing, String> {
        let mut memory = self.memory();
        let platform = &mut memory.vendor;
        let block = platform.blocks.get(hook).ok_or_else(|| format!("no block {hook}"))?;
        let customer = platform.customers.get_mut(&uid);
        let customer = customer.ok_or_else(|| format!("no customer {uid}"))?;
        text.clone_into(&mut customer.last_text);
        customer.titles.clear();
        let (name, secret) = &platform.options.secret;
        let is_get = block.method == Method::GET;
        let body = if is_get {
            Vec::new()
        } else {
            body(uid, platform.options.platform_id, customer, block).to_string().into_bytes()
        };
        Ok(Outgoing {
            conversation: uid.to_string(),
            hook: hook.to_owned(),
            method: block.method.clone(),
            suffix: if is_get { query(&block.parameters) } else { String::new() },
            headers: vec![(name.clone(), secret.clone())],
            body,
        })
    }

    /// A customer runs into an API block, and the answer is shown.
    ///
    /// # Errors
    ///
    /// There is no such block or customer.
    pub async fn write(&self, uid: u64, hook: &str, text: &str) -> Result<Delivery, String> {
        Ok(self.deliver(self.ask(uid, hook, text)?).await)
    }

    /// A customer taps a button or a quick reply that was shown last, and runs into an
    /// API block with its title.
    ///
    /// # Errors
    ///
    /// There is no such block or customer, or nothing with this title was shown.
    pub async fn tap(&self, uid: u64, hook: &str, title: &str) -> Result<Delivery, String> {
        Ok(self.deliver(self.ask_by_tap(uid, hook, title)?).await)
    }

    pub(super) fn ask_by_tap(&self, uid: u64, hook: &str, title: &str) -> Result<Outgoing, String> {
        let shown = self
            .memory()
            .vendor
            .customers
            .get(&uid)
            .is_some_and(|customer| customer.titles.iter().any(|own| own == title));
        if !shown {
            return Err(format!("nothing called {title} to tap"));
        }
        self.ask(uid, hook, title)
    }

    /// A human takes the customer from the bot, or gives them back.
    pub fn set_bot_enabled(&self, uid: u64, bot_enabled: bool) {
        let mut memory = self.memory();
        let Memory { vendor, ledger } = &mut *memory;
        if let Some(customer) = vendor.customers.get_mut(&uid) {
            customer.bot_enabled = bot_enabled;
            let state = if bot_enabled { "bot enabled" } else { "bot disabled" };
            ledger.change(&uid.to_string(), state);
        }
    }

    /// What is saved about a customer.
    pub fn attributes(&self, uid: u64) -> Map<String, Value> {
        let platform = &self.memory().vendor;
        platform.customers.get(&uid).map(|it| it.attributes.clone()).unwrap_or_default()
    }

    /// The webhook that tells news of a customer; it carries no signature.
    pub fn news(&self, uid: u64, news: News) -> Option<Outgoing> {
        let platform = &mut self.memory().vendor;
        let platform_id = platform.options.platform_id;
        if news == News::TicketCreated {
            platform.tickets += 1;
        }
        let number = platform.tickets;
        let customer = platform.customers.get_mut(&uid)?;
        if news == News::TicketCreated {
            customer.ticket = number;
        }
        let mut body = json!({
            "action": news.name(),
            "customer": told(uid, customer),
            "channel": { "id": platform_id, "type": "livechat_messenger", "name": "Live Support" },
            "team": { "id": 343, "name": "Labs" },
        });
        if news != News::CustomerCreated {
            let is_resolved = news == News::TicketResolved;
            let tags: &[&str] = if news == News::TicketTagged { &["refund"] } else { &[] };
            body["ticket"] = json!({
                "id": customer.ticket,
                "is_replied": is_resolved,
                "is_resolved": is_resolved,
                "conversation_text": customer.last_text,
                "created_at": (epoch_ms() / 1_000).to_string(),
                "assigned_agent": null,
                "assigned_group": null,
                "resolved_by": null,
                "tags": tags,
            });
        }
        Some(Outgoing {
            conversation: uid.to_string(),
            hook: TICKETS.to_owned(),
            method: Method::POST,
            suffix: String::new(),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        })
    }
}

/// "Create an API", step 3: the customer, their attributes, the block's parameters.
fn body(uid: u64, platform_id: u64, customer: &Customer, block: &Block) -> Value {
    let mut body = json!({
        "uid": uid,
        "platform_id": platform_id,
        "bot_enabled": customer.bot_enabled,
        "avatar": "",
        "first_name": "Lorem",
        "last_name": "Ipsum",
        "full_name": "Lorem Ipsum",
        "gender": "male",
        "timezone": 6.0,
        "locale": "",
        "language": "",
        "phone": customer.phone,
        "email": "",
        "created_at": customer.created,
        "last_message_text": customer.last_text,
        "last_message_time": "",
    });
    for (key, value) in &customer.attributes {
        body[key] = value.clone();
    }
    for (key, value) in &block.parameters {
        body[key] = json!(value);
    }
    body
}

/// A customer as the other webhooks have them: another id's name, times as texts.
fn told(uid: u64, customer: &Customer) -> Value {
    json!({
        "id": uid,
        "primary_id": format!("{uid:032x}"),
        "avatar": null,
        "first_name": "Lorem",
        "last_name": "Ipsum",
        "full_name": "Lorem Ipsum",
        "gender": "",
        "timezone": null,
        "locale": "",
        "language": "",
        "phone": customer.phone,
        "email": "",
        "created_at": "1700000601",
        "last_message_text": customer.last_text,
        "last_message_time": (epoch_ms() / 1_000).to_string(),
    })
}

fn query(parameters: &[(String, String)]) -> String {
    let mut url = reqwest::Url::parse("http://twin/").expect("this is an address");
    url.query_pairs_mut().extend_pairs(parameters);
    url.query().filter(|query| !query.is_empty()).map(|it| format!("?{it}")).unwrap_or_default()
}
