//! Calls of external bots that have a conversation.

use std::time::Duration;

use botyard_kernel::id::ConversationKey;
use botyard_kernel::outbox::Requested;
use botyard_kernel::relay::Ask;
use botyard_vendors::external::{Asked, come_of, unasked};

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
    if let Some(requested) = unasked(&**bot, &ask) {
        return requested;
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
    come_of(&**bot, &ask, sent.map(call_answer))
}
