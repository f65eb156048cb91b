//! A web shop whose order service takes its time.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::extract::{Path, State};
use axum::http::{HeaderMap, StatusCode};
use axum::routing::get;
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Server;

/// A running shop.
#[derive(Debug)]
pub struct Shop {
    server: Server,
    inner: Arc<Inner>,
}

/// A lookup that the shop was asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lookup {
    /// The order's number.
    pub order: String,
    /// The `idempotency-key` header.
    pub idempotency_key: Option<String>,
    /// The `authorization` header.
    pub authorization: Option<String>,
}

#[derive(Debug)]
struct Inner {
    delay: Duration,
    lookups: Mutex<Vec<Lookup>>,
}

impl Shop {
    /// Starts a shop that answers after `delay`.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub async fn start(delay: Duration) -> Result<Self> {
        let inner = Arc::new(Inner { delay, lookups: Mutex::default() });
        let router = Router::new()
            .route("/orders/{order}", get(order))
            .route("/visits", get(visits))
            .route("/catalogue", get(catalogue))
            .with_state(Arc::clone(&inner));
        Ok(Self { server: Server::start(router)?, inner })
    }

    /// The shop's address, without a slash at its end.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// Host and port, as an allow-list names them.
    pub fn authority(&self) -> String {
        self.server.address.to_string()
    }

    /// What it was asked for, in the order of arrival.
    pub fn lookups(&self) -> Vec<Lookup> {
        self.inner.lookups.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }
}

/// Order numbers are `84-11907` and the like; all others are unknown.
async fn order(
    State(shop): State<Arc<Inner>>,
    Path(order): Path<String>,
    headers: HeaderMap,
) -> (StatusCode, Json<Value>) {
    shop.note(&order, &headers);
    tokio::time::sleep(shop.delay).await;
    let known = order
        .split_once('-')
        .is_some_and(|(year, number)| year.parse::<u32>().is_ok() && number.parse::<u32>().is_ok());
    if known {
        let body = json!({ "order": order, "status": "out for delivery", "expected": "tomorrow" });
        (StatusCode::OK, Json(body))
    } else {
        (StatusCode::NOT_FOUND, Json(json!({ "error": "no such order" })))
    }
}

/// Says how many visitors there were, this one included: no two get the same answer.
async fn visits(State(shop): State<Arc<Inner>>, headers: HeaderMap) -> String {
    let visits = shop.note("visit", &headers);
    tokio::time::sleep(shop.delay).await;
    visits.to_string()
}

/// More than a bot may read: 2 MiB.
async fn catalogue() -> Vec<u8> {
    vec![b'x'; 2 << 20]
}

impl Inner {
    /// Remembers a lookup; answers how many there were.
    fn note(&self, order: &str, headers: &HeaderMap) -> usize {
        let text = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let lookup = Lookup {
            order: order.to_owned(),
            idempotency_key: text("idempotency-key"),
            authorization: text("authorization"),
        };
        let mut lookups = self.lookups.lock().unwrap_or_else(PoisonError::into_inner);
        lookups.push(lookup);
        lookups.len()
    }
}
