//! The side of all vendors whose accounts are alike.

use super::{Line, Side, Told, show};
use crate::account::{Account, Outgoing, Vendor};
use crate::record::{Record, Seen};

/// What a person does at a vendor, and how it looks there.
pub trait Person {
    /// The vendor.
    type Vendor: Vendor;

    /// The commands that no other vendor has, one in each line.
    const HELP: &'static str;

    /// Where it happens.
    fn account(&self) -> &Account<Self::Vendor>;

    /// The conversation of the person.
    fn conversation(&self) -> String;

    /// As [`Side::act`].
    ///
    /// # Errors
    ///
    /// As [`Side::act`].
    fn act(&mut self, line: Line<'_>) -> Result<Vec<Outgoing>, String>;

    /// What a person sees of something; absent where it is nothing that is said.
    fn shown(seen: &Seen) -> Option<String>;

    /// What the person does next may be told before this.
    fn may_wait(&self, webhook: &Outgoing) -> bool {
        let _ = webhook;
        true
    }

    /// A webhook was sent.
    fn sent(&mut self) {}
}

/// A person who talks.
#[derive(Debug)]
pub struct Talk<P> {
    person: P,
    /// Where the next text that is expected may stand at the earliest.
    expected: u64,
}

impl<P: Person> Talk<P> {
    pub(crate) fn of(person: P) -> Self {
        Self { person, expected: 0 }
    }

    /// Where it happens.
    pub fn account(&self) -> &Account<P::Vendor> {
        self.person.account()
    }
}

impl<P: Person> Side for Talk<P> {
    type Webhook = Outgoing;

    fn help(&self) -> &'static str {
        P::HELP
    }

    fn act(&mut self, line: Line<'_>) -> Result<Vec<Outgoing>, String> {
        if let Line::Command { verb: "expire", .. } = line {
            self.person.account().expire(&self.person.conversation());
            return Ok(Vec::new());
        }
        self.person.act(line)
    }

    async fn deliver(&mut self, webhook: Outgoing) -> bool {
        let delivery = self.person.account().deliver(webhook).await;
        self.person.sent();
        delivery.is_delivered()
    }

    fn is_overtaken(&self, webhook: &Outgoing) -> bool {
        let account = self.person.account();
        self.person.may_wait(webhook) && account.is_overtaken(&webhook.conversation)
    }

    fn has_said(&mut self, text: &str) -> bool {
        let seen = self.person.account().seen(&self.person.conversation());
        let says = |seen: &Seen| {
            // What stands in JSON is escaped.
            seen.text().is_some_and(|own| own.contains(text))
                || seen.value.to_string().contains(text)
        };
        let found = seen.iter().find(|seen| seen.number >= self.expected && says(seen));
        if let Some(seen) = found {
            self.expected = seen.number + 1;
        }
        found.is_some()
    }

    fn watch(&self, json: bool, tell: impl Fn(Told) + Send + Sync + 'static) {
        self.person.account().watch(move |record| tell(told(record, json, P::shown)));
    }
}

/// What is told of a record.
pub(crate) fn told(record: &Record, json: bool, shown: fn(&Seen) -> Option<String>) -> Told {
    let as_json = || serde_json::to_string(record).ok();
    let text = if json { as_json() } else { show::record(record, shown) };
    Told { text, is_refusal: show::is_refusal(record) }
}
