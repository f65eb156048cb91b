//! Instabot with one bot, for hosts that call it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::Result;
use http::Method;
use serde_json::{Value, json};

use super::user;
use crate::account::{Account, Conduct, Delivery, Incoming, Ledger, Outgoing, Reply, Twin, Vendor};
use crate::fields::{Fields, is_link};

/// "Live agent": how the page says that one has left.
pub const LEFT: &str = "Agent has ended this live session";

/// A step of the bot's flow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Node {
    /// It says this and goes on.
    Say(String),
    /// It asks this and waits for any text.
    Ask(String),
    /// It asks this and waits for one of these options, by its number.
    Choose(String, Vec<(String, i64)>),
    /// It waits for any text, says that it has heard it, and so on for ever; to a text that
    /// ends with `bye` it says besides that it is done.
    Echo {
        /// The end of what the person says at the end.
        bye: String,
        /// What it says then.
        done: String,
    },
}

/// An account of Instabot.
#[derive(Debug)]
pub struct Bot {
    api_key: String,
    bot_id: u64,
    flow: Vec<Node>,
    chats: HashMap<String, Chat>,
    made: u64,
}

#[derive(Debug)]
struct Chat {
    /// The step that waits for an answer.
    at: usize,
    callback: Option<String>,
    /// A live agent has the chat.
    is_live: bool,
    /// What live agents have written, and when.
    agents: Vec<(Duration, String)>,
}

/// Starts an Instabot on a free port of this machine.
///
/// # Errors
///
/// No port is free.
pub fn start(api_key: &str, bot_id: u64, flow: Vec<Node>, conduct: Conduct) -> Result<Twin<Bot>> {
    start_at(api_key, bot_id, flow, conduct, ([127, 0, 0, 1], 0).into())
}

/// As [`start`], at this address.
///
/// # Errors
///
/// The address is not free.
pub fn start_at(
    api_key: &str,
    bot_id: u64,
    flow: Vec<Node>,
    conduct: Conduct,
    listen: SocketAddr,
) -> Result<Twin<Bot>> {
    let bot = Bot { api_key: api_key.to_owned(), bot_id, flow, chats: HashMap::new(), made: 0 };
    Twin::start(bot, conduct, listen)
}

impl Account<Bot> {
    /// A live agent writes into a chat; absent where the chat named no callback.
    pub async fn agent_says(&self, stream: &str, text: &str) -> Option<Delivery> {
        let webhook = self.ask_agent(stream, text)?;
        Some(self.deliver(webhook).await)
    }

    /// A live agent ends their part; the flow goes on with the next message.
    pub async fn agent_leaves(&self, stream: &str) -> Option<Delivery> {
        self.agent_says(stream, LEFT).await
    }

    /// The chats so far, by their ids.
    pub fn streams(&self) -> Vec<String> {
        let made = self.memory().vendor.made;
        (1..=made).map(stream_of).collect()
    }

    /// Where the live agents of a chat speak, as it was told.
    pub fn callback(&self, stream: &str) -> Option<String> {
        self.memory().vendor.chats.get(stream)?.callback.clone()
    }

    /// What live agents have written into a chat, and when.
    pub fn agents(&self, stream: &str) -> Vec<(Duration, String)> {
        let memory = self.memory();
        memory.vendor.chats.get(stream).map(|chat| chat.agents.clone()).unwrap_or_default()
    }

    /// What the host is told where a live agent writes this: whoever asks must send it.
    pub fn ask_agent(&self, stream: &str, text: &str) -> Option<Outgoing> {
        let mut memory = self.memory();
        let now = memory.ledger.now();
        let chat = memory.vendor.chats.get_mut(stream)?;
        let callback = chat.callback.clone()?;
        chat.is_live = text != LEFT;
        chat.agents.push((now, text.to_owned()));
        memory.ledger.point(stream, &callback);
        let body = json!({ "streamId": stream, "text": text });
        Some(Outgoing {
            conversation: stream.to_owned(),
            hook: stream.to_owned(),
            method: Method::POST,
            suffix: String::new(),
            headers: Vec::new(),
            body: body.to_string().into_bytes(),
        })
    }

    /// Whether Instabot remembers a chat.
    pub(super) fn knows(&self, stream: &str) -> bool {
        self.memory().vendor.chats.contains_key(stream)
    }

    /// The chat that began last.
    pub(super) fn newest_chat(&self) -> Option<String> {
        let bot = &self.memory().vendor;
        (bot.made > 0).then(|| bot.stream())
    }
}

impl Bot {
    /// The id of the chat that was made last.
    fn stream(&self) -> String {
        stream_of(self.made)
    }

    fn begin(&mut self, body: &Value, ledger: &mut Ledger) -> Result<Reply, Reply> {
        let keys = ["apiKey", "start", "botId", "email", "callbackUrl", "metadata"];
        judge(body, &keys, |it| {
            it.some_text("apiKey")?;
            it.whole_number("botId")?;
            it.some_text("email")?;
            it.optional_object("metadata").map(|_| ())
        })?;
        if body["start"] != true {
            return Err(wrong(400, "start is not true"));
        }
        let callback = body.get("callbackUrl").filter(|it| !it.is_null());
        if callback.is_some_and(|it| !it.as_str().is_some_and(is_link)) {
            return Err(wrong(400, "callbackUrl is no address"));
        }
        self.knows_key(body)?;
        if body["botId"] != self.bot_id {
            return Err(wrong(404, "no such bot"));
        }
        self.made += 1;
        let stream = self.stream();
        let callback = callback.and_then(Value::as_str).map(str::to_owned);
        self.chats
            .insert(stream.clone(), Chat { at: 0, callback, is_live: false, agents: Vec::new() });
        ledger.show(&stream, "start", json!({ "email": body["email"] }));
        Ok(self.go_on(&stream, 0))
    }

    fn respond(&mut self, body: &Value, ledger: &mut Ledger) -> Result<Reply, Reply> {
        judge(body, &["streamId", "message"], |it| {
            it.some_text("streamId")?;
            let message = it.object("message")?;
            message.no_others(&["text", "payload"])?;
            message.some_text("text")
        })?;
        let stream = body["streamId"].as_str().unwrap_or_default();
        let message = &body["message"];
        let chat = self.chats.get(stream).ok_or_else(|| wrong(404, "no such chat"))?;
        let at = chat.at;
        let payload = message.get("payload");
        if payload.is_some_and(|payload| !payload.is_i64()) {
            return Err(wrong(400, "payload is no whole number"));
        }
        if !chat.is_live
            && let Some(Node::Choose(_, options)) = self.flow.get(at)
            && !options.iter().any(|(_, own)| payload == Some(&json!(own)))
        {
            return Err(wrong(400, "payload is none of the options"));
        }
        let is_live = chat.is_live;
        ledger.show(stream, "message", message.clone());
        if is_live {
            return Ok(Reply::taken(200, &json!({ "messages": [], "streamId": stream })));
        }
        if let Some(Node::Echo { bye, done }) = self.flow.get(at) {
            let text = message["text"].as_str().unwrap_or_default();
            let mut messages = vec![json!({ "text": heard(text) })];
            messages.extend(text.ends_with(bye).then(|| json!({ "text": done })));
            return Ok(Reply::taken(200, &json!({ "messages": messages, "streamId": stream })));
        }
        Ok(self.go_on(stream, at + 1))
    }

    /// Says what comes until the bot waits or the flow is over.
    fn go_on(&mut self, stream: &str, from: usize) -> Reply {
        let mut messages = Vec::new();
        let mut at = from;
        for node in self.flow.iter().skip(from) {
            match node {
                Node::Say(text) | Node::Ask(text) => messages.push(json!({ "text": text })),
                Node::Choose(text, options) => {
                    let replies: Vec<_> = options
                        .iter()
                        .map(|(title, payload)| {
                            json!({ "content_type": "text", "title": title, "payload": payload })
                        })
                        .collect();
                    messages.push(json!({ "text": text, "quick_replies": replies }));
                }
                Node::Echo { .. } => {}
            }
            if !matches!(node, Node::Say(_)) {
                break;
            }
            at += 1;
        }
        if let Some(chat) = self.chats.get_mut(stream) {
            chat.at = at;
        }
        Reply::taken(200, &json!({ "messages": messages, "streamId": stream }))
    }

    fn user(&self, body: &Value) -> Result<Reply, Reply> {
        judge(body, &["apiKey", "email"], |it| {
            it.some_text("apiKey")?;
            it.some_text("email")
        })?;
        self.knows_key(body)?;
        Ok(Reply::taken(200, &user::of(body["email"].as_str().unwrap_or_default())))
    }

    fn knows_key(&self, body: &Value) -> Result<(), Reply> {
        if body["apiKey"] == *self.api_key {
            return Ok(());
        }
        Err(wrong(401, "apiKey is wrong"))
    }
}

impl Vendor for Bot {
    fn admit(&self, call: &Incoming, _: &Ledger) -> Result<(), Reply> {
        let known = matches!(&*call.path, "/secure/send" | "/secure/user");
        if !known || call.method != Method::POST {
            return Err(wrong(404, "there is no such address"));
        }
        if call.says_json() { Ok(()) } else { Err(wrong(415, "the body is not JSON")) }
    }

    fn conversation(&self, call: &Incoming) -> Option<String> {
        let body = call.json();
        let own = body["streamId"].as_str().or_else(|| body["email"].as_str());
        own.map(str::to_owned)
    }

    fn answer(&mut self, call: &Incoming, ledger: &mut Ledger) -> Reply {
        let body = call.json();
        let answered = match (&*call.path, body.get("streamId")) {
            ("/secure/user", _) => self.user(&body),
            (_, None) => self.begin(&body, ledger),
            (_, Some(_)) => self.respond(&body, ledger),
        };
        answered.unwrap_or_else(|refused| refused)
    }

    fn limited(&self, seconds: Option<u64>) -> Reply {
        let mut reply = wrong(429, "too many requests");
        reply.headers.extend(seconds.map(|it| ("retry-after", it.to_string())));
        reply
    }

    fn broken(&self) -> Reply {
        wrong(500, "an error of ours")
    }

    /// The chat is forgotten.
    fn expire(&mut self, conversation: &str, ledger: &mut Ledger) {
        if self.chats.remove(conversation).is_some() {
            ledger.change(conversation, "forgotten");
        }
    }
}

/// The id of the chat of this number, from 1.
fn stream_of(number: u64) -> String {
    (478_158_889 + number).to_string()
}

/// What the bot says of a text that it has heard.
pub fn heard(text: &str) -> String {
    format!("heard {text}")
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
    judged.map_err(|why| wrong(400, &why))
}

/// The page shows no error; the envelope is that of the vendor's "Server API".
fn wrong(status: u16, why: &str) -> Reply {
    let body = json!({ "apiStatusCode": "Error", "apiStatusMessage": why });
    Reply::refused(status, &body, why)
}
