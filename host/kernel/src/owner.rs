//! Who may speak in a conversation.

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

    /// Who may speak where the vendor says `said` with an event. It may have been said
    /// before the vendor heard of a hand-off that is under way, so that stays.
    pub fn told(self, said: Option<Self>) -> Self {
        match (said, self) {
            (Some(Self::Bot), Self::HandingOff | Self::Relay) | (None, _) => self,
            (Some(said), _) => said,
        }
    }

    /// Who may speak after an event happened, before the bot says anything to it.
    pub fn after_event(self, event: &EventBody) -> Self {
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
