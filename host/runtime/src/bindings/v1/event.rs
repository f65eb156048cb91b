//! Events and sessions, from the kernel to the bot.

use botyard_kernel::event as kernel;
use botyard_kernel::id::{ChannelId, Digest, EventId, SessionId};
use botyard_kernel::session;

use super::generated::botyard::bot::{event as wit, session as wit_session, types};
use super::{Convert, cases, record};

record!(kernel::Event => wit::Event { id, received_ms, vendor_ms, raw, body });
cases!(kernel::EventBody => wit::EventBody { ;
    Start, Message, Click, Media, Location, Timer, Response, Signal, ForwardFailed, Returned,
    HumanSpoke, Ended, CampaignUnsubscribe, DeliveryFailed, Other
});
cases!(kernel::Approach => types::Approach { Normal, Proactive });
cases!(kernel::TextFormat => types::TextFormat { Plain, MarkdownV1 });
record!(kernel::NamedPayload => types::NamedPayload { name, json });
record!(kernel::Setting => types::Setting { name, value });
record!(kernel::Start => wit::Start { approach, first, resumed });
cases!(kernel::First => wit::First { ; Message, Media, Click, Location });
record!(kernel::Message => wit::Message { text, format });
record!(kernel::Click => wit::Click { option_ids, label, menu, stale, typed_text });
record!(kernel::Media => wit::Media { link, name, mime_type, size_bytes });
record!(kernel::Location => wit::Location { latitude, longitude, name, address });
record!(kernel::Timer => wit::Timer { name, due_ms, payload });
record!(kernel::Response => wit::Response { name, outcome });
cases!(kernel::ResponseOutcome => wit::ResponseOutcome { ; Answered, Failed });
record!(kernel::Answer => wit::Answer { status, headers, body, truncated });
record!(kernel::ForwardFailed => wit::ForwardFailed { reason });
record!(kernel::Returned => wit::Returned { reason });
record!(kernel::HumanSpoke => wit::HumanSpoke { text, agent });
record!(kernel::Ended => wit::Ended { reason });
record!(kernel::CampaignUnsubscribe => wit::CampaignUnsubscribe {
    campaign_id, campaign_name, keyword
});
record!(kernel::DeliveryFailed => wit::DeliveryFailed { part, action, reason, ambiguous });
record!(session::Contact => types::Contact {
    id, name, email, mobile_number, external_customer_id, locale, custom_fields
});

impl Convert<wit_session::Session> for session::Session {
    fn convert(self) -> wit_session::Session {
        let facts = self.facts;
        let [first, second, third, fourth] = self.seed.0;
        wit_session::Session {
            id: self.id.convert(),
            conversation: self.conversation,
            channel: self.channel.convert(),
            vendor: self.vendor,
            medium: facts.medium,
            entry: facts.entry,
            params: facts.params.convert(),
            approach: facts.approach.convert(),
            locale: facts.locale,
            contact: facts.contact.convert(),
            conversation_url: facts.conversation_url,
            subject: facts.subject,
            topics: facts.topics,
            context: self.context,
            context_by: self.context_by.convert(),
            skipped: self.skipped.convert(),
            started_ms: self.started_ms,
            turn: self.turn,
            now_ms: self.now_ms,
            seed: (first, second, third, fourth),
            profile: self.profile.convert(),
        }
    }
}

impl Convert<String> for EventId {
    fn convert(self) -> String {
        self.0
    }
}

impl Convert<String> for SessionId {
    fn convert(self) -> String {
        self.0
    }
}

impl Convert<String> for ChannelId {
    fn convert(self) -> String {
        self.0
    }
}

impl Convert<String> for Digest {
    fn convert(self) -> String {
        self.to_string()
    }
}
