//! Uploads that nobody waits for, and how far they are.

use std::fs;

use botyard_tests::host::{Host, operate, plugin};
use botyard_tests::wait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

const WITHIN: std::time::Duration = std::time::Duration::from_secs(60);

/// Uploads and answers the path of the operation.
async fn begun(admin: &botyard_tests::client::management::Management, wasm: Vec<u8>) -> String {
    let path = "/tenants/acme/bots/bot/versions";
    let answered = admin.upload_later(path, wasm).await.unwrap();
    assert_eq!(answered.status, StatusCode::ACCEPTED, "{}", answered.body);
    let id = answered.body["id"].as_str().unwrap();
    format!("/tenants/acme/operations/{id}")
}

async fn ended(admin: &botyard_tests::client::management::Management, path: &str) -> Value {
    let look = async || {
        let now = admin.get(path).await?;
        Ok(matches!(now["phase"].as_str(), Some("done" | "failed")).then_some(now))
    };
    wait::until_asked("the end of the upload", WITHIN, look).await.unwrap()
}

#[tokio::test]
async fn an_upload_that_is_answered_early_says_how_far_it_is() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let operation = begun(&admin, fs::read(plugin("echo").unwrap()).unwrap()).await;
    let done = ended(&admin, &operation).await;
    assert_eq!((&done["phase"], &done["problem"]), (&json!("done"), &Value::Null));
    let version = done["version"].as_str().unwrap();
    admin.get(&format!("/tenants/acme/bots/bot/versions/{version}")).await.unwrap();

    let refused = ended(&admin, &begun(&admin, b"no wasm".to_vec()).await).await;
    assert_eq!(refused["phase"], "failed");
    assert_eq!(refused["problem"]["code"], "component-refused", "{refused}");

    // It is a thing of the bot's and of the tenant's.
    let other = hosted.tenant("other", "tally").await;
    let narrow = json!({"scope": "read", "bot": "elsewhere"});
    let narrow = admin.post("/tenants/acme/tokens", narrow).await;
    let narrow = narrow.map(|narrow| admin.with(narrow["token"].as_str().unwrap()));
    for stranger in [Ok(other), narrow].into_iter().flatten() {
        let answered = stranger.ask(Method::GET, &operation, None).await.unwrap();
        assert_eq!((answered.status, answered.code()), (StatusCode::NOT_FOUND, "not-found"));
    }
    let none = admin.ask(Method::GET, "/tenants/acme/operations/op_1", None).await.unwrap();
    assert_eq!(none.status, StatusCode::NOT_FOUND);

    // It can be asked for after a restart.
    let Hosted { host, config, directory: _directory, .. } = hosted;
    drop(host);
    let host = Host::start(&config).await.unwrap();
    let admin =
        botyard_tests::client::management::Management { url: host.url().to_owned(), ..admin };
    assert_eq!(admin.get(&operation).await.unwrap(), done);
}

#[tokio::test]
async fn the_command_shows_the_phases() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    let wasm = plugin("echo").unwrap();
    let words = ["bot", "upload", "bot", wasm.to_str().unwrap(), "--tenant", "acme", "--progress"];
    let output = operate(&hosted.config, &words).await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(output.status.success(), "{told}");
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim().len(), 64);
    let lines: Vec<_> = told.lines().collect();
    assert_eq!(lines.first(), Some(&"uploading"), "{told}");
    // Behind the phases stands how it differs from the version that answers.
    let (at, phases) = (lines.iter().position(|line| *line == "done"), "it ends with `done`");
    let less = ["http", "kv", "log"].map(|name| format!("does without the import `{name}`"));
    assert_eq!(lines[at.expect(phases) + 1..], less, "{told}");

    let nothing = hosted.directory.path().join("nothing.wasm");
    fs::write(&nothing, b"no wasm").unwrap();
    let words =
        ["bot", "upload", "bot", nothing.to_str().unwrap(), "--tenant", "acme", "--progress"];
    let output = operate(&hosted.config, &words).await.unwrap();
    let told = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(
        told.contains("this is not WebAssembly") && told.contains("component-refused"),
        "{told}"
    );
}
