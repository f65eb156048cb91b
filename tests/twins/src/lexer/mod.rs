//! Lexer Respond's chatbot API: what a bot claims and echoes, and what is left in the
//! team's inbox.
//!
//! It sends nothing. What it is told is found under the page's id in
//! [`Account::seen`](crate::account::Account::seen).

mod console;
pub mod document;

pub use console::Person;

use std::net::SocketAddr;

use http::Method;
use serde_json::{Value, json};

use anyhow::Result;

use crate::account::{Account, Conduct, Incoming, Ledger, Reply, Twin, Vendor};
use document::{
    BAD_SOURCE, CLAIM_KEYS, ECHO_KEYS, SCARY, SOURCE, STATE, STATUS_TOKEN, TOKEN_HEADER,
};

/// A client of Lexer with one bot user.
#[derive(Clone, Debug)]
pub struct Hub {
    /// The number of the client.
    pub client_id: u64,
    /// The token of the bot user.
    pub token: String,
    /// The Facebook pages that are integrated.
    pub accounts: Vec<String>,
}

/// Starts a hub on a free port of this machine.
///
/// # Errors
///
/// No port is free.
pub fn start(hub: Hub, conduct: Conduct) -> Result<Twin<Hub>> {
    start_at(hub, conduct, ([127, 0, 0, 1], 0).into())
}

/// As [`start`], at this address.
///
/// # Errors
///
/// The address cannot be had.
pub fn start_at(hub: Hub, conduct: Conduct, address: SocketAddr) -> Result<Twin<Hub>> {
    Twin::start(hub, conduct, address)
}

impl Account<Hub> {
    /// The ids that were claimed for a page, in order and as often as that was said.
    pub fn claimed(&self, account_id: &str) -> Vec<String> {
        self.told(account_id, "claim")
    }

    /// The ids that were echoed for a page, in order and as often as that was said.
    pub fn echoed(&self, account_id: &str) -> Vec<String> {
        self.told(account_id, "echo")
    }

    /// Which of a page's messages the team sees in its inbox: those that no bot claimed.
    pub fn inbox<'a>(&self, account_id: &str, messages: &[&'a str]) -> Vec<&'a str> {
        let claimed = self.claimed(account_id);
        let is_open = |message: &&&str| !claimed.iter().any(|own| own == **message);
        messages.iter().filter(is_open).copied().collect()
    }

    fn told(&self, account_id: &str, name: &str) -> Vec<String> {
        let seen = self.seen(account_id);
        let own = seen.iter().filter(|seen| seen.name == name);
        own.filter_map(|seen| seen.value["object_id"].as_str().map(str::to_owned)).collect()
    }
}

impl Vendor for Hub {
    fn admit(&self, call: &Incoming, _: &Ledger) -> Result<(), Reply> {
        if call.header(TOKEN_HEADER) != Some(&*self.token) {
            let body = json!({ "error": "Unauthorized" });
            return Err(Reply::refused(STATUS_TOKEN, &body, "Auth-Api-Token is missing or wrong"));
        }
        match action(self, &call.path) {
            Some(_) if call.method == Method::POST => Ok(()),
            _ => {
                let why = format!("there is no {} {} here", call.method, call.path);
                Err(Reply::other(404, "text/html", SCARY, why))
            }
        }
    }

    fn conversation(&self, call: &Incoming) -> Option<String> {
        call.json()["account_id"].as_str().map(str::to_owned)
    }

    fn answer(&mut self, call: &Incoming, ledger: &mut Ledger) -> Reply {
        let action = action(self, &call.path).unwrap_or_default();
        let body = call.json();
        if let Err(refused) = judge(action, call, &body) {
            return refused;
        }
        let account = body["account_id"].as_str().unwrap_or_default();
        if !self.accounts.iter().any(|known| known == account) {
            let why = format!("Cannot find an integrated account: {account}");
            let body = json!({ "status": "400 Invalid Account", "error": why });
            return Reply::refused(400, &body, why);
        }
        ledger.show(account, action, body.clone());
        Reply::taken(201, &json!({ "status": "ok" }))
    }

    /// The page knows no limit; this is what a gateway before it would say.
    fn limited(&self, seconds: Option<u64>) -> Reply {
        let mut reply = Reply::other(429, "text/html", SCARY, "too many requests");
        reply.headers.extend(seconds.map(|it| ("retry-after", it.to_string())));
        reply
    }

    fn broken(&self) -> Reply {
        scary("an error of Lexer's")
    }

    /// Lexer has no sessions.
    fn expire(&mut self, _: &str, _: &mut Ledger) {}
}

/// `claim` or `echo`.
fn action<'a>(hub: &Hub, path: &'a str) -> Option<&'a str> {
    let rest = path.strip_prefix("/api/clients/")?;
    let (client, action) = rest.split_once("/bots/objects/")?;
    let known = client == hub.client_id.to_string() && matches!(action, "claim" | "echo");
    known.then_some(action)
}

/// The page's table of answers, from its top to its end.
fn judge(action: &str, call: &Incoming, body: &Value) -> Result<(), Reply> {
    let Some(map) = body.as_object().filter(|_| call.says_json()) else {
        return Err(scary("invalid JSON"));
    };
    for key in ["object_id", "published_at", "account_id"] {
        if body[key].is_null() || body[key] == "" {
            let why = format!("{key} is missing");
            return Err(Reply::refused(500, &json!({ "error": why }), why));
        }
    }
    if body["source"] != SOURCE {
        let why = "source does not have a valid value";
        return Err(Reply::other(500, "application/json", BAD_SOURCE, why));
    }
    if action == "claim" && body["state"] != STATE {
        let why = "state does not have a valid value";
        return Err(Reply::refused(500, &json!({ "error": why }), why));
    }
    let keys = if action == "claim" { CLAIM_KEYS } else { ECHO_KEYS };
    let well_typed = body["object_id"].is_string()
        && body["account_id"].is_string()
        && is_time(&body["published_at"])
        && map.keys().all(|key| keys.contains(&&**key));
    if well_typed { Ok(()) } else { Err(scary("an invalid parameter")) }
}

/// "An epoch, e.g. 1458692752478, or an ISO 8601 date, e.g. 2017-08-01t05:29:44Z".
fn is_time(value: &Value) -> bool {
    let Some(text) = value.as_str() else { return value.is_u64() };
    if text.bytes().all(|byte| byte.is_ascii_digit()) {
        return true;
    }
    let shape: String = text
        .chars()
        .map(|c| if c.is_ascii_digit() { '0' } else { c.to_ascii_lowercase() })
        .collect();
    let zone = shape.strip_prefix("0000-00-00t00:00:00").unwrap_or("none");
    let zone = zone.strip_prefix('.').map_or(zone, |rest| rest.trim_start_matches('0'));
    matches!(zone, "z" | "+00:00" | "-00:00" | "+0000" | "-0000")
}

fn scary(why: &str) -> Reply {
    Reply::other(500, "text/html", SCARY, why)
}

#[cfg(test)]
mod tests;
