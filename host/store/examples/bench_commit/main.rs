//! What a commit costs: so many writers each commit turns of their own conversations,
//! in order, and the turns of a second are counted. To be compared with itself before
//! and after a change; the disk decides the rest.
//!
//! `cargo run --release -p botyard-store --example bench_commit -- [turns] [directory]`

use std::path::PathBuf;
use std::time::Instant;

use botyard_kernel::event::{Event, EventBody, Message, TextFormat};
use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::{Arrival, Conversation, Outcome, SkipReason, Turn};
use botyard_kernel::session::Seed;
use botyard_store::{SqliteStore, StoreError, TenantStore};

/// Each has one verb under way, and the engine writes them together.
const WRITERS: u64 = 256;
/// The conversations of one writer, which take turns.
const CONVERSATIONS: u64 = 8;

type Failure = Box<dyn std::error::Error>;

fn main() -> Result<(), Failure> {
    let mut arguments = std::env::args().skip(1);
    let turns: u64 = arguments.next().map_or(Ok(200_000), |text| text.parse())?;
    let place = arguments.next().map_or_else(std::env::temp_dir, PathBuf::from);
    let directory = tempfile::tempdir_in(place)?;
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build()?;
    let sqlite = SqliteStore::open(directory.path())?;
    runtime.block_on(async {
        let store = sqlite.store().tenant(&"demo".into());
        let began = Instant::now();
        let writers: Vec<_> = (0..WRITERS)
            .map(|writer| tokio::spawn(write(store.clone(), writer, turns / WRITERS)))
            .collect();
        for writer in writers {
            writer.await??;
        }
        let seconds = began.elapsed().as_secs_f64();
        let batches = sqlite.counters().batches;
        sqlite.close().await;
        let bytes = directory.path().join("botyard.db").metadata()?.len();
        let rate = turns as f64 / seconds;
        println!(
            "{turns} turns in {seconds:.2} s: {rate:.0} a second, {batches} flushes, {bytes} bytes"
        );
        Ok(())
    })
}

async fn write(store: TenantStore, writer: u64, turns: u64) -> Result<(), StoreError> {
    for number in 0..turns {
        let conversation = writer * CONVERSATIONS + number % CONVERSATIONS;
        let key = ConversationKey {
            tenant: "demo".into(),
            channel: "shop".into(),
            vendor_key: conversation.to_string(),
        };
        store.commit(&key, &turn(number, number / CONVERSATIONS)).await?;
    }
    Ok(())
}

/// The turn of a conversation after so many others, with the event that it brings.
fn turn(number: u64, previous: u64) -> Turn {
    let message =
        Message { text: "How much is the blue one?".repeat(4), format: TextFormat::Plain };
    let id = format!("e{number}");
    let event =
        Event::new(id.as_str().into(), 1_700_000_000_000 + number, EventBody::Message(message));
    Turn {
        id: format!("t{number}").as_str().into(),
        previous,
        base: previous,
        watermark: previous,
        fused: Some(Box::new(Arrival::new(event, Seed([1, 2, 3, 4])))),
        event: id.as_str().into(),
        outcome: Outcome::Skipped(SkipReason::NotOwner),
        log: vec![],
        bot: "lead".into(),
        bot_writes: vec![],
        state: Conversation { turns: previous + 1, ..Conversation::default() },
        due_ms: number.is_multiple_of(2).then_some(1_700_000_000_000 + number),
        human_ms: None,
    }
}
