//! What a channel needs besides its conversations: a token that stays valid, its
//! registrations, and a look at its health every day.

use std::sync::Arc;

use botyard_kernel::id::Digest;
use botyard_kernel::time::{DAY, Millis};
use botyard_kernel::upkeep::{Chore, Chores, Ended};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Khoros;
use super::dialect;
use super::outcome::{said, words};
use super::place::in_url;
use super::register::{self, Entry};
use super::settings::bearer;
use crate::{Call, CallAnswer, Upkeep, Vendor};

/// "Once a week".
const REFRESH_MS: Millis = 7 * DAY;
/// A token is refreshed so long before its end at the latest.
const BEFORE_END_MS: Millis = DAY;
/// How often the bot's health is looked at; no page says how often is right.
const HEALTH_MS: Millis = DAY;

const CREATE: &str = "create-token";
const REFRESH: &str = "refresh-token";
const REGISTER: &str = "register";
const GO_LIVE: &str = "go-live";
const HEALTH: &str = "health";

/// What is kept for a channel.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize, Serialize)]
#[serde(default)]
struct State {
    /// The token that calls carry; absent where it is still that of the settings.
    #[serde(skip_serializing_if = "Option::is_none")]
    token: Option<String>,
    /// When it ends, and since when we have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    expires_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    obtained_ms: Option<Millis>,
    /// Stands for the token of the settings that this began with: another one there
    /// means that the tenant wants to begin anew.
    #[serde(skip_serializing_if = "String::is_empty")]
    adopted: String,
    /// Khoros does not take the token any more.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    refused: bool,
    /// The registrations that Khoros took, and those that are live.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    registered: Vec<String>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    live: Vec<String>,
    /// The last look at the bot's health.
    #[serde(skip_serializing_if = "Option::is_none")]
    checked_ms: Option<Millis>,
    #[serde(skip_serializing_if = "Option::is_none")]
    health: Option<String>,
}

impl Khoros {
    /// What a state says for this channel; one that cannot be read says nothing.
    fn state(&self, state: &str) -> State {
        let state: State = serde_json::from_str(state).unwrap_or_default();
        if state.adopted == self.adopted() {
            return state;
        }
        // A registration stands whatever the token.
        let State { registered, live, .. } = state;
        State { adopted: self.adopted(), registered, live, ..State::default() }
    }

    fn adopted(&self) -> String {
        let token = self.settings.token.as_deref();
        token.map(|token| Digest::of(token.as_bytes()).short()).unwrap_or_default()
    }

    fn with_state(&self, state: &State) -> Self {
        let token = state.token.as_deref().or(self.settings.token.as_deref());
        Self { settings: Arc::clone(&self.settings), token: token.and_then(bearer) }
    }

    /// The first registration that Khoros does not have yet.
    fn unregistered(&self, state: &State) -> Option<Entry> {
        let missing = |entry: &Entry| !state.registered.contains(&entry.digest);
        register::entries(&self.settings).into_iter().find(missing)
    }

    /// The first registration that is to go live, with the path that does it.
    fn not_live(&self, state: &State) -> Option<(String, String)> {
        let wanted = register::entries(&self.settings).into_iter();
        let mut wanted = wanted.filter_map(|it| Some((it.digest, it.live?)));
        wanted.find(|(digest, _)| !state.live.contains(digest))
    }

    fn next_chore(&self, state: &State) -> Chore {
        let now = |name| Chore { name, due_ms: 0 };
        let has_token = state.token.is_some() || self.settings.token.is_some();
        if self.settings.creation.is_some() && (!has_token || state.refused) {
            return now(CREATE);
        }
        if self.unregistered(state).is_some() {
            return now(REGISTER);
        }
        if self.not_live(state).is_some() {
            return now(GO_LIVE);
        }
        let health = state.checked_ms.map_or(0, |at| at.saturating_add(HEALTH_MS));
        let health = Chore { name: HEALTH, due_ms: health };
        // The first look at the health says since when we have a token that somebody
        // else made. Refreshing it at once would take it away from an integration that
        // may still run elsewhere.
        let Some(obtained_ms) = state.obtained_ms else { return health };
        let weekly = obtained_ms.saturating_add(REFRESH_MS);
        let end = state.expires_ms.map(|end| end.saturating_sub(BEFORE_END_MS).max(obtained_ms));
        let refresh = Chore { name: REFRESH, due_ms: end.map_or(weekly, |end| end.min(weekly)) };
        if refresh.due_ms <= health.due_ms { refresh } else { health }
    }

    fn refresh_path(&self) -> String {
        format!("/tokens/appId/{}", in_url(&self.settings.app_id))
    }
}

impl Chores for Khoros {
    fn next(&self, state: &str) -> Option<Chore> {
        Some(self.next_chore(&self.state(state)))
    }
}

impl Upkeep for Khoros {
    fn call(&self, state: &str, chore: &str, _now: Millis) -> Call {
        let state = self.state(state);
        let khoros = self.with_state(&state);
        let health = format!("/health/appId/{}", in_url(&self.settings.app_id));
        match (chore, &self.settings.creation) {
            (CREATE, Some(creation)) => {
                let mut headers = HeaderMap::new();
                headers.insert(AUTHORIZATION, creation.basic.clone());
                let (method, url) = (Method::POST, creation.url.clone());
                Call { method, url, headers, body: bytes::Bytes::new() }
            }
            (REFRESH, _) => khoros.request(Method::PUT, &self.refresh_path(), None),
            (REGISTER, _) => {
                let method = match self.settings.dialect.registration.method {
                    dialect::Method::Post => Method::POST,
                    dialect::Method::Put => Method::PUT,
                };
                let body = self.unregistered(&state).map(|entry| entry.body);
                khoros.request(method, "/registrations", body)
            }
            (GO_LIVE, _) => match self.not_live(&state) {
                Some((_, path)) => khoros.request(Method::PUT, &path, None),
                None => khoros.request(Method::GET, &health, None),
            },
            _ => khoros.request(Method::GET, &health, None),
        }
    }

    fn ended(&self, state: &str, chore: &str, answer: &CallAnswer, now: Millis) -> Ended {
        let mut state = self.state(state);
        let CallAnswer::Answered { status, body, .. } = answer else {
            return failed(chore, answer);
        };
        let can_make = self.settings.creation.is_some() && chore != CREATE && !state.refused;
        if can_make && refuses(status.as_u16(), body) {
            state.refused = true;
            return Ended::Done(written(&state));
        }
        if !status.is_success() {
            return failed(chore, answer);
        }
        match chore {
            CREATE | REFRESH => {
                if !take_token(&mut state, body, now) {
                    return Ended::Hopeless(format!(
                        "{chore}: Khoros answered with success and without a token: compare \
                         `token-url` and `gateway-url` with the account's"
                    ));
                }
            }
            REGISTER => {
                state.registered.extend(self.unregistered(&state).map(|entry| entry.digest));
                let wanted = register::entries(&self.settings);
                let wanted = |it: &String| wanted.iter().any(|entry| entry.digest == *it);
                state.registered.retain(wanted);
                state.live.retain(wanted);
            }
            GO_LIVE => state.live.extend(self.not_live(&state).map(|(digest, _)| digest)),
            _ => {
                state.checked_ms = Some(now);
                state.obtained_ms = state.obtained_ms.or(Some(now));
                state.health = health(body);
            }
        }
        Ended::Done(written(&state))
    }

    fn renewed(&self, state: &str) -> Arc<dyn Vendor> {
        Arc::new(self.with_state(&self.state(state)))
    }
}

fn written(state: &State) -> String {
    // Texts, numbers and lists of texts only: it is JSON in any case.
    serde_json::to_string(state).unwrap_or_default()
}

/// The pages show an invalid token as 401, and once as 400.
fn refuses(code: u16, body: &[u8]) -> bool {
    code == 401 || code == 400 && words(body).eq_ignore_ascii_case("unauthorized")
}

fn take_token(state: &mut State, body: &[u8], now: Millis) -> bool {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let token = body.pointer("/data/token").and_then(Value::as_str).unwrap_or_default();
    if token.trim().is_empty() || bearer(token).is_none() {
        return false;
    }
    state.token = Some(token.to_owned());
    state.expires_ms = body.pointer("/data/expiresAtMillis").and_then(super::receive::millis);
    state.obtained_ms = Some(now);
    state.refused = false;
    true
}

/// The worst that is told of the bot.
fn health(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let told = body.get("data")?.as_array()?.iter();
    let told = told.filter_map(|it| it.get("status")?.as_str()).collect::<Vec<_>>();
    let worst = told.iter().find(|it| **it == "DEGRADED").or_else(|| told.first())?;
    Some(super::facts::cut(worst, 64))
}

/// "Retry in the event of a 500 response. A 4xx response indicates that you should not
/// retry."
fn failed(chore: &str, answer: &CallAnswer) -> Ended {
    match answer {
        CallAnswer::Answered { status, retry_after_ms, body } => {
            let code = status.as_u16();
            let reason = format!("{chore}: {}", said(code, &words(body)));
            match code {
                408 | 425 | 429 | 500..=599 => Ended::Retry { after_ms: *retry_after_ms, reason },
                _ => Ended::Hopeless(format!("{reason}: {}", advice(chore))),
            }
        }
        CallAnswer::NotSent(why) => {
            Ended::Retry { after_ms: None, reason: format!("{chore}: not sent: {why}") }
        }
        CallAnswer::Lost(why) => {
            Ended::Retry { after_ms: None, reason: format!("{chore}: no whole answer: {why}") }
        }
    }
}

fn advice(chore: &str) -> &'static str {
    match chore {
        CREATE => {
            "compare `token-url`, `user` and `password`; the user needs the Bot API permission"
        }
        REFRESH => "put a new token into `token`",
        REGISTER | GO_LIVE => "compare `registrations` and `callback-url` with the account",
        _ => "compare `token`, `app-id` and `gateway-url` with the account",
    }
}
