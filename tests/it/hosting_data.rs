//! What a host keeps for tenants: who is told it, how it is handed out, and how it goes.

use std::fs;
use std::time::Duration;

use botyard_tests::client::management::Management;
use botyard_tests::host::plugin;
use botyard_tests::site::{MAIN, Setup};
use botyard_tests::wait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(20);
const SWORDFISH: &str = "swordfish-and-tuna";

fn escaped(key: &str) -> String {
    key.replace(':', "%3A")
}

#[tokio::test]
async fn a_secret_stays_where_it_was_put() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "hostile").await;
    admin.put("/tenants/acme/secrets/shop", json!({"value": SWORDFISH})).await.unwrap();
    let own = json!({"settings": {
        "config": {"greeting": {"secret": "shop"}},
        "hosts": ["shop.example"],
    }});
    admin.put("/tenants/acme/bots/bot", own.clone()).await.unwrap();

    // A token for one bot keeps it where it is named, and moves it nowhere else.
    let narrow = json!({"scope": "admin", "bot": "bot"});
    let narrow = admin.post("/tenants/acme/tokens", narrow).await.unwrap();
    let narrow = admin.with(narrow["token"].as_str().unwrap());
    narrow.put("/tenants/acme/bots/bot", own).await.unwrap();
    let shop = json!({"secret": "shop"});
    for settings in [
        json!({"config": {"other": shop}}),
        json!({"http-headers": {"mine.example": {"x-key": shop}}, "hosts": ["mine.example"]}),
    ] {
        let body = Some(json!({"settings": settings}));
        let refused = narrow.ask(Method::PUT, "/tenants/acme/bots/bot", body).await.unwrap();
        assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "forbidden"));
    }

    // Whoever tries a version of their own is told a stand-in.
    let deploy = admin.post("/tenants/acme/tokens", json!({"scope": "deploy"})).await.unwrap();
    let deploy = admin.with(deploy["token"].as_str().unwrap());
    let versions = deploy.get("/tenants/acme/bots/bot/versions").await.unwrap();
    let digest = versions["items"][0]["digest"].as_str().unwrap();
    let asks = json!({"name": "message", "payload": {"text": "config"}});
    // The first one comes with the start, which this bot passes over.
    let asks = json!({"events": [asks, asks]});
    let path = format!("/tenants/acme/bots/bot/versions/{digest}/try");
    let tried = deploy.post(&path, asks).await.unwrap().to_string();
    assert!(tried.contains("greeting=secret shop"), "{tried}");
    assert!(!tried.contains(SWORDFISH), "{tried}");

    // Nor is it in what a run says of itself, also where a person knows it.
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    conversation.message(&format!("panic at {SWORDFISH}, my words")).await.unwrap();
    let key = escaped(&conversation.cid);
    let turns = format!("/tenants/acme/channels/acme-web/conversations/{key}/turns");
    let shown = admin.get(&turns).await.unwrap().to_string();
    assert!(shown.contains("at [secret], my words"), "{shown}");
    assert!(!shown.contains(SWORDFISH), "{shown}");
    // And whoever may read no texts is told none of it.
    let hidden = deploy.get(&turns).await.unwrap().to_string();
    assert!(hidden.contains("\"blame\":\"bot\"") && hidden.contains(" characters]"), "{hidden}");
    assert!(!hidden.contains("my words"), "{hidden}");
}

#[tokio::test]
async fn all_that_a_person_said_is_handed_out_and_erased() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "hostile").await;
    // It answers with numbers, and repeats nothing.
    let heard = hosted.open("acme-web");
    heard.start().await.unwrap();
    heard.message("random first-words").await.unwrap();
    // Nobody has answered this yet.
    admin.put("/tenants/acme/bots/late", json!({})).await.unwrap();
    let mut channel = hosted.channel();
    channel["settings"]["bot"] = json!("late");
    admin.put("/tenants/acme/channels/acme-late", channel).await.unwrap();
    let waits = hosted.open("acme-late");
    waits.start().await.unwrap();
    waits.message("second-words").await.unwrap();
    for (conversation, words) in [(&heard, "first-words"), (&waits, "second-words")] {
        let person = format!("/tenants/acme/persons?conversation={}", escaped(&conversation.cid));
        let export = admin.get(&person).await.unwrap();
        assert!(export.to_string().contains(words), "{words}: {export:#}");
    }
    let person = format!("/tenants/acme/persons?conversation={}", escaped(&heard.cid));
    let export = admin.get(&person).await.unwrap();
    assert!(export["conversations"][0]["state"]["facts"].is_object(), "{export:#}");
    let audit = admin.get("/tenants/acme/audit?limit=200").await.unwrap();
    let rows = audit["items"].as_array().unwrap().clone();
    let exports = rows.iter().filter(|row| row["action"] == "export").count();
    assert_eq!(exports, 3, "each leaves its row");

    let captures = hosted.directory.path().join("captures");
    fs::create_dir_all(&captures).unwrap();
    let captured = ["acme-web", "acme-late"].map(|name| captures.join(format!("{name}.jsonl")));
    captured.iter().for_each(|file| fs::write(file, "sealed\n").unwrap());

    let gone = admin.delete(&person).await.unwrap();
    assert_eq!(gone["result"]["conversations"], 1);
    assert_eq!(admin.get(&person).await.unwrap()["conversations"], json!([]));
    let left = captured.map(|file| file.exists());
    assert_eq!(left, [false, true], "what was captured of the channel goes, too");
}

#[tokio::test]
async fn a_component_that_was_lost_is_uploaded_again() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let blobs = hosted.directory.path().join("blobs");
    let path = "/tenants/acme/bots/bot/versions";
    let digest = admin.get(path).await.unwrap()["items"][0]["digest"].clone();
    let digest = digest.as_str().unwrap();
    let file = blobs.join(&digest[..2]).join(&digest[2..]);
    fs::remove_file(&file).unwrap();
    let wasm = fs::read(plugin("tally").unwrap()).unwrap();
    let again = admin.upload(path, wasm).await.unwrap();
    assert_eq!(again.status, StatusCode::OK, "{}", again.body);
    assert!(file.exists());
}

#[tokio::test]
async fn a_version_whose_component_was_lost_is_not_tried_either() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let digest = hosted.upload(&admin, "acme", "echo").await;
    let hosted = hosted.again(json!({})).await;
    let admin = Management { url: hosted.host.url().to_owned(), ..admin };
    let directory = hosted.directory.path();
    fs::remove_file(directory.join("blobs").join(&digest[..2]).join(&digest[2..])).unwrap();
    for file in fs::read_dir(directory.join("artefacts")).unwrap() {
        let file = file.unwrap();
        if file.file_name().to_string_lossy().starts_with(&digest) {
            fs::remove_file(file.path()).unwrap();
        }
    }
    let path = "/tenants/acme/bots/bot/deployment";
    let before = admin.get(path).await.unwrap();
    let step = json!({"action": "start-canary", "version": digest, "percent": 10});
    let refused = admin.ask(Method::POST, path, Some(step)).await.unwrap();
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "in-use"));
    let said = refused.body["detail"].as_str().unwrap();
    assert!(said.contains(&digest) && said.contains("upload it again"), "{said}");
    assert_eq!(admin.get(path).await.unwrap(), before);
}

/// A component has no content type of its own with most clients.
#[tokio::test]
async fn a_large_component_may_come_with_a_key_and_under_any_type() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let mut wasm = fs::read(plugin("echo").unwrap()).unwrap();
    // A section that nobody reads, 2^21 - 1 bytes long: 3 bytes of seven bits each.
    let mut section = vec![0; (1 << 21) - 1];
    section[..5].copy_from_slice(b"\x04more");
    wasm.extend([0, 0xff, 0xff, 0x7f]);
    wasm.extend(section);
    let url = format!("{}/v1/tenants/acme/bots/bot/versions", hosted.host.url());
    for (kind, expected) in [("application/x-www-form-urlencoded", 201), ("", 200)] {
        let client = botyard_tests::client::userlike::client().unwrap();
        let mut request = client.post(&url).header("idempotency-key", "k").body(wasm.clone());
        if !kind.is_empty() {
            request = request.header("content-type", kind);
        }
        let answer = request.bearer_auth(admin.token.as_ref().unwrap()).send().await.unwrap();
        let status = answer.status().as_u16();
        assert_eq!(status, expected, "{kind}: {}", answer.text().await.unwrap());
    }
}

#[tokio::test]
async fn versions_go_when_nothing_runs_them_and_with_their_bot() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let path = "/tenants/acme/bots/bot/versions";
    let first = admin.get(path).await.unwrap()["items"][0]["digest"].clone();
    let first = first.as_str().unwrap();
    let second = hosted.upload(&admin, "acme", "echo").await;
    let delete = async |digest: &str| {
        let path = format!("{path}/{digest}");
        admin.ask(Method::DELETE, &path, None).await.unwrap()
    };
    assert_eq!(delete(&second).await.status, StatusCode::NO_CONTENT, "it has never answered");
    assert_eq!(delete(&second).await.code(), "not-found");
    assert_eq!(delete(first).await.code(), "in-use", "it answers");
    hosted.upload(&admin, "acme", "echo").await;
    let step = async |body: Value| {
        admin.post("/tenants/acme/bots/bot/deployment", body).await.unwrap();
    };
    step(json!({"action": "deploy", "version": second})).await;
    assert_eq!(delete(first).await.code(), "in-use", "sessions go on with it");
    step(json!({"action": "withdraw", "version": first})).await;
    assert_eq!(delete(first).await.status, StatusCode::NO_CONTENT);

    admin.delete("/tenants/acme/channels/acme-web").await.unwrap();
    admin.delete("/tenants/acme/bots/bot").await.unwrap();
    // A later one of its name begins with nothing.
    admin.put("/tenants/acme/bots/bot", json!({})).await.unwrap();
    assert_eq!(admin.get(path).await.unwrap()["items"], json!([]));
    assert_eq!(admin.get("/tenants/acme/bots/bot").await.unwrap()["version"], Value::Null);
}

#[tokio::test]
async fn changes_of_parts_at_once_lose_none() {
    let hosted = Hosted::start().await;
    let operator = &hosted.operator;
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    for round in 0..20 {
        let (label, turns) = (format!("label {round}"), 100 + round);
        let settings = json!({"settings": {"rate": {"turns-per-second": turns}}});
        let (one, other) = tokio::join!(
            operator.ask(Method::PATCH, "/tenants/acme", Some(json!({"label": label}))),
            operator.ask(Method::PATCH, "/tenants/acme", Some(settings.clone())),
        );
        assert_eq!((one.unwrap().status, other.unwrap().status), (StatusCode::OK, StatusCode::OK));
        let now = operator.get("/tenants/acme").await.unwrap();
        assert_eq!((&now["label"], &now["settings"]), (&json!(label), &settings["settings"]));
    }
    // Whoever says what they have seen overwrites nothing else.
    let bot = "/tenants/acme/bots/bot";
    let set = |overlap: &str| json!({"overlap": overlap});
    operator.put(bot, json!({"settings": set("latest")})).await.unwrap();
    let stale = json!({"settings": set("serial"), "seen": set("coalesce")});
    let refused = operator.ask(Method::PUT, bot, Some(stale)).await.unwrap();
    assert_eq!((refused.status, refused.code()), (StatusCode::CONFLICT, "stale"));
    let seen = json!({"settings": set("serial"), "seen": set("latest")});
    operator.put(bot, seen).await.unwrap();
}

#[tokio::test]
async fn an_audit_that_was_cut_shows_by_its_last_row() {
    let hosted = Hosted::start().await;
    let operator = &hosted.operator;
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    let path = "/tenants/acme/audit/verify";
    let before = operator.get(path).await.unwrap();
    let head = before["head"].as_str().unwrap().to_owned();
    operator.put("/tenants/acme/bots/bot", json!({})).await.unwrap();
    let expecting = |head: &str| format!("{path}?expect={}", escaped(head));
    operator.get(&expecting(&head)).await.unwrap();
    let (seq, hash) = head.split_once(':').unwrap();
    let missing = format!("{}:{hash}", seq.parse::<u64>().unwrap() + 7);
    let other = format!("{seq}:{}", "0".repeat(64));
    for (head, code) in
        [(&*missing, "audit-differs"), (&other, "audit-differs"), ("x", "bad-request")]
    {
        let answered = operator.ask(Method::GET, &expecting(head), None).await.unwrap();
        assert_eq!(answered.code(), code, "{head}");
    }
}

#[tokio::test]
async fn a_letter_is_sent_again_once_that_is_durable() {
    let settings = json!({ "inline": false, "age-max-ms": 1_000 });
    let setup = Setup::new("puppet").unwrap().channel(MAIN, settings).vendor_down();
    let mut site = setup.start().await.unwrap();
    let token = site.host().management().token;
    let conversation = site.open().unwrap();
    conversation.start().await.unwrap();
    let operator = site.host().management();
    let list = async || {
        let list = operator.get("/tenants/demo/dead-letters").await?;
        Ok(list["items"].as_array().filter(|letters| !letters.is_empty()).cloned())
    };
    let letters = wait::until_asked("a dead letter", WITHIN, list).await.unwrap();
    let part = letters[0]["part"].as_str().unwrap();
    let patient = json!({ "channels": { MAIN: { "age-max-ms": 60_000 } } });
    let patient = json!({ "tenants": { "demo": patient } });
    assert!(site.restart_with(patient).await.unwrap().success());
    site.userlike.open().unwrap();
    let operator = Management { token, ..site.host().management() };
    let path = format!("/tenants/demo/dead-letters/{part}/redrive");
    let again = operator.ask(Method::POST, &path, None).await.unwrap();
    assert_eq!((again.status, &again.body["part"]), (StatusCode::OK, &json!(part)));
    let gone = operator.ask(Method::POST, &path, None).await.unwrap();
    assert_eq!(gone.status, StatusCode::NOT_FOUND, "it is no letter any more");
    let audit = operator.get("/tenants/demo/audit?limit=200").await.unwrap();
    let rows = audit["items"].as_array().unwrap();
    let said = |row: &&Value| row["action"] == "redrive" && row["name"] == part;
    assert_eq!(rows.iter().filter(said).count(), 1, "{audit}");
}

#[tokio::test]
async fn a_browser_runs_nothing_of_what_the_host_answers() {
    let hosted = Hosted::start().await;
    let client = botyard_tests::client::userlike::client().unwrap();
    for path in ["/healthz", "/webhooks/none", "/v1/errors", "/v1/whoami"] {
        let url = format!("{}{path}", hosted.host.url());
        let answer = client.get(url).send().await.unwrap();
        let header = |name: &str| answer.headers().get(name).map(|value| value.to_str().unwrap());
        assert_eq!(header("x-content-type-options"), Some("nosniff"), "{path}");
        let policy = header("content-security-policy").unwrap();
        assert!(policy.starts_with("default-src 'none'"), "{path}: {policy}");
    }
}

/// What waited for long is told as it comes, and a token that gets another secret ends it.
#[tokio::test]
async fn live_logs_tell_what_comes_until_the_secret_is_another() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let made = admin.post("/tenants/acme/tokens", json!({"scope": "read"})).await.unwrap();
    let (id, token) = (made["id"].as_str().unwrap(), made["token"].as_str().unwrap());
    hosted.open("acme-web").start().await.unwrap();
    let client = botyard_tests::client::userlike::client().unwrap();
    let url = format!("{}/v1/tenants/acme/bots/bot/logs/live", hosted.host.url());
    let followed = client.get(url).bearer_auth(token).send();
    let mut followed = followed.await.unwrap().error_for_status().unwrap();
    let told = hosted.open("acme-web");
    told.start().await.unwrap();
    let mut heard = String::new();
    while !heard.contains(&told.cid) {
        let piece = tokio::time::timeout(WITHIN, followed.chunk()).await.expect("it is told");
        heard.push_str(&String::from_utf8_lossy(&piece.unwrap().expect("it goes on")));
    }
    assert_eq!(heard.matches("event: turn").count(), 1, "what was there is not told: {heard}");
    admin.post(&format!("/tenants/acme/tokens/{id}/rotate"), json!({})).await.unwrap();
    let ended = async { while followed.chunk().await.unwrap().is_some() {} };
    tokio::time::timeout(WITHIN, ended).await.expect("it ends");
}
