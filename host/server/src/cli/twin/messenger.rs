//! `botyard twin messenger`, and `botyard twin lexer`, which rides on it.

use std::net::SocketAddr;

use botyard_twins::account::{Conduct, Twin};
use botyard_twins::console::Talk;
use botyard_twins::lexer::{self, Hub};
use botyard_twins::messenger::{self, HOOK, Medium, Noise, Options, Page};
use clap::Args;
use serde_json::{Value, json};

use super::play::{Play, webhook};
use super::settings::{Secret, greeting};

/// A page.
#[derive(Debug, Args)]
pub(super) struct Facebook {
    /// The bot's webhook, for example <http://127.0.0.1:8080/webhooks/acme-page>.
    #[arg(long, value_name = "URL", value_parser = webhook)]
    webhook: String,
    /// What webhooks are signed with; without it `twin-app-secret`.
    #[arg(long, env = "BOTYARD_TWIN_SECRET", hide_env_values = true)]
    app_secret: Option<String>,
    /// The token that calls have to show; without it `twin-page-token`.
    #[arg(long, env = "BOTYARD_TWIN_TOKEN", hide_env_values = true)]
    page_token: Option<String>,
    /// What the webhook's check shows; without it `twin-verify-token`.
    #[arg(long, env = "BOTYARD_TWIN_VERIFY_TOKEN", hide_env_values = true)]
    verify_token: Option<String>,
    /// What the person writes on: facebook or instagram.
    #[arg(long, default_value = "facebook", value_parser = medium)]
    medium: Medium,
    /// The person's id on the page.
    #[arg(long, default_value = "2410099887766")]
    person: String,
    /// The webhooks also tell what was delivered and read.
    #[arg(long)]
    noise: bool,
}

/// Messenger alone.
#[derive(Debug, Args)]
pub(in crate::cli) struct Messenger {
    #[command(flatten)]
    page: Facebook,
    #[command(flatten)]
    play: Play,
}

/// Lexer Respond, and a page.
#[derive(Debug, Args)]
pub(in crate::cli) struct Lexer {
    #[command(flatten)]
    page: Facebook,
    /// The token of the bot user in Lexer; without it `twin-lexer-token`.
    #[arg(long, env = "BOTYARD_TWIN_LEXER_TOKEN", hide_env_values = true)]
    lexer_token: Option<String>,
    /// The number of the client in Lexer.
    #[arg(long, default_value_t = 42)]
    client_id: u64,
    /// Where Lexer's API is served; port 0 is a free one. `--listen` is Messenger's.
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:0")]
    hub_listen: SocketAddr,
    #[command(flatten)]
    play: Play,
}

impl Messenger {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (twin, channel) = self.page.start(&self.play).await?;
        let who = self.page.who("Messenger's twin");
        let greeting = greeting(&who, &self.page.webhook, "messenger", channel)?;
        let side = Talk::messenger(twin.account(), &self.page.person);
        self.play.run("Messenger", side, &greeting).await
    }
}

impl Lexer {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let (twin, page) = self.page.start(&self.play).await?;
        let token = Secret::new(self.lexer_token, "twin-lexer-token");
        let page_id = page_id();
        let hub = Hub {
            client_id: self.client_id,
            token: token.value().to_owned(),
            accounts: vec![page_id.clone()],
        };
        let conduct = self.play.conduct(Conduct::default());
        let hub = lexer::start_at(hub, conduct, self.hub_listen)?;
        let channel = json!({
            "client-id": self.client_id,
            "token": token.shown(),
            "hub-url": hub.url(),
            "messenger": page,
        });
        let who = self.page.who("Lexer's and Messenger's twins");
        let greeting = greeting(&who, &self.page.webhook, "lexer", channel)?;
        let (page, hub) = (twin.account(), hub.account());
        let side = lexer::Person::new(page, hub, &page_id, &self.page.person);
        self.play.run("Messenger or Lexer", side, &greeting).await
    }
}

impl Facebook {
    /// The page, and what the channel of a host needs to reach it.
    async fn start(&self, play: &Play) -> anyhow::Result<(Twin<Page>, Value)> {
        let app_secret = Secret::new(self.app_secret.clone(), "twin-app-secret");
        let page_token = Secret::new(self.page_token.clone(), "twin-page-token");
        let verify_token = Secret::new(self.verify_token.clone(), "twin-verify-token");
        let usual = Options::new(app_secret.value(), verify_token.value(), page_token.value());
        let noise = if self.noise { Noise::ALL } else { usual.noise };
        let options = Options { medium: self.medium, noise, ..usual };
        let channel = json!({
            "app-secret": app_secret.shown(),
            "verify-token": verify_token.shown(),
            "page-token": page_token.shown(),
            "app-id": options.app_id,
        });
        let conduct = play.conduct(messenger::conduct());
        let twin = messenger::start_at(options, conduct, play.listen)?;
        twin.account().point(HOOK, &self.webhook);
        let mut channel = channel;
        channel["graph-url"] = json!(format!("{}/v23.0", twin.url()));
        Ok((twin, channel))
    }

    fn who(&self, twin: &str) -> String {
        format!("{twin}: person {} on {}", self.person, self.medium.name())
    }
}

/// The page of all twins.
fn page_id() -> String {
    Options::new("", "", "").page_id
}

fn medium(name: &str) -> Result<Medium, String> {
    Medium::ALL.iter().copied().find(|medium| medium.name() == name).ok_or_else(|| {
        let names: Vec<_> = Medium::ALL.iter().map(|medium| medium.name()).collect();
        format!("there is no medium `{name}`: choose one of {}", names.join(", "))
    })
}
