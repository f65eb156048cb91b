//! A host made of a few lines, and a caller, for the tests of the twins.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use bytes::Bytes;
use http::{HeaderMap, Method, Request, Response};
use http_body_util::{BodyExt as _, Full};
use hyper::body::Incoming;
use serde_json::Value;

use crate::account::{Conduct, Twin, Vendor};
use crate::listener::Listener;

/// A webhook as it came.
#[derive(Clone, Debug)]
pub(crate) struct Heard {
    pub(crate) method: Method,
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Heard {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers[name].to_str().unwrap()
    }
}

/// Answers every webhook with what a function makes of it.
pub(crate) struct Host {
    listener: Listener,
    heard: Arc<Mutex<Vec<Heard>>>,
}

impl Host {
    pub(crate) fn start(
        answer: impl Fn(usize, &Heard) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        Self::late(Duration::ZERO, answer)
    }

    /// Its answers take a while.
    pub(crate) fn late(
        pause: Duration,
        answer: impl Fn(usize, &Heard) -> (u16, String) + Send + Sync + 'static,
    ) -> Self {
        let mut listener = Listener::bind(([127, 0, 0, 1], 0).into()).unwrap();
        let heard = Arc::new(Mutex::new(Vec::new()));
        let state = Arc::new((answer, Arc::clone(&heard)));
        listener
            .open(move |request: Request<Incoming>| {
                let state = Arc::clone(&state);
                async move {
                    let (head, body) = request.into_parts();
                    let body = body.collect().await.map_err(std::io::Error::other)?.to_bytes();
                    let (method, path) = (head.method, head.uri.to_string());
                    let webhook = Heard { method, path, headers: head.headers, body };
                    let number = {
                        let mut heard = state.1.lock().unwrap();
                        heard.push(webhook.clone());
                        heard.len()
                    };
                    tokio::time::sleep(pause).await;
                    let (status, body) = state.0(number, &webhook);
                    Ok(Response::builder().status(status).body(Full::from(body)).unwrap())
                }
            })
            .unwrap();
        Self { listener, heard }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/webhooks/bot", self.listener.address())
    }

    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.lock().unwrap().clone()
    }

    /// Waits until so many webhooks came.
    pub(crate) async fn wait(&self, count: usize) -> Vec<Heard> {
        crate::wait::until("webhooks", Duration::from_secs(10), || {
            let heard = self.heard();
            (heard.len() >= count).then_some(heard)
        })
        .await
        .unwrap()
    }
}

/// Nothing goes wrong, and what failed comes again at once.
pub(crate) fn quick() -> Conduct {
    Conduct { redeliver: vec![Duration::from_millis(10); 5], ..Conduct::default() }
}

/// A call as a host makes it: its status and its body; 0 for no answer.
pub(crate) async fn call<V: Vendor>(
    twin: &Twin<V>,
    method: &str,
    path: &str,
    headers: &[(&str, &str)],
    body: impl Into<reqwest::Body>,
) -> (u16, Value) {
    let url = format!("{}{path}", twin.url());
    let mut request = twin.account().http().request(method.parse().unwrap(), url).body(body);
    for (name, value) in headers {
        request = request.header(*name, *value);
    }
    match request.send().await {
        Ok(answer) => {
            let status = answer.status().as_u16();
            let text = answer.text().await.unwrap();
            let body = serde_json::from_str(&text).unwrap_or(Value::String(text));
            (status, body)
        }
        Err(_) => (0, Value::Null),
    }
}
