//! One stretch of a conversation that the bot handles: what a bot sees of it
//! (the mirror of `wit/v1/session.wit`).

use serde::{Deserialize, Serialize};

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
/// newest ones win; they are no part of the bot's state.
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

impl Default for Contact {
    fn default() -> Self {
        Self {
            id: None,
            name: None,
            email: None,
            mobile_number: None,
            external_customer_id: None,
            locale: None,
            custom_fields: "{}".to_owned(),
        }
    }
}
