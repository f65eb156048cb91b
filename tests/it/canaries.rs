//! No secret is where it can be read: a full run, then everything that the host has
//! written, logged, counted and answered is searched for the secrets that went in.

use std::fs;
use std::path::Path;

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::operate;
use botyard_tests::site::{HEADER, SECRET, TOKEN};
use botyard_twins::userlike::Contact;
use http::Method;
use serde_json::json;

use crate::hosted::Hosted;

/// Secrets that a bot's settings name, and one that is only put.
const OF_SETTINGS: [(&str, &str); 3] = [
    ("shop-key", "canary-of-the-shop-key"),
    ("header-key", "canary-of-a-header"),
    ("unused", "canary-that-nothing-names"),
];
/// What is no secret: it must be found, or the search is worth nothing.
const IN_THE_OPEN: &str = "words that anybody may read";

/// Whether a file below a directory holds these bytes.
pub(crate) fn holder(directory: &Path, needle: &[u8]) -> Option<String> {
    for entry in fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let found = if path.is_dir() {
            holder(&path, needle)
        } else {
            let held = fs::read(&path).unwrap_or_default();
            let holds = held.windows(needle.len()).any(|window| window == needle);
            holds.then(|| path.display().to_string())
        };
        if found.is_some() {
            return found;
        }
    }
    None
}

/// Everything that a tenant's admin can ask for.
async fn answers(admin: &Management, key: &str) -> String {
    let conversation = format!("channels/acme-web/conversations/{key}");
    let paths = [
        "",
        "/bots",
        "/bots/bot",
        "/bots/bot/versions",
        "/bots/bot/deployment",
        "/bots/bot/logs",
        "/channels",
        "/channels/acme-web",
        "/relays",
        "/secrets",
        "/tokens",
        "/limits",
        "/usage",
        "/audit?limit=200",
        "/conversations",
        &format!("/{conversation}"),
        &format!("/{conversation}/turns"),
        "/dead-letters",
        &format!("/persons?conversation={key}"),
    ];
    let mut all = String::new();
    for path in paths {
        all.push_str(&admin.get(&format!("/tenants/acme{path}")).await.unwrap().to_string());
    }
    all
}

#[tokio::test]
async fn no_secret_is_in_what_the_host_writes_logs_counts_or_says() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "puppet").await;
    for (name, value) in OF_SETTINGS {
        let path = format!("/tenants/acme/secrets/{name}");
        admin.put(&path, json!({"value": value})).await.unwrap();
    }
    let settings = json!({"settings": {
        "config": {"shop": {"secret": "shop-key"}},
        "http-headers": {"shop.example": {"x-key": {"secret": "header-key"}}},
        "hosts": ["shop.example"],
    }});
    admin.put("/tenants/acme/bots/bot", settings).await.unwrap();
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    let script = format!("say {IN_THE_OPEN}\nlog much\nfetch https://shop.example/\nwork 1");
    conversation.message(&script).await.unwrap();
    conversation.message("many words").await.unwrap();
    // Whoever shows nearly the right secret, and who asks for what is wrong.
    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", hosted.host.url()),
        header: Some((HEADER.to_owned(), format!("{SECRET}-and-more"))),
    };
    let account = hosted.userlike.account();
    let stranger = Conversation::open(account, &webhook, Contact::new()).unwrap();
    assert_eq!(stranger.start().await.unwrap().status, 401);
    let mut said = String::new();
    for wrong in [
        json!({"settings": {"config": {"shop": {"secret": "shop-key", "more": 1}}}}),
        json!({"settings": {"hosts": [{"secret": "header-key"}]}}),
    ] {
        let path = "/tenants/acme/bots/bot";
        let refused = admin.ask(Method::PUT, path, Some(wrong)).await.unwrap();
        assert!(refused.status.is_client_error());
        said.push_str(&refused.body.to_string());
    }
    let copy = hosted.directory.path().join("copy");
    operate(&hosted.config, &["backup", copy.to_str().unwrap()]).await.unwrap();
    operate(&hosted.config, &["rotate-key"]).await.unwrap();
    let key = conversation.cid.replace(':', "%3A");
    said.push_str(&answers(&admin, &key).await);
    let metrics = reqwest::get(format!("{}/metrics", hosted.host.url())).await.unwrap();
    said.push_str(&metrics.text().await.unwrap());
    said.push_str(&hosted.host.log());

    let directory = hosted.directory.path();
    assert!(said.contains(IN_THE_OPEN), "the answers do not show what was said");
    let found = holder(directory, IN_THE_OPEN.as_bytes());
    assert!(found.is_some(), "the search finds nothing at all");
    let own = admin.token.as_deref().unwrap();
    let operators = hosted.operator.token.as_deref().unwrap();
    let secrets = OF_SETTINGS.map(|(_, value)| value);
    for secret in secrets.into_iter().chain([SECRET, TOKEN, own, operators]) {
        assert_eq!(holder(directory, secret.as_bytes()), None, "{secret}");
        assert!(!said.contains(secret), "{secret} was said");
    }
}
