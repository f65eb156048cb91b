//! Which version of a bot answers: the deployment, and how it changes.
//!
//! An upload changes nothing here. A deployment is a value that the catalog keeps;
//! each change makes a new one out of it, or is refused with the reason. What a
//! session began with goes on in it, so that no bot finds the context of another
//! in the middle of a conversation.

pub mod canary;
mod change;
mod form;
mod latency;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::id::{BotId, ConversationKey, Digest};
use crate::time::{DAY, Millis};
pub use change::Refusal;
use form::Form;

/// A session that nothing happened in for so long goes on with the version that
/// answers now.
pub const PIN_IDLE_MS: Millis = DAY;
/// So many versions that have answered are remembered. Sessions of an older one go on
/// with the version that answers now.
pub const ANSWERED_MAX: usize = 1_000;

/// Which version of a bot answers.
///
/// Its JSON has a version of its own form; see `deployment/form.rs`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(into = "Form", try_from = "Form")]
pub struct Deployment {
    /// What sessions begin with.
    pub current: Digest,
    /// What answered before: where one call goes back to.
    pub previous: Option<Digest>,
    /// What a share of the conversations begins with instead.
    pub canary: Option<Canary>,
    /// What must not run any more, until it is deployed again.
    pub withdrawn: BTreeSet<Digest>,
    /// What has ever answered, the newest last: at most [`ANSWERED_MAX`].
    pub answered: Vec<Digest>,
    /// Since when `current` answers.
    pub deployed_ms: Millis,
    /// Counts the changes: whoever changes an older one than is stored has not seen
    /// what somebody else did meanwhile.
    pub revision: u64,
}

/// A version on trial with a share of the conversations.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Canary {
    /// Which.
    pub version: Digest,
    /// How many of a hundred conversations, 1 to 100.
    pub percent: u8,
    /// Since when.
    pub since_ms: Millis,
}

/// What the version of a run is bound to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pinned {
    /// An earlier try at the very same event had this version. A rerun is given the
    /// same, whatever was deployed since, also where it was withdrawn: calls that it
    /// has made happened, and only the same version asks for them again.
    Event {
        /// Which.
        version: Digest,
    },
    /// The session goes on with this version.
    Session {
        /// Which.
        version: Digest,
        /// When something last happened in the session, before the event.
        active_ms: Millis,
    },
}

impl Deployment {
    /// The version that runs on an event of a conversation with this bot. `now` is the
    /// time of the turn (`session.now_ms`), so that every try at it decides alike.
    pub fn version_for(
        &self,
        pinned: Option<Pinned>,
        bot: &BotId,
        key: &ConversationKey,
        now: Millis,
    ) -> Digest {
        match pinned {
            Some(Pinned::Event { version }) => version,
            Some(Pinned::Session { version, active_ms })
                if self.may_go_on(&version) && now < active_ms.saturating_add(PIN_IDLE_MS) =>
            {
                version
            }
            Some(Pinned::Session { .. }) | None => self.version_for_new(bot, key),
        }
    }

    /// Whether sessions may go on with a version: it was this bot's, which it is not where
    /// the channel had another bot when the session began, and is not withdrawn.
    pub fn may_go_on(&self, version: &Digest) -> bool {
        self.answered.contains(version) && !self.withdrawn.contains(version)
    }

    /// The versions that answered before this one and may still run, the newest first.
    /// One that is on trial has not answered all yet.
    pub fn before(&self, version: Digest) -> impl Iterator<Item = Digest> {
        let tried = self.canary.map(|canary| canary.version);
        let others = self.answered.iter().rev().copied();
        others.filter(move |other| {
            *other != version && Some(*other) != tried && !self.withdrawn.contains(other)
        })
    }

    /// Whether a version may still be wanted: it answers, is on trial, or sessions go on
    /// with it until it is withdrawn.
    pub fn needs(&self, version: &Digest) -> bool {
        let tried = self.canary.is_some_and(|canary| canary.version == *version);
        self.current == *version || tried || self.may_go_on(version)
    }

    fn version_for_new(&self, bot: &BotId, key: &ConversationKey) -> Digest {
        let canary = self.canary.filter(|canary| canary.takes(bot, key));
        canary.map_or(self.current, |canary| canary.version)
    }
}

impl Canary {
    /// Whether a conversation is among those that it is tried with. A higher percentage
    /// takes more of them and loses none. Another canary takes others, so that it is not
    /// always the same people who are tried on.
    fn takes(&self, bot: &BotId, key: &ConversationKey) -> bool {
        let parts = [
            self.version.as_bytes().as_slice(),
            key.tenant.as_str().as_bytes(),
            bot.as_str().as_bytes(),
            key.channel.as_str().as_bytes(),
            key.vendor_key.as_bytes(),
        ];
        Digest::of_parts(parts).chance() % 100 < u64::from(self.percent)
    }
}

#[cfg(test)]
mod tests;
