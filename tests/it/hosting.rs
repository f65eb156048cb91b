//! Tenants that come, upload and deploy while the host runs.

use std::fs;
use std::time::Duration;

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::{Host, plugin};
use botyard_tests::site::{HEADER, SECRET, TOKEN};
use botyard_twins::userlike::Contact;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;
use crate::turn_limits::sharing;

const WITHIN: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_tenant_comes_uploads_and_is_answered_without_a_restart() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);
    assert_eq!(conversation.message("one").await.unwrap().texts(), ["2 2 one"]);
    let bots = admin.get("/tenants/acme/bots").await.unwrap();
    assert_eq!(bots["items"][0]["name"], "bot");
    let channel = admin.get("/tenants/acme/channels/acme-web").await.unwrap();
    assert_eq!(channel["runs"], true);
    assert!(channel["webhook_url"].as_str().unwrap().ends_with("/webhooks/acme-web"));
    assert_eq!(channel["paste"][0]["value"], channel["webhook_url"]);
    let header = channel["paste"][1]["value"].as_str().unwrap();
    assert_eq!(header, "the value of `webhook-secret`, the secret `webhook`");
    let text = channel.to_string();
    assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
    let verified = admin.get("/tenants/acme/audit/verify").await.unwrap();
    assert!(verified["rows"].as_u64().unwrap() >= 7, "{verified}");

    // All of it is there after a restart, and the token of the first start is not shown
    // again.
    let Hosted { host, userlike, config, directory: _directory, .. } = hosted;
    drop(host);
    let host = Host::start(&config).await.unwrap();
    assert_eq!(host.management().token, None);
    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", host.url()),
        header: Some((HEADER.to_owned(), SECRET.to_owned())),
    };
    let again = Conversation::open(userlike.account(), &webhook, Contact::new()).unwrap();
    assert_eq!(again.start().await.unwrap().texts(), ["1 1 start"]);
}

#[tokio::test]
async fn nobody_is_told_which_tenants_there_are() {
    let hosted = Hosted::start().await;
    let acme = hosted.tenant("acme", "tally").await;
    let there = hosted.tenant("other", "tally").await;
    for tenant in ["acme", "nobody"] {
        let path = format!("/tenants/{tenant}/bots");
        let answered = there.ask(Method::GET, &path, None).await.unwrap();
        assert_eq!((answered.status, answered.code()), (StatusCode::NOT_FOUND, "not-found"));
    }
    let nobody = Management { token: None, ..acme.clone() };
    let answered = nobody.ask(Method::GET, "/tenants/acme", None).await.unwrap();
    assert_eq!((answered.status, answered.code()), (StatusCode::UNAUTHORIZED, "unauthorized"));
}

#[tokio::test]
async fn a_session_goes_on_with_the_version_that_it_began_with() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let old = hosted.open("acme-web");
    assert_eq!(old.start().await.unwrap().texts(), ["1 1 start"]);
    let path = "/tenants/acme/bots/bot/deployment";
    let digest = hosted.upload(&admin, "acme", "echo").await;
    // An upload changes no traffic.
    assert_eq!(hosted.open("acme-web").start().await.unwrap().texts(), ["1 1 start"]);
    let deploy = json!({"action": "deploy", "version": digest, "revision": 1});
    let deployed = admin.post(path, deploy.clone()).await.unwrap();
    assert_eq!(deployed["revision"], 2);
    let stale = admin.ask(Method::POST, path, Some(deploy)).await.unwrap();
    assert_eq!((stale.status, stale.code()), (StatusCode::CONFLICT, "stale"));
    assert_eq!(old.message("one").await.unwrap().texts(), ["2 2 one"]);
    let new = hosted.open("acme-web");
    assert_ne!(new.start().await.unwrap().texts(), ["1 1 start"]);
    // Rolled back, it is bad: its sessions go on with the version before.
    admin.post(path, json!({"action": "roll-back"})).await.unwrap();
    assert_eq!(new.message("two").await.unwrap().texts(), ["1 1 two"]);
}

#[tokio::test]
async fn what_waits_for_a_first_version_is_answered_when_it_comes() {
    let hosted = Hosted::start().await;
    let operator = &hosted.operator;
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    for (name, value) in [("token", TOKEN), ("webhook", SECRET)] {
        let path = format!("/tenants/acme/secrets/{name}");
        operator.put(&path, json!({"value": value})).await.unwrap();
    }
    operator.put("/tenants/acme/bots/bot", json!({})).await.unwrap();
    operator.put("/tenants/acme/channels/acme-web", hosted.channel()).await.unwrap();
    let conversation = hosted.open("acme-web");
    assert_eq!(conversation.start().await.unwrap().texts(), [""; 0]);
    let digest = hosted.upload(operator, "acme", "tally").await;
    let deploy = json!({"action": "deploy", "version": digest});
    operator.post("/tenants/acme/bots/bot/deployment", deploy).await.unwrap();
    let account = hosted.userlike.account();
    account.wait_delivered(&conversation.cid, 1, Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_nothing_changes() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let channel = |changes: Value| {
        let mut channel = hosted.channel();
        for (key, value) in changes.as_object().unwrap() {
            channel["settings"][key] = value.clone();
        }
        channel
    };
    let rows = [
        (Method::PUT, "/bots/Bad", json!({}), 422, "bad-name"),
        (Method::PUT, "/bots/b", json!({"settings": {"host": []}}), 422, "cannot-run"),
        (Method::PUT, "/bots/b", json!({"shared": "none"}), 409, "in-use"),
        (Method::PUT, "/channels/x", channel(json!({"bot": "none"})), 422, "cannot-run"),
        (Method::PUT, "/channels/x", channel(json!({"api-url": "no"})), 422, "cannot-run"),
        (Method::PUT, "/channels/x", json!({"setting": {}}), 400, "bad-request"),
        (Method::DELETE, "/bots/bot", Value::Null, 409, "in-use"),
        (Method::DELETE, "/secrets/token", Value::Null, 409, "in-use"),
        (Method::DELETE, "/secrets/none", Value::Null, 404, "not-found"),
        (
            Method::POST,
            "/bots/bot/deployment",
            json!({"action": "promote"}),
            409,
            "deployment-refused",
        ),
        (Method::POST, "/bots/bot/deployment", json!({"action": "jump"}), 400, "bad-request"),
        (Method::POST, "/tokens", json!({"scope": "operator"}), 400, "bad-request"),
        (Method::GET, "/bots/none/versions", Value::Null, 404, "not-found"),
    ];
    let before = admin.get("/tenants/acme/audit").await.unwrap();
    for (method, path, body, status, code) in rows {
        let body = Some(body).filter(|body| !body.is_null());
        let path = format!("/tenants/acme{path}");
        let answered = admin.ask(method.clone(), &path, body).await.unwrap();
        let got = (answered.status.as_u16(), answered.code());
        assert_eq!(got, (status, code), "{method} {path}: {}", answered.body);
        assert!(!answered.body["detail"].as_str().unwrap().is_empty());
    }
    let refused =
        admin.upload("/tenants/acme/bots/bot/versions", b"no wasm".to_vec()).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "component-refused"));
    assert_eq!(admin.get("/tenants/acme/audit").await.unwrap(), before);
}

#[tokio::test]
async fn versions_are_listed_page_by_page_without_what_may_be_long() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    hosted.upload(&admin, "acme", "echo").await;
    let digest = hosted.upload(&admin, "acme", "orders").await;
    // A bot whose name begins like the other's has its own.
    admin.put("/tenants/acme/bots/bot-2", json!({})).await.unwrap();
    let path = "/tenants/acme/bots/bot/versions";
    let (mut seen, mut after) = (Vec::new(), String::new());
    loop {
        let page = admin.get(&format!("{path}?limit=1{after}")).await.unwrap();
        seen.extend(page["items"].as_array().unwrap().clone());
        let Some(next) = page["after"].as_str() else { break };
        after = format!("&after={next}");
    }
    let digests: Vec<_> = seen.iter().map(|one| one["digest"].as_str().unwrap()).collect();
    assert!(digests.len() == 3 && digests.is_sorted(), "{digests:?}");
    let listed = seen.iter().find(|one| one["digest"] == digest).unwrap();
    assert!(listed["manifest"]["sdk"].is_string(), "{listed}");
    assert!(listed["manifest"].get("config").is_none(), "{listed}");
    let whole = admin.get(&format!("{path}/{digest}")).await.unwrap();
    assert!(whole["manifest"]["config"].is_object(), "{whole}");
    let none = admin.get("/tenants/acme/bots/bot-2/versions").await.unwrap();
    assert_eq!(none["items"], json!([]));
}

#[tokio::test]
async fn a_token_is_rotated_revoked_and_expires() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let made = admin.post("/tenants/acme/tokens", json!({"scope": "read"})).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let reader = admin.with(made["token"].as_str().unwrap());
    assert_eq!(reader.get("/whoami").await.unwrap()["scope"], "read");
    let forbidden = reader.ask(Method::PUT, "/tenants/acme/bots/b", Some(json!({}))).await.unwrap();
    assert_eq!((forbidden.status, forbidden.code()), (StatusCode::FORBIDDEN, "forbidden"));

    let path = format!("/tenants/acme/tokens/{id}/rotate");
    let rotated = reader.post(&path, json!({"overlap_ms": 60_000})).await.unwrap();
    let fresh = admin.with(rotated["token"].as_str().unwrap());
    for both in [&reader, &fresh] {
        both.get("/whoami").await.unwrap();
    }
    let rotated = fresh.post(&path, json!({})).await.unwrap();
    let newest = admin.with(rotated["token"].as_str().unwrap());
    for old in [&reader, &fresh] {
        let answered = old.ask(Method::GET, "/whoami", None).await.unwrap();
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    }
    admin.delete(&format!("/tenants/acme/tokens/{id}")).await.unwrap();
    let answered = newest.ask(Method::GET, "/whoami", None).await.unwrap();
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);

    let old = json!({"scope": "read", "expires_ms": 1});
    let old = admin.post("/tenants/acme/tokens", old).await.unwrap();
    let old = admin.with(old["token"].as_str().unwrap());
    let answered = old.ask(Method::GET, "/whoami", None).await.unwrap();
    assert_eq!((answered.status, answered.code()), (StatusCode::UNAUTHORIZED, "token-expired"));
}

#[tokio::test]
async fn nobody_gets_more_than_they_were_given() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let made = |grant: Value| {
        let admin = &admin;
        async move { admin.post("/tenants/acme/tokens", grant).await.unwrap() }
    };
    let full = made(json!({"scope": "admin", "texts": "full"})).await;
    let redacted = made(json!({"scope": "admin"})).await;
    let redacted = admin.with(redacted["token"].as_str().unwrap());
    let path = format!("/tenants/acme/tokens/{}/rotate", full["id"].as_str().unwrap());
    let refused = redacted.ask(Method::POST, &path, Some(json!({}))).await.unwrap();
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "forbidden"));

    // What people say is not shown to it, in no way.
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    conversation.message("canary words").await.unwrap();
    let key = conversation.cid.replace(':', "%3A");
    let turns = format!("/tenants/acme/channels/acme-web/conversations/{key}/turns");
    assert!(admin.get(&turns).await.unwrap().to_string().contains("canary words"));
    assert!(!redacted.get(&turns).await.unwrap().to_string().contains("canary"));
    // A turn says what was said, and when.
    for (reader, text) in [(&admin, "canary words"), (&redacted, "[12 characters]")] {
        let shown = reader.get(&turns).await.unwrap();
        let turn = shown["items"].as_array().and_then(|turns| turns.last()).unwrap();
        assert_eq!(turn["happened"]["name"], "message", "{turn}");
        assert_eq!(turn["happened"]["payload"]["text"], text, "{turn}");
        assert!(turn["received_ms"].as_u64() > Some(1_700_000_000_000), "{turn}");
    }
    let person = format!("/tenants/acme/persons?conversation={key}");
    let hidden = redacted.ask(Method::GET, &person, None).await.unwrap();
    assert_eq!((hidden.status, hidden.code()), (StatusCode::FORBIDDEN, "texts-hidden"));
    assert!(admin.get(&person).await.unwrap().to_string().contains("canary words"));

    // A token for one bot reaches nothing else, and no secret by way of its bot.
    let narrow = made(json!({"scope": "admin", "bot": "bot"})).await;
    let narrow = admin.with(narrow["token"].as_str().unwrap());
    narrow.get("/tenants/acme/bots/bot").await.unwrap();
    for path in ["/secrets", "/channels", "/tokens", "/conversations", "/bots/other"] {
        let path = format!("/tenants/acme{path}");
        let answered = narrow.ask(Method::GET, &path, None).await.unwrap();
        assert_eq!(answered.status, StatusCode::NOT_FOUND, "{path}");
    }
    let peeks = json!({"settings": {"config": {"k": {"secret": "token"}}}});
    let refused = narrow.ask(Method::PUT, "/tenants/acme/bots/bot", Some(peeks)).await.unwrap();
    assert_eq!((refused.status, refused.code()), (StatusCode::FORBIDDEN, "forbidden"));

    // Whoever only looks sees no settings; a secret is never taken openly.
    let reader = made(json!({"scope": "read"})).await;
    let reader = admin.with(reader["token"].as_str().unwrap());
    let channel = reader.get("/tenants/acme/channels/acme-web").await.unwrap();
    assert_eq!(channel["settings"], Value::Null);
    let mut open = hosted.channel();
    open["settings"]["signal-token"] = json!("an-open-signal-token");
    let refused = admin.ask(Method::PUT, "/tenants/acme/channels/x", Some(open)).await.unwrap();
    assert_eq!((refused.status, refused.code()), (StatusCode::UNPROCESSABLE_ENTITY, "cannot-run"));

    // The operator's own tokens are managed in the same way.
    let own = hosted.operator.get("/tenants/operator/tokens").await.unwrap();
    assert_eq!(own["items"].as_array().unwrap().len(), 1, "{own}");
}

#[tokio::test]
async fn a_bot_of_the_operators_is_run_by_others_with_settings_of_their_own() {
    let hosted = Hosted::start().await;
    let (operator, acme) = (&hosted.operator, hosted.tenant("acme", "echo").await);
    let shares = json!({"shared": "counts"});
    let refused = acme.ask(Method::PUT, "/tenants/acme/bots/mine", Some(shares.clone()));
    assert_eq!(refused.await.unwrap().code(), "in-use", "nothing is offered yet");
    operator.put("/tenants/operator/bots/counts", json!({"offered": true})).await.unwrap();
    let wasm = fs::read(plugin("tally").unwrap()).unwrap();
    let path = "/tenants/operator/bots/counts/versions";
    let digest = operator.upload(path, wasm).await.unwrap().body["digest"].clone();
    acme.put("/tenants/acme/bots/mine", shares).await.unwrap();
    let mut channel = hosted.channel();
    channel["settings"]["bot"] = json!("mine");
    acme.put("/tenants/acme/channels/acme-web", channel).await.unwrap();
    let waits = hosted.open("acme-web");
    assert_eq!(waits.start().await.unwrap().texts(), [""; 0]);
    let deploy = json!({"action": "deploy", "version": digest});
    operator.post("/tenants/operator/bots/counts/deployment", deploy.clone()).await.unwrap();
    let within = Duration::from_secs(10);
    hosted.userlike.account().wait_delivered(&waits.cid, 1, within).await.unwrap();
    let begun = hosted.open("acme-web");
    assert_eq!(begun.start().await.unwrap().texts(), ["1 1 start"]);
    // It is the operator's to deploy, and to keep as long as somebody runs it.
    let path = "/tenants/acme/bots/mine/deployment";
    assert_eq!(acme.ask(Method::POST, path, Some(deploy)).await.unwrap().code(), "in-use");
    let gone = operator.ask(Method::DELETE, "/tenants/operator/bots/counts", None).await.unwrap();
    assert_eq!(gone.code(), "in-use", "{}", gone.body);
    // Setting something else of it ends neither.
    acme.put("/tenants/acme/bots/mine", json!({"settings": {"overlap": "latest"}})).await.unwrap();
    assert_eq!(acme.get("/tenants/acme/bots/mine").await.unwrap()["shared"], "counts");
    assert_eq!(begun.message("one").await.unwrap().texts(), ["2 2 one"]);
}

#[tokio::test]
async fn a_tenant_has_no_more_than_its_limits_allow() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let limit = |name: &str, value: Value| {
        (format!("/tenants/acme/limits/{name}"), json!({"value": value}))
    };
    let value = async |name: &str| {
        let all = admin.get("/tenants/acme/limits").await.unwrap();
        let rows = all.as_array().unwrap().clone();
        rows.into_iter().find(|row| row["name"] == name).unwrap()["value"].clone()
    };
    assert_eq!(value("bots").await, 100);
    // A tenant lowers its own limits; only the operator raises them.
    let (path, two) = limit("bots", json!(2));
    admin.put(&path, two).await.unwrap();
    let refused = admin.ask(Method::PUT, &path, Some(json!({"value": 101}))).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "too-many"));
    admin.put("/tenants/acme/bots/second", json!({})).await.unwrap();
    let third = admin.ask(Method::PUT, "/tenants/acme/bots/third", Some(json!({}))).await.unwrap();
    assert_eq!((third.status.as_u16(), third.code()), (422, "too-many"));
    assert!(third.body["detail"].as_str().unwrap().contains("`bots` is 2"), "{}", third.body);
    // What is there already can be set anew.
    admin.put("/tenants/acme/bots/second", json!({"settings": {}})).await.unwrap();

    // Each kind of object is counted.
    let relay = json!({"settings": {
        "vendor": "instabot", "base-url": "https://external.example", "bot-id": 1,
        "api-key": {"secret": "token"},
    }});
    let rows = [
        ("channels", Method::PUT, "/channels/x", hosted.channel()),
        ("relays", Method::PUT, "/relays/x", relay),
        ("secrets", Method::PUT, "/secrets/x", json!({"value": "v"})),
        ("tokens", Method::POST, "/tokens", json!({"scope": "read"})),
    ];
    for (name, method, path, body) in rows {
        let (limit, none) = limit(name, json!(0));
        admin.put(&limit, none).await.unwrap();
        let path = format!("/tenants/acme{path}");
        let refused = admin.ask(method.clone(), &path, Some(body.clone())).await.unwrap();
        assert_eq!((refused.status.as_u16(), refused.code()), (422, "too-many"), "{name}");
        hosted.operator.put(&limit, json!({"value": 10})).await.unwrap();
        admin.put(&limit, json!({"value": null})).await.unwrap();
        let taken = admin.ask(method, &path, Some(body)).await.unwrap();
        assert!(taken.status.is_success(), "{name}: {}", taken.body);
    }
    let (limit, none) = limit("components", json!(0));
    admin.put(&limit, none).await.unwrap();
    let wasm = fs::read(plugin("echo").unwrap()).unwrap();
    let refused = admin.upload("/tenants/acme/bots/bot/versions", wasm).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "too-many"));
}

#[tokio::test]
async fn a_version_that_does_worse_is_rolled_back_by_itself() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let path = "/tenants/acme/bots/bot/deployment";
    let good = admin.get(path).await.unwrap()["current"].clone();
    hosted.open("acme-web").start().await.unwrap();
    let bad = hosted.upload(&admin, "acme", "hostile").await;
    admin.post(path, json!({"action": "deploy", "version": bad})).await.unwrap();
    for _ in 0..20 {
        let conversation = hosted.open("acme-web");
        conversation.start().await.unwrap();
        for _ in 0..2 {
            // It answers nothing, as its bot breaks down.
            conversation.message("panic now").await.unwrap();
        }
    }
    let back = async || {
        let now = admin.get(path).await?;
        Ok((now["current"] == good).then_some(now))
    };
    let within = Duration::from_secs(20);
    let now = botyard_tests::wait::until_asked("the version before", within, back).await.unwrap();
    assert_eq!(now["withdrawn"], json!([bad]));
    let audit = admin.get("/tenants/acme/audit?limit=200").await.unwrap();
    let last = audit["items"].as_array().unwrap().last().unwrap();
    let actor = last["actor"].as_str().unwrap();
    assert!(actor.starts_with("the host: version"), "{actor}");
    assert!(actor.contains("over 3 times as often"), "{actor}");
    assert_eq!(hosted.open("acme-web").start().await.unwrap().texts(), ["1 1 start"]);
}

#[tokio::test]
async fn a_version_that_does_worse_for_tenants_that_share_it_is_rolled_back_for_all_of_them() {
    let (hosted, [acme, other]) = sharing("tally", &[]).await;
    let path = "/tenants/operator/bots/common";
    let good = hosted.operator.get(&format!("{path}/deployment")).await.unwrap()["current"].clone();
    let wasm = fs::read(plugin("hostile").unwrap()).unwrap();
    let bad = hosted.operator.upload(&format!("{path}/versions"), wasm).await.unwrap();
    let deploy = json!({"action": "deploy", "version": bad.body["digest"]});
    hosted.operator.post(&format!("{path}/deployment"), deploy).await.unwrap();
    let break_down = async |channel: &str, conversations: usize| {
        for _ in 0..conversations {
            let conversation = hosted.open(channel);
            conversation.start().await.unwrap();
            for _ in 0..2 {
                conversation.message("panic now").await.unwrap();
            }
        }
    };
    let answers = async || {
        hosted.operator.get(&format!("{path}/deployment")).await.unwrap()["current"].clone()
    };
    // Whatever one of them does with it.
    break_down("acme-web", 20).await;
    assert_eq!(answers().await, bad.body["digest"]);
    break_down("other-web", 4).await;
    let within = Duration::from_secs(20);
    let back = async || Ok((answers().await == good).then_some(()));
    botyard_tests::wait::until_asked("the version before", within, back).await.unwrap();
    for (tenant, admin) in [("acme", &acme), ("other", &other)] {
        let bot = admin.get(&format!("/tenants/{tenant}/bots/mine")).await.unwrap();
        assert_eq!(bot["shared"], "common");
        let conversation = hosted.open(&format!("{tenant}-web"));
        assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);
    }
}

#[tokio::test]
async fn a_tenants_own_systems_speak_with_a_token() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let other = hosted.tenant("other", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    let key = conversation.cid.replace(':', "%3A");
    let path = format!("/tenants/acme/channels/acme-web/conversations/{key}/signals");
    let signal = json!({"name": "paid", "payload": {"order": 7}});
    // Without a key nobody could tell it from the same said twice.
    let answered = admin.ask(Method::POST, &path, Some(signal.clone())).await.unwrap();
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    for _ in 0..2 {
        let answered = admin.post_once(&path, "order-7", signal.clone()).await.unwrap();
        assert_eq!(answered.status, StatusCode::ACCEPTED, "{}", answered.body);
    }
    let said =
        hosted.userlike.account().wait_delivered(&conversation.cid, 1, WITHIN).await.unwrap();
    let texts: Vec<_> = said.iter().filter_map(|packet| packet.text()).collect();
    assert_eq!(texts, ["2 2 paid"], "once, however often it is sent");
    let answered = other.post_once(&path, "mine", signal.clone()).await.unwrap();
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    let nobody = path.replace(&key, "nobody");
    let answered = admin.post_once(&nobody, "k", signal).await.unwrap();
    assert_eq!(answered.status, StatusCode::NOT_FOUND);
    let answered = admin.post_once(&path, "k2", json!({"name": ""})).await.unwrap();
    assert_eq!(answered.status, StatusCode::BAD_REQUEST);
    let wit = admin.get("/wit").await.unwrap();
    assert!(wit.to_string().contains("package botyard:bot"), "{wit}");
}
