//! How a host is, told its operator over the API and by a command.

use botyard_tests::client::management::Management;
use botyard_tests::host::operate;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

async fn told(hosted: &Hosted, words: &[&str]) -> String {
    let output = operate(&hosted.config, words).await.unwrap();
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{words:?}: {said}");
    String::from_utf8(output.stdout).unwrap()
}

#[tokio::test]
async fn the_operator_sees_how_the_host_is() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    hosted.open("acme-web").start().await.unwrap();
    let pause = json!({"reason": "it shouts"});
    hosted.operator.post("/tenants/acme/bots/bot/pause", pause).await.unwrap();
    hosted.open("acme-web").start().await.unwrap();
    let status = hosted.operator.get("/status").await.unwrap();
    assert_eq!((&status["ready"], &status["stopping"]), (&json!(true), &json!(false)));
    assert_eq!((&status["held"], status.get("restored")), (&json!(false), None));
    let [started, now] = ["started_ms", "now_ms"].map(|name| status[name].as_u64().unwrap());
    assert!(started <= now && now - started < 600_000, "{status}");
    let store = &status["store"];
    assert_eq!(store["state"], "ok");
    assert!(store["room"]["database_bytes"].as_u64() > Some(0), "{store}");
    assert!(store["room"]["blobs_bytes"].as_u64() > Some(0), "{store}");
    assert!(store["room"]["free_bytes"].as_u64() <= store["room"]["total_bytes"].as_u64());
    assert_eq!((&store["soft_percent"], &store["hard_percent"]), (&json!(80), &json!(95)));
    assert_eq!(store.get("last_backup_ms"), None, "none was made");
    assert_eq!(status["backlog"]["events"], 1, "what the pause holds back: {status}");
    assert_eq!(status["dead_letters"], 0);
    let paused = &status["paused"][0];
    let said = ["what", "tenant", "name", "reason"].map(|name| paused[name].as_str().unwrap());
    assert_eq!(said, ["bot", "acme", "bot", "it shouts"]);
    let tiers: Vec<_> = status["permits"].as_array().unwrap().clone();
    assert_eq!([&tiers[0]["tier"], &tiers[1]["tier"]], ["native", "interpreted"]);
    assert!(tiers.iter().all(|tier| tier["free"] == tier["total"] && tier["waiting"] == 0));
    let safety = status["safety"].as_array().unwrap();
    let loopback = safety.iter().find(|one| one["name"] == "egress_public_only").unwrap();
    assert_eq!(loopback["active"], false);
    assert!(loopback["detail"].as_str().unwrap().contains("calls to this machine"));

    let same: Value = serde_json::from_str(&told(&hosted, &["status", "--json"]).await).unwrap();
    assert_eq!(same["started_ms"], status["started_ms"]);
    let text = told(&hosted, &["status"]).await;
    for expected in [
        "store: ok; the database takes ",
        " free (the operator is told at 80 %, nothing is accepted at 95 %)",
        "last backup: none is known of",
        "waiting: 1 events, 0 requests",
        "native turns: 0 of ",
        "paused: bot bot of tenant acme",
        "NOT protected by egress_public_only",
    ] {
        assert!(text.contains(expected), "{expected}: {text}");
    }
}

#[tokio::test]
async fn nobody_else_does() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let nobody = Management { token: None, ..admin.clone() };
    let rows = [
        (&admin, StatusCode::NOT_FOUND, "a tenant's host is not there"),
        (&nobody, StatusCode::UNAUTHORIZED, "nobody"),
    ];
    for (who, expected, why) in rows {
        for (method, path) in [(Method::GET, "/status"), (Method::POST, "/status/release")] {
            let answered = who.ask(method, path, None).await.unwrap();
            assert_eq!(answered.status, expected, "{path}: {why}");
        }
    }
    let released = hosted.operator.post("/status/release", Value::Null).await.unwrap();
    assert_eq!(released["released"], false, "it delivers already");
}

#[tokio::test]
async fn the_last_backup_is_known_after_a_start_and_stands_in_the_audit() {
    let hosted = Hosted::start().await;
    let into = hosted.directory.path().join("copy");
    told(&hosted, &["backup", into.to_str().unwrap()]).await;
    let last = async |operator: &Management| {
        operator.get("/status").await.unwrap()["store"]["last_backup_ms"].as_u64().unwrap()
    };
    let made = last(&hosted.operator).await;
    let audit = hosted.operator.get("/tenants/operator/audit?limit=200").await.unwrap();
    let row = audit["items"].as_array().unwrap().iter().find(|row| row["kind"] == "backup");
    assert!(row.unwrap()["actor"].as_str().unwrap().starts_with("operator"), "{audit}");
    let text = told(&hosted, &["status"]).await;
    let line = text.lines().find(|line| line.starts_with("last backup: ")).unwrap();
    assert!(line.ends_with(" ago"), "{line}");
    let hosted = hosted.again(json!({})).await;
    assert_eq!(last(&hosted.operator).await, made);
}
