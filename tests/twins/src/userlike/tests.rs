//! The whole twin on this machine's own address, with a bot made of a few lines.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};

use bytes::Bytes;
use http::{Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::{Value, json};

use super::*;

const CID: &str = "chatbot::612:00000000000000000000000000000001";
const TOKEN: &str = "secret";

fn event(cid: &str, name: &str, payload: Value) -> Value {
    json!({ "info": { "cid": cid }, "packet": { "name": name, "payload": payload } })
}

fn say(text: &str) -> Value {
    event(CID, "message", json!({ "body": text }))
}

fn quick() -> Options {
    Options { redeliver: vec![Duration::from_millis(20); 20], ..Options::new(TOKEN) }
}

fn start(options: Options) -> Userlike {
    let userlike = Userlike::with(options, ([127, 0, 0, 1], 0).into()).unwrap();
    userlike.account().open(CID, Contact::new());
    userlike
}

/// A call as a host would make it: the status and `Retry-After`; 0 for no answer.
async fn call(userlike: &Userlike, body: &Value) -> (u16, Option<u64>) {
    let request = client().unwrap().post(userlike.api_url()).header("SECURITY-TOKEN", TOKEN);
    let request = request.header("content-type", "application/json; charset=utf-8");
    match request.body(body.to_string()).send().await {
        Ok(answer) => {
            let after = answer.headers().get("retry-after");
            let after = after.and_then(|value| value.to_str().ok()?.parse().ok());
            (answer.status().as_u16(), after)
        }
        Err(_) => (0, None),
    }
}

fn texts(account: &Account, cid: &str) -> Vec<String> {
    let seen = account.seen(cid);
    seen.iter().filter_map(|seen| seen.packet.text().map(str::to_owned)).collect()
}

/// A bot at an address of its own: each webhook is answered with what `answer`
/// makes of it.
struct Bot {
    webhook: Webhook,
    heard: Arc<AtomicUsize>,
    task: JoinHandle<()>,
}

impl Bot {
    async fn start(answer: impl Fn(usize, Value) -> (u16, String) + Send + Sync + 'static) -> Self {
        Self::late(Duration::ZERO, answer).await
    }

    /// Its first answer takes a while.
    async fn late(
        pause: Duration,
        answer: impl Fn(usize, Value) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/webhooks/bot", listener.local_addr().unwrap());
        let heard = Arc::new(AtomicUsize::new(0));
        let state = Arc::new((answer, Arc::clone(&heard)));
        let task = tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let state = Arc::clone(&state);
                let service = service_fn(move |request: Request<Incoming>| {
                    let state = Arc::clone(&state);
                    async move {
                        assert_eq!(request.headers()["api-security-token"], "hook");
                        assert_eq!(request.headers()["content-type"], "application/json");
                        let body = request.into_body().collect().await?.to_bytes();
                        let number = state.1.fetch_add(1, Ordering::Relaxed) + 1;
                        if number == 1 {
                            tokio::time::sleep(pause).await;
                        }
                        let body = serde_json::from_slice(&body).unwrap();
                        let (status, body) = state.0(number, body);
                        let answer = Response::builder().status(status);
                        let answer = answer.body(Full::new(Bytes::from(body))).unwrap();
                        Ok::<_, hyper::Error>(answer)
                    }
                });
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        let header = Some(("API-SECURITY-TOKEN".to_owned(), "hook".to_owned()));
        Self { webhook: Webhook { url, header }, heard, task }
    }

    /// A bot that says back what it hears.
    async fn echo() -> Self {
        Self::start(|_, webhook| (200, echo(&webhook))).await
    }

    fn heard(&self) -> usize {
        self.heard.load(Ordering::Relaxed)
    }
}

impl Drop for Bot {
    fn drop(&mut self) {
        self.task.abort();
    }
}

fn echo(webhook: &Value) -> String {
    let cid = webhook["info"]["cid"].as_str().unwrap();
    let payload = &webhook["packet"]["payload"];
    let text = payload["body"].as_str().map_or_else(|| payload.to_string(), str::to_owned);
    let said = format!("{} {text}", webhook["packet"]["name"].as_str().unwrap());
    json!([event(cid, "message", json!({ "body": said }))]).to_string()
}

fn open(userlike: &Userlike, bot: &Bot) -> Conversation {
    Conversation::open(userlike.account(), &bot.webhook, Contact::new()).unwrap()
}

#[tokio::test]
async fn a_call_needs_the_method_the_path_the_token_and_json() {
    let userlike = start(quick());
    let base = userlike.api_url();
    let root = base.trim_end_matches("v1/").to_owned();
    let http = client().unwrap();
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
async fn a_webhook_shows_the_contact_and_the_last_context_that_was_not_empty() {
    let userlike = start(quick());
    let bot = Bot::echo().await;
    let conversation = open(&userlike, &bot);
    let mut update = event(&conversation.cid, "contact_update", json!({ "name": "Mara" }));
    update["info"]["context"] = json!({ "state": "name" });
    let mut message = event(&conversation.cid, "message", json!({ "body": "Hello Mara" }));
    message["info"]["context"] = json!({});
    // A single event is taken like a list of one.
    assert_eq!(call(&userlike, &update).await.0, 200);
    assert_eq!(call(&userlike, &json!([message])).await.0, 200);
    let body = conversation.body("message", json!({ "body": "yes" }));
    assert_eq!(body["info"]["cid"], json!(conversation.cid));
    assert_eq!(body["info"]["context"], json!({ "state": "name" }));
    assert_eq!(body["info"]["contact"]["name"], "Mara");
    assert_eq!(body["info"]["conversation"]["contact_channel"]["type"], "web");
    assert_eq!(body["packet"], json!({ "name": "message", "payload": { "body": "yes" } }));
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
async fn a_webhook_comes_again_until_it_is_answered() {
    let bot = Bot::start(|number, webhook| match number {
        1 => (503, String::new()),
        2 => (202, String::new()),
        _ => (200, echo(&webhook)),
    })
    .await;
    let userlike = start(quick());
    let conversation = open(&userlike, &bot);
    let delivery = conversation.deliver(Step::message("hello")).await;
    let statuses: Vec<_> = delivery.sendings.iter().map(|sent| sent.status).collect();
    assert_eq!(statuses, [Some(503), Some(202), Some(200)], "200 alone is success");
    assert_eq!(delivery.texts(), ["message hello"]);
    let bodies: std::collections::BTreeSet<_> =
        delivery.sendings.iter().map(|sent| &sent.body).collect();
    assert_eq!(bodies.len(), 1, "the same bytes");
    assert_eq!(texts(userlike.account(), &conversation.cid), ["message hello"]);

    let none = Options { redeliver: Vec::new(), ..quick() };
    let bot = Bot::start(|_, _| (500, String::new())).await;
    let userlike = start(none);
    let delivery = open(&userlike, &bot).deliver(Step::message("hello")).await;
    assert!(!delivery.is_answered());
    assert_eq!((bot.heard(), delivery.reason()), (1, "answered 500, not 200"));
}

#[tokio::test]
async fn each_fault_of_a_webhook_does_what_it_says() {
    // (fault, sendings until it is answered, answers that were taken)
    let rows = [(Fault::SlowRead, 1, 1), (Fault::Tear, 3, 0), (Fault::Duplicate, 2, 2)];
    for (fault, sendings, taken) in rows {
        let bot = Bot::echo().await;
        let options = Options { redeliver: vec![Duration::from_millis(5); 2], ..quick() };
        let userlike = start(options);
        userlike.account().set_faults(Faults::seeded(1).with(fault, 1.0));
        let conversation = open(&userlike, &bot);
        let delivery = conversation.deliver(Step::message("hello")).await;
        assert_eq!(delivery.sendings.len(), sendings, "{fault:?}");
        assert_eq!(bot.heard(), sendings, "{fault:?}");
        assert_eq!(texts(userlike.account(), &conversation.cid).len(), taken, "{fault:?}");
        assert_eq!(delivery.is_answered(), taken > 0, "{fault:?}");
    }
}

#[tokio::test]
async fn who_leaves_was_not_answered_and_comes_again() {
    let bot = Bot::late(Duration::from_secs(1), |_, webhook| (200, echo(&webhook))).await;
    let userlike = start(quick());
    let mut faults = Faults::seeded(1).with(Fault::Leave, 1.0);
    faults.patience = Duration::from_millis(1);
    userlike.account().set_faults(faults);
    let conversation = open(&userlike, &bot);
    let play = conversation.deliver(Step::message("hello"));
    let (delivery, ()) = tokio::join!(play, async {
        tokio::time::sleep(Duration::from_millis(10)).await;
        userlike.account().set_faults(Faults::none());
    });
    assert!(delivery.sendings.len() > 1);
    assert_eq!(delivery.sendings[0].reason, "left before the answer");
    assert_eq!(texts(userlike.account(), &conversation.cid), ["message hello"]);
}

#[tokio::test]
async fn pairs_change_places() {
    let bot = Bot::echo().await;
    let userlike = start(quick());
    userlike.account().set_faults(Faults::seeded(1).with(Fault::Reorder, 1.0));
    let conversation = open(&userlike, &bot);
    conversation.play(["a", "b", "c", "d", "e"].map(Step::message)).await;
    let expected = ["b", "a", "d", "c", "e"].map(|text| format!("message {text}"));
    assert_eq!(texts(userlike.account(), &conversation.cid), expected);
}

#[tokio::test]
async fn a_refused_answer_is_taken_in_no_part() {
    let rows =
        [(json!([say("for another")]), "an answer for"), (json!({ "own": "text" }), "info.cid")];
    for (answer, words) in rows {
        let bot = Bot::start(move |_, _| (200, answer.to_string())).await;
        let userlike = start(quick());
        let conversation = open(&userlike, &bot);
        let error = conversation.message("hello").await.unwrap_err().to_string();
        assert!(error.contains(words), "{error}");
        assert_eq!(texts(userlike.account(), &conversation.cid), [""; 0]);
        assert_eq!(texts(userlike.account(), CID), [""; 0]);
    }
}

#[tokio::test]
async fn a_failed_hand_off_is_told_where_the_bot_asked_for_it() {
    let rows = [
        ("forward_any", json!({ "on_failure": "feedback" }), true),
        ("forward_group", json!({ "group_id": 1, "on_failure": "feedback" }), true),
        ("forward_any", json!({}), false),
        ("forward_skills", json!({ "skills": [1], "on_failure": "feedback" }), false),
    ];
    for (name, payload, told) in rows {
        let bot = Bot::echo().await;
        let userlike = start(Options { operators: Operators::Away, ..quick() });
        let conversation = open(&userlike, &bot);
        assert_eq!(call(&userlike, &event(&conversation.cid, name, payload)).await.0, 200);
        let account = userlike.account();
        if told {
            crate::wait::until("forward_failed", Duration::from_secs(10), || {
                (texts(account, &conversation.cid) == ["forward_failed {}"]).then_some(())
            })
            .await
            .unwrap();
            assert_eq!(account.state(&conversation.cid), Some(State::Open));
        } else {
            assert_eq!(account.state(&conversation.cid), Some(State::Unassigned), "{name}");
            assert_eq!(bot.heard(), 0, "{name}");
        }
    }
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
