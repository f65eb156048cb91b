//! What a medium can carry, and how a vendor takes deliveries: data, not code.

mod limits;
mod medium;
mod names;

use std::borrow::Cow;
use std::sync::Arc;

pub(crate) use limits::weight;
pub use limits::{ActionLimits, Count, Length, Limits, Sure, Unit};
pub use medium::{Medium, Mediums};
pub use names::limit_keys;

use crate::action::Action;
use crate::destination::Purpose;
use crate::event::Setting;
use crate::plan::reaches_desk_only;
use crate::time::Millis;

/// What a medium of a vendor can carry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Profile {
    /// Canonical names of the actions that the vendor takes as they are, and
    /// the names that [`crate::degrade`] gives to parts of them.
    pub native: Vec<&'static str>,
    /// What only the one answer that waits can carry, for one action of these: the next
    /// goes by a call, which takes what is [`Profile::native`].
    pub rides: Vec<&'static str>,
    /// How much of them it takes.
    pub limits: Arc<Limits>,
    /// What bots are told of it, by name.
    pub settings: Vec<Setting>,
}

impl Profile {
    /// A medium that takes these, with texts of at most so many characters
    /// (Unicode scalar values), and states no other limit.
    pub fn new(native: &[&'static str], text_characters: usize) -> Self {
        let limits = Arc::new(Limits::of_text(text_characters));
        Self { native: native.to_vec(), rides: Vec::new(), limits, settings: Vec::new() }
    }

    /// Whether the vendor takes this action as it is.
    pub fn carries(&self, action: &str) -> bool {
        self.native.contains(&action) || self.rides.contains(&action)
    }

    /// An answer that waits takes these besides: one action that the person would
    /// notice, and all that only the vendor's desk sees.
    pub fn let_ride(&mut self, names: &[&'static str]) {
        for name in names {
            if self.carries(name) {
                continue;
            }
            let all = if reaches_desk_only(name) { &mut self.native } else { &mut self.rides };
            all.push(name);
        }
    }

    /// Whether this action takes the one place in the answer that waits.
    pub fn fills_answer(&self, action: &Action) -> bool {
        self.rides.contains(&action.name())
    }

    /// What is carried where nothing can be said but the answer that waits.
    #[must_use]
    pub fn in_one_answer(&self) -> Self {
        let mut profile = self.clone();
        profile.rides.push("text_left_out");
        profile
    }

    /// What is carried of an action behind which the same turn shows more: no options that
    /// would vanish with that.
    pub fn followed(&self) -> Cow<'_, Self> {
        // A text beside them that names them all stays.
        if !self.carries("bubbles_until_next") || self.carries("bubbles_text_apart") {
            return Cow::Borrowed(self);
        }
        let mut profile = self.clone();
        for names in [&mut profile.native, &mut profile.rides] {
            names.retain(|name| *name != "bubbles");
        }
        Cow::Owned(profile)
    }

    /// What is carried when the one place in the answer is taken.
    pub fn without_rides(&self) -> Self {
        Self { rides: Vec::new(), ..self.clone() }
    }

    /// What the medium states for the parts of this action, by its canonical name.
    pub fn of(&self, action: &str) -> &ActionLimits {
        self.limits.of(action)
    }

    /// How long the text of this action may be: its own limit, else that of any
    /// text.
    pub fn text_of(&self, action: &str) -> &Length {
        self.of(action).text.as_ref().unwrap_or(&self.limits.text)
    }

    /// Whether the ids of this action's options may travel as they are. Where
    /// they may not, something shorter has to stand for them, see
    /// [`Action::option_ids_mut`].
    pub fn takes_ids(&self, action: &Action) -> bool {
        let limit = self.of(action.name()).id.as_ref();
        limit.is_none_or(|limit| action.option_ids().all(|id| limit.takes(id)))
    }
}

/// How a vendor takes deliveries.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Delivery {
    /// Answers of webhooks may carry actions.
    pub inline: bool,
    /// How long the answer of a webhook waits for its turn.
    pub answer_by_ms: Millis,
    /// After an inline answer the next API call waits this long, because the
    /// vendor reads the answer after we wrote it.
    pub after_answer_ms: Millis,
    /// One call takes a list of actions, as answers do.
    pub lists: bool,
    /// The vendor itself waits at a `delay` within a list.
    pub native_delay: bool,
    /// The vendor waits in steps of this: a delay that is no multiple of it is
    /// rounded up, each by itself. At least 1.
    pub delay_step_ms: Millis,
    /// To hand over is to fall silent: no call tells the vendor of it.
    pub silent_hand_off: bool,
    /// The vendor hears of a `contact_update` in an answer or not at all: no call tells it.
    pub contacts_in_answers: bool,
    /// API calls a conversation within a sliding window.
    pub rate: Option<Rate>,
    /// API calls of all conversations together within a sliding window, by the
    /// token that they show.
    pub token_rate: Option<Rate>,
    /// Whom the vendor means when it answers "too many".
    pub limited: Limited,
    /// Acknowledgements go to another service than replies, which may be down, or
    /// too busy, by itself.
    pub acknowledgements_elsewhere: bool,
    /// The vendor says when a conversation begins.
    pub sends_start: bool,
    /// The key of a conversation outlives its end: whoever writes again begins anew.
    pub reopens: bool,
    /// The vendor itself ends sessions, or hands them over, in which the person
    /// says nothing for too long.
    pub ends_silent_sessions: bool,
    /// A row that is older than this is given up.
    pub age_max_ms: Millis,
    /// A send of unknown outcome is held for a human, not sent again.
    pub hold_ambiguous: bool,
}

impl Delivery {
    /// Which service is called for this: the one for deliveries, unless there is
    /// another.
    pub fn service(&self, purpose: Purpose) -> Purpose {
        if self.acknowledgements_elsewhere { purpose } else { Purpose::Delivery }
    }

    /// What the vendor states for all calls of a service with one token.
    pub fn service_rate(&self, service: Purpose) -> Option<Rate> {
        match service {
            Purpose::Delivery => self.token_rate,
            Purpose::Acknowledgement => None,
        }
    }
}

/// Whom a vendor means when it answers "too many" (429).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Limited {
    /// The conversation: others may go on.
    Conversation,
    /// Everybody who shows the same token.
    Token,
}

/// So many calls within a sliding window.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    /// Calls.
    pub calls: usize,
    /// The window.
    pub window_ms: Millis,
}
