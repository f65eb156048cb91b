//! The platform: its customers, its API blocks, and how its REST API answers.

use std::collections::HashMap;

use http::Method;
use serde_json::{Map, Value, json};

use super::answer::{self, Output};
use super::document::{BASE, STATUS_TOKEN, STATUS_UNKNOWN, STATUS_WRONG, TOKEN_HEADER};
use crate::account::{Incoming, Ledger, Outgoing, Reply, Vendor};
use crate::clock::epoch_ms;
use crate::fields::Fields;

/// Everything that can be set about a platform.
#[derive(Clone, Debug)]
pub struct Options {
    /// The key of REST calls.
    pub api_key: String,
    /// The header that API blocks send along.
    pub secret: (String, String),
    /// The channel's id.
    pub platform_id: u64,
    /// The sequences that can be sent.
    pub sequences: Vec<String>,
    /// The `WhatsApp` templates that can be sent.
    pub templates: Vec<String>,
    /// Whether `data` of images, galleries, buttons and quick replies is judged. Their
    /// form is on no page; what is judged is inferred.
    pub judges_shapes: bool,
}

impl Options {
    /// A channel with a sequence and a template.
    pub fn new(api_key: &str, header: &str, secret: &str) -> Self {
        Self {
            api_key: api_key.to_owned(),
            secret: (header.to_owned(), secret.to_owned()),
            platform_id: 1,
            sequences: vec!["138".to_owned()],
            templates: vec!["9".to_owned()],
            judges_shapes: true,
        }
    }
}

/// An account of `MyAlice` with one channel.
#[derive(Debug)]
pub struct Platform {
    pub(super) options: Options,
    pub(super) blocks: HashMap<String, Block>,
    pub(super) customers: HashMap<u64, Customer>,
    pub(super) tickets: u64,
}

/// An API block of a sequence. Its name is its webhook's.
#[derive(Clone, Debug)]
pub struct Block {
    /// How the answer is shown.
    pub output: Output,
    /// `GET`, without the customer, or `POST`.
    pub method: Method,
    /// The block's own parameters.
    pub parameters: Vec<(String, String)>,
}

/// A customer.
#[derive(Debug)]
pub(super) struct Customer {
    pub(super) bot_enabled: bool,
    pub(super) created: String,
    pub(super) last_text: String,
    pub(super) phone: String,
    pub(super) ticket: u64,
    pub(super) attributes: Map<String, Value>,
    /// What can be tapped: titles of the last buttons and quick replies.
    pub(super) titles: Vec<String>,
}

impl Platform {
    pub(super) fn new(options: Options) -> Self {
        Self { options, blocks: HashMap::new(), customers: HashMap::new(), tickets: 8_192_170 }
    }

    fn customer(&self, id: &Value) -> Result<u64, Reply> {
        let uid = id.as_str().and_then(|id| id.parse().ok());
        let known = uid.filter(|uid| self.customers.contains_key(uid));
        known.ok_or_else(|| wrong(STATUS_UNKNOWN, &format!("no customer {id}")))
    }

    fn send_text(&self, body: &Value, ledger: &mut Ledger) -> Result<Reply, Reply> {
        judge_text(body)?;
        let uid = self.customer(&body["customer_id"])?;
        ledger.show(&uid.to_string(), "text", json!({ "text": body["text"] }));
        Ok(sent("send"))
    }

    fn send_sequence(&self, body: &Value, ledger: &mut Ledger) -> Result<Reply, Reply> {
        judge(body, &["customer_id", "sequence_id"], |it| {
            it.some_text("customer_id")?;
            it.some_text("sequence_id")
        })?;
        let uid = self.customer(&body["customer_id"])?;
        let known = self.options.sequences.iter().any(|own| body["sequence_id"] == **own);
        if !known {
            return Err(wrong(STATUS_UNKNOWN, "no such sequence"));
        }
        ledger.show(&uid.to_string(), "sequence", json!({ "id": body["sequence_id"] }));
        Ok(sent("send_sequence"))
    }

    fn send_template(&self, body: &Value, ledger: &mut Ledger) -> Result<Reply, Reply> {
        let keys = ["template_id", "channel_id", "customer_phone", "attributes", "attachment"];
        judge(body, &keys, |it| {
            it.id("template_id")?;
            it.id("channel_id")?;
            it.some_text("customer_phone")?;
            it.optional_object("attributes").map(|_| ())
        })?;
        let known = self.options.templates.iter().any(|own| body["template_id"] == **own);
        if !known {
            return Err(wrong(STATUS_UNKNOWN, "no such template"));
        }
        let phone = body["customer_phone"].as_str().unwrap_or_default();
        let customer = self.customers.iter().find(|(_, customer)| customer.phone == phone);
        // A template reaches also who has never written.
        let name = customer.map_or_else(|| phone.to_owned(), |(uid, _)| uid.to_string());
        ledger.show(&name, "template", body.clone());
        Ok(sent("send_template"))
    }

    fn templates(&self) -> Reply {
        let list: Vec<_> = self.options.templates.iter().map(|id| json!({ "id": id })).collect();
        Reply::taken(200, &json!({ "data": list }))
    }
}

impl Vendor for Platform {
    fn admit(&self, call: &Incoming, _: &Ledger) -> Result<(), Reply> {
        if call.header(TOKEN_HEADER) != Some(&*self.options.api_key) {
            return Err(wrong(STATUS_TOKEN, "X-Myalice-Api-Key is missing or wrong"));
        }
        let known = match call.path.strip_prefix(BASE) {
            Some(
                "/customers/send-text-message"
                | "/customers/send-sequence"
                | "/whatsapp/send-template-message",
            ) => call.method == Method::POST,
            Some("/whatsapp/get-template-list") => call.method == Method::GET,
            _ => false,
        };
        if known {
            return Ok(());
        }
        Err(wrong(404, &format!("there is no {} {}", call.method, call.path)))
    }

    fn conversation(&self, call: &Incoming) -> Option<String> {
        let body = call.json();
        let own = body["customer_id"].as_str().or_else(|| body["customer_phone"].as_str());
        own.map(str::to_owned)
    }

    fn answer(&mut self, call: &Incoming, ledger: &mut Ledger) -> Reply {
        let body = call.json();
        let answered = match call.path.strip_prefix(BASE) {
            Some("/whatsapp/get-template-list") => Ok(self.templates()),
            _ if !call.says_json() => Err(wrong(STATUS_WRONG, "the body is not JSON")),
            Some("/customers/send-text-message") => self.send_text(&body, ledger),
            Some("/customers/send-sequence") => self.send_sequence(&body, ledger),
            _ => self.send_template(&body, ledger),
        };
        answered.unwrap_or_else(|refused| refused)
    }

    /// No page knows a limit; this is what a gateway before it would say.
    fn limited(&self, seconds: Option<u64>) -> Reply {
        let mut reply = wrong(429, "too many requests");
        reply.headers.extend(seconds.map(|it| ("retry-after", it.to_string())));
        reply
    }

    fn broken(&self) -> Reply {
        wrong(500, "an error of ours")
    }

    /// The bot is switched off for the customer, which stops no REST call.
    fn expire(&mut self, conversation: &str, ledger: &mut Ledger) {
        let customer = conversation.parse().ok().and_then(|uid| self.customers.get_mut(&uid));
        if let Some(customer) = customer {
            customer.bot_enabled = false;
            ledger.change(conversation, "bot disabled");
        }
    }

    /// The answer of an API block is shown; of other webhooks it says nothing.
    fn answered(
        &mut self,
        webhook: &Outgoing,
        body: &str,
        ledger: &mut Ledger,
    ) -> Result<(), String> {
        let Some(block) = self.blocks.get(&webhook.hook) else { return Ok(()) };
        let answer = answer::judge(body, block.output, self.options.judges_shapes)?;
        let customer = webhook.conversation.parse().ok();
        // What a GET answers goes to whoever ran into the block.
        if let Some(customer) = customer.and_then(|uid: u64| self.customers.get_mut(&uid)) {
            customer.attributes.extend(answer.attributes);
            customer.titles = answer.titles;
        }
        if !answer.data.is_empty() {
            let shown = json!({ "text": answer.data, "success": answer.success });
            ledger.show(&webhook.conversation, block.output.name(), shown);
        }
        Ok(())
    }
}

/// The body of a text.
pub(super) fn judge_text(body: &Value) -> Result<(), Reply> {
    judge(body, &["customer_id", "text"], |it| {
        it.some_text("customer_id")?;
        it.some_text("text")
    })
}

fn judge(
    body: &Value,
    keys: &[&str],
    rest: impl FnOnce(&Fields<'_>) -> Result<(), String>,
) -> Result<(), Reply> {
    let judged = Fields::of("the body", body).and_then(|fields| {
        fields.no_others(keys)?;
        rest(&fields)
    });
    judged.map_err(|why| wrong(STATUS_WRONG, &why))
}

fn sent(function: &str) -> Reply {
    Reply::taken(
        200,
        &json!({
            "id": "x",
            "project_id": 1,
            "timestamp": (epoch_ms() / 1_000).to_string(),
            "function_name": function,
            "message": "ok",
            "status": "success",
            "extra": {},
        }),
    )
}

fn wrong(status: u16, why: &str) -> Reply {
    Reply::refused(status, &json!({ "status": "error", "message": why }), why)
}
