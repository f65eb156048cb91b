//! A host without tenants, whom others may bring.

use std::fs;

use botyard_tests::client::management::{Management, userlike_channel};
use botyard_tests::client::userlike::{Conversation, Webhook};
use botyard_tests::host::{Config, Host, plugin};
use botyard_tests::site::{HEADER, SECRET, TOKEN, patience};
use botyard_twins::userlike::{Contact, Userlike};
use http::StatusCode;
use serde_json::{Value, json};

/// A host without any tenant, and Userlike's side.
pub(crate) struct Hosted {
    pub(crate) host: Host,
    pub(crate) operator: Management,
    pub(crate) userlike: Userlike,
    pub(crate) config: Config,
    pub(crate) directory: tempfile::TempDir,
}

impl Hosted {
    pub(crate) async fn start() -> Self {
        let directory = tempfile::Builder::new().prefix("botyard-it-").tempdir().unwrap();
        let settings = json!({"tenants": null, "runtime": patience()});
        let config = Config::new(directory.path()).with(settings);
        let host = Host::start(&config).await.unwrap();
        let operator = host.management();
        let userlike = Userlike::start(TOKEN).await.unwrap();
        Self { host, operator, userlike, config, directory }
    }

    /// The same after another start, with other settings.
    pub(crate) async fn again(self, settings: Value) -> Self {
        let Self { host, operator, userlike, config, directory } = self;
        drop(host);
        let config = config.with(settings);
        let host = Host::start(&config).await.unwrap();
        let operator = Management { url: host.url().to_owned(), ..operator };
        Self { host, operator, userlike, config, directory }
    }

    /// A tenant with a bot that answers in a channel of the same name.
    pub(crate) async fn tenant(&self, name: &str, bot: &str) -> Management {
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

    pub(crate) async fn upload(&self, admin: &Management, tenant: &str, bot: &str) -> String {
        let wasm = fs::read(plugin(bot).unwrap()).unwrap();
        let path = format!("/tenants/{tenant}/bots/bot/versions");
        let answered = admin.upload(&path, wasm).await.unwrap();
        assert_eq!(answered.status, StatusCode::CREATED, "{}", answered.body);
        answered.body["digest"].as_str().unwrap().to_owned()
    }

    pub(crate) fn channel(&self) -> Value {
        userlike_channel("bot", &self.userlike.api_url())
    }

    pub(crate) fn open(&self, channel: &str) -> Conversation {
        let webhook = Webhook {
            url: format!("{}/webhooks/{channel}", self.host.url()),
            header: Some((HEADER.to_owned(), SECRET.to_owned())),
        };
        Conversation::open(self.userlike.account(), &webhook, Contact::new()).unwrap()
    }
}
