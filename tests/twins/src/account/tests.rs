//! What all twins have in common, with a vendor of a few lines.

use std::sync::atomic::AtomicUsize;

use http::Method;
use serde_json::{Value, json};

use super::*;
use crate::faults::Fault;
use crate::host::{self, Heard, Host, quick};

/// Takes everything, for the conversation that the path names.
#[derive(Debug)]
struct Parrot;

impl Vendor for Parrot {
    fn admit(&self, _: &Incoming, _: &Ledger) -> Result<(), Reply> {
        Ok(())
    }

    fn conversation(&self, call: &Incoming) -> Option<String> {
        Some(call.path.trim_start_matches('/').to_owned())
    }

    fn answer(&mut self, call: &Incoming, ledger: &mut Ledger) -> Reply {
        let conversation = call.path.trim_start_matches('/');
        ledger.show(conversation, "message", call.json());
        Reply::taken(200, &json!({}))
    }

    fn limited(&self, _: Option<u64>) -> Reply {
        Reply::refused(429, &Value::Null, "limited")
    }

    fn broken(&self) -> Reply {
        Reply::refused(500, &Value::Null, "broken")
    }

    fn expire(&mut self, _: &str, _: &mut Ledger) {}
}

fn twin(conduct: Conduct) -> Twin<Parrot> {
    Twin::start(Parrot, conduct, ([127, 0, 0, 1], 0).into()).unwrap()
}

async fn say(twin: &Twin<Parrot>, to: &str, text: &str) -> u16 {
    let body = json!({ "text": text }).to_string();
    host::call(twin, "POST", &format!("/{to}"), &[], body).await.0
}

fn webhook(conversation: &str) -> Outgoing {
    Outgoing {
        conversation: conversation.to_owned(),
        hook: "main".to_owned(),
        method: Method::POST,
        suffix: "?a=b".to_owned(),
        headers: vec![("x-own".to_owned(), "yes".to_owned())],
        body: b"{}".to_vec(),
    }
}

#[tokio::test]
async fn the_same_seed_meets_the_same_calls_whatever_others_do() {
    let play = async |seed: u64, disturbed: bool| {
        let faults = Faults::seeded(seed).with(Fault::Broken, 0.3).with(Fault::Cut, 0.3);
        let twin = twin(Conduct { faults, ..Conduct::default() });
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(say(&twin, "a", "x").await);
            if disturbed {
                say(&twin, "b", "x").await;
            }
        }
        statuses
    };
    let first = play(5, false).await;
    assert_eq!(play(5, true).await, first);
    assert_ne!(play(6, false).await, first);
}

#[tokio::test]
async fn memory_is_bounded_and_watchers_see_everything() {
    let keep = Keep { records: 3, seen: 2 };
    let twin = twin(Conduct { keep, ..Conduct::default() });
    let watched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&watched);
    twin.account().watch(move |_| {
        count.fetch_add(1, Ordering::Relaxed);
    });
    for n in 0..5 {
        assert_eq!(say(&twin, "a", &n.to_string()).await, 200);
    }
    assert_eq!(watched.load(Ordering::Relaxed), 10, "each call, and what came of it");
    assert_eq!(twin.account().calls().len(), 3);
    assert_eq!(twin.account().texts("a"), ["3", "4"]);
    let numbers: Vec<_> = twin.account().seen("a").iter().map(|seen| seen.number).collect();
    assert_eq!(numbers, [3, 4]);
}

#[tokio::test]
async fn a_webhook_finds_a_host_that_has_moved() {
    let host = Host::start(|_, _: &Heard| (200, String::new()));
    let twin = twin(Conduct { redeliver: vec![Duration::from_millis(20); 50], ..quick() });
    let account = twin.account();
    let (delivery, ()) = tokio::join!(account.deliver(webhook("a")), async {
        tokio::time::sleep(Duration::from_millis(30)).await;
        account.point("main", &host.url());
    });
    assert!(delivery.is_delivered() && delivery.sendings.len() > 1);
    assert!(delivery.sendings[0].reason.contains("nobody said where"));
    let heard = &host.heard()[0];
    assert!(heard.path.ends_with("?a=b"), "{}", heard.path);
    assert_eq!(heard.header("x-own"), "yes");
    let attempts: Vec<_> = account.sent().iter().map(|sent| sent.attempt).collect();
    assert_eq!(attempts, (1..=attempts.len() as u64).collect::<Vec<_>>());
}

#[tokio::test]
async fn a_closed_twin_refuses_until_it_opens() {
    let mut twin = Twin::bound(Parrot, Conduct::default(), ([127, 0, 0, 1], 0).into()).unwrap();
    assert_eq!(say(&twin, "a", "x").await, 0);
    twin.open().unwrap();
    assert_eq!(say(&twin, "a", "x").await, 200);
    twin.open().expect_err("it is open");
}

#[tokio::test]
async fn one_record_is_one_line_of_json() {
    let host = Host::start(|_, _: &Heard| (200, String::new()));
    let twin = twin(quick());
    twin.account().point("main", &host.url());
    say(&twin, "a", "x").await;
    twin.account().deliver(webhook("a")).await;
    let names: Vec<_> = twin
        .account()
        .records()
        .iter()
        .map(|record| {
            let line = serde_json::to_string(record).unwrap();
            serde_json::from_str::<Value>(&line).unwrap()["record"].clone()
        })
        .collect();
    assert_eq!(names, ["call", "webhook"]);
}
