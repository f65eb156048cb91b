//! A person at Userlike, for a console.

mod show;

use anyhow::{Result, bail};

use super::account::Account;
use super::deliver::Step;
use super::document::MEDIUMS;
use super::options::Operators;
use super::record::Seen;
use super::session::Contact;
use super::webhook::{Conversation, Webhook};
use super::{Act, Userlike};
use crate::console::{Line, Side, Told};

const HELP: &str = "\
/start              open the messenger (web; in an app the first message does it)
/click ID           tap an option by its id
/media LINK         send a file
/location LAT LON   send a place (WhatsApp)
/unsubscribe WORD   leave a campaign (WhatsApp)
/new                begin another conversation
/medium NAME        begin another conversation on another medium
/expire             let the session time out
/operators WHO      free: hand-offs succeed; away: they fail";

/// A person who talks to a bot.
#[derive(Debug)]
pub struct Person {
    account: Account,
    webhook: Webhook,
    contact: Contact,
    conversation: Conversation,
    /// Where the next text that is expected may stand at the earliest.
    expected: u64,
}

impl Person {
    /// Somebody of whom this is known, on this medium. Links of media with one of the
    /// texts of `unfetchable` in them cannot be fetched.
    ///
    /// # Errors
    ///
    /// The medium is unknown, or the webhook's address is none.
    pub fn new(
        userlike: &Userlike,
        webhook: Webhook,
        medium: &str,
        contact: Contact,
        unfetchable: Vec<String>,
    ) -> Result<Self> {
        let account = userlike.account().clone();
        let conversation = open(&account, &webhook, &contact, medium)?;
        account.set_fetches(move |link| !unfetchable.iter().any(|text| link.contains(text)));
        Ok(Self { account, webhook, contact, conversation, expected: 0 })
    }

    fn reopen(&mut self, medium: &str) -> Result<(), String> {
        let opened = open(&self.account, &self.webhook, &self.contact, medium);
        self.conversation = opened.map_err(|error| format!("{error:#}"))?;
        self.expected = 0;
        Ok(())
    }
}

impl Side for Person {
    /// In another conversation the person may have begun, a step stays where it was made.
    type Webhook = (Conversation, Step);

    fn help(&self) -> &'static str {
        HELP
    }

    fn act(&mut self, line: Line<'_>) -> Result<Vec<Self::Webhook>, String> {
        let act = match line {
            Line::Write(text) => Act::Write(text.to_owned()),
            Line::Command { verb, rest } => match verb {
                "start" => Act::Start,
                "click" => Act::Click(line.one("the id of an option")?.to_owned()),
                "media" => Act::Media(line.one("a link")?.to_owned()),
                "location" => {
                    let (latitude, longitude) = line.place()?;
                    Act::Location(latitude, longitude)
                }
                "unsubscribe" => Act::Unsubscribe(line.one("the word")?.to_owned()),
                _ => return self.change(line, verb, rest).map(|()| Vec::new()),
            },
        };
        let step = self.account.act(&self.conversation.cid, act)?;
        Ok(vec![(self.conversation.clone(), step)])
    }

    async fn deliver(&mut self, (conversation, step): Self::Webhook) -> bool {
        conversation.deliver(step).await.is_answered()
    }

    fn is_overtaken(&self, (conversation, _): &Self::Webhook) -> bool {
        self.account.is_overtaken(&conversation.cid)
    }

    fn has_said(&mut self, text: &str) -> bool {
        let seen = self.account.seen(&self.conversation.cid);
        let says = |seen: &Seen| seen.packet.payload.to_string().contains(text);
        let found = seen.iter().find(|seen| seen.number >= self.expected && says(seen));
        if let Some(seen) = found {
            self.expected = seen.number + 1;
        }
        found.is_some()
    }

    fn watch(&self, json: bool, tell: impl Fn(Told) + Send + Sync + 'static) {
        self.account.watch(move |record| {
            let text = if json { serde_json::to_string(record).ok() } else { show::record(record) };
            tell(Told { text, is_refusal: show::is_refusal(record) });
        });
    }
}

impl Person {
    /// Commands that tell the bot nothing.
    fn change(&mut self, line: Line<'_>, verb: &str, rest: &str) -> Result<(), String> {
        match verb {
            "new" => self.reopen(&self.conversation.medium.clone())?,
            "medium" => self.reopen(line.one("the name of a medium")?)?,
            "expire" => self.account.expire(&self.conversation.cid),
            "operators" => self.account.set_operators(operators(rest)?),
            _ => return Err(line.unknown()),
        }
        Ok(())
    }
}

fn operators(rest: &str) -> Result<Operators, String> {
    match rest {
        "free" => Ok(Operators::Free),
        "away" => Ok(Operators::Away),
        _ => Err("/operators needs `free` or `away`".to_owned()),
    }
}

fn open(
    account: &Account,
    webhook: &Webhook,
    contact: &Contact,
    medium: &str,
) -> Result<Conversation> {
    if !MEDIUMS.contains(&medium) {
        bail!("Userlike has no medium `{medium}`: choose one of {}", MEDIUMS.join(", "));
    }
    let mut conversation = Conversation::open(account, webhook, contact.clone())?;
    medium.clone_into(&mut conversation.medium);
    conversation.connect();
    Ok(conversation)
}
