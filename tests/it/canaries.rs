//! No secret is where it can be read: a full run, then everything that the host has
//! written, logged, counted and answered is searched for the secrets that went in.

use std::fs;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use botyard_tests::client::management::Management;
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::operate;
use botyard_tests::peers::pager::Pager;
use botyard_tests::site::{HEADER, SECRET, TOKEN};
use botyard_tests::wait;
use botyard_twins::userlike::Contact;
use http::Method;
use serde_json::json;

use crate::hosted::Hosted;

const WITHIN: Duration = Duration::from_secs(30);
/// So many failures trip the breaker of a bot.
const BOT_FAILURES: usize = 20;
/// Secrets that a bot's settings name, one that signs notices, and one that is only put.
const OF_SETTINGS: [(&str, &str); 4] = [
    ("notice-key", "whsec_Y2FuYXJ5LW9mLXRoZS1ub3RpY2Uta2V5LTI0"),
    ("shop-key", "canary-of-the-shop-key"),
    ("header-key", "canary-of-a-header"),
    ("unused", "canary-that-nothing-names"),
];
/// What is no secret: it must be found, or the search is worth nothing.
const IN_THE_OPEN: &str = "words that anybody may read";
/// It goes the same ways as the secrets that the bot is told, and is not known to be one: so
/// nothing seals it and nothing takes it out, and it shows what these two are good for.
const UNGUARDED: &str = "canary-that-nothing-guards";

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
        "/storage",
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

/// Follows the log of the bot, and keeps what it says.
async fn followed(hosted: &Hosted, admin: &Management) -> Arc<Mutex<String>> {
    let url = format!("{}/v1/tenants/acme/bots/bot/logs/live", hosted.host.url());
    let client = botyard_tests::client::userlike::client().unwrap();
    let request = client.get(url).bearer_auth(admin.token.as_ref().unwrap());
    let mut live = request.send().await.unwrap().error_for_status().unwrap();
    let heard = Arc::<Mutex<String>>::default();
    let keeps = Arc::clone(&heard);
    tokio::spawn(async move {
        while let Ok(Some(piece)) = live.chunk().await {
            keeps.lock().unwrap().push_str(&String::from_utf8_lossy(&piece));
        }
    });
    heard
}

/// What the host says to who asks for what is wrong, or shows what is not right.
async fn refusals(hosted: &Hosted, admin: &Management) -> String {
    let mut said = String::new();
    let webhook = Webhook {
        url: format!("{}/webhooks/acme-web", hosted.host.url()),
        header: Some((HEADER.to_owned(), format!("{SECRET}-and-more"))),
    };
    let account = hosted.userlike.account();
    let stranger = Conversation::open(account, &webhook, Contact::new()).unwrap();
    assert_eq!(stranger.start().await.unwrap().status, 401);
    let refused = reqwest::Client::new().post(&webhook.url).header(HEADER, "x").body("{}").send();
    said.push_str(&refused.await.unwrap().text().await.unwrap());
    let mut elsewhere = hosted.channel();
    elsewhere["settings"]["api-url"] = json!({"secret": "token"});
    let wrongs = [
        ("bots/bot", json!({"settings": {"config": {"shop": {"secret": "shop-key", "more": 1}}}})),
        ("bots/bot", json!({"settings": {"hosts": [{"secret": "header-key"}]}})),
        ("bots/bot", json!({"settings": {"overlap": {"secret": "shop-key"}}})),
        ("channels/acme-web", elsewhere),
        ("relays/care", json!({"settings": {"vendor": {"secret": "unused"}}})),
    ];
    for (path, wrong) in wrongs {
        let path = format!("/tenants/acme/{path}");
        let refused = admin.ask(Method::PUT, &path, Some(wrong)).await.unwrap();
        assert!(refused.status.is_client_error(), "{path}: {}", refused.body);
        said.push_str(&refused.body.to_string());
    }
    let nearly = admin.with(&format!("{}x", admin.token.as_ref().unwrap()));
    said.push_str(&nearly.ask(Method::GET, "/whoami", None).await.unwrap().body.to_string());
    said
}

/// Makes the bot break down with all that it was told until its owner hears of it.
async fn notices(conversation: &Conversation, owner: &Pager) -> String {
    for _ in 0..BOT_FAILURES + 5 {
        conversation.message("break-config").await.unwrap();
    }
    let posted = owner.wait_posted(2, WITHIN).await.unwrap();
    owner.verified(OF_SETTINGS[0].1).unwrap();
    posted.iter().map(ToString::to_string).collect()
}

#[tokio::test]
async fn no_secret_is_in_what_the_host_writes_logs_counts_or_says() {
    let hosted = Hosted::start().await;
    let admin = hosted.tenant("acme", "puppet").await;
    for (name, value) in OF_SETTINGS {
        let path = format!("/tenants/acme/secrets/{name}");
        admin.put(&path, json!({"value": value})).await.unwrap();
    }
    let owner = Pager::start().unwrap();
    admin.put("/tenants/acme/secrets/owner", json!({"value": owner.url()})).await.unwrap();
    let [url, key] = ["owner", "notice-key"].map(|name| json!({"secret": name}));
    let alerts = json!({"alert-url": url, "alert-secret": key});
    let alerts = Some(json!({"settings": alerts}));
    let set = admin.ask(Method::PATCH, "/tenants/acme", alerts).await.unwrap();
    assert!(set.status.is_success(), "{}", set.body);
    let settings = json!({"settings": {
        "config": {"shop": {"secret": "shop-key"}, "open": UNGUARDED},
        "http-headers": {"shop.example": {"x-key": {"secret": "header-key"}}},
        "hosts": ["shop.example"],
    }});
    admin.put("/tenants/acme/bots/bot", settings).await.unwrap();
    let live = followed(&hosted, &admin).await;
    let conversation = hosted.open("acme-web");
    conversation.start().await.unwrap();
    let script = format!("say {IN_THE_OPEN}\nnote-config\nfetch https://shop.example/\nwork 1");
    conversation.message(&script).await.unwrap();
    conversation.message("many words").await.unwrap();
    let notices = notices(&conversation, &owner).await;
    let refusals = refusals(&hosted, &admin).await;
    let copy = hosted.directory.path().join("copy");
    operate(&hosted.config, &["backup", copy.to_str().unwrap()]).await.unwrap();
    operate(&hosted.config, &["rotate-key"]).await.unwrap();
    let key = conversation.cid.replace(':', "%3A");
    let answers = answers(&admin, &key).await;
    let metrics = reqwest::get(format!("{}/metrics", hosted.host.url())).await.unwrap();
    let heard = || Some(live.lock().unwrap().clone()).filter(|it| it.contains("shop=[secret]"));
    let live = wait::until("the bot's lines in the live log", WITHIN, heard).await.unwrap();
    // Each place with words that show that it was searched.
    let said = [
        (answers, IN_THE_OPEN),
        (live, "event: turn"),
        (notices, "bot.suspended"),
        (refusals, "cannot-run"),
        (metrics.text().await.unwrap(), "botyard_turns_total"),
        (hosted.host.log(), "bot keeps failing"),
    ];
    for (text, shows) in &said {
        assert!(text.contains(shows), "`{shows}` is not in {text}");
    }
    let directory = hosted.directory.path();
    let found = holder(directory, IN_THE_OPEN.as_bytes());
    assert!(found.is_some(), "the search finds nothing at all");

    // The control: without sealing and redaction a secret would be in all of these.
    for place in [directory, &copy] {
        assert!(holder(place, UNGUARDED.as_bytes()).is_some(), "not in {}", place.display());
    }
    for (text, _) in &said[..2] {
        assert!(text.contains(&format!("open={UNGUARDED}")), "the bot wrote it: {text}");
        assert!(text.contains("shop=[secret]"), "{text}");
    }

    let own = admin.token.as_deref().unwrap();
    let operators = hosted.operator.token.as_deref().unwrap();
    let secrets = OF_SETTINGS.map(|(_, value)| value);
    for secret in secrets.into_iter().chain([SECRET, TOKEN, own, operators]) {
        assert_eq!(holder(directory, secret.as_bytes()), None, "{secret}");
        for (text, _) in &said {
            assert!(!text.contains(secret), "{secret} was said: {text}");
        }
    }
}
