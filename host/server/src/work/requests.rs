//! Calls of bots to web services, by the action `request`.

use std::sync::Arc;
use std::time::Duration;

use botyard_failpoints::{Point, pass};
use botyard_kernel::action::Action;
use botyard_kernel::event::Answer as BotAnswer;
use botyard_kernel::id::{Digest, TenantId};
use botyard_kernel::lane::Input;
use botyard_kernel::log::Row;
use botyard_kernel::outbox::{CallId, Requested};
use botyard_kernel::relay::SCHEME;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use metrics::counter;

use super::driver::Driver;
use super::powers::{self, NotMade};
use super::{Work, bot_headers, relays, services};
use crate::registry::Bot;
use crate::send::{Answer, Outgoing, SendError};

const TIMEOUT_MS: u32 = 30_000;
const TIMEOUT_MAX_MS: u32 = 120_000;
const ANSWER_BYTES_MAX: usize = 256 * 1024;

pub(super) fn request(driver: &Driver, call: CallId, row: Row) -> BoxFuture<'static, Input> {
    let work = Arc::clone(&driver.work);
    let channel = Arc::clone(&driver.channel);
    let bot = channel.bot();
    let key = driver.key.clone();
    let turn = row.turn.clone();
    // That of its session, else the one that answers now.
    let version = driver.answering();
    async move {
        pass(Point::RequestLeaves);
        let requested = match relay(&row.action) {
            Some((name, body)) => relays::ask(&work, &channel, &key, name, body).await,
            None => match outgoing(&work, (&key.tenant, &bot), version, row).await {
                Ok(outgoing) => {
                    let sent = services::request(&work, (&key.tenant, &bot.id), outgoing).await;
                    sent.map_or_else(|held| held, requested)
                }
                Err(requested) => requested,
            },
        };
        pass(Point::RequestAnswered);
        let result = match &requested {
            Requested::Answered(_) => "answered",
            Requested::Unanswered(_) => "unanswered",
            Requested::Refused(_) => "refused",
            Requested::Held { .. } => "held",
        };
        counter!("botyard_requests_total", "result" => result).increment(1);
        if let Requested::Unanswered(why) | Requested::Refused(why) = &requested {
            let bot = &bot.id;
            tracing::warn!(conversation = %key, %turn, %bot, why, "a bot's request got no answer");
        }
        Input::Requested { call, requested }
    }
    .boxed()
}

/// The external bot that is asked, and what. No bot of ours can write such an address.
fn relay(action: &Action) -> Option<(&str, Option<&str>)> {
    let Action::Request(request) = action else { return None };
    let name = request.url.strip_prefix(SCHEME)?;
    Some((name, request.body.as_deref()))
}

async fn outgoing(
    work: &Work,
    (tenant, bot): (&TenantId, &Bot),
    version: Option<Digest>,
    row: Row,
) -> Result<Outgoing, Requested> {
    let Row { id, action, .. } = row;
    let Action::Request(request) = action else {
        return Err(Requested::Refused(format!("`{}` is no request", action.name())));
    };
    let method = bot_headers::method(&request.method).map_err(Requested::Refused)?;
    let headers = bot_headers::outgoing(&request.headers, id.as_str());
    let headers = headers.map_err(Requested::Refused)?;
    let none = || Requested::Refused("no version of the bot is deployed".to_owned());
    let version = version.ok_or_else(none)?;
    let allow = powers::hosts(work, (tenant, bot), &version, &request.url, false).await;
    let allow = allow.map_err(|error| match error {
        NotMade::Refused(..) => Requested::Refused(error.to_string()),
        NotMade::Version(_) => Requested::Unanswered(error.to_string()),
    })?;
    let timeout = request.timeout_ms.unwrap_or(TIMEOUT_MS).min(TIMEOUT_MAX_MS);
    Ok(Outgoing {
        method,
        url: request.url,
        headers,
        body: request.body.map(Bytes::from).unwrap_or_default(),
        timeout: Duration::from_millis(timeout.into()),
        answer_bytes_max: ANSWER_BYTES_MAX,
        allow,
        secrets: bot.http_headers.clone(),
        follow_redirects: true,
    })
}

fn requested(sent: Result<Answer, SendError>) -> Requested {
    match sent {
        Ok(answer) => Requested::Answered(BotAnswer {
            status: answer.status.as_u16(),
            headers: bot_headers::answered(&answer.headers),
            body: String::from_utf8_lossy(&answer.body).into_owned(),
            truncated: answer.truncated,
        }),
        Err(SendError::Denied(why)) => Requested::Refused(why),
        Err(SendError::NotSent(why) | SendError::Lost(why)) => Requested::Unanswered(why),
    }
}
