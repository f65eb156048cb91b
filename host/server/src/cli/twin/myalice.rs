//! `botyard twin myalice`.

use botyard_twins::console::Talk;
use botyard_twins::myalice::{self, Block, Options, Output, TICKETS, document};
use clap::Args;
use http::Method;
use serde_json::json;

use super::play::{Play, header, pair, webhook};
use super::settings::{GIVEN, Secret, greeting};

/// The name of the API block.
const BLOCK: &str = "menu";

#[derive(Debug, Args)]
pub(in crate::cli) struct Myalice {
    /// The channel's webhook, without what follows for output types, for example
    /// <http://127.0.0.1:8080/webhooks/acme-alice>.
    #[arg(long, value_name = "URL", value_parser = webhook)]
    webhook: String,
    /// The header that API blocks send along, as `NAME: VALUE`; without it
    /// `X-Secret: twin-secret`.
    #[arg(long, value_parser = header, env = "BOTYARD_TWIN_HEADER", hide_env_values = true)]
    header: Option<(String, String)>,
    /// The key that calls have to show; without it `twin-api-key`.
    #[arg(long, env = "BOTYARD_TWIN_TOKEN", hide_env_values = true)]
    api_key: Option<String>,
    /// What follows `tickets/` in the webhook for tickets; without it
    /// `twin-tickets-secret`.
    #[arg(long, env = "BOTYARD_TWIN_TICKETS_SECRET", hide_env_values = true)]
    tickets_secret: Option<String>,
    /// How the block's answer is shown: text, image, gallery, button or quick-reply.
    #[arg(long, default_value = "text", value_parser = output)]
    output: Output,
    /// The block calls with GET, which tells nothing of the customer.
    #[arg(long)]
    get: bool,
    /// A parameter of the block, for example `shop=north`; repeatable.
    #[arg(long, value_name = "KEY=VALUE", value_parser = pair)]
    parameter: Vec<(String, String)>,
    /// The customer's number.
    #[arg(long, default_value_t = 1022)]
    customer: u64,
    #[command(flatten)]
    play: Play,
}

impl Myalice {
    pub(super) async fn run(self) -> anyhow::Result<()> {
        let api_key = Secret::new(self.api_key, "twin-api-key");
        let tickets = Secret::new(self.tickets_secret, "twin-tickets-secret");
        let usual = ("X-Secret".to_owned(), "twin-secret".to_owned());
        let shown = if self.header.is_some() { GIVEN } else { &*usual.1.clone() };
        let (name, secret) = self.header.unwrap_or(usual);
        let options = Options::new(api_key.value(), &name, &secret);
        let conduct = self.play.conduct(myalice::conduct());
        let twin = myalice::start_at(options, conduct, self.play.listen)?;
        let account = twin.account();
        let method = if self.get { Method::GET } else { Method::POST };
        let block = Block { output: self.output, method, parameters: self.parameter };
        account.add_block(BLOCK, block);
        let form = form(self.output);
        account.point(BLOCK, &format!("{}/{form}/{BLOCK}", self.webhook));
        account.point(TICKETS, &format!("{}/tickets/{}", self.webhook, tickets.value()));
        let channel = json!({
            "webhook-header": name,
            "webhook-secret": shown,
            "tickets-url-secret": tickets.shown(),
            "api-key": api_key.shown(),
            "dialect": { "rest-base": format!("{}{}", twin.url(), document::BASE) },
        });
        let who = format!("MyAlice's twin: customer {} in a block of {form}", self.customer);
        let greeting = greeting(&who, &self.webhook, "myalice", channel)?;
        let side = Talk::myalice(account, self.customer, BLOCK);
        self.play.run("MyAlice", side, &greeting).await
    }
}

/// The output type as it stands in webhook URLs.
fn form(output: Output) -> String {
    output.name().replace('_', "-")
}

fn output(name: &str) -> Result<Output, String> {
    Output::ALL.iter().copied().find(|output| form(*output) == name).ok_or_else(|| {
        let names: Vec<_> = Output::ALL.iter().copied().map(form).collect();
        format!("there is no output type `{name}`: choose one of {}", names.join(", "))
    })
}
