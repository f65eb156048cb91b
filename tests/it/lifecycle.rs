//! Starting, stopping and going on; and what operators see meanwhile.

use std::fs;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use botyard_tests::client::held::Held;
use botyard_tests::client::userlike::Conversation;
use botyard_tests::host::{program, run};
use botyard_tests::peers::shop::Shop;
use botyard_tests::peers::userlike::{Contact, Packet};
use botyard_tests::site::{MAIN, Setup, Site};
use serde_json::{Value, json};

use crate::puppet::{begun, site};

const WITHIN: Duration = Duration::from_secs(15);

async fn get(url: &str) -> (u16, String) {
    let client = reqwest::Client::builder().no_proxy().build().unwrap();
    let answer = client.get(url).send().await.unwrap();
    (answer.status().as_u16(), answer.text().await.unwrap())
}

async fn said(site: &Site, conversation: &Conversation, count: usize) -> Vec<String> {
    let account = site.account();
    let packets = account.wait_delivered(&conversation.cid, count, WITHIN).await.unwrap();
    packets.iter().filter_map(Packet::text).map(str::to_owned).collect()
}

#[tokio::test]
async fn operators_see_health_and_the_safety_features_that_are_really_active() {
    let site = Setup::new("puppet").unwrap().start().await.unwrap();
    assert_eq!(get(&site.url("/healthz")).await, (200, "ok\n".to_owned()));
    let (status, text) = get(&site.url("/readyz")).await;
    assert_eq!(status, 200);
    let ready: Value = serde_json::from_str(&text).unwrap();
    assert_eq!((&ready["ready"], &ready["store"]), (&json!(true), &json!("ok")));
    let safety = ready["safety"].as_array().unwrap();
    let inactive = safety.iter().filter(|feature| feature["active"] == false).count();
    assert_eq!(ready["safety_inactive"], inactive);
    // Paths and versions are for operators.
    assert!(safety.iter().all(|feature| feature.as_object().unwrap().len() == 2), "{text}");
    let (_, told) = site.operate(&["status"]).await.unwrap();
    assert!(told.contains("NOT protected by egress_public_only: calls to this machine"), "{told}");
    let active = |name: &str| {
        let feature = safety.iter().find(|feature| feature["name"] == name);
        feature.unwrap_or_else(|| panic!("no {name} in {text}"))["active"].as_bool().unwrap()
    };
    let features = [
        "pooling",
        "hardened_layout",
        "epochs",
        "cpu_budget",
        "memory_sum",
        "hostcall_fuel",
        "compile_child",
        "compile_jail_privileges",
        "compile_jail_parent",
        "compile_jail_priority",
        "compile_jail_sacrifice",
        "compile_jail_files",
        "compile_jail_limits",
        "compile_jail_calls",
        "durable_commits",
    ];
    for name in features {
        assert!(active(name), "{name}");
    }
    // This host may call its own machine, and says so.
    assert!(!active("egress_public_only"));
    for path in ["/", "/metrics/x", "/webhooks", "/v1"] {
        assert_eq!(get(&site.url(path)).await.0, 404, "{path}");
    }
}

/// The host says what its compiler says; this is what the kernel says of it.
#[test]
fn the_hosts_own_program_jails_itself_where_it_compiles() {
    let mut compiler = Command::new(program())
        .arg("compile")
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    let process = format!("/proc/{}", compiler.id());
    let shown = || {
        let status = fs::read_to_string(format!("{process}/status")).unwrap();
        let of = |name: &str| {
            let line = status.lines().find_map(|line| line.strip_prefix(name));
            line.unwrap().trim().to_owned()
        };
        let oom = fs::read_to_string(format!("{process}/oom_score_adj")).unwrap();
        (of("NoNewPrivs:"), of("Seccomp:"), of("Threads:"), oom.trim().to_owned())
    };
    let wanted = ["1", "2", "1", "1000"].map(str::to_owned);
    let start = Instant::now();
    while <[String; 4]>::from(shown()) != wanted {
        assert!(start.elapsed() < WITHIN, "{:?}", shown());
        std::thread::sleep(Duration::from_millis(20));
    }
    compiler.kill().unwrap();
    compiler.wait().unwrap();
}

#[tokio::test]
async fn a_setting_that_does_not_exist_stops_the_start_by_its_name() {
    let directory = tempfile::tempdir().unwrap();
    let config = botyard_tests::host::Config::new(directory.path());
    let rows = [
        (json!({ "server": { "lisen": "127.0.0.1:0" } }), "lisen"),
        (json!({ "sever": {} }), "sever"),
        (json!({ "tenants": { "demo": { "robots": {} } } }), "robots"),
        (json!({ "server": { "body-bytes-max": "much" } }), "body-bytes-max"),
    ];
    for (more, name) in rows {
        let config = config.clone().with(more);
        for command in ["check", "serve"] {
            let output = run(&config, command).await.unwrap();
            let text = String::from_utf8_lossy(&output.stderr).into_owned();
            assert!(!output.status.success(), "{command}: {name}");
            assert!(text.contains(name), "{command}: {text}");
        }
    }
}

#[tokio::test]
async fn a_stop_lets_what_is_open_end() {
    let site = Setup::new("puppet").unwrap().start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    conversation.message("pause 1500\nsay busy").await.unwrap();
    // Its answer waits until the list with the delay was played.
    let body = conversation.body("message", json!({ "body": "say last words" })).to_string();
    let held = Held::send(&site.webhook(MAIN), body.as_bytes()).await.unwrap();
    site.wait_metric("botyard_turns_total", &["ran"], 3.0).await.unwrap();
    let (status, answer) = tokio::join!(site.stop(), held.answer());
    assert!(status.unwrap().success());
    let (status, body) = answer.unwrap();
    assert_eq!(status, 200);
    assert!(body.contains("last words"), "{body}");
}

#[tokio::test]
async fn timers_and_requests_go_on_after_a_restart() {
    let shop = Shop::start(Duration::from_millis(1_500)).await.unwrap();
    let setup = Setup::new("puppet").unwrap().hosts([shop.authority()]);
    let mut site = setup.start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let script = format!("later 1000 say in time\nrequest slow {}/orders/84-1", shop.url());
    conversation.message(&script).await.unwrap();
    assert!(site.restart().await.unwrap().success());
    let mut heard = said(&site, &conversation, 2).await;
    heard.sort();
    assert_eq!(heard, ["in time", "slow answered 200"]);
    let keys: Vec<_> = shop.lookups().into_iter().map(|lookup| lookup.idempotency_key).collect();
    assert!(keys.iter().all(|key| key.is_some() && *key == keys[0]), "{keys:?}");
}

#[tokio::test]
async fn timers_and_requests_go_on_after_a_crash() {
    let shop = Shop::start(Duration::from_millis(300)).await.unwrap();
    let setup = Setup::new("puppet").unwrap().hosts([shop.authority()]);
    let mut site = setup.start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let script = format!("later 400 say in time\nrequest slow {}/orders/84-1", shop.url());
    conversation.message(&script).await.unwrap();
    site.crash().await.unwrap();
    let mut heard = said(&site, &conversation, 2).await;
    heard.sort();
    assert_eq!(heard, ["in time", "slow answered 200"]);
    let keys: Vec<_> = shop.lookups().into_iter().map(|lookup| lookup.idempotency_key).collect();
    assert!(keys.iter().all(|key| key.is_some() && *key == keys[0]), "{keys:?}");
}

/// Texts that stand for what people write and for what must stay secret.
const CANARIES: [&str; 9] = [
    "Canary Person",
    "canary@example.invalid",
    "canary words",
    "canary-webhook-secret",
    "canary-api-token",
    "canary-signal-token",
    "canary-config-value",
    "canary-context",
    "canary-panic",
];

#[tokio::test]
async fn neither_log_nor_metrics_tell_what_people_write_or_secrets() {
    for (bot, scripts) in [("puppet", PUPPET), ("hostile", HOSTILE)] {
        let setup = Setup::new(bot).unwrap().config("key", "canary-config-value");
        let site = setup.with(json!({ "log": { "filter": "debug" } })).start().await.unwrap();
        talk(&site, scripts).await;
        site.wait_turns(scripts.len() + 3).await.unwrap();
        let (log, metrics) = (site.host().log(), site.metrics().await.unwrap());
        for canary in CANARIES {
            let leak = log.lines().find(|line| line.contains(canary));
            assert!(leak.is_none(), "{canary} in the log: {}", leak.unwrap_or_default());
            assert!(!metrics.text().contains(canary), "{canary} in the metrics");
        }
        // Bounded labels: no tenant, no channel, no conversation.
        for word in ["demo", "main", "chatbot::612"] {
            assert!(!metrics.text().contains(word), "{word} in the metrics");
        }
    }
}

const PUPPET: &[&str] = &[
    "say canary words",
    "name Canary Person",
    "note canary words",
    "later 50 say canary words",
    "request canary-context https://canary.example.invalid/canary-config-value",
    "many canary words",
    "media https://files.example/canary words",
    "forward-or-return",
];

const HOSTILE: &[&str] =
    &["panic canary-panic words", "reject canary-panic", "stderr canary-panic", "canary words"];

/// A scenario with everything that could be told: good turns, failing ones,
/// refused webhooks, refused calls, signals.
async fn talk(site: &Site, scripts: &[&str]) {
    let mut contact = Contact::new();
    contact.insert("name".to_owned(), json!("Canary Person"));
    contact.insert("email".to_owned(), json!("canary@example.invalid"));
    let webhook = site.webhook(MAIN);
    let conversation = Conversation::open(site.account(), &webhook, contact).unwrap();
    conversation.start().await.unwrap();
    site.account().refuse_next([503, 400]);
    for script in scripts {
        assert_eq!(conversation.message(script).await.unwrap().status, 200, "{script}");
    }
    let mut body = conversation.body("message", json!({ "body": "canary words" }));
    body["info"]["context"] = json!({ "canary-context": "canary words" });
    assert_eq!(conversation.post(body.to_string()).await.unwrap().status, 200);
    let broken = body.to_string().replace("\"packet\"", "\"canary words");
    assert_eq!(conversation.post(broken).await.unwrap().status, 400);
    let signal = json!({ "name": "canary words", "payload": "canary-context" });
    let door = site.signals(&conversation.cid);
    assert_eq!(door.send(Some("canary-context"), &signal).await.unwrap().0, 202);
    site.wait_metric("botyard_turns_total", &[], scripts.len() as f64 + 3.0).await.unwrap();
}

#[tokio::test]
async fn every_line_of_a_json_log_can_be_read_and_turns_name_their_conversation() {
    let site = Setup::new("hostile").unwrap().start().await.unwrap();
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    conversation.message("echo good").await.unwrap();
    conversation.message("panic bad").await.unwrap();
    let turns = site.wait_turns(3).await.unwrap();
    let log = site.host().log();
    for line in log.lines() {
        let fields: Value = serde_json::from_str(line).unwrap_or_else(|_| panic!("{line}"));
        for key in ["timestamp", "level", "message", "target"] {
            assert!(fields[key].is_string(), "no {key} in {line}");
            let written = format!("\"{key}\":");
            assert_eq!(line.matches(&written).count(), 1, "{key} twice in {line}");
        }
    }
    assert_eq!(turns.len(), 3);
    let ids: std::collections::BTreeSet<_> =
        turns.iter().map(|turn| turn["turn"].to_string()).collect();
    assert_eq!(ids.len(), 3, "each turn has an id of its own");
    for turn in &turns {
        let named = turn["conversation"].as_str().unwrap();
        assert!(named.contains(&conversation.cid), "{turn}");
    }
}

#[tokio::test]
async fn bots_in_javascript_and_python_answer_too() {
    for bot in ["echo-js", "echo-py"] {
        let site = Setup::new(bot).unwrap().start().await.unwrap();
        let conversation = site.open().unwrap();
        assert_eq!(conversation.start().await.unwrap().status, 200);
        for text in ["Grüße, 世界", "again"] {
            assert_eq!(conversation.message(text).await.unwrap().texts(), [text], "{bot}");
        }
        let loaded = site.lines().into_iter().find(|line| line["message"] == "bot loaded");
        assert_eq!(loaded.unwrap()["tier"], "interpreted", "{bot}");
    }
}

#[tokio::test]
async fn a_typed_number_answers_the_menu_that_was_asked_last() {
    let site = site().await;
    let conversation = begun(&site).await;
    conversation.message("menu Which? rye spelt").await.unwrap();
    assert_eq!(conversation.message("2").await.unwrap().texts(), ["clicked spelt"]);
    conversation.message("menu Which? rye spelt").await.unwrap();
    assert_eq!(conversation.message("Rye!").await.unwrap().texts(), ["clicked rye"]);
    // Something else is asked: the number is an answer to that.
    assert_eq!(conversation.message("say How many people?").await.unwrap().texts().len(), 1);
    assert_eq!(conversation.message("2").await.unwrap().texts(), ["you said: 2"]);
}

#[tokio::test]
async fn management_and_metrics_may_have_listeners_of_their_own() {
    let apart = json!({ "server": {
        "management-listen": "127.0.0.1:0", "metrics-listen": "127.0.0.1:0",
    }});
    let site = Setup::new("puppet").unwrap().with(apart).start().await.unwrap();
    let log = site.host().log();
    let at = |words: &str| {
        let line = log.lines().find(|line| line.contains(words)).expect("it says where");
        let line: Value = serde_json::from_str(line).unwrap();
        line["address"].as_str().or_else(|| line["fields"]["address"].as_str()).unwrap().to_owned()
    };
    let (management, metrics) = (at("the management API is at"), at("the metrics are at"));
    let own = site.host().url();
    for (base, path, expected) in [
        (own.to_owned(), "/v1/openapi.json", 404),
        (own.to_owned(), "/console/", 404),
        (own.to_owned(), "/metrics", 404),
        (own.to_owned(), "/readyz", 200),
        (format!("http://{management}"), "/v1/openapi.json", 200),
        (format!("http://{management}"), "/console/", 200),
        (format!("http://{management}"), "/metrics", 404),
        (format!("http://{management}"), "/webhooks/main", 404),
        (format!("http://{metrics}"), "/metrics", 200),
        (format!("http://{metrics}"), "/v1/openapi.json", 404),
        (format!("http://{metrics}"), "/healthz", 200),
        // What refuses there names a page of the catalogue, which is there too.
        (own.to_owned(), "/v1/channels/main/desk/conversations", 401),
        (own.to_owned(), "/v1/errors/unauthorized", 200),
        (format!("http://{management}"), "/v1/channels/main/desk/conversations", 404),
    ] {
        assert_eq!(get(&format!("{base}{path}")).await.0, expected, "{base}{path}");
    }
    let (_, description) = get(&format!("http://{management}/v1/openapi.json")).await;
    let description: Value = serde_json::from_str(&description).unwrap();
    let desk = &description["paths"]["/v1/channels/{channel}/desk/conversations"]["get"];
    assert_eq!(desk["servers"][0]["url"], own, "{desk}");
    assert_eq!(description["paths"]["/v1/tenants"]["get"]["servers"], Value::Null);
    site.stop().await.unwrap();
}
