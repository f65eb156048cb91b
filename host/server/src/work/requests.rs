//! Calls of bots to web services, by the action `request`.

use std::sync::Arc;
use std::time::Duration;

use botyard_failpoints::{Point, pass};
use botyard_kernel::action::Action;
use botyard_kernel::destination::Admission;
use botyard_kernel::event::Answer as BotAnswer;
use botyard_kernel::id::TenantId;
use botyard_kernel::lane::Input;
use botyard_kernel::log::Row;
use botyard_kernel::outbox::{CallId, Requested};
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use metrics::counter;

use super::destinations::{self, Of};
use super::driver::Driver;
use super::{Work, bot_headers};
use crate::channel::Bot;
use crate::clock;
use crate::send::{Answer, Outgoing, SendError};

const TIMEOUT_MS: u32 = 30_000;
const TIMEOUT_MAX_MS: u32 = 120_000;
const ANSWER_BYTES_MAX: usize = 256 * 1024;

pub(super) fn request(driver: &Driver, call: CallId, row: Row) -> BoxFuture<'static, Input> {
    let work = Arc::clone(&driver.work);
    let bot = Arc::clone(&driver.channel.bot);
    let key = driver.key.clone();
    let turn = row.turn.clone();
    async move {
        pass(Point::RequestLeaves);
        let requested = match outgoing(row, &bot) {
            Ok(outgoing) => send(&work, &key.tenant, outgoing).await,
            Err(why) => Requested::Refused(why),
        };
        pass(Point::RequestAnswered);
        let result = match &requested {
            Requested::Answered(_) => "answered",
            Requested::Unanswered(_) => "unanswered",
            Requested::Refused(_) => "refused",
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

/// A service that does not answer anybody is not asked by everybody.
async fn send(work: &Work, tenant: &TenantId, outgoing: Outgoing) -> Requested {
    let Ok(url) = url::Url::parse(&outgoing.url) else {
        return Requested::Refused("the address is no URL".to_owned());
    };
    let host = url.host_str().unwrap_or_default();
    // Tenants have breakers of their own: one tenant's failures stop nobody else's calls.
    let service = format!("{tenant}/{host}");
    if let Admission::Wait { .. } = work.services.admit_named(&service, clock::now()) {
        let why = format!("{host} has not answered of late and is left alone for a while");
        return Requested::Unanswered(why);
    }
    let sent = work.door.send(outgoing).await;
    if let Some(ended) = destinations::ended(&sent, |_| None) {
        let now = clock::now();
        let change = work.services.ended_named(&service, ended, now);
        work.alert_of(&Of::Service(tenant, host), change, now);
    }
    requested(sent)
}

fn outgoing(row: Row, bot: &Bot) -> Result<Outgoing, String> {
    let Row { id, action, .. } = row;
    let Action::Request(request) = action else {
        return Err(format!("`{}` is no request", action.name()));
    };
    let method = bot_headers::method(&request.method)?;
    let headers = bot_headers::outgoing(&request.headers, id.as_str())?;
    let timeout = request.timeout_ms.unwrap_or(TIMEOUT_MS).min(TIMEOUT_MAX_MS);
    Ok(Outgoing {
        method,
        url: request.url,
        headers,
        body: request.body.map(Bytes::from).unwrap_or_default(),
        timeout: Duration::from_millis(timeout.into()),
        answer_bytes_max: ANSWER_BYTES_MAX,
        allow: bot.hosts.clone(),
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
