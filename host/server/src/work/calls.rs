//! Calls to vendors.

use std::sync::Arc;
use std::time::Duration;

use botyard_failpoints::{Point, pass};
use botyard_kernel::destination::{Ended, Purpose};
use botyard_kernel::id::ConversationKey;
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Acknowledgement, Row, Taken};
use botyard_kernel::outbox::{CallId, Called};
use botyard_kernel::profile::Limited;
use botyard_kernel::time::{Millis, SECOND};
use botyard_vendors::{Call, CallAnswer, Outcome, Part, To, Vendor};
use futures_util::FutureExt as _;
use futures_util::future::BoxFuture;
use http::HeaderMap;
use http::header::RETRY_AFTER;
use metrics::counter;

use super::Work;
use super::destinations::{self, Of, VendorService};
use super::driver::{Driver, part};
use crate::clock;
use crate::registry::Channel;
use crate::send::{Answer, HostPattern, Outgoing, SecretHeaders, SendError};

/// A vendor has so long to answer a call.
const TIMEOUT: Duration = Duration::from_secs(30);
/// So much of a vendor's answer is read.
const ANSWER_BYTES_MAX: usize = 64 * 1024;

pub(super) fn call(
    driver: &Driver,
    call: CallId,
    rows: Vec<Row>,
    again: bool,
) -> BoxFuture<'static, Input> {
    let work = Arc::clone(&driver.work);
    let channel = Arc::clone(&driver.channel);
    let key = driver.key.clone();
    let (reply_to, desk_id) = (driver.reply_to(), driver.desk_id());
    let desk = channel.vendor();
    async move {
        let (vendor, parts) = (desk.name(), rows.len());
        let turn = rows.first().map(|row| row.turn.to_string());
        let to = to(&key, reply_to.as_deref(), desk_id.as_deref());
        let called = deliver(&work, &channel, &*desk, &to, &rows).await;
        let result = result(&called);
        counter!("botyard_calls_total", "vendor" => vendor, "result" => result).increment(1);
        if again {
            counter!("botyard_calls_repeated_total", "vendor" => vendor).increment(1);
            tracing::warn!(
                conversation = %key, turn, parts,
                "sent again: whether an earlier call was taken is not known"
            );
        }
        match &called {
            Called::Delivered { .. } => {
                tracing::debug!(conversation = %key, turn, parts, "delivered by a call");
            }
            Called::Retry { reason, ambiguous, .. } => {
                tracing::warn!(conversation = %key, turn, parts, reason, ambiguous, "a call is tried again");
            }
            Called::Taken(reason) => {
                tracing::warn!(
                    conversation = %key, turn, parts, reason,
                    "somebody else has the conversation: what waits is quarantined"
                );
            }
            Called::Fatal(reason) | Called::Gone(reason) => {
                tracing::error!(conversation = %key, turn, parts, reason, "a call failed for good");
            }
        }
        Input::Called { call, called }
    }
    .boxed()
}

async fn deliver(
    work: &Work,
    channel: &Channel,
    desk: &dyn Vendor,
    to: &To<'_>,
    rows: &[Row],
) -> Called {
    let parts: Vec<Part<'_>> = rows.iter().map(part).collect();
    let request = desk.call_at(to, &parts, clock::now());
    pass(Point::CallLeaves);
    let sent = send(work, channel, Purpose::Delivery, request).await;
    pass(Point::CallAnswered);
    let heard = heard(channel, desk, sent);
    let outcome = desk.outcome_at(to, &parts, &heard.answer, clock::now());
    heard.tell(work, channel, to.conversation, &outcome);
    called(outcome)
}

/// Tells a vendor that an event was taken.
pub(super) fn acknowledge(
    driver: &Driver,
    call: CallId,
    acknowledgement: &Acknowledgement,
) -> BoxFuture<'static, Input> {
    let work = Arc::clone(&driver.work);
    let channel = Arc::clone(&driver.channel);
    let key = driver.key.clone();
    let desk = channel.vendor();
    let (reply_to, desk_id) = (driver.reply_to(), driver.desk_id());
    let (token, asks_of) = (acknowledgement.token.clone(), acknowledgement.asks_of.clone());
    let request = desk.acknowledge(&to(&key, reply_to.as_deref(), desk_id.as_deref()), &token);
    async move {
        let called = match request {
            Some(request) => {
                pass(Point::AcknowledgementLeaves);
                let sent = match asks_of {
                    Some(_) => ask(&work, &channel, request).await,
                    None => send(&work, &channel, Purpose::Acknowledgement, request).await,
                };
                pass(Point::AcknowledgementAnswered);
                let heard = heard(&channel, &*desk, sent);
                let outcome = desk.outcome_of(&token, &heard.answer);
                if asks_of.is_none() {
                    heard.tell(&work, &channel, &key.vendor_key, &outcome);
                }
                called(outcome)
            }
            // Another version of this host may have wanted it.
            None => Called::Delivered { follow_ups: Vec::new(), asks: None },
        };
        let (vendor, result) = (desk.name(), result(&called));
        counter!("botyard_acknowledgements_total", "vendor" => vendor, "result" => result)
            .increment(1);
        log_acknowledged(&key, &called, asks_of.as_ref());
        Input::Acknowledged { call, called }
    }
    .boxed()
}

/// Says how the vendor took an acknowledgement. To a question the same answer may come
/// many times before the one that tells what became of the part.
fn log_acknowledged(key: &ConversationKey, called: &Called, asks_of: Option<&Taken>) {
    let result = result(called);
    match (called, asks_of) {
        (Called::Delivered { .. }, _) => {}
        (Called::Retry { reason, .. }, Some(Taken { part, action })) => {
            tracing::debug!(
                conversation = %key, %part, action, reason,
                "what became of a part is not known yet"
            );
        }
        (Called::Fatal(reason), Some(Taken { part, action })) => {
            tracing::warn!(
                conversation = %key, %part, action, reason,
                "a part that the vendor had taken was not delivered: `delivery_failed` is raised"
            );
        }
        (
            Called::Retry { reason, .. }
            | Called::Fatal(reason)
            | Called::Taken(reason)
            | Called::Gone(reason),
            _,
        ) => {
            tracing::warn!(conversation = %key, result, reason, "the vendor did not take an acknowledgement");
        }
    }
}

/// What came back of a call.
struct Heard {
    answer: CallAnswer,
    /// It is about a credential, which the channel's upkeep sees to.
    kept_up: bool,
}

impl Heard {
    /// Tells whoever must act, unless the host acts by itself: upkeep that fails says so.
    fn tell(&self, work: &Work, channel: &Channel, conversation: &str, outcome: &Outcome) {
        if !self.kept_up {
            work.tell_of_refusal(channel, conversation, outcome, clock::now());
        }
    }
}

/// What came back of a call that `desk` made. Where it refuses the channel's credential,
/// the channel's upkeep is told.
fn heard(channel: &Channel, desk: &dyn Vendor, sent: Result<Answer, SendError>) -> Heard {
    let answer = call_answer(sent);
    let refused = desk.upkeep().and_then(|upkeep| upkeep.refused(&answer));
    let kept_up = refused.is_some();
    if let Some(credential) = refused {
        channel.note_refused(credential);
    }
    Heard { answer, kept_up }
}

fn to<'a>(key: &'a ConversationKey, reply_to: Option<&'a str>, desk_id: Option<&'a str>) -> To<'a> {
    To { conversation: &key.vendor_key, reply_to, desk_id, ..To::default() }
}

/// Sends a call of a channel's vendor, and learns from how it ends.
pub(super) async fn send(
    work: &Work,
    channel: &Channel,
    purpose: Purpose,
    request: Call,
) -> Result<Answer, SendError> {
    let sent = leave(work, request).await;
    learn(work, channel, purpose, destinations::ended(&sent, |it| too_many(channel, it)));
    sent
}

/// As [`send`], for a question.
async fn ask(work: &Work, channel: &Channel, request: Call) -> Result<Answer, SendError> {
    let sent = leave(work, request).await;
    let ended = destinations::question_ended(&sent, |it| too_many(channel, it));
    learn(work, channel, Purpose::Acknowledgement, ended);
    sent
}

async fn leave(work: &Work, request: Call) -> Result<Answer, SendError> {
    let allow = own_host(&request.url);
    let outgoing = Outgoing {
        method: request.method,
        url: request.url,
        headers: request.headers,
        body: request.body,
        timeout: TIMEOUT,
        answer_bytes_max: ANSWER_BYTES_MAX,
        allow,
        secrets: SecretHeaders::default(),
        follow_redirects: false,
    };
    work.door.send(outgoing).await
}

fn too_many(channel: &Channel, answer: &Answer) -> Option<Ended> {
    let too_many = channel.vendor().says_too_many(answer.status, &answer.body);
    too_many.then(|| match channel.setup().rules.delivery.limited {
        Limited::Token => Ended::Limited { after_ms: retry_after(&answer.headers) },
        Limited::Conversation => Ended::Answered,
    })
}

fn learn(work: &Work, channel: &Channel, purpose: Purpose, ended: Option<Ended>) {
    let Some(ended) = ended else { return };
    let now = clock::now();
    let (service, rate) = VendorService::of(channel, purpose);
    let change = work.vendors.ended(&service, rate, ended, now);
    work.alert_of(&Of::Vendor(channel), change, now);
}

/// The tenant set the vendor's address, so its host is allowed; the rules for
/// addresses hold all the same.
pub(super) fn own_host(url: &str) -> Vec<HostPattern> {
    url::Url::parse(url).ok().as_ref().and_then(HostPattern::of).into_iter().collect()
}

pub(super) fn call_answer(sent: Result<Answer, SendError>) -> CallAnswer {
    match sent {
        Ok(answer) => CallAnswer::Answered {
            status: answer.status,
            retry_after_ms: retry_after(&answer.headers),
            headers: answer.headers,
            body: answer.body,
        },
        Err(SendError::Denied(why) | SendError::NotSent(why)) => CallAnswer::NotSent(why),
        Err(SendError::Lost(why)) => CallAnswer::Lost(why),
    }
}

/// `Retry-After` in seconds. A date is not trusted: clocks differ.
fn retry_after(headers: &HeaderMap) -> Option<Millis> {
    let seconds: u64 = headers.get(RETRY_AFTER)?.to_str().ok()?.trim().parse().ok()?;
    Some(seconds.saturating_mul(SECOND))
}

fn called(outcome: Outcome) -> Called {
    match outcome {
        Outcome::Delivered { follow_ups, asks } => Called::Delivered { follow_ups, asks },
        Outcome::Retry { after_ms, ambiguous, reason, blame, tries_max } => {
            let reason = format!("{reason} ({} must act if it goes on)", blame.name());
            Called::Retry { after_ms, ambiguous, reason, tries_max }
        }
        Outcome::Fatal { reason, blame } => {
            Called::Fatal(format!("{reason} ({} must act)", blame.name()))
        }
        Outcome::Taken(reason) => Called::Taken(reason),
        Outcome::Gone(reason) => Called::Gone(reason),
    }
}

fn result(called: &Called) -> &'static str {
    match called {
        Called::Delivered { .. } => "delivered",
        Called::Retry { ambiguous: true, .. } => "ambiguous",
        Called::Retry { .. } => "retry",
        Called::Fatal(_) => "fatal",
        Called::Taken(_) => "taken",
        Called::Gone(_) => "gone",
    }
}
