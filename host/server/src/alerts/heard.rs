//! Whoever hears of alerts, for tests.

use std::time::Duration;

use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc};

/// An alert is there well within this.
const WITHIN: Duration = Duration::from_secs(20);
/// What was raised and did not come in this time does not come.
const SILENCE: Duration = Duration::from_millis(300);

/// A place for alerts.
pub(crate) struct Heard {
    address: std::net::SocketAddr,
    posted: Mutex<mpsc::UnboundedReceiver<Value>>,
}

impl Heard {
    pub(crate) async fn start() -> Self {
        let (sender, posted) = mpsc::unbounded_channel();
        let router = Router::new().route(
            "/alerts",
            post(move |Json(document): Json<Value>| async move { drop(sender.send(document)) }),
        );
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { address, posted: Mutex::new(posted) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://{}/alerts", self.address)
    }

    /// What is posted next.
    pub(crate) async fn next(&self) -> Value {
        let mut posted = self.posted.lock().await;
        tokio::time::timeout(WITHIN, posted.recv()).await.expect("an alert").unwrap()
    }

    /// Whether nothing more comes.
    pub(crate) async fn is_silent(&self) -> bool {
        let mut posted = self.posted.lock().await;
        tokio::time::timeout(SILENCE, posted.recv()).await.is_err()
    }
}
