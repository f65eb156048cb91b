//! One conversation that does not get on, with 10,000 events of its own waiting.

use std::time::Duration;

use anyhow::{Result, ensure};
use botyard_tests::client::metrics::Metrics;
use botyard_tests::load::{Offer, Pairs};
use botyard_tests::wait;
use clap::ValueEnum;
use serde_json::json;

use crate::stage::{Half, Scene, Stage};

const EVENTS: usize = 10_000;
/// So many a second are put into its queue before anything is measured.
const RATE: f64 = 1_000.0;
const AIM: f64 = 1.1;
/// Of what is waiting, the host tells once a second.
const WITHIN: Duration = Duration::from_secs(5);

/// What keeps the conversation busy.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum By {
    /// Its bot computes until its budget is used up.
    Work,
    /// Its bot calls a service that never answers.
    Call,
}

pub(crate) async fn measure(pairs: usize, half: Half, by: By) -> Result<bool> {
    let stage = Stage::set().await?;
    let (what, text) = match by {
        By::Work => ("computes until its budget is used up", "spin".to_owned()),
        By::Call => (
            "waits for a service that never answers",
            format!("http get http://{}/never", stage.silent),
        ),
    };
    let mut table = Pairs::new(format!(
        "A conversation of the same tenant {what}, with {EVENTS} events of its own waiting"
    ));
    // The answer of a webhook does not wait for the turns before its own.
    let soon = json!({ "timing": { "answer-by-ms": 0 } });
    let more =
        json!({ "tenants": { "demo": { "channels": { "main-bad": { "dialect": soon } } } } });
    for _ in 0..pairs {
        let alone = stage.open(more.clone()).await?;
        let without = alone.people(half).await?;
        alone.host.stop().await?;
        let beside = stage.open(more.clone()).await?;
        fill(&beside, &text).await?;
        let with = beside.people(half).await?;
        beside.host.kill()?;
        table.add(without, with);
    }
    Ok(table.print(AIM))
}

/// Puts the events into the queue; those that were refused are sent again.
async fn fill(scene: &Scene, text: &str) -> Result<()> {
    let mut missing = EVENTS;
    while missing > 0 {
        let queue = Offer {
            target: Scene::target("main-bad", "stuck"),
            text: text.to_owned(),
            conversations: 1,
            rate: RATE,
            time: Duration::from_secs_f64(missing as f64 / RATE),
        };
        let queued = queue.send(&scene.connections).await;
        ensure!(queued.wrong.is_none(), "the queue could not be filled: {:?}", queued.wrong);
        missing = missing.saturating_sub(queued.taken.count());
    }
    let url = format!("{}/metrics", scene.host.url());
    wait::until_asked("a full queue", WITHIN, async || {
        let waiting = Metrics::read(&url).await?.sum("botyard_backlog_events", &[]);
        Ok((waiting >= 0.99 * EVENTS as f64).then_some(()))
    })
    .await
}
