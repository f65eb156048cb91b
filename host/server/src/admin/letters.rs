//! Dead letters, as operators look at them and have them sent again.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{ConnectInfo, Path, Query, State};
use botyard_kernel::id::{ConversationKey, PartId, TenantId};
use botyard_kernel::log::Row;
use botyard_store::{DeadLetter, Stamp};
use futures_util::future::try_join_all;
use http::StatusCode;
use serde::Deserialize;

use super::protocol::{Letter, Letters, RedriveRequest, Redriven};
use super::routes::{Operator, Refused};
use crate::app::App;
use crate::clock;
use crate::http::is_damaged;

/// So many letters are read at once.
const PAGE: usize = 500;
/// How long a command waits for letters to be queued again; each takes a write.
const REVIVED_WITHIN: Duration = Duration::from_secs(5);
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// Which letters are meant.
#[derive(Clone, Debug, Default, Deserialize)]
pub(super) struct Wanted {
    tenant: Option<String>,
    channel: Option<String>,
    limit: Option<usize>,
    after: Option<String>,
}

pub(super) async fn list(
    State(app): State<Arc<App>>,
    Query(wanted): Query<Wanted>,
) -> Result<Json<Letters>, Refused> {
    let limit = wanted.limit.unwrap_or(PAGE).min(PAGE);
    let found = read(&app, &wanted, limit).await?;
    let last = found.last().filter(|_| found.len() == limit);
    let after = last.map(|letter| format!("{}/{}", letter.conversation.tenant, letter.place));
    let letters = found.into_iter().map(|it| letter(it, false)).collect();
    Ok(Json(Letters { letters, after }))
}

pub(super) async fn show(
    State(app): State<Arc<App>>,
    Path(part): Path<String>,
) -> Result<Json<Letter>, Refused> {
    let part = PartId(part);
    match find(&app, &part).await? {
        Some(found) => Ok(Json(letter(found, true))),
        None => Err(unknown(&part)),
    }
}

pub(super) async fn redrive(
    State(app): State<Arc<App>>,
    ConnectInfo(Operator(by)): ConnectInfo<Operator>,
    Json(request): Json<RedriveRequest>,
) -> Result<Json<Redriven>, Refused> {
    let mut redriven = Redriven::default();
    let mut waiting = Vec::new();
    if request.all {
        let RedriveRequest { tenant, channel, .. } = request;
        let mut wanted = Wanted { tenant, channel, ..Wanted::default() };
        // Letters that die again meanwhile are letters of another day.
        let began = clock::now();
        loop {
            let mut found = read(&app, &wanted, PAGE).await?;
            let Some(last) = found.last() else { break };
            wanted.after = Some(format!("{}/{}", last.conversation.tenant, last.place));
            found.retain(|letter| letter.at_ms <= began);
            if found.is_empty() {
                break;
            }
            found.retain(|letter| !is_damaged(&letter.row));
            witness(&app, &found, &by).await?;
            waiting.extend(send_again(&app, found, &mut redriven));
        }
    } else {
        let mut found = Vec::new();
        for part in request.parts.into_iter().map(PartId) {
            let letter = find(&app, &part).await?.ok_or_else(|| unknown(&part))?;
            if is_damaged(&letter.row) {
                let problem = format!(
                    "{part} is a part of a webhook that could not be read: there is nothing to \
                     send again; look at it with `dead-letter show`, and tell the vendor"
                );
                return Err(Refused(StatusCode::BAD_REQUEST, problem));
            }
            found.push(letter);
        }
        witness(&app, &found, &by).await?;
        waiting = send_again(&app, found, &mut redriven);
    }
    redriven.waiting = wait(&app, waiting).await?;
    redriven.queued -= redriven.waiting;
    let Redriven { queued, waiting, not_served } = redriven;
    tracing::warn!(by, queued, waiting, not_served, "an operator has dead letters sent again");
    Ok(Json(redriven))
}

/// How many letters there are, counted up to a bound.
pub(crate) async fn count(app: &App, at_most: usize) -> Option<usize> {
    Some(read(app, &Wanted::default(), at_most).await.ok()?.len())
}

/// Letters in the order of tenants and of time, from behind `after` on.
async fn read(app: &App, wanted: &Wanted, limit: usize) -> Result<Vec<DeadLetter>, Refused> {
    let after = wanted.after.as_deref().map(place).transpose()?;
    let mut letters = Vec::new();
    for tenant in app.tenancy.tenants().await? {
        let mut place = match &after {
            Some((other, _)) if tenant < *other => continue,
            Some((other, place)) if tenant == *other => *place,
            _ => 0,
        };
        if wanted.tenant.as_ref().is_some_and(|wanted| wanted != tenant.as_str()) {
            continue;
        }
        let store = app.work.store().tenant(&tenant);
        loop {
            let found = store.dead_letters(place, PAGE).await?;
            let Some(last) = found.last() else { break };
            place = last.place;
            let channel = |letter: &DeadLetter| {
                let channel = letter.conversation.channel.as_str();
                wanted.channel.as_ref().is_none_or(|wanted| wanted == channel)
            };
            letters.extend(found.into_iter().filter(channel));
            if letters.len() >= limit {
                letters.truncate(limit);
                return Ok(letters);
            }
        }
    }
    Ok(letters)
}

fn place(after: &str) -> Result<(TenantId, u64), Refused> {
    let parsed = after
        .split_once('/')
        .and_then(|(tenant, place)| Some((TenantId::from(tenant), place.parse().ok()?)));
    parsed.ok_or_else(|| {
        let problem = "--after takes what the list before ended with".to_owned();
        Refused(StatusCode::BAD_REQUEST, problem)
    })
}

async fn find(app: &App, part: &PartId) -> Result<Option<DeadLetter>, Refused> {
    for tenant in app.tenancy.tenants().await? {
        let found = app.work.store().tenant(&tenant).dead_letter(part).await?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn unknown(part: &PartId) -> Refused {
    let problem = format!("there is no dead letter {part}: it may have been sent again already");
    Refused(StatusCode::NOT_FOUND, problem)
}

/// Nothing is sent again without a row in its tenant's audit. The store writes them together.
async fn witness(app: &App, letters: &[DeadLetter], by: &str) -> Result<(), Refused> {
    let stamp = Stamp { at_ms: clock::now(), actor: by.to_owned() };
    let row = async |letter: &DeadLetter| {
        let store = app.work.store().tenant(&letter.conversation.tenant);
        store.witness("redrive", "dead-letter", letter.row.id.as_str(), &stamp).await
    };
    try_join_all(letters.iter().map(row)).await?;
    Ok(())
}

/// Hands letters to their conversations; answers whom to wait for.
fn send_again(app: &App, letters: Vec<DeadLetter>, redriven: &mut Redriven) -> Vec<Sent> {
    let mut conversations: BTreeMap<ConversationKey, (Vec<Row>, Vec<Sent>)> = BTreeMap::new();
    for DeadLetter { conversation, place, row, .. } in letters {
        let sent = (conversation.tenant.clone(), row.id.clone(), place);
        let (rows, parts) = conversations.entry(conversation).or_default();
        rows.push(row);
        parts.push(sent);
    }
    let mut waiting = Vec::new();
    for (key, (rows, parts)) in conversations {
        if app.work.redrive(key, rows) {
            redriven.queued += parts.len();
            waiting.extend(parts);
        } else {
            redriven.not_served += parts.len();
        }
    }
    waiting
}

/// A letter that was handed over, with its place among the letters: one that is given up
/// again at once has a later one.
type Sent = (TenantId, PartId, u64);

/// Waits until letters are letters no more; answers how many still are.
async fn wait(app: &App, mut waiting: Vec<Sent>) -> Result<usize, Refused> {
    let until = tokio::time::Instant::now() + REVIVED_WITHIN;
    while let Some((tenant, part, place)) = waiting.last() {
        let now = app.work.store().tenant(tenant).dead_letter(part).await?;
        if now.is_none_or(|now| now.place != *place) {
            waiting.pop();
        } else if tokio::time::Instant::now() < until {
            tokio::time::sleep(LOOK_EVERY).await;
        } else {
            break;
        }
    }
    Ok(waiting.len())
}

/// Only who asks for a single letter sees what would have been said.
fn letter(letter: DeadLetter, whole: bool) -> Letter {
    let DeadLetter { conversation, at_ms, reason, row, .. } = letter;
    let ConversationKey { tenant, channel, vendor_key } = conversation;
    Letter {
        part: row.id.0,
        tenant: tenant.0,
        channel: channel.0,
        conversation: vendor_key,
        turn: row.turn.0,
        action: row.action.name().to_owned(),
        made_ms: row.made_ms,
        given_up_ms: at_ms,
        reason,
        content: whole.then(|| serde_json::to_value(&row.action).unwrap_or_default()),
    }
}
