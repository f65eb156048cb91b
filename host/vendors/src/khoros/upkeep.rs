//! What a channel needs besides its conversations: a token that stays valid, its
//! registrations in the mode that the channel says, and a look at its health every day.
//! A channel that is retired takes back what it made at Khoros instead.

use std::sync::Arc;

use botyard_kernel::id::Digest;
use botyard_kernel::time::{DAY, MINUTE, Millis};
use botyard_kernel::upkeep::{Chore, Chores, Ended, HOPELESS_MS};
use http::header::AUTHORIZATION;
use http::{HeaderMap, Method};
use serde_json::Value;

use super::Khoros;
use super::dialect;
use super::outcome::{said, words};
use super::place::in_url;
use super::register::{self, Entry};
use super::settings::{Mode, bearer};
use super::state::{Claims, State};
use crate::{Call, CallAnswer, Upkeep, Vendor};

/// "Once a week".
const REFRESH_MS: Millis = 7 * DAY;
/// A token is refreshed so long before its end at the latest.
const BEFORE_END_MS: Millis = DAY;
/// How often the bot's health is looked at; no page says how often is right.
const HEALTH_MS: Millis = DAY;

/// What Khoros calls a bot that has failed: the page of the call shows the first word, and
/// another one says that "too many errors" make a bot unhealthy, which loses it its
/// conversations.
const UNWELL: [&str; 2] = ["UNHEALTHY", "DEGRADED"];

/// Whoever runs elsewhere with a token that we adopted has so long until we refresh it.
const OTHERS_MS: Millis = DAY;
/// A token that was just made and is refused is not made again before this: something
/// else is wrong, or somebody else makes tokens for the same bot.
const MADE_AGAIN_MS: Millis = 5 * MINUTE;

const CREATE: &str = "create-token";
const REFRESH: &str = "refresh-token";
const REGISTER: &str = "register";
const MODE: &str = "set-mode";
const DEREGISTER: &str = "deregister";
const INVALIDATE: &str = "invalidate-token";
const HEALTH: &str = "health";

impl Khoros {
    /// What a state says for this channel.
    fn state(&self, state: &str) -> State {
        let state = State::read(state);
        if state.adopted == self.adopted() {
            return state;
        }
        // A registration stands whatever the token.
        let State { registered, modes, .. } = state;
        State { adopted: self.adopted(), registered, modes, ..State::default() }
    }

    fn adopted(&self) -> String {
        let token = self.settings.token.as_deref();
        token.map(name).unwrap_or_default()
    }

    fn with_state(&self, state: &State) -> Self {
        let token = self.token_of(state).and_then(bearer);
        Self { settings: Arc::clone(&self.settings), token }
    }

    fn token_of<'a>(&'a self, state: &'a State) -> Option<&'a str> {
        state.token.as_deref().or(self.settings.token.as_deref())
    }

    /// The next registration that Khoros does not have yet.
    fn unregistered(&self, state: &State) -> Option<Entry> {
        self.next(state, |entry| !state.registered.contains(&entry.digest))
    }

    /// The next registration that is there and in another mode than it should be.
    fn in_other_mode(&self, state: &State) -> Option<Entry> {
        let wanted = self.settings.mode.word();
        let begins = &self.settings.dialect.registration.mode;
        self.next(state, |entry| {
            let mode = state.modes.get(&entry.digest).unwrap_or(begins);
            state.registered.contains(&entry.digest) && wanted.is_some_and(|it| it != mode)
        })
    }

    /// The next registration that is there.
    fn registered(&self, state: &State) -> Option<Entry> {
        self.next(state, |entry| state.registered.contains(&entry.digest))
    }

    /// The first such registration. One that Khoros has refused for good lets the others
    /// go before.
    fn next(&self, state: &State, is: impl Fn(&Entry) -> bool) -> Option<Entry> {
        let entries = register::entries(&self.settings).into_iter().filter(is);
        entries.min_by_key(|entry| state.put_off.get(&entry.digest).copied())
    }

    /// The registration that a chore is about.
    fn entry_of(&self, state: &State, chore: &str) -> Option<Entry> {
        match chore {
            REGISTER => self.unregistered(state),
            MODE => self.in_other_mode(state),
            DEREGISTER => self.registered(state),
            _ => None,
        }
    }

    /// Whether another token can be made in place of one that Khoros refuses. One that
    /// was just made and is refused as well would not be the last.
    fn can_make(&self, state: &State, now: Millis) -> bool {
        let early = |made: Millis| now < made.saturating_add(MADE_AGAIN_MS);
        self.settings.creation.is_some() && !state.made_ms.is_some_and(early)
    }

    fn chores(&self, state: &State) -> Vec<Chore> {
        let now = |name| Chore { name, due_ms: 0 };
        let soon = |name, entry: &Entry| {
            let put_off = state.put_off.get(&entry.digest);
            Chore { name, due_ms: put_off.map_or(0, |at| at.saturating_add(HOPELESS_MS)) }
        };
        let has_token = self.token_of(state).is_some();
        let makes_token = self.settings.creation.is_some() && (!has_token || state.refused);
        if self.settings.mode == Mode::Retired {
            return match (self.registered(state), &state.token) {
                (Some(_), _) if makes_token => vec![now(CREATE)],
                (Some(entry), _) => vec![soon(DEREGISTER, &entry)],
                // A token of the settings is somebody else's: they may go on with it.
                (None, Some(_)) if !state.refused => vec![now(INVALIDATE)],
                (None, _) => Vec::new(),
            };
        }
        if makes_token {
            return vec![now(CREATE)];
        }
        let register = self.unregistered(state).map(|entry| soon(REGISTER, &entry));
        let mode = self.in_other_mode(state).map(|entry| soon(MODE, &entry));
        // Of a bot that is unwell it is soon known that it has recovered.
        let pause_ms = if state.unwell_ms.is_some() { HOPELESS_MS } else { HEALTH_MS };
        let health_ms = state.checked_ms.map_or(0, |at| at.saturating_add(pause_ms));
        // Looked at again until somebody has put in another token.
        let health_ms = if state.refused { 0 } else { health_ms };
        let refresh = self.refresh_at(state).filter(|_| !state.refused);
        let refresh = refresh.map(|due_ms| Chore { name: REFRESH, due_ms });
        let health = Chore { name: HEALTH, due_ms: health_ms };
        register.into_iter().chain(mode).chain(refresh).chain([health]).collect()
    }

    /// When the token is refreshed. Of one that somebody else made its own claims tell
    /// when that must be, and else the first look at the bot's health begins its week:
    /// refreshing it at once would take it away from an integration that may still run
    /// elsewhere, so that has a day, unless the token ends before.
    fn refresh_at(&self, state: &State) -> Option<Millis> {
        let (claims, weekly) = match (&state.token, state.obtained_ms) {
            (Some(_), obtained_ms) => {
                let claims = Claims { issued_ms: None, expires_ms: state.expires_ms };
                (claims, obtained_ms?.saturating_add(REFRESH_MS))
            }
            (None, obtained_ms) => {
                let claims = Claims::of(self.settings.token.as_deref()?);
                let seen = obtained_ms.unwrap_or(Millis::MAX);
                let old = claims.issued_ms.unwrap_or(seen).saturating_add(REFRESH_MS);
                (claims, old.max(seen.saturating_add(OTHERS_MS)))
            }
        };
        let least = state.obtained_ms.unwrap_or(0);
        let end = claims.expires_ms.map(|end| {
            // One that lives for two days or less is not refreshed over and over.
            let life = end.saturating_sub(least);
            end.saturating_sub(BEFORE_END_MS.min(life / 2))
        });
        let at = end.map_or(weekly, |end| end.min(weekly));
        (at < Millis::MAX).then_some(at)
    }

    fn token_path(&self) -> String {
        format!("/tokens/appId/{}", in_url(&self.settings.app_id))
    }
}

/// Stands for a token wherever it must be told from another, and says nothing of it.
fn name(token: &str) -> String {
    Digest::of(token.as_bytes()).short()
}

impl Chores for Khoros {
    fn wanted(&self, state: &str) -> Vec<Chore> {
        self.chores(&self.state(state))
    }

    /// Where no other token can be made, the look at the bot's health follows, which
    /// tells the tenant.
    fn without(&self, state: &str, refused: &str, now: Millis) -> Option<String> {
        let mut state = self.state(state);
        let own = self.token_of(&state).is_some_and(|token| name(token) == refused);
        let helps = self.settings.creation.is_none() || self.can_make(&state, now);
        if !own || state.refused || !helps || self.settings.mode == Mode::Retired {
            return None;
        }
        state.refused = true;
        Some(state.written())
    }
}

impl Upkeep for Khoros {
    fn call(&self, state: &str, chore: &str, _now: Millis) -> Call {
        let state = self.state(state);
        let khoros = self.with_state(&state);
        let health = format!("/health/appId/{}", in_url(&self.settings.app_id));
        let look = || khoros.request(Method::GET, &health, None);
        match (chore, &self.settings.creation) {
            (CREATE, Some(creation)) => {
                let mut headers = HeaderMap::new();
                headers.insert(AUTHORIZATION, creation.basic.clone());
                let (method, url) = (Method::POST, creation.url.clone());
                Call { method, url, headers, body: bytes::Bytes::new() }
            }
            (REFRESH, _) => khoros.request(Method::PUT, &self.token_path(), None),
            (INVALIDATE, _) => khoros.request(Method::DELETE, &self.token_path(), None),
            (REGISTER, _) => {
                let method = match self.settings.dialect.registration.method {
                    dialect::Method::Post => Method::POST,
                    dialect::Method::Put => Method::PUT,
                };
                let body = self.unregistered(&state).map(|entry| entry.body);
                khoros.request(method, "/registrations", body)
            }
            (MODE, _) => match (self.in_other_mode(&state), self.settings.mode.word()) {
                (Some(entry), Some(mode)) => {
                    let path = format!("{}/mode/{mode}", entry.path);
                    khoros.request(Method::PUT, &path, None)
                }
                _ => look(),
            },
            (DEREGISTER, _) => match self.registered(&state) {
                Some(entry) => khoros.request(Method::DELETE, &entry.path, None),
                None => look(),
            },
            _ => look(),
        }
    }

    fn ended(&self, state: &str, chore: &str, answer: &CallAnswer, now: Millis) -> Ended {
        let mut state = self.state(state);
        let CallAnswer::Answered { status, body, .. } = answer else {
            return failed(chore, answer);
        };
        let can_make = chore != CREATE && !state.refused && self.can_make(&state, now);
        if can_make && refuses(status.as_u16(), body) {
            state.refused = true;
            return Ended::Done(state.written());
        }
        // What is not there need not be taken away.
        let gone = chore == DEREGISTER && status.as_u16() == 404;
        if !status.is_success() && !gone {
            // A token that is refused is so for every registration.
            let own = !refuses(status.as_u16(), body);
            return match (failed(chore, answer), self.entry_of(&state, chore).filter(|_| own)) {
                (Ended::Hopeless(reason), Some(entry)) => {
                    let reason = format!("{}: {reason}", entry.path);
                    state.put_off.insert(entry.digest, now);
                    Ended::PutOff { state: state.written(), reason }
                }
                (ended, _) => ended,
            };
        }
        if let Some(entry) = self.entry_of(&state, chore) {
            state.put_off.remove(&entry.digest);
        }
        match chore {
            CREATE | REFRESH => {
                if !state.take_token(body, now) {
                    return Ended::Hopeless(format!(
                        "{chore}: Khoros answered with success and without a token: compare \
                         `token-url` and `gateway-url` with the account's"
                    ));
                }
                if chore == CREATE {
                    state.made_ms = Some(now);
                }
            }
            INVALIDATE => state.token = None,
            REGISTER => self.note_registered(&mut state),
            MODE => {
                let mode = self.settings.mode.word().unwrap_or_default().to_owned();
                let entry = self.in_other_mode(&state);
                state.modes.extend(entry.map(|entry| (entry.digest, mode)));
            }
            DEREGISTER => {
                if let Some(Entry { digest, .. }) = self.registered(&state) {
                    state.registered.retain(|it| *it != digest);
                    state.modes.remove(&digest);
                }
            }
            _ => {
                state.checked_ms = Some(now);
                state.obtained_ms = state.obtained_ms.or(Some(now));
                state.refused = false;
                return diagnosed(state, body, now);
            }
        }
        Ended::Done(state.written())
    }

    fn refused(&self, answer: &CallAnswer) -> Option<String> {
        let CallAnswer::Answered { status, body, .. } = answer else { return None };
        let token = self.token.as_ref().filter(|_| refuses(status.as_u16(), body))?;
        token.to_str().ok()?.strip_prefix("Bearer ").map(name)
    }

    fn unwell_since(&self, state: &str) -> Option<Millis> {
        self.state(state).unwell_ms
    }

    fn renewed(&self, state: &str) -> Arc<dyn Vendor> {
        Arc::new(self.with_state(&self.state(state)))
    }
}

impl Khoros {
    fn note_registered(&self, state: &mut State) {
        if let Some(entry) = self.unregistered(state) {
            state.modes.insert(entry.digest.clone(), entry.begins);
            state.registered.push(entry.digest);
        }
        let entries = register::entries(&self.settings);
        let wanted = |it: &str| entries.iter().any(|entry| entry.digest == it);
        state.registered.retain(|it| wanted(it));
        state.modes.retain(|it, _| wanted(it));
        state.put_off.retain(|it, _| wanted(it));
    }
}

/// The pages show an invalid token as 401, and once as 400.
fn refuses(code: u16, body: &[u8]) -> bool {
    code == 401 || code == 400 && words(body).eq_ignore_ascii_case("unauthorized")
}

/// What follows from a look at the bot's health: that it has become unwell is told once.
fn diagnosed(mut state: State, body: &[u8], now: Millis) -> Ended {
    state.health = health(body);
    let unwell = state.health.clone().filter(|it| UNWELL.contains(&&**it));
    let began = state.unwell_ms.is_none();
    state.unwell_ms = unwell.is_some().then(|| state.unwell_ms.unwrap_or(now));
    match unwell.filter(|_| began) {
        Some(word) => Ended::PutOff {
            state: state.written(),
            reason: format!(
                "Khoros calls the bot {word}, because webhooks to this host have failed: see \
                 whether it can be reached from outside at any time, before Khoros takes its \
                 conversations away"
            ),
        },
        None => Ended::Done(state.written()),
    }
}

/// The worst that is told of the bot.
fn health(body: &[u8]) -> Option<String> {
    let body: Value = serde_json::from_slice(body).unwrap_or_default();
    let told = body.get("data")?.as_array()?.iter();
    let told = told.filter_map(|it| it.get("status")?.as_str()).collect::<Vec<_>>();
    let worst = UNWELL.iter().find(|it| told.contains(it)).or_else(|| told.first())?;
    Some(super::facts::cut(worst, 64))
}

/// "Retry in the event of a 500 response. A 4xx response indicates that you should not
/// retry."
fn failed(chore: &str, answer: &CallAnswer) -> Ended {
    match answer {
        CallAnswer::Answered { status, retry_after_ms, body, .. } => {
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
        REGISTER | MODE | DEREGISTER => {
            "compare `registrations` and `callback-url` with the account"
        }
        _ => "compare `token`, `app-id` and `gateway-url` with the account",
    }
}
