//! `botyard twin instabot`.

use botyard_twins::account::Conduct;
use botyard_twins::console::Talk;
use botyard_twins::instabot::{BASE, Options, start_client_at};
use clap::Args;
use serde_json::json;

use super::play::{Play, webhook};
use super::settings::{Secret, greeting};

#[derive(Debug, Args)]
pub(in crate::cli) struct Instabot {
    /// The channel's webhook, which the client takes for Instabot's address, for example
    /// <http://127.0.0.1:8080/webhooks/acme-chat>.
    #[arg(long, value_name = "URL", value_parser = webhook)]
    webhook: String,
    /// What a start shows; without it `twin-api-key`.
    #[arg(long, env = "BOTYARD_TWIN_TOKEN", hide_env_values = true)]
    api_key: Option<String>,
    /// The bot's number.
    #[arg(long, default_value_t = 474_960_032)]
    bot_id: u64,
    /// The user's address.
    #[arg(long, default_value = "guest@example.invalid")]
    email: String,
    /// Starts name no address for what comes later.
    #[arg(long)]
    no_callback: bool,
    #[command(flatten)]
    play: Play,
}

impl Instabot {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let api_key = Secret::new(self.api_key, "twin-api-key");
        let options = Options {
            api_key: api_key.value().to_owned(),
            bot_id: self.bot_id,
            has_callback: !self.no_callback,
        };
        let conduct = self.play.conduct(Conduct::default());
        let twin = start_client_at(options, conduct, self.play.listen)?;
        let account = twin.account();
        account.point(BASE, &self.webhook);
        let channel = json!({
            "bot-id": self.bot_id,
            "api-key": api_key.shown(),
            // The host's own: the client never learns it.
            "stream-secret": "twin-stream-secret-of-32-characters-or-more",
            "dialect": { "plain-callbacks": true },
        });
        let who = format!("A client of Instabot's Chat API: {}", self.email);
        let greeting = greeting(&who, &self.webhook, "instabot", channel)?;
        let side = Talk::instabot(account, &self.email);
        self.play.run("The client", side, &greeting).await
    }
}
