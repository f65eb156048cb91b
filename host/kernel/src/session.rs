//! One stretch of a conversation that the bot handles: what a bot sees of it
//! (the mirror of `wit/v1/session.wit`).

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::action::ContactUpdate;
use crate::event::{Approach, Event, Setting};
use crate::id::{ChannelId, Digest, SessionId};
use crate::time::Millis;

/// 256 bits of chance, fixed for an event.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Seed(pub [u64; 4]);

impl Seed {
    /// Chance that follows from a digest, for events that the host makes again
    /// after a crash just as it made them before.
    pub fn from_digest(digest: &Digest) -> Self {
        let mut seed = [0; 4];
        for (word, bytes) in seed.iter_mut().zip(digest.as_bytes().chunks_exact(8)) {
            *word = bytes.iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
        }
        Self(seed)
    }
}

/// What a bot sees of the session, as it stands before the turn.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Session {
    /// Unique within the host.
    pub id: SessionId,
    /// The vendor's own key of the conversation.
    pub conversation: String,
    /// The channel.
    pub channel: ChannelId,
    /// The vendor's name.
    pub vendor: String,
    /// What the host knows of the conversation's surroundings.
    #[serde(flatten)]
    pub facts: Facts,
    /// The bot's own state, a JSON object.
    pub context: String,
    /// The component that wrote it; absent for an empty or a foreign one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context_by: Option<Digest>,
    /// Events consumed without a run since the last turn.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub skipped: Vec<Event>,
    /// When the session began.
    pub started_ms: Millis,
    /// Turns of this conversation before this one.
    pub turn: u64,
    /// The time of this turn.
    pub now_ms: Millis,
    /// The chance of this turn.
    pub seed: Seed,
    /// What the medium can carry.
    pub profile: Vec<Setting>,
}

/// What a vendor says around each event: who, where, in which language. The
/// newest word on each holds; they are no part of the bot's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Facts {
    /// What the person writes on, as the vendor names it.
    pub medium: String,
    /// Where the conversation came in.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub entry: Option<String>,
    /// More about the entry.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub params: Vec<Setting>,
    /// How the conversation was opened.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approach: Option<Approach>,
    /// Language tag of the conversation, else of the person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// What is known of the person.
    #[serde(default)]
    pub contact: Contact,
    /// The conversation in the vendor's own desk.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conversation_url: Option<String>,
    /// The conversation's subject.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub subject: Option<String>,
    /// The conversation's topics.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub topics: Vec<String>,
}

impl Facts {
    /// Takes in what a newer event says. What a vendor leaves out there it does not
    /// deny: most tell some things only once. Only what is said of one session, where
    /// and how it came in and what it is about, does not outlive it; `anew` says that
    /// another one begins.
    pub fn learn(&mut self, newer: &Self, anew: bool) {
        if anew {
            *self = Self {
                medium: std::mem::take(&mut self.medium),
                locale: self.locale.take(),
                contact: std::mem::take(&mut self.contact),
                ..Self::default()
            };
        }
        if !newer.medium.is_empty() {
            self.medium.clone_from(&newer.medium);
        }
        // The params are more about the entry that they came with.
        if newer.entry.is_some() || !newer.params.is_empty() {
            self.params.clone_from(&newer.params);
        }
        learn(&mut self.entry, newer.entry.as_ref());
        learn(&mut self.approach, newer.approach.as_ref());
        learn(&mut self.locale, newer.locale.as_ref());
        learn(&mut self.conversation_url, newer.conversation_url.as_ref());
        learn(&mut self.subject, newer.subject.as_ref());
        if !newer.topics.is_empty() {
            self.topics.clone_from(&newer.topics);
        }
        self.contact.learn(&newer.contact);
    }
}

fn learn<T: Clone>(known: &mut Option<T>, newer: Option<&T>) {
    if let Some(newer) = newer {
        *known = Some(newer.clone());
    }
}

/// What is known of the person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Contact {
    /// The vendor's own id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub id: Option<String>,
    /// The name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The e-mail address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub email: Option<String>,
    /// The mobile number.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mobile_number: Option<String>,
    /// The tenant's own id of this person.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub external_customer_id: Option<String>,
    /// Language tag as the vendor spells it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub locale: Option<String>,
    /// A JSON object.
    pub custom_fields: String,
}

/// So much of each field of a contact is told.
const FIELD_BYTES_MAX: usize = 1_024;
/// So much of custom fields is kept with a conversation.
const CUSTOM_FIELDS_BYTES_MAX: usize = 16 * 1024;
/// The custom fields of somebody who has none.
const NO_FIELDS: &str = "{}";

impl Contact {
    /// Takes in what a bot has learned of the person. Of custom fields only those change
    /// that it names. The address of e-mail that the vendor told may be the one that it
    /// knows the person by: only its own word changes that. `own_email` says that the
    /// one that is known is none of the vendor's.
    pub fn update(&mut self, update: &ContactUpdate, own_email: bool) {
        let ContactUpdate { name, email, mobile_number, external_customer_id, custom_fields } =
            update;
        let email = email.as_ref().filter(|_| own_email || self.email.is_none()).cloned();
        for (known, newer) in [
            (&mut self.name, name),
            (&mut self.email, &email),
            (&mut self.mobile_number, mobile_number),
            (&mut self.external_customer_id, external_customer_id),
        ] {
            let cut = |text: &String| text[..text.floor_char_boundary(FIELD_BYTES_MAX)].to_owned();
            learn(known, newer.as_ref().map(cut).as_ref());
        }
        // What grows too large is the vendor's to keep, where it was told.
        if let Some(newer) = custom_fields {
            self.learn_fields(newer);
        }
    }

    /// Takes in what is newer of the same person, or of another one whole.
    pub fn learn(&mut self, newer: &Self) {
        if self.id.is_some() && newer.id.is_some() && self.id != newer.id {
            *self = newer.clone();
            return;
        }
        learn(&mut self.id, newer.id.as_ref());
        learn(&mut self.name, newer.name.as_ref());
        learn(&mut self.email, newer.email.as_ref());
        learn(&mut self.mobile_number, newer.mobile_number.as_ref());
        learn(&mut self.external_customer_id, newer.external_customer_id.as_ref());
        learn(&mut self.locale, newer.locale.as_ref());
        if newer.custom_fields != NO_FIELDS && !self.learn_fields(&newer.custom_fields) {
            self.custom_fields.clone_from(&newer.custom_fields);
        }
    }

    /// Takes in custom fields by their names, if there is room for them.
    fn learn_fields(&mut self, newer: &str) -> bool {
        let object = |json: &str| serde_json::from_str::<Map<String, Value>>(json).ok();
        let Some(newer) = object(newer) else { return false };
        let mut fields = object(&self.custom_fields).unwrap_or_default();
        fields.extend(newer);
        let fields = Value::Object(fields).to_string();
        let fits = fields.len() <= CUSTOM_FIELDS_BYTES_MAX;
        if fits {
            self.custom_fields = fields;
        }
        fits
    }
}

impl Default for Contact {
    fn default() -> Self {
        Self {
            id: None,
            name: None,
            email: None,
            mobile_number: None,
            external_customer_id: None,
            locale: None,
            custom_fields: NO_FIELDS.to_owned(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contact(id: &str, name: Option<&str>, custom_fields: &str) -> Contact {
        let (id, name) = (Some(id.to_owned()), name.map(str::to_owned));
        Contact { id, name, custom_fields: custom_fields.to_owned(), ..Contact::default() }
    }

    fn of_referral() -> Facts {
        Facts {
            medium: "facebook".to_owned(),
            entry: Some("spring".to_owned()),
            params: vec![Setting::new("source", "ADS")],
            locale: Some("de".to_owned()),
            topics: vec!["shoes".to_owned()],
            contact: contact("7", Some("Ida"), r#"{"vip":true}"#),
            ..Facts::default()
        }
    }

    #[test]
    fn what_a_vendor_leaves_out_is_not_denied() {
        let bare = Facts { contact: contact("7", None, "{}"), ..Facts::default() };
        let mut facts = of_referral();
        facts.learn(&bare, false);
        assert_eq!(facts, of_referral());
        let newer = Facts { entry: Some("summer".to_owned()), ..bare };
        facts.learn(&newer, false);
        assert_eq!((facts.entry.as_deref(), &*facts.params), (Some("summer"), &[][..]));
        assert_eq!(facts.contact, of_referral().contact);
        let told = Facts { contact: contact("7", None, r#"{"lang":"en"}"#), ..Facts::default() };
        facts.learn(&told, false);
        assert_eq!(facts.contact.custom_fields, r#"{"vip":true,"lang":"en"}"#);
    }

    #[test]
    fn the_next_session_came_in_elsewhere() {
        let mut facts = of_referral();
        facts.learn(&Facts { contact: contact("7", None, "{}"), ..Facts::default() }, true);
        let person = Facts { entry: None, params: Vec::new(), topics: Vec::new(), ..of_referral() };
        assert_eq!(facts, person);
    }

    #[test]
    fn what_a_bot_learns_is_known() {
        let mut facts = of_referral();
        let update = ContactUpdate {
            email: Some("ida@example.com".to_owned()),
            custom_fields: Some(r#"{"plan":"gold"}"#.to_owned()),
            ..ContactUpdate::default()
        };
        facts.contact.update(&update, false);
        let known = &facts.contact;
        assert_eq!(
            (known.name.as_deref(), known.email.as_deref()),
            (Some("Ida"), Some("ida@example.com"))
        );
        assert_eq!(known.custom_fields, r#"{"vip":true,"plan":"gold"}"#);
        let much = format!("{{\"much\":\"{}\"}}", "a".repeat(CUSTOM_FIELDS_BYTES_MAX));
        let update = ContactUpdate { custom_fields: Some(much), ..ContactUpdate::default() };
        facts.contact.update(&update, false);
        assert_eq!(facts.contact.custom_fields, r#"{"vip":true,"plan":"gold"}"#);
        let email = Some("otto@example.com".to_owned());
        let update = ContactUpdate { email, ..ContactUpdate::default() };
        for (own, email) in [(false, "ida@example.com"), (true, "otto@example.com")] {
            facts.contact.update(&update, own);
            assert_eq!(facts.contact.email.as_deref(), Some(email), "it names her");
        }
    }

    #[test]
    fn of_somebody_else_nothing_is_known_yet() {
        let mut facts = of_referral();
        facts.learn(&Facts { contact: contact("8", None, "{}"), ..Facts::default() }, false);
        assert_eq!(facts.contact, contact("8", None, "{}"));
    }
}
