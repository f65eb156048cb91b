//! What becomes of a tenant's things, and its name, when the settings have it no more.

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::{Config, Host, operate, plugin};
use botyard_tests::site::{HEADER, SECRET, TOKEN};
use botyard_twins::userlike::{Contact, Userlike};
use http::Method;
use serde_json::{Value, json};

use crate::hosted::Hosted;

fn settings(directory: &std::path::Path, tenants: Value) -> Config {
    let config = Config::new(directory).with(json!({"tenants": {"demo": null}}));
    config.with(json!({"tenants": tenants}))
}

#[tokio::test]
async fn a_name_is_not_given_away_with_what_people_said_under_it() {
    let directory = tempfile::Builder::new().prefix("botyard-it-").tempdir().unwrap();
    let userlike = Userlike::start(TOKEN).await.unwrap();
    let acme = json!({
        "bots": {"bot": {"component": plugin("tally").unwrap()}},
        "channels": {"acme-web": {
            "vendor": "userlike",
            "bot": "bot",
            "webhook-header": HEADER,
            "webhook-secret": SECRET,
            "api-url": userlike.api_url(),
            "api-token": TOKEN,
        }},
    });
    let with = settings(directory.path(), json!({"acme": acme}));
    let host = Host::start(&with).await.unwrap();
    let token = host.management().token;
    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", host.url()),
        header: Some((HEADER.to_owned(), SECRET.to_owned())),
    };
    let said = Conversation::open(userlike.account(), &webhook, Contact::new()).unwrap();
    assert_eq!(said.start().await.unwrap().texts(), ["1 1 start"]);
    host.stop().await.unwrap();

    let without = settings(directory.path(), json!({}));
    let host = Host::start(&without).await.unwrap();
    let operator = Management { token: token.clone(), ..host.management() };
    let create = json!({"name": "acme"});
    let refused = operator.ask(Method::POST, "/tenants", Some(create)).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.code()), (409, "in-use"), "{}", refused.body);
    let detail = refused.body["detail"].as_str().unwrap();
    assert!(detail.contains("botyard tenant delete acme"), "{detail}");
    host.stop().await.unwrap();

    // A slip of the operator's has cost nothing.
    let host = Host::start(&with).await.unwrap();
    let operator = Management { token, ..host.management() };
    let kept = operator.get("/tenants/acme/conversations").await.unwrap();
    assert_eq!(kept["items"][0]["conversation"], json!(said.cid));
    let settings = operator.ask(Method::DELETE, "/tenants/acme", None).await.unwrap();
    assert_eq!(settings.code(), "managed-by-settings");
    host.stop().await.unwrap();

    // Whoever means it clears it, and the name is free.
    let host = Host::start(&without).await.unwrap();
    let operator = Management { token: operator.token, ..host.management() };
    let clear = ["tenant", "delete", "acme", "--confirm", "acme"];
    let cleared = operate(&without, &clear).await.unwrap();
    assert!(cleared.status.success(), "{}", String::from_utf8_lossy(&cleared.stderr));
    let again = operate(&without, &clear).await.unwrap();
    assert!(String::from_utf8_lossy(&again.stderr).contains("not-found"));
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    let nothing = operator.get("/tenants/acme/conversations").await.unwrap();
    assert_eq!(nothing["items"], json!([]));
}

#[tokio::test]
async fn the_audit_of_an_earlier_tenant_is_not_the_later_ones_to_read() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    let operator = &hosted.operator;
    let all = async || {
        let audit = operator.get("/tenants/acme/audit?limit=200").await.unwrap();
        audit["items"].as_array().unwrap().clone()
    };
    operator.delete("/tenants/acme").await.unwrap();
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    let token = operator.post("/tenants/acme/tokens", json!({"scope": "admin"})).await.unwrap();
    let later = operator.with(token["token"].as_str().unwrap());
    let rows = all().await;
    let created = rows.iter().rposition(|row| row["kind"] == "tenant" && row["action"] == "put");
    let own = &rows[created.unwrap()..];
    assert!(own.len() == 2 && rows.len() > 8, "rows are never taken away: {rows:#?}");
    for path in ["/tenants/acme/audit?limit=200", "/tenants/acme/audit?limit=200&after=1"] {
        let seen = later.get(path).await.unwrap();
        assert_eq!(seen["items"].as_array().unwrap(), own, "{path}");
    }
    let verified = later.get("/tenants/acme/audit/verify").await.unwrap();
    assert_eq!(verified["rows"], 2);
    let whole = operator.get("/tenants/acme/audit/verify").await.unwrap();
    assert_eq!((&whole["rows"], &whole["head"]), (&json!(rows.len()), &verified["head"]));
    // Where an earlier row stands is not told either; the own ones go on as they did.
    let head = |row: &Value| format!("{}:{}", row["seq"], row["hash"].as_str().unwrap());
    for (row, code) in [(&rows[0], "audit-differs"), (&own[0], "")] {
        let path = format!("/tenants/acme/audit/verify?expect={}", head(row));
        assert_eq!(later.ask(Method::GET, &path, None).await.unwrap().code(), code);
        assert_eq!(operator.ask(Method::GET, &path, None).await.unwrap().code(), "");
    }
}

#[tokio::test]
async fn what_the_file_had_lost_for_a_while_reads_its_own_audit_and_no_earlier_ones() {
    let hosted = Hosted::start().await;
    hosted.tenant("acme", "tally").await;
    hosted.operator.delete("/tenants/acme").await.unwrap();
    let tenants = |acme: Value| json!({"tenants": {"demo": null, "acme": acme}});
    let bot = json!({"bots": {"bot": {"component": plugin("echo").unwrap()}}});
    let (with, without) = (tenants(bot), tenants(Value::Null));
    let admin = json!({"scope": "admin"});
    let mut own = Vec::new();
    let mut hosted = hosted.again(with.clone()).await;
    for lost in [false, true] {
        if lost {
            hosted = hosted.again(without.clone()).await.again(with.clone()).await;
        }
        let operator = &hosted.operator;
        let token = operator.post("/tenants/acme/tokens", admin.clone()).await.unwrap();
        let admin = operator.with(token["token"].as_str().unwrap());
        let seen = admin.get("/tenants/acme/audit?limit=200").await.unwrap();
        let seen = seen["items"].as_array().unwrap().clone();
        let whole = operator.get("/tenants/acme/audit?limit=200").await.unwrap();
        let rows = whole["items"].as_array().unwrap();
        assert_eq!(seen[0]["actor"], "settings", "nothing of the earlier one: {seen:#?}");
        assert!(seen.len() + 8 < rows.len() && rows.ends_with(&seen), "{rows:#?}");
        assert!(seen.starts_with(&own), "what was its own is so again: {seen:#?}");
        own = seen;
    }
    // Whoever has the name after it has nothing of it, though the file had lost it before.
    let hosted = hosted.again(without).await;
    let taken = hosted.operator.ask(Method::POST, "/tenants", Some(json!({"name": "acme"}))).await;
    let taken = taken.unwrap();
    assert_eq!(taken.code(), "in-use", "also where it left no conversation: {}", taken.body);
    assert!(taken.body["detail"].as_str().unwrap().contains("botyard tenant delete acme"));
    hosted.operator.delete("/tenants/acme").await.unwrap();
    let hosted = hosted.again(with).await;
    let token = hosted.operator.post("/tenants/acme/tokens", admin).await.unwrap();
    let later = hosted.operator.with(token["token"].as_str().unwrap());
    let seen = later.get("/tenants/acme/audit?limit=200").await.unwrap();
    assert!(seen["items"][0]["seq"].as_u64() > own.last().unwrap()["seq"].as_u64(), "{seen}");
}

#[tokio::test]
async fn the_operators_own_things_outlive_settings_of_that_name() {
    let directory = tempfile::Builder::new().prefix("botyard-it-").tempdir().unwrap();
    let without = settings(directory.path(), json!({}));
    let host = Host::start(&without).await.unwrap();
    let operator = host.management();
    operator.put("/tenants/operator/bots/counts", json!({"offered": true})).await.unwrap();
    let token = operator.token;
    host.stop().await.unwrap();

    let own = json!({"bots": {"filed": {"component": plugin("echo").unwrap()}}});
    let bots = async |config: &Config| {
        let host = Host::start(config).await.unwrap();
        let operator = Management { token: token.clone(), ..host.management() };
        let bots = operator.get("/tenants/operator/bots").await.unwrap();
        let tokens = operator.get("/tenants/operator/tokens").await.unwrap();
        assert_eq!(tokens["items"].as_array().unwrap().len(), 1, "{tokens}");
        host.stop().await.unwrap();
        let names = bots["items"].as_array().unwrap().iter().map(|bot| bot["name"].clone());
        names.collect::<Vec<_>>()
    };
    assert_eq!(
        bots(&settings(directory.path(), json!({"operator": own}))).await,
        ["counts", "filed"]
    );
    assert_eq!(bots(&without).await, ["counts"]);
}

#[tokio::test]
async fn a_channels_name_that_is_taken_tells_nothing_of_who_has_it() {
    let hosted = Hosted::start().await;
    let acme = hosted.tenant("acme", "tally").await;
    let other = hosted.tenant("other", "tally").await;
    acme.put("/tenants/acme/channels/shop", hosted.channel()).await.unwrap();
    let refused = async |name: &str, settings: Value| {
        let path = format!("/tenants/other/channels/{name}");
        let answered = other.ask(Method::PUT, &path, Some(settings)).await.unwrap();
        assert_eq!((answered.status.as_u16(), answered.code()), (409, "already-exists"));
        answered.body["detail"].as_str().unwrap().replace(name, "NAME")
    };
    let detail = refused("shop", hosted.channel()).await;
    assert!(detail.contains("webhook URL") && detail.contains("Take another"), "{detail}");
    assert!(!detail.contains("acme"), "{detail}");
    // Nor how it is: a paused one and one that the settings say nothing right of are the same.
    acme.post("/tenants/acme/channels/shop/pause", json!({})).await.unwrap();
    assert_eq!(refused("shop", hosted.channel()).await, detail);
    assert_eq!(refused("shop", json!({"settings": {}})).await, detail);
    // It is not there for whoever looks, like one that is nobody's.
    for name in ["shop", "nobodys"] {
        for (method, step) in [(Method::GET, ""), (Method::DELETE, ""), (Method::POST, "/pause")] {
            let path = format!("/tenants/other/channels/{name}{step}");
            let answered = other.ask(method, &path, Some(json!({}))).await.unwrap();
            assert_eq!((answered.status.as_u16(), answered.code()), (404, "not-found"), "{path}");
        }
    }
    // A name that is given back is free.
    acme.delete("/tenants/acme/channels/shop").await.unwrap();
    other.put("/tenants/other/channels/shop", hosted.channel()).await.unwrap();
}
