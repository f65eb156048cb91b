//! Events without what people said.

use super::{optional, text, values};
use crate::event::{
    Answer, CampaignUnsubscribe, Click, DeliveryFailed, Ended, Event, EventBody, First,
    ForwardFailed, HumanSpoke, Location, Media, Message, NamedPayload, Response, ResponseOutcome,
    Returned, Start, Timer,
};

/// Hides what people said in an event.
pub(super) fn hide(event: &mut Event) {
    let Event { id: _, received_ms: _, vendor_ms: _, raw, body } = event;
    optional(raw);
    match body {
        EventBody::Start(Start { approach: _, first, resumed: _ }) => match first {
            Some(First::Message(it)) => message(it),
            Some(First::Media(it)) => media(it),
            Some(First::Click(it)) => click(it),
            Some(First::Location(it)) => location(it),
            None => {}
        },
        EventBody::Message(it) => message(it),
        EventBody::Click(it) => click(it),
        EventBody::Media(it) => media(it),
        EventBody::Location(it) => location(it),
        EventBody::Timer(Timer { name: _, due_ms: _, payload }) => optional(payload),
        EventBody::Response(it) => response(it),
        EventBody::Signal(it) | EventBody::Other(it) => {
            let NamedPayload { name: _, json } = it;
            text(json);
        }
        // Vendors and humans put words of their own into their reasons.
        EventBody::ForwardFailed(ForwardFailed { reason })
        | EventBody::Returned(Returned { reason })
        | EventBody::Ended(Ended { reason }) => optional(reason),
        EventBody::HumanSpoke(HumanSpoke { text, agent }) => {
            optional(text);
            optional(agent);
        }
        EventBody::CampaignUnsubscribe(it) => {
            let CampaignUnsubscribe { campaign_id: _, campaign_name: _, keyword } = it;
            optional(keyword);
        }
        EventBody::DeliveryFailed(it) => {
            let DeliveryFailed { part: _, action: _, reason, ambiguous: _ } = it;
            text(reason);
        }
    }
}

fn message(Message { text: said, format: _ }: &mut Message) {
    text(said);
}

fn click(click: &mut Click) {
    let Click { option_ids: _, label, menu: _, stale: _, typed_text } = click;
    optional(label);
    optional(typed_text);
}

fn media(media: &mut Media) {
    let Media { link, name, mime_type: _, size_bytes: _ } = media;
    text(link);
    optional(name);
}

fn location(location: &mut Location) {
    let Location { latitude, longitude, name, address } = location;
    // JSON has no such number: it is written as `null`.
    (*latitude, *longitude) = (f64::NAN, f64::NAN);
    optional(name);
    optional(address);
}

fn response(Response { name: _, outcome }: &mut Response) {
    match outcome {
        ResponseOutcome::Answered(Answer { status: _, headers, body, truncated: _ }) => {
            values(headers);
            text(body);
        }
        ResponseOutcome::Failed(why) => text(why),
    }
}
