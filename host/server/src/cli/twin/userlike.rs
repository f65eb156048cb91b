//! `botyard twin userlike`.

use botyard_twins::userlike::{self, Contact, Operators, Options, Person, Webhook};
use clap::Args;
use serde_json::json;

use super::play::{KEEP, Play, header, pair, webhook};
use super::settings::{GIVEN, Secret, greeting};

#[derive(Debug, Args)]
pub(in crate::cli) struct Userlike {
    /// The bot's webhook, for example <http://127.0.0.1:8080/webhooks/acme-orders>.
    #[arg(long, value_name = "URL", value_parser = webhook)]
    webhook: String,
    /// The webhook header, as `NAME: VALUE`.
    #[arg(long, value_parser = header, env = "BOTYARD_TWIN_HEADER", hide_env_values = true)]
    header: Option<(String, String)>,
    /// The token that calls have to show; without it `twin-api-token`.
    #[arg(long, env = "BOTYARD_TWIN_TOKEN", hide_env_values = true)]
    token: Option<String>,
    /// What the person writes on.
    #[arg(long, default_value = "web")]
    medium: String,
    /// Something that is known of the person, for example `name=Mara`; repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    contact: Vec<(String, String)>,
    /// No operator is free, so that hand-offs fail.
    #[arg(long)]
    operators_away: bool,
    /// A 429 says in Retry-After when there is room again.
    #[arg(long)]
    retry_after: bool,
    /// Media whose links contain this text cannot be fetched; repeatable.
    #[arg(long, value_name = "TEXT")]
    unfetchable: Vec<String>,
    #[command(flatten)]
    play: Play,
}

impl Userlike {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let token = Secret::new(self.token, "twin-api-token");
        let usual = Options::new(token.value());
        let options = Options {
            faults: self.play.faults(),
            operators: if self.operators_away { Operators::Away } else { Operators::Free },
            keep: KEEP,
            redeliver: self.play.redeliver.clone().unwrap_or_else(|| usual.redeliver.clone()),
            says_retry_after: self.retry_after,
            ..usual
        };
        let twin = userlike::Userlike::with(options, self.play.listen)?;
        let contact = self.contact.into_iter().map(|(key, value)| (key, value.into()));
        let webhook = Webhook { url: self.webhook.clone(), header: self.header.clone() };
        let contact = contact.collect::<Contact>();
        let side = Person::new(&twin, webhook, &self.medium, contact, self.unfetchable)?;
        let mut channel = json!({ "api-url": twin.api_url(), "api-token": token.shown() });
        // How the webhook shows itself is the host's choice; the secret was given to us.
        if let Some((name, _)) = &self.header {
            channel["webhook-header"] = json!(name);
            channel["webhook-secret"] = json!(GIVEN);
        } else {
            channel["webhook-url-secret"] = json!(GIVEN);
        }
        let who = format!("Userlike's twin: a {} conversation between a person", self.medium);
        let greeting = greeting(&who, &self.webhook, "userlike", channel)?;
        self.play.run("Userlike", side, &greeting).await
    }
}
