//! Tokens, registrations and the look at the bot's health.

use std::sync::Arc;

use botyard_kernel::time::DAY;
use botyard_kernel::upkeep::{Ended, HOPELESS_MS};
use bytes::Bytes;
use http::StatusCode;
use serde::Deserialize;
use serde_json::{Value, json};

use super::golden::{Answer, OutCall, fixtures, read};
use super::{SECRET, basic, channel, settings, with};
use crate::{CallAnswer, To, Upkeep, Vendor};

const NOW: u64 = 1_700_000_000_000;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Golden {
    chore: String,
    call: Option<OutCall>,
    answer: Answer,
}

fn upkeep(channel: &Arc<dyn Vendor>) -> &dyn Upkeep {
    channel.upkeep().expect("upkeep")
}

/// Settings that register, beginning in maintenance.
fn registering() -> Value {
    with(json!({
        "webhook-secret": "<secret>",
        "registrations": [{ "network": "facebook", "external-id": "410088123456789" }],
        "callback-url": "https://bots.example.invalid/khoros",
        "bot-name": "Acme bot",
        "contact-email": "ops@example.invalid",
        "avatar-url": "https://cdn.example.invalid/a.png",
        "public-filter": { "includeTargeted": true, "includeSourceTagIds": [999] },
        "metadata": { "internalBot": "false" },
        "dialect": { "registration": { "mode": "MAINTENANCE" } },
    }))
}

fn creating() -> Value {
    with(json!({
        "token": null,
        "token-url": "https://acme.response.lithium.com/api/v2/tokens/khorosapi/ownerId/acme-bot",
        "user": "bot@acme.invalid",
        "password": "pass word",
    }))
}

fn answered(status: u16, body: &Value) -> CallAnswer {
    let status = StatusCode::from_u16(status).unwrap();
    CallAnswer::Answered {
        status,
        retry_after_ms: None,
        body: Bytes::from(body.to_string()),
        headers: http::HeaderMap::new(),
    }
}

fn token(token: &str) -> CallAnswer {
    answered(
        200,
        &json!({ "data": { "token": token, "expiresAtMillis": (NOW + 90 * DAY).to_string() } }),
    )
}

fn done(ended: Ended) -> String {
    match ended {
        Ended::Done(state) => state,
        other => panic!("done, not {other:?}"),
    }
}

fn next(channel: &Arc<dyn Vendor>, state: &str) -> (&'static str, u64) {
    let chores = upkeep(channel).wanted(state);
    let chore = chores.into_iter().min_by_key(|chore| chore.due_ms).expect("a chore");
    (chore.name, chore.due_ms)
}

fn bearer(channel: &Arc<dyn Vendor>) -> Option<String> {
    let call = channel.call(&To::conversation(super::KEY), &[]);
    Some(call.headers.get("authorization")?.to_str().unwrap().to_owned())
}

#[test]
fn chores_become_calls() {
    let channel = channel(registering());
    for (name, fixture) in fixtures("upkeep.") {
        let golden: Golden = read(&name, fixture);
        let call = upkeep(&channel).call("", &golden.chore, NOW);
        if let Some(expect) = golden.call {
            expect.check(&name, &call);
        }
        let ended = upkeep(&channel).ended("", &golden.chore, &golden.answer.call_answer(), NOW);
        let well = matches!(ended, Ended::Done(_));
        // The page's own sample of a look at the health has found the bot unwell.
        let bad = name.contains("422") || golden.chore == "health";
        assert_eq!(well, !bad, "{name}: {ended:?}");
    }
}

#[test]
fn a_token_of_somebody_else_is_not_taken_away_from_them_at_once() {
    let channel = channel(settings());
    assert_eq!(next(&channel, ""), ("health", 0));
    let well = json!({ "data": [{ "status": "HEALTHY" }] });
    let state = done(upkeep(&channel).ended("", "health", &answered(200, &well), NOW));
    assert_eq!(next(&channel, &state), ("health", NOW + DAY));
    let week = NOW + 7 * DAY;
    let state =
        done(upkeep(&channel).ended(&state, "health", &answered(200, &json!({})), week - 1));
    assert_eq!(next(&channel, &state), ("refresh-token", week));
    let call = upkeep(&channel).call(&state, "refresh-token", week);
    assert_eq!(call.headers["authorization"], "Bearer adopted.jwt");
    let state = done(upkeep(&channel).ended(&state, "refresh-token", &token("second.jwt"), week));
    let renewed = upkeep(&channel).renewed(&state);
    assert_eq!(bearer(&renewed).as_deref(), Some("Bearer second.jwt"));
    let call = upkeep(&renewed).call(&state, "refresh-token", week);
    assert_eq!(call.headers["authorization"], "Bearer second.jwt");
    assert!(!format!("{renewed:?}").contains("second.jwt"));
}

/// Whoever keeps the channel hears once that Khoros calls its bot unwell, and it is looked
/// at more often until it has recovered.
#[test]
fn a_bot_that_becomes_unwell_is_told_of_once() {
    let channel = channel(settings());
    let told = |words: &[&str]| {
        let data: Vec<_> = words.iter().map(|word| json!({ "status": word })).collect();
        answered(200, &json!({ "data": data }))
    };
    let look = |state: &str, words: &[&str], now| {
        upkeep(&channel).ended(state, "health", &told(words), now)
    };
    let Ended::PutOff { state, reason } = look("", &["HEALTHY", "DEGRADED"], NOW) else {
        panic!("nobody is told")
    };
    assert!(reason.contains("DEGRADED"), "{reason}");
    assert_eq!(upkeep(&channel).unwell_since(&state), Some(NOW));
    assert_eq!(next(&channel, &state), ("health", NOW + HOPELESS_MS));
    let state = done(look(&state, &["UNHEALTHY"], NOW + HOPELESS_MS));
    assert_eq!(upkeep(&channel).unwell_since(&state), Some(NOW), "it was told already");
    let state = done(look(&state, &["HEALTHY"], NOW + DAY));
    assert_eq!(upkeep(&channel).unwell_since(&state), None);
    assert_eq!(next(&channel, &state), ("health", NOW + 2 * DAY));
    let again = look(&state, &["UNHEALTHY"], NOW + 2 * DAY);
    assert!(matches!(again, Ended::PutOff { .. }), "{again:?}");
    for odd in [json!({}), json!({ "data": [] }), json!({ "data": [{ "status": 7 }] })] {
        let state = done(upkeep(&channel).ended("", "health", &answered(200, &odd), NOW));
        assert_eq!(upkeep(&channel).unwell_since(&state), None, "{odd}");
    }
}

#[test]
fn another_token_in_the_settings_begins_anew() {
    let first = channel(settings());
    let state = done(upkeep(&first).ended("", "refresh-token", &token("second.jwt"), NOW));
    let other = channel(with(json!({ "token": "third.jwt" })));
    assert_eq!(bearer(&upkeep(&other).renewed(&state)).as_deref(), Some("Bearer third.jwt"));
    assert_eq!(next(&other, &state), ("health", 0));
    for odd in ["", "{", "[]", "{\"token\":5}"] {
        assert_eq!(bearer(&upkeep(&first).renewed(odd)).as_deref(), Some("Bearer adopted.jwt"));
    }
}

#[test]
fn a_token_is_made_with_the_user_where_there_is_none() {
    let channel = channel(creating());
    assert_eq!(bearer(&channel), None);
    assert_eq!(next(&channel, ""), ("create-token", 0));
    let call = upkeep(&channel).call("", "create-token", NOW);
    assert_eq!((call.method.as_str(), call.body.len()), ("POST", 0));
    assert!(call.url.ends_with("/ownerId/acme-bot"));
    assert_eq!(call.headers["authorization"], basic("bot@acme.invalid", "pass word").as_str());
    assert!(!format!("{:?}", call.headers).contains("Ym90"));
    let state = done(upkeep(&channel).ended("", "create-token", &token("made.jwt"), NOW));
    assert_eq!(bearer(&upkeep(&channel).renewed(&state)).as_deref(), Some("Bearer made.jwt"));
    assert_eq!(next(&channel, &state), ("health", 0));
}

#[test]
fn a_token_that_is_refused_is_made_anew_where_that_can_be() {
    let refused = answered(401, &json!({ "error": { "message": "Unauthorized" } }));
    let makes = channel(creating());
    let state = done(upkeep(&makes).ended("", "create-token", &token("made.jwt"), NOW));
    for (chore, answer) in [
        ("refresh-token", &refused),
        ("health", &answered(400, &json!({ "error": { "message": "Unauthorized" } }))),
    ] {
        // One that was just made is not made again at once: that would never end.
        let ended = upkeep(&makes).ended(&state, chore, answer, NOW + 1);
        assert!(matches!(ended, Ended::Hopeless(_)), "{ended:?}");
        let later = NOW + DAY;
        let state = done(upkeep(&makes).ended(&state, chore, answer, later));
        assert_eq!(next(&makes, &state), ("create-token", 0));
        let ended = upkeep(&makes).ended(&state, "create-token", &refused, later);
        assert!(matches!(ended, Ended::Hopeless(_)), "{ended:?}");
        let state = done(upkeep(&makes).ended(&state, "create-token", &token("new.jwt"), later));
        assert_eq!(next(&makes, &state).0, "health");
    }
    let adopts = channel(settings());
    let ended = upkeep(&adopts).ended("", "refresh-token", &refused, NOW);
    assert!(matches!(&ended, Ended::Hopeless(why) if why.contains("`token`")), "{ended:?}");
}

#[test]
fn a_short_lived_token_is_refreshed_before_its_end() {
    let channel = channel(settings());
    let short = answered(
        200,
        &json!({ "data": { "token": "short.jwt", "expiresAtMillis": NOW + 2 * DAY } }),
    );
    let state = done(upkeep(&channel).ended("", "refresh-token", &short, NOW));
    let state = done(upkeep(&channel).ended(&state, "health", &answered(200, &json!({})), NOW));
    assert_eq!(next(&channel, &state), ("refresh-token", NOW + DAY));
    let shorter =
        answered(200, &json!({ "data": { "token": "a.b", "expiresAtMillis": NOW + 900 } }));
    let state = done(upkeep(&channel).ended(&state, "refresh-token", &shorter, NOW));
    assert_eq!(next(&channel, &state), ("refresh-token", NOW + 450), "not at once");
}

#[test]
fn registrations_are_made_once_and_go_live() {
    let channel = channel(registering());
    assert_eq!(next(&channel, ""), ("register", 0));
    let taken = answered(202, &Value::Null);
    let state = done(upkeep(&channel).ended("", "register", &taken, NOW));
    assert!(!state.contains(SECRET) && !state.contains("<secret>"), "{state}");
    assert_eq!(next(&channel, &state), ("set-mode", 0));
    let call = upkeep(&channel).call(&state, "set-mode", NOW);
    let path =
        "/registrations/network/facebook/externalId/410088123456789/appId/acme-bot/mode/LIVE";
    assert_eq!((call.method.as_str(), call.url), ("PUT", format!("{}{path}", super::GATEWAY)));
    let state = done(upkeep(&channel).ended(&state, "set-mode", &taken, NOW));
    assert_eq!(next(&channel, &state), ("health", 0));
    // Another secret is another registration.
    let mut changed = registering();
    changed["webhook-secret"] = json!(["newer", "<secret>"]);
    let changed = super::channel(changed);
    assert_eq!(next(&changed, &state), ("register", 0));
    let body = upkeep(&changed).call(&state, "register", NOW).body;
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["credentials"]["secret"], "newer");
}

#[test]
fn a_registration_that_begins_live_is_live() {
    let mut settings = registering();
    settings["dialect"] = json!({ "registration": { "method": "POST" } });
    settings["registrations"] = json!([
        { "network": "facebook", "external-id": "4" }, { "network": "apple", "external-id": "a/b" },
    ]);
    let channel = channel(settings);
    let mut state = String::new();
    for network in ["facebook", "apple"] {
        assert_eq!(next(&channel, &state), ("register", 0));
        let call = upkeep(&channel).call(&state, "register", NOW);
        assert_eq!(call.method, "POST");
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        assert_eq!((&body["mode"], &body["networkKey"]), (&json!("LIVE"), &json!(network)));
        state = done(upkeep(&channel).ended(&state, "register", &answered(202, &json!({})), NOW));
    }
    assert_eq!(next(&channel, &state).0, "health");
}

#[test]
fn a_registration_that_is_refused_for_good_does_not_hold_up_the_next() {
    let mut settings = registering();
    settings["dialect"] = json!({});
    settings["registrations"] = json!([
        { "network": "facebook", "external-id": "4" }, { "network": "apple", "external-id": "5" },
    ]);
    let channel = channel(settings);
    let network = |state: &str| {
        let call = upkeep(&channel).call(state, "register", NOW);
        let body: Value = serde_json::from_slice(&call.body).unwrap();
        body["networkKey"].as_str().unwrap().to_owned()
    };
    let put_off = |state: &str, now| {
        let refused = answered(400, &json!({ "errors": ["externalId is unknown"] }));
        match upkeep(&channel).ended(state, "register", &refused, now) {
            Ended::PutOff { state, reason } => (state, reason),
            other => panic!("put off, not {other:?}"),
        }
    };
    assert_eq!(network(""), "facebook");
    // It is the token that is wrong, not what is registered.
    let refused = answered(401, &json!({ "error": { "message": "Unauthorized" } }));
    let ended = upkeep(&channel).ended("", "register", &refused, NOW);
    assert!(matches!(ended, Ended::Hopeless(_)), "{ended:?}");
    let (state, reason) = put_off("", NOW);
    assert!(reason.contains("/network/facebook/externalId/4/"), "{reason}");
    assert_eq!((network(&state), next(&channel, &state)), ("apple".into(), ("register", 0)));
    let (both, _) = put_off(&state, NOW + 1);
    assert_eq!(network(&both), "facebook", "it has waited longer");
    let taken = answered(202, &json!({}));
    let state = done(upkeep(&channel).ended(&state, "register", &taken, NOW));
    assert_eq!(next(&channel, &state).0, "health", "the other one waits for its hour");
    let register =
        |chore: &botyard_kernel::upkeep::Chore| (chore.name == "register").then_some(chore.due_ms);
    let due = upkeep(&channel).wanted(&state).iter().find_map(register);
    assert_eq!((network(&state), due), ("facebook".into(), Some(NOW + HOPELESS_MS)));
    let state = done(upkeep(&channel).ended(&state, "register", &taken, NOW + HOPELESS_MS));
    assert!(upkeep(&channel).wanted(&state).iter().all(|it| it.name != "register"), "{state}");
}

#[test]
fn what_went_wrong_is_tried_again_only_where_that_helps() {
    let channel = channel(registering());
    let rows = [(500, true), (502, true), (503, true), (429, true), (408, true)];
    let hopeless = [(400, false), (404, false), (422, false), (301, false)];
    for (status, again) in rows.into_iter().chain(hopeless) {
        for chore in ["refresh-token", "register", "set-mode", "health"] {
            let answer = answered(status, &json!({ "errors": ["callbackUrl may not be empty"] }));
            match upkeep(&channel).ended("", chore, &answer, NOW) {
                Ended::Retry { reason, .. } => assert!(again && reason.contains(chore), "{reason}"),
                Ended::Hopeless(reason) | Ended::PutOff { reason, .. } => {
                    assert!(!again && reason.contains("callbackUrl"), "{status}: {reason}");
                }
                Ended::Done(state) => panic!("{status}: {state}"),
            }
        }
    }
    for answer in [CallAnswer::Lost("cut".into()), CallAnswer::NotSent("no host".into())] {
        let ended = upkeep(&channel).ended("", "refresh-token", &answer, NOW);
        assert!(matches!(ended, Ended::Retry { .. }), "{ended:?}");
    }
}

#[test]
fn success_without_a_token_is_none() {
    let channel = channel(settings());
    for body in [json!(null), json!({ "data": {} }), json!({ "data": { "token": "a\nb" } })] {
        let ended = upkeep(&channel).ended("", "refresh-token", &answered(200, &body), NOW);
        assert!(matches!(ended, Ended::Hopeless(_)), "{ended:?}");
    }
}

fn named(chores: &[botyard_kernel::upkeep::Chore]) -> Vec<&'static str> {
    chores.iter().map(|chore| chore.name).collect()
}

/// A token that somebody else made, with these claims.
fn jwt(claims: &Value) -> String {
    use base64::Engine as _;
    let claims = base64::prelude::BASE64_URL_SAFE_NO_PAD.encode(claims.to_string());
    format!("e30.{claims}.c2ln")
}

#[test]
fn a_call_that_is_refused_has_the_token_replaced() {
    let refused = answered(401, &json!({ "error": { "message": "Unauthorized" } }));
    let makes = channel(with(json!({
        "token-url": "https://acme.response.lithium.com/api/v2/tokens/khorosapi/ownerId/acme-bot",
        "user": "bot@acme.invalid",
        "password": "pass word",
    })));
    let name = upkeep(&makes).refused(&refused).expect("it names the token");
    assert!(!name.contains("adopted"), "{name}");
    assert_eq!(upkeep(&makes).refused(&answered(403, &json!({}))), None);
    let known = upkeep(&makes).without("", &name, NOW).expect("a state");
    assert_eq!(next(&makes, &known), ("create-token", 0));
    assert_eq!(upkeep(&makes).without(&known, &name, NOW), None, "it is known");
    let state = done(upkeep(&makes).ended(&known, "create-token", &token("new.jwt"), NOW));
    assert_eq!(upkeep(&makes).without(&state, &name, NOW + DAY), None, "it has another one");
    // What was just made and is refused as well is not made over and over.
    let renewed = upkeep(&makes).renewed(&state);
    let name = upkeep(&renewed).refused(&refused).unwrap();
    assert_eq!(upkeep(&makes).without(&state, &name, NOW + 1), None);
    assert!(upkeep(&makes).without(&state, &name, NOW + DAY).is_some());
}

#[test]
fn a_refused_token_that_nobody_can_replace_is_told_the_tenant() {
    let refused = answered(401, &json!({ "error": { "message": "Unauthorized" } }));
    let adopts = channel(settings());
    let state = done(upkeep(&adopts).ended("", "health", &answered(200, &json!({})), NOW));
    let name = upkeep(&adopts).refused(&refused).unwrap();
    let state = upkeep(&adopts).without(&state, &name, NOW + 1).expect("a state");
    assert_eq!(next(&adopts, &state), ("health", 0), "it is looked at now");
    let ended = upkeep(&adopts).ended(&state, "health", &refused, NOW + 1);
    assert!(matches!(&ended, Ended::Hopeless(why) if why.contains("`token`")), "{ended:?}");
    let state = done(upkeep(&adopts).ended(&state, "health", &answered(200, &json!({})), NOW + 2));
    assert_eq!(next(&adopts, &state), ("health", NOW + 2 + DAY));
}

#[test]
fn a_token_of_somebody_else_says_when_it_must_be_refreshed() {
    let second = |at: u64| at / 1_000;
    let after_first_look = |claims: Value| {
        let channel = channel(with(json!({ "token": jwt(&claims) })));
        let state = done(upkeep(&channel).ended("", "health", &answered(200, &json!({})), NOW));
        let chores = upkeep(&channel).wanted(&state);
        chores.into_iter().find(|chore| chore.name == "refresh-token").unwrap().due_ms
    };
    let rows = [
        // A week from when it was made; whoever else has it keeps it for a day.
        (json!({ "iat": second(NOW - 3 * DAY) }), NOW + 4 * DAY),
        (json!({ "iat": second(NOW - 30 * DAY) }), NOW + DAY),
        // A day before its end, whoever has it.
        (json!({ "iat": second(NOW), "exp": second(NOW + 3 * DAY) }), NOW + 2 * DAY),
        (json!({ "exp": second(NOW + DAY / 2) }), NOW + DAY / 4),
        (json!({ "exp": second(NOW + 90 * DAY) }), NOW + 7 * DAY),
        (json!({ "exp": "soon", "iat": -5 }), NOW + 7 * DAY),
    ];
    for (claims, expect) in rows {
        assert_eq!(after_first_look(claims.clone()), expect, "{claims}");
    }
    // Also where the look at the health never succeeds.
    let claims = json!({ "exp": second(NOW + 3 * DAY) });
    let channel = channel(with(json!({ "token": jwt(&claims) })));
    assert_eq!(named(&upkeep(&channel).wanted("")), ["refresh-token", "health"]);
}

#[test]
fn a_registration_holds_up_neither_the_token_nor_the_health() {
    let channel = channel(registering());
    let state = done(upkeep(&channel).ended("", "refresh-token", &token("second.jwt"), NOW));
    assert_eq!(named(&upkeep(&channel).wanted(&state)), ["register", "refresh-token", "health"]);
}

#[test]
fn a_channel_rests_goes_live_and_retires_as_its_mode_says() {
    let taken = answered(202, &Value::Null);
    let in_mode = |mode: &str| {
        let mut settings = registering();
        settings["dialect"] = json!({});
        settings["mode"] = json!(mode);
        channel(settings)
    };
    let (rests, live, retired) = (in_mode("maintenance"), in_mode("live"), in_mode("retired"));
    let body = upkeep(&rests).call("", "register", NOW).body;
    assert_eq!(serde_json::from_slice::<Value>(&body).unwrap()["mode"], "MAINTENANCE");
    let state = done(upkeep(&rests).ended("", "register", &taken, NOW));
    assert_eq!(named(&upkeep(&rests).wanted(&state)), ["health"]);
    for (channel, mode) in [(&live, "LIVE"), (&rests, "MAINTENANCE"), (&live, "LIVE")] {
        let state = if mode == "LIVE" {
            state.clone()
        } else {
            done(upkeep(&live).ended(&state, "set-mode", &taken, NOW))
        };
        assert_eq!(next(channel, &state), ("set-mode", 0), "{mode}");
        let call = upkeep(channel).call(&state, "set-mode", NOW);
        assert!(call.url.ends_with(&format!("/appId/acme-bot/mode/{mode}")), "{}", call.url);
        let state = done(upkeep(channel).ended(&state, "set-mode", &taken, NOW));
        assert_eq!(named(&upkeep(channel).wanted(&state)), ["health"], "{mode}");
    }
    // What the host made is taken back; the token of the settings is somebody else's.
    assert_eq!(named(&upkeep(&retired).wanted("")), [""; 0]);
    let state = done(upkeep(&live).ended(&state, "refresh-token", &token("second.jwt"), NOW));
    let call = upkeep(&retired).call(&state, "deregister", NOW);
    assert_eq!(call.method, "DELETE");
    assert!(call.url.ends_with("/externalId/410088123456789/appId/acme-bot"), "{}", call.url);
    for gone in [answered(204, &Value::Null), answered(404, &json!({}))] {
        let state = done(upkeep(&retired).ended(&state, "deregister", &gone, NOW));
        assert_eq!(next(&retired, &state), ("invalidate-token", 0));
        let call = upkeep(&retired).call(&state, "invalidate-token", NOW);
        assert!(call.method == "DELETE" && call.url.ends_with("/tokens/appId/acme-bot"));
        let dropped = answered(200, &json!({}));
        let state = done(upkeep(&retired).ended(&state, "invalidate-token", &dropped, NOW));
        assert_eq!(named(&upkeep(&retired).wanted(&state)), [""; 0]);
    }
}
