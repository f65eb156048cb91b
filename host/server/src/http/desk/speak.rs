//! What humans do at the desk: they answer, take a conversation, give it back.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::body::Body;
use axum::extract::State;
use botyard_kernel::action::{Action, Message, TextFormat};
use botyard_kernel::degrade::degrade;
use botyard_kernel::event::{Event, EventBody, HumanSpoke, Returned};
use botyard_kernel::id::{ConversationKey, Digest, EventId, PartId, TurnId};
use botyard_kernel::log::{Arrival, Conversation, Row};
use botyard_kernel::outbox::room;
use http::{HeaderMap, StatusCode};
use serde::{Deserialize, Serialize};
use tokio::time::Instant;
use utoipa::ToSchema;

use super::failed;
use crate::api::{Code, Path, Problem};
use crate::app::App;
use crate::clock;
use crate::http::doors::{self, Accepted, Door, Refusals};
use crate::http::idempotency_key;
use crate::registry::Channel;

/// What the keys of replies begin with.
const REPLY: &str = "desk.reply.";
/// What those of taking and of giving back begin with: one key may serve for each.
const TAKE: &str = "desk.take.";
const RETURN: &str = "desk.return.";
/// What a human reads whose reply would wait behind too many others.
const FULL: &str = "too much waits for the vendor in this conversation: send the same again when \
                    the vendor has taken some of it";
/// When to look again, in seconds.
const FULL_RETRY_S: u64 = 30;
/// At most so many bytes of a request.
const BODY_BYTES_MAX: usize = 64 * 1024;
/// At most so many characters of a reply.
const TEXT_CHARACTERS_MAX: usize = 5_000;
/// At most so many characters of a name or reason.
const NAME_CHARACTERS_MAX: usize = 200;
/// A reply is on stable storage within this time, or its sender asks again.
const STORED_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(10);

/// What a human answers.
#[derive(Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct Reply {
    /// What is to be said.
    #[schema(min_length = 1, max_length = 5000)]
    text: String,
    /// Who says it, for the bot and the transcript.
    #[serde(default)]
    #[schema(max_length = 200)]
    agent: Option<String>,
}

/// What is on its way to the person.
#[derive(Serialize, ToSchema)]
pub(in crate::http) struct Replied {
    /// The messages that it became, by the names that the transcript has for them.
    parts: Vec<String>,
}

/// How a conversation changes hands.
#[derive(Default, Deserialize, ToSchema)]
#[serde(deny_unknown_fields)]
pub(in crate::http) struct HandOver {
    /// Who takes it.
    #[serde(default)]
    #[schema(max_length = 200)]
    agent: Option<String>,
    /// Why it is given back, for the bot.
    #[serde(default)]
    #[schema(max_length = 200)]
    reason: Option<String>,
}

type Place = Path<(String, String)>;

/// Answer a person: the conversation is a human's from then on. Once for each
/// `Idempotency-Key`.
#[utoipa::path(post, path = "/v1/channels/{channel}/desk/conversations/{conversation}/replies",
    tag = "desk", security(("desk-token" = [])), request_body = Reply,
    params(("channel" = String, Path),
        ("conversation" = String, Path, description = "The vendor's own key."),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200)),
    responses((status = 202, body = Replied), Refusals))]
pub(in crate::http) async fn reply(
    State(app): State<Arc<App>>,
    Path((channel, conversation)): Place,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Replied>), Problem> {
    let channel = Door::Desk.open(&app, channel, &headers)?;
    app.work.has_room().map_err(|refusal| doors::busy(&refusal))?;
    let idempotency_key = idempotency_key(&headers)?;
    let form = "{\"text\": …, \"agent\": …}";
    let Reply { text, agent } = doors::object(&app, body, BODY_BYTES_MAX, form).await?;
    if text.trim().is_empty() || text.chars().count() > TEXT_CHARACTERS_MAX {
        let reason = format!("`text` must have 1 to {TEXT_CHARACTERS_MAX} characters");
        return Err(Problem::bad(reason));
    }
    let key = channel.conversation(conversation);
    let state = state(&app, &key).await?;
    let event_key = format!("{REPLY}{idempotency_key}");
    let parts = parts(&channel, &state, &key, &event_key, &text);
    let spoke = HumanSpoke { text: Some(text), agent: short(agent)? };
    let arrival = arrival(&key, &event_key, EventBody::HumanSpoke(spoke));
    let bytes: usize = parts.iter().map(Row::bytes).sum();
    if bytes > room(&state) && !is_stored(&app, &key, &event_key).await? {
        return Err(Problem::new(Code::Unavailable, FULL).after(FULL_RETRY_S));
    }
    let told = parts.iter().map(|row| row.id.to_string()).collect();
    app.work.speak(&channel, key.clone(), arrival, parts);
    let until = Instant::now() + STORED_WITHIN;
    while !is_stored(&app, &key, &event_key).await? {
        if Instant::now() >= until {
            return Err(doors::not_now());
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
    Ok((StatusCode::ACCEPTED, Json(Replied { parts: told })))
}

/// Take a conversation from the bot. Once for each `Idempotency-Key`.
#[utoipa::path(post, path = "/v1/channels/{channel}/desk/conversations/{conversation}/take",
    tag = "desk", security(("desk-token" = [])), request_body = Option<HandOver>,
    params(("channel" = String, Path),
        ("conversation" = String, Path, description = "The vendor's own key."),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200)),
    responses((status = 202, body = Accepted), Refusals))]
pub(in crate::http) async fn take(
    State(app): State<Arc<App>>,
    Path((channel, conversation)): Place,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let body_of = |HandOver { agent, .. }| EventBody::HumanSpoke(HumanSpoke { text: None, agent });
    tell(&app, channel, conversation, TAKE, &headers, body, body_of).await
}

/// Give a conversation back to the bot. Once for each `Idempotency-Key`.
#[utoipa::path(post, path = "/v1/channels/{channel}/desk/conversations/{conversation}/return",
    tag = "desk", security(("desk-token" = [])), request_body = Option<HandOver>,
    params(("channel" = String, Path),
        ("conversation" = String, Path, description = "The vendor's own key."),
        ("Idempotency-Key" = String, Header, min_length = 1, max_length = 200)),
    responses((status = 202, body = Accepted), Refusals))]
pub(in crate::http) async fn give_back(
    State(app): State<Arc<App>>,
    Path((channel, conversation)): Place,
    headers: HeaderMap,
    body: Body,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let body_of = |HandOver { reason, .. }| EventBody::Returned(Returned { reason });
    tell(&app, channel, conversation, RETURN, &headers, body, body_of).await
}

async fn tell(
    app: &Arc<App>,
    channel: String,
    conversation: String,
    prefix: &str,
    headers: &HeaderMap,
    body: Body,
    body_of: impl FnOnce(HandOver) -> EventBody,
) -> Result<(StatusCode, Json<Accepted>), Problem> {
    let channel = Door::Desk.open(app, channel, headers)?;
    app.work.has_room().map_err(|refusal| doors::busy(&refusal))?;
    let idempotency_key = idempotency_key(headers)?;
    let form = "{\"agent\": …, \"reason\": …}";
    let HandOver { agent, reason } = doors::object(app, body, BODY_BYTES_MAX, form).await?;
    let event = body_of(HandOver { agent: short(agent)?, reason: short(reason)? });
    let key = channel.conversation(conversation);
    state(app, &key).await?;
    let arrival = arrival(&key, &format!("{prefix}{idempotency_key}"), event);
    if !app.work.accept(&channel, key, arrival).await {
        return Err(doors::not_now());
    }
    Ok((StatusCode::ACCEPTED, Json(Accepted { accepted: true })))
}

/// Whether an event tells of a reply from here.
pub(super) fn is_reply(arrival: &Arrival) -> bool {
    arrival.key.as_deref().is_some_and(|key| key.starts_with(REPLY))
}

/// How a conversation stands; an error where there is none.
async fn state(app: &App, key: &ConversationKey) -> Result<Conversation, Problem> {
    let loaded = app.work.store().tenant(&key.tenant).load(key, 0).await;
    let loaded = loaded.map_err(|error| failed(&error))?;
    if loaded.last == 0 {
        return Err(doors::unknown());
    }
    Ok(loaded.conversation())
}

/// What is to be delivered: as many messages as the medium needs.
fn parts(
    channel: &Channel,
    state: &Conversation,
    key: &ConversationKey,
    event_key: &str,
    text: &str,
) -> Vec<Row> {
    let vendor = channel.vendor();
    let profile = vendor.profile(&state.facts.medium);
    let said = Action::Message(Message { text: text.to_owned(), format: TextFormat::Plain });
    let actions = degrade(said, &profile, vendor.name()).actions;
    let turn = TurnId(format!("h{}", named(key, event_key)));
    let (event, made_ms) = (event_id(key, event_key), clock::now());
    let row = |(part, action)| Row {
        id: PartId::of(&turn, 0, part),
        turn: turn.clone(),
        made_ms,
        action,
        by_call: Vec::new(),
        context: None,
        quiet: true,
        event: event.clone(),
        by_human: true,
        hand_off: None,
    };
    actions.into_iter().enumerate().map(row).collect()
}

fn arrival(key: &ConversationKey, event_key: &str, body: EventBody) -> Arrival {
    let event = Event::new(event_id(key, event_key), clock::now(), body);
    let arrival = Arrival::new(event, clock::seed());
    Arrival { key: Some(event_key.to_owned()), by_host: true, ..arrival }
}

/// The same for the same request, however often it is sent.
fn event_id(key: &ConversationKey, event_key: &str) -> EventId {
    EventId(format!("e{}", named(key, event_key)))
}

fn named(key: &ConversationKey, event_key: &str) -> String {
    let parts = [key.tenant.as_str(), key.channel.as_str(), &key.vendor_key, event_key];
    Digest::of_parts(parts.map(str::as_bytes)).to_string()[..32].to_owned()
}

async fn is_stored(app: &App, key: &ConversationKey, event_key: &str) -> Result<bool, Problem> {
    let store = app.work.store().tenant(&key.tenant);
    let loaded = store.load(key, usize::MAX).await.map_err(|error| failed(&error))?;
    let waits = loaded.accepted.iter().any(|(_, it)| it.key.as_deref() == Some(event_key));
    let had = loaded.turn.is_some_and(|(_, turn)| turn.state.knows(event_key));
    Ok(waits || had)
}

fn short(text: Option<String>) -> Result<Option<String>, Problem> {
    let long = text.as_ref().is_some_and(|text| text.chars().count() > NAME_CHARACTERS_MAX);
    if long {
        let reason = format!("`agent` and `reason` have at most {NAME_CHARACTERS_MAX} characters");
        return Err(Problem::bad(reason));
    }
    Ok(text.filter(|text| !text.trim().is_empty()))
}
