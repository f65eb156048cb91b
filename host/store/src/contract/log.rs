use botyard_kernel::id::{ConversationKey, PartId};
use botyard_kernel::log::{Entry, RowEnd, Settled, Turn};

use super::acme;
use super::given::{arrival, call, fused, key, key_of, row, settled, turn};
use crate::limits::{ARRIVAL_BYTES_MAX, TURN_BYTES_MAX, VENDOR_KEY_BYTES_MAX};
use crate::{Commit, DeadLetter, Lease, Loaded, Store, StoreError};

/// More than any case has waiting.
const ALL: usize = 100;

fn committed(seq: u64) -> Commit {
    Commit::Committed { seq, refused: vec![] }
}

fn ids(loaded: &Loaded) -> Vec<(u64, &str)> {
    loaded.accepted.iter().map(|(seq, arrival)| (*seq, arrival.event.id.as_str())).collect()
}

pub(super) async fn events_keep_their_order(store: Store) {
    let store = acme(&store);
    let (a, b) = (key("a"), key("b"));
    assert_eq!(store.accept(&a, vec![arrival("1"), arrival("2")]).await, Ok(vec![1, 2]));
    assert_eq!(store.accept(&b, vec![arrival("9")]).await, Ok(vec![1]));
    assert_eq!(store.accept(&a, vec![arrival("3")]).await, Ok(vec![3]));

    let loaded = store.load(&a, ALL).await.unwrap();
    assert_eq!(ids(&loaded), [(1, "1"), (2, "2"), (3, "3")]);
    assert_eq!(loaded.last, 3);
    assert_eq!(loaded.accepted[2].1, arrival("3"));
}

pub(super) async fn nothing_is_no_conversation(store: Store) {
    let tenant = acme(&store);
    assert_eq!(tenant.load(&key("a"), ALL).await, Ok(Loaded::default()));
    assert_eq!(tenant.read(&key("a"), 0, ALL).await, Ok(vec![]));
    assert_eq!(tenant.accept(&key("a"), vec![]).await, Ok(vec![]));
    assert_eq!(store.host().due(u64::MAX, ALL).await, Ok(vec![]));
}

pub(super) async fn a_turn_consumes_what_it_names(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.accept(&a, vec![arrival("1"), arrival("2")]).await.unwrap();
    let first = Turn { watermark: 1, ..turn("t1", 0, 2) };
    assert_eq!(store.commit(&a, &first).await, Ok(committed(3)));

    let loaded = store.load(&a, ALL).await.unwrap();
    assert_eq!(loaded.turn, Some((3, first)));
    assert_eq!(ids(&loaded), [(2, "2")]);

    let second = Turn { watermark: 2, ..turn("t2", 3, 3) };
    assert_eq!(store.commit(&a, &second).await, Ok(committed(4)));
    let loaded = store.load(&a, ALL).await.unwrap();
    assert_eq!((loaded.last, loaded.turn, loaded.accepted), (4, Some((4, second)), vec![]));
}

pub(super) async fn a_turn_conflicts_with_another_turn(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    assert_eq!(store.commit(&a, &turn("t1", 0, 1)).await, Ok(committed(2)));
    for (id, previous) in [("late", 0), ("wrong", 1), ("ahead", 3)] {
        assert_eq!(store.commit(&a, &turn(id, previous, 1)).await, Ok(Commit::Conflict), "{id}");
    }
    let missing = store.commit(&key("b"), &turn("t1", 7, 7)).await;
    assert_eq!(missing, Ok(Commit::Conflict));
    assert_eq!(store.load(&key("b"), ALL).await, Ok(Loaded::default()));
    assert_eq!(store.load(&a, ALL).await.unwrap().last, 2);
}

pub(super) async fn a_turn_is_written_once(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    let again = turn("t1", 0, 1);
    assert_eq!(store.commit(&a, &again).await, Ok(committed(2)));
    store.accept(&a, vec![arrival("2")]).await.unwrap();
    assert_eq!(store.commit(&a, &again).await, Ok(committed(2)));
    assert_eq!(store.load(&a, ALL).await.unwrap().last, 3);
}

pub(super) async fn a_fused_turn_conflicts_with_an_event(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    assert_eq!(store.commit(&a, &fused("1", 0, 0)).await, Ok(committed(1)));
    store.accept(&a, vec![arrival("2")]).await.unwrap();
    assert_eq!(store.commit(&a, &fused("3", 1, 1)).await, Ok(Commit::Conflict));

    let loaded = store.load(&a, ALL).await.unwrap();
    assert_eq!(ids(&loaded), [(2, "2")]);
    let (seq, first) = loaded.turn.unwrap();
    assert_eq!((seq, *first.fused.unwrap()), (1, arrival("1")));
    // One that has seen the event is none too many.
    assert_eq!(store.commit(&a, &fused("3", 1, 2)).await, Ok(committed(3)));
}

pub(super) async fn other_entries_are_no_conflict(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    assert_eq!(store.record_call(&a, &call("1", 0)).await, Ok(2));
    assert_eq!(store.settle(&a, &settled("p", None)).await, Ok(vec![3]));
    store.accept(&a, vec![arrival("2")]).await.unwrap();
    assert_eq!(store.commit(&a, &turn("t1", 0, 1)).await, Ok(committed(5)));

    store.settle(&a, &settled("q", None)).await.unwrap();
    let next = Turn { watermark: 1, ..fused("3", 5, 4) };
    assert_eq!(store.commit(&a, &next).await, Ok(committed(7)));
    assert_eq!(ids(&store.load(&a, ALL).await.unwrap()), [(4, "2")]);
}

pub(super) async fn a_settlement_after_the_snapshot_is_loaded(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    store.settle(&a, &settled("seen", None)).await.unwrap();
    let base = store.load(&a, ALL).await.unwrap().last;
    store.settle(&a, &settled("between", None)).await.unwrap();
    store.commit(&a, &turn("t1", 0, base)).await.unwrap();
    store.settle(&a, &settled("after", None)).await.unwrap();

    let loaded = store.load(&a, ALL).await.unwrap();
    assert_eq!(loaded.settled, [settled("between", None), settled("after", None)]);
}

pub(super) async fn a_settlement_brings_its_events(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    let events = vec![arrival("1"), arrival("2")];
    let with_events = Settled { events, ..settled("p", Some(9_000)) };
    assert_eq!(store.settle(&a, &with_events).await, Ok(vec![1, 2, 3]));

    let loaded = store.load(&a, ALL).await.unwrap();
    assert_eq!(ids(&loaded), [(2, "1"), (3, "2")]);
    assert_eq!(loaded.settled, [settled("p", Some(9_000))]);
}

pub(super) async fn calls_of_open_events_are_loaded(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.accept(&a, vec![arrival("1"), arrival("2")]).await.unwrap();
    for recorded in [call("1", 0), call("1", 1)] {
        store.record_call(&a, &recorded).await.unwrap();
    }
    assert_eq!(store.load(&a, ALL).await.unwrap().calls, [call("1", 0), call("1", 1)]);

    store.commit(&a, &Turn { watermark: 1, ..turn("t1", 0, 4) }).await.unwrap();
    store.record_call(&a, &call("2", 0)).await.unwrap();
    assert_eq!(store.load(&a, ALL).await.unwrap().calls, [call("2", 0)]);
}

pub(super) async fn conversations_of_humans_are_listed(store: Store) {
    let (a, b, c) = (key("a"), key("b"), key("c"));
    let tenant = store.tenant(&a.tenant);
    let with_human = |human_ms| Turn { human_ms, ..turn("t1", 0, 0) };
    tenant.commit(&a, &with_human(Some(500))).await.unwrap();
    tenant.commit(&b, &with_human(Some(400))).await.unwrap();
    tenant.commit(&c, &with_human(None)).await.unwrap();
    let list = async |after, limit| tenant.with_human(&a.channel, after, limit).await.unwrap();
    let found = list(None, 10).await;
    let names: Vec<_> = found.iter().map(|(key, place)| (key.clone(), place.due_ms)).collect();
    assert_eq!(names, [(b.clone(), 400), (a.clone(), 500)], "the longest waiting first");
    assert_eq!(list(Some(found[0].1), 10).await, found[1..]);
    assert_eq!(list(None, 1).await, found[..1]);
    // An event changes nothing, a settlement gives one back and takes the other.
    tenant.accept(&b, vec![arrival("1")]).await.unwrap();
    tenant.settle(&b, &Settled::default()).await.unwrap();
    tenant.settle(&c, &Settled { human_ms: Some(600), ..Settled::default() }).await.unwrap();
    let keys: Vec<_> = list(None, 10).await.into_iter().map(|(key, _)| key).collect();
    assert_eq!(keys, [a.clone(), c]);
    let other = store.tenant(&"other".into()).with_human(&a.channel, None, 10).await.unwrap();
    assert_eq!(other, []);
}

pub(super) async fn conversations_are_found_by_address(store: Store) {
    let (a, b, c) = (key("a"), key("b"), key("c"));
    let tenant = acme(&store);
    let of = |id: &str, previous, email: Option<&str>| {
        let mut turn = turn(id, previous, 0);
        turn.state.facts.contact.email = email.map(str::to_owned);
        turn
    };
    tenant.commit(&a, &of("t1", 0, Some("Ida@Example.com "))).await.unwrap();
    tenant.commit(&b, &of("t1", 0, Some("ida@example.com"))).await.unwrap();
    tenant.commit(&c, &of("t1", 0, None)).await.unwrap();
    let find = async |email, limit| tenant.with_email(&a.channel, email, limit).await.unwrap();
    assert_eq!(find(" IDA@example.com", 10).await, [b.clone(), a.clone()], "the newest first");
    assert_eq!(find("ida@example.com", 1).await, std::slice::from_ref(&b));
    assert_eq!(find("ida@example.org", 10).await, []);
    assert_eq!(find("", 10).await, []);
    // What is settled changes nothing, the next turn does.
    tenant.settle(&a, &Settled::default()).await.unwrap();
    tenant.commit(&b, &of("t2", 1, Some("otto@example.com"))).await.unwrap();
    assert_eq!(find("ida@example.com", 10).await, std::slice::from_ref(&a));
    assert_eq!(find("otto@example.com", 10).await, [b]);
    let (other, elsewhere) = (store.tenant(&"other".into()), "elsewhere".into());
    assert_eq!(other.with_email(&a.channel, "ida@example.com", 10).await, Ok(vec![]));
    assert_eq!(tenant.with_email(&elsewhere, "ida@example.com", 10).await, Ok(vec![]));
}

pub(super) async fn conversations_are_due_in_time(store: Store) {
    let (tenant, host) = (acme(&store), store.host());
    let (a, b) = (key("a"), key("b"));
    tenant.commit(&a, &Turn { due_ms: Some(500), ..turn("t1", 0, 0) }).await.unwrap();
    tenant.commit(&b, &Turn { due_ms: Some(400), ..turn("t1", 0, 0) }).await.unwrap();
    assert_eq!(host.due(399, ALL).await, Ok(vec![]));
    assert_eq!(host.due(400, ALL).await, Ok(vec![(b.clone(), 400)]));
    assert_eq!(host.due(500, ALL).await, Ok(vec![(b.clone(), 400), (a.clone(), 500)]));
    assert_eq!(host.due(500, 1).await, Ok(vec![(b.clone(), 400)]));

    // An event makes a conversation due at once, until a turn consumes it.
    tenant.accept(&a, vec![arrival("1"), arrival("2")]).await.unwrap();
    tenant.settle(&a, &settled("p", Some(600))).await.unwrap();
    assert_eq!(host.due(0, ALL).await, Ok(vec![(a.clone(), 0)]));
    let half = Turn { due_ms: Some(700), watermark: 2, ..turn("t2", 1, 4) };
    tenant.commit(&a, &half).await.unwrap();
    assert_eq!(host.due(0, ALL).await, Ok(vec![(a.clone(), 0)]));
    let whole = Turn { due_ms: Some(700), watermark: 3, ..turn("t3", 5, 5) };
    tenant.commit(&a, &whole).await.unwrap();
    assert_eq!(host.due(700, ALL).await, Ok(vec![(b.clone(), 400), (a.clone(), 700)]));

    // The newest word counts.
    tenant.settle(&b, &settled("p", None)).await.unwrap();
    tenant.settle(&a, &settled("p", Some(650))).await.unwrap();
    assert_eq!(host.due(u64::MAX, ALL).await, Ok(vec![(a, 650)]));
}

pub(super) async fn channels_are_looked_through_apart(store: Store) {
    let host = store.host();
    let of = |tenant: &str, channel: &str, name: &str| ConversationKey {
        channel: channel.into(),
        ..key_of(tenant, name)
    };
    for (tenant, channel, name, due_ms) in [
        ("acme", "web", "a", 30),
        ("acme", "web", "b", 10),
        ("acme", "web", "c", 10),
        ("acme", "web", "late", 90),
        ("acme", "app", "a", 20),
        ("other", "web", "a", 5),
        ("acme", "quiet", "a", 99),
    ] {
        let key = of(tenant, channel, name);
        let made = Turn { due_ms: Some(due_ms), ..turn("t1", 0, 0) };
        store.tenant(&key.tenant).commit(&key, &made).await.unwrap();
    }
    let place = |tenant: &str, channel: &str| (tenant.into(), channel.into());
    let channels = [place("acme", "app"), place("acme", "web"), place("other", "web")];
    assert_eq!(host.due_channels(50).await.unwrap(), channels);
    assert_eq!(host.due_channels(4).await.unwrap(), []);

    let (acme, web) = ("acme".into(), "web".into());
    let page = async |after, limit| {
        let found = host.due_in(&acme, &web, after, 50, limit).await.unwrap();
        let last = found.last().map(|(_, place)| *place);
        (found.into_iter().map(|(key, _)| key.vendor_key).collect::<Vec<_>>(), last)
    };
    let (first, last) = page(None, 2).await;
    assert_eq!(first, ["b", "c"]);
    // Who was named already stays due and is not named again.
    let (second, last) = page(last, 2).await;
    assert_eq!(second, ["a"]);
    assert_eq!(page(last, 2).await.0, [""; 0]);

    store.tenant(&acme).accept(&of("acme", "web", "late"), vec![arrival("1")]).await.unwrap();
    assert_eq!(page(None, 10).await.0, ["late", "b", "c", "a"]);
    let all = host.due(20, 3).await.unwrap().into_iter().map(|(key, due)| (key.vendor_key, due));
    let all: Vec<_> = all.collect();
    let expected = [("late", 0), ("a", 5), ("b", 10)].map(|(name, due)| (name.to_owned(), due));
    assert_eq!(all, expected);
}

pub(super) async fn dead_letters_stay_until_they_are_revived(store: Store) {
    let (tenant, other) = (acme(&store), store.tenant(&"other".into()));
    let (a, b, theirs) = (key("a"), key("b"), key_of("other", "a"));
    let dead = |ids: &[&str], reason: &str| Settled {
        rows: ids
            .iter()
            .map(|id| (PartId((*id).to_owned()), RowEnd::Dead(reason.to_owned())))
            .collect(),
        dead_letters: ids.iter().map(|id| row(id)).collect(),
        ..settled("p", None)
    };
    tenant.settle(&a, &dead(&["a.0.0", "a.1.0"], "gone")).await.unwrap();
    other.settle(&theirs, &dead(&["x.0.0"], "theirs")).await.unwrap();
    tenant.settle(&b, &dead(&["b.0.0"], "late")).await.unwrap();

    let all = tenant.dead_letters(0, ALL).await.unwrap();
    let named = |letters: &[DeadLetter]| {
        let name = |letter: &DeadLetter| format!("{} {}", letter.row.id, letter.reason);
        letters.iter().map(name).collect::<Vec<_>>()
    };
    assert_eq!(named(&all), ["a.0.0 gone", "a.1.0 gone", "b.0.0 late"]);
    assert_eq!((&all[2].conversation, all[2].at_ms, &all[2].row), (&b, 2_000, &row("b.0.0")));
    assert_eq!(named(&tenant.dead_letters(all[0].place, 1).await.unwrap()), ["a.1.0 gone"]);
    assert_eq!(tenant.dead_letters(all[2].place, ALL).await.unwrap(), []);
    assert_eq!(named(&other.dead_letters(0, ALL).await.unwrap()), ["x.0.0 theirs"]);
    assert_eq!(tenant.dead_letter(&PartId("a.1.0".to_owned())).await, Ok(Some(all[1].clone())));
    assert_eq!(tenant.dead_letter(&PartId("x.0.0".to_owned())).await, Ok(None));

    let revived = Settled { revived: vec![row("a.0.0"), row("unknown")], ..settled("q", None) };
    tenant.settle(&a, &revived).await.unwrap();
    assert_eq!(named(&tenant.dead_letters(0, ALL).await.unwrap()), ["a.1.0 gone", "b.0.0 late"]);
    // It may be given up once more: then it is the newest.
    tenant.settle(&a, &dead(&["a.0.0"], "again")).await.unwrap();
    let now = ["a.1.0 gone", "b.0.0 late", "a.0.0 again"];
    assert_eq!(named(&tenant.dead_letters(0, ALL).await.unwrap()), now);
}

pub(super) async fn a_limit_leaves_the_rest_for_later(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.accept(&a, vec![arrival("1"), arrival("2"), arrival("3")]).await.unwrap();
    store.record_call(&a, &call("3", 0)).await.unwrap();
    let some = store.load(&a, 2).await.unwrap();
    assert_eq!((ids(&some), some.more), (vec![(1, "1"), (2, "2")], true));
    assert_eq!(some.calls, []);
    let all = store.load(&a, 3).await.unwrap();
    assert_eq!((all.accepted.len(), all.more), (3, false));
    assert_eq!(all.calls, [call("3", 0)]);
    let none = store.load(&a, 0).await.unwrap();
    assert_eq!((none.accepted.len(), none.more, none.last), (0, true, 4));
}

pub(super) async fn entries_are_read_page_by_page(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.accept(&a, vec![arrival("1")]).await.unwrap();
    store.record_call(&a, &call("1", 0)).await.unwrap();
    store.commit(&a, &turn("t1", 0, 1)).await.unwrap();
    let with_event = Settled { events: vec![arrival("2")], ..settled("p", None) };
    store.settle(&a, &with_event).await.unwrap();

    let expected = [
        (1, Entry::Accepted(Box::new(arrival("1")))),
        (2, Entry::Called(call("1", 0))),
        (3, Entry::Turn(Box::new(turn("t1", 0, 1)))),
        (4, Entry::Settled(settled("p", None))),
        (5, Entry::Accepted(Box::new(arrival("2")))),
    ];
    assert_eq!(store.read(&a, 0, ALL).await.unwrap(), expected);
    assert_eq!(store.read(&a, 1, 2).await.unwrap(), expected[1..3]);
    assert_eq!(store.read(&a, 5, ALL).await.unwrap(), []);
}

pub(super) async fn of_two_turns_one_wins(store: Store) {
    for round in 0..20 {
        let a = key(&round.to_string());
        let race = ["left", "right"].map(|id| {
            let (store, a) = (acme(&store), a.clone());
            tokio::spawn(async move { store.commit(&a, &turn(id, 0, 0)).await.unwrap() })
        });
        let mut ends = Vec::new();
        for racer in race {
            ends.push(racer.await.unwrap());
        }
        let won = ends.iter().filter(|end| **end == committed(1)).count();
        let lost = ends.iter().filter(|end| **end == Commit::Conflict).count();
        assert_eq!((won, lost), (1, 1), "round {round}");
    }
}

pub(super) async fn leases_are_held_until_they_end(store: Store) {
    let (host, a) = (store.host(), key("a"));
    let held = Lease::Held { holder: "one".to_owned(), until: 200 };
    assert_eq!(host.lease(&a, "one", 100, 200).await, Ok(Lease::Granted));
    assert_eq!(host.lease(&a, "two", 199, 300).await, Ok(held));
    assert_eq!(host.lease(&key("b"), "two", 199, 300).await, Ok(Lease::Granted));
    assert_eq!(host.lease(&a, "one", 150, 250).await, Ok(Lease::Granted));
    assert_eq!(host.lease(&a, "two", 250, 300).await, Ok(Lease::Granted));
    // Given up.
    assert_eq!(host.lease(&a, "two", 260, 0).await, Ok(Lease::Granted));
    assert_eq!(host.lease(&a, "one", 270, 300).await, Ok(Lease::Granted));
}

pub(super) async fn what_is_too_large_is_refused(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    let mut large = arrival("1");
    large.vendor_context = Some("x".repeat(ARRIVAL_BYTES_MAX));
    let of_an_event = |error| {
        matches!(error, StoreError::TooLarge { what: "an event", max: ARRIVAL_BYTES_MAX, .. })
    };
    let refused = store.accept(&a, vec![arrival("0"), large.clone()]).await.unwrap_err();
    assert!(of_an_event(refused));
    let with_event = Settled { events: vec![large.clone()], ..settled("p", None) };
    assert!(of_an_event(store.settle(&a, &with_event).await.unwrap_err()));

    let mut long = turn("t1", 0, 0);
    long.state.foreign_context = Some("x".repeat(TURN_BYTES_MAX));
    let refused = store.commit(&a, &long).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge { what: "a turn", .. }), "{refused}");

    let far = key(&"k".repeat(VENDOR_KEY_BYTES_MAX + 1));
    let refused = store.accept(&far, vec![arrival("1")]).await.unwrap_err();
    assert!(matches!(refused, StoreError::TooLarge { .. }), "{refused}");
    assert_eq!(store.load(&a, ALL).await, Ok(Loaded::default()));
}

pub(super) async fn tenants_are_apart(store: Store) {
    let (acme, other) = (store.tenant(&"acme".into()), store.tenant(&"other".into()));
    let (mine, theirs) = (key_of("acme", "a"), key_of("other", "a"));
    acme.accept(&mine, vec![arrival("1")]).await.unwrap();

    assert_eq!(other.load(&theirs, ALL).await, Ok(Loaded::default()));
    let gone = StoreError::NotFound;
    assert_eq!(other.load(&mine, ALL).await.unwrap_err(), gone);
    assert_eq!(other.read(&mine, 0, ALL).await.unwrap_err(), gone);
    assert_eq!(other.accept(&mine, vec![arrival("2")]).await.unwrap_err(), gone);
    assert_eq!(other.record_call(&mine, &call("1", 0)).await.unwrap_err(), gone);
    assert_eq!(other.commit(&mine, &turn("t1", 0, 1)).await.unwrap_err(), gone);
    assert_eq!(other.settle(&mine, &settled("p", None)).await.unwrap_err(), gone);
    assert_eq!(acme.load(&mine, ALL).await.unwrap().last, 1);
}
