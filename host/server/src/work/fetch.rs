//! Calls of bots within their turns, by the import `http`.

use std::sync::Arc;
use std::time::Duration;

use anyhow::Context as _;
use async_trait::async_trait;
use botyard_failpoints::{Point, pass};
use botyard_kernel::call::{
    Ask, CALL_BODY_BYTES_MAX, CallAnswer, CallError, CallRequest, CallResponse, Journal,
};
use botyard_kernel::id::TenantId;
use botyard_kernel::lane::Input;
use botyard_runtime::HttpCalls;
use bytes::Bytes;
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use metrics::counter;
use tokio::sync::{mpsc, oneshot};
use tokio::time::Instant;

use super::driver::Driver;
use super::powers::{self, NotMade};
use super::services::{self, Reached};
use super::{Message, Work, bot_headers};
use crate::registry::Bot;
use crate::send::{Answer, Outgoing, SendError};

/// The way of a run's calls to its lane, which has its event stored first and
/// its answers before the bot sees them.
pub(super) struct Calls {
    pub(super) run: u64,
    pub(super) lane: mpsc::UnboundedSender<Message>,
}

#[async_trait]
impl HttpCalls for Calls {
    async fn call(&self, ask: Ask) -> anyhow::Result<CallAnswer> {
        let deadline = Instant::now() + Duration::from_millis(ask.timeout_ms);
        let (answer, answered) = oneshot::channel();
        let caller = Caller { deadline, answer };
        let message = Message::Asked { run: self.run, ask: Box::new(ask), caller };
        self.lane.send(message).ok().context("the conversation's lane has ended")?;
        answered.await.context("the run was given up")
    }
}

/// A bot that waits for the answer to its call.
#[derive(Debug)]
pub(crate) struct Caller {
    /// What is left of its time, from when it asked.
    pub(super) deadline: Instant,
    /// Dropping it ends the run.
    pub(super) answer: oneshot::Sender<CallAnswer>,
}

/// Makes the call.
pub(super) fn fetch(
    driver: &Driver,
    run: u64,
    key: String,
    ask: Ask,
    deadline: Instant,
) -> BoxFuture<'static, Input> {
    let work = Arc::clone(&driver.work);
    let bot = driver.channel.bot();
    let conversation = driver.key.clone();
    async move {
        let whose = (&conversation.tenant, &*bot);
        let answer = match outgoing(&work, whose, ask.request, &ask.journal, &key).await {
            Err(error) => Err(error),
            Ok(outgoing) => {
                let deadline = deadline.min(Instant::now() + work.door.patience());
                pass(Point::FetchLeaves);
                let caller = (&conversation.tenant, &bot.id);
                match services::call(&work, caller, outgoing, Some(deadline)).await {
                    Reached::Sent(sent) => answer(sent),
                    Reached::TimedOut => Err(CallError::Timeout),
                    Reached::Exceeded(exceeded) => Err(CallError::Other(exceeded.to_string())),
                    Reached::LeftAlone { host, .. } => Err(CallError::Other(format!(
                        "{host} has not answered of late and is left alone for a while"
                    ))),
                }
            }
        };
        pass(Point::FetchAnswered);
        let result = result(&answer);
        counter!("botyard_http_calls_total", "result" => result).increment(1);
        if let Err(CallError::Denied(why) | CallError::Other(why)) = &answer {
            let (bot, index) = (&bot.id, ask.index);
            tracing::warn!(%conversation, %bot, index, why, "a bot's call got no answer");
        }
        Input::Fetched { run, answer }
    }
    .boxed()
}

async fn outgoing(
    work: &Work,
    (tenant, bot): (&TenantId, &Bot),
    request: CallRequest,
    journal: &Journal,
    key: &str,
) -> Result<Outgoing, CallError> {
    let CallRequest { method, url, headers: wanted, body, timeout_ms: _ } = request;
    let method = bot_headers::method(&method).map_err(CallError::Other)?;
    let headers = bot_headers::outgoing(&wanted, key).map_err(CallError::Other)?;
    let unknown = || CallError::Other("the host does not know which version calls".to_owned());
    let version = journal.version.ok_or_else(unknown)?;
    let allow = powers::hosts(work, (tenant, bot), &version, &url, true).await;
    let allow = allow.map_err(|error| match error {
        NotMade::Refused(..) => CallError::Denied(error.to_string()),
        NotMade::Version(_) => CallError::Other(error.to_string()),
    })?;
    Ok(Outgoing {
        method,
        url,
        headers,
        body: body.map(Bytes::from).unwrap_or_default(),
        // The deadline ends it, so that it can be told from an answer that broke off.
        timeout: Duration::MAX,
        answer_bytes_max: CALL_BODY_BYTES_MAX,
        allow,
        secrets: bot.http_headers.clone(),
        follow_redirects: true,
    })
}

fn answer(sent: Result<Answer, SendError>) -> CallAnswer {
    match sent {
        Ok(answer) if answer.truncated => Err(CallError::TooLarge),
        Ok(answer) => Ok(CallResponse {
            status: answer.status.as_u16(),
            headers: bot_headers::answered(&answer.headers),
            body: answer.body.into(),
        }),
        Err(SendError::Denied(why)) => Err(CallError::Denied(why)),
        Err(SendError::NotSent(why) | SendError::Lost(why)) => Err(CallError::Other(why)),
    }
}

fn result(answer: &CallAnswer) -> &'static str {
    match answer {
        Ok(_) => "answered",
        Err(CallError::Denied(_)) => "denied",
        Err(CallError::Timeout) => "timeout",
        Err(CallError::TooLarge) => "too_large",
        Err(CallError::Limit | CallError::Other(_)) => "failed",
    }
}
