//! Who looks after a bot of Instabot that a host calls, for a console.

use super::bot::{Bot, LEFT};
use crate::account::{Account, Outgoing};
use crate::console::{self, Line, Talk};
use crate::record::Seen;

/// A live agent, in the chat that began last.
#[derive(Debug)]
pub struct Agent {
    account: Account<Bot>,
}

impl Talk<Agent> {
    /// The live agent of an Instabot; hosts call its bot.
    pub fn instabot_agent(account: &Account<Bot>) -> Self {
        Self::of(Agent { account: account.clone() })
    }
}

impl console::Person for Agent {
    type Vendor = Bot;

    const HELP: &'static str = "\
TEXT                a live agent takes the newest chat and writes this
/leave              the live agent leaves it
/expire             Instabot forgets it";

    fn account(&self) -> &Account<Bot> {
        &self.account
    }

    fn conversation(&self) -> String {
        self.account.newest_chat().unwrap_or_default()
    }

    fn act(&mut self, line: Line<'_>) -> Result<Vec<Outgoing>, String> {
        let text = match line {
            Line::Write(text) => text,
            Line::Command { verb: "leave", .. } => LEFT,
            Line::Command { .. } => return Err(line.unknown()),
        };
        let stream = self.account.newest_chat().ok_or("no host has begun a chat yet")?;
        if !self.account.knows(&stream) {
            return Err("Instabot has forgotten the newest chat".to_owned());
        }
        let webhook = self.account.ask_agent(&stream, text);
        webhook.map(|webhook| vec![webhook]).ok_or_else(|| {
            "the chat named no callback: set `server.public-url` in the host's settings".to_owned()
        })
    }

    fn shown(seen: &Seen) -> Option<String> {
        Some(match seen.text() {
            Some(text) => format!("person> {}", text.replace('\n', "\n        ")),
            None => format!("(a chat begins with {})", seen.value["email"]),
        })
    }
}
