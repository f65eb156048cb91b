//! What takes long: uploads that nobody waits for, erasures, tenants that go, backups.

use std::fs;
use std::time::Duration;

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::client;
use botyard_tests::host::{Host, operate, plugin};
use botyard_tests::peers::shop::Shop;
use botyard_tests::wait;
use http::{Method, StatusCode};
use serde_json::{Value, json};

use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(60);

/// Uploads and answers the path of the operation.
async fn begun(admin: &Management, wasm: Vec<u8>) -> String {
    let path = "/tenants/acme/bots/bot/versions";
    let answered = admin.upload_later(path, wasm).await.unwrap();
    assert_eq!(answered.status, StatusCode::ACCEPTED, "{}", answered.body);
    let id = answered.body["id"].as_str().unwrap();
    format!("/tenants/acme/operations/{id}")
}

async fn ended(admin: &Management, path: &str) -> Value {
    let look = async || {
        let now = admin.get(path).await?;
        Ok(matches!(now["phase"].as_str(), Some("done" | "failed")).then_some(now))
    };
    wait::until_asked("the end of the operation", WITHIN, look).await.unwrap()
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
    let admin = Management { url: host.url().to_owned(), ..admin };
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

#[tokio::test]
async fn an_erasure_is_promised_and_says_when_it_is_done() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    let person = format!("/tenants/acme/persons?conversation={}", conversation.cid);
    let url = format!("{}/v1{person}", hosted.host.url());
    let ask = client().unwrap().delete(&url).bearer_auth(admin.token.as_ref().unwrap());
    let answer = ask.send().await.unwrap();
    assert_eq!(answer.status(), StatusCode::ACCEPTED);
    let location = answer.headers()["location"].to_str().unwrap().to_owned();
    let begun: Value = serde_json::from_str(&answer.text().await.unwrap()).unwrap();
    assert_eq!(begun["kind"], "erasure");
    let path = location.strip_prefix("/v1").unwrap();
    let done = ended(&admin, path).await;
    assert_eq!((&done["phase"], &done["result"]), (&json!("done"), &json!({"conversations": 1})));
    assert_eq!(admin.get(&person).await.unwrap()["conversations"], json!([]));
    assert!(!done.to_string().contains(&conversation.cid), "nobody is told later who it was");
    let audit = admin.get("/tenants/acme/audit?limit=200").await.unwrap();
    let erased = |row: &&Value| row["action"] == "erase";
    assert_eq!(audit["items"].as_array().unwrap().iter().filter(erased).count(), 1);

    // Whoever prefers to wait is answered at the end, also with what is wrong.
    let waited = admin.deleted(&person).await.unwrap();
    assert_eq!((waited.status, &waited.body["phase"]), (StatusCode::OK, &json!("done")));
    let both = admin.deleted(&format!("{person}&email=a@x.example")).await.unwrap();
    assert_eq!((both.status.as_u16(), both.code()), (400, "bad-request"));

    let words = ["person", "erase", "--conversation", "nobody", "--tenant", "acme", "--yes"];
    let told = operate(&hosted.config, &[&words[..], &["--json"]].concat()).await.unwrap();
    let told: Value = serde_json::from_slice(&told.stdout).unwrap();
    assert_eq!(told, json!({"conversations": 0}));
}

/// A turn that goes on keeps a tenant; the host dies meanwhile, and goes on with what it has
/// promised.
#[tokio::test]
async fn a_tenant_that_goes_is_gone_also_where_the_host_dies_in_between() {
    let hosted = Hosted::start().await;
    let shop = Shop::start(Duration::from_secs(9)).await.unwrap();
    let admin = hosted.tenant("acme", "puppet").await;
    let hosts = json!({"settings": {"hosts": [shop.authority()]}});
    admin.put("/tenants/acme/bots/bot", hosts).await.unwrap();
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    // It is answered before its end, which takes long.
    conversation.message(&format!("fetch {}/visits", shop.url())).await.unwrap();
    let operator = hosted.operator.clone();
    let goes = async || {
        let begun = operator.ask(Method::DELETE, "/tenants/acme", None).await.unwrap();
        assert_eq!(begun.status, StatusCode::ACCEPTED, "{}", begun.body);
        begun.body
    };
    let begun = goes().await;
    let kind = (&begun["kind"], &begun["tenant"]);
    assert_eq!(kind, (&json!("tenant-deletion"), &json!("acme")));
    assert_eq!(goes().await["id"], begun["id"], "asked twice, it is the same");
    let path = format!("/tenants/operator/operations/{}", begun["id"].as_str().unwrap());
    assert_eq!(operator.get(&path).await.unwrap()["phase"], "stopping");
    // Nobody else is told of it, and there is no such tenant any more, nor another one yet.
    let other = hosted.tenant("other", "tally").await;
    let rows = [
        (&other, Method::GET, path.as_str(), None, "not-found"),
        (&operator, Method::GET, "/tenants/acme", None, "not-found"),
        (&operator, Method::PUT, "/tenants/acme/bots/late", Some(json!({})), "not-found"),
        (&operator, Method::POST, "/tenants", Some(json!({"name": "acme"})), "in-use"),
    ];
    for (who, method, path, body, code) in rows {
        assert_eq!(who.ask(method, path, body).await.unwrap().code(), code, "{path}");
    }

    // It dies with the process.
    let Hosted { host, config, directory: _directory, .. } = hosted;
    drop(host);
    let host = Host::start(&config).await.unwrap();
    let operator = Management { url: host.url().to_owned(), ..operator };
    let done = ended(&operator, &path).await;
    assert_eq!((&done["phase"], &done["problem"]), (&json!("done"), &Value::Null));
    let gone = operator.ask(Method::DELETE, "/tenants/acme", None).await.unwrap();
    assert_eq!((gone.status.as_u16(), gone.code()), (404, "not-found"));
    let audit = operator.get("/tenants/operator/audit?limit=200").await.unwrap();
    let own = |row: &&Value| row["action"] == "delete" && row["name"] == "acme";
    let rows: Vec<_> = audit["items"].as_array().unwrap().iter().filter(own).collect();
    assert!(rows.iter().any(|row| row["kind"] == "tenant"), "{audit}");
    assert!(rows.iter().all(|row| row["actor"] == rows[0]["actor"]), "whoever asked: {rows:#?}");
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
}

#[tokio::test]
async fn a_backup_is_an_operation_of_the_operators() {
    let hosted = Hosted::start().await;
    let copy = hosted.directory.path().join("copy");
    let words = ["backup", copy.to_str().unwrap(), "--json"];
    let made = operate(&hosted.config, &words).await.unwrap();
    let manifest: Value = serde_json::from_slice(&made.stdout).unwrap();
    let kept: Value =
        serde_json::from_slice(&fs::read(copy.join("manifest.json")).unwrap()).unwrap();
    assert_eq!(manifest, kept);
    let again = operate(&hosted.config, &words).await.unwrap();
    assert_eq!(again.status.code(), Some(1));
    let told = String::from_utf8_lossy(&again.stderr).into_owned();
    assert!(told.contains("is not empty") && told.contains("in-use"), "{told}");
}
