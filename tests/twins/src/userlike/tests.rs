//! The whole twin on this machine's own address, with a bot made of a few lines.

mod calls;
mod webhooks;

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
    let http = userlike.account().http();
    let request = http.post(userlike.api_url()).header("SECURITY-TOKEN", TOKEN);
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
