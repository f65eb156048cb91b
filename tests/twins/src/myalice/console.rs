//! A customer at `MyAlice`, for a console.

use super::platform::Platform;
use super::{News, Output};
use crate::account::{Account, Outgoing};
use crate::console::{self, Line, Talk, option, said};
use crate::record::Seen;

/// A customer who runs into an API block with everything that they write.
#[derive(Debug)]
pub struct Person {
    account: Account<Platform>,
    uid: u64,
    block: String,
}

impl Talk<Person> {
    /// A customer whose words go to this block of the account.
    pub fn myalice(account: &Account<Platform>, uid: u64, block: &str) -> Self {
        account.know(uid, "+49123456");
        Self::of(Person { account: account.clone(), uid, block: block.to_owned() })
    }
}

impl console::Person for Person {
    type Vendor = Platform;

    const HELP: &'static str = "\
/click TITLE        tap a button or a quick reply by its title
/off, /on           a human takes the customer from the bot; gives them back
/created            MyAlice tells that a ticket was created
/resolved, /tagged, /reopened, /customer
                    ... that it was resolved, tagged, opened again; that the customer is new
/expire             the bot is switched off for the customer";

    fn account(&self) -> &Account<Platform> {
        &self.account
    }

    fn conversation(&self) -> String {
        self.uid.to_string()
    }

    fn act(&mut self, line: Line<'_>) -> Result<Vec<Outgoing>, String> {
        let (account, uid) = (&self.account, self.uid);
        let news = match line {
            Line::Write(text) => return Ok(vec![account.ask(uid, &self.block, text)?]),
            Line::Command { verb, .. } => match verb {
                "click" => {
                    let title = line.one("the title of a button")?;
                    return Ok(vec![account.ask_by_tap(uid, &self.block, title)?]);
                }
                "off" | "on" => {
                    account.set_bot_enabled(uid, verb == "on");
                    return Ok(Vec::new());
                }
                "created" => News::TicketCreated,
                "resolved" => News::TicketResolved,
                "tagged" => News::TicketTagged,
                "reopened" => News::TicketReopened,
                "customer" => News::CustomerCreated,
                _ => return Err(line.unknown()),
            },
        };
        Ok(account.news(uid, news).into_iter().collect())
    }

    fn shown(seen: &Seen) -> Option<String> {
        let output = Output::ALL.iter().find(|output| output.name() == seen.name)?;
        let data = seen.text().unwrap_or_default();
        let titles = output.titles(data).unwrap_or_default();
        if titles.is_empty() {
            return Some(said(data));
        }
        let rows: String = titles.iter().map(|title| option(title, title)).collect();
        Some(said(&format!("[{}]", output.name())) + &rows)
    }
}
