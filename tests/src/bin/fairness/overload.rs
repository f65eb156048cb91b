//! Three times as many webhooks as the host can do.

use std::time::Duration;

use anyhow::Result;
use botyard_tests::load::{Offer, ms};
use serde_json::json;

use crate::stage::{Scene, Stage};

const GOODPUT_AIM: f64 = 0.9;
const RSS_AIM_MIB: u64 = 512;

pub(crate) async fn measure(time: Duration) -> Result<bool> {
    let stage = Stage::set().await?;
    let scene = stage.open(json!({})).await?;
    let offer = |conversations, rate| Offer {
        target: Scene::target("main", "flood"),
        text: "count".to_owned(),
        conversations,
        rate,
        time,
    };
    println!("\nOverload: as fast as the host takes them, then three times as fast\n");
    println!("| offered | taken a second | refused a second | p50 | p99 | RSS |");
    println!("|---|---|---|---|---|---|");
    let (mut peak, mut reached) = (0.0_f64, true);
    for conversations in [8, 32, 64, 128] {
        let outcome = offer(conversations, 0.0).saturate(&scene.connections).await;
        peak = peak.max(outcome.goodput());
        reached &= outcome.wrong.is_none();
        print(&format!("{conversations} at a time"), &outcome, &scene)?;
    }
    let mut goodputs = Vec::new();
    for _ in 0..3 {
        let outcome = offer(5_000, 3.0 * peak).send(&scene.connections).await;
        if let Some(wrong) = &outcome.wrong {
            println!("neither taken nor refused as it should be: {wrong}");
            reached = false;
        }
        print(&format!("{:.0} a second", 3.0 * peak), &outcome, &scene)?;
        goodputs.push(outcome.goodput() / peak);
    }
    let share = botyard_tests::load::median(&goodputs);
    let rss = rss_mib(&scene)?;
    reached &= share >= GOODPUT_AIM && rss <= RSS_AIM_MIB;
    let verdict = if reached { "reached" } else { "NOT reached" };
    println!(
        "\ngoodput at three times the peak: {share:.2} of {peak:.0} a second; aim: at least \
         {GOODPUT_AIM:.2}, every refusal with Retry-After, at most {RSS_AIM_MIB} MiB: {verdict}"
    );
    Ok(reached)
}

fn print(offered: &str, outcome: &botyard_tests::load::Outcome, scene: &Scene) -> Result<()> {
    let (p50, p99) = (outcome.taken.quantile(0.5), outcome.taken.quantile(0.99));
    let (goodput, rss) = (outcome.goodput(), rss_mib(scene)?);
    let refused = outcome.refused as f64 / outcome.time.as_secs_f64();
    println!("| {offered} | {goodput:.0} | {refused:.0} | {} | {} | {rss} MiB |", ms(p50), ms(p99));
    Ok(())
}

/// The most memory that the host has had so far.
fn rss_mib(scene: &Scene) -> Result<u64> {
    Ok(scene.host.memory("VmHWM")? >> 20)
}
