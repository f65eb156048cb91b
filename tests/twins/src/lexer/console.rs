//! A person who writes to a page whose messages a team sees in Lexer, for a console.

use serde_json::Value;

use super::Hub;
use crate::account::{Account, Outgoing};
use crate::console::{Line, Side, Talk, Told, told};
use crate::messenger::{self, Page};
use crate::record::Seen;

/// A person at a page, and what the team is told of it.
#[derive(Debug)]
pub struct Person {
    page: Talk<messenger::Person>,
    hub: Account<Hub>,
    account_id: String,
    /// The ids of what the person wrote.
    written: Vec<String>,
}

impl Person {
    /// A person at this page, which is one of the hub's accounts.
    pub fn new(page: &Account<Page>, hub: &Account<Hub>, page_id: &str, psid: &str) -> Self {
        Self {
            page: Talk::messenger(page, psid),
            hub: hub.clone(),
            account_id: page_id.to_owned(),
            written: Vec::new(),
        }
    }
}

impl Side for Person {
    type Webhook = Outgoing;

    fn help(&self) -> &'static str {
        concat!(
            "/inbox NUMBER       fail unless the team sees so many messages: those that no bot \
             claimed\n",
            "/start              tap \"Get started\"\n",
            "/click ID           tap a quick reply or a button by its payload\n",
            "/media LINK, /like  send a picture, a thumb\n",
            "/take, /back        a human takes the thread in the page's inbox; gives it back\n",
            "/agent TEXT         a human writes in the page's inbox\n",
            "/expire             the window of 24 hours closes"
        )
    }

    fn act(&mut self, line: Line<'_>) -> Result<Vec<Outgoing>, String> {
        if let Line::Command { verb: "inbox", rest } = line {
            let expected: usize = rest.parse().map_err(|_| "/inbox needs a number")?;
            let written: Vec<_> = self.written.iter().map(String::as_str).collect();
            let seen = self.hub.inbox(&self.account_id, &written).len();
            if seen != expected {
                return Err(format!("the team sees {seen} messages, not {expected}"));
            }
            return Ok(Vec::new());
        }
        let webhooks = self.page.act(line)?;
        for webhook in &webhooks {
            let body: Value = serde_json::from_slice(&webhook.body).unwrap_or_default();
            let message = &body["entry"][0]["messaging"][0]["message"];
            if message["is_echo"] != true {
                self.written.extend(message["mid"].as_str().map(str::to_owned));
            }
        }
        Ok(webhooks)
    }

    async fn deliver(&mut self, webhook: Outgoing) -> bool {
        self.page.deliver(webhook).await
    }

    fn is_overtaken(&self, webhook: &Outgoing) -> bool {
        self.page.is_overtaken(webhook)
    }

    fn has_said(&mut self, text: &str) -> bool {
        self.page.has_said(text)
    }

    fn watch(&self, json: bool, tell: impl Fn(Told) + Send + Sync + 'static) {
        let tell = std::sync::Arc::new(tell);
        let again = std::sync::Arc::clone(&tell);
        self.page.watch(json, move |told| again(told));
        self.hub.watch(move |record| tell(told(record, json, shown)));
    }
}

/// What the team is told.
fn shown(seen: &Seen) -> Option<String> {
    let id = seen.value["object_id"].as_str().unwrap_or_default();
    Some(format!("(Lexer: {} of {id})", seen.name))
}
