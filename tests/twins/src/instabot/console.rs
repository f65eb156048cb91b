//! A user of a client that takes a host for Instabot, for a console.

use serde_json::Value;

use super::chat::options;
use super::client::Client;
use crate::account::{Account, Outgoing};
use crate::console::{self, Line, Talk, option, said};
use crate::record::Seen;

/// A user who chats.
#[derive(Debug)]
pub struct Person {
    account: Account<Client>,
    email: String,
}

impl Talk<Person> {
    /// A user of the client; Instabot is where [`Account::point`] says.
    pub fn instabot(account: &Account<Client>, email: &str) -> Self {
        Self::of(Person { account: account.clone(), email: email.to_owned() })
    }
}

impl console::Person for Person {
    type Vendor = Client;

    const HELP: &'static str = "\
/start              begin a chat
/click TITLE        tap an option of the last answer by its title
/user               ask who the user is
/expire             the client forgets the chat";

    fn account(&self) -> &Account<Client> {
        &self.account
    }

    fn conversation(&self) -> String {
        self.email.clone()
    }

    fn act(&mut self, line: Line<'_>) -> Result<Vec<Outgoing>, String> {
        let (account, email) = (&self.account, &*self.email);
        let begin = |why: String| format!("{why}: /start begins one");
        let webhook = match line {
            Line::Write(text) => account.ask(email, text).map_err(begin)?,
            Line::Command { verb, .. } => match verb {
                "start" => account.ask_to_begin(email),
                "click" => account.ask_by_tap(email, line.one("the title of an option")?)?,
                "user" => account.ask_who(email),
                _ => return Err(line.unknown()),
            },
        };
        Ok(vec![webhook])
    }

    fn shown(seen: &Seen) -> Option<String> {
        let text = said(seen.text()?);
        let titles = options(&seen.value).filter_map(|it| it["title"].as_str());
        Some(titles.fold(text, |shown, title| shown + &option(title, title)))
    }

    /// Whoever starts a chat has to know its id before they can go on.
    fn may_wait(&self, webhook: &Outgoing) -> bool {
        let body: Value = serde_json::from_slice(&webhook.body).unwrap_or_default();
        body["streamId"].is_string()
    }
}
