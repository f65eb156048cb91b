//! Fills a store through its own engine.

use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use botyard_kernel::action::{self, Action};
use botyard_kernel::event::{Event, EventBody, Message, TextFormat};
use botyard_kernel::id::{ConversationKey, PartId, TurnId};
use botyard_kernel::log::{Arrival, Conversation, Outcome, Row, SessionState, SkipReason, Turn};
use botyard_kernel::session::Seed;
use botyard_store::SqliteStore;

use crate::Failure;

/// Channels over which the conversations are spread.
pub(crate) const CHANNELS: u64 = 4;
/// Writers: each has one verb under way, and the engine writes them together.
const WRITERS: u64 = 512;

/// What the conversations are like.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Half of them have an event that waits for its turn, half a row that waits
    /// for its delivery.
    Waiting,
    /// Nothing is to be done.
    Idle,
}

/// Fills a store with so many conversations.
pub(crate) fn fill(directory: &Path, count: u64, kind: Kind) -> Result<(), Failure> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sqlite = SqliteStore::open(directory)?;
    runtime.block_on(async {
        let store = sqlite.store().tenant(&"demo".into());
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| {
                let store = store.clone();
                tokio::spawn(async move {
                    for number in (writer..count).step_by(WRITERS as usize) {
                        let key = key(number);
                        let written = if kind == Kind::Waiting && number % 2 == 0 {
                            store.accept(&key, vec![arrival(number)]).await.map(drop)
                        } else {
                            store.commit(&key, &turn(number, kind)).await.map(drop)
                        };
                        written?;
                    }
                    Ok::<_, botyard_store::StoreError>(())
                })
            })
            .collect();
        for writer in writers {
            writer.await??;
        }
        sqlite.close().await;
        Ok(())
    })
}

fn key(number: u64) -> ConversationKey {
    let channel = format!("channel-{}", number / 2 % CHANNELS);
    ConversationKey {
        tenant: "demo".into(),
        channel: channel.as_str().into(),
        vendor_key: format!("cid-{number:016x}-and-as-long-as-those-of-a-vendor"),
    }
}

fn arrival(number: u64) -> Arrival {
    let message = Message { text: format!("message {number}"), format: TextFormat::Plain };
    let event = Event::new(format!("e{number}").into(), now(), EventBody::Message(message));
    Arrival::new(event, Seed([number, 2, 3, 4]))
}

fn turn(number: u64, kind: Kind) -> Turn {
    let id = TurnId(format!("t{number}"));
    let session = SessionState {
        id: format!("s{number}").as_str().into(),
        started_ms: now(),
        active_ms: now(),
        context: r#"{"step":"asked-for-name","attempts":2}"#.to_owned(),
        context_by: None,
        version: None,
        times_out_ms: None,
    };
    let row = Row {
        id: PartId(format!("t{number}.0.0")),
        turn: id.clone(),
        made_ms: now(),
        action: Action::Message(action::Message {
            text: format!("answer {number}"),
            format: TextFormat::Plain,
        }),
        context: None,
        quiet: false,
        event: format!("e{number}").as_str().into(),
        by_human: false,
        by_call: Vec::new(),
        hand_off: None,
    };
    let rows = if kind == Kind::Waiting { vec![row] } else { Vec::new() };
    let state = Conversation { turns: 1, session: Some(session), rows, ..Conversation::default() };
    Turn {
        id,
        previous: 0,
        base: 0,
        watermark: 0,
        fused: Some(Box::new(arrival(number))),
        event: format!("e{number}").as_str().into(),
        outcome: Outcome::Skipped(SkipReason::NotOwner),
        log: Vec::new(),
        bot: "echo".into(),
        bot_writes: Vec::new(),
        due_ms: state.due(),
        human_ms: None,
        state,
    }
}

fn now() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    since.as_millis() as u64
}
