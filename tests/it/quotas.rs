//! What tenants use, what they may, how long they keep it, and that nothing is left of
//! one that goes.

use std::fs;
use std::time::Duration;

use botyard_tests::client::desk::Desk;
use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::{Answer, Conversation};
use botyard_tests::host::plugin;
use botyard_tests::wait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::canaries::holder;
use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(40);
const DESK_TOKEN: &str = "a-token-for-the-desk-of-acme";

/// The row of a limit.
async fn limit(admin: &Management, name: &str) -> Value {
    let rows = admin.get("/tenants/acme/limits").await.unwrap();
    let row = rows.as_array().unwrap().iter().find(|row| row["name"] == name);
    row.unwrap_or_else(|| panic!("{name} in {rows}")).clone()
}

async fn set(who: &Management, name: &str, value: Value) -> StatusCode {
    let path = format!("/tenants/acme/limits/{name}");
    who.ask(Method::PUT, &path, Some(json!({"value": value}))).await.unwrap().status
}

#[tokio::test]
async fn events_beyond_a_limit_are_refused_by_its_name_and_come_again() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    assert_eq!(limit(&admin, "events-per-second").await["value"], Value::Null);
    assert_eq!(set(&admin, "events-per-second", json!(1)).await, StatusCode::OK);
    // The first one gets through; whoever comes at once with the next is refused.
    let mut refused = None;
    for _ in 0..20 {
        let answered = conversation.message("hi").await.unwrap();
        if answered.status == 429 {
            refused = Some(answered);
            break;
        }
    }
    let refused = refused.expect("20 messages need more than a second each");
    assert!(refused.body.contains("events-per-second"), "{}", refused.body);
    let after = refused.retry_after.expect("it says when to come again");
    assert!((1..=2).contains(&after), "{after}");
    tokio::time::sleep(Duration::from_secs(after)).await;
    assert_eq!(conversation.message("hi").await.unwrap().status, 200);
    // A tenant lowers, and only the operator raises.
    assert_eq!(set(&hosted.operator, "events-per-second", json!(5)).await, StatusCode::OK);
    let more = set(&admin, "events-per-second", json!(6)).await;
    assert_eq!(more, StatusCode::UNPROCESSABLE_ENTITY);
    assert_eq!(set(&admin, "native.cpu-ms", json!(1)).await, StatusCode::BAD_REQUEST);
    assert_eq!(set(&admin, "none", json!(1)).await, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_used_is_written_down_by_hour_and_bot() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    conversation.message("one").await.unwrap();
    let sum = |items: &[Value], name: &str| {
        items.iter().filter_map(|item| item[name].as_u64()).sum::<u64>()
    };
    // It may be written down between an event and its turn.
    let written = async || {
        let usage = admin.get("/tenants/acme/usage").await?;
        let items = usage["items"].as_array().cloned().unwrap_or_default();
        Ok((sum(&items, "events") >= 2 && sum(&items, "turns") >= 2).then_some(items))
    };
    let items = wait::until_asked("usage is written down", WITHIN, written).await.unwrap();
    assert_eq!((sum(&items, "events"), sum(&items, "turns")), (2, 2));
    assert!(sum(&items, "cpu_us") > 0);
    let peak = items.iter().filter_map(|item| item["memory_peak_bytes"].as_u64()).max();
    let page = 65_536;
    assert!(peak.is_some_and(|peak| peak >= page && peak.is_multiple_of(page)), "{items:?}");
    assert!(items.iter().all(|item| item["bot"] == "bot"), "{items:?}");
    assert_eq!(limit(&admin, "bots").await["used"], 1);
    assert_eq!(limit(&admin, "components").await["used"], 1);
    let storage = admin.get("/tenants/acme/storage").await.unwrap();
    let of = |part: &str| storage[part].as_u64().unwrap();
    let component = fs::metadata(plugin("tally").unwrap()).unwrap().len();
    assert_eq!(of("components"), component, "{storage}");
    let bot = json!({"bot": "bot", "components": component, "values": of("values")});
    assert_eq!(storage["bots"], json!([bot]));
    for part in ["conversations", "notes", "records", "audit"] {
        assert!(of(part) > 0, "{part}: {storage}");
    }
    let parts = ["conversations", "components", "values", "captures", "notes", "records", "audit"];
    assert_eq!(of("bytes"), parts.map(of).iter().sum::<u64>());
    // It goes on meanwhile: what is used is written down.
    let used = limit(&admin, "storage-bytes").await["used"].as_u64().unwrap();
    assert!((of("bytes")..of("bytes") + 100_000).contains(&used), "{used}: {storage}");
    assert_eq!(storage["limit"], limit(&admin, "storage-bytes").await["value"]);
    let later = u64::MAX / 2;
    let none = admin.get(&format!("/tenants/acme/usage?from_ms={later}")).await.unwrap();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn an_admin_says_how_long_things_are_kept_and_not_how_much_may_be_used() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let patch = async |who: &Management, settings: Value| {
        let body = json!({"settings": settings});
        who.ask(Method::PATCH, "/tenants/acme", Some(body)).await.unwrap()
    };
    let kept = json!({"retention": {"silent-days": 30, "turns-days": 7}});
    assert_eq!(patch(&admin, kept.clone()).await.status, StatusCode::OK);
    assert_eq!(admin.get("/tenants/acme").await.unwrap()["settings"], kept);
    let more = json!({"rate": {"turns-per-second": 1_000}});
    assert_eq!(patch(&admin, more.clone()).await.status, StatusCode::FORBIDDEN);
    assert_eq!(patch(&hosted.operator, more.clone()).await.status, StatusCode::OK);
    let wrong = json!({"rate": more["rate"], "retention": {"silent-days": 0}});
    let answered = patch(&admin, wrong).await;
    assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answered.body);
    assert!(answered.body.to_string().contains("silent-days"), "{}", answered.body);
}

#[tokio::test]
async fn a_component_for_which_there_is_no_room_is_refused() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    assert_eq!(set(&admin, "storage-bytes", json!(1_000)).await, StatusCode::OK);
    let wasm = fs::read(plugin("echo").unwrap()).unwrap();
    let answered = admin.upload("/tenants/acme/bots/bot/versions", wasm.clone()).await.unwrap();
    assert_eq!(answered.status, StatusCode::UNPROCESSABLE_ENTITY, "{}", answered.body);
    assert!(answered.body.to_string().contains("storage-bytes"), "{}", answered.body);
    assert_eq!(set(&admin, "storage-bytes", Value::Null).await, StatusCode::OK);
    let answered = admin.upload("/tenants/acme/bots/bot/versions", wasm).await.unwrap();
    assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.body);
}

/// Who tries versions takes of the processor, too.
#[tokio::test]
async fn trials_are_counted_apart_and_refused_when_they_take_too_much() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let deployment = admin.get("/tenants/acme/bots/bot/deployment").await.unwrap();
    let version = deployment["current"].as_str().unwrap();
    let path = format!("/tenants/acme/bots/bot/versions/{version}/try");
    let says = json!({"events": [{"name": "message", "payload": {"text": "hi"}}]});
    let tries = async || admin.ask(Method::POST, &path, Some(says.clone())).await.unwrap();
    for _ in 0..2 {
        let tried = tries().await;
        assert_eq!(tried.status, StatusCode::OK, "{}", tried.body);
        assert!(tried.body["turns"][0]["memory_bytes"].as_u64().unwrap() > 0, "{}", tried.body);
    }
    let written = async || {
        let usage = admin.get("/tenants/acme/usage").await?;
        let hours = usage["items"].as_array().cloned().unwrap_or_default();
        Ok(hours.into_iter().find(|hour| hour["trial_turns"].as_u64() >= Some(2)))
    };
    let used = wait::until_asked("trials are written down", WITHIN, written).await.unwrap();
    assert!(used["trial_cpu_us"].as_u64().unwrap() > 0, "{used}");
    assert_eq!((&used["turns"], &used["cpu_us"]), (&Value::Null, &Value::Null), "{used}");

    assert_eq!(set(&admin, "trial-cpu-ms-per-minute", json!(1)).await, StatusCode::OK);
    let mut refused = None;
    for _ in 0..3 {
        let tried = tries().await;
        if tried.status != StatusCode::OK {
            refused = Some(tried);
            break;
        }
    }
    let refused = refused.expect("the second one takes more than a millisecond a minute");
    assert_eq!((refused.status, refused.code()), (StatusCode::TOO_MANY_REQUESTS, "over-limit"));
    let said = refused.body.to_string();
    assert!(said.contains("trial-cpu-ms-per-minute") && said.contains("come again in"), "{said}");
    assert_eq!(set(&admin, "trial-cpu-ms-per-minute", Value::Null).await, StatusCode::OK);
}

/// What a person's words are answered as soon as they are refused with this status.
async fn until_refused(conversation: &Conversation, status: u16) -> Answer {
    let refused = async || {
        let answered = conversation.start().await?;
        Ok((answered.status == status).then_some(answered))
    };
    wait::until_asked("a refusal", WITHIN, refused).await.unwrap()
}

/// Events are refused by the same limit, and taken again when there is room.
#[tokio::test]
async fn events_for_which_there_is_no_room_are_refused_until_there_is() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    assert_eq!(set(&admin, "storage-bytes", json!(1_000)).await, StatusCode::OK);
    let used = limit(&admin, "storage-bytes").await["used"].as_u64().unwrap();
    let refused = conversation.message("hi").await.unwrap();
    assert_eq!((refused.status, refused.retry_after), (429, Some(60)), "{}", refused.body);
    for part in ["`storage-bytes` is 1000", " are used", "come again in 60 s", "`retention`"] {
        assert!(refused.body.contains(part), "{part}: {}", refused.body);
    }
    // A restart knows at once what is kept.
    let hosted = hosted.again(json!({})).await;
    let conversation = hosted.open("acme-web");
    let refused = until_refused(&conversation, 429).await;
    assert!(refused.body.contains("storage-bytes"), "{}", refused.body);
    let admin = Management { url: hosted.host.url().to_owned(), ..admin };
    assert!(limit(&admin, "storage-bytes").await["used"].as_u64().unwrap() >= used);
    assert_eq!(set(&admin, "storage-bytes", Value::Null).await, StatusCode::OK);
    assert_eq!(conversation.start().await.unwrap().status, 200);
}

#[tokio::test]
async fn nothing_is_left_of_a_tenant_that_goes() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let other = hosted.tenant("other", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    conversation.message("canary words").await.unwrap();
    let goes = async |who: &Management, name: &str| {
        who.deleted(&format!("/tenants/{name}")).await.unwrap().status
    };
    assert_eq!(goes(&admin, "acme").await, StatusCode::FORBIDDEN);
    assert_eq!(goes(&other, "acme").await, StatusCode::NOT_FOUND);
    assert_eq!(goes(&hosted.operator, "operator").await, StatusCode::CONFLICT);
    assert_eq!(goes(&hosted.operator, "acme").await, StatusCode::OK);
    assert_eq!(goes(&hosted.operator, "acme").await, StatusCode::NOT_FOUND);
    assert_eq!(conversation.message("still there?").await.unwrap().status, 404);
    let answered = admin.ask(Method::GET, "/whoami", None).await.unwrap();
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    let audit = hosted.operator.get("/tenants/operator/audit?limit=200").await.unwrap();
    assert!(audit.to_string().contains("acme"), "{audit}");
    // Whoever has its name later has nothing of it.
    let again = hosted.tenant("acme", "tally").await;
    let conversations = again.get("/tenants/acme/conversations").await.unwrap();
    assert_eq!(conversations["items"], json!([]));
    let bots = other.get("/tenants/other/bots").await.unwrap();
    assert_eq!(bots["items"][0]["name"], "bot");
    let Hosted { host, directory, .. } = hosted;
    host.stop().await.unwrap();
    assert_eq!(holder(directory.path(), b"canary words"), None);
    assert!(holder(directory.path(), b"acme-web").is_some(), "the search finds what is there");
}

#[tokio::test]
async fn a_full_disk_refuses_what_is_new_and_shows_what_is_there() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    admin.put("/tenants/acme/secrets/desk", json!({"value": DESK_TOKEN})).await.unwrap();
    let mut channel = hosted.channel();
    channel["settings"]["desk-token"] = json!({"secret": "desk"});
    admin.put("/tenants/acme/channels/acme-web", channel).await.unwrap();
    let begun = hosted.open("acme-web");
    begun.start().await.unwrap();
    let full = json!({"store": {"disk": {
        "soft-percent": 1, "hard-percent": 2, "back-percent": 0, "counted-bytes": 1_u64 << 60,
    }}});
    let hosted = hosted.again(full).await;
    let conversation = hosted.open("acme-web");
    let refused = until_refused(&conversation, 503).await;
    assert!(refused.body.contains("disk"), "{}", refused.body);
    assert_eq!(refused.retry_after, Some(60));
    // Nor are humans heard at the desk, who read it all the same.
    let url = format!("{}/v1/channels/acme-web/desk", hosted.host.url());
    let desk = Desk { url, token: DESK_TOKEN.to_owned() };
    let own = format!("/conversations/{}", begun.cid);
    for (step, body) in
        [("replies", json!({"text": "hello"})), ("take", json!({})), ("return", json!({}))]
    {
        let (status, text) = desk.post(&format!("{own}/{step}"), Some("k"), &body).await.unwrap();
        assert!(status == 503 && text.to_string().contains("disk"), "{step}: {status} {text}");
    }
    let (status, transcript) = desk.read(&format!("{own}/messages")).await.unwrap();
    assert_eq!(status, 200);
    assert!(!transcript.to_string().contains("hello"), "{transcript}");
    let operator = Management { url: hosted.host.url().to_owned(), ..hosted.operator.clone() };
    assert_eq!(operator.get("/status").await.unwrap()["store"]["disk"], "hard");
    let admin = Management { url: hosted.host.url().to_owned(), ..admin };
    let conversations = admin.get("/tenants/acme/conversations").await.unwrap();
    assert!(!conversations["items"].as_array().unwrap().is_empty());
}
