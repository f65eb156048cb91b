//! Somebody who does no harm, alone and beside the attack, in turn on the same host.

use std::time::Duration;

use anyhow::{Result, ensure};
use botyard_tests::client::metrics::Metrics;
use botyard_tests::load::{Offer, Outcome, Pairs};
use botyard_tests::wait;

use crate::attack::Attack;
use crate::stage::{Stage, VICTIM};

/// How much worse the victim's p99 may be.
const AIM: f64 = 2.0;
/// How much more memory of its own the host may have after the last attack than after the
/// one in the middle, in bytes.
const GROWN_MAX: u64 = 8 << 20;
/// The share of an attack that must be taken for it to be one.
const TAKEN_MIN: f64 = 0.5;
const QUIET_WITHIN: Duration = Duration::from_secs(60);

/// One half of a pair.
#[derive(Clone, Copy)]
pub(crate) struct Half {
    pub(crate) rate: f64,
    pub(crate) attack_rate: f64,
    pub(crate) time: Duration,
}

/// Measures and answers whether nobody was harmed and all memory came back.
pub(crate) async fn measure(
    stage: &Stage,
    pairs: usize,
    half: Half,
    only: &[String],
) -> Result<bool> {
    let attack = Attack::prepare(stage, only).await?;
    let mut table = Pairs::new(format!(
        "Bots of three other tenants break a rule {} times a second, and a fourth uploads \
         what must be refused, without a pause",
        half.attack_rate
    ));
    // Twice before anything counts: pools are filled, code is mapped.
    for _ in 0..2 {
        attack.run(half.attack_rate, half.time).await?;
        quiet(stage, &attack).await?;
    }
    let mut memory = vec![stage.host.memory("RssAnon")?];
    let (mut taken, mut refused, mut uploads) = (0, 0, 0);
    for _ in 0..pairs {
        let without = people(stage, half).await?;
        let longer = half.time + Duration::from_secs(1);
        let attacked = attack.run(half.attack_rate, longer);
        let (with, done) = tokio::join!(people(stage, half), attacked);
        let done = done?;
        let offered = half.attack_rate * longer.as_secs_f64();
        let least = (offered * TAKEN_MIN) as usize;
        ensure!(done.taken >= least, "only {} of {offered:.0} attacks were taken", done.taken);
        taken += done.taken;
        refused += done.refused;
        uploads += done.uploads;
        table.add(without, with?);
        quiet(stage, &attack).await?;
        memory.push(stage.host.memory("RssAnon")?);
    }
    let url = format!("{}/metrics", stage.host.url());
    let tripped = Metrics::read(&url).await?.sum("botyard_breaker_trips_total", &["what=\"bot\""]);
    ensure!(tripped == 0.0, "{tripped} bots were suspended, and did no harm any more");
    let unharmed = table.print(AIM);
    println!(
        "\nthe attacks: {taken} events taken and {refused} refused, {uploads} uploads refused"
    );
    Ok(unharmed & returned(&memory))
}

/// What people experience: 100 conversations, a short turn each time. The first second is
/// not counted.
async fn people(stage: &Stage, half: Half) -> Result<Outcome> {
    let offer = |time| Offer {
        target: Stage::target(VICTIM, "people"),
        text: "count".to_owned(),
        conversations: 100,
        rate: half.rate,
        time,
    };
    offer(Duration::from_secs(1)).send(&stage.connections).await;
    let outcome = offer(half.time).send(&stage.connections).await;
    ensure!(outcome.refused == 0, "{} of the victim's webhooks were refused", outcome.refused);
    ensure!(outcome.wrong.is_none(), "a webhook of the victim went wrong: {:?}", outcome.wrong);
    Ok(outcome)
}

/// Waits until nothing of an attack is left to do.
async fn quiet(stage: &Stage, attack: &Attack<'_>) -> Result<()> {
    let url = format!("{}/metrics", stage.host.url());
    wait::until_asked("the end of an attack", QUIET_WITHIN, async || {
        let waiting = Metrics::read(&url).await?.sum("botyard_backlog_events", &[]);
        Ok((waiting == 0.0).then_some(()))
    })
    .await?;
    tokio::time::timeout(QUIET_WITHIN, attack.ended()).await??;
    // What waits is told once a second.
    tokio::time::sleep(Duration::from_secs(2)).await;
    Ok(())
}

/// Until all slots of the pool were used once there is more with each attack; from the
/// middle on there must not be.
fn returned(memory: &[u64]) -> bool {
    let mebibytes: Vec<_> = memory.iter().map(|bytes| (bytes >> 20).to_string()).collect();
    let middle = memory.get(memory.len() / 2).copied().unwrap_or(0);
    let grown = memory.last().map_or(0, |last| last.saturating_sub(middle));
    let reached = grown <= GROWN_MAX;
    let verdict = if reached { "reached" } else { "NOT reached" };
    println!(
        "memory of the host's own after each attack: {} MiB; aim: at most {} more at the \
         end than in the middle: {verdict}",
        mebibytes.join(", "),
        GROWN_MAX >> 20,
    );
    reached
}
