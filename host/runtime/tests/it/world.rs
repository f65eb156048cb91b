//! What a bot sees of the world.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_kernel::run::{KvChange, KvScope, KvWrite};
use botyard_kernel::session::Seed;

use crate::host::{Host, NOW_MS, Values, input, text};

#[tokio::test]
async fn every_event_gets_a_fresh_instance() {
    let host = Host::start();
    for _ in 0..3 {
        assert_eq!(text(&host.hostile("static").await), "1");
    }
}

#[tokio::test]
async fn the_session_reaches_the_bot() {
    assert_eq!(text(&Host::start().hostile("session").await), "shop 3 11");
}

#[tokio::test]
async fn both_clocks_stand_at_now_and_jump_when_the_bot_waits() {
    let start = std::time::Instant::now();
    let output = Host::start().hostile("clocks 3600000").await;
    assert_eq!(text(&output), format!("{NOW_MS} 0 3600000 3600000"));
    assert!(start.elapsed().as_secs() < 600, "an hour was waited for");
}

#[tokio::test]
async fn chance_is_the_seeds() {
    let host = Host::start();
    let first = host.hostile("random").await;
    assert_eq!(text(&first), text(&host.hostile("random").await));
    let version = host.load("hostile").await;
    let mut other = input("random");
    other.session.seed = Seed([11, 22, 33, 45]);
    let second = host.run(&version, other, Arc::new(Values::default())).await;
    assert_ne!(text(&first), text(&second));
}

#[tokio::test]
async fn files_sockets_and_environment_are_closed() {
    let host = Host::start();
    assert_eq!(text(&host.hostile("files").await), "denied denied");
    let listener = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    let sockets = host.hostile(&format!("sockets {address}")).await;
    assert_eq!(text(&sockets), "denied denied denied");
    assert_eq!(text(&host.hostile("sockets localhost:80").await), "denied denied denied");
    assert_eq!(text(&host.hostile("environment").await), "0 0");
}

#[tokio::test]
async fn the_configuration_is_readable() {
    let host = Host::start();
    let version = host.load("hostile").await;
    let mut input = input("config");
    let settings = [("greeting", "hello"), ("colour", "red")];
    input.config = settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into();
    let output = host.run(&version, input, Arc::new(Values::default())).await;
    assert_eq!(text(&output), "Some(\"hello\") colour=red,greeting=hello");
}

#[tokio::test]
async fn values_are_read_written_and_staged_in_order() {
    let host = Host::start();
    let version = host.load("hostile").await;
    let mut input = input(
        "kv conversation.get name; conversation.set name Bo; conversation.get name; \
         conversation.add visits 2; bot.get total; bot.add total 5; bot.get total; \
         bot.delete total; bot.get total; conversation.delete name; conversation.get name",
    );
    input.conversation_kv = BTreeMap::from([("name".to_owned(), "Al".to_owned())]);
    let values = Values(BTreeMap::from([("total".to_owned(), "37".to_owned())]));
    let output = host.run(&version, input, Arc::new(values)).await;
    assert_eq!(
        text(&output),
        "Ok(Some(\"Al\")) Ok(()) Ok(Some(\"Bo\")) Ok(2) Ok(Some(\"37\")) Ok(42) \
         Ok(Some(\"42\")) Ok(()) Ok(None) Ok(()) Ok(None)"
    );
    let write = |scope, key: &str, change| KvWrite { scope, key: key.to_owned(), change };
    assert_eq!(
        output.writes,
        [
            write(KvScope::Conversation, "name", KvChange::Set("Bo".to_owned())),
            write(KvScope::Conversation, "visits", KvChange::Add(2)),
            write(KvScope::Bot, "total", KvChange::Add(5)),
            write(KvScope::Bot, "total", KvChange::Delete),
            write(KvScope::Conversation, "name", KvChange::Delete),
        ]
    );
}

#[tokio::test]
async fn rules_of_values_are_enforced() {
    let host = Host::start();
    let output = host
        .hostile(
            "kv conversation.set  x; conversation.longkey k x; conversation.fill a 65537; \
             conversation.fill a 40000; conversation.fill b 30000; conversation.fill b 20000; \
             bot.fill c 65536; conversation.set n many; conversation.add n 1; \
             bot.set m 9223372036854775807; bot.add m 1",
        )
        .await;
    assert_eq!(
        text(&output),
        "Err(Error::InvalidKey) Err(Error::InvalidKey) Err(Error::ValueTooLarge) \
         Ok(()) Err(Error::QuotaExceeded) Ok(()) \
         Ok(()) Ok(()) Err(Error::NotANumber) \
         Ok(()) Err(Error::NotANumber)"
    );
}

#[tokio::test]
async fn one_turn_cannot_write_without_end() {
    let steps = ["bot.fill k 65536"; 5].join("; ");
    let output = Host::start().hostile(&format!("kv {steps}")).await;
    assert!(text(&output).contains("256 KiB"), "{}", text(&output));
    assert_eq!(output.writes.len(), 3);
}

#[tokio::test]
async fn writes_of_a_failed_turn_are_void() {
    let host = Host::start();
    let output = host.hostile("kv conversation.set a b; conversation.set c d").await;
    assert_eq!(output.writes.len(), 2);
    assert!(host.hostile("spin").await.writes.is_empty());
}
