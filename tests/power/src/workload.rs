//! A workload that remembers what it was promised.

use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use anyhow::{Context as _, ensure};
use botyard_chance::Chance;
use botyard_kernel::call::Journal;
use botyard_kernel::event::{Event, EventBody, Message, TextFormat};
use botyard_kernel::id::{ConversationKey, Digest, PartId, TenantId};
use botyard_kernel::log::{
    Arrival, Call, Conversation, Entry, Outcome, RowEnd, Seq, Settled, SkipReason, Turn,
};
use botyard_kernel::run::{KvChange, KvScope, KvWrite};
use botyard_kernel::session::Seed;
use botyard_store::{Commit, SqliteStore, Stamp, TenantStore};
use serde_json::json;

use crate::trace::{Change, Recorder};

/// The tenants of a workload.
pub const TENANTS: usize = 3;
/// Conversations of a workload, each with a task of its own.
pub const CONVERSATIONS: usize = 18;
/// Verbs of a conversation, half before and half after the store is closed and
/// opened again in between.
const STEPS: usize = 18;
/// Changes of a tenant's record, half and half, too.
const RECORDS: usize = 6;

/// How the store is opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// As always.
    Durable,
    /// With `synchronous=NORMAL`, which no build of the host can do.
    Weak,
}

/// What happened to the files, and who was told what meanwhile.
#[derive(Debug)]
pub struct Run {
    /// What was done to the files.
    pub changes: Vec<Change>,
    /// What each conversation was told.
    pub conversations: Vec<History>,
    /// What each tenant was told about its record, one change a step.
    pub records: Vec<(TenantId, Vec<Step>)>,
}

/// What one conversation was told, in order.
#[derive(Debug)]
pub struct History {
    /// The conversation.
    pub key: ConversationKey,
    /// Its verbs.
    pub steps: Vec<Step>,
}

/// A verb: when it was asked and answered, in numbers of changes, and what it
/// appends to the log.
#[derive(Debug)]
pub struct Step {
    /// The changes that had been made when it was asked.
    pub asked: usize,
    /// And when it was answered `Ok`.
    pub answered: usize,
    /// What it appends.
    pub entries: Vec<Entry>,
}

/// Opens the store in a directory as it is asked for.
pub fn open(directory: &Path, commits: Commits) -> anyhow::Result<SqliteStore> {
    Ok(match commits {
        Commits::Durable => SqliteStore::open(directory)?,
        Commits::Weak => SqliteStore::open_weakly(directory)?,
    })
}

/// Runs the workload in an empty directory.
pub fn run(directory: &Path, seed: u64, commits: Commits) -> anyhow::Result<Run> {
    let runtime =
        tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build()?;
    let recorder = Recorder::watch(directory)?;
    let mut writers: Vec<_> = (0..CONVERSATIONS).map(|n| Writer::new(n, seed)).collect();
    let mut records: Vec<_> = (0..TENANTS).map(|n| (tenant(n), Vec::new())).collect();
    for half in 0..2 {
        let sqlite = open(directory, commits)?;
        (writers, records) = runtime.block_on(async {
            let writing = writers.into_iter().map(|mut writer| {
                let store = sqlite.store().tenant(&writer.key.tenant);
                let recorder = Arc::clone(&recorder);
                tokio::spawn(async move {
                    for _ in 0..STEPS / 2 {
                        writer.step(&store, &recorder).await?;
                    }
                    anyhow::Ok(writer)
                })
            });
            let recording = records.into_iter().map(|(tenant, mut steps)| {
                let store = sqlite.store().tenant(&tenant);
                let recorder = Arc::clone(&recorder);
                tokio::spawn(async move {
                    for _ in 0..RECORDS / 2 {
                        steps.push(put_record(&store, &recorder, steps.len()).await?);
                    }
                    anyhow::Ok((tenant, steps))
                })
            });
            let (writing, recording): (Vec<_>, Vec<_>) = (writing.collect(), recording.collect());
            anyhow::Ok((all(writing).await?, all(recording).await?))
        })?;
        if half == 0 {
            runtime.block_on(sqlite.close());
        }
    }
    let conversations =
        writers.into_iter().map(|w| History { key: w.key, steps: w.steps }).collect();
    Ok(Run { changes: recorder.changes(), conversations, records })
}

async fn all<T>(tasks: Vec<tokio::task::JoinHandle<anyhow::Result<T>>>) -> anyhow::Result<Vec<T>> {
    let mut ended = Vec::new();
    for task in tasks {
        ended.push(task.await.context("a task of the workload panicked")??);
    }
    Ok(ended)
}

fn tenant(n: usize) -> TenantId {
    TenantId(format!("tenant-{}", n % TENANTS))
}

/// Changes a tenant's only record to the number of the change.
async fn put_record(
    store: &TenantStore,
    recorder: &Recorder,
    number: usize,
) -> anyhow::Result<Step> {
    let asked = recorder.position();
    let stamp = Stamp { at_ms: 1_000, actor: "operator".to_owned() };
    store.put("bot", "lead", &json!(number + 1), &stamp).await?;
    tokio::time::sleep(Duration::from_millis(20)).await;
    Ok(Step { asked, answered: recorder.position(), entries: Vec::new() })
}

/// The task of one conversation, which nobody else writes to.
struct Writer {
    key: ConversationKey,
    chance: Chance,
    steps: Vec<Step>,
    last: Seq,
    turn: Seq,
    watermark: Seq,
    named: usize,
}

impl Writer {
    fn new(number: usize, seed: u64) -> Self {
        let key = ConversationKey {
            tenant: tenant(number),
            channel: "web".into(),
            vendor_key: number.to_string(),
        };
        let chance = Chance::new(seed.wrapping_mul(1_000).wrapping_add(number as u64));
        let steps = Vec::new();
        Self { key, chance, steps, last: 0, turn: 0, watermark: 0, named: 0 }
    }

    async fn step(&mut self, store: &TenantStore, recorder: &Recorder) -> anyhow::Result<()> {
        let pause = Duration::from_millis(self.chance.number() % 25);
        tokio::time::sleep(pause).await;
        let kind = self.chance.pick(6);
        let planned = match kind {
            0 | 1 => self.accept(),
            2 | 3 => vec![self.a_turn(kind == 3)],
            4 => self.settlement(),
            _ => vec![self.call()],
        };
        let expected: Vec<_> = (self.last + 1..).take(planned.len()).collect();
        let asked = recorder.position();
        let places = self.ask(store, &planned).await?;
        let answered = recorder.position();
        ensure!(places == expected, "{} got {places:?}, not {expected:?}", self.key);
        self.last += planned.len() as Seq;
        if let [Entry::Turn(turn)] = planned.as_slice() {
            (self.turn, self.watermark) = (self.last, turn.watermark);
        }
        self.steps.push(Step { asked, answered, entries: planned });
        Ok(())
    }

    /// Asks the store for what appends these entries, and answers their places.
    async fn ask(&self, store: &TenantStore, entries: &[Entry]) -> anyhow::Result<Vec<Seq>> {
        let events = |entries: &[Entry]| {
            let event = |entry: &Entry| match entry {
                Entry::Accepted(arrival) => Some((**arrival).clone()),
                Entry::Called(_) | Entry::Turn(_) | Entry::Settled(_) => None,
            };
            entries.iter().filter_map(event).collect::<Vec<_>>()
        };
        Ok(match &entries[0] {
            Entry::Accepted(_) => store.accept(&self.key, events(entries)).await?,
            Entry::Called(call) => vec![store.record_call(&self.key, call).await?],
            Entry::Turn(turn) => match store.commit(&self.key, turn).await? {
                Commit::Committed { seq, refused } if refused.is_empty() => vec![seq],
                other => anyhow::bail!("{} got {other:?}", self.key),
            },
            Entry::Settled(settled) => {
                let with_events = Settled { events: events(&entries[1..]), ..settled.clone() };
                store.settle(&self.key, &with_events).await?
            }
        })
    }

    fn accept(&mut self) -> Vec<Entry> {
        (0..=self.chance.pick(2)).map(|_| Entry::Accepted(Box::new(self.arrival()))).collect()
    }

    fn settlement(&mut self) -> Vec<Entry> {
        let rows = vec![(PartId(self.name()), RowEnd::Delivered)];
        let settled = Settled { at_ms: 2_000, rows, due_ms: self.due(), ..Settled::default() };
        let mut entries = vec![Entry::Settled(settled)];
        if self.chance.pick(2) == 0 {
            entries.extend(self.accept());
        }
        entries
    }

    fn call(&mut self) -> Entry {
        let answer = "x".repeat(self.chance.pick(9_000));
        let request = Digest::of(answer.as_bytes());
        Entry::Called(Call {
            event: self.name().as_str().into(),
            of_start: false,
            index: 0,
            request,
            answer,
            journal: Journal::default(),
        })
    }

    fn a_turn(&mut self, fused: bool) -> Entry {
        let write =
            KvWrite { scope: KvScope::Bot, key: "turns".to_owned(), change: KvChange::Add(1) };
        let state = Conversation {
            turns: self.last,
            foreign_context: Some("y".repeat(self.chance.pick(6_000))),
            ..Conversation::default()
        };
        Entry::Turn(Box::new(Turn {
            id: self.name().as_str().into(),
            previous: self.turn,
            base: self.last,
            watermark: self.last,
            fused: fused.then(|| Box::new(self.arrival())),
            event: self.name().as_str().into(),
            outcome: Outcome::Skipped(SkipReason::NotOwner),
            log: Vec::new(),
            bot: "lead".into(),
            bot_writes: vec![write],
            state,
            due_ms: self.due(),
            human_ms: None,
        }))
    }

    fn arrival(&mut self) -> Arrival {
        let id = self.name();
        let text = "z".repeat(self.chance.pick(3_000));
        let body = EventBody::Message(Message { text, format: TextFormat::Plain });
        let event = Event::new(id.as_str().into(), 1_000, body);
        Arrival { key: Some(id), ..Arrival::new(event, Seed([1, 2, 3, 4])) }
    }

    fn due(&mut self) -> Option<u64> {
        let due = self.chance.number() % 1_000;
        (due >= 500).then_some(due)
    }

    /// A name that nothing else has.
    fn name(&mut self) -> String {
        self.named += 1;
        format!("{}.{}", self.key.vendor_key, self.named)
    }
}
