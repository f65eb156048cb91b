//! Calls of external bots that have a conversation.

use botyard_kernel::event::Answer as BotAnswer;
use botyard_kernel::id::ConversationKey;
use botyard_kernel::outbox::Requested;
use botyard_kernel::relay::{Ask, Heard};
use botyard_vendors::Outcome;
use botyard_vendors::external::{Asked, ExternalBot};
use std::time::Duration;

use super::Work;
use super::calls::{call_answer, own_host};
use super::services;
use crate::registry::Channel;
use crate::send::{Outgoing, SecretHeaders};

const TIMEOUT: Duration = Duration::from_secs(30);
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// So many digits name a person who has no address of their own.
const GUEST_DIGITS: usize = 24;

/// Asks an external bot something.
pub(super) async fn ask(
    work: &Work,
    channel: &Channel,
    key: &ConversationKey,
    name: &str,
    body: Option<&str>,
) -> Requested {
    let setup = channel.setup();
    let Some(bot) = setup.relays.get(name) else {
        return Requested::Refused(format!("there is no external bot `{name}` any more"));
    };
    let Some(ask) = body.and_then(|body| serde_json::from_str::<Ask>(body).ok()) else {
        return Requested::Refused("this host does not know what it was to be asked".to_owned());
    };
    let guest = key.digest().to_string();
    let callback_url = work.callbacks.url(key);
    if matches!(ask, Ask::Who(_)) && !bot.asks_who() {
        return answered(bot.vendor(), &Heard::default());
    }
    let to = Asked { guest: &guest[..GUEST_DIGITS], callback_url: callback_url.as_deref() };
    let call = bot.ask(&ask, &to);
    let outgoing = Outgoing {
        method: call.method,
        allow: own_host(&call.url),
        url: call.url,
        headers: call.headers,
        body: call.body,
        timeout: TIMEOUT,
        answer_bytes_max: ANSWER_BYTES_MAX,
        secrets: SecretHeaders::default(),
        follow_redirects: false,
    };
    let by = channel.bot();
    let sent = services::request(work, (&key.tenant, &by.id), outgoing).await;
    if matches!(ask, Ask::Who(_)) {
        // Nobody waits for an answer that does not come at once: the bot goes on.
        let contact = sent.ok().and_then(|sent| bot.known(&call_answer(sent)));
        return answered(bot.vendor(), &Heard { contact, ..Heard::default() });
    }
    match sent {
        Ok(sent) => heard(&**bot, bot.heard(&call_answer(sent))),
        Err(held) => held,
    }
}

fn heard(bot: &dyn ExternalBot, heard: Result<Heard, Outcome>) -> Requested {
    let vendor = bot.vendor();
    let heard = match heard {
        Ok(heard) => heard,
        Err(Outcome::Gone(reason) | Outcome::Taken(reason)) => {
            Heard { over: Some(reason), ..Heard::default() }
        }
        Err(Outcome::Retry { reason, .. }) => return Requested::Unanswered(reason),
        Err(Outcome::Fatal { reason, .. }) => return Requested::Refused(reason),
        Err(Outcome::Delivered { .. }) => {
            return Requested::Refused(format!("{vendor} said nothing"));
        }
    };
    answered(vendor, &heard)
}

fn answered(vendor: &str, heard: &Heard) -> Requested {
    match serde_json::to_string(heard) {
        Ok(body) => Requested::Answered(BotAnswer {
            status: 200,
            headers: Vec::new(),
            body,
            truncated: false,
        }),
        Err(error) => Requested::Refused(format!("what {vendor} said cannot be kept: {error}")),
    }
}
