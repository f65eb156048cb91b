//! Every event that there can be.

use botyard_kernel::event::{self, Approach, Event, EventBody, NamedPayload, Setting, TextFormat};
use proptest::collection::vec;
use proptest::option::of;
use proptest::prelude::*;

prop_compose! {
    pub(crate) fn events()(
        id in text(), received_ms in any::<u64>(), vendor_ms in of(any::<u64>()), raw in of(text()),
        body in bodies(),
    ) -> Event {
        Event { id: id.into(), received_ms, vendor_ms, raw, body }
    }
}

pub(crate) fn text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[ -~äß→🙂\"\\\\]{0,40}"]
}

pub(crate) fn format() -> impl Strategy<Value = TextFormat> {
    prop_oneof![Just(TextFormat::Plain), Just(TextFormat::MarkdownV1)]
}

pub(crate) fn settings() -> impl Strategy<Value = Vec<Setting>> {
    vec((text(), text()).prop_map(|(name, value)| Setting { name, value }), 0..4)
}

prop_compose! {
    pub(crate) fn named_payload()(name in text(), json in text()) -> NamedPayload {
        NamedPayload { name, json }
    }
}

prop_compose! {
    fn heard_message()(text in text(), format in format()) -> event::Message {
        event::Message { text, format }
    }
}

prop_compose! {
    fn click()(
        option_ids in vec(text(), 1..4), label in of(text()), menu in of(text()),
        stale in any::<bool>(), typed_text in of(text()),
    ) -> event::Click {
        event::Click { option_ids, label, menu, stale, typed_text }
    }
}

prop_compose! {
    fn heard_media()(
        link in text(), name in of(text()), mime_type in of(text()), size_bytes in of(any::<u64>()),
    ) -> event::Media {
        event::Media { link, name, mime_type, size_bytes }
    }
}

prop_compose! {
    fn location()(
        latitude in -90.0..90.0_f64, longitude in -180.0..180.0_f64, name in of(text()),
        address in of(text()),
    ) -> event::Location {
        event::Location { latitude, longitude, name, address }
    }
}

prop_compose! {
    fn answer()(
        status in any::<u16>(), headers in settings(), body in text(), truncated in any::<bool>(),
    ) -> event::Answer {
        event::Answer { status, headers, body, truncated }
    }
}

fn start() -> impl Strategy<Value = event::Start> {
    let approach = prop_oneof![Just(Approach::Normal), Just(Approach::Proactive)];
    let first = prop_oneof![
        heard_message().prop_map(event::First::Message),
        heard_media().prop_map(event::First::Media),
        click().prop_map(event::First::Click),
        location().prop_map(event::First::Location),
    ];
    (of(approach), of(first), any::<bool>()).prop_map(|(approach, first, resumed)| event::Start {
        approach,
        first,
        resumed,
    })
}

fn bodies() -> impl Strategy<Value = EventBody> {
    let outcome = prop_oneof![
        answer().prop_map(event::ResponseOutcome::Answered),
        text().prop_map(event::ResponseOutcome::Failed),
    ];
    prop_oneof![
        start().prop_map(EventBody::Start),
        heard_message().prop_map(EventBody::Message),
        click().prop_map(EventBody::Click),
        heard_media().prop_map(EventBody::Media),
        location().prop_map(EventBody::Location),
        (text(), any::<u64>(), of(text())).prop_map(|(name, due_ms, payload)| {
            EventBody::Timer(event::Timer { name, due_ms, payload })
        }),
        (text(), outcome)
            .prop_map(|(name, outcome)| { EventBody::Response(event::Response { name, outcome }) }),
        named_payload().prop_map(EventBody::Signal),
        of(text()).prop_map(|reason| EventBody::ForwardFailed(event::ForwardFailed { reason })),
        of(text()).prop_map(|reason| EventBody::Returned(event::Returned { reason })),
        (of(text()), of(text()))
            .prop_map(|(text, agent)| EventBody::HumanSpoke(event::HumanSpoke { text, agent })),
        of(text()).prop_map(|reason| EventBody::Ended(event::Ended { reason })),
        (of(text()), of(text()), of(text())).prop_map(|(campaign_id, campaign_name, keyword)| {
            EventBody::CampaignUnsubscribe(event::CampaignUnsubscribe {
                campaign_id,
                campaign_name,
                keyword,
            })
        }),
        (text(), text(), text(), any::<bool>()).prop_map(|(part, action, reason, ambiguous)| {
            EventBody::DeliveryFailed(event::DeliveryFailed { part, action, reason, ambiguous })
        }),
        named_payload().prop_map(EventBody::Other),
    ]
}
