//! A page, and how its API answers.

use std::collections::HashMap;
use std::time::Duration;

use http::Method;
use serde_json::{Value, json};

use super::document::{MESSAGING_TYPES, SENDER_ACTIONS, TAGS};
use super::event::Event;
use super::graph::Graph;
use super::medium::Medium;
use super::options::Options;
use super::thread::Thread;
use super::{control, message};
use crate::account::{Incoming, Ledger, Reply, Vendor};
use crate::fields::Fields;

/// A page on Facebook with one app that answers for it.
#[derive(Debug)]
pub struct Page {
    pub(super) options: Options,
    pub(super) threads: HashMap<String, Thread>,
    sent: u64,
}

impl Page {
    pub(super) fn new(options: Options) -> Self {
        Self { options, threads: HashMap::new(), sent: 0 }
    }

    /// The thread of a person, who is known from now on.
    pub(super) fn thread(&mut self, psid: &str) -> &mut Thread {
        let owner = &self.options.app_id;
        self.threads.entry(psid.to_owned()).or_insert_with(|| Thread::new(owner))
    }

    pub(super) fn next_mid(&mut self) -> String {
        self.sent += 1;
        format!("m_{}-{}", self.options.page_id, self.sent)
    }

    fn send(&mut self, body: &Value, ledger: &mut Ledger) -> Result<Reply, Graph> {
        let what = judge_on(self.options.medium, body).map_err(Graph::parameter)?;
        let psid = recipient(body)?;
        self.allows(psid, body, &what, ledger.now())?;
        match what {
            What::Action(action) => {
                ledger.show(psid, action, json!({}));
                Ok(Reply::taken(200, &json!({ "recipient_id": psid })))
            }
            What::Message(message) => {
                let mid = self.next_mid();
                let mut shown = message.clone();
                shown["mid"] = json!(mid);
                ledger.show(psid, "message", shown);
                self.thread(psid).said(message);
                for event in self.follows(psid, &mid, message) {
                    ledger.send(self.webhook(&[event]));
                }
                Ok(Reply::taken(200, &json!({ "recipient_id": psid, "message_id": mid })))
            }
        }
    }

    /// Whether this app may say this to this person now.
    fn allows(
        &self,
        psid: &str,
        body: &Value,
        what: &What<'_>,
        now: Duration,
    ) -> Result<(), Graph> {
        let thread = self.threads.get(psid).ok_or_else(Graph::no_user)?;
        if thread.is_gone {
            return Err(Graph::unavailable());
        }
        if let What::Message(_) = what {
            let window = match body["tag"].as_str() {
                None => Some(self.options.window),
                Some("HUMAN_AGENT") => Some(self.options.human_agent_window),
                Some(_) => None,
            };
            let since = thread.heard.map(|heard| now.saturating_sub(heard));
            if window.is_some_and(|window| since.is_none_or(|since| since > window)) {
                return Err(Graph::outside_window());
            }
        }
        if thread.owner.as_ref().is_some_and(|owner| *owner != self.options.app_id) {
            return Err(Graph::not_owner());
        }
        Ok(())
    }

    /// What the page's webhooks tell of a message of this app.
    fn follows(&self, psid: &str, mid: &str, message: &Value) -> Vec<Event> {
        let noise = self.options.noise;
        let mut events = Vec::new();
        if noise.echoes {
            events.push(Event::echo(self, psid, mid, &self.options.app_id, message));
        }
        if noise.deliveries {
            events.push(Event::delivery(self, psid, mid));
        }
        if noise.reads {
            events.push(Event::read(self, psid));
        }
        events
    }
}

impl Vendor for Page {
    fn admit(&self, call: &Incoming, _: &Ledger) -> Result<(), Reply> {
        let token = call.bearer().or_else(|| call.parameter("access_token"));
        if token != Some(&*self.options.token) {
            return Err(Graph::token().reply());
        }
        match (&call.method, edge(self, &call.path)) {
            (&Method::POST, Some("messages")) if !call.says_json() => {
                Err(Graph::parameter("the content-type is not application/json").reply())
            }
            (&Method::POST, Some("messages")) => Ok(()),
            (method, Some(edge)) if control::knows(method, edge) => Ok(()),
            (method, _) => Err(Graph::no_such_path(method.as_str(), &call.path).reply()),
        }
    }

    fn conversation(&self, call: &Incoming) -> Option<String> {
        let body = call.json();
        let own = body["recipient"]["id"].as_str().or_else(|| call.parameter("recipient"));
        own.map(str::to_owned)
    }

    fn answer(&mut self, call: &Incoming, ledger: &mut Ledger) -> Reply {
        let body = call.json();
        let answered = match edge(self, &call.path) {
            Some("messages") => self.send(&body, ledger),
            Some(edge) => control::answer(self, edge, call, &body, ledger),
            None => Err(Graph::no_such_path(call.method.as_str(), &call.path)),
        };
        answered.unwrap_or_else(Graph::reply)
    }

    /// The platform names the time in a header of its own, in minutes, which is
    /// recalled; `Retry-After` stands beside it.
    fn limited(&self, seconds: Option<u64>) -> Reply {
        let mut reply = Graph::limited().reply();
        if let Some(seconds) = seconds {
            let usage = json!({ &self.options.page_id: [{
                "type": "messenger",
                "call_count": 100,
                "total_cputime": 25,
                "total_time": 25,
                "estimated_time_to_regain_access": seconds.div_ceil(60),
            }] });
            reply.headers.push(("x-business-use-case-usage", usage.to_string()));
            reply.headers.push(("retry-after", seconds.to_string()));
        }
        reply
    }

    fn broken(&self) -> Reply {
        Graph::temporary().reply()
    }

    /// The window closes.
    fn expire(&mut self, conversation: &str, ledger: &mut Ledger) {
        if let Some(thread) = self.threads.get_mut(conversation) {
            thread.heard = None;
            ledger.change(conversation, "window-closed");
        }
    }

    /// "Webhooks": the answer must be 200.
    fn is_delivered(&self, status: u16) -> bool {
        status == 200
    }
}

/// The person that a call is for.
pub(super) fn recipient(body: &Value) -> Result<&str, Graph> {
    let id = body["recipient"]["id"].as_str().filter(|id| !id.is_empty());
    id.ok_or_else(|| Graph::parameter("param recipient must be non-empty."))
}

/// What is asked of the page: `/v23.0/me/messages`, also without a version and with the
/// page's id.
fn edge<'a>(page: &Page, path: &'a str) -> Option<&'a str> {
    let mut parts = path.strip_prefix('/')?.split('/').peekable();
    if parts.peek().is_some_and(|part| is_version(part)) {
        parts.next();
    }
    let node = parts.next()?;
    let edge = parts.next().filter(|_| parts.next().is_none())?;
    (node == "me" || node == page.options.page_id).then_some(edge)
}

fn is_version(part: &str) -> bool {
    let numbers = part.strip_prefix('v').and_then(|rest| rest.split_once('.'));
    numbers.is_some_and(|(major, minor)| major.parse::<u8>().is_ok() && minor.parse::<u8>().is_ok())
}

/// What a call to the Send API is.
#[derive(Clone, Copy)]
pub(super) enum What<'a> {
    Message(&'a Value),
    Action(&'a str),
}

/// The form of a call to the Send API on a medium, whoever it is for.
pub(super) fn judge_on(medium: Medium, body: &Value) -> Result<What<'_>, String> {
    let what = judge(body)?;
    if let What::Message(message) = what {
        medium.judge(message)?;
    }
    Ok(what)
}

/// What holds on all mediums.
fn judge(body: &Value) -> Result<What<'_>, String> {
    let fields = Fields::of("the body", body)?;
    fields.no_others(&[
        "recipient",
        "messaging_type",
        "message",
        "sender_action",
        "tag",
        "notification_type",
        "persona_id",
    ])?;
    fields.one_of("messaging_type", MESSAGING_TYPES)?;
    fields.one_of("tag", TAGS)?;
    if fields.has("sender_action") {
        if fields.has("message") {
            return Err("param sender_action cannot be combined with message".to_owned());
        }
        fields.some_text("sender_action")?;
        fields.one_of("sender_action", SENDER_ACTIONS)?;
        return Ok(What::Action(fields.word("sender_action")));
    }
    if !fields.has("message") {
        return Err("neither message nor sender_action".to_owned());
    }
    fields.some_text("messaging_type")?;
    if fields.is("messaging_type", "MESSAGE_TAG") != fields.has("tag") {
        return Err("tag and the messaging_type MESSAGE_TAG go together".to_owned());
    }
    message::judge(&body["message"])?;
    Ok(What::Message(&body["message"]))
}
