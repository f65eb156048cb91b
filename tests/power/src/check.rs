//! Opens what a disk held and looks for everything that was promised.

use std::collections::BTreeMap;
use std::path::Path;

use botyard_kernel::id::{ConversationKey, TenantId};
use botyard_kernel::log::{Entry, Seq};
use botyard_store::sqlite::check::Finding;
use botyard_store::{SqliteStore, Store, sqlite};
use serde_json::json;

use crate::workload::{History, Run, Step};

/// More entries than any conversation of a workload has.
const ALL: usize = 10_000;

/// Checks the store in a directory, as it is after the power went out when so
/// many changes had been made.
///
/// # Errors
/// What was lost, or is there by half, in words.
pub async fn check(directory: &Path, run: &Run, point: usize) -> Result<(), String> {
    sound(directory)?;
    let sqlite = SqliteStore::open(directory).map_err(|error| format!("opening: {error}"))?;
    let store = sqlite.store();
    let mut turns: BTreeMap<TenantId, i64> = BTreeMap::new();
    let mut due = Vec::new();
    for history in &run.conversations {
        let entries = entries(&store, &history.key).await?;
        whole_steps(history, &entries, point)?;
        let made = entries.iter().filter(|entry| matches!(entry, Entry::Turn(_))).count();
        *turns.entry(history.key.tenant.clone()).or_default() += made as i64;
        due.extend(due_since(&entries).map(|due| (due, history.key.vendor_key.clone())));
    }
    for (tenant, turns) in turns {
        let counted = store.tenant(&tenant).bot_value(&"lead".into(), "turns").await;
        let expected = (turns > 0).then(|| turns.to_string());
        if counted != Ok(expected) {
            return Err(format!("{tenant} has {turns} turns, its bot has counted {counted:?}"));
        }
    }
    for (tenant, steps) in &run.records {
        record(&store, tenant, steps, point).await?;
    }
    let found = store.host().due(u64::MAX >> 1, ALL).await.map_err(|error| error.to_string())?;
    let mut found: Vec<_> = found.into_iter().map(|(key, due)| (due, key.vendor_key)).collect();
    found.sort();
    due.sort();
    if found != due {
        return Err(format!("these are due: {due:?}, the store says {found:?}"));
    }
    goes_on(&store, run).await
}

/// The database as it lies there has no fault, even before it is opened.
fn sound(directory: &Path) -> Result<(), String> {
    let mut first = None;
    let checked = sqlite::check::check(directory, &mut |finding| match finding {
        Finding::Fault(fault) => first = first.take().or_else(|| Some(fault.to_string())),
        Finding::Progress { .. } => {}
    });
    checked.map_err(|error| format!("checking: {error}"))?;
    first.map_or(Ok(()), Err)
}

/// All entries of a conversation, whose places have no gap.
async fn entries(store: &Store, key: &ConversationKey) -> Result<Vec<Entry>, String> {
    let found = store.tenant(&key.tenant).read(key, 0, ALL).await;
    let found = found.map_err(|error| format!("reading {key}: {error}"))?;
    let places: Vec<Seq> = found.iter().map(|(seq, _)| *seq).collect();
    if !places.iter().copied().eq(1..=places.len() as Seq) {
        return Err(format!("{key} has the places {places:?}"));
    }
    Ok(found.into_iter().map(|(_, entry)| entry).collect())
}

/// The log holds whole verbs, in order, with every one that was answered, and
/// none that was not yet asked for.
fn whole_steps(history: &History, entries: &[Entry], point: usize) -> Result<(), String> {
    let key = &history.key;
    let mut left = entries;
    for (number, step) in history.steps.iter().enumerate() {
        if let Some(rest) = left.strip_prefix(step.entries.as_slice()) {
            if step.asked > point {
                return Err(format!("verb {number} of {key} is there before it was asked for"));
            }
            left = rest;
            continue;
        }
        if step.answered <= point {
            return Err(format!("verb {number} of {key} was answered and is lost"));
        }
        break;
    }
    if left.is_empty() {
        Ok(())
    } else {
        Err(format!("{key} has {} entries that are no whole verb", left.len()))
    }
}

/// Since when a conversation wants attention, by its entries.
fn due_since(entries: &[Entry]) -> Option<u64> {
    let (mut waiting, mut due) = (false, None);
    for entry in entries {
        match entry {
            Entry::Accepted(_) => waiting = true,
            Entry::Called(_) => {}
            Entry::Turn(turn) => (waiting, due) = (false, turn.due_ms),
            Entry::Settled(settled) => due = settled.due_ms,
        }
    }
    if waiting { Some(0) } else { due }
}

async fn record(
    store: &Store,
    tenant: &TenantId,
    steps: &[Step],
    point: usize,
) -> Result<(), String> {
    let answered = steps.iter().filter(|step| step.answered <= point).count();
    let asked = steps.iter().filter(|step| step.asked <= point).count();
    let store = store.tenant(tenant);
    let rows = store.verify_audit().await.map_err(|error| error.to_string())? as usize;
    if rows < answered || rows > asked {
        return Err(format!(
            "{tenant} has changed its record {answered} to {asked} times, its audit has {rows} rows"
        ));
    }
    let value = store.get("bot", "lead").await.map_err(|error| error.to_string())?;
    let expected = (rows > 0).then(|| json!(rows));
    if value != expected {
        return Err(format!("{tenant} has the record {value:?}, its audit says {expected:?}"));
    }
    Ok(())
}

/// The store takes new entries behind the old ones.
async fn goes_on(store: &Store, run: &Run) -> Result<(), String> {
    let steps = run.conversations.iter().flat_map(|history| &history.steps);
    let arrival = steps.flat_map(|step| &step.entries).find_map(|entry| match entry {
        Entry::Accepted(arrival) => Some((**arrival).clone()),
        Entry::Called(_) | Entry::Turn(_) | Entry::Settled(_) => None,
    });
    let key = &run.conversations[0].key;
    let store = store.tenant(&key.tenant);
    let last = store.load(key, 1).await.map_err(|error| error.to_string())?.last;
    let placed = store.accept(key, vec![arrival.expect("a workload accepts events")]).await;
    if placed == Ok(vec![last + 1]) { Ok(()) } else { Err(format!("going on: {placed:?}")) }
}
