//! The same bot at the other vendors: their strict twins are the other side.

use std::future::Future;
use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use botyard_tests::host::Host;
use botyard_tests::wait;
use botyard_twins::account::{Account, Conduct, Delivery, Twin, Vendor};
use botyard_twins::instabot::{self, Client};
use botyard_twins::khoros::Care;
use botyard_twins::lexer::Hub;
use botyard_twins::messenger::{Noise, Page};
use botyard_twins::myalice::{Block, Output, Platform};
use botyard_twins::{khoros, lexer, messenger, myalice};
use http::Method;
use serde_json::{Value, json};

use crate::screen::Screen;

const PERSON: &str = "7200011122";
const CUSTOMER: u64 = 1022;
const BLOCK: &str = "ask";
const EMAIL: &str = "jonas@example.invalid";
const BOT: u64 = 474_960_032;
const HELLO: &str = "Hello";
const BEGIN: &str = "(begins a chat)";
/// The shop takes its time, and `Khoros` and others are asked one thing after another.
const WITHIN: Duration = Duration::from_secs(30);
// Secrets of this demo only, as those of the stage.
const SECRET: &str = "demo-secret-of-a-vendor";

/// The other vendors.
pub(crate) struct Elsewhere {
    page: Twin<Page>,
    shared_page: Twin<Page>,
    hub: Twin<Hub>,
    care: Twin<Care>,
    alice: Twin<Platform>,
    chat: Twin<Client>,
}

impl Elsewhere {
    pub(crate) fn open() -> Result<Self> {
        let page = || {
            let options = messenger::Options::new(SECRET, SECRET, SECRET);
            let options = messenger::Options { noise: Noise::ALL, ..options };
            messenger::start(options, messenger::conduct())
        };
        let shared_page = page()?;
        let page_id = messenger::Options::new(SECRET, SECRET, SECRET).page_id;
        let hub = Hub { client_id: 42, token: SECRET.to_owned(), accounts: vec![page_id] };
        let alice = myalice::Options::new(SECRET, "X-Secret", SECRET);
        let chat = instabot::Options {
            api_key: SECRET.to_owned(),
            bot_id: BOT,
            // What the shop says late is posted there.
            has_callback: true,
        };
        Ok(Self {
            page: page()?,
            shared_page,
            hub: lexer::start(hub, Conduct::default())?,
            care: khoros::start(khoros::Options::new("demo", SECRET), Conduct::default())?,
            alice: myalice::start(alice, myalice::conduct())?,
            chat: instabot::start_client(chat, Conduct::default())?,
        })
    }

    /// The channels, as the host's settings have them.
    pub(crate) fn channels(&self) -> Value {
        let app_id = messenger::Options::new(SECRET, SECRET, SECRET).app_id;
        let page = |twin: &Twin<Page>| {
            json!({ "app-secret": SECRET, "verify-token": SECRET, "page-token": SECRET,
                "app-id": app_id, "graph-url": format!("{}/v23.0", twin.url()) })
        };
        let channel = |vendor: &str, mut settings: Value| {
            settings["vendor"] = json!(vendor);
            settings["bot"] = json!("orders");
            settings
        };
        let lexer = json!({ "messenger": page(&self.shared_page), "client-id": 42,
            "token": SECRET, "hub-url": self.hub.url() });
        let care = json!({
            "company-key": "acmehotel", "app-id": "acme-bot",
            "gateway-url": format!("{}/bots/v3", self.care.url()),
            "token-url": format!("{}/api/v2/tokens/khorosapi/ownerId/acme-bot", self.care.url()),
            "user": "demo", "password": SECRET,
            "webhook-method": "basic", "webhook-identity": "botyard", "webhook-secret": SECRET,
        });
        let base = format!("{}{}", self.alice.url(), myalice::document::BASE);
        let alice = json!({ "webhook-header": "X-Secret", "webhook-secret": SECRET,
            "api-key": SECRET, "dialect": { "rest-base": base } });
        let chat = json!({ "bot-id": BOT, "api-key": SECRET,
            "stream-secret": "demo-secret-of-streams-that-is-long-enough",
            "dialect": { "plain-callbacks": true } });
        json!({
            "demo-page": channel("messenger", page(&self.page)),
            "demo-lexer": channel("lexer", lexer),
            "demo-care": channel("khoros", care),
            "demo-alice": channel("myalice", alice),
            "demo-chat": channel("instabot", chat),
        })
    }

    /// The same conversation with the same bot at each of them.
    pub(crate) async fn play(&self, screen: &Screen, host: &Host) -> Result<()> {
        let hook = |channel: &str| format!("{}/webhooks/{channel}", host.url());
        for (name, twin, channel) in [
            ("Messenger", &self.page, "demo-page"),
            ("Messenger with Lexer Respond", &self.shared_page, "demo-lexer"),
        ] {
            let account = twin.account();
            account.point(messenger::HOOK, &hook(channel));
            let write = async |text: &str| vec![account.write(PERSON, text).await];
            talk(screen, name, account, PERSON, HELLO, write).await?;
        }
        let claimed = self.hub.account().claimed(&self.hub_page()).len();
        ensure!(claimed == 3, "the bot claimed {claimed} of 3 messages at Lexer");
        let account = self.care.account();
        let registered = account.register(&hook("demo-care"), "BASIC_AUTH", "botyard", SECRET);
        registered.map_err(anyhow::Error::msg)?;
        let write = async |text: &str| account.write(PERSON, text).await;
        talk(screen, "Khoros Care", account, PERSON, HELLO, write).await?;
        let account = self.alice.account();
        let (method, parameters) = (Method::POST, Vec::new());
        account.add_block(BLOCK, Block { output: Output::Text, method, parameters });
        account.point(BLOCK, &format!("{}/text/{BLOCK}", hook("demo-alice")));
        account.know(CUSTOMER, "+49123456");
        let write =
            async |text: &str| account.write(CUSTOMER, BLOCK, text).await.into_iter().collect();
        talk(screen, "MyAlice", account, &CUSTOMER.to_string(), HELLO, write).await?;
        let account = self.chat.account();
        account.point(instabot::BASE, &hook("demo-chat"));
        // A client begins a chat before its user can say anything.
        let write = async |text: &str| match text {
            BEGIN => vec![account.begin(EMAIL).await],
            _ => account.write(EMAIL, text).await.into_iter().collect(),
        };
        talk(screen, "Instabot", account, EMAIL, BEGIN, write).await
    }

    fn hub_page(&self) -> String {
        messenger::Options::new(SECRET, SECRET, SECRET).page_id
    }
}

/// A person begins, asks for an order, and answers the bot's menu by its number.
async fn talk<V: Vendor, F>(
    screen: &Screen,
    vendor: &str,
    account: &Account<V>,
    conversation: &str,
    first: &'static str,
    write: impl Fn(&'static str) -> F,
) -> Result<()>
where
    F: Future<Output = Vec<Delivery>>,
{
    screen.title(&format!("The same bot at {vendor}"));
    let mut shown = 0;
    for (text, expected) in
        [(first, "How can I help you?"), ("1", "order ID"), ("84-11907", "Your order 84-11907")]
    {
        screen.heard_at("Jonas", text);
        for delivery in write(text).await {
            let taken = delivery.is_delivered() && delivery.reason().is_empty();
            ensure!(taken, "{vendor}: {}", delivery.reason());
        }
        let said = wait::until(expected, WITHIN, || {
            let texts = account.texts(conversation);
            texts.iter().any(|text| text.contains(expected)).then_some(texts)
        });
        let said = said.await.with_context(|| format!("at {vendor}"))?;
        said.iter().skip(shown).for_each(|text| screen.said_at(text));
        shown = said.len();
    }
    let refused = account.calls().into_iter().find(|call| !call.acted);
    ensure!(refused.is_none(), "{vendor} refused a call: {refused:?}");
    Ok(())
}
