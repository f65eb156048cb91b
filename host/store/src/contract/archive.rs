use botyard_kernel::id::ConversationKey;
use botyard_kernel::log::{Arrival, Settled, Turn};
use botyard_kernel::owner::Owner;
use botyard_kernel::time::MINUTE;

use super::acme;
use super::given::{arrival, call, fused, key, key_of, row, settled, stamp, turn};
use crate::{Cause, Person, Store, StoreError, Summary, Which};

/// An event that came at a time.
pub(super) fn at(id: &str, received_ms: u64) -> Arrival {
    let mut arrival = arrival(id);
    arrival.event.received_ms = received_ms;
    arrival
}

/// A turn that brings its event at a time.
pub(super) fn fused_at(id: &str, previous: u64, received_ms: u64) -> Turn {
    Turn { fused: Some(Box::new(at(id, received_ms))), ..turn(id, previous, previous) }
}

fn in_channel(channel: &str, vendor_key: &str) -> ConversationKey {
    ConversationKey { channel: channel.into(), ..key(vendor_key) }
}

pub(super) async fn conversations_are_listed_by_activity(store: Store) {
    let other = key_of("other", "a");
    store.tenant(&other.tenant).accept(&other, vec![at("1", 900 * MINUTE)]).await.unwrap();
    let store = acme(&store);
    let all = [("web", "a", 10), ("web", "b", 30), ("shop", "c", 20), ("web", "d", 20)];
    for (channel, vendor_key, at_ms) in all {
        store
            .accept(&in_channel(channel, vendor_key), vec![at("1", at_ms * MINUTE)])
            .await
            .unwrap();
    }
    let names = async |channel: Option<&str>, after, limit| {
        let channel = channel.map(Into::into);
        let which = Which { channel: channel.as_ref(), email: None };
        let found = store.conversations(which, after, limit).await.unwrap();
        let last = found.last().map(|(_, place)| *place);
        (found.into_iter().map(|(s, _)| s.key.vendor_key).collect::<Vec<_>>(), last)
    };
    let (first, last) = names(None, None, 2).await;
    assert_eq!(first, ["b", "d"]);
    // As it comes from the outside.
    let last = last.map(|place| place.to_string().parse().unwrap());
    assert_eq!(names(None, last, 9).await.0, ["c", "a"]);
    assert_eq!(names(Some("web"), None, 9).await.0, ["b", "d", "a"]);
    assert_eq!(names(Some("none"), None, 9).await.0, [""; 0]);
    assert_eq!(store.channels().await, Ok(vec!["shop".into(), "web".into()]));
    // What happens brings it to the front; what comes late does not send it back.
    store.accept(&key("b"), vec![at("2", 5 * MINUTE)]).await.unwrap();
    assert_eq!(names(None, None, 9).await.0, ["b", "d", "c", "a"]);
    store
        .commit(&key("a"), &Turn { base: 1, watermark: 1, ..fused_at("t1", 0, 40 * MINUTE) })
        .await
        .unwrap();
    assert_eq!(names(None, None, 9).await.0, ["a", "b", "d", "c"]);
}

pub(super) async fn conversations_of_a_person_are_read_page_by_page(store: Store) {
    let store = acme(&store);
    let all = [
        ("web", "a", 10, "ada@x.example"),
        ("web", "b", 30, "Ada@X.example "),
        ("shop", "c", 20, "ada@x.example"),
        ("web", "d", 40, "eve@x.example"),
        ("web", "e", 30, "ada@x.example"),
    ];
    for (channel, vendor_key, at_ms, email) in all {
        let mut turn = fused_at("t1", 0, at_ms * MINUTE);
        turn.state.facts.contact.email = Some(email.to_owned());
        store.commit(&in_channel(channel, vendor_key), &turn).await.unwrap();
    }
    let page = async |channel: Option<&str>, after, limit| {
        let channel = channel.map(Into::into);
        let which = Which { channel: channel.as_ref(), email: Some("ADA@x.example") };
        let found = store.conversations(which, after, limit).await.unwrap();
        let last = found.last().map(|(_, place)| *place);
        (found.into_iter().map(|(s, _)| s.key.vendor_key).collect::<Vec<_>>(), last)
    };
    let (first, last) = page(None, None, 2).await;
    assert_eq!(first, ["e", "b"]);
    assert_eq!(page(None, last, 2).await.0, ["c", "a"]);
    assert_eq!(page(Some("web"), last, 9).await.0, ["a"]);
    store.erase(&in_channel("web", "b"), Cause::Person, &stamp(1)).await.unwrap();
    assert_eq!(page(None, None, 9).await.0, ["e", "c", "a"]);
}

pub(super) async fn a_conversation_says_how_it_stands(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    assert_eq!(store.summary(&a).await, Ok(None));
    store.accept(&a, vec![at("1", 10), at("2", 20)]).await.unwrap();
    let first = Summary {
        key: a.clone(),
        last: 2,
        active_ms: 20,
        turns: 0,
        owner: None,
        due_ms: Some(0),
        human_ms: None,
    };
    assert_eq!(store.summary(&a).await, Ok(Some(first.clone())));
    let mut next = Turn { due_ms: Some(70), human_ms: Some(60), ..turn("t1", 0, 2) };
    next.state.owner = Owner::Human;
    store.commit(&a, &next).await.unwrap();
    let owner = Some(Owner::Human);
    let second =
        Summary { last: 3, turns: 1, owner, due_ms: Some(70), human_ms: Some(60), ..first };
    assert_eq!(store.summary(&a).await, Ok(Some(second.clone())));
    // Deliveries are no activity of people; what is given up is for people to see.
    let given_back = Settled { owner: Some(Owner::Bot), ..settled("p", None) };
    store.settle(&a, &given_back).await.unwrap();
    let owner = Some(Owner::Bot);
    let third = Summary { last: 4, owner, due_ms: None, human_ms: None, ..second };
    assert_eq!(store.summary(&a).await, Ok(Some(third.clone())));
    let dead = Settled { dead_letters: vec![row("r")], ..settled("r", None) };
    store.settle(&a, &dead).await.unwrap();
    let fourth = Summary { last: 5, active_ms: 2_000, ..third };
    assert_eq!(store.summary(&a).await, Ok(Some(fourth)));
    assert_eq!(store.summary(&key_of("other", "a")).await, Err(StoreError::NotFound));
}

pub(super) async fn persons_are_found_by_key_and_address(store: Store) {
    let store = acme(&store);
    for (channel, email) in [("shop", "Ada@x.example"), ("web", "eve@x.example")] {
        let mut turn = fused_at("t1", 0, 10);
        turn.state.facts.contact.email = Some(email.to_owned());
        store.commit(&in_channel(channel, "7"), &turn).await.unwrap();
    }
    let found = async |channel: Option<&str>, person, limit| {
        let channel = channel.map(Into::into);
        let found = store.person_conversations(channel.as_ref(), person, limit).await.unwrap();
        found.into_iter().map(|summary| summary.key.channel.0).collect::<Vec<_>>()
    };
    assert_eq!(found(None, Person::VendorKey("7"), 9).await, ["shop", "web"]);
    assert_eq!(found(None, Person::VendorKey("7"), 1).await, ["shop"]);
    assert_eq!(found(Some("web"), Person::VendorKey("7"), 9).await, ["web"]);
    assert_eq!(found(None, Person::VendorKey("70"), 9).await, [""; 0]);
    assert_eq!(found(None, Person::Email("ada@X.example"), 9).await, ["shop"]);
}

pub(super) async fn events_are_read_by_their_places(store: Store) {
    let (store, a, b) = (acme(&store), key("a"), key("b"));
    store.accept(&a, vec![arrival("1"), arrival("2")]).await.unwrap();
    store.commit(&a, &turn("t", 0, 2)).await.unwrap();
    store.accept(&b, vec![arrival("3")]).await.unwrap();
    let read = async || {
        let places = [(&b, 1), (&a, 2), (&a, 3), (&a, 9), (&key("none"), 1), (&a, 1)];
        let places = places.map(|(key, seq)| (key.clone(), seq));
        let found = store.accepted_at(&places).await.unwrap().into_iter();
        found.map(|arrival| arrival.map(|it| it.event.id.0)).collect::<Vec<_>>()
    };
    let id = |id: &str| Some(id.to_owned());
    assert_eq!(read().await, [id("3"), id("2"), None, None, None, id("1")]);
    store.erase(&a, Cause::Person, &stamp(1)).await.unwrap();
    assert_eq!(read().await, [id("3"), None, None, None, None, None]);
    let foreign = [(a, 1), (key_of("other", "a"), 1)];
    assert_eq!(store.accepted_at(&foreign).await, Err(StoreError::NotFound));
    assert_eq!(store.accepted_at(&[]).await, Ok(Vec::new()));
}

pub(super) async fn turns_are_read_page_by_page(store: Store) {
    let (store, a) = (acme(&store), key("a"));
    store.commit(&a, &fused("1", 0, 0)).await.unwrap();
    store.accept(&a, vec![arrival("2")]).await.unwrap();
    store.record_call(&a, &call("2", 0)).await.unwrap();
    store.commit(&a, &turn("t2", 1, 3)).await.unwrap();
    store.settle(&a, &settled("p", None)).await.unwrap();
    let turns = async |after, limit| {
        let found = store.turns(&a, after, limit).await.unwrap();
        found.into_iter().map(|(seq, turn)| (seq, turn.id.0)).collect::<Vec<_>>()
    };
    let (first, second) = ((1, "1".to_owned()), (4, "t2".to_owned()));
    assert_eq!(turns(0, 9).await, [first.clone(), second.clone()]);
    assert_eq!(turns(0, 1).await, [first]);
    assert_eq!(turns(1, 9).await, [second]);
    assert_eq!(turns(4, 9).await, []);
    assert_eq!(store.turns(&key("none"), 0, 9).await, Ok(vec![]));
    assert_eq!(store.turns(&key_of("other", "a"), 0, 9).await, Err(StoreError::NotFound));
}

pub(super) async fn turns_of_a_bot_are_listed_by_time(store: Store) {
    let other = key_of("other", "a");
    store.tenant(&other.tenant).commit(&other, &fused_at("o", 0, 5)).await.unwrap();
    let store = acme(&store);
    for (vendor_key, id, previous, at_ms) in
        [("a", "t1", 0, 10), ("b", "t2", 0, 30), ("a", "t3", 1, 20), ("c", "t4", 0, 20)]
    {
        store.commit(&key(vendor_key), &fused_at(id, previous, at_ms)).await.unwrap();
    }
    let of_another = Turn { bot: "orders".into(), ..fused_at("t5", 0, 15) };
    store.commit(&key("d"), &of_another).await.unwrap();
    // It has no time of its own: that of what came before.
    store.accept(&key("e"), vec![at("1", 25)]).await.unwrap();
    store.commit(&key("e"), &turn("t6", 0, 1)).await.unwrap();

    let page = async |since_ms, after, limit| {
        let found = store.bot_turns(&"lead".into(), since_ms, after, limit).await.unwrap();
        let last = found.last().map(|turn| turn.place);
        let name = |turn: crate::BotTurn| {
            format!("{} {} {}", turn.conversation.vendor_key, turn.seq, turn.turn.id)
        };
        (found.into_iter().map(name).collect::<Vec<_>>(), last)
    };
    let (first, last) = page(0, None, 3).await;
    assert_eq!(first, ["a 1 t1", "a 2 t3", "c 1 t4"]);
    assert_eq!(page(0, last, 9).await.0, ["e 2 t6", "b 1 t2"]);
    assert_eq!(page(20, None, 2).await.0, ["a 2 t3", "c 1 t4"]);
    assert_eq!(page(30, last, 9).await.0, ["b 1 t2"]);
    assert_eq!(page(31, None, 9).await.0, [""; 0]);
}

pub(super) async fn news_of_a_bot_come_as_they_were_written(store: Store) {
    let (store, lead) = (acme(&store), "lead".into());
    let none = store.bot_news(&lead, None, 9).await.unwrap();
    assert_eq!(none.0, []);
    store.commit(&key("a"), &fused_at("t1", 0, 100)).await.unwrap();
    let (nothing, began) = store.bot_news(&lead, None, 9).await.unwrap();
    assert_eq!(nothing, [], "what was there is not new");
    // Events that waited for long: their turns have a time of before.
    for vendor_key in ["b", "c", "d"] {
        store.commit(&key(vendor_key), &fused_at("t1", 0, 50)).await.unwrap();
    }
    let (mut seen, mut after) = (Vec::new(), began);
    loop {
        let (news, next) = store.bot_news(&lead, Some(after), 2).await.unwrap();
        if news.is_empty() {
            assert_eq!(store.bot_news(&lead, Some(next), 2).await, Ok((vec![], next)));
            break;
        }
        let last = news.last().unwrap().number();
        let behind = store.bot_news(&lead, Some(last), 9).await.unwrap().0;
        assert!(
            behind.iter().all(|turn| turn.number() > last),
            "whoever goes on there misses none"
        );
        seen.extend(news.into_iter().map(|turn| turn.conversation));
        after = next;
    }
    assert_eq!(seen, ["b", "c", "d"].map(key));
    assert_eq!(store.bot_news(&"other".into(), Some(began), 9).await.unwrap().0, []);
    store.erase(&key("c"), Cause::Person, &stamp(1_000)).await.unwrap();
    let left = store.bot_news(&lead, Some(began), 9).await.unwrap().0;
    assert_eq!(
        left.into_iter().map(|turn| turn.conversation).collect::<Vec<_>>(),
        [key("b"), key("d")]
    );
}
