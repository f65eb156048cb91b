//! One item of a webhook to the events that it holds: who, what, and whose turn it is.

use botyard_kernel::event::{Click, EventBody, First, HumanSpoke, Returned, Start};
use botyard_kernel::id::Digest;
use botyard_kernel::owner::Owner;
use botyard_kernel::time::Millis;
use serde_json::{Value, json};

use super::bounded::{FIELD_BYTES_MAX, TEXT_BYTES_MAX, cut, other};
use super::facts::facts;
use super::keys::{get, id, is_true, number, text};
use super::messages::{Piece, pieces};
use super::receive::Acknowledge;
use super::settings::Settings;
use crate::Incoming;
use crate::webhook::raw;

/// Longer ids are none of the vendor's.
const ID_BYTES_MAX: usize = 200;
/// A longer id of a message is named by its hash, and told nobody.
pub(super) const MID_BYTES_MAX: usize = 512;
/// What an item is, by the key that says it. What stands first counts.
const KINDS: [&str; 13] = [
    "message",
    "postback",
    "referral",
    "delivery",
    "read",
    "reaction",
    "optin",
    "account_linking",
    "policy_enforcement",
    "app_roles",
    "pass_thread_control",
    "take_thread_control",
    "request_thread_control",
];
/// What stands around it.
const AROUND: [&str; 3] = ["sender", "recipient", "timestamp"];

/// The medium of the page itself.
pub(crate) const FACEBOOK: &str = "facebook";

/// Where an item was found.
pub(super) struct Place {
    pub(super) medium: &'static str,
    /// The page that the entry is about; absent where there is no entry.
    pub(super) page: Option<String>,
    /// Another app has control of the thread.
    pub(super) standby: bool,
}

/// A message of a person that is ours to answer.
pub(crate) struct Heard<'a> {
    /// Its id.
    pub(crate) mid: &'a str,
    /// The page.
    pub(crate) page: &'a str,
    /// When, by the vendor's clock; when we received it, where the vendor does not say.
    pub(crate) at_ms: Millis,
    /// It is a tap on a button.
    pub(crate) postback: bool,
    /// Where it was written.
    pub(crate) medium: &'static str,
}

/// Why an item is no event.
pub(super) enum Unread {
    /// There is nothing to do.
    Ignored(&'static str),
    /// It is not as the vendor documents it.
    Damaged(String),
}

/// An item, as far as it is the same for all kinds.
struct Item<'a> {
    place: &'a Place,
    all: &'a Value,
    kind: &'a str,
    /// What stands under the kind.
    part: &'a Value,
    page: String,
    person: String,
    from_page: bool,
    vendor_ms: Option<Millis>,
    now: Millis,
}

/// Reads an item.
pub(super) fn read(
    settings: &Settings,
    place: &Place,
    all: &Value,
    now: Millis,
    acknowledge: Acknowledge<'_>,
) -> Result<Vec<Incoming>, Unread> {
    let item = Item::new(place, all, now)?;
    match item.kind {
        "message" | "postback" if !item.from_page => Ok(item.tell(settings, acknowledge)),
        "message" => item.echo(settings),
        // What the page itself does besides speaking.
        _ if item.from_page => Err(Unread::Ignored("the page's own doing")),
        "delivery" => Err(Unread::Ignored("a delivery receipt")),
        "read" => Err(Unread::Ignored("a read receipt")),
        "referral" if settings.dialect.referral_starts => {
            Ok(vec![item.event(EventBody::Start(Start::default()))])
        }
        "pass_thread_control" | "take_thread_control" => Ok(vec![item.control(settings)]),
        name => Ok(vec![item.event(EventBody::Other(other(name, item.part)))]),
    }
}

impl<'a> Item<'a> {
    fn new(place: &'a Place, all: &'a Value, now: Millis) -> Result<Self, Unread> {
        if !all.is_object() {
            return Err(damaged("an item must be an object"));
        }
        let Some((kind, part)) = kind(all) else {
            return Err(damaged("an item must say what happened, beside who and when"));
        };
        let speaks = matches!(kind, "message" | "postback");
        if speaks && !part.is_object() {
            return Err(damaged(format!("`{kind}` must be an object")));
        }
        let sender = party(all, "sender")?;
        let recipient = party(all, "recipient")?;
        let echo = kind == "message" && is_true(part, "is_echo");
        let from_page = echo || place.page.is_some() && sender == place.page;
        let (person, page) = if from_page { (recipient, sender) } else { (sender, recipient) };
        let Some(person) = person else {
            return Err(match kind {
                "message" | "postback" => damaged(format!("a `{kind}` must say from and to whom")),
                // About the page, or about somebody whom the vendor cannot name yet.
                _ => Unread::Ignored("about no person"),
            });
        };
        let Some(page) = place.page.clone().or(page) else {
            return Err(damaged("neither the entry nor the item says which page it is about"));
        };
        if page.contains(':') || page.len() > ID_BYTES_MAX {
            return Err(damaged("the id of the page is none of the vendor's"));
        }
        let vendor_ms = number(all, "timestamp");
        Ok(Self { place, all, kind, part, page, person, from_page, vendor_ms, now })
    }

    /// What the person said. The button that opens a thread, with where they came
    /// from, begins a session.
    fn said(&self) -> Vec<Piece<'a>> {
        if self.kind == "message" {
            return pieces(self.part);
        }
        let label = text(self.part, "title").map(|label| cut(label, FIELD_BYTES_MAX));
        let payload = text(self.part, "payload").map(|id| cut(id, FIELD_BYTES_MAX));
        // What goes to `standby` comes without its payload.
        let body = match payload.or_else(|| label.clone()) {
            Some(id) => {
                let click = Click { option_ids: vec![id], label, ..Click::default() };
                if get(self.part, "referral").is_some() {
                    let first = Some(First::Click(click));
                    EventBody::Start(Start { first, ..Start::default() })
                } else {
                    EventBody::Click(click)
                }
            }
            None => EventBody::Other(other(self.kind, self.part)),
        };
        vec![Piece { body, of: None }]
    }

    /// The events of what a person said, each with an id of its own.
    fn tell(&self, settings: &Settings, acknowledge: Acknowledge<'_>) -> Vec<Incoming> {
        let at_ms = self.vendor_ms.unwrap_or(self.now);
        let mut reply_to = json!({ "last_ms": at_ms });
        if self.place.medium != FACEBOOK {
            reply_to["medium"] = json!(self.place.medium);
        }
        let reply_to = reply_to.to_string();
        let mid = text(self.part, "mid").filter(|mid| mid.len() <= MID_BYTES_MAX);
        let heard = mid.map(|mid| Heard {
            mid,
            page: &self.page,
            at_ms,
            postback: self.kind == "postback",
            medium: self.place.medium,
        });
        let mut acknowledgement =
            heard.filter(|_| !self.place.standby).and_then(|it| acknowledge(&it));
        let ours = settings.messaging_means_ours() && !self.place.standby;
        let ours = ours.then_some(Owner::Bot);
        let key = self.key();
        let event = |(n, piece): (usize, Piece<'_>)| {
            let event = match piece.of.filter(|_| n > 0) {
                Some(of) => {
                    let key = key.as_ref().map(|key| format!("{key}#{n}"));
                    self.event_of(piece.body, key, of)
                }
                None => self.event_of(piece.body, key.clone(), self.all),
            };
            Incoming {
                reply_to: Some(reply_to.clone()),
                acknowledge: acknowledgement.take(),
                owner: event.owner.or(ours),
                ..event
            }
        };
        self.said().into_iter().enumerate().map(event).collect()
    }

    /// What was said on the page's behalf: by us, by another app, or by a human in the
    /// page's inbox.
    fn echo(&self, settings: &Settings) -> Result<Vec<Incoming>, Unread> {
        let app = id(self.part, "app_id");
        if app.as_ref() == Some(&settings.app_id) {
            return Err(Unread::Ignored("an echo of our own"));
        }
        if app.as_ref().is_some_and(|app| settings.dialect.ignored_app_ids.contains(app)) {
            return Err(Unread::Ignored("an echo of an app that `ignored-app-ids` names"));
        }
        let text = text(self.part, "text").map(|text| cut(text, TEXT_BYTES_MAX));
        let agent = app.map(|app| cut(&app, FIELD_BYTES_MAX));
        Ok(vec![self.event(EventBody::HumanSpoke(HumanSpoke { text, agent }))])
    }

    /// Control of the thread goes to an app: ours, or another one that has it now.
    fn control(&self, settings: &Settings) -> Incoming {
        let before = id(self.part, "previous_owner_app_id");
        let Some(owner) = id(self.part, "new_owner_app_id") else {
            // Older pages tell of a thread that was taken only from whom.
            let from_us = before.is_none_or(|before| before == settings.app_id);
            if self.kind == "take_thread_control" && from_us {
                return self.taken(None);
            }
            return self.event(EventBody::Other(other(self.kind, self.part)));
        };
        if owner == settings.app_id {
            let reason = text(self.part, "metadata").map(|text| cut(text, FIELD_BYTES_MAX));
            let returned = self.event(EventBody::Returned(Returned { reason }));
            return Incoming { owner: None, ..returned };
        }
        self.taken(Some(cut(&owner, FIELD_BYTES_MAX)))
    }

    /// Somebody else has the thread.
    fn taken(&self, agent: Option<String>) -> Incoming {
        let taken = self.event(EventBody::HumanSpoke(HumanSpoke { text: None, agent }));
        Incoming { owner: Some(Owner::Human), ..taken }
    }

    fn event(&self, body: EventBody) -> Incoming {
        self.event_of(body, self.key(), self.all)
    }

    /// The event that this part of the item is.
    fn event_of(&self, body: EventBody, key: Option<String>, part: &Value) -> Incoming {
        Incoming {
            vendor_ms: self.vendor_ms,
            key,
            owner: self.place.standby.then_some(Owner::Human),
            aside: matches!(body, EventBody::Other(_)) && !self.is_for_the_page(),
            raw: raw(part.to_string().as_bytes()),
            facts: facts(self.place.medium, &self.person, self.part, self.kind),
            ..Incoming::new(format!("{}:{}", self.page, self.person), body)
        }
    }

    /// Whether the person turned to the page with it: by a word, or by coming in. A reaction,
    /// and whatever Messenger will tell of one day, are beside the talk.
    fn is_for_the_page(&self) -> bool {
        let taken_back = is_true(self.part, "is_deleted");
        let comes = ["message", "postback", "referral", "optin", "account_linking"];
        comes.contains(&self.kind) && !taken_back
    }

    /// What the vendor calls the event. Where it has no id, the time, to the
    /// millisecond, and what was said then are the same for a redelivery only.
    fn key(&self) -> Option<String> {
        let own = matches!(self.kind, "message" | "postback");
        match text(self.part, "mid").filter(|_| own) {
            // A message that was taken back has the id of the message.
            Some(mid) if is_true(self.part, "is_deleted") => {
                Some(format!("{}#is_deleted", short(mid)))
            }
            Some(mid) => Some(short(mid)),
            None => {
                let said = Digest::of(self.all.to_string().as_bytes()).short();
                self.vendor_ms.map(|at| format!("{}@{at}:{said}", short(self.kind)))
            }
        }
    }
}

/// What happened, with what stands under it. A word that we do not know is the
/// vendor's own.
fn kind(item: &Value) -> Option<(&str, &Value)> {
    let known = KINDS.iter().find_map(|kind| Some((*kind, get(item, kind)?)));
    let unknown = || {
        let fields = item.as_object()?.iter();
        let around = |name: &str| AROUND.iter().any(|it| name.eq_ignore_ascii_case(it));
        let mut fields = fields.filter(|(name, value)| !around(name) && !value.is_null());
        fields.next().map(|(name, value)| (name.as_str(), value))
    };
    known.or_else(unknown)
}

/// Who is named there, where somebody is.
fn party(item: &Value, key: &str) -> Result<Option<String>, Unread> {
    let Some(party) = get(item, key) else { return Ok(None) };
    // Somebody who ticked a box elsewhere has a reference and no id.
    if get(party, "id").is_none() && party.is_object() {
        return Ok(None);
    }
    match id(party, "id").filter(|id| id.len() <= ID_BYTES_MAX) {
        Some(id) => Ok(Some(id)),
        None => Err(damaged(format!("`{key}.id` must be a text of 1 to {ID_BYTES_MAX} bytes"))),
    }
}

fn short(id: &str) -> String {
    if id.len() > MID_BYTES_MAX { Digest::of(id.as_bytes()).to_string() } else { id.to_owned() }
}

fn damaged(reason: impl Into<String>) -> Unread {
    Unread::Damaged(reason.into())
}
