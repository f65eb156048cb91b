//! What is left of a tenant or a bot that goes: nothing that weighs on others, or that a
//! later one of its name could read.

use std::time::Duration;

use botyard_tests::client::management::Management;
use botyard_tests::client::metrics::Metrics;
use botyard_tests::host::Host;
use botyard_tests::peers::shop::Shop;
use botyard_tests::wait;
use http::{Method, StatusCode};
use serde_json::{Value, json};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(20);

async fn goes(hosted: &Hosted, tenant: &str) {
    hosted.operator.delete(&format!("/tenants/{tenant}")).await.unwrap();
}

/// Waits until so much of it is unfinished, as the metrics say now and then.
async fn wait_gauge(hosted: &Hosted, name: &str, expected: f64) {
    let url = format!("{}/metrics", hosted.host.url());
    let there = async || {
        let found = Metrics::read(&url).await?.sum(name, &[]);
        Ok((found == expected).then_some(()))
    };
    wait::until_asked(&format!("{name} of {expected}"), WITHIN, there).await.unwrap();
}

#[tokio::test]
async fn events_of_a_tenant_that_is_gone_burden_nobody() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    admin.post("/tenants/acme/bots/bot/pause", json!({})).await.unwrap();
    conversation.message("it waits").await.unwrap();
    wait_gauge(&hosted, "botyard_backlog_events", 1.0).await;
    goes(&hosted, "acme").await;
    wait_gauge(&hosted, "botyard_backlog_events", 0.0).await;
    // Nor does a later tenant of its name begin with them.
    hosted.operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    let limits = hosted.operator.get("/tenants/acme/limits").await.unwrap();
    let row = limits.as_array().unwrap().iter().find(|row| row["name"] == "backlog.events");
    assert_eq!(row.unwrap()["used"], 0);
}

#[tokio::test]
async fn nobody_is_told_whom_the_bots_of_an_earlier_tenant_called() {
    let (hosted, shop) = (Hosted::start().await, Shop::start(Duration::ZERO).await.unwrap());
    let admin = hosted.tenant("acme", "puppet").await;
    let hosts = json!({"settings": {"hosts": [shop.authority()]}});
    admin.put("/tenants/acme/bots/bot", hosts).await.unwrap();
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    conversation.message(&format!("fetch {}/visits", shop.url())).await.unwrap();
    let used = "/tenants/acme/bots/bot/grants/used";
    assert_eq!(admin.get(used).await.unwrap()["hosts"][0]["name"], shop.authority());
    goes(&hosted, "acme").await;
    // A host that stops writes down what was used.
    let Hosted { host, operator, userlike, config, directory } = hosted;
    host.stop().await.unwrap();
    let host = Host::start(&config).await.unwrap();
    let operator = Management { url: host.url().to_owned(), ..operator };
    let hosted = Hosted { host, operator, userlike, config, directory };
    let later = hosted.tenant("acme", "puppet").await;
    assert_eq!(later.get(used).await.unwrap()["hosts"], json!([]));
}

/// A part of a webhook that cannot be read, of which the end comes when the tenant is gone.
#[tokio::test]
async fn a_webhook_that_comes_late_leaves_nothing_behind() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    admin.put("/tenants/acme/secrets/key", json!({"value": "canary-key"})).await.unwrap();
    let channel = json!({"settings": {
        "vendor": "myalice",
        "bot": "bot",
        "webhook-secret": {"secret": "webhook"},
        "api-key": {"secret": "key"},
    }});
    admin.put("/tenants/acme/channels/acme-alice", channel).await.unwrap();
    let body = json!({"action": "ping"}).to_string();
    let address = hosted.host.url().strip_prefix("http://").unwrap();
    let mut connection = TcpStream::connect(address).await.unwrap();
    let head = format!(
        "POST /webhooks/acme-alice/tickets HTTP/1.1\r\nhost: {address}\r\nx-secret: {}\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        botyard_tests::site::SECRET,
        body.len()
    );
    connection.write_all(head.as_bytes()).await.unwrap();
    let (first, rest) = body.as_bytes().split_at(3);
    connection.write_all(first).await.unwrap();
    wait_gauge(&hosted, "botyard_bodies_awaited", 1.0).await;
    goes(&hosted, "acme").await;
    connection.write_all(rest).await.unwrap();
    let mut answer = String::new();
    connection.read_to_string(&mut answer).await.unwrap();
    assert!(answer.starts_with("HTTP/1.1 503 "), "{answer}");
    // Its name is free: nothing of it is here.
    hosted.operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    let letters = hosted.operator.get("/tenants/acme/dead-letters").await.unwrap();
    assert_eq!(letters["items"], json!([]));
}

#[tokio::test]
async fn a_token_for_one_bot_goes_with_its_bot() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    admin.put("/tenants/acme/bots/other", json!({})).await.unwrap();
    let mut tokens = Vec::new();
    for bot in [json!("bot"), json!("other"), Value::Null] {
        let wish = json!({"scope": "read", "bot": bot});
        let made = admin.post("/tenants/acme/tokens", wish).await.unwrap();
        tokens.push(admin.with(made["token"].as_str().unwrap()));
    }
    admin.delete("/tenants/acme/channels/acme-web").await.unwrap();
    admin.delete("/tenants/acme/bots/bot").await.unwrap();
    admin.put("/tenants/acme/bots/bot", json!({})).await.unwrap();
    let mut statuses = Vec::new();
    for token in &tokens {
        statuses.push(token.ask(Method::GET, "/whoami", None).await.unwrap().status);
    }
    assert_eq!(statuses, [StatusCode::UNAUTHORIZED, StatusCode::OK, StatusCode::OK]);
    let listed = admin.get("/tenants/acme/tokens").await.unwrap();
    assert_eq!(listed["items"].as_array().unwrap().len(), 3, "the admin's own, too: {listed}");
}
