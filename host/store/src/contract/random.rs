//! Random sequences of verbs answer the same on the engine and on the model.

use std::path::Path;

use botyard_kernel::id::{ConversationKey, PartId};
use botyard_kernel::log::{Settled, Turn};
use botyard_kernel::run::KvChange;
use proptest::prelude::*;
use serde_json::json;

use super::given::{arrival, call, fused, key, key_of, row, set, settled, stamp, turn, write};
use crate::sqlite::check;
use crate::{Cause, DeadLetter, MemoryStore, SqliteStore, Stamp, Store, Which};

#[derive(Clone, Debug)]
enum Verb {
    Accept { events: u8 },
    Commit { stale: u8, unseen: u64, rest: u64, fused: bool, id: u8, due: Option<u64> },
    Settle { events: u8, due: Option<u64>, dead: u8, revived: u8 },
    Call { event: u8 },
    Erase,
    Trim { older_than: u64 },
    Reopen,
}

fn verbs() -> impl Strategy<Value = Vec<(u8, Verb)>> {
    let due = || proptest::option::of(0..50_u64);
    let commit = (0..6_u8, 0..3_u64, 0..3_u64, any::<bool>(), 0..8_u8, due());
    let commit = commit.prop_map(|(stale, unseen, rest, fused, id, due)| Verb::Commit {
        stale,
        unseen,
        rest,
        fused,
        id,
        due,
    });
    let settle = (0..3_u8, due(), 0..3_u8, 0..3_u8);
    let settle =
        settle.prop_map(|(events, due, dead, revived)| Verb::Settle { events, due, dead, revived });
    let verb = prop_oneof![
        3 => (0..4_u8).prop_map(|events| Verb::Accept { events }),
        5 => commit,
        2 => settle,
        2 => (0..6_u8).prop_map(|event| Verb::Call { event }),
        1 => Just(Verb::Erase),
        1 => (0..3_u64).prop_map(|n| Verb::Trim { older_than: n * 1_500 }),
        1 => Just(Verb::Reopen),
    ];
    proptest::collection::vec((0..3_u8, verb), 1..60)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_answers_as_the_model(verbs in verbs()) {
        in_one_thread(async {
            let directory = tempfile::tempdir().unwrap();
            let model = MemoryStore::new().store();
            let mut sqlite = SqliteStore::open(directory.path()).unwrap();
            for (place, verb) in verbs {
                let key = [key("a"), key("b"), key_of("other", "a")][usize::from(place)].clone();
                if matches!(verb, Verb::Reopen) {
                    drop(sqlite);
                    sqlite = SqliteStore::open(directory.path()).unwrap();
                }
                // Both are asked for the same turn, made of what the model holds.
                let last = loaded(&model, &key).await;
                let expected = play(&model, &key, &verb, last).await;
                let answered = play(&sqlite.store(), &key, &verb, last).await;
                assert_eq!(answered, expected, "{verb:?}");
                assert_eq!(view(&sqlite.store(), &key).await, view(&model, &key).await, "{verb:?}");
            }
            drop(sqlite);
            undamaged(directory.path());
        });
    }
}

fn in_one_thread(test: impl Future<Output = ()>) {
    tokio::runtime::Builder::new_current_thread().build().unwrap().block_on(test);
}

/// Fails where the engine has left something behind that its own check calls a fault.
fn undamaged(directory: &Path) {
    let tell = &mut |finding: check::Finding<'_>| {
        assert!(!matches!(finding, check::Finding::Fault(_)), "{finding:?}");
    };
    check::check(directory, tell).unwrap();
}

#[derive(Clone, Debug)]
enum NoteVerb {
    Put { bytes: usize, expires_ms: Option<u64> },
    PutNew { bytes: usize, now: u64 },
    Add { more: i64, now: u64 },
    Delete,
    Sweep { now: u64 },
    Forget,
}

fn note_verbs() -> impl Strategy<Value = Vec<(u8, u8, NoteVerb)>> {
    let time = || 0..9_u64;
    let put = (0..40_usize, proptest::option::of(time()));
    let verb = prop_oneof![
        4 => put.prop_map(|(bytes, expires_ms)| NoteVerb::Put { bytes, expires_ms }),
        3 => (0..40_usize, time()).prop_map(|(bytes, now)| NoteVerb::PutNew { bytes, now }),
        3 => (any::<i64>(), time()).prop_map(|(more, now)| NoteVerb::Add { more, now }),
        2 => Just(NoteVerb::Delete),
        1 => time().prop_map(|now| NoteVerb::Sweep { now }),
        1 => Just(NoteVerb::Forget),
    ];
    proptest::collection::vec((0..3_u8, 0..3_u8, verb), 1..40)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 32, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_engine_weighs_notes_as_the_model(verbs in note_verbs()) {
        in_one_thread(async {
            let directory = tempfile::tempdir().unwrap();
            let model = MemoryStore::new().store();
            let sqlite = SqliteStore::open(directory.path()).unwrap();
            for (place, name, verb) in verbs {
                let place = [("acme", "k"), ("acme", "l"), ("other", "k")][usize::from(place)];
                let (expected, answered) = (
                    note(&model, place, &name.to_string(), &verb).await,
                    note(&sqlite.store(), place, &name.to_string(), &verb).await,
                );
                assert_eq!(answered, expected, "{verb:?}");
            }
            drop(sqlite);
            undamaged(directory.path());
        });
    }
}

/// Does it, and answers what was said and how much there is of each kind then.
async fn note(store: &Store, (tenant, kind): (&str, &str), name: &str, verb: &NoteVerb) -> String {
    let (own, host) = (store.tenant(&tenant.into()), store.host());
    let text = |bytes: &usize| json!("x".repeat(*bytes));
    let said = match verb {
        NoteVerb::Put { bytes, expires_ms } => {
            format!("{:?}", own.note_put(kind, name, &text(bytes), *expires_ms).await)
        }
        NoteVerb::PutNew { bytes, now } => {
            let put = own.note_put_new(kind, name, &text(bytes), Some(now + 3), *now).await;
            format!("{put:?}")
        }
        NoteVerb::Add { more, now } => {
            format!("{:?}", own.note_add(kind, name, &[("n", *more)], Some(now + 3), *now).await)
        }
        NoteVerb::Delete => format!("{:?}", own.note_delete(kind, name).await),
        NoteVerb::Sweep { now } => format!("{:?}", host.sweep_notes(*now).await),
        NoteVerb::Forget => format!("{:?}", host.drop_records(&tenant.into(), &stamp(1)).await),
    };
    let of = async |tenant: &str, kind| store.tenant(&tenant.into()).note_size(kind).await;
    let sizes = [of("acme", "k").await, of("acme", "l").await, of("other", "k").await];
    format!("{said} {sizes:?}")
}

/// The places of the newest entry and of the last turn, and up to where that consumed.
async fn loaded(store: &Store, key: &ConversationKey) -> (u64, u64, u64) {
    let loaded = store.tenant(&key.tenant).load(key, 0).await.unwrap();
    let (turn, watermark) = loaded.turn.map_or((0, 0), |(seq, turn)| (seq, turn.watermark));
    (loaded.last, turn, watermark)
}

async fn play(
    store: &Store,
    key: &ConversationKey,
    verb: &Verb,
    (last, last_turn, watermark): (u64, u64, u64),
) -> String {
    let store = store.tenant(&key.tenant);
    let events = |n: u8| (0..n).map(|n| arrival(&n.to_string())).collect::<Vec<_>>();
    match verb {
        Verb::Accept { events: n } => format!("{:?}", store.accept(key, events(*n)).await),
        Verb::Commit { stale, unseen, rest, fused: is_fused, id, due } => {
            let base = last.saturating_sub(*unseen).max(last_turn);
            let previous = if *stale == 0 { last_turn + 1 } else { last_turn };
            let id = id.to_string();
            let make = if *is_fused { fused } else { turn };
            let made = Turn {
                watermark: base.saturating_sub(*rest).max(watermark),
                due_ms: *due,
                bot_writes: vec![set(&id, "x"), write("sum", KvChange::Add(1))],
                ..make(&id, previous, base)
            };
            format!("{:?}", store.commit(key, &made).await)
        }
        Verb::Settle { events: n, due, dead, revived } => {
            let rows = |n: u8| (0..n).map(|n| row(&n.to_string())).collect();
            let made = Settled {
                events: events(*n),
                dead_letters: rows(*dead),
                revived: rows(*revived),
                ..settled("p", *due)
            };
            format!("{:?}", store.settle(key, &made).await)
        }
        Verb::Call { event } => {
            format!("{:?}", store.record_call(key, &call(&event.to_string(), 0)).await)
        }
        Verb::Erase => {
            let stamp = Stamp { at_ms: 1_200, actor: "ops".to_owned() };
            format!("{:?}", store.erase(key, Cause::Person, &stamp).await)
        }
        Verb::Trim { older_than } => {
            while store.trim(*older_than, 3).await.unwrap() > 0 {}
            String::new()
        }
        Verb::Reopen => String::new(),
    }
}

/// Everything that can be asked about a conversation.
async fn view(store: &Store, key: &ConversationKey) -> String {
    let tenant = store.tenant(&key.tenant);
    let after = tenant.dead_letters(0, 1).await.unwrap().pop().map_or(0, |letter| letter.place);
    let work = format!(
        "{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        tenant.load(key, 3).await,
        tenant.read(key, 2, 5).await,
        tenant.bot_value(&"lead".into(), "sum").await,
        tenant.bot_value(&"lead".into(), "7").await,
        store.host().due(25, 2).await,
        store.host().due_channels(25).await,
        store.host().due_in(&key.tenant, &key.channel, None, 25, 1).await.map(|due| {
            due.into_iter().map(|(key, place)| (key, place.due_ms)).collect::<Vec<_>>()
        }),
        // Places are compared by their order alone.
        tenant.dead_letters(after, 2).await.map(|letters| {
            letters.into_iter().map(|letter| DeadLetter { place: 0, ..letter }).collect::<Vec<_>>()
        }),
        tenant
            .dead_letter(&PartId("1".to_owned()))
            .await
            .map(|letter| { letter.map(|letter| DeadLetter { place: 0, ..letter }) }),
    );
    let listed = tenant.conversations(Which::default(), None, 9).await.unwrap().into_iter();
    let turns = tenant.bot_turns(&"lead".into(), 500, None, 4).await.unwrap().into_iter();
    format!(
        "{work} {:?} {:?} {:?} {:?} {:?}",
        tenant.weigh().await,
        tenant.summary(key).await,
        tenant.turns(key, 1, 3).await,
        listed.map(|(summary, _)| summary).collect::<Vec<_>>(),
        turns.map(|turn| (turn.place.time, turn.conversation, turn.seq)).collect::<Vec<_>>(),
    )
}
