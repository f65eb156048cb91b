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
/// How much more memory of its own it may have then than before any bot of a stranger ran:
/// what the slots of the pool keep, and the engine's own books.
const KEPT_MAX: u64 = 160 << 20;
/// The share of an attack that must be taken for it to be one.
const TAKEN_MIN: f64 = 0.5;
/// So many attacks beside people come before anything counts: the slots of the pool are
/// filled one after the other, and code is mapped.
const FILLING: u32 = 12;
const QUIET_WITHIN: Duration = Duration::from_secs(60);

/// One half of a pair.
#[derive(Clone, Copy)]
pub(crate) struct Half {
    pub(crate) rate: f64,
    pub(crate) attack_rate: f64,
    pub(crate) time: Duration,
}

/// What came of the pairs.
pub(crate) struct Seen {
    /// The median of the p99's ratios is within the aim.
    pub(crate) unharmed: bool,
    /// Of the host's own after each attack, in bytes.
    pub(crate) memory: Vec<u64>,
}

/// Measures pairs of halves.
pub(crate) async fn measure(
    stage: &Stage,
    attack: &Attack<'_>,
    pairs: u32,
    half: Half,
) -> Result<Seen> {
    let mut table = Pairs::new(format!(
        "{} times a second bots of three other tenants are spoken to, and break a rule every \
         other time; a fourth uploads what must be refused, without a pause",
        half.attack_rate
    ));
    for _ in 0..FILLING {
        let attacked = attack.run(half.attack_rate, half.time);
        let (people, attacked) = tokio::join!(people(stage, half), attacked);
        people?;
        attacked?;
        quiet(stage, attack).await?;
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
        quiet(stage, attack).await?;
        memory.push(stage.host.memory("RssAnon")?);
    }
    let url = format!("{}/metrics", stage.host.url());
    let tripped = Metrics::read(&url).await?.sum("botyard_breaker_trips_total", &["what=\"bot\""]);
    ensure!(tripped == 0.0, "{tripped} bots were suspended, and did no harm any more");
    let unharmed = table.print(AIM);
    println!(
        "\nthe attacks: {taken} events taken and {refused} refused, {uploads} uploads refused"
    );
    Ok(Seen { unharmed, memory })
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

/// Whether memory came back. Until all slots of the pool were used once there is more with
/// each attack; from the middle on there must not be.
pub(crate) fn returned(at_rest: u64, memory: &[u64]) -> bool {
    let mebibytes: Vec<_> = memory.iter().map(|bytes| (bytes >> 20).to_string()).collect();
    let middle = memory.get(memory.len() / 2).copied().unwrap_or(0);
    let last = memory.last().copied().unwrap_or(0);
    let (grown, kept) = (last.saturating_sub(middle), last.saturating_sub(at_rest));
    let reached = grown <= GROWN_MAX && kept <= KEPT_MAX;
    let verdict = if reached { "reached" } else { "NOT reached" };
    println!(
        "memory of the host's own: {} MiB at rest, then after each attack {} MiB; aim: at most \
         {} more at the end than in the middle, and {} more than at rest: {verdict}",
        at_rest >> 20,
        mebibytes.join(", "),
        GROWN_MAX >> 20,
        KEPT_MAX >> 20,
    );
    reached
}
