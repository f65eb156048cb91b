//! A supervisor keeps the listening socket while one host follows another.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use botyard_tests::client::held::Held;
use botyard_tests::peers::userlike::{Packet, packets};
use botyard_tests::site::{MAIN, Setup, Site};
use serde_json::json;

use crate::puppet::begun;

const RESTARTS: usize = 3;

async fn supervised() -> Site {
    Setup::new("puppet").unwrap().supervised().start().await.unwrap()
}

#[tokio::test]
async fn a_host_takes_the_socket_of_its_supervisor_and_says_how_it_is() {
    let mut site = supervised().await;
    let address = site.supervisor().address().unwrap();
    assert_eq!(site.host().url(), format!("http://{address}"));
    assert_eq!(site.supervisor().told().await.unwrap(), "READY=1");
    assert!(site.end().await.unwrap().success());
    assert_eq!(site.supervisor().told().await.unwrap(), "STOPPING=1");
}

#[tokio::test]
async fn whoever_connects_while_no_host_runs_is_answered_by_the_next() {
    let mut site = supervised().await;
    let conversation = begun(&site).await;
    let webhook = site.webhook(MAIN);
    assert!(site.end().await.unwrap().success());
    let body = conversation.body("message", json!({ "body": "count" })).to_string();
    let held = Held::send(&webhook, body.as_bytes()).await.unwrap();
    site.follow().await.unwrap();
    let (status, answer) = held.answer().await.unwrap();
    let packets = packets(answer.as_bytes()).unwrap();
    assert_eq!((status, packets.last().and_then(Packet::text)), (200, Some("1 1")));
}

#[tokio::test]
async fn restarts_refuse_no_connection_and_lose_no_event() {
    let mut site = supervised().await;
    let stop = Arc::new(AtomicBool::new(false));
    let mut posters = Vec::new();
    for fresh in [true, false, true, false] {
        let conversation = begun(&site).await;
        let (account, webhook) = (site.account().clone(), site.webhook(MAIN));
        let stop = Arc::clone(&stop);
        posters.push(tokio::spawn(async move {
            let mut posted = 0;
            while !stop.load(Ordering::Acquire) {
                let body = conversation.body("message", json!({ "body": "count" })).to_string();
                let (status, packets) = if fresh {
                    let held = Held::send(&webhook, body.as_bytes()).await.unwrap();
                    let (status, answer) = held.answer().await.unwrap();
                    let packets = packets(answer.as_bytes()).unwrap();
                    account.take(&packets);
                    (status, packets)
                } else {
                    // Over connections that stay open.
                    let answer = conversation.post(body).await.unwrap();
                    (answer.status, answer.packets)
                };
                posted += 1;
                // Nothing is lost and nothing counts twice.
                let expected = format!("{posted} {posted}");
                let said = packets.last().and_then(Packet::text);
                assert_eq!((status, said), (200, Some(&*expected)));
            }
            posted
        }));
    }
    for _ in 0..RESTARTS {
        tokio::time::sleep(Duration::from_millis(300)).await;
        assert!(site.restart().await.unwrap().success());
    }
    tokio::time::sleep(Duration::from_millis(300)).await;
    stop.store(true, Ordering::Release);
    for poster in posters {
        assert!(poster.await.unwrap() > RESTARTS, "each poster spoke with every host");
    }
}
