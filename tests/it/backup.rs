//! Copies of a store, and a host that goes on from one.

use std::fs;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::{Config, Host, operate, program};
use botyard_tests::site::{HEADER, SECRET};
use botyard_twins::userlike::Contact;
use serde_json::{Value, json};

use crate::hosted::Hosted;

#[tokio::test]
async fn a_restored_host_holds_what_it_would_say_until_it_is_told_to_go_on() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    let before = hosted.open("acme-web");
    assert_eq!(before.start().await.unwrap().texts(), ["1 1 start"]);
    let copy = hosted.directory.path().join("copy");
    let words = ["backup", copy.to_str().unwrap()];
    let made = operate(&hosted.config, &words).await.unwrap();
    assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    // A copy is never written over.
    let again = operate(&hosted.config, &words).await.unwrap();
    assert!(!again.status.success());
    assert!(String::from_utf8_lossy(&again.stderr).contains("is not empty"));
    assert!(!copy.join("keys").exists(), "keys are kept apart");

    let place = tempfile::Builder::new().prefix("botyard-it-").tempdir().unwrap();
    let fresh = place.path().join("restored");
    let restore = |into: &std::path::Path| {
        Command::new(program()).arg("restore").arg(&copy).arg("--into").arg(into).output().unwrap()
    };
    let done = restore(&fresh);
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    assert!(!restore(&fresh).status.success(), "it is not empty any more");
    fs::create_dir(fresh.join("keys")).unwrap();
    for key in fs::read_dir(hosted.directory.path().join("keys")).unwrap() {
        let key = key.unwrap();
        fs::copy(key.path(), fresh.join("keys").join(key.file_name())).unwrap();
    }
    drop(hosted.host);
    let config = Config::new(&fresh).with(json!({"tenants": null}));
    let host = Host::start(&config).await.unwrap();
    let status = operate(&config, &["status"]).await.unwrap();
    let status = String::from_utf8(status.stdout).unwrap();
    assert!(status.contains("held: the store is of a backup of "), "{status}");
    let operator = Management { url: host.url().to_owned(), ..hosted.operator.clone() };
    let status = operator.get("/status").await.unwrap();
    assert_eq!((&status["held"], &status["ready"]), (&json!(true), &json!(true)));
    let restored = &status["restored"];
    assert!(restored["backup_ms"].as_u64() <= restored["restored_ms"].as_u64(), "{status}");

    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", host.url()),
        header: Some((HEADER.to_owned(), SECRET.to_owned())),
    };
    let account = hosted.userlike.account();
    let conversation = Conversation::open(account, &webhook, Contact::new()).unwrap();
    assert_eq!(conversation.start().await.unwrap().texts(), [""; 0], "it is accepted");
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert!(account.delivered(&conversation.cid).is_empty());
    let released = operate(&config, &["release"]).await.unwrap();
    assert_eq!(String::from_utf8_lossy(&released.stdout), "the host delivers from now on\n");
    let said = account.wait_delivered(&conversation.cid, 1, Duration::from_secs(10)).await.unwrap();
    assert_eq!(said[0].text(), Some("1 1 start"));
    let again = operate(&config, &["release"]).await.unwrap();
    assert!(String::from_utf8_lossy(&again.stdout).contains("delivers already"));
    // What it knew is there: the conversation goes on where it was.
    let key = before.cid.replace(':', "%3A");
    let path = format!("/tenants/acme/channels/acme-web/conversations/{key}");
    assert_eq!(operator.get(&path).await.unwrap()["turns"], 1);
    let status = operator.get("/status").await.unwrap();
    assert_eq!((&status["held"], status.get("restored")), (&json!(false), None));
}

/// Takes the keys away that opened what was sealed before.
fn forget_earlier_keys(store: &std::path::Path) {
    for entry in fs::read_dir(store.join("keys")).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("secrets.before.") {
            fs::remove_file(path).unwrap();
        }
    }
}

async fn rotate(config: &Config) -> Value {
    let rotated = operate(config, &["rotate-key", "--json"]).await.unwrap();
    serde_json::from_slice(&rotated.stdout)
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&rotated.stderr)))
}

/// Several tenants put first secrets and other ones at each moment of each change of the key.
#[tokio::test]
async fn a_secret_that_is_put_while_the_key_changes_has_the_new_one() {
    const TENANTS: usize = 6;
    let mut hosted = Hosted::start().await;
    for round in 0..3 {
        let mut puts = tokio::task::JoinSet::new();
        let done = Arc::new(AtomicBool::new(false));
        for number in 0..TENANTS {
            let (operator, done) = (hosted.operator.clone(), Arc::clone(&done));
            let tenant = format!("t{round}-{number}");
            operator.post("/tenants", json!({"name": tenant})).await.unwrap();
            puts.spawn(async move {
                for put in 0.. {
                    let path = format!("/tenants/{tenant}/secrets/s{}", put % 20);
                    operator.put(&path, json!({"value": format!("v{put}")})).await.unwrap();
                    if done.load(Ordering::Acquire) {
                        return;
                    }
                }
            });
        }
        for _ in 0..4 {
            assert_eq!(rotate(&hosted.config).await["locked"], 0);
        }
        done.store(true, Ordering::Release);
        while let Some(put) = puts.join_next().await {
            put.unwrap();
        }
        forget_earlier_keys(hosted.directory.path());
        hosted = hosted.again(json!({})).await;
        let rotated = rotate(&hosted.config).await;
        assert_eq!(rotated["locked"], 0, "what was sealed with a key from before is lost");
    }
}

#[tokio::test]
async fn the_key_for_secrets_changes_while_it_is_used() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    let first = rotate(&hosted.config).await;
    let came = (&first["sealed"], &first["locked"], &first["made"]);
    assert_eq!(came, (&json!(2), &json!(0), &json!(true)));
    assert_eq!(conversation.message("one").await.unwrap().texts(), ["2 2 one"]);
    // Secrets that come later are sealed with it, and what was sealed opens after a start
    // without the key from before.
    admin.put("/tenants/acme/secrets/later", json!({"value": "canary"})).await.unwrap();
    let second = rotate(&hosted.config).await;
    assert_eq!(second["sealed"], 3);
    assert_ne!(first["key"], second["key"]);
    assert_eq!(second["earlier"].as_array().unwrap().len(), 2);
    forget_earlier_keys(hosted.directory.path());
    let hosted = hosted.again(json!({})).await;
    let conversation = hosted.open("acme-web");
    assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);
}
