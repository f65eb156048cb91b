//! A webhook's body to events.

use botyard_kernel::event::{Ended, EventBody, HumanSpoke, Returned};
use botyard_kernel::owner::Owner;
use botyard_kernel::time::Millis;
use serde_json::Value;

use super::acknowledge;
use super::dialect::Echoes;
use super::facts;
use super::message::{self, other};
use super::place::{Place, id};
use super::reply::ReplyTo;
use super::settings::Settings;
use crate::webhook::{named, raw};
use crate::{Damaged, Inbound, Incoming, Received};

/// A longer id of a message is none.
const KEY_BYTES_MAX: usize = 512;
/// Of the kind of an event so much is part of its key.
const KIND_BYTES_MAX: usize = 200;
/// Of a damaged webhook so much is kept.
const DAMAGED_BYTES_MAX: usize = 64 * 1024;

/// Reads a webhook that was verified. What cannot be read is answered with success all
/// the same, and kept: too many errors make a bot unhealthy, and Khoros then takes its
/// conversations away.
pub(super) fn receive(settings: &Settings, request: &Inbound<'_>) -> Received {
    match parse(settings, request) {
        Ok(event) => Webhook { settings, request, event: &event }.read(),
        Err(reason) => {
            Received::Events { events: Vec::new(), damaged: vec![damage(request, reason)] }
        }
    }
}

fn parse(settings: &Settings, request: &Inbound<'_>) -> Result<Value, String> {
    let event: Value = serde_json::from_slice(request.body)
        .map_err(|error| format!("the body is not JSON: {error}"))?;
    if !event.is_object() {
        return Err("the body must be a JSON object".to_owned());
    }
    let company = event.pointer("/coordinate/companyKey").and_then(id);
    if company.is_some_and(|company| company != settings.company_key) {
        return Err("`coordinate.companyKey` is not the channel's `company-key`: correct the \
                    setting, or the registration whose webhooks come here"
            .to_owned());
    }
    let bot = event.pointer("/coordinate/botId").and_then(id);
    let other = bot.is_some_and(|bot| bot != settings.app_id);
    if other && settings.dialect.incoming.bot_is_app {
        return Err("`coordinate.botId` is not the channel's `app-id`: correct the setting, or \
                    the registration whose webhooks come here. Where Khoros has two names for \
                    your bot, set `dialect.incoming.bot-is-app` to false"
            .to_owned());
    }
    Ok(event)
}

fn damage(request: &Inbound<'_>, reason: String) -> Damaged {
    let body = &request.body[..request.body.len().min(DAMAGED_BYTES_MAX)];
    Damaged { reason, raw: String::from_utf8_lossy(body).into_owned() }
}

/// A webhook that knows the secret and is for this company.
struct Webhook<'a> {
    settings: &'a Settings,
    request: &'a Inbound<'a>,
    event: &'a Value,
}

impl Webhook<'_> {
    fn read(&self) -> Received {
        let kind = self.event.get("type").and_then(Value::as_str).unwrap_or_default();
        let known = matches!(kind, "message" | "update" | "control" | "");
        let place = match Place::read(self.event) {
            Ok(place) => place,
            Err(_) if !known => {
                return Received::Ignored("an event of an unknown type that is of no conversation");
            }
            Err(reason) => return self.damaged(reason),
        };
        match kind {
            "" => self.damaged("`type` must be a text that is not empty".to_owned()),
            "message" if self.is_own(&place) => Received::Ignored("the bot's own message"),
            "message" => self.message(&place),
            "update" => self.update(&place),
            "control" => self.control(&place),
            _ => {
                let body = EventBody::Other(other(kind, self.event));
                self.one(self.keyed(&place, body, kind, self.text("/publishedTS")))
            }
        }
    }

    fn damaged(&self, reason: String) -> Received {
        Received::Events { events: Vec::new(), damaged: vec![self.damage(reason)] }
    }

    fn damage(&self, reason: String) -> Damaged {
        damage(self.request, reason)
    }

    fn one(&self, incoming: Incoming) -> Received {
        Received::Events { events: vec![incoming], damaged: Vec::new() }
    }

    /// Whether the brand itself said it: the bot, or whoever else speaks for the page.
    fn is_own(&self, place: &Place) -> bool {
        let page = self.settings.dialect.incoming.page_is_no_person;
        place.author == self.settings.app_id || page && place.author == place.external
    }

    /// Whether an answer is the bot's own come back.
    fn is_echo(&self, place: &Place) -> bool {
        if self.owner_type("AGENT") {
            return false;
        }
        let public = self.text("/coordinate/scope").is_some_and(|scope| scope == "PUBLIC");
        let ours = match self.settings.dialect.incoming.echoes {
            Echoes::None => false,
            Echoes::Private => !public,
            Echoes::All => true,
        };
        ours && self.owner() == Some(Owner::Bot) || self.is_own(place)
    }

    fn message(&self, place: &Place) -> Received {
        let read = message::read(&self.settings.dialect.incoming, self.event);
        let key = self.text("/coordinate/messageId");
        let reply_to = ReplyTo::of_event(self.event, place);
        let with = |(nth, body): (usize, EventBody)| {
            let mut incoming = self.incoming(place, body);
            // A message with several parts is as many events, each with a key.
            incoming.key = key.as_ref().map(|key| match nth {
                0 => key.clone(),
                _ => format!("{key}#{nth}"),
            });
            incoming.request = (key.is_none() && nth == 0).then(|| named(self.request));
            incoming.reply_to.clone_from(&reply_to);
            incoming.facts.params.extend(read.note.clone());
            incoming
        };
        let events = read.bodies.iter().cloned().enumerate().map(with).collect();
        let damaged = read.damaged.into_iter().map(|reason| self.damage(reason)).collect();
        Received::Events { events, damaged }
    }

    fn update(&self, place: &Place) -> Received {
        let operation = self.event.get("operation").and_then(Value::as_str).unwrap_or("update");
        let body = match operation {
            "CLOSED" => EventBody::Ended(Ended { reason: None }),
            "AGENT_RESPONSE" if self.is_echo(place) => {
                return Received::Ignored("the bot's own message");
            }
            "AGENT_RESPONSE" => {
                let agent = &self.settings.dialect.incoming.agent;
                let agent = self.event.pointer(agent).and_then(Value::as_str).map(facts::short);
                let text = self.event.get("text").and_then(Value::as_str).map(message::cut_text);
                EventBody::HumanSpoke(HumanSpoke { text, agent })
            }
            _ => EventBody::Other(other(operation, self.event)),
        };
        let at = self.text("/publishedTS").or_else(|| self.text("/lastUpdateTS"));
        let takes_over = matches!(body, EventBody::HumanSpoke(_)) && self.is_public_word_of_agent();
        let mut incoming = self.keyed(place, body, operation, at);
        if takes_over {
            incoming.acknowledge = Some(acknowledge::HAND_OVER.to_owned());
        }
        self.one(incoming)
    }

    /// Whether an agent answers the person while Khoros still gives the conversation to the
    /// bot: as long as it does, whatever the person writes next goes to the bot again.
    fn is_public_word_of_agent(&self) -> bool {
        let public = self.text("/coordinate/scope").is_some_and(|scope| scope == "PUBLIC");
        let hands_over = self.settings.dialect.incoming.agents_take_over;
        hands_over && public && self.owner() == Some(Owner::Bot)
    }

    /// Who owns the conversation from now on. Another bot at Khoros is as far away as a
    /// human: ours hears of it when it gets the conversation back.
    fn control(&self, place: &Place) -> Received {
        let (body, word) = match self.owner() {
            Some(Owner::Bot) => (EventBody::Returned(Returned { reason: self.comment() }), "bot"),
            Some(Owner::Human) if self.owner_type("AGENT") => {
                (EventBody::HumanSpoke(HumanSpoke::default()), "agent")
            }
            Some(_) | None => (EventBody::Other(other("control", self.event)), "other"),
        };
        let returned = matches!(body, EventBody::Returned(_));
        let at = self.text("/lastUpdateTS").or_else(|| self.text("/publishedTS"));
        let mut incoming = self.keyed(place, body, &format!("control:{word}"), at);
        if returned && self.text("/coordinate/messageId").is_some() {
            incoming.reply_to = ReplyTo::of_event(self.event, place);
        }
        self.one(incoming)
    }

    fn comment(&self) -> Option<String> {
        self.event.get("comment").and_then(Value::as_str).map(facts::short)
    }

    /// The coordinate of what is no message names a message that was there before, so
    /// it takes the kind and the time to tell two of them apart.
    fn keyed(&self, place: &Place, body: EventBody, kind: &str, at: Option<String>) -> Incoming {
        let mut incoming = self.incoming(place, body);
        let message = self.text("/coordinate/messageId").unwrap_or_default();
        incoming.key = at.map(|at| format!("{}:{message}:{at}", facts::cut(kind, KIND_BYTES_MAX)));
        incoming.request = incoming.key.is_none().then(|| named(self.request));
        incoming
    }

    fn incoming(&self, place: &Place, body: EventBody) -> Incoming {
        let times = ["publishedTS", "lastUpdateTS", "receivedTS"];
        let vendor_ms = times.iter().find_map(|it| self.event.get(it).and_then(millis));
        Incoming {
            vendor_ms,
            owner: self.owner(),
            desk_id: facts::display_id(self.event),
            // Whatever else a message holds, a person wrote it; a conversation that was
            // created is told of behind the message that created it.
            aside: matches!(body, EventBody::Other(_))
                && self.event.get("type").and_then(Value::as_str) != Some("message"),
            raw: raw(self.request.body),
            facts: facts::facts(self.event, place),
            ..Incoming::new(place.key(), body)
        }
    }

    fn owner(&self) -> Option<Owner> {
        if self.owner_type("AGENT") {
            return Some(Owner::Human);
        }
        let app = self.event.pointer("/owner/appId").and_then(id)?;
        let ours = app == self.settings.app_id;
        // Not `Relay`: that is a bot behind us, which only a hand-back of ours ends.
        self.owner_type("BOT").then_some(if ours { Owner::Bot } else { Owner::Human })
    }

    fn owner_type(&self, name: &str) -> bool {
        let told = self.event.pointer("/owner/type").and_then(Value::as_str);
        told.is_some_and(|told| told.eq_ignore_ascii_case(name))
    }

    fn text(&self, pointer: &str) -> Option<String> {
        let text = self.event.pointer(pointer).and_then(id)?;
        (!text.is_empty() && text.len() <= KEY_BYTES_MAX).then_some(text)
    }
}

/// A whole number, which some networks write as a text.
pub(super) fn millis(value: &Value) -> Option<Millis> {
    value.as_u64().or_else(|| value.as_str()?.trim().parse().ok())
}
