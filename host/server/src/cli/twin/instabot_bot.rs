//! `botyard twin instabot-bot`.

use anyhow::Context as _;
use botyard_twins::account::Conduct;
use botyard_twins::console::Talk;
use botyard_twins::instabot::{Node, start_bot_at};
use clap::Args;
use serde_json::json;

use super::play::Play;
use super::settings::Secret;

/// What the bot says at its end.
const GOODBYE: &str = "Thank you, goodbye.";

#[derive(Debug, Args)]
pub(in crate::cli) struct InstabotBot {
    /// What a start has to show; without it `twin-api-key`.
    #[arg(long, env = "BOTYARD_TWIN_TOKEN", hide_env_values = true)]
    api_key: Option<String>,
    /// The bot's number.
    #[arg(long, default_value_t = 474_960_032)]
    bot_id: u64,
    #[command(flatten)]
    play: Play,
}

impl InstabotBot {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let api_key = Secret::new(self.api_key, "twin-api-key");
        let conduct = self.play.conduct(Conduct::default());
        let listen = self.play.listen;
        let twin = start_bot_at(api_key.value(), self.bot_id, flow(), conduct, listen)?;
        let relay = json!({
            "vendor": "instabot",
            "base-url": twin.url(),
            "api-key": api_key.shown(),
            "bot-id": self.bot_id,
            "dialect": { "end-texts": [GOODBYE] },
        });
        let file = json!({
            "egress": { "allow-loopback": true },
            "tenants": { "TENANT": { "relays": { "care": relay } } },
        });
        let file = toml::to_string(&file).context("the settings are no TOML")?;
        let greeting = format!(
            "An Instabot with one bot, at {}\n\
             Your host needs these settings, with your tenant's name:\n\n{file}\n\
             A bot hands over by `forward` to the bot `care`. You are the live agent; /help lists \
             what can be done.",
            twin.url()
        );
        let side = Talk::instabot_agent(twin.account());
        self.play.run("Instabot", side, &greeting).await
    }
}

/// A bot with a menu, a question and an end.
fn flow() -> Vec<Node> {
    let options = [("rye".to_owned(), 1), ("spelt".to_owned(), 2)];
    vec![
        Node::Say("Here is the external bot.".to_owned()),
        Node::Choose("Which flour?".to_owned(), options.to_vec()),
        Node::Ask("How many bags?".to_owned()),
        Node::Say(GOODBYE.to_owned()),
    ]
}
