//! A client that takes a host for Instabot.
//!
//! What its users see is found under their addresses in
//! [`Account::seen`](crate::account::Account::seen).

use std::collections::HashMap;
use std::net::SocketAddr;

use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

use super::chat::{self, options};
use super::user;
use crate::account::{Account, Conduct, Delivery, Incoming, Ledger, Outgoing, Reply, Twin, Vendor};
use crate::fields::Fields;

/// The name of the only webhook: where `/secure/send` and `/secure/user` are.
pub const BASE: &str = "base";
/// Where live agents' words go, on this side.
const CALLBACK: &str = "/agent";

/// Everything that can be set about a client.
#[derive(Clone, Debug)]
pub struct Options {
    /// The key of a start.
    pub api_key: String,
    /// The bot.
    pub bot_id: u64,
    /// Starts say where live agents' words go.
    pub has_callback: bool,
}

/// A client.
#[derive(Debug)]
pub struct Client {
    options: Options,
    callback: String,
    chats: HashMap<String, Chat>,
    streams: HashMap<String, String>,
}

/// The chat of one user.
#[derive(Debug, Default)]
struct Chat {
    stream: String,
    /// What the last answer offers: title and payload.
    offered: Vec<(String, i64)>,
}

/// Starts a client; live agents' words reach it on a free port of this machine.
///
/// # Errors
///
/// No port is free.
pub fn start(options: Options, conduct: Conduct) -> Result<Twin<Client>> {
    start_at(options, conduct, ([127, 0, 0, 1], 0).into())
}

/// As [`start`]; live agents' words reach it at this address.
///
/// # Errors
///
/// The address cannot be had.
pub fn start_at(options: Options, conduct: Conduct, address: SocketAddr) -> Result<Twin<Client>> {
    let client =
        Client { options, callback: String::new(), chats: HashMap::new(), streams: HashMap::new() };
    let twin = Twin::start(client, conduct, address)?;
    twin.account().memory().vendor.callback = format!("{}{CALLBACK}", twin.url());
    Ok(twin)
}

impl Account<Client> {
    /// A user begins a chat.
    pub async fn begin(&self, email: &str) -> Delivery {
        self.deliver(self.ask_to_begin(email)).await
    }

    /// A user writes.
    ///
    /// # Errors
    ///
    /// They have begun no chat.
    pub async fn write(&self, email: &str, text: &str) -> Result<Delivery, String> {
        Ok(self.deliver(self.ask(email, text)?).await)
    }

    /// A user taps an option of the last answer.
    ///
    /// # Errors
    ///
    /// It offers no such option.
    pub async fn tap(&self, email: &str, title: &str) -> Result<Delivery, String> {
        Ok(self.deliver(self.ask_by_tap(email, title)?).await)
    }

    /// Asks who a user is.
    pub async fn ask_for(&self, email: &str) -> Delivery {
        self.deliver(self.ask_who(email)).await
    }

    /// The request with which a user begins a chat.
    pub fn ask_to_begin(&self, email: &str) -> Outgoing {
        self.memory().vendor.begin(email)
    }

    /// The request with which a user writes.
    ///
    /// # Errors
    ///
    /// They have begun no chat.
    pub fn ask(&self, email: &str, text: &str) -> Result<Outgoing, String> {
        self.memory().vendor.respond(email, json!({ "text": text }))
    }

    pub(super) fn ask_by_tap(&self, email: &str, title: &str) -> Result<Outgoing, String> {
        let client = &self.memory().vendor;
        let chat = client.chats.get(email).ok_or_else(|| format!("{email} has no chat"))?;
        let option = chat.offered.iter().find(|(own, _)| own == title);
        let (_, payload) = option.ok_or_else(|| format!("nothing called {title} to tap"))?;
        client.respond(email, json!({ "text": title, "payload": payload }))
    }

    pub(super) fn ask_who(&self, email: &str) -> Outgoing {
        let client = &self.memory().vendor;
        let body = json!({ "apiKey": client.options.api_key, "email": email });
        outgoing(email, "/secure/user", &body)
    }

    /// The id of a user's chat, once there is one.
    pub fn stream(&self, email: &str) -> Option<String> {
        self.memory().vendor.chats.get(email).map(|chat| chat.stream.clone())
    }
}

impl Client {
    fn begin(&self, email: &str) -> Outgoing {
        let mut body = json!({
            "apiKey": self.options.api_key,
            "start": true,
            "botId": self.options.bot_id,
            "email": email,
            "metadata": { "page": "pricing" },
        });
        if self.options.has_callback {
            body["callbackUrl"] = json!(self.callback);
        }
        outgoing(email, "/secure/send", &body)
    }

    fn respond(&self, email: &str, message: Value) -> Result<Outgoing, String> {
        let chat = self.chats.get(email).ok_or_else(|| format!("{email} has no chat"))?;
        // The id alone is the secret from here on.
        let body = json!({ "streamId": chat.stream, "message": message });
        Ok(outgoing(email, "/secure/send", &body))
    }

    fn heard(&mut self, webhook: &Outgoing, body: &str, ledger: &mut Ledger) -> Result<(), String> {
        let said = chat::judge(body)?;
        let email = &webhook.conversation;
        let asked: Value = serde_json::from_slice(&webhook.body).unwrap_or_default();
        match asked["streamId"].as_str() {
            Some(stream) if stream != said.stream => {
                return Err("the answer is one of another chat".to_owned());
            }
            None if self.streams.get(&said.stream).is_some_and(|other| other != email) => {
                return Err("a new chat with the id of another one".to_owned());
            }
            _ => {}
        }
        let offered = said.messages.iter().flat_map(options).filter_map(|option| {
            Some((option["title"].as_str()?.to_owned(), option["payload"].as_i64()?))
        });
        let chat = Chat { stream: said.stream.clone(), offered: offered.collect() };
        self.chats.insert(email.clone(), chat);
        self.streams.insert(said.stream, email.clone());
        for message in said.messages {
            ledger.show(email, "message", message);
        }
        Ok(())
    }
}

impl Vendor for Client {
    /// "Live chat": a POST to the callback. It carries no token.
    fn admit(&self, call: &Incoming, _: &Ledger) -> Result<(), Reply> {
        let here = self.options.has_callback && call.path == CALLBACK;
        match (&call.method, here) {
            (&Method::POST, true) => Ok(()),
            (_, true) => Err(wrong(405, "not a POST")),
            (_, false) => Err(wrong(404, "there is no such address")),
        }
    }

    fn conversation(&self, call: &Incoming) -> Option<String> {
        self.streams.get(call.json()["streamId"].as_str()?).cloned()
    }

    fn answer(&mut self, call: &Incoming, ledger: &mut Ledger) -> Reply {
        let body = call.json();
        if let Err(why) = judge_post(&body) {
            return wrong(400, &why);
        }
        let Some(email) = self.conversation(call) else { return wrong(404, "no such chat") };
        ledger.show(&email, "agent", json!({ "text": body["text"] }));
        Reply::empty(200)
    }

    fn limited(&self, seconds: Option<u64>) -> Reply {
        let mut reply = wrong(429, "too many requests");
        reply.headers.extend(seconds.map(|it| ("retry-after", it.to_string())));
        reply
    }

    fn broken(&self) -> Reply {
        wrong(500, "an error of the client's")
    }

    /// The client forgets the chat.
    fn expire(&mut self, conversation: &str, ledger: &mut Ledger) {
        if let Some(chat) = self.chats.remove(conversation) {
            self.streams.remove(&chat.stream);
            ledger.change(conversation, "forgotten");
        }
    }

    fn is_delivered(&self, status: u16) -> bool {
        status == 200
    }

    fn answered(
        &mut self,
        webhook: &Outgoing,
        body: &str,
        ledger: &mut Ledger,
    ) -> Result<(), String> {
        if webhook.suffix != "/secure/user" {
            return self.heard(webhook, body, ledger);
        }
        let user = user::judge(body, &webhook.conversation)?;
        ledger.show(&webhook.conversation, "user", user);
        Ok(())
    }
}

/// "Live chat": what a callback gets.
pub(super) fn judge_post(body: &Value) -> Result<(), String> {
    let fields = Fields::of("the body", body)?;
    fields.no_others(&["streamId", "text"])?;
    fields.some_text("streamId")?;
    fields.some_text("text")
}

fn outgoing(email: &str, suffix: &str, body: &Value) -> Outgoing {
    Outgoing {
        conversation: email.to_owned(),
        hook: BASE.to_owned(),
        method: Method::POST,
        suffix: suffix.to_owned(),
        headers: Vec::new(),
        body: body.to_string().into_bytes(),
    }
}

fn wrong(status: u16, why: &str) -> Reply {
    Reply::other(status, "text/plain", why, why)
}
