use botyard_kernel::log::{Entry, KEY_AGE_MS, Row, Settled, Turn};
use botyard_kernel::owner::Owner;

use super::acme;
use super::archive::{at, fused_at};
use super::given::{arrival, call, fused, key, key_of, row, settled, stamp, turn};
use crate::limits::SWEEP_ROWS_MAX;
use crate::{Cause, Commit, Loaded, Store, StoreError, TenantStore, Which};

const ALL: usize = 10_000;

/// A conversation with one of everything: the last turn is the third entry.
async fn fill(store: &TenantStore, vendor_key: &str) {
    let a = key(vendor_key);
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    store.record_call(&a, &call("1", 0)).await.unwrap();
    let mut turn = turn("t1", 0, 2);
    turn.state.owner = Owner::Human;
    turn.state.keys = vec![("1".to_owned(), 1_000)];
    turn.state.kv.insert("name".to_owned(), "Ada".to_owned());
    turn.state.facts.contact.email = Some("ada@x.example".to_owned());
    let turn = Turn { due_ms: Some(70), human_ms: Some(60), ..turn };
    store.commit(&a, &turn).await.unwrap();
    let dead = Settled { dead_letters: vec![row("r")], ..settled("r", Some(70)) };
    let dead = Settled { human_ms: Some(60), ..dead };
    store.settle(&a, &dead).await.unwrap();
    store.accept(&a, vec![arrival("2")]).await.unwrap();
}

async fn erase(store: &TenantStore, vendor_key: &str, at_ms: u64) -> bool {
    store.erase(&key(vendor_key), Cause::Person, &stamp(at_ms)).await.unwrap()
}

pub(super) async fn nothing_of_a_person_stays(store: Store) {
    let (host, store, a) = (store.host(), acme(&store), key("a"));
    fill(&store, "a").await;
    fill(&store, "b").await;
    assert!(erase(&store, "a", 5_000).await);
    assert!(!erase(&store, "a", 5_001).await, "nothing is left to erase");
    assert!(!erase(&store, "none", 5_001).await);

    let read = store.read(&a, 0, ALL).await.unwrap();
    let [(6, Entry::Turn(stone))] = &read[..] else { panic!("{read:?}") };
    let written = format!("{stone:?}");
    for word in ["this is", "Ada", "ada@x.example", "Human"] {
        assert!(!written.contains(word), "{word}: {written}");
    }
    assert_eq!(store.summary(&a).await, Ok(None));
    assert_eq!(store.turns(&a, 0, ALL).await, Ok(vec![]));
    let places = store.bot_turns(&"lead".into(), 0, None, ALL).await.unwrap();
    assert!(places.iter().all(|turn| turn.conversation == key("b")), "{places:?}");
    let listed = store.conversations(Which::default(), None, ALL).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(store.with_email(&"web".into(), "ada@x.example", ALL).await, Ok(vec![key("b")]));
    assert_eq!(store.with_human(&"web".into(), None, ALL).await.unwrap().len(), 1);
    let letters = store.dead_letters(0, ALL).await.unwrap();
    assert!(letters.iter().all(|letter| letter.conversation == key("b")), "{letters:?}");
    assert_eq!(letters.len(), 1);
    assert_eq!(host.due(u64::MAX, ALL).await, Ok(vec![(key("b"), 0)]));

    let audit = store.audit(0, ALL).await.unwrap();
    let said: Vec<_> = audit.iter().map(|row| (&*row.action, &*row.kind, &*row.name)).collect();
    assert_eq!(said, [("erase", "person", &*a.digest().to_string())]);
    assert_eq!(store.verify_audit().await, Ok(1));
    let foreign = store.erase(&key_of("other", "a"), Cause::Person, &stamp(1)).await;
    assert_eq!(foreign, Err(StoreError::NotFound));
}

pub(super) async fn an_erased_conversation_knows_its_events(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    fill(&store, "a").await;
    erase(&store, "a", 5_000).await;
    let (seq, stone) = store.load(&a, ALL).await.unwrap().turn.unwrap();
    assert_eq!(seq, 6);
    // Of the turn before, and of the event that still waited.
    assert!(stone.state.knows("1") && stone.state.knows("2"), "{stone:?}");
    assert!(!stone.state.knows("3"));
}

pub(super) async fn whoever_is_still_at_work_has_a_conflict(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    fill(&store, "a").await;
    store.accept(&key("new"), vec![arrival("1")]).await.unwrap();
    erase(&store, "a", 5_000).await;
    erase(&store, "new", 5_000).await;
    for late in [turn("t2", 3, 5), fused("3", 3, 5), turn("t1", 0, 2)] {
        assert_eq!(store.commit(&a, &late).await, Ok(Commit::Conflict), "{}", late.id);
    }
    assert_eq!(store.commit(&key("new"), &turn("t1", 0, 1)).await, Ok(Commit::Conflict));
    assert_eq!(store.read(&a, 0, ALL).await.unwrap().len(), 1);
}

pub(super) async fn what_is_settled_late_brings_no_words_back(store: Store) {
    let (host, store, a) = (store.host(), acme(&store), key("a"));
    fill(&store, "a").await;
    erase(&store, "a", 5_000).await;
    let old = Settled {
        dead_letters: vec![row("s")],
        revived: vec![row("r")],
        events: vec![arrival("it failed")],
        owner: Some(Owner::Human),
        human_ms: Some(60),
        ..settled("s", Some(70))
    };
    assert_eq!(store.settle(&a, &old).await, Ok(vec![7]));
    let late = call("2", 0);
    assert_eq!(store.record_call(&a, &late).await, Ok(8));
    let read = store.read(&a, 6, ALL).await.unwrap();
    let [(7, Entry::Settled(settled)), (8, Entry::Called(call))] = &read[..] else {
        panic!("{read:?}")
    };
    assert!(settled.dead_letters.is_empty() && settled.revived.is_empty(), "{settled:?}");
    assert_eq!(call.answer, "");
    assert_eq!(store.dead_letters(0, ALL).await, Ok(vec![]));
    assert_eq!(store.with_human(&"web".into(), None, ALL).await, Ok(vec![]));
    assert_eq!(host.due(u64::MAX, ALL).await, Ok(vec![]));
    assert_eq!(store.summary(&a).await, Ok(None));

    // Also when it has gone on since; what is new is kept.
    store.accept(&a, vec![at("4", 6_000)]).await.unwrap();
    let new = Row { made_ms: 6_000, ..row("u") };
    let both = Settled { dead_letters: vec![row("s"), new.clone()], ..old };
    store.settle(&a, &both).await.unwrap();
    let letters = store.dead_letters(0, ALL).await.unwrap();
    assert_eq!(letters.into_iter().map(|letter| letter.row).collect::<Vec<_>>(), [new]);
    let open = super::given::call("4", 0);
    store.record_call(&a, &open).await.unwrap();
    assert_eq!(store.load(&a, ALL).await.unwrap().calls, [open]);
}

/// A lane that sends a letter again makes it as new as now: the letter itself tells.
pub(super) async fn a_letter_that_was_erased_is_not_sent_again(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    fill(&store, "a").await;
    let letter = store.dead_letters(0, ALL).await.unwrap().pop().unwrap().row;
    erase(&store, "a", 5_000).await;
    let again = |row: Row| Settled {
        revived: vec![Row { made_ms: 9_000, ..row }],
        ..settled("again", Some(9_000))
    };
    let by_human = Row { by_human: true, ..letter.clone() };
    for row in [letter, by_human] {
        store.settle(&a, &again(row)).await.unwrap();
    }
    let read = store.read(&a, 6, ALL).await.unwrap();
    let revived = |(_, entry): &(u64, Entry)| match entry {
        Entry::Settled(settled) => settled.revived.len(),
        other => panic!("{other:?}"),
    };
    assert_eq!(read.iter().map(revived).collect::<Vec<_>>(), [0, 0]);

    // One that was given up since can be, and so can what a human says now.
    let new = Row { made_ms: 6_000, ..row("u") };
    let dead = Settled { dead_letters: vec![new.clone()], ..settled("u", None) };
    store.settle(&a, &dead).await.unwrap();
    store.settle(&a, &again(new)).await.unwrap();
    let said = Row { by_human: true, ..row("said") };
    let said = Settled { events: vec![at("9", 9_000)], ..again(said) };
    store.settle(&a, &said).await.unwrap();
    let read = store.read(&a, 9, ALL).await.unwrap();
    let kept = read.iter().filter(|(_, entry)| matches!(entry, Entry::Settled(_)));
    assert_eq!(kept.map(revived).collect::<Vec<_>>(), [1, 1]);
    assert_eq!(store.dead_letters(0, ALL).await, Ok(vec![]));
}

/// Whoever wants an erasure has looked at the clock before a last turn was written.
pub(super) async fn a_turn_just_before_an_erasure_is_of_before(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    let late = Row { made_ms: 5_020, ..row("late") };
    let mut last = fused_at("t1", 0, 5_010);
    last.state.rows = vec![late.clone()];
    store.commit(&a, &last).await.unwrap();
    let again =
        Settled { revived: vec![Row { made_ms: 5_030, ..row("again") }], ..settled("again", None) };
    store.settle(&a, &again).await.unwrap();
    erase(&store, "a", 5_000).await;
    let dead = Settled {
        dead_letters: vec![late, Row { made_ms: 5_030, ..row("again") }],
        ..settled("late", None)
    };
    store.settle(&a, &dead).await.unwrap();
    assert_eq!(store.dead_letters(0, ALL).await, Ok(vec![]));
}

pub(super) async fn an_erased_conversation_goes_on_as_a_new_one(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    fill(&store, "a").await;
    erase(&store, "a", 5_000).await;
    assert_eq!(store.accept(&a, vec![at("9", 6_000)]).await, Ok(vec![7]));
    let loaded = store.load(&a, ALL).await.unwrap();
    assert_eq!((loaded.last, loaded.accepted.len()), (7, 1));
    let committed = store.commit(&a, &turn("t9", 6, 7)).await;
    assert_eq!(committed, Ok(Commit::Committed { seq: 8, refused: vec![] }));
    let summary = store.summary(&a).await.unwrap().unwrap();
    assert_eq!((summary.last, summary.active_ms, summary.turns), (8, 6_000, 1));
    let turns = store.turns(&a, 0, ALL).await.unwrap();
    assert_eq!(turns.into_iter().map(|(seq, _)| seq).collect::<Vec<_>>(), [8]);
    // It can be erased again.
    assert!(erase(&store, "a", 7_000).await);
    assert_eq!(store.read(&a, 0, ALL).await.unwrap().len(), 1);
}

async fn sweep(store: &TenantStore, older_than_ms: u64, now: u64) -> usize {
    let (mut steps, mut rows) = (0, 0);
    loop {
        let done = store.sweep(older_than_ms, SWEEP_ROWS_MAX, &stamp(now)).await.unwrap();
        assert!(done <= SWEEP_ROWS_MAX && steps < 1_000, "{done} rows in step {steps}");
        if done == 0 {
            return rows;
        }
        (steps, rows) = (steps + 1, rows + done);
    }
}

pub(super) async fn idle_conversations_are_swept_in_steps(store: Store) {
    let other = key_of("other", "a");
    let view = store.tenant(&other.tenant);
    view.accept(&other, vec![at("1", 10)]).await.unwrap();
    let store = acme(&store);
    let long: Vec<_> = (0..600).map(|n| at(&n.to_string(), 10)).collect();
    store.accept(&key("long"), long).await.unwrap();
    store.commit(&key("long"), &turn("t1", 0, 600)).await.unwrap();
    for n in 0..100 {
        let at_ms = if n < 60 { 99 } else { 100 };
        store.commit(&key(&n.to_string()), &fused_at("t1", 0, at_ms)).await.unwrap();
    }
    assert!(sweep(&store, 100, 1_000).await > 0);
    assert_eq!(store.conversations(Which::default(), None, ALL).await.unwrap().len(), 40);
    assert_eq!(store.read(&key("long"), 0, ALL).await.unwrap().len(), 1);
    assert_eq!(view.read(&other, 0, ALL).await.unwrap().len(), 1);
    let audit = store.audit(0, ALL).await.unwrap();
    assert_eq!(audit.len(), 61);
    assert!(audit.iter().all(|row| (&*row.action, &*row.kind) == ("erase", "retention")));
    assert_eq!(sweep(&store, 100, 1_001).await, 0);
}

pub(super) async fn what_is_still_to_be_done_is_not_swept(store: Store) {
    let store = acme(&store);
    store.accept(&key("waits"), vec![at("1", 10)]).await.unwrap();
    let timer = Turn { due_ms: Some(500_000), ..fused_at("t1", 0, 10) };
    store.commit(&key("timer"), &timer).await.unwrap();
    store.commit(&key("idle"), &fused_at("t1", 0, 10)).await.unwrap();
    while sweep(&store, 100, 1_000).await > 0 {}
    let left = store.conversations(Which::default(), None, ALL).await.unwrap();
    let mut left: Vec<_> = left.into_iter().map(|(it, _)| it.key.vendor_key).collect();
    left.sort();
    assert_eq!(left, ["timer", "waits"]);
    store.commit(&key("waits"), &turn("t1", 0, 1)).await.unwrap();
    store.commit(&key("timer"), &turn("t2", 1, 1)).await.unwrap();
    while sweep(&store, 3_000_000, 4_000_000).await > 0 {}
    assert!(store.conversations(Which::default(), None, ALL).await.unwrap().is_empty());
}

pub(super) async fn what_was_erased_is_forgotten_after_a_day(store: Store) {
    let store = acme(&store);
    for vendor_key in ["a", "again"] {
        fill(&store, vendor_key).await;
        erase(&store, vendor_key, 5_000).await;
    }
    store.settle(&key("a"), &settled("late", None)).await.unwrap();
    store.accept(&key("again"), vec![at("9", 6_000)]).await.unwrap();
    sweep(&store, 0, 5_000 + KEY_AGE_MS).await;
    assert_eq!(store.read(&key("a"), 0, ALL).await.unwrap().len(), 2);
    sweep(&store, 0, 5_001 + KEY_AGE_MS).await;
    assert_eq!(store.load(&key("a"), ALL).await, Ok(Loaded::default()));
    assert_eq!(store.commit(&key("a"), &turn("t2", 6, 6)).await, Ok(Commit::Conflict));
    assert_eq!(store.read(&key("again"), 0, ALL).await.unwrap().len(), 2);
}

async fn trim(store: &TenantStore, older_than_ms: u64) {
    while store.trim(older_than_ms, SWEEP_ROWS_MAX).await.unwrap() > 0 {}
}

pub(super) async fn old_entries_are_trimmed_and_needed_ones_stay(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    for n in 0..300 {
        let next = Turn { base: n, watermark: n, ..fused_at(&n.to_string(), n, 10 + n) };
        store.commit(&a, &next).await.unwrap();
    }
    trim(&store, 10).await;
    assert_eq!(store.read(&a, 0, ALL).await.unwrap().len(), 300, "nothing is so old");
    trim(&store, 280).await;
    let kept = store.read(&a, 0, ALL).await.unwrap();
    assert_eq!((kept.first().map(|(seq, _)| *seq), kept.len()), (Some(271), 30));
    let before = store.load(&a, ALL).await.unwrap();
    let summary = store.summary(&a).await.unwrap();
    trim(&store, u64::MAX).await;
    assert_eq!(store.load(&a, ALL).await, Ok(before), "the last turn stays, however old");
    assert_eq!(store.summary(&a).await, Ok(summary));
    assert_eq!(store.turns(&a, 0, ALL).await.unwrap().len(), 1);
    assert_eq!(store.bot_turns(&"lead".into(), 0, None, ALL).await.unwrap().len(), 1);

    // What waits stays, with its calls, and so does what is settled after the snapshot.
    let b = key("b");
    store.accept(&b, vec![at("1", 10), at("2", 10)]).await.unwrap();
    store.commit(&b, &Turn { watermark: 1, ..turn("t1", 0, 2) }).await.unwrap();
    store.record_call(&b, &call("2", 0)).await.unwrap();
    store.settle(&b, &settled("p", None)).await.unwrap();
    store.commit(&b, &Turn { watermark: 1, ..turn("t2", 3, 4) }).await.unwrap();
    let before = store.load(&b, ALL).await.unwrap();
    assert_eq!((before.accepted.len(), before.settled.len(), before.calls.len()), (1, 1, 1));
    trim(&store, u64::MAX).await;
    assert_eq!(store.load(&b, ALL).await, Ok(before));
}

pub(super) async fn old_letters_go_with_their_entries(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    let dead = |part: &str| Settled { dead_letters: vec![row(part)], ..settled(part, None) };
    store.commit(&a, &fused_at("t1", 0, 10)).await.unwrap();
    store.settle(&a, &dead("r")).await.unwrap();
    store.settle(&a, &dead("s")).await.unwrap();
    let next = Turn { base: 3, watermark: 0, ..fused_at("t2", 1, 20) };
    store.commit(&a, &next).await.unwrap();
    // Given up again, it is filed under the newer settlement.
    store.settle(&a, &dead("s")).await.unwrap();
    let last = Turn { base: 5, watermark: 0, ..fused_at("t3", 4, 30) };
    store.commit(&a, &last).await.unwrap();
    // What is given up is activity, too.
    trim(&store, 2_001).await;
    let letters = store.dead_letters(0, ALL).await.unwrap();
    assert_eq!(letters.into_iter().map(|l| l.row.id.0).collect::<Vec<_>>(), ["s"]);
}
