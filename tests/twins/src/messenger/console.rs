//! A person who writes to a page, for a console.

use serde_json::Value;

use super::Act;
use super::page::Page;
use crate::account::{Account, Outgoing};
use crate::console::{self, Line, Talk, option, said};
use crate::record::Seen;

/// A person who talks to a page, and the human in the page's inbox.
#[derive(Debug)]
pub struct Person {
    account: Account<Page>,
    psid: String,
    last: Option<String>,
}

impl Talk<Person> {
    /// A person at this page; the page's webhook is where [`Account::point`] says.
    pub fn messenger(account: &Account<Page>, psid: &str) -> Self {
        account.know(psid);
        Self::of(Person { account: account.clone(), psid: psid.to_owned(), last: None })
    }
}

impl console::Person for Person {
    type Vendor = Page;

    const HELP: &'static str = "\
/start              tap \"Get started\"
/click ID           tap a quick reply or a button by its payload
/media LINK         send a picture
/location LAT LON   send a place
/like               send a thumb
/referral WORD      come by a link with this word
/react              react to the message that was written last
/take, /back        a human takes the thread in the page's inbox; gives it back
/agent TEXT         a human writes in the page's inbox
/gone, /reachable   the person blocks the page; comes back
/expire             the window of 24 hours closes";

    fn account(&self) -> &Account<Page> {
        &self.account
    }

    fn conversation(&self) -> String {
        self.psid.clone()
    }

    fn act(&mut self, line: Line<'_>) -> Result<Vec<Outgoing>, String> {
        let (account, psid) = (&self.account, &*self.psid);
        let one = |event| Ok(vec![account.webhook(&[event])]);
        let act = match line {
            Line::Write(text) => Act::Write(text.to_owned()),
            Line::Command { verb, .. } => match verb {
                "start" => Act::Start,
                "click" => Act::Tap(line.one("the payload of a button")?.to_owned()),
                "media" => Act::Media("image".to_owned(), line.one("a link")?.to_owned()),
                "location" => {
                    let (latitude, longitude) = line.place()?;
                    Act::Location(latitude, longitude)
                }
                "like" => Act::Like,
                "referral" => Act::Referral(line.one("a word")?.to_owned()),
                "react" => Act::React(self.last.clone().ok_or("nothing was written yet")?),
                "take" => return one(account.take_over(psid)),
                "back" => return one(account.hand_back(psid)),
                "agent" => return one(account.agent_says(psid, line.one("a text")?)),
                "gone" | "reachable" => {
                    account.set_gone(psid, verb == "gone");
                    return Ok(Vec::new());
                }
                _ => return Err(line.unknown()),
            },
        };
        let event = account.act(psid, act)?;
        self.last = event.value["message"]["mid"].as_str().map(str::to_owned);
        one(event)
    }

    fn shown(seen: &Seen) -> Option<String> {
        let value = &seen.value;
        if seen.name != "message" {
            return None;
        }
        let payload = &value["attachment"]["payload"];
        let mut shown = said(seen.text().or_else(|| payload["text"].as_str()).unwrap_or_default());
        if let Some(url) = payload["url"].as_str() {
            shown.push_str(&format!("[file] {url}"));
        }
        list(&value["quick_replies"]).for_each(|it| shown.push_str(&button(it)));
        list(&payload["buttons"]).for_each(|it| shown.push_str(&button(it)));
        for element in list(&payload["elements"]) {
            for key in ["title", "subtitle", "image_url"] {
                if let Some(text) = element[key].as_str() {
                    shown.push_str(&format!("\n     {text}"));
                }
            }
            list(&element["buttons"]).for_each(|it| shown.push_str(&button(it)));
        }
        Some(shown)
    }
}

fn button(value: &Value) -> String {
    let title = value["title"].as_str().unwrap_or_default();
    match (value["payload"].as_str(), value["url"].as_str()) {
        (_, Some(url)) => format!("\n     [{title}] {url}"),
        (Some(payload), None) => option(title, payload),
        (None, None) => format!("\n     [{title}]"),
    }
}

fn list(value: &Value) -> impl Iterator<Item = &Value> {
    value.as_array().into_iter().flatten()
}
