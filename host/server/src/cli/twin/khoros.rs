//! `botyard twin khoros`.

use botyard_twins::account::Conduct;
use botyard_twins::console::Talk;
use botyard_twins::khoros::{self, Hmac, Options};
use clap::Args;
use serde_json::json;

use super::play::{Play, webhook};
use super::settings::{Secret, greeting};

/// The name of the key, or of the user, that webhooks show.
const IDENTITY: &str = "botyard";
/// The user who makes tokens.
const USER: &str = "ops@example.invalid";

#[derive(Debug, Args)]
pub(in crate::cli) struct Khoros {
    /// The bot's webhook, for example <http://127.0.0.1:8080/webhooks/acme-care>.
    #[arg(long, value_name = "URL", value_parser = webhook)]
    webhook: String,
    /// The secret of webhooks; without it `twin-webhook-secret`.
    #[arg(long, env = "BOTYARD_TWIN_SECRET", hide_env_values = true)]
    webhook_secret: Option<String>,
    /// Sign webhooks (HMAC), in place of a user name and a password (`BASIC_AUTH`).
    #[arg(long)]
    hmac: bool,
    /// The password of the user who makes tokens; without it `twin-password`.
    #[arg(long, env = "BOTYARD_TWIN_PASSWORD", hide_env_values = true)]
    password: Option<String>,
    /// The network that the author writes on: its key at Khoros.
    #[arg(long, default_value = "facebook")]
    medium: String,
    /// The company's key.
    #[arg(long, default_value = "acmehotel")]
    company_key: String,
    /// The bot's id at Khoros.
    #[arg(long, default_value = "acme-bot")]
    app_id: String,
    /// The author's id on the network.
    #[arg(long, default_value = "7200011122")]
    author: String,
    #[command(flatten)]
    play: Play,
}

impl Khoros {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let secret = Secret::new(self.webhook_secret, "twin-webhook-secret");
        let password = Secret::new(self.password, "twin-password");
        let options = Options {
            company_key: self.company_key.clone(),
            network_key: self.medium.clone(),
            app_id: self.app_id.clone(),
            // No page shows the form; this is what a host takes that is told nothing else.
            hmac: Hmac {
                header: "x-hmac-signature".to_owned(),
                prefix: String::new(),
                base64: true,
            },
            ..Options::new(USER, password.value())
        };
        let conduct = self.play.conduct(Conduct::default());
        let twin = khoros::start_at(options, conduct, self.play.listen)?;
        let (method, kind) = if self.hmac { ("hmac", "HMAC") } else { ("basic", "BASIC_AUTH") };
        let account = twin.account();
        let registered = account.register(&self.webhook, kind, IDENTITY, secret.value());
        registered.map_err(anyhow::Error::msg)?;
        let channel = json!({
            "company-key": self.company_key,
            "app-id": self.app_id,
            "gateway-url": format!("{}/bots/v3", twin.url()),
            "token-url": format!("{}{}{}", twin.url(), khoros::document::TOKEN_BASE, self.app_id),
            "user": USER,
            "password": password.shown(),
            "webhook-method": method,
            "webhook-identity": IDENTITY,
            "webhook-secret": secret.shown(),
        });
        let who = format!("Khoros' twin: author {} on {}", self.author, self.medium);
        let greeting = greeting(&who, &self.webhook, "khoros", channel)?;
        let side = Talk::khoros(account, &self.author);
        self.play.run("Khoros", side, &greeting).await
    }
}
