//! What is taken at the API URL, and what goes wrong there.

use super::*;

#[tokio::test]
async fn a_call_needs_the_method_the_path_the_token_and_json() {
    let userlike = start(quick());
    let base = userlike.api_url();
    let root = base.trim_end_matches("v1/").to_owned();
    let http = userlike.account().http();
    let json = "application/json";
    let rows = [
        (200, "POST", base.clone(), Some(TOKEN), json),
        (200, "POST", root.clone(), Some(TOKEN), json),
        (404, "POST", format!("{root}v2/"), Some(TOKEN), json),
        (405, "PUT", base.clone(), Some(TOKEN), json),
        (401, "POST", base.clone(), Some("guess"), json),
        (401, "POST", base.clone(), None, json),
        (415, "POST", base, Some(TOKEN), "text/plain"),
    ];
    for (expect, method, url, token, media) in rows {
        let row = format!("{method} {url} {token:?} {media}");
        let mut request = http.request(method.parse().unwrap(), url).header("content-type", media);
        if let Some(token) = token {
            request = request.header("security-token", token);
        }
        let answer = request.body(say("x").to_string()).send().await.unwrap();
        assert_eq!(answer.status().as_u16(), expect, "{row}");
    }
    assert_eq!(userlike.account().calls().len(), 7);
    assert_eq!(userlike.account().delivered(CID).len(), 2);
}

#[tokio::test]
async fn the_twenty_first_request_of_a_conversation_waits() {
    let userlike = start(Options { says_retry_after: true, ..quick() });
    userlike.account().open("other", Contact::new());
    for n in 0..20 {
        // What breaks a rule is a request all the same.
        let body = if n < 19 { say("x") } else { event(CID, "shout", json!({})) };
        call(&userlike, &body).await;
    }
    assert_eq!(call(&userlike, &say("x")).await, (200, None), "unreadable ones name nobody");
    let (status, after) = call(&userlike, &say("x")).await;
    assert_eq!(status, 429);
    assert!(after.is_some_and(|seconds| (50..=60).contains(&seconds)), "{after:?}");
    let other = event("other", "message", json!({ "body": "x" }));
    assert_eq!(call(&userlike, &other).await.0, 200);
    // One list is one request, and a list for two needs room for both.
    assert_eq!(call(&userlike, &json!([other, other, other])).await.0, 200);
    assert_eq!(call(&userlike, &json!([other, say("x")])).await.0, 429);
    assert_eq!(userlike.account().delivered("other").len(), 4);
}

#[tokio::test]
async fn files_that_cannot_be_fetched_are_errors_and_do_nothing() {
    let userlike = start(Options { status_media: 422, ..quick() });
    userlike.account().set_fetches(|link| !link.contains("gone"));
    let file = |link: &str| event(CID, "media", json!({ "link": link }));
    assert_eq!(call(&userlike, &file("https://files.example/cat")).await.0, 200);
    let list = json!([say("x"), file("https://files.example/gone")]);
    assert_eq!(call(&userlike, &list).await.0, 422);
    assert_eq!(userlike.account().delivered(CID).len(), 1);
}

#[tokio::test]
async fn sessions_that_are_over_and_unknown_ones_take_nothing() {
    let userlike = start(quick());
    assert_eq!(call(&userlike, &event("nobody", "end", json!({}))).await.0, 404);
    assert_eq!(call(&userlike, &json!([say("x"), event(CID, "end", json!({}))])).await.0, 200);
    assert_eq!(userlike.account().state(CID), Some(State::Ended));
    assert_eq!(call(&userlike, &say("x")).await.0, 410);
    userlike.account().open("b", Contact::new());
    userlike.account().expire("b");
    assert_eq!(call(&userlike, &event("b", "end", json!({}))).await.0, 410);
    let states = userlike.account().records().into_iter().filter_map(|record| match record {
        Record::Session(change) => Some(change.state),
        Record::Call(_) | Record::Webhook(_) | Record::Seen(_) => None,
    });
    assert_eq!(states.collect::<Vec<_>>(), ["ended", "expired"]);
}

#[tokio::test]
async fn each_fault_of_a_call_does_what_it_says() {
    let rows = [
        (Fault::SlowApi, 200, None, 1),
        (Fault::Limited, 429, None, 0),
        (Fault::LimitedFor, 429, Some(7), 0),
        (Fault::Broken, 500, None, 0),
        (Fault::BrokenAfter, 500, None, 1),
        (Fault::Cut, 0, None, 0),
        (Fault::CutAfter, 0, None, 1),
        (Fault::Expire, 410, None, 0),
    ];
    for (fault, status, after, delivered) in rows {
        let mut faults = Faults::seeded(1).with(fault, 1.0);
        faults.retry_after = 7;
        faults.slow = Duration::from_millis(200);
        let userlike = start(Options { faults, ..quick() });
        let begin = Instant::now();
        assert_eq!(call(&userlike, &say("x")).await, (status, after), "{fault:?}");
        let late = begin.elapsed() >= Duration::from_millis(200);
        assert!(late || fault != Fault::SlowApi, "it was answered at once");
        assert_eq!(userlike.account().delivered(CID).len(), delivered, "{fault:?}");
        let call = userlike.account().calls().remove(0);
        assert_eq!((call.status, call.acted), (status, delivered == 1), "{fault:?}");
        assert_eq!(call.fault, Some(fault.name()));
    }
}

#[tokio::test]
async fn the_same_seed_meets_the_same_calls() {
    let play = async |seed: u64| {
        let faults = Faults::seeded(seed).with(Fault::Broken, 0.3).with(Fault::Cut, 0.3);
        let userlike = start(Options { faults, window: Duration::ZERO, ..quick() });
        let mut statuses = Vec::new();
        for _ in 0..12 {
            statuses.push(call(&userlike, &say("x")).await.0);
        }
        statuses
    };
    let first = play(5).await;
    assert_eq!(play(5).await, first);
    assert_ne!(play(6).await, first);
}

#[tokio::test]
async fn memory_is_bounded_and_watchers_see_everything() {
    let keep = Keep { records: 3, seen: 2 };
    let userlike = start(Options { keep, window: Duration::ZERO, ..quick() });
    let watched = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&watched);
    userlike.account().watch(move |record| {
        count.fetch_add(usize::from(matches!(record, Record::Call(_))), Ordering::Relaxed);
    });
    for n in 0..10 {
        assert_eq!(call(&userlike, &say(&n.to_string())).await.0, 200);
    }
    assert_eq!(watched.load(Ordering::Relaxed), 10);
    assert_eq!(userlike.account().calls().len(), 3);
    assert_eq!(texts(userlike.account(), CID), ["8", "9"]);
}
