//! A bot of another tenant that burns its whole CPU budget on every event.

use std::time::Duration;

use anyhow::{Result, ensure};
use botyard_tests::load::{Offer, Outcome, Pairs};
use serde_json::json;

use crate::stage::{Half, Scene, Stage};

/// Events a second: each takes 50 ms, so that two processors can do 40.
const RATE: f64 = 120.0;
const AIM: f64 = 2.0;

pub(crate) async fn measure(pairs: usize, half: Half) -> Result<bool> {
    let stage = Stage::set().await?;
    let mut table = Pairs::new(format!(
        "A bot of another tenant burns 50 ms of CPU time on each of {RATE} events a second"
    ));
    for _ in 0..pairs {
        let alone = stage.open(json!({})).await?;
        let without = alone.people(half).await?;
        alone.host.stop().await?;
        let beside = stage.open(json!({})).await?;
        let (with, burner) = tokio::join!(beside.people(half), burn(&beside, half.time));
        let with = with?;
        ensure!(burner.wrong.is_none(), "an event of the burner got lost: {:?}", burner.wrong);
        beside.host.kill()?;
        table.add(without, with);
    }
    Ok(table.print(AIM))
}

async fn burn(scene: &Scene, time: Duration) -> Outcome {
    let offer = Offer {
        target: Scene::target("other-bad", "burner"),
        text: "spin".to_owned(),
        conversations: 200,
        rate: RATE,
        time: time + Duration::from_secs(1),
    };
    offer.send(&scene.connections).await
}
