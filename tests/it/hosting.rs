//! Tenants that come, upload and deploy while the host runs.

use std::fs;

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::{Config, Host, plugin};
use botyard_tests::site::{HEADER, SECRET, TOKEN};
use botyard_twins::userlike::{Contact, Userlike};
use http::{Method, StatusCode};
use serde_json::{Value, json};

/// A host without any tenant, and Userlike's side.
struct Hosted {
    host: Host,
    operator: Management,
    userlike: Userlike,
    config: Config,
    _directory: tempfile::TempDir,
}

impl Hosted {
    async fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("botyard-it-").tempdir().unwrap();
        let config = Config::new(directory.path()).with(json!({"tenants": null}));
        let host = Host::start(&config).await.unwrap();
        let operator = host.management();
        let userlike = Userlike::start(TOKEN).await.unwrap();
        Self { host, operator, userlike, config, _directory: directory }
    }

    /// A tenant with a bot that answers in a channel of the same name.
    async fn tenant(&self, name: &str, bot: &str) -> Management {
        let operator = &self.operator;
        operator.post("/tenants", json!({"name": name})).await.unwrap();
        let token = json!({"scope": "admin", "texts": "full"});
        let token = operator.post(&format!("/tenants/{name}/tokens"), token).await.unwrap();
        let admin = operator.with(token["token"].as_str().unwrap());
        let own = format!("/tenants/{name}");
        admin.put(&format!("{own}/secrets/token"), json!({"value": TOKEN})).await.unwrap();
        admin.put(&format!("{own}/secrets/webhook"), json!({"value": SECRET})).await.unwrap();
        admin.put(&format!("{own}/bots/bot"), json!({})).await.unwrap();
        let digest = self.upload(&admin, name, bot).await;
        let deploy = json!({"action": "deploy", "version": digest});
        admin.post(&format!("{own}/bots/bot/deployment"), deploy).await.unwrap();
        admin.put(&format!("{own}/channels/{name}-web"), self.channel()).await.unwrap();
        admin
    }

    async fn upload(&self, admin: &Management, tenant: &str, bot: &str) -> String {
        let wasm = fs::read(plugin(bot).unwrap()).unwrap();
        let path = format!("/tenants/{tenant}/bots/bot/versions");
        let answered = admin.upload(&path, wasm).await.unwrap();
        assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.body);
        answered.body["digest"].as_str().unwrap().to_owned()
    }

    fn channel(&self) -> Value {
        json!({"settings": {
            "vendor": "userlike",
            "bot": "bot",
            "webhook-header": HEADER,
            "webhook-secret": {"secret": "webhook"},
            "api-url": self.userlike.api_url(),
            "api-token": {"secret": "token"},
        }})
    }

    fn open(&self, channel: &str) -> Conversation {
        let webhook = Webhook {
            url: format!("{}/webhooks/{channel}", self.host.url()),
            header: Some((HEADER.to_owned(), SECRET.to_owned())),
        };
        Conversation::open(self.userlike.account(), &webhook, Contact::new()).unwrap()
    }
}

#[tokio::test]
async fn a_tenant_comes_uploads_and_is_answered_without_a_restart() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let conversation = hosted.open("acme-web");
    assert_eq!(conversation.start().await.unwrap().texts(), ["1 1 start"]);
    assert_eq!(conversation.message("one").await.unwrap().texts(), ["2 2 one"]);
    let bots = admin.get("/tenants/acme/bots").await.unwrap();
    assert_eq!(bots["items"][0]["name"], "bot");
    let channel = admin.get("/tenants/acme/channels/acme-web").await.unwrap();
    assert_eq!(channel["runs"], true);
    assert!(channel["webhook_url"].as_str().unwrap().ends_with("/webhooks/acme-web"));
    let text = channel.to_string();
    assert!(!text.contains(SECRET) && !text.contains(TOKEN), "{text}");
    let verified = admin.get("/tenants/acme/audit/verify").await.unwrap();
    assert!(verified["rows"].as_u64().unwrap() >= 7, "{verified}");

    // All of it is there after a restart, and the token of the first start is not shown
    // again.
    let Hosted { host, userlike, config, _directory, .. } = hosted;
    drop(host);
    let host = Host::start(&config).await.unwrap();
    assert_eq!(host.management().token, None);
    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", host.url()),
        header: Some((HEADER.to_owned(), SECRET.to_owned())),
    };
    let again = Conversation::open(userlike.account(), &webhook, Contact::new()).unwrap();
    assert_eq!(again.start().await.unwrap().texts(), ["1 1 start"]);
}

#[tokio::test]
async fn what_is_another_tenants_is_not_there() {
    let hosted = Hosted::start().await;
    let acme = hosted.tenant("acme", "tally").await;
    let other = hosted.tenant("other", "tally").await;
    for path in [
        "/tenants/acme",
        "/tenants/acme/bots",
        "/tenants/acme/bots/bot",
        "/tenants/acme/channels/acme-web",
        "/tenants/acme/secrets",
        "/tenants/acme/tokens",
        "/tenants/acme/audit",
        "/tenants/nobody/bots",
    ] {
        let answered = other.ask(Method::GET, path, None).await.unwrap();
        assert_eq!(
            (answered.status, answered.code()),
            (StatusCode::NOT_FOUND, "not-found"),
            "{path}"
        );
    }
    let taken = other.ask(Method::PUT, "/tenants/other/channels/acme-web", Some(hosted.channel()));
    let taken = taken.await.unwrap();
    assert_eq!((taken.status, taken.code()), (StatusCode::CONFLICT, "already-exists"));
    let nobody = Management { token: None, ..acme.clone() };
    let answered = nobody.ask(Method::GET, "/tenants/acme", None).await.unwrap();
    assert_eq!((answered.status, answered.code()), (StatusCode::UNAUTHORIZED, "unauthorized"));
    let forbidden =
        acme.ask(Method::POST, "/tenants", Some(json!({"name": "mine"}))).await.unwrap();
    assert_eq!(forbidden.status, StatusCode::NOT_FOUND, "the host is not the tenant's");
}

#[tokio::test]
async fn a_session_goes_on_with_the_version_that_it_began_with() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let old = hosted.open("acme-web");
    assert_eq!(old.start().await.unwrap().texts(), ["1 1 start"]);
    let path = "/tenants/acme/bots/bot/deployment";
    let digest = hosted.upload(&admin, "acme", "echo").await;
    // An upload changes no traffic.
    assert_eq!(hosted.open("acme-web").start().await.unwrap().texts(), ["1 1 start"]);
    let deploy = json!({"action": "deploy", "version": digest, "revision": 1});
    let deployed = admin.post(path, deploy.clone()).await.unwrap();
    assert_eq!(deployed["revision"], 2);
    let stale = admin.ask(Method::POST, path, Some(deploy)).await.unwrap();
    assert_eq!((stale.status, stale.code()), (StatusCode::CONFLICT, "stale"));
    assert_eq!(old.message("one").await.unwrap().texts(), ["2 2 one"]);
    let new = hosted.open("acme-web");
    assert_ne!(new.start().await.unwrap().texts(), ["1 1 start"]);
    // Rolled back, it is bad: its sessions go on with the version before.
    admin.post(path, json!({"action": "roll-back"})).await.unwrap();
    assert_eq!(new.message("two").await.unwrap().texts(), ["1 1 two"]);
}

#[tokio::test]
async fn what_waits_for_a_first_version_is_answered_when_it_comes() {
    let hosted = Hosted::start().await;
    let operator = &hosted.operator;
    operator.post("/tenants", json!({"name": "acme"})).await.unwrap();
    for (name, value) in [("token", TOKEN), ("webhook", SECRET)] {
        let path = format!("/tenants/acme/secrets/{name}");
        operator.put(&path, json!({"value": value})).await.unwrap();
    }
    operator.put("/tenants/acme/bots/bot", json!({})).await.unwrap();
    operator.put("/tenants/acme/channels/acme-web", hosted.channel()).await.unwrap();
    let conversation = hosted.open("acme-web");
    assert_eq!(conversation.start().await.unwrap().texts(), [""; 0]);
    let digest = hosted.upload(operator, "acme", "tally").await;
    let deploy = json!({"action": "deploy", "version": digest});
    operator.post("/tenants/acme/bots/bot/deployment", deploy).await.unwrap();
    let account = hosted.userlike.account();
    account.wait_delivered(&conversation.cid, 1, std::time::Duration::from_secs(10)).await.unwrap();
}

#[tokio::test]
async fn what_is_wrong_is_refused_and_nothing_changes() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let channel = |changes: Value| {
        let mut channel = hosted.channel();
        for (key, value) in changes.as_object().unwrap() {
            channel["settings"][key] = value.clone();
        }
        channel
    };
    let rows = [
        (Method::PUT, "/bots/Bad", json!({}), 422, "bad-name"),
        (Method::PUT, "/bots/b", json!({"settings": {"host": []}}), 422, "cannot-run"),
        (Method::PUT, "/bots/b", json!({"shared": "none"}), 409, "in-use"),
        (Method::PUT, "/channels/x", channel(json!({"bot": "none"})), 422, "cannot-run"),
        (Method::PUT, "/channels/x", channel(json!({"api-url": "no"})), 422, "cannot-run"),
        (Method::PUT, "/channels/x", json!({"setting": {}}), 400, "bad-request"),
        (Method::DELETE, "/bots/bot", Value::Null, 409, "in-use"),
        (Method::DELETE, "/secrets/token", Value::Null, 409, "in-use"),
        (Method::DELETE, "/secrets/none", Value::Null, 404, "not-found"),
        (
            Method::POST,
            "/bots/bot/deployment",
            json!({"action": "promote"}),
            409,
            "deployment-refused",
        ),
        (Method::POST, "/bots/bot/deployment", json!({"action": "jump"}), 400, "bad-request"),
        (Method::POST, "/tokens", json!({"scope": "operator"}), 400, "bad-request"),
        (Method::GET, "/bots/none/versions", Value::Null, 404, "not-found"),
    ];
    let before = admin.get("/tenants/acme/audit").await.unwrap();
    for (method, path, body, status, code) in rows {
        let body = Some(body).filter(|body| !body.is_null());
        let path = format!("/tenants/acme{path}");
        let answered = admin.ask(method.clone(), &path, body).await.unwrap();
        let got = (answered.status.as_u16(), answered.code());
        assert_eq!(got, (status, code), "{method} {path}: {}", answered.body);
        assert!(!answered.body["detail"].as_str().unwrap().is_empty());
    }
    let refused =
        admin.upload("/tenants/acme/bots/bot/versions", b"no wasm".to_vec()).await.unwrap();
    assert_eq!((refused.status.as_u16(), refused.code()), (422, "component-refused"));
    assert_eq!(admin.get("/tenants/acme/audit").await.unwrap(), before);
}

#[tokio::test]
async fn a_token_is_rotated_revoked_and_expires() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "tally").await;
    let made = admin.post("/tenants/acme/tokens", json!({"scope": "read"})).await.unwrap();
    let id = made["id"].as_str().unwrap();
    let reader = admin.with(made["token"].as_str().unwrap());
    assert_eq!(reader.get("/whoami").await.unwrap()["scope"], "read");
    let forbidden = reader.ask(Method::PUT, "/tenants/acme/bots/b", Some(json!({}))).await.unwrap();
    assert_eq!((forbidden.status, forbidden.code()), (StatusCode::FORBIDDEN, "forbidden"));

    let path = format!("/tenants/acme/tokens/{id}/rotate");
    let rotated = reader.post(&path, json!({"overlap_ms": 60_000})).await.unwrap();
    let fresh = admin.with(rotated["token"].as_str().unwrap());
    for both in [&reader, &fresh] {
        both.get("/whoami").await.unwrap();
    }
    let rotated = fresh.post(&path, json!({})).await.unwrap();
    let newest = admin.with(rotated["token"].as_str().unwrap());
    for old in [&reader, &fresh] {
        let answered = old.ask(Method::GET, "/whoami", None).await.unwrap();
        assert_eq!(answered.status, StatusCode::UNAUTHORIZED);
    }
    admin.delete(&format!("/tenants/acme/tokens/{id}")).await.unwrap();
    let answered = newest.ask(Method::GET, "/whoami", None).await.unwrap();
    assert_eq!(answered.status, StatusCode::UNAUTHORIZED);

    let old = json!({"scope": "read", "expires_ms": 1});
    let old = admin.post("/tenants/acme/tokens", old).await.unwrap();
    let old = admin.with(old["token"].as_str().unwrap());
    let answered = old.ask(Method::GET, "/whoami", None).await.unwrap();
    assert_eq!((answered.status, answered.code()), (StatusCode::UNAUTHORIZED, "token-expired"));
}
