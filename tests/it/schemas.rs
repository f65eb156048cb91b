//! What a bot is configured with is held against the schema that its versions carry.

use std::time::Duration;

use botyard_tests::client::management::{Answered, Management};
use botyard_tests::host::{plugin, with_section};
use botyard_tests::site::Setup;
use botyard_tests::wait::until;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

const BOT: &str = "/tenants/acme/bots/bot";
const WITHIN: Duration = Duration::from_secs(10);
const DEPLOYMENT: &str = "/tenants/acme/bots/bot/deployment";

/// A bot whose manifest has this schema: of several manifests the last one counts.
fn wanting(schema: &Value) -> Vec<u8> {
    let manifest = json!({"name": "choosy", "config": schema}).to_string();
    let wasm = std::fs::read(plugin("tally").unwrap()).unwrap();
    with_section(wasm, "botyard:manifest", manifest.as_bytes())
}

async fn uploaded(admin: &Management, bot: &str, schema: &Value) -> Value {
    let answered = admin.upload(&format!("{bot}/versions"), wanting(schema)).await.unwrap();
    assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.body);
    answered.body["digest"].clone()
}

async fn put(admin: &Management, bot: &str, config: Value) -> Answered {
    let body = json!({"settings": {"config": config}});
    admin.ask(Method::PUT, bot, Some(body)).await.unwrap()
}

async fn post(admin: &Management, deployment: &str, body: Value) -> Answered {
    admin.ask(Method::POST, deployment, Some(body)).await.unwrap()
}

fn deploy(version: &Value) -> Value {
    json!({"action": "deploy", "version": version})
}

/// It is refused for this key, with these words and without what was set.
fn refused(answered: &Answered, key: &str, wants: &str) {
    let (told, detail) = ((answered.status, answered.code()), answered.body["detail"].to_string());
    assert_eq!(told, (StatusCode::UNPROCESSABLE_ENTITY, "bad-settings"), "{detail}");
    assert!(detail.contains(&format!("`{key}`")) && detail.contains(wants), "{detail}");
    assert!(!detail.contains("swordfish"), "{detail}");
}

/// The log says that a bot is configured wrongly at this key.
fn says_misfit(log: &str, key: &str) -> Option<()> {
    (log.contains("configured wrongly") && log.contains(key)).then_some(())
}

#[tokio::test]
async fn a_schema_that_is_none_is_refused_at_the_upload() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    for (schema, why) in [
        (json!({"type": "strin"}), "/type"),
        (json!({"$ref": "https://example.com/schema.json"}), "refers to `https://example.com"),
        (json!({"allOf": [{"$ref": "#"}]}), "refers to itself"),
        (json!({"pattern": r"(a+)\1"}), "/pattern"),
    ] {
        let answered = admin.upload(&format!("{BOT}/versions"), wanting(&schema)).await.unwrap();
        let detail = answered.body["detail"].as_str().unwrap();
        let told = (answered.status, answered.code());
        assert_eq!(told, (StatusCode::UNPROCESSABLE_ENTITY, "component-refused"), "{detail}");
        assert!(detail.contains("no JSON Schema") && detail.contains(why), "{detail}");
    }
    let versions = admin.get(&format!("{BOT}/versions")).await.unwrap();
    assert_eq!(versions["items"].as_array().unwrap().len(), 1, "{versions}");
}

#[tokio::test]
async fn what_answers_or_is_to_answer_is_configured_as_it_wants() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    admin.put("/tenants/acme/secrets/key", json!({"value": "swordfish"})).await.unwrap();
    let shop = json!({"type": "string", "pattern": "^https://"});
    let wants = json!({
        "required": ["shop-url"],
        "properties": {"shop-url": shop, "tries": {"type": "integer"}, "key": {"type": "string"}},
        "additionalProperties": false,
    });
    let first = uploaded(&admin, BOT, &wants).await;
    for step in [deploy(&first), json!({"action": "start-canary", "version": first, "percent": 10})]
    {
        refused(&post(&admin, DEPLOYMENT, step).await, "config.shop-url", "it is required");
    }
    // What answers has no schema: it takes anything.
    let good = json!({"shop-url": "https://shop.example", "key": {"secret": "key"}, "tries": "3"});
    assert_eq!(put(&admin, BOT, good.clone()).await.status, StatusCode::OK);
    assert_eq!(post(&admin, DEPLOYMENT, deploy(&first)).await.status, StatusCode::OK);

    for (config, key, wants) in [
        (json!({"shop-url": "swordfish"}), "config.shop-url", "^https://"),
        (json!({"tries": "2"}), "config.shop-url", "it is required"),
        (json!({"shop-url": "https://a", "tries": "swordfish"}), "config.tries", "integer"),
        (json!({"shop-url": "https://a", "trys": "2"}), "config.trys", "no such key"),
        (json!({"shop-url": "https://a", "tries": {"secret": "key"}}), "config.tries", "integer"),
    ] {
        refused(&put(&admin, BOT, config).await, key, wants);
    }
    assert_eq!(admin.get(BOT).await.unwrap()["settings"]["config"], good, "nothing was changed");

    // From one schema to the next, although neither knows the other's keys.
    let next = json!({
        "required": ["stock-url"],
        "properties": {"stock-url": shop},
        "additionalProperties": false,
    });
    let second = uploaded(&admin, BOT, &next).await;
    refused(&post(&admin, DEPLOYMENT, deploy(&second)).await, "config.stock-url", "is required");
    let both = json!({"shop-url": "https://shop.example", "stock-url": "https://stock.example"});
    assert_eq!(put(&admin, BOT, both).await.status, StatusCode::OK);
    assert_eq!(post(&admin, DEPLOYMENT, deploy(&second)).await.status, StatusCode::OK);
    let only = json!({"stock-url": "https://stock.example"});
    assert_eq!(put(&admin, BOT, only).await.status, StatusCode::OK);
    // Back is always a way: what does not fit then is not held against other changes.
    let back = post(&admin, DEPLOYMENT, json!({"action": "roll-back"})).await;
    assert_eq!(back.body["current"], first, "{}", back.body);
    let more = json!({"settings": {
        "config": {"stock-url": "https://stock.example"}, "overlap": "latest",
    }});
    admin.put(BOT, more).await.unwrap();
    refused(&put(&admin, BOT, json!({})).await, "config.shop-url", "it is required");
}

#[tokio::test]
async fn a_canary_is_configured_as_it_wants_too() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let canary = uploaded(&admin, BOT, &json!({"required": ["tone"]})).await;
    let start = json!({"action": "start-canary", "version": canary, "percent": 10});
    refused(&post(&admin, DEPLOYMENT, start.clone()).await, "config.tone", "it is required");
    assert_eq!(put(&admin, BOT, json!({"tone": "warm"})).await.status, StatusCode::OK);
    assert_eq!(post(&admin, DEPLOYMENT, start).await.status, StatusCode::OK);
    refused(&put(&admin, BOT, json!({})).await, "config.tone", "it is required");
}

#[tokio::test]
async fn whoever_runs_a_bot_of_the_operators_configures_it_as_that_wants() {
    let hosted = Hosted::start().await;
    let (operator, acme) = (&hosted.operator, hosted.tenant("acme", "tally").await);
    let common = "/tenants/operator/bots/common";
    let deployment = format!("{common}/deployment");
    operator.put(common, json!({"offered": true})).await.unwrap();
    let first = uploaded(operator, common, &json!({"required": ["shop-url"]})).await;
    // The operator configures nothing: that is left to who runs it.
    let deployed = post(operator, &deployment, deploy(&first)).await;
    assert_eq!(deployed.status, StatusCode::OK, "{}", deployed.body);

    let mine = "/tenants/acme/bots/mine";
    let shares = |config: Value| json!({"shared": "common", "settings": {"config": config}});
    let without = acme.ask(Method::PUT, mine, Some(shares(json!({})))).await.unwrap();
    refused(&without, "config.shop-url", "it is required");
    acme.put(mine, shares(json!({"shop-url": "https://shop.example"}))).await.unwrap();
    let mut channel = hosted.channel();
    channel["settings"]["bot"] = json!("mine");
    acme.put("/tenants/acme/channels/acme-web", channel).await.unwrap();

    // A tenant holds up no deployment of the operator's; the log says whom it concerns.
    let second = uploaded(operator, common, &json!({"required": ["stock-url"]})).await;
    let deployed = post(operator, &deployment, deploy(&second)).await;
    assert_eq!(deployed.status, StatusCode::OK, "{}", deployed.body);
    let told = || says_misfit(&hosted.host.log(), "config.stock-url");
    until("the word on it", WITHIN, told).await.unwrap();
}

#[tokio::test]
async fn a_start_says_what_of_the_settings_file_does_not_fit() {
    // This bot wants to know where the shop is, and nobody says so.
    let site = Setup::new("orders").unwrap().start().await.unwrap();
    let told = || says_misfit(&site.host().log(), "config.shop-url");
    until("the word on it", WITHIN, told).await.unwrap();
}
