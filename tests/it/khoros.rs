//! Khoros through the whole host: owners, calls, and a token that the host keeps up.

use std::time::Duration;

use botyard_tests::client::userlike::client;
use botyard_tests::host::{Config, Host, operate, plugin};
use botyard_tests::peers::vendor::{Called, Vendor};
use botyard_tests::site::{Setup, Site};
use botyard_twins::account::{Account, Twin};
use botyard_twins::khoros;
use serde_json::{Value, json};

const WITHIN: Duration = Duration::from_secs(10);
const JWT: &str = "canary-khoros-jwt";

/// Khoros' side: it gives a token, and takes what is said.
fn vendor() -> Vendor {
    let data = json!({ "token": JWT, "expiresAtMillis": 4_102_444_800_000_u64,
        "messageId": "m1", "payloadType": "RESPONSE", "requestState": "SUCCESS" });
    Vendor::start(json!({ "status": "success", "data": data, "requestId": "r1" })).unwrap()
}

async fn site(vendor: &Vendor) -> Site {
    Setup::new("puppet").unwrap().channel("care", settings(vendor)).start().await.unwrap()
}

fn settings(vendor: &Vendor) -> Value {
    json!({
        "vendor": "khoros",
        "webhook-header": null,
        "api-url": null,
        "api-token": null,
        "desk-token": null,
        "company-key": "acmehotel",
        "app-id": "acme-bot",
        "gateway-url": vendor.url(),
        "token-url": format!("{}/api/v2/tokens/khorosapi/ownerId/acme-bot", vendor.url()),
        "user": "ops@example.invalid",
        "password": "canary-khoros-password",
        "webhook-method": "basic",
        "webhook-identity": "botyard",
        "webhook-secret": "canary-khoros-secret",
    })
}

fn message(id: &str, owner: Value, text: &str) -> Value {
    json!({
        "type": "message",
        "coordinate": { "companyKey": "acmehotel", "networkKey": "facebook",
            "externalId": "410088", "messageId": id, "botId": "acme-bot", "scope": "PRIVATE" },
        "author": { "id": "7200", "fullName": "Ines Roth" },
        "owner": owner, "text": text,
        "publishedTS": 1_700_000_000_123_u64, "receivedTS": 1_700_000_001_456_u64,
    })
}

async fn send(site: &Site, password: &str, body: &Value) -> u16 {
    let request = client().unwrap().post(site.url("/webhooks/care"));
    let request = request.basic_auth("botyard", Some(password)).body(body.to_string());
    request.send().await.unwrap().status().as_u16()
}

fn said(calls: &[Called]) -> Vec<&str> {
    let responds = calls.iter().filter(|call| call.path == "/respond");
    responds.filter_map(|call| call.body["text"].as_str()).collect()
}

async fn wait_said(vendor: &Vendor, count: usize) -> Vec<Called> {
    botyard_tests::wait::until("what is said", WITHIN, || {
        Some(vendor.calls()).filter(|calls| said(calls).len() >= count)
    })
    .await
    .unwrap()
}

#[tokio::test]
async fn a_bot_answers_with_a_token_that_the_host_has_got_and_keeps_sealed() {
    let vendor = vendor();
    let mut site = site(&vendor).await;
    vendor.wait(1, WITHIN).await.unwrap();
    let owner = json!({ "type": "BOT", "appId": "acme-bot" });
    assert_eq!(
        send(&site, "canary-khoros-secret", &message("m1", owner.clone(), "say hi")).await,
        202
    );
    let calls = wait_said(&vendor, 1).await;
    assert_eq!(said(&calls), ["hi"]);
    let respond = calls.iter().find(|call| call.path == "/respond").unwrap();
    assert_eq!(respond.headers["authorization"], format!("Bearer {JWT}"));
    assert_eq!(respond.body["processSynchronously"], json!(true));
    let tokens = |calls: &[Called]| {
        calls.iter().filter(|call| call.path.contains("/tokens/khorosapi/")).count()
    };
    assert_eq!(tokens(&calls), 1);

    // The next host takes the token out of the store, where nobody can read it.
    assert!(site.restart().await.unwrap().success());
    // The same webhook again is the same message.
    assert_eq!(
        send(&site, "canary-khoros-secret", &message("m1", owner.clone(), "say hi")).await,
        202
    );
    assert_eq!(send(&site, "canary-khoros-secret", &message("m2", owner, "say again")).await, 202);
    let calls = wait_said(&vendor, 2).await;
    assert_eq!(said(&calls), ["hi", "again"]);
    assert_eq!(tokens(&calls), 1);
    let stored = site.stored_bytes();
    for secret in [JWT, "canary-khoros-password"] {
        let found = stored.windows(secret.len()).any(|bytes| bytes == secret.as_bytes());
        assert!(!found, "{secret} stands in the store");
    }
}

#[tokio::test]
async fn an_agents_conversation_is_recorded_and_no_bot_runs() {
    let vendor = vendor();
    let site = site(&vendor).await;
    let agent = json!({ "type": "AGENT" });
    let to_agent = message("m1", agent, "say nobody");
    assert_eq!(send(&site, "guess", &to_agent).await, 401);
    assert_eq!(send(&site, "canary-khoros-secret", &to_agent).await, 202);
    let ours = json!({ "type": "BOT", "appId": "acme-bot" });
    let mut elsewhere = message("m2", ours.clone(), "say nobody");
    elsewhere["coordinate"]["companyKey"] = json!("another");
    // Khoros counts failures, so it is taken; and kept for whoever looks, not handled.
    assert_eq!(send(&site, "canary-khoros-secret", &elsewhere).await, 202);
    let damaged = ["vendor=\"khoros\""];
    site.wait_metric("botyard_webhook_parts_damaged_total", &damaged, 1.0).await.unwrap();
    let back = message("m3", ours, "skipped");
    assert_eq!(send(&site, "canary-khoros-secret", &back).await, 202);
    let calls = wait_said(&vendor, 1).await;
    assert_eq!(said(&calls), ["say nobody"], "it was told what was written meanwhile");
}

#[tokio::test]
async fn the_hosts_desk_and_its_rule_of_return_are_not_for_those_who_have_their_own() {
    for (key, value) in
        [("desk-token", json!("0123456789abcdef")), ("returns-after-ms", json!(3_600_000))]
    {
        let mut channel = settings(&vendor());
        channel[key] = value;
        let refused = Setup::new("puppet").unwrap().channel("care", channel).start().await;
        let why = format!("{:#}", refused.unwrap_err());
        assert!(why.contains(&format!("`{key}` is not for khoros")), "{why}");
    }
}

const AUTHOR: &str = "7200011122";

/// A strict twin, with a bot that answers there.
struct Care {
    twin: Twin<khoros::Care>,
    site: Site,
}

impl Care {
    /// `changes` are those of the channel's settings.
    async fn open(options: khoros::Options, changes: Value) -> Self {
        let twin = khoros::start(options, botyard_twins::account::Conduct::default()).unwrap();
        Self::with(twin, changes).await
    }

    async fn with(twin: Twin<khoros::Care>, changes: Value) -> Self {
        let mut channel = json!({
            "vendor": "khoros",
            "webhook-header": null, "api-url": null, "api-token": null, "desk-token": null,
            "company-key": "acmehotel",
            "app-id": "acme-bot",
            "gateway-url": format!("{}/bots/v3", twin.url()),
            "token-url": format!("{}/api/v2/tokens/khorosapi/ownerId/acme-bot", twin.url()),
            "user": "ops@example.invalid",
            "password": "canary-khoros-password",
            "webhook-method": "basic",
            "webhook-identity": "botyard",
            "webhook-secret": "canary-khoros-secret",
        });
        for (key, value) in changes.as_object().unwrap() {
            channel[key] = value.clone();
        }
        let site = Setup::new("puppet").unwrap().channel("care", channel).start().await.unwrap();
        let hook = site.url("/webhooks/care");
        twin.account().register(&hook, "BASIC_AUTH", "botyard", "canary-khoros-secret").unwrap();
        Self { twin, site }
    }

    fn account(&self) -> &Account<khoros::Care> {
        self.twin.account()
    }

    /// The author writes, and the webhooks are taken.
    async fn write(&self, text: &str) {
        for delivery in self.account().write(AUTHOR, text).await {
            assert!(delivery.is_delivered(), "{}", delivery.reason());
        }
    }

    async fn said(&self, text: &str) {
        let has = || self.account().texts(AUTHOR).contains(&text.to_owned()).then_some(());
        botyard_tests::wait::until(text, WITHIN, has).await.unwrap();
    }

    fn nothing_was_refused(&self) {
        for call in self.account().calls() {
            assert!(call.acted, "{call:?}");
        }
    }
}

fn options() -> khoros::Options {
    khoros::Options::new("ops@example.invalid", "canary-khoros-password")
}

/// Without synchronous replies the host asks what became of what was taken.
#[tokio::test]
async fn what_was_only_taken_is_asked_for() {
    let publishing = vec![Duration::from_millis(3_500)];
    let options = khoros::Options { publishing, ..options() };
    let care = Care::open(options, json!({ "dialect": { "synchronous": false } })).await;
    care.write("say hi").await;
    care.said("hi").await;
    let asked = || {
        let calls = care.account().calls();
        let mut questions = calls.iter().filter(|call| call.path.contains("/request/"));
        let first = questions.next().filter(|call| call.status == 200)?;
        questions.any(|call| call.path == first.path && call.status == 200).then_some(())
    };
    // The first time the reply is not published yet, which is nothing to be told of.
    botyard_tests::wait::until("the same question again", WITHIN, asked).await.unwrap();
    let warned = |line: &&Value| line["level"] == "WARN" && line["conversation"].is_string();
    assert_eq!(care.site.lines().iter().find(warned), None);
    care.nothing_was_refused();
    care.account().set_gone(AUTHOR, true);
    care.write("say into the void").await;
    let labels = ["vendor=\"khoros\"", "result=\"fatal\""];
    care.site.wait_metric("botyard_acknowledgements_total", &labels, 1.0).await.unwrap();
    care.site.wait_metric("botyard_turns_total", &["result=\"ran\""], 3.0).await.unwrap();
    let lines = care.site.lines();
    let told = lines.iter().find(warned).expect("it is told what was not delivered");
    let message = told["message"].as_str().unwrap();
    assert!(message.contains("`delivery_failed` is raised"), "{told}");
    assert!(told["part"].is_string() && told["action"] == "message", "{told}");
    assert!(told["reason"].as_str().unwrap().contains("could not publish it"), "{told}");
}

/// The strict twin: it makes the token, checks every call, and knows who owns what.
#[tokio::test]
async fn the_strict_twin_takes_all_that_a_bot_says_and_does() {
    let care = Care::open(options(), json!({})).await;
    let account = care.account();
    care.write("say hi").await;
    care.said("hi").await;
    care.write("menu Which? rye spelt\nmedia https://x.example/a.png A cake\nsay below").await;
    care.said("below").await;
    care.write("2").await;
    care.said("clicked spelt").await;
    account.create(AUTHOR);
    // The event that the conversation was created told what Care calls it.
    care.write("name Ines\nnote look at this\nqueue 21\nforward").await;
    let agents = || (account.owner(AUTHOR).as_deref() == Some("AGENT")).then_some(());
    botyard_tests::wait::until("the agent's turn", WITHIN, agents).await.unwrap();
    care.write("say nobody").await;
    let back = account.hand_back(AUTHOR).unwrap();
    assert!(account.deliver(back).await.is_delivered());
    care.write("say again").await;
    care.said("again").await;
    assert!(!account.texts(AUTHOR).contains(&"nobody".to_owned()));
    let seen = account.seen(AUTHOR);
    let queue = seen.iter().find(|seen| seen.name == "workqueue").expect("it was moved");
    assert!(queue.value["conversationDisplayId"].is_u64(), "{}", queue.value);
    care.nothing_was_refused();
}

/// Somebody else makes a token for the same app, which ends ours: the next reply is
/// refused, another token is made, and the reply arrives.
#[tokio::test]
async fn a_token_that_dies_is_replaced_and_what_waited_arrives() {
    let twin = khoros::start(options(), botyard_twins::account::Conduct::default()).unwrap();
    let adopted = twin.account().token();
    let care = Care::with(twin, json!({ "token": adopted })).await;
    care.write("say hi").await;
    care.said("hi").await;
    let made = |care: &Care| {
        let calls = care.account().calls();
        calls.iter().filter(|call| call.path.contains("/tokens/khorosapi/")).count()
    };
    assert_eq!(made(&care), 0, "the adopted one holds");
    care.account().token();
    care.write("say again").await;
    care.said("again").await;
    assert_eq!(made(&care), 1);
    let mut texts = care.account().texts(AUTHOR);
    texts.retain(|text| !text.starts_with("other "));
    assert_eq!(texts, ["hi", "again"], "in order, and once");
}

/// Webhooks have failed while no host was there: Khoros says so, the tenant is told once
/// and the operator sees it.
#[tokio::test]
async fn a_bot_that_khoros_calls_degraded_is_told_of() {
    let twin = khoros::start(options(), botyard_twins::account::Conduct::default()).unwrap();
    let account = twin.account();
    let nowhere = "http://127.0.0.1:9/webhooks/care";
    account.register(nowhere, "BASIC_AUTH", "botyard", "canary-khoros-secret").unwrap();
    let lost = account.write(AUTHOR, "say lost").await;
    assert!(lost.iter().all(|delivery| !delivery.is_delivered()));
    let care = Care::with(twin, json!({})).await;
    let operator = care.site.host().management();
    let shown = async || {
        let status = operator.get("/status").await.unwrap();
        let all = status["breakers"].as_array().unwrap().clone();
        Ok(all.into_iter().find(|it| it["what"] == "channel" && it["name"] == "demo/care"))
    };
    botyard_tests::wait::until_asked("the status", WITHIN, shown).await.unwrap();
    let log = care.site.host().log();
    assert_eq!(log.matches("Khoros calls the bot DEGRADED").count(), 1, "{log}");
}

/// An agent takes the conversation, and the webhook that says so is late: what is under
/// way is refused, and all that waits is kept from the person.
#[tokio::test]
async fn what_khoros_refuses_because_an_agent_has_it_silences_the_bot() {
    let quiet = khoros::Options { tells_control: false, ..options() };
    let care = Care::open(quiet, json!({})).await;
    let account = care.account();
    care.write("say hi").await;
    care.said("hi").await;
    // The conversation was created with it, of which the bot hears.
    care.said("other CREATED").await;
    let said = account.act(AUTHOR, khoros::Act::Write("say one\nsay two".to_owned())).unwrap();
    let late = account.take_over(AUTHOR).unwrap();
    for webhook in said {
        assert!(account.deliver(webhook).await.is_delivered());
    }
    care.site.wait_metric("botyard_calls_total", &["result=\"taken\""], 1.0).await.unwrap();
    assert!(account.deliver(late).await.is_delivered());
    let back = account.hand_back(AUTHOR).unwrap();
    assert!(account.deliver(back).await.is_delivered());
    care.write("say again").await;
    care.said("again").await;
    let texts = account.texts(AUTHOR);
    assert!(!texts.iter().any(|text| ["one", "two"].contains(&&**text)), "{texts:?}");
    let metrics = care.site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_calls_total", &["result=\"taken\""]), 1.0, "asked once");
    assert_eq!(metrics.sum("botyard_calls_total", &["result=\"fatal\""]), 0.0);
}

/// Khoros may tell a bot of what it says itself: that silences it as little as it starts
/// a turn.
#[tokio::test]
async fn the_bots_own_answers_that_come_back_are_no_agents() {
    let care = Care::open(khoros::Options { echoes: true, ..options() }, json!({})).await;
    for (text, said) in [("say one", "one"), ("say two", "two")] {
        care.write(text).await;
        care.said(said).await;
    }
    care.nothing_was_refused();
    let metrics = care.site.metrics().await.unwrap();
    assert_eq!(metrics.sum("botyard_turns_total", &["skipped"]), 0.0);
}

/// A store that was made of a backup may belong to a second host beside the first one.
#[tokio::test]
async fn a_restored_host_asks_the_vendor_for_nothing_until_it_is_released() {
    let vendor = vendor();
    let directory = tempfile::Builder::new().prefix("botyard-it-").tempdir().unwrap();
    let held = json!({ "restored_ms": 2, "backup_ms": 1 }).to_string();
    std::fs::write(directory.path().join("held.json"), held).unwrap();
    let mut care = settings(&vendor);
    care["bot"] = json!("bot");
    let bot = json!({ "component": plugin("puppet").unwrap() });
    let demo = json!({ "bots": { "bot": bot }, "channels": { "care": care } });
    let config = Config::new(directory.path()).with(json!({ "tenants": { "demo": demo } }));
    let _host = Host::start(&config).await.unwrap();
    tokio::time::sleep(Duration::from_millis(2_500)).await;
    assert_eq!(vendor.calls().len(), 0);
    assert!(operate(&config, &["release"]).await.unwrap().status.success());
    vendor.wait(1, WITHIN).await.unwrap();
}
