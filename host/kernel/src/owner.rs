//! Who may speak in a conversation, and who gave it to them.

use serde::{Deserialize, Serialize};

use crate::event::EventBody;

/// Who may speak.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// Our bot.
    #[default]
    Bot,
    /// An external bot, through us.
    Relay,
    /// Nobody for sure: a hand-off is on its way.
    HandingOff,
    /// A human agent.
    Human,
    /// Nobody: the conversation is over.
    Ended,
}

impl Owner {
    /// Whether an event runs the bot. Others are consumed without a run and
    /// handed over with the next one.
    pub fn runs(self, event: &EventBody) -> bool {
        match event {
            EventBody::Returned(_) | EventBody::Ended(_) | EventBody::ForwardFailed(_) => true,
            EventBody::Start(_)
            | EventBody::Message(_)
            | EventBody::Click(_)
            | EventBody::Media(_)
            | EventBody::Location(_)
            | EventBody::Timer(_)
            | EventBody::Response(_)
            | EventBody::Signal(_)
            | EventBody::HumanSpoke(_)
            | EventBody::CampaignUnsubscribe(_)
            | EventBody::DeliveryFailed(_)
            | EventBody::Other(_) => self == Self::Bot,
        }
    }

    /// Whether a bot answers, our own or an external one through us: to the vendor the
    /// two are the same one.
    pub fn is_ours(self) -> bool {
        match self {
            Self::Bot | Self::Relay => true,
            Self::HandingOff | Self::Human | Self::Ended => false,
        }
    }

    fn told(self, said: Option<Self>, stale: bool) -> Self {
        match (said, self) {
            (Some(Self::Bot), Self::HandingOff | Self::Relay) | (None, _) => self,
            (Some(Self::Bot), Self::Human) if stale => self,
            (Some(said), _) => said,
        }
    }

    fn after_event(self, event: &EventBody) -> Self {
        match event {
            EventBody::Returned(_) | EventBody::ForwardFailed(_) => Self::Bot,
            EventBody::Ended(_) => Self::Ended,
            EventBody::HumanSpoke(_) => Self::Human,
            EventBody::Start(_)
            | EventBody::Message(_)
            | EventBody::Click(_)
            | EventBody::Media(_)
            | EventBody::Location(_)
            | EventBody::Timer(_)
            | EventBody::Response(_)
            | EventBody::Signal(_)
            | EventBody::CampaignUnsubscribe(_)
            | EventBody::DeliveryFailed(_)
            | EventBody::Other(_) => self,
        }
    }

    /// The name for logs and metrics.
    pub fn name(self) -> &'static str {
        match self {
            Self::Bot => "bot",
            Self::Relay => "relay",
            Self::HandingOff => "handing_off",
            Self::Human => "human",
            Self::Ended => "ended",
        }
    }
}

/// Whose word it is that a conversation changes hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Word {
    /// That of somebody at the host's desk, or of a rule of the channel.
    Host,
    /// The vendor's.
    Vendor,
    /// About a time before the conversation changed hands otherwise: the vendor's, or
    /// that of a hand-off of ours that failed.
    Late,
}

/// Who has a conversation, and whether the vendor knows of it.
///
/// A human who answers through the host's desk is nobody whom the vendor knows of: it
/// goes on saying that the bot has the conversation, and tells of the end of tickets of
/// its own. So what the vendor says gives back only what the vendor took.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Holder {
    /// Who may speak.
    pub owner: Owner,
    /// A human who works at the host's desk, or is about to get it there.
    pub at_desk: bool,
}

impl Holder {
    /// Who may speak where the vendor says `said` with an event. It may have been said
    /// before the vendor heard of a hand-off that is under way, so that stays; and
    /// where the event is `stale`, older than a human's taking over, a human stays. Who
    /// has it at the host's desk keeps it until the vendor says that it is over.
    pub fn told(self, said: Option<Owner>, stale: bool) -> Self {
        match said {
            Some(Owner::Bot | Owner::Relay | Owner::HandingOff | Owner::Human) if self.at_desk => {
                self
            }
            said => self.given_to(self.owner.told(said, stale)),
        }
    }

    /// Whether an event runs the bot.
    pub fn runs(self, event: &EventBody, word: Word) -> bool {
        !self.ignores(event, word) && self.owner.runs(event)
    }

    /// Who may speak after an event happened, before the bot says anything to it.
    pub fn after_event(self, event: &EventBody, word: Word) -> Self {
        if self.ignores(event, word) {
            return self;
        }
        let mut next = self.given_to(self.owner.after_event(event));
        if matches!(event, EventBody::HumanSpoke(_)) {
            // One of the vendor's agents who is first takes it from the desk, too.
            next.at_desk = word == Word::Host || self.at_desk && self.owner == Owner::Human;
        }
        next
    }

    /// Whether an event moves nobody. Nobody at the desk knows of the vendor's agents,
    /// nor of a hand-off that failed there, so these give back only what they have
    /// taken; and what comes late tells of what is over.
    fn ignores(self, event: &EventBody, word: Word) -> bool {
        let gives_back = matches!(event, EventBody::Returned(_) | EventBody::ForwardFailed(_));
        match word {
            Word::Host => false,
            Word::Vendor => self.at_desk && gives_back,
            Word::Late => gives_back || matches!(event, EventBody::HumanSpoke(_)),
        }
    }

    /// Only a human works at the desk, or is waited for there.
    fn given_to(self, owner: Owner) -> Self {
        let human = matches!(owner, Owner::Human | Owner::HandingOff);
        Self { owner, at_desk: self.at_desk && human }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::{Ended, ForwardFailed, HumanSpoke, Message, Returned, Timer};

    const OWNERS: [Owner; 5] =
        [Owner::Bot, Owner::Relay, Owner::HandingOff, Owner::Human, Owner::Ended];

    fn bodies() -> Vec<EventBody> {
        let timer = Timer { name: "nudge".to_owned(), due_ms: 1, payload: None };
        vec![
            EventBody::Message(Message { text: "hi".to_owned(), format: Default::default() }),
            EventBody::Timer(timer),
            EventBody::HumanSpoke(HumanSpoke::default()),
            EventBody::Returned(Returned::default()),
            EventBody::ForwardFailed(ForwardFailed::default()),
            EventBody::Ended(Ended::default()),
        ]
    }

    #[test]
    fn only_the_bot_is_run_on_what_a_person_says() {
        let bodies = bodies();
        for owner in OWNERS {
            let runs: Vec<_> =
                bodies.iter().filter(|body| owner.runs(body)).map(EventBody::name).collect();
            let always = ["returned", "forward_failed", "ended"];
            if owner == Owner::Bot {
                assert_eq!(runs.len(), bodies.len());
            } else {
                assert_eq!(runs, always, "{owner:?}");
            }
        }
    }

    proptest! {
        /// Whatever happens, the bot has the conversation only after somebody gave it
        /// back: the vendor, a human, or a hand-off that failed.
        #[test]
        fn a_conversation_comes_back_only_where_somebody_gives_it_back(
            began in 0_usize..5,
            awaited: bool,
            steps in prop::collection::vec(
                (0_usize..6, prop::option::of(0_usize..5), any::<bool>(), 0_usize..3),
                0..40,
            ),
        ) {
            let bodies = bodies();
            let owner = OWNERS[began];
            let mut holder = Holder { owner, at_desk: awaited && owner == Owner::HandingOff };
            for (body, said, stale, word) in steps {
                let (body, said) = (&bodies[body], said.map(|said| OWNERS[said]));
                let (owner, at_desk) = (holder.owner, holder.at_desk);
                let word = [Word::Host, Word::Vendor, Word::Late][word];
                let told = holder.told(said, stale);
                holder = told.after_event(body, word);
                let next = holder.owner;
                // Who has it at the desk loses it to the desk alone, or to the end.
                prop_assert!(!holder.at_desk || matches!(next, Owner::Human | Owner::HandingOff));
                let over = next == Owner::Ended || said == Some(Owner::Ended);
                if at_desk && word != Word::Host && !over {
                    let first = owner == Owner::HandingOff && next == Owner::Human;
                    prop_assert!(first || holder.at_desk, "{:?} by {:?}", body, said);
                }
                if word == Word::Host && matches!(body, EventBody::HumanSpoke(_)) {
                    prop_assert!(holder.at_desk);
                }
                let given = matches!(body, EventBody::Returned(_) | EventBody::ForwardFailed(_))
                    && word != Word::Late
                    || said == Some(Owner::Bot)
                        && (owner == Owner::Ended || owner == Owner::Human && !stale);
                prop_assert!(next != Owner::Bot || owner == Owner::Bot || given);
                // What comes late moves nobody, and nobody runs on it, but to the end.
                let ended = matches!(body, EventBody::Ended(_));
                if word == Word::Late && !ended {
                    prop_assert_eq!(holder, told, "{:?}", body);
                    prop_assert!(!bodies[2..5].contains(body) || !told.runs(body, word));
                }
                if word != Word::Late && matches!(body, EventBody::HumanSpoke(_)) {
                    prop_assert_eq!(next, Owner::Human);
                }
                if ended {
                    prop_assert_eq!(next, Owner::Ended);
                }
                // A vendor that has not heard yet of a hand-off does not undo it.
                if owner == Owner::HandingOff && said == Some(Owner::Bot) && body.is_speech() {
                    prop_assert_eq!(next, Owner::HandingOff);
                }
            }
        }
    }
}
