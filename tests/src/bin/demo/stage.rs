//! What the demo plays on: host, Userlike, shop.

use std::time::Duration;

use anyhow::Result;
use botyard_tests::client::userlike::Webhook;
use botyard_tests::host::{Bot, Channel, Config, Host, plugin};
use botyard_tests::peers::shop::Shop;
use botyard_tests::peers::userlike::Userlike;
use serde_json::json;
use tempfile::TempDir;

use crate::elsewhere::Elsewhere;

const HEADER: &str = "API-SECURITY-TOKEN";
// Secrets of this demo only: everything that they open runs on this machine
// and ends with it.
const SECRET: &str = "demo-webhook-secret";
const TOKEN: &str = "demo-api-token";
const SIGNAL_TOKEN: &str = "demo-signal-token";
/// How long the shop takes to look an order up.
const SHOP_DELAY: Duration = Duration::from_millis(1_500);

pub(crate) struct Stage {
    pub(crate) host: Host,
    pub(crate) userlike: Userlike,
    pub(crate) elsewhere: Elsewhere,
    pub(crate) lead: Webhook,
    pub(crate) orders: Webhook,
    // They live as long as the stage.
    _shop: Shop,
    _directory: TempDir,
}

impl Stage {
    pub(crate) async fn set() -> Result<Self> {
        let directory = tempfile::Builder::new().prefix("botyard-demo-").tempdir()?;
        let shop = Shop::start(SHOP_DELAY).await?;
        let userlike = Userlike::start(TOKEN).await?;
        let elsewhere = Elsewhere::open()?;
        let channels = elsewhere.channels();
        let lead = Bot { component: plugin("lead")?, config: [].into(), hosts: Vec::new() };
        let orders = Bot {
            component: plugin("orders")?,
            config: [("shop-url".to_owned(), shop.url())].into(),
            hosts: vec![shop.authority()],
        };
        let config = Config::new(directory.path())
            .bot("lead", lead)
            .bot("orders", orders)
            .channel("demo-lead", channel("lead", &userlike))
            .channel("demo-orders", channel("orders", &userlike))
            .with(json!({ "tenants": { "demo": { "channels": channels } } }));
        let host = Host::start(&config).await?;
        let webhook = |channel: &str| Webhook {
            url: format!("{}/webhooks/{channel}", host.url()),
            header: Some((HEADER.to_owned(), SECRET.to_owned())),
        };
        Ok(Self {
            lead: webhook("demo-lead"),
            orders: webhook("demo-orders"),
            host,
            userlike,
            elsewhere,
            _shop: shop,
            _directory: directory,
        })
    }
}

fn channel(bot: &str, userlike: &Userlike) -> Channel {
    Channel {
        vendor: "userlike".to_owned(),
        bot: bot.to_owned(),
        webhook_header: Some(HEADER.to_owned()),
        webhook_secret: SECRET.to_owned(),
        api_url: userlike.api_url(),
        api_token: TOKEN.to_owned(),
        signal_token: SIGNAL_TOKEN.to_owned(),
        desk_token: None,
    }
}
