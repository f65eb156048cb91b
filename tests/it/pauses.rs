//! Bots and channels that are paused by their tenant, over the API and by commands.

use std::time::Duration;

use botyard_tests::client::management::Management;
use botyard_tests::host::operate;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(20);
const BOT: &str = "/tenants/acme/bots/bot";
const CHANNEL: &str = "/tenants/acme/channels/acme-web";

async fn token(admin: &Management, wish: Value) -> Management {
    let made = admin.post("/tenants/acme/tokens", wish).await.unwrap();
    admin.with(made["token"].as_str().unwrap())
}

/// The rows of the audit that tell of pauses.
async fn rows(admin: &Management) -> Vec<String> {
    let audit = admin.get("/tenants/acme/audit?limit=200").await.unwrap();
    let rows = audit["items"].as_array().unwrap().iter().filter(|row| row["kind"] == "pause");
    let told = |row: &Value| {
        format!("{} {}", row["action"].as_str().unwrap(), row["name"].as_str().unwrap())
    };
    rows.map(told).collect()
}

#[tokio::test]
async fn what_its_tenant_pauses_waits_until_it_is_resumed() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);
    let mut expected = Vec::new();
    for (number, path) in [BOT, CHANNEL].into_iter().enumerate() {
        assert_eq!(admin.get(path).await.unwrap().get("paused"), None);
        let (pause, resume) = (format!("{path}/pause"), format!("{path}/resume"));
        let paused = admin.post(&pause, json!({"reason": "wrong prices"})).await.unwrap();
        let since = paused["paused"]["since_ms"].as_u64().unwrap();
        assert_eq!(paused["paused"]["reason"], "wrong prices");
        assert!(paused["paused"]["by"].as_str().unwrap().starts_with("token "), "{paused}");
        assert_eq!(admin.get(path).await.unwrap()["paused"], paused["paused"]);
        // The same again changes nothing, and neither does no reason at all.
        admin.post(&pause, json!({"reason": "wrong prices"})).await.unwrap();
        let same = admin.ask(Method::POST, &pause, None).await.unwrap();
        assert_eq!((same.status, &same.body["paused"]), (StatusCode::OK, &paused["paused"]));
        // Another reason is told, of the same pause.
        let other = admin.post(&pause, json!({"reason": "still"})).await.unwrap();
        assert_eq!(other["paused"]["since_ms"], since);
        assert_eq!(other["paused"]["reason"], "still");

        let said = format!("say {number}");
        assert_eq!(conversation.message(&said).await.unwrap().texts(), [""; 0]);
        let goes_on = admin.post(&resume, Value::Null).await.unwrap();
        assert_eq!(goes_on.get("paused"), None, "{goes_on}");
        let account = hosted.userlike.account();
        account.wait_delivered(&conversation.cid, number + 1, WITHIN).await.unwrap();
        let again = admin.ask(Method::POST, &resume, None).await.unwrap();
        assert_eq!(again.status, StatusCode::OK, "one that is not paused stays as it is");
        let name = if path == BOT { "bot/bot" } else { "channel/acme-web" };
        expected.extend(["put", "put", "delete"].map(|action| format!("{action} {name}")));
    }
    assert_eq!(rows(&admin).await, expected);
}

#[tokio::test]
async fn who_may_pause_and_what_is_refused() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let reader = token(&admin, json!({"scope": "read"})).await;
    let deployer = token(&admin, json!({"scope": "deploy"})).await;
    let narrow = token(&admin, json!({"scope": "deploy", "bot": "bot"})).await;
    let status = async |who: &Management, path: &str, body: Option<Value>| {
        who.ask(Method::POST, path, body).await.unwrap().status.as_u16()
    };
    for step in ["pause", "resume"] {
        let (bot, channel) = (format!("{BOT}/{step}"), format!("{CHANNEL}/{step}"));
        for path in [&bot, &channel] {
            assert_eq!(status(&reader, path, None).await, 403, "{path}");
            assert_eq!(status(&deployer, path, None).await, 200, "{path}");
        }
        assert_eq!(status(&narrow, &bot, None).await, 200);
        assert_eq!(status(&narrow, &channel, None).await, 404, "a token for one bot");
        for kind in ["bots", "channels"] {
            let nobody = format!("/tenants/acme/{kind}/none/{step}");
            assert_eq!(status(&admin, &nobody, None).await, 404, "{nobody}");
        }
    }
    let before = rows(&admin).await;
    let pause = format!("{BOT}/pause");
    for (body, expected) in [
        (json!({"reason": "x".repeat(501)}), 422),
        (json!({"reason": 7}), 400),
        (json!({"why": "it shouts"}), 400),
        (json!("it shouts"), 400),
    ] {
        assert_eq!(status(&admin, &pause, Some(body.clone())).await, expected, "{body}");
    }
    assert_eq!(rows(&admin).await, before, "nothing was paused");
}

#[tokio::test]
async fn what_the_operator_pauses_goes_on_for_nobody_else() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    admin.put("/tenants/acme/bots/second", json!({})).await.unwrap();
    let answer = async |who: &Management, path: &str, body: Value| {
        let answered = who.ask(Method::POST, path, Some(body)).await.unwrap();
        (answered.status.as_u16(), answered.code().to_owned(), answered.body)
    };
    for path in [BOT, CHANNEL, "/tenants/acme/bots/second"] {
        let (pause, resume) = (format!("{path}/pause"), format!("{path}/resume"));
        // The operator makes a pause of the tenant's their own, with its reason.
        admin.post(&pause, json!({"reason": "wrong prices"})).await.unwrap();
        let paused = hosted.operator.post(&pause, json!({})).await.unwrap()["paused"].clone();
        assert_eq!(paused["reason"], "wrong prices");
        for (step, body) in [(&pause, json!({"reason": "nothing"})), (&resume, Value::Null)] {
            let (status, code, body) = answer(&admin, step, body).await;
            assert_eq!((status, code.as_str()), (403, "paused-by-operator"), "{step}: {body}");
            assert!(body["detail"].as_str().unwrap().contains("wrong prices"), "{body}");
        }
        // What changes nothing is no fault.
        assert_eq!(answer(&admin, &pause, json!({})).await.0, 200);
        assert_eq!(admin.get(path).await.unwrap()["paused"], paused);
    }
    // Nor does it help to make it again.
    admin.delete("/tenants/acme/bots/second").await.unwrap();
    let made = admin.put("/tenants/acme/bots/second", json!({})).await.unwrap();
    assert_eq!(made["paused"]["reason"], "wrong prices");
    let hosted = hosted.again(json!({})).await;
    let admin = Management { url: hosted.operator.url.clone(), ..admin };
    assert_eq!(answer(&admin, &format!("{BOT}/resume"), Value::Null).await.0, 403);
    let words = ["resume", "bot", "bot", "--tenant", "acme"];
    assert!(operate(&hosted.config, &words).await.unwrap().status.success());
    assert_eq!(admin.get(BOT).await.unwrap().get("paused"), None);
    // A command on the host's own machine is the operator's as well.
    let words = ["pause", "bot", "bot", "--tenant", "acme"];
    assert!(operate(&hosted.config, &words).await.unwrap().status.success());
    assert_eq!(answer(&admin, &format!("{BOT}/resume"), Value::Null).await.0, 403);
}

#[tokio::test]
async fn a_bot_that_is_made_again_is_not_paused_and_a_channel_is() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let path = "/tenants/acme/bots/second";
    admin.put(path, json!({})).await.unwrap();
    admin.post(&format!("{path}/pause"), json!({})).await.unwrap();
    admin.delete(path).await.unwrap();
    assert_eq!(admin.put(path, json!({})).await.unwrap().get("paused"), None);
    assert_eq!(rows(&admin).await, ["put bot/second", "delete bot/second"]);
    // What waits in a channel goes on when somebody resumes it, and not by itself.
    admin.post(&format!("{CHANNEL}/pause"), json!({"reason": "kept"})).await.unwrap();
    admin.delete(CHANNEL).await.unwrap();
    let gone = admin.ask(Method::POST, &format!("{CHANNEL}/pause"), None).await.unwrap();
    assert_eq!(gone.status, StatusCode::NOT_FOUND);
    let made = admin.put(CHANNEL, hosted.channel()).await.unwrap();
    assert_eq!(made["paused"]["reason"], "kept");
    // One that is resumed while it is gone is not there to be shown.
    admin.delete(CHANNEL).await.unwrap();
    for expected in [StatusCode::NO_CONTENT, StatusCode::NOT_FOUND] {
        let answered = admin.ask(Method::POST, &format!("{CHANNEL}/resume"), None).await.unwrap();
        assert_eq!(answered.status, expected, "{}", answered.body);
    }
    let made = admin.put(CHANNEL, hosted.channel()).await.unwrap();
    assert_eq!(made.get("paused"), None);
}

#[tokio::test]
async fn pauses_are_made_and_ended_by_commands() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let run = async |words: &[&str]| {
        let words = [words, &["--tenant", "acme"]].concat();
        let output = operate(&hosted.config, &words).await.unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{words:?}: {said}");
        String::from_utf8(output.stdout).unwrap()
    };
    for (kind, name, path) in [("bot", "bot", BOT), ("channel", "acme-web", CHANNEL)] {
        let said = run(&[kind, "pause", name, "--reason", "it shouts"]).await;
        assert!(said.starts_with(&format!("the {kind} {name} is paused by operator")), "{said}");
        let listed = run(&[kind, "list"]).await;
        assert!(listed.contains("for ") && listed.contains("PAUSED"), "{listed}");
        // The socket's own commands tell of the same pause.
        let output = operate(&hosted.config, &["status"]).await.unwrap();
        let status = String::from_utf8(output.stdout).unwrap();
        assert!(status.contains(&format!("paused: {kind} {name} of tenant acme")), "{status}");
        assert!(status.contains("it shouts"), "{status}");
        let said = run(&[kind, "resume", name]).await;
        assert_eq!(said, format!("the {kind} {name} is not paused\n"));
        assert_eq!(admin.get(path).await.unwrap().get("paused"), None);
    }
}
