//! The conversations, and what has to come of them.

use std::time::Duration;

use anyhow::{Context as _, Result, ensure};
use botyard_tests::client::userlike::{Answer, Conversation};
use botyard_tests::peers::userlike::{Contact, Packet};
use serde_json::json;

use crate::screen::Screen;
use crate::stage::Stage;

/// What the shop and the host may take together, on a slow machine.
const RESULT_WITHIN: Duration = Duration::from_secs(20);

pub(crate) async fn play(screen: &Screen, stage: &Stage) -> Result<()> {
    new_contact(screen, stage).await.context("in the conversation with a new contact")?;
    returning_contact(screen, stage).await.context("in the returning contact's conversation")?;
    order(screen, stage).await.context("in the conversation with the web shop")
}

async fn new_contact(screen: &Screen, stage: &Stage) -> Result<()> {
    screen.title("A bot asks for name and e-mail before a human takes over");
    let account = stage.userlike.account();
    let chat = Chat::open(screen, "Mara", stage, &stage.lead, Contact::new())?;
    chat.start().await?;
    chat.write("Mara").await?;
    ensure!(
        account.contact(&chat.conversation.cid)["name"] == "Mara",
        "the bot did not store the name"
    );
    let answer = chat.write("mara@example.invalid").await?;
    ensure!(
        account.contact(&chat.conversation.cid)["email"] == "mara@example.invalid",
        "the bot did not store the e-mail address"
    );
    ensure!(has(&answer.packets, "forward_any"), "the bot did not hand the conversation over");
    Ok(())
}

async fn returning_contact(screen: &Screen, stage: &Stage) -> Result<()> {
    screen.title("Who is known already is handed to a human at once");
    let mut known = Contact::new();
    known.insert("name".to_owned(), json!("Mara"));
    let chat = Chat::open(screen, "Mara", stage, &stage.lead, known)?;
    let answer = chat.start().await?;
    ensure!(has(&answer.packets, "forward_any"), "the bot did not hand the conversation over");
    Ok(())
}

async fn order(screen: &Screen, stage: &Stage) -> Result<()> {
    screen.title("A web shop answers at once and sends the result when it has one");
    let chat = Chat::open(screen, "Jonas", stage, &stage.orders, Contact::new())?;
    let answer = chat.start().await?;
    let bubbles = answer.packets.iter().find(|packet| packet.name == "bubbles");
    let option = &bubbles.context("the bot offered no options")?.payload["options"][0];
    let id = option["id"].as_str().context("the first option has no id")?;
    chat.click(id, option["label"].as_str().unwrap_or(id)).await?;
    let answer = chat.write("84-11907").await?;
    ensure!(!answer.packets.is_empty(), "the bot left the person waiting without a word");
    chat.result().await
}

fn has(packets: &[Packet], name: &str) -> bool {
    packets.iter().any(|packet| packet.name == name)
}

/// A conversation that is shown as it goes on.
struct Chat<'a> {
    screen: &'a Screen,
    person: &'a str,
    stage: &'a Stage,
    conversation: Conversation,
}

impl<'a> Chat<'a> {
    fn open(
        screen: &'a Screen,
        person: &'a str,
        stage: &'a Stage,
        webhook: &botyard_tests::client::userlike::Webhook,
        contact: Contact,
    ) -> Result<Self> {
        let conversation = Conversation::open(stage.userlike.account(), webhook, contact)?;
        Ok(Self { screen, person, stage, conversation })
    }

    async fn start(&self) -> Result<Answer> {
        self.screen.heard(self.person, "(opens the messenger)", "start", &json!({}));
        self.shown(self.conversation.start().await?)
    }

    async fn write(&self, text: &str) -> Result<Answer> {
        self.screen.heard(self.person, text, "message", &json!({ "body": text }));
        self.shown(self.conversation.message(text).await?)
    }

    async fn click(&self, id: &str, label: &str) -> Result<Answer> {
        let payload = json!({ "id": id, "label": label });
        self.screen.heard(self.person, &format!("(taps) [{label}]"), "click", &payload);
        self.shown(self.conversation.click(id, label).await?)
    }

    /// Waits for what the bot sends by itself.
    async fn result(&self) -> Result<()> {
        let account = self.stage.userlike.account();
        let cid = &self.conversation.cid;
        account.wait_delivered(cid, 1, RESULT_WITHIN).await?;
        for call in account.calls() {
            if call.packets.iter().any(|packet| packet.cid == *cid) {
                self.screen.called(&call);
            }
        }
        Ok(())
    }

    fn shown(&self, answer: Answer) -> Result<Answer> {
        self.screen.answered(&answer);
        ensure!(answer.status == 200, "the host answered {}: {}", answer.status, answer.body);
        Ok(answer)
    }
}
