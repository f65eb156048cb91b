//! The API of a vendor that takes everything and writes calls down.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::{Json, Router};
use serde_json::{Value, json};

use super::Server;
use crate::wait;

/// A running API.
#[derive(Debug)]
pub struct Vendor {
    server: Server,
    calls: Calls,
}

type Calls = Arc<Mutex<Vec<Called>>>;

/// A call that came.
#[derive(Clone, Debug)]
pub struct Called {
    /// The method.
    pub method: Method,
    /// The path with its query.
    pub path: String,
    /// The headers.
    pub headers: HeaderMap,
    /// The body; null where it is no JSON.
    pub body: Value,
}

impl Vendor {
    /// Starts it; `answer` is what every call is told, with 200.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn start(answer: Value) -> Result<Self> {
        Self::start_with(StatusCode::OK, answer)
    }

    /// Starts it; all calls are told this.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn start_with(status: StatusCode, answer: Value) -> Result<Self> {
        let calls = Calls::default();
        let state = (Arc::clone(&calls), status, answer);
        let router = Router::new().fallback(called).with_state(state);
        Ok(Self { server: Server::start(router)?, calls })
    }

    /// Its address, without a slash at the end.
    pub fn url(&self) -> String {
        format!("http://{}", self.server.address)
    }

    /// The calls so far, in order.
    pub fn calls(&self) -> Vec<Called> {
        self.calls.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many calls have come.
    ///
    /// # Errors
    ///
    /// There were fewer within the time.
    pub async fn wait(&self, least: usize, within: Duration) -> Result<Vec<Called>> {
        wait::until(&format!("{least} calls"), within, || {
            Some(self.calls()).filter(|calls| calls.len() >= least)
        })
        .await
    }
}

async fn called(
    State((calls, status, answer)): State<(Calls, StatusCode, Value)>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> (StatusCode, Json<Value>) {
    let body = serde_json::from_slice(&body).unwrap_or(json!(null));
    let path = uri.path_and_query().map(ToString::to_string).unwrap_or_default();
    let call = Called { method, path, headers, body };
    calls.lock().unwrap_or_else(PoisonError::into_inner).push(call);
    (status, Json(answer))
}
