//! What is known of a person: handed out, and taken away.

use std::fmt;
use std::str::FromStr;

use axum::response::Response;
use botyard_kernel::access::Permission;
use botyard_kernel::id::{ChannelId, ConversationKey};
use botyard_kernel::log::{Entry, Seq};
use botyard_kernel::stored;
use botyard_store::{Cause, Stamp, StoreError, TenantStore};
use http::HeaderMap;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use utoipa::ToSchema;

use super::caller::OfTenant;
use super::operations::{Operation, answer};
use super::page::{Json, Query};
use super::problem::Problem;
use super::turns::Reader;
use crate::operations::{Durable, begin};
use crate::tenancy;

/// At most so many of a person in a channel are handed out.
const HANDED_OUT_MAX: usize = 100_000;
/// So many are handed out at a time.
const PAGE: usize = 20;
/// About so many bytes are handed out at a time: what is longer goes on in the next page.
const PAGE_BYTES: usize = 2 << 20;
/// So many entries of a conversation are read at once: one may have 2 MiB.
const ENTRIES: usize = 8;

/// Which person: by an address of e-mail, or by the vendor's own key of a conversation.
#[derive(Deserialize, utoipa::IntoParams)]
#[into_params(parameter_in = Query)]
#[serde(deny_unknown_fields)]
pub(super) struct Who {
    email: Option<String>,
    conversation: Option<String>,
    /// Only of this channel.
    channel: Option<String>,
    /// Of what is handed out: the `after` of the page before.
    after: Option<String>,
}

/// What is known of a person.
#[derive(Serialize, ToSchema)]
pub(super) struct Export {
    /// Conversations: `turns` as they are shown elsewhere; `log` with the events that
    /// came, the vendor's own words included, the calls of the bot and what was delivered
    /// or given up; `state` with what the host and the bot remember. A long one comes in
    /// pieces, in pages one after the other: its `facts` and `state` are in the last one.
    conversations: Vec<Value>,
    /// Asks for the next page; absent in the last one.
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<String>,
}

/// Hand out all that is known of a person, page by page.
#[utoipa::path(get, path = "/v1/tenants/{tenant}/persons", tag = "persons",
    params(("tenant" = String, Path), Who),
    responses((status = 200, body = Export), (status = "4XX", body = Problem)))]
pub(super) async fn export(of: OfTenant, Query(who): Query<Who>) -> Result<Json<Export>, Problem> {
    let allowed = of.may(Permission::ManagePeople, None)?;
    allowed.also(Permission::ReadTexts)?;
    let after = who.after.as_deref().map(str::parse::<After>).transpose();
    let after = after.map_err(|()| Problem::bad("`after` is the `after` of the page before"))?;
    let (tenancy, who) = (allowed.tenancy(), who.person()?);
    let mut keys = tenancy.conversations_of(&allowed.tenant, &who, HANDED_OUT_MAX).await?;
    keys.sort_by_cached_key(place);
    let store = allowed.store();
    Ok(Json(page(&store, &keys, after, PAGE_BYTES, &allowed.stamp).await?))
}

/// What is handed out behind a place, of conversations in the order of theirs.
async fn page(
    store: &TenantStore,
    keys: &[ConversationKey],
    after: Option<After>,
    mut room: usize,
    stamp: &Stamp,
) -> Result<Export, StoreError> {
    let from = |key: &ConversationKey| match &after {
        Some(after) if after.place == place(key) => after.seq,
        Some(after) if after.place > place(key) => None,
        Some(_) | None => Some(0),
    };
    let mut left = keys.iter().filter_map(|key| Some((key, from(key)?)));
    let (mut conversations, mut last) = (Vec::new(), None);
    for (key, seq) in left.by_ref().take(PAGE) {
        // What goes on with a conversation is of the same hand-out.
        if seq == 0 {
            let name = key.digest().to_string();
            store.witness("export", Cause::Person.as_str(), &name, stamp).await?;
        }
        let (piece, seq) = piece(store, key, seq, &mut room).await?;
        conversations.push(piece);
        last = Some(After { seq, place: place(key) });
        if seq.is_some() || room == 0 {
            break;
        }
    }
    let more = last.as_ref().is_some_and(|last| last.seq.is_some()) || left.next().is_some();
    let after = last.filter(|_| more).map(|last| last.to_string());
    Ok(Export { conversations, after })
}

/// How far somebody has read.
#[derive(Clone, Debug, PartialEq, Eq)]
struct After {
    /// The entry up to which the conversation was handed out; absent where all of it was.
    seq: Option<Seq>,
    place: String,
}

impl fmt::Display for After {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.seq {
            Some(seq) => write!(f, "{seq}/{}", self.place),
            None => write!(f, "all/{}", self.place),
        }
    }
}

impl FromStr for After {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        let (seq, place) = text.split_once('/').ok_or(())?;
        let seq = if seq == "all" { None } else { Some(seq.parse().map_err(|_| ())?) };
        Ok(Self { seq, place: place.to_owned() })
    }
}

/// Erase all that is known of a person: it cannot be taken back. It is promised when this is
/// answered, and goes on over restarts of the host until it is done; `Location` says where to ask
/// how far it is. Whoever prefers `wait=SECONDS` is answered when it is done, if that is soon.
#[utoipa::path(delete, path = "/v1/tenants/{tenant}/persons", tag = "persons",
    params(("tenant" = String, Path), Who,
        ("prefer" = Option<String>, Header, description = "`wait=SECONDS`, at most 60")),
    responses((status = 200, body = Operation), (status = 202, body = Operation),
        (status = "4XX", body = Problem)))]
pub(super) async fn erase(
    of: OfTenant,
    Query(who): Query<Who>,
    headers: HeaderMap,
) -> Result<Response, Problem> {
    let allowed = of.may(Permission::ManagePeople, None)?;
    let (app, durable) = (&allowed.app, Durable::Erasure(who.person()?));
    let (operations, actor) = (&app.operations, &allowed.stamp.actor);
    let begun = begin(operations, &app.tenancy, &allowed.tenant, durable, actor).await?;
    answer(begun, &headers).await
}

impl Who {
    fn person(self) -> Result<tenancy::Who, Problem> {
        let Self { email, conversation, channel, .. } = self;
        let who = tenancy::Who::new(email, conversation, channel.map(ChannelId));
        who.ok_or_else(|| Problem::bad("name the person by either `email` or `conversation`"))
    }
}

/// Where a conversation stands among those of a person.
fn place(key: &ConversationKey) -> String {
    format!("{}/{}", key.channel, key.vendor_key)
}

/// Entries of a conversation in the host's own form behind `after`, as many as there is
/// room for, and one in any case. Where they are the last ones, how it stands as well;
/// else up to which it goes.
async fn piece(
    store: &TenantStore,
    key: &ConversationKey,
    mut after: Seq,
    room: &mut usize,
) -> Result<(Value, Option<Seq>), StoreError> {
    let mut piece = json!({ "channel": key.channel, "conversation": key.vendor_key });
    let (mut turns, mut log) = (Vec::new(), Vec::new());
    let more = 'read: loop {
        let entries = store.read(key, after, ENTRIES).await?;
        if entries.is_empty() {
            break None;
        }
        for (seq, entry) in entries {
            let (turn, entry) = shown(seq, entry);
            let bytes = turn.iter().chain(&entry).map(|part| part.to_string().len()).sum();
            if bytes > *room && !(turns.is_empty() && log.is_empty()) {
                *room = 0;
                break 'read Some(after);
            }
            *room = room.saturating_sub(bytes);
            turns.extend(turn);
            log.extend(entry);
            after = seq;
        }
    };
    if more.is_none() {
        let turn = store.load(key, 0).await?.turn.map(|(_, turn)| turn);
        piece["facts"] = json!(turn.as_ref().map(|turn| &turn.state.facts));
        let state = turn.map(|turn| stored_form(&Entry::Turn(Box::new(turn))));
        piece["state"] = json!(state.map(|mut turn| turn["turn"]["state"].take()));
        *room = room.saturating_sub(piece.to_string().len());
    }
    piece["turns"] = turns.into();
    piece["log"] = log.into();
    Ok((piece, more))
}

/// An entry as a turn, as an entry of the log, or as both: a turn may hold its event.
fn shown(seq: Seq, entry: Entry) -> (Option<Value>, Option<Value>) {
    let (turn, entry) = match entry {
        Entry::Turn(turn) if turn.is_erasure() => return (None, None),
        Entry::Turn(mut turn) => {
            let fused = turn.fused.take().map(Entry::Accepted);
            (Some(json!(Reader::of_all().turn(seq, *turn, None))), fused)
        }
        entry @ (Entry::Accepted(_) | Entry::Called(_) | Entry::Settled(_)) => (None, Some(entry)),
    };
    (turn, entry.map(|entry| json!({ "seq": seq, "entry": stored_form(&entry) })))
}

/// An entry as it is stored, which leaves nothing out.
fn stored_form(entry: &Entry) -> Value {
    let whole: Value = serde_json::from_slice(&stored::encode(entry)).unwrap_or_default();
    whole.get("e").cloned().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use botyard_kernel::id::TenantId;
    use botyard_kernel::log::{Conversation, Outcome, SkipReason, Turn};
    use botyard_kernel::run::{LogLevel, LogLine};
    use botyard_store::{Commit, MemoryStore};

    use super::*;

    /// A conversation of so many turns with so many bytes in the log of each.
    async fn said(store: &TenantStore, name: &str, turns: u64, bytes: usize) -> ConversationKey {
        let (tenant, vendor_key) = (TenantId::from("acme"), name.to_owned());
        let key = ConversationKey { tenant, channel: "web".into(), vendor_key };
        let mut previous = 0;
        for number in 1..=turns {
            let turn = Turn {
                id: format!("{name}-{number}").into(),
                previous,
                base: previous,
                watermark: previous,
                fused: None,
                event: "e".into(),
                outcome: Outcome::Skipped(SkipReason::NotOwner),
                log: vec![LogLine { level: LogLevel::Info, message: "x".repeat(bytes) }],
                bot: "b".into(),
                bot_writes: Vec::new(),
                state: Conversation::default(),
                due_ms: None,
                human_ms: None,
            };
            let committed = store.commit(&key, &turn).await.unwrap();
            let Commit::Committed { seq, .. } = committed else { panic!("{committed:?}") };
            previous = seq;
        }
        key
    }

    /// The names of the turns of each piece of each page.
    async fn pages(
        store: &TenantStore,
        keys: &[ConversationKey],
        room: usize,
    ) -> Vec<Vec<(String, bool)>> {
        let stamp = Stamp { at_ms: 1, actor: "test".to_owned() };
        let (mut pages, mut after) = (Vec::new(), None);
        loop {
            let export = page(store, keys, after, room, &stamp).await.unwrap();
            let piece = |piece: &Value| {
                let turns = piece["turns"].as_array().unwrap().iter();
                let names: Vec<_> = turns.map(|turn| turn["turn"].as_str().unwrap()).collect();
                (names.join(" "), !piece["state"].is_null())
            };
            pages.push(export.conversations.iter().map(piece).collect());
            let Some(next) = export.after else { return pages };
            after = Some(next.parse().unwrap());
        }
    }

    #[tokio::test]
    async fn what_is_long_is_handed_out_in_pieces_that_are_the_whole() {
        let store = MemoryStore::new().store().tenant(&"acme".into());
        let mut keys = Vec::new();
        for (name, turns, bytes) in [("a", 1, 10), ("b", 5, 4_000), ("c", 1, 90_000), ("d", 1, 10)]
        {
            keys.push(said(&store, name, turns, bytes).await);
        }
        let piece = |turns: &str, last| (turns.to_owned(), last);
        let expected = [
            vec![piece("a-1", true), piece("b-1 b-2", false)],
            vec![piece("b-3 b-4", false)],
            // One is handed out in any case, however large it is.
            vec![piece("b-5", true), piece("c-1", true)],
            vec![piece("d-1", true)],
        ];
        assert_eq!(pages(&store, &keys, 10_000).await, expected);
        let told = store.audit(0, 100).await.unwrap();
        let told: Vec<_> = told.into_iter().map(|row| row.name).collect();
        let each: Vec<_> = keys.iter().map(|key| key.digest().to_string()).collect();
        assert_eq!(told, each, "each conversation once");
        let whole = ["a-1", "b-1 b-2 b-3 b-4 b-5", "c-1", "d-1"];
        let whole: Vec<_> = whole.iter().map(|turns| piece(turns, true)).collect();
        assert_eq!(pages(&store, &keys, PAGE_BYTES).await, [whole]);
    }

    #[tokio::test]
    async fn of_many_conversations_so_many_are_handed_out_at_a_time() {
        let store = MemoryStore::new().store().tenant(&"acme".into());
        let mut keys = Vec::new();
        for number in 100..100 + 2 * PAGE {
            keys.push(said(&store, &number.to_string(), 1, 10).await);
        }
        let pages = pages(&store, &keys, PAGE_BYTES).await;
        assert_eq!(pages.iter().map(Vec::len).collect::<Vec<_>>(), [PAGE, PAGE]);
    }

    #[test]
    fn a_place_is_read_as_it_was_told() {
        for seq in [Some(7), None] {
            let after = After { seq, place: "web/a/b:7".to_owned() };
            assert_eq!(after.to_string().parse(), Ok(after));
        }
        for text in ["", "7", "x/web/a", "-1/web/a"] {
            assert_eq!(text.parse::<After>(), Err(()), "{text}");
        }
    }
}
