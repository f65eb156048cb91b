//! An author at Khoros Care, for a console.

use serde_json::Value;

use super::Act;
use super::care::Care;
use crate::account::{Account, Outgoing};
use crate::console::{self, Line, Talk, option, said};
use crate::record::Seen;

/// An author who talks to a bot, and the agents behind it.
#[derive(Debug)]
pub struct Person {
    account: Account<Care>,
    author: String,
}

impl Talk<Person> {
    /// An author at this account, whose bot is registered.
    pub fn khoros(account: &Account<Care>, author: &str) -> Self {
        Self::of(Person { account: account.clone(), author: author.to_owned() })
    }
}

impl console::Person for Person {
    type Vendor = Care;

    const HELP: &'static str = "\
/click ID           tap a button or a reply by its payload
/media LINK         send a picture
/comment TEXT       write where everybody reads
/mute               write on a network that tells the bot no text
/take               an agent takes the conversation
/back               an agent gives it to the bot
/agent              an agent answers; the bot is told that, and not what
/close              an agent closes it
/gone, /reachable   the network cannot reach the author; it can again
/expire             Khoros itself gives the conversation to the agents";

    fn account(&self) -> &Account<Care> {
        &self.account
    }

    fn conversation(&self) -> String {
        self.author.clone()
    }

    fn act(&mut self, line: Line<'_>) -> Result<Vec<Outgoing>, String> {
        let (account, author) = (&self.account, &*self.author);
        let begun = |webhook: Option<Outgoing>| {
            let webhook = webhook.ok_or("there is no conversation yet: write first")?;
            Ok(vec![webhook])
        };
        let act = match line {
            Line::Write(text) => Act::Write(text.to_owned()),
            Line::Command { verb, .. } => match verb {
                "click" => Act::Tap(line.one("the payload of a button")?.to_owned()),
                "media" => Act::Media(line.one("a link")?.to_owned(), "IMAGE".to_owned()),
                "comment" => Act::Comment(line.one("a text")?.to_owned()),
                "mute" => Act::Mute,
                "take" => return begun(account.take_over(author)),
                "back" => return begun(account.hand_back(author)),
                "agent" => return begun(account.agent_says(author)),
                "close" => return begun(account.close(author)),
                "gone" | "reachable" => {
                    account.set_gone(author, verb == "gone");
                    return Ok(Vec::new());
                }
                _ => return Err(line.unknown()),
            },
        };
        let webhooks = account.act(author, act)?;
        if webhooks.is_empty() {
            return Err("no bot is live: the agents have the conversation".to_owned());
        }
        Ok(webhooks)
    }

    fn shown(seen: &Seen) -> Option<String> {
        let value = &seen.value;
        if seen.name != "message" {
            return None;
        }
        let mut shown = said(seen.text().unwrap_or_default());
        let word = |value: &Value, key: &str| value[key].as_str().unwrap_or_default().to_owned();
        for action in list(&value["actions"]) {
            let payload = word(action, "payload");
            let label = action["text"].as_str().unwrap_or(&payload);
            shown.push_str(&option(label, &payload));
        }
        for media in list(&value["media"]) {
            shown.push_str(&format!("\n     [file] {}", word(media, "url")));
        }
        for key in ["richContent", "list", "payload"] {
            if !value[key].is_null() {
                shown.push_str(&format!("\n     [{key}] {}", value[key]));
            }
        }
        Some(shown)
    }

    /// After the first message's webhook the conversation exists for agents as well.
    fn sent(&mut self) {
        self.account.create(&self.author);
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
