//! Whoever hears of alerts: takes JSON documents, refuses the first one.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use anyhow::Result;
use axum::extract::State;
use axum::http::StatusCode;
use axum::routing::post;
use axum::{Json, Router};
use serde_json::Value;

use super::Server;
use crate::wait;

/// A running pager.
#[derive(Debug)]
pub struct Pager {
    server: Server,
    posted: Arc<Mutex<Vec<Value>>>,
}

impl Pager {
    /// Starts a pager.
    ///
    /// # Errors
    ///
    /// No port is free.
    pub fn start() -> Result<Self> {
        let posted = Arc::default();
        let router = Router::new().route("/alerts", post(alert)).with_state(Arc::clone(&posted));
        Ok(Self { server: Server::start(router)?, posted })
    }

    /// Where alerts are to be posted.
    pub fn url(&self) -> String {
        format!("http://{}/alerts", self.server.address)
    }

    /// What was posted so far, in order; the first document comes twice, because
    /// it was refused once.
    pub fn posted(&self) -> Vec<Value> {
        self.posted.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Waits until so many documents were posted.
    ///
    /// # Errors
    ///
    /// There were fewer within the time.
    pub async fn wait_posted(&self, least: usize, within: Duration) -> Result<Vec<Value>> {
        wait::until(&format!("{least} alerts"), within, || {
            Some(self.posted()).filter(|posted| posted.len() >= least)
        })
        .await
    }
}

async fn alert(
    State(posted): State<Arc<Mutex<Vec<Value>>>>,
    Json(document): Json<Value>,
) -> StatusCode {
    let mut posted = posted.lock().unwrap_or_else(PoisonError::into_inner);
    posted.push(document);
    if posted.len() == 1 { StatusCode::SERVICE_UNAVAILABLE } else { StatusCode::NO_CONTENT }
}
