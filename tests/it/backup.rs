//! Copies of a store, and a host that goes on from one.

use std::fs;
use std::process::Command;
use std::time::Duration;

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
    assert!(status.contains("held:"), "{status}");

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
    let operator = hosted.operator.with(hosted.operator.token.as_deref().unwrap());
    let operator =
        botyard_tests::client::management::Management { url: host.url().to_owned(), ..operator };
    assert_eq!(operator.get(&path).await.unwrap()["turns"], 1);
}

#[tokio::test]
async fn the_key_for_secrets_changes_while_it_is_used() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    let rotate = async || {
        let rotated = operate(&hosted.config, &["rotate-key", "--json"]).await.unwrap();
        let said: Value = serde_json::from_slice(&rotated.stdout).unwrap_or_else(|error| {
            panic!("{error}: {}", String::from_utf8_lossy(&rotated.stderr))
        });
        said
    };
    let first = rotate().await;
    let came = (&first["sealed"], &first["locked"], &first["made"]);
    assert_eq!(came, (&json!(2), &json!(0), &json!(true)));
    assert_eq!(conversation.message("one").await.unwrap().texts(), ["2 2 one"]);
    // Secrets that come later are sealed with it, and what was sealed opens after a start
    // without the key from before.
    admin.put("/tenants/acme/secrets/later", json!({"value": "canary"})).await.unwrap();
    let second = rotate().await;
    assert_eq!(second["sealed"], 3);
    assert_ne!(first["key"], second["key"]);
    assert_eq!(second["earlier"].as_array().unwrap().len(), 2);
    let keys = hosted.directory.path().join("keys");
    for entry in fs::read_dir(&keys).unwrap() {
        let path = entry.unwrap().path();
        if path.file_name().unwrap().to_str().unwrap().starts_with("secrets.before.") {
            fs::remove_file(path).unwrap();
        }
    }
    let hosted = hosted.again(json!({})).await;
    let conversation = hosted.open("acme-web");
    assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);
}
