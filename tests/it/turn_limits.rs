//! What a tenant sets lower for its turns: it holds for that tenant alone, also where
//! others run the same bot.

use std::fs;
use std::time::{Duration, Instant};

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::Conversation;
use botyard_tests::host::plugin;
use botyard_tests::peers::shop::Shop;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

/// Two tenants that run the same bot of the operator's, which may call these hosts.
pub(crate) async fn sharing(bot: &str, hosts: &[String]) -> (Hosted, [Management; 2]) {
    let hosted = Hosted::start().await;
    let operator = &hosted.operator;
    let common = json!({"offered": true, "settings": {"hosts": hosts}});
    operator.put("/tenants/operator/bots/common", common).await.unwrap();
    let path = "/tenants/operator/bots/common";
    let wasm = fs::read(plugin(bot).unwrap()).unwrap();
    let digest = operator.upload(&format!("{path}/versions"), wasm).await.unwrap();
    let deploy = json!({"action": "deploy", "version": digest.body["digest"]});
    operator.post(&format!("{path}/deployment"), deploy).await.unwrap();
    let mut tenants = Vec::new();
    for name in ["acme", "other"] {
        let admin = hosted.tenant(name, "echo").await;
        let own = format!("/tenants/{name}");
        let shares = json!({"shared": "common", "settings": {"hosts": hosts}});
        admin.put(&format!("{own}/bots/mine"), shares).await.unwrap();
        let mut channel = hosted.channel();
        channel["settings"]["bot"] = json!("mine");
        admin.put(&format!("{own}/channels/{name}-web"), channel).await.unwrap();
        tenants.push(admin);
    }
    let [acme, other] = tenants.try_into().unwrap();
    (hosted, [acme, other])
}

pub(crate) async fn begun(hosted: &Hosted, channel: &str) -> Conversation {
    let conversation = hosted.open(channel);
    conversation.start().await.unwrap();
    conversation
}

pub(crate) async fn set(who: &Management, name: &str, value: Value) -> StatusCode {
    let path = format!("/tenants/acme/limits/{name}");
    who.ask(Method::PUT, &path, Some(json!({"value": value}))).await.unwrap().status
}

/// The last turn's result, after a message.
async fn result(who: &Management, tenant: &str, of: &Conversation, text: &str) -> Value {
    of.message(text).await.unwrap();
    let key = of.cid.replace(':', "%3A");
    let path = format!("/tenants/{tenant}/channels/{tenant}-web/conversations/{key}/turns");
    let turns = who.get(&format!("{path}?limit=200")).await.unwrap();
    let turns = turns["items"].as_array().unwrap();
    turns.iter().max_by_key(|turn| turn["seq"].as_u64()).unwrap()["result"].clone()
}

#[tokio::test]
async fn a_lowered_limit_ends_turns_of_its_tenant_and_of_nobody_else() {
    let (hosted, [acme, other]) = sharing("hostile", &[]).await;
    let own = begun(&hosted, "acme-web").await;
    let theirs = begun(&hosted, "other-web").await;
    let failure = |result: &Value| {
        assert_eq!(result["failed"]["blame"], "bot", "{result}");
        result["failed"]["message"].as_str().unwrap().to_owned()
    };

    assert_eq!(set(&acme, "turn-memory-bytes", json!(1)).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(set(&acme, "turn-memory-bytes", json!(8 << 20)).await, StatusCode::OK);
    let said = failure(&result(&acme, "acme", &own, "allocate 16").await);
    let expected = "8 MiB of memory (limit `turn-memory-bytes`: an admin of the tenant may";
    assert!(said.contains(expected), "{said}");
    assert_eq!(result(&other, "other", &theirs, "allocate 16").await, "ran");
    let said = failure(&result(&other, "other", &theirs, "allocate 100").await);
    assert!(said.contains("(limit `native.memory-bytes`: the operator may"), "{said}");
    assert_eq!(set(&acme, "turn-memory-bytes", Value::Null).await, StatusCode::OK);
    assert_eq!(result(&acme, "acme", &own, "allocate 16").await, "ran");

    // What the operator has set for it, it cannot raise.
    assert_eq!(set(&hosted.operator, "turn-cpu-ms", json!(60)).await, StatusCode::OK);
    assert_eq!(set(&acme, "turn-cpu-ms", json!(61)).await, StatusCode::UNPROCESSABLE_ENTITY);
    let said = failure(&result(&acme, "acme", &own, "spin").await);
    let expected = "60 ms of CPU time (limit `turn-cpu-ms`: the operator may raise it for the";
    assert!(said.contains(expected), "{said}");
    let said = failure(&result(&other, "other", &theirs, "spin").await);
    assert!(said.contains("500 ms of CPU time (limit `native.cpu-ms`"), "{said}");
    let rows = acme.get("/tenants/acme/limits").await.unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == "turn-cpu-ms").unwrap();
    assert_eq!((&row["value"], &row["set_by_operator"]), (&json!(60), &json!(60)));
}

#[tokio::test]
async fn a_turn_waits_for_calls_no_longer_than_its_tenant_lets_it() {
    let shop = Shop::start(Duration::from_millis(2_000)).await.unwrap();
    let (hosted, [acme, _other]) = sharing("puppet", &[shop.authority()]).await;
    let own = begun(&hosted, "acme-web").await;
    let theirs = begun(&hosted, "other-web").await;
    assert_eq!(set(&acme, "turn-wall-ms", json!(1_200)).await, StatusCode::OK);
    let fetch = format!("fetch {}/visits", shop.url());
    let answer = own.message(&fetch).await.unwrap();
    assert!(answer.texts()[0].contains("Timeout"), "{:?}", answer.texts());
    let answer = theirs.message(&fetch).await.unwrap();
    assert!(answer.texts()[0].starts_with("200 "), "{:?}", answer.texts());
}

#[tokio::test]
async fn no_more_turns_run_at_once_than_a_tenant_lets_and_the_others_wait() {
    let shop = Shop::start(Duration::from_millis(1_200)).await.unwrap();
    let (hosted, [acme, _other]) = sharing("puppet", &[shop.authority()]).await;
    assert_eq!(set(&acme, "turns-at-once", json!(0)).await, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(set(&acme, "turns-at-once", json!(1)).await, StatusCode::OK);
    let fetch = format!("fetch {}/visits", shop.url());
    let both = async |channel: &str| {
        let (one, two) = (begun(&hosted, channel).await, begun(&hosted, channel).await);
        let began = Instant::now();
        let (first, second) = tokio::join!(one.message(&fetch), two.message(&fetch));
        for answer in [first.unwrap(), second.unwrap()] {
            assert!(answer.texts()[0].starts_with("200 "), "{:?}", answer.texts());
        }
        began.elapsed()
    };
    let (own, theirs) = (both("acme-web").await, both("other-web").await);
    assert!(own >= Duration::from_millis(2_400), "{own:?}");
    assert!(theirs < own, "{theirs:?}");
}
