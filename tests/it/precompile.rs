//! An upgrade is prepared while the host before it runs, or is stopped.

use std::path::Path;

use botyard_tests::client::management::Management;
use botyard_tests::host::{Config, Host, operate};
use serde_json::{Value, json};

use crate::hosted::Hosted;

/// Files of compiled components.
fn compiled(directory: &Path) -> usize {
    let files = std::fs::read_dir(directory.join("artefacts")).unwrap().flatten();
    files.filter(|file| file.path().extension().is_some_and(|kind| kind == "cwasm")).count()
}

/// Settings with which components have to be compiled anew, as for a new version.
fn upgraded(config: &Config, memory_bytes: u64) -> Config {
    config.clone().with(json!({"runtime": {"native": {"memory-bytes": memory_bytes}}}))
}

async fn precompiled(config: &Config) -> Vec<Value> {
    let output = operate(config, &["precompile", "--json"]).await.unwrap();
    let words = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{words}");
    let text = String::from_utf8(output.stdout).unwrap();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[tokio::test]
async fn what_answers_is_compiled_for_the_next_host_before_it_starts() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    // An upload that nobody deployed is not needed at once.
    hosted.upload(&admin, "acme", "echo").await;
    let deployed = admin.get("/tenants/acme/bots/bot/deployment").await.unwrap();
    let directory = hosted.directory.path();
    assert_eq!(compiled(directory), 2);

    let next = upgraded(&hosted.config, 48 << 20);
    let told = precompiled(&next).await;
    assert_eq!((told.len(), &told[0]["became"]), (1, &json!("compiled")), "{told:?}");
    assert_eq!((&told[0]["version"], &told[0]["tenant"]), (&deployed["current"], &json!("acme")));
    assert_eq!(compiled(directory), 3, "what the host has compiled stays");
    assert_eq!(precompiled(&next).await[0]["became"], "ready");
    // The host that runs is not disturbed.
    assert_eq!(hosted.open("acme-web").start().await.unwrap().texts(), ["1 1 start"]);

    let Hosted { host, userlike: _userlike, directory, .. } = hosted;
    assert!(host.stop().await.unwrap().success());
    let after_next = upgraded(&next, 64 << 20);
    assert_eq!(precompiled(&after_next).await[0]["became"], "compiled");
    assert_eq!(compiled(directory.path()), 4);

    // What was prepared is what is used.
    let host = Host::start(&after_next).await.unwrap();
    let admin = Management { url: host.url().to_owned(), ..admin };
    let version = deployed["current"].as_str().unwrap();
    let tried = format!("/tenants/acme/bots/bot/versions/{version}/try");
    let events = json!({"events": [{"name": "message", "payload": {"text": "one"}}]});
    admin.post(&tried, events).await.unwrap();
    assert_eq!(compiled(directory.path()), 4);
}

#[tokio::test]
async fn what_the_next_host_cannot_run_is_told_before_it_starts() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    let blobs = hosted.directory.path().join("blobs");
    std::fs::remove_dir_all(&blobs).unwrap();
    let next = upgraded(&hosted.config, 48 << 20);
    let output = operate(&next, &["precompile"]).await.unwrap();
    assert!(!output.status.success());
    let told = String::from_utf8([output.stdout, output.stderr].concat()).unwrap();
    assert!(told.contains("it has to be uploaded again"), "{told}");
    assert!(told.contains("1 version would not run after the upgrade"), "{told}");
}
