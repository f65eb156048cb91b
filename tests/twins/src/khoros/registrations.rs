//! How bots are registered, and whether they are live.

use serde_json::{Value, json};

use super::care::Care;
use super::document::{MODES, REGISTRATION_KEYS};
use super::refusal::{errors, messages, no_registration};
use super::webhook::HOOK;
use crate::account::{Ledger, Reply};

/// How the framework shows itself to the bot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Credentials {
    Basic(String, String),
    Hmac(String),
}

/// The bot's registration.
#[derive(Clone, Debug)]
pub(super) struct Registration {
    pub(super) credentials: Credentials,
    pub(super) is_live: bool,
    pub(super) shown: Value,
}

/// Registers the bot, or changes its registration.
pub(super) fn register(care: &mut Care, body: &Value, ledger: &mut Ledger) -> Reply {
    match judge(care, body) {
        Err(why) => errors(422, &why),
        Ok(registration) => {
            let url = body["callbackUrl"].as_str().unwrap_or_default();
            ledger.point(HOOK, url);
            care.registration = Some(registration);
            care.recover();
            Reply::empty(202)
        }
    }
}

/// Shows one registration or the list of them; without secrets.
pub(super) fn show(care: &Care, is_list: bool) -> Reply {
    let Some(registration) = &care.registration else { return no_registration() };
    let shown = &registration.shown;
    let data = if is_list { json!([shown]) } else { shown.clone() };
    Reply::taken(200, &json!({ "data": data }))
}

/// Takes the registration away; its conversations go to the agents.
pub(super) fn delete(care: &mut Care, ledger: &mut Ledger) -> Reply {
    if care.registration.take().is_none() {
        return no_registration();
    }
    care.hand_all(ledger);
    Reply::empty(204)
}

/// Changes the mode; out of `LIVE` the conversations go to the agents.
pub(super) fn set_mode(care: &mut Care, mode: &str, ledger: &mut Ledger) -> Reply {
    if !MODES.contains(&mode) {
        return messages(400, format!("Invalid mode {mode}"));
    }
    let Some(registration) = &mut care.registration else { return no_registration() };
    registration.is_live = mode == "LIVE";
    registration.shown["mode"] = json!(mode);
    care.recover();
    if mode != "LIVE" {
        care.hand_all(ledger);
    }
    Reply::empty(202)
}

fn judge(care: &Care, body: &Value) -> Result<Registration, Vec<String>> {
    let is_empty = |value: &Value| value.as_str().is_none_or(str::is_empty);
    let mut why: Vec<_> = REGISTRATION_KEYS
        .iter()
        .filter(|key| is_empty(&body[**key]))
        .map(|key| format!("{key} may not be empty"))
        .collect();
    let credentials = &body["credentials"];
    for key in ["type", "identity", "secret"] {
        if is_empty(&credentials[key]) {
            why.push(format!("credentials.{key} may not be empty"));
        }
    }
    let options = &care.options;
    let own = [
        ("companyKey", &options.company_key),
        ("networkKey", &options.network_key),
        ("externalId", &options.external_id),
        ("appId", &options.app_id),
    ];
    for (key, value) in own {
        if !is_empty(&body[key]) && body[key] != **value {
            why.push(format!("{key} is invalid"));
        }
    }
    let mode = body["mode"].as_str().unwrap_or("LIVE");
    if !MODES.contains(&mode) {
        why.push("mode is invalid".to_owned());
    }
    let word = |key: &str| credentials[key].as_str().unwrap_or_default().to_owned();
    let credentials = match &*word("type") {
        "BASIC_AUTH" => Some(Credentials::Basic(word("identity"), word("secret"))),
        "HMAC" => Some(Credentials::Hmac(word("secret"))),
        "" => None,
        _ => {
            why.push("credentials.type is invalid".to_owned());
            None
        }
    };
    match credentials {
        Some(credentials) if why.is_empty() => {
            let mut shown = body.clone();
            shown["mode"] = json!(mode);
            shown["credentials"] = json!({ "type": body["credentials"]["type"] });
            Ok(Registration { credentials, is_live: mode == "LIVE", shown })
        }
        _ => Err(why),
    }
}
