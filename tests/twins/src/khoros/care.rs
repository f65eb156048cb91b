//! The framework: who owns which conversation, and how the API answers.

use std::collections::{HashMap, VecDeque};
use std::time::Duration;

use http::header::AUTHORIZATION;
use serde_json::{Value, json};

use super::options::Options;
use super::refusal::{messages, unauthorized};
use super::registrations::{self, Registration};
use super::route::{Route, route};
use super::tokens::{Tokens, basic};
use super::{control, respond};
use crate::account::{Incoming, Ledger, Outgoing, Reply, Vendor};

/// An account of Khoros Care on one network, with one bot.
#[derive(Debug)]
pub struct Care {
    pub(super) options: Options,
    pub(super) registration: Option<Registration>,
    pub(super) conversations: HashMap<String, Conversation>,
    pub(super) requests: Vec<Request>,
    pub(super) conflicts: u32,
    tokens: Tokens,
    numbers: u64,
    successes: u64,
    failures: u64,
    failures_in_a_row: u64,
}

/// A call that was accepted.
#[derive(Debug)]
pub(super) struct Request {
    pub(super) shown: Value,
    /// Its state is pending until then.
    pub(super) until: Duration,
}

/// A conversation of one author.
#[derive(Debug)]
pub(super) struct Conversation {
    pub(super) name: String,
    pub(super) display_id: u64,
    pub(super) owner: Value,
    /// It exists for the agents' side as well: shortly after the first message.
    pub(super) is_created: bool,
    /// The network cannot reach the author.
    pub(super) is_gone: bool,
    pub(super) scope: &'static str,
    pub(super) updated: u64,
    pub(super) messages: VecDeque<String>,
    /// What can be tapped: type, payload, text.
    pub(super) actions: Vec<Value>,
}

impl Care {
    pub(super) fn new(options: Options) -> Self {
        Self {
            options,
            registration: None,
            conversations: HashMap::new(),
            requests: Vec::new(),
            conflicts: 0,
            tokens: Tokens::default(),
            numbers: 0,
            successes: 0,
            failures: 0,
            failures_in_a_row: 0,
        }
    }

    /// A number that no other thing of this account has.
    pub(super) fn next_number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    /// This bot, as an owner.
    pub(super) fn bot(&self) -> Value {
        json!({ "type": "BOT", "appId": self.options.app_id })
    }

    /// All that the bot has goes to the agents.
    pub(super) fn hand_all(&mut self, ledger: &mut Ledger) {
        let bot = self.bot();
        for (author, conversation) in &mut self.conversations {
            if conversation.owner == bot {
                conversation.owner = json!({ "type": "AGENT" });
                ledger.change(author, "owner AGENT");
            }
        }
    }

    /// The bot is there and well.
    pub(super) fn is_live(&self) -> bool {
        self.registration.as_ref().is_some_and(|it| it.is_live) && self.is_healthy()
    }

    /// The bot was set up anew: what failed before does not count.
    pub(super) fn recover(&mut self) {
        self.failures_in_a_row = 0;
    }

    /// A new token, as its own call would make it.
    pub(super) fn make_token(&mut self, now: Duration) -> Value {
        self.tokens.make(&self.options, now, Duration::ZERO)
    }

    fn is_healthy(&self) -> bool {
        self.failures_in_a_row < self.options.unhealthy_after
    }

    /// A webhook was delivered or not; too many in a row are the end of it.
    pub(super) fn counted(&mut self, delivered: bool, ledger: &mut Ledger) {
        if delivered {
            self.successes += 1;
            self.failures_in_a_row = 0;
        } else {
            self.failures += 1;
            self.failures_in_a_row += 1;
            if self.failures_in_a_row == self.options.unhealthy_after {
                self.hand_all(ledger);
            }
        }
    }

    fn health(&self) -> Value {
        let status = match self.failures {
            0 => "HEALTHY",
            _ if self.is_healthy() => "DEGRADED",
            _ => "UNHEALTHY",
        };
        let (failures, successes) = (self.failures, self.successes);
        json!([{ "status": status, "failureCount": failures, "successCount": successes }])
    }
}

impl Vendor for Care {
    fn admit(&self, call: &Incoming, ledger: &Ledger) -> Result<(), Reply> {
        let Some(route) = route(&self.options, &call.method, &call.path) else {
            return Err(messages(404, format!("there is no {} {}", call.method, call.path)));
        };
        if route == Route::MakeToken {
            let (name, password) = &self.options.user;
            let shown = call.header(AUTHORIZATION.as_str());
            let known = shown == Some(&*basic(name, password));
            return if known { Ok(()) } else { Err(unauthorized(401)) };
        }
        if !self.tokens.is_valid(call.bearer(), ledger.now()) {
            // The page of the refresh shows another status than all others.
            let status = if route == Route::RefreshToken { 400 } else { 401 };
            return Err(unauthorized(status));
        }
        Ok(())
    }

    fn conversation(&self, call: &Incoming) -> Option<String> {
        call.json()["author"]["id"].as_str().map(str::to_owned)
    }

    fn answer(&mut self, call: &Incoming, ledger: &mut Ledger) -> Reply {
        let body = call.json();
        let now = ledger.now();
        match route(&self.options, &call.method, &call.path) {
            Some(Route::MakeToken) => {
                let data = self.make_token(now);
                Reply::taken(200, &json!({ "status": "success", "data": data }))
            }
            Some(Route::RefreshToken) => {
                let data = self.tokens.make(&self.options, now, self.options.old_token_life);
                let request = format!("req-{}", self.next_number());
                Reply::taken(200, &json!({ "data": data, "requestId": request }))
            }
            Some(Route::DropToken) => {
                self.tokens.clear();
                Reply::taken(200, &json!({}))
            }
            Some(Route::Respond) => respond::respond(self, call, &body, ledger),
            Some(Route::Form) => respond::form(self, &body, ledger),
            Some(Route::Control) => control::change(self, &body, ledger),
            Some(Route::WhoOwns(author)) => control::owner(self, author),
            Some(Route::Action(name)) => respond::action(self, name, &body, ledger),
            Some(Route::Request(id)) => respond::request(self, id, now),
            Some(Route::Requests) => respond::requests(self, call, now),
            Some(Route::Register) => registrations::register(self, &body, ledger),
            Some(Route::ShowRegistration) => registrations::show(self, false),
            Some(Route::ListRegistrations) => registrations::show(self, true),
            Some(Route::DropRegistration) => registrations::delete(self, ledger),
            Some(Route::Mode(mode)) => registrations::set_mode(self, mode, ledger),
            Some(Route::Health) => Reply::taken(200, &json!({ "data": self.health() })),
            None => messages(404, "not there"),
        }
    }

    /// No page knows a limit; this is what a gateway before it would say.
    fn limited(&self, seconds: Option<u64>) -> Reply {
        let mut reply = messages(429, "Too Many Requests");
        reply.headers.extend(seconds.map(|it| ("retry-after", it.to_string())));
        reply
    }

    fn broken(&self) -> Reply {
        messages(500, "Internal Server Error")
    }

    /// The conversation goes to the agents, as where control is undetermined.
    fn expire(&mut self, conversation: &str, ledger: &mut Ledger) {
        if let Some(known) = self.conversations.get_mut(conversation) {
            known.owner = json!({ "type": "AGENT" });
            ledger.change(conversation, "owner AGENT");
        }
    }

    fn sent(&mut self, _: &Outgoing, delivered: bool, ledger: &mut Ledger) {
        self.counted(delivered, ledger);
    }
}
