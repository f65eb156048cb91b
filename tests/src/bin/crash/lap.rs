//! One lap: a fresh store, persons who write, hosts that end and are started
//! again, rest, and the verdict.

use std::collections::{BTreeMap, BTreeSet};
use std::os::unix::process::ExitStatusExt as _;
use std::path::PathBuf;
use std::process::ExitStatus;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, bail, ensure};
use botyard_failpoints::{Phase, Point};
use botyard_store::SqliteStore;
use botyard_tests::peers::userlike::{Fault, Faults};
use tokio::task::JoinSet;

use crate::child::Host;
use crate::external;
use crate::mix::Mix;
use crate::oracle::{self, Evidence, Violation};
use crate::person::{Person, World, come_back};
use crate::plan::{End, Plan};
use crate::record::Talk;
use crate::stage::Stage;
use crate::story::Story;
use crate::vendors::{Conduct, Late};

const START_WITHIN: Duration = Duration::from_secs(60);
const STOP_WITHIN: Duration = Duration::from_secs(60);
/// A point that was not reached by then is not on the way of this load.
const REACHED_WITHIN: Duration = Duration::from_secs(3);
/// When the load has ended, it is looked at this often whether something is left to do,
/// and for so long beside two of Userlike's minutes.
const REST: Duration = Duration::from_secs(3);
const RESTS_WITHIN: Duration = Duration::from_secs(30);
/// Whatever is due at its start, a host does within so long.
const CHORES_AFTER: Duration = Duration::from_millis(500);
const SIGKILL: i32 = 9;
const LOOK: Duration = Duration::from_secs(1);
/// Who comes back has a number beyond this, and nobody else.
const VISITORS: u64 = 1 << 20;
const HANGS_AFTER: Duration = Duration::from_secs(90);

/// What a lap is made of.
#[derive(Clone, Debug)]
pub(crate) struct Setup {
    pub(crate) program: PathBuf,
    pub(crate) broken: Option<String>,
    pub(crate) seed: u64,
    pub(crate) persons: u64,
    pub(crate) mix: Mix,
    /// Sendings of events; persons stop when they are used up.
    pub(crate) budget: u64,
    /// Userlike's minute.
    pub(crate) window: Duration,
    /// Some of the vendors' answers are slow, 429 or 500, so often.
    pub(crate) faults: f64,
}

impl Setup {
    fn conduct(&self) -> Conduct {
        Conduct { window: self.window, faults: self.faults() }
    }

    /// Only faults after which the host knows whether a call was carried out: what
    /// it cannot know it may do twice, which would hide what it must not.
    fn faults(&self) -> Faults {
        let mut faults = Faults::seeded(self.seed)
            .with(Fault::SlowApi, self.faults)
            .with(Fault::Limited, self.faults)
            .with(Fault::LimitedFor, self.faults / 4.0)
            .with(Fault::Broken, self.faults);
        faults.slow = Duration::from_millis(60);
        faults.retry_after = 1;
        faults
    }
}

/// What came of a lap.
#[derive(Debug, Default)]
pub(crate) struct Outcome {
    pub(crate) violations: Vec<Violation>,
    pub(crate) conversations: u64,
    pub(crate) acked: u64,
    pub(crate) deliveries: u64,
    /// Deliveries of what was sent before.
    pub(crate) again: u64,
    /// Pairs of which the later one came first.
    pub(crate) pairs: u64,
    /// Events on which the bot broke down.
    pub(crate) traps: u64,
    /// Answers that broke off because the client left.
    pub(crate) left: u64,
    pub(crate) turns: u64,
    /// The same, for each channel.
    pub(crate) turns_of: BTreeMap<&'static str, u64>,
    /// What was shown, for each channel.
    pub(crate) shown_of: BTreeMap<&'static str, u64>,
    pub(crate) parts: u64,
    /// Parts that were shown more than once, all of them over a kill.
    pub(crate) repeated: u64,
    /// While events were sent.
    pub(crate) load: Duration,
}

/// Runs a lap with at most so many kills of the plan.
pub(crate) async fn run(setup: &Setup, plan: &mut Plan, kills: usize) -> Result<Outcome> {
    let broken = &setup.broken;
    let mut stage = Stage::set(&setup.program, broken.as_deref(), &setup.conduct()).await?;
    let world = Arc::new(World {
        clock: stage.clock,
        shop: stage.shop.url(),
        external: Arc::clone(&stage.external),
        mix: setup.mix,
        addresses: stage.addresses(),
        stop: AtomicBool::new(false),
        budget: AtomicU64::new(setup.budget),
        acked: AtomicU64::new(0),
    });
    let mut persons = JoinSet::new();
    for (number, (vendor, channel)) in (1..=setup.persons).zip(stage.channels().iter().cycle()) {
        let (world, vendor) = (Arc::clone(&world), Arc::clone(vendor));
        persons.spawn(Person::new(world, vendor, channel, setup.seed, number).live());
    }
    let begun = Instant::now();
    for _ in 0..kills {
        let Some(end) = plan.next() else { break };
        let reached = live(&mut stage, end).await?;
        plan.ended(end, reached);
        say(plan, &world, end, reached);
    }
    let last = stage.start(None)?;
    let last = listening(&stage, last).await?;
    world.stop.store(kills > 0, Ordering::Relaxed);
    let mut talks = finish(&mut persons, &world).await?;
    let load = begun.elapsed();
    // What a broken promise has lost will not come, however long one waits.
    let patience = if broken.is_some() { REST } else { RESTS_WITHIN };
    let within = patience + 2 * setup.window;
    let stories = rest(&mut stage, &world, last, &mut talks, within).await?;
    let mut outcome = judge(&stage, talks, &stories);
    outcome.load = load;
    outcome.acked = world.acked.load(Ordering::Relaxed);
    Ok(outcome)
}

/// Waits until all persons are done. Somebody is answered all the time, or the host
/// hangs.
async fn finish(persons: &mut JoinSet<Vec<Talk>>, world: &World) -> Result<Vec<Talk>> {
    let mut talks = Vec::new();
    let (mut acked, mut progress) = (0, Instant::now());
    while !persons.is_empty() {
        if let Ok(Some(talked)) = tokio::time::timeout(LOOK, persons.join_next()).await {
            talks.extend(talked.context("a person broke down")?);
            progress = Instant::now();
        }
        let now = world.acked.load(Ordering::Relaxed);
        if now > acked {
            (acked, progress) = (now, Instant::now());
        }
        ensure!(
            progress.elapsed() < HANGS_AFTER,
            "{} persons wait for an answer, and none has come for {HANGS_AFTER:?}",
            persons.len()
        );
    }
    Ok(talks)
}

fn say(plan: &Plan, world: &World, end: End, reached: bool) {
    if plan.kills.is_multiple_of(10) || !reached {
        let acked = world.acked.load(Ordering::Relaxed);
        let missed = if reached { "" } else { " (not reached)" };
        eprintln!(
            "  kill {} ({} to come): {end}{missed}; {acked} events acknowledged in this lap",
            plan.kills,
            plan.left()
        );
    }
}

/// The life of one host, from its start to its end; tells whether the end was the
/// one that was planned.
async fn live(stage: &mut Stage, end: End) -> Result<bool> {
    let point = match end {
        End::After(_) => None,
        End::At { point, nth, .. } => Some((point, format!("{}:{nth}", point.name()))),
    };
    if let Some((point, armed)) = &point
        && matches!(point.phase(), Phase::Migration | Phase::Upkeep)
    {
        return on_a_fresh_store(stage, *point, armed).await;
    }
    let mut host = stage.start(point.clone().map(|(_, armed)| armed))?;
    let Some(address) = host.address(START_WITHIN).await else {
        let status = host.ended(STOP_WITHIN).await;
        host.kill().await?;
        host.kept_its_head().await?;
        return died(&host, status, point.map(|(point, _)| point));
    };
    stage.announce(Some(address));
    let status = match end {
        End::After(pause) => {
            tokio::time::sleep(pause).await;
            None
        }
        End::At { point, .. } if point.phase() == Phase::Stop => {
            // Something must be under way when it is told to stop.
            tokio::time::sleep(Duration::from_millis(100)).await;
            host.terminate().await?;
            host.ended(STOP_WITHIN).await
        }
        End::At { .. } => host.ended(REACHED_WITHIN).await,
    };
    let reached = match (status, end) {
        (None, End::After(_)) => true,
        (None, End::At { .. }) => false,
        (Some(status), _) => died(&host, Some(status), point.map(|(point, _)| point))?,
    };
    host.kill().await?;
    stage.announce(None);
    host.kept_its_head().await?;
    Ok(reached)
}

/// Whether a host that has ended did so at its point.
fn died(host: &Host, status: Option<ExitStatus>, point: Option<Point>) -> Result<bool> {
    let killed = status.is_some_and(|status| status.signal() == Some(SIGKILL));
    if killed && point.is_some() {
        return Ok(true);
    }
    bail!("the host ended by itself ({status:?}); its log:\n{}", host.log());
}

/// A host dies while it makes its store, or soon after; the next one must find its way.
async fn on_a_fresh_store(stage: &mut Stage, point: Point, armed: &str) -> Result<bool> {
    let fresh = stage.fresh_store()?;
    let mut host = fresh.start(stage, Some(armed.to_owned()))?;
    let status = host.ended(START_WITHIN).await;
    let reached = status.is_some_and(|status| status.signal() == Some(SIGKILL));
    host.kill().await?;
    host.kept_its_head().await?;
    let chores = stage.chores();
    let mut next = fresh.start(stage, None)?;
    let listens = next.address(START_WITHIN).await.is_some();
    ensure!(listens, "a host does not start after one died at {armed}; log:\n{}", next.log());
    if reached && point.phase() == Phase::Upkeep {
        tokio::time::sleep(CHORES_AFTER).await;
        ensure!(
            stage.chores() == chores,
            "a host died at {armed}, and the next one did not wait for the end of its call"
        );
    }
    next.kill().await?;
    next.kept_its_head().await?;
    Ok(reached)
}

async fn listening(stage: &Stage, mut host: Host) -> Result<Host> {
    let address = host.address(START_WITHIN).await;
    let address = address.with_context(|| format!("the host did not start:\n{}", host.log()))?;
    stage.announce(Some(address));
    Ok(host)
}

/// Lets everything come to rest, and reads the log of the last host that worked.
async fn rest(
    stage: &mut Stage,
    world: &Arc<World>,
    first: Host,
    talks: &mut [Talk],
    within: Duration,
) -> Result<Vec<Story>> {
    // Counted is the time in which hosts work: on a busy machine they start and stop slowly.
    let (mut rested, mut told) = (Duration::ZERO, 0);
    let mut host = first;
    let mut visitors = VISITORS;
    loop {
        tokio::time::sleep(REST).await;
        rested += REST;
        host.terminate().await?;
        let status = host.ended(STOP_WITHIN).await;
        ensure!(
            status.is_some_and(|status| status.success()),
            "the host did not stop in peace ({status:?}); its log:\n{}",
            host.log()
        );
        host.kept_its_head().await?;
        let stories = stories(stage, talks).await?;
        let busy = stories.iter().filter(|story| !story.rests()).count();
        if busy == 0 || rested >= within {
            return Ok(stories);
        }
        if busy != told {
            eprintln!("  {busy} of {} conversations have something left to do", stories.len());
            told = busy;
        }
        host = stage.start(None)?;
        host = listening(stage, host).await?;
        for (talk, _) in talks
            .iter_mut()
            .zip(&stories)
            .filter(|(talk, story)| talk.channel.late == Late::NextAnswer && !story.rests())
        {
            visitors += 1;
            come_back(world, stage.vendor(talk.channel), visitors, talk).await;
        }
    }
}

async fn stories(stage: &Stage, talks: &[Talk]) -> Result<Vec<Story>> {
    let directory = stage.store().to_owned();
    let open = tokio::task::spawn_blocking(move || SqliteStore::open(&directory));
    let database = open.await?.context("the store does not open after the last host")?;
    let store = database.store();
    let mut stories = Vec::new();
    for talk in talks {
        stories.push(Story::read(&store, talk).await?);
    }
    database.close().await;
    Ok(stories)
}

fn judge(stage: &Stage, mut talks: Vec<Talk>, stories: &[Story]) -> Outcome {
    let nobodys = add_calls(stage, &mut talks);
    let mut lookups: BTreeMap<String, BTreeSet<String>> = BTreeMap::new();
    for lookup in stage.shop.lookups() {
        let key = lookup.idempotency_key.unwrap_or_default();
        lookups.entry(lookup.order).or_default().insert(key);
    }
    let (chats, asked) = (stage.external.chats(), stage.external.asked());
    let (lives, lookups) = (&stage.lives[..], &lookups);
    let evidence = Evidence { lives, lookups, chats: &chats, asked: &asked };
    let mut outcome = Outcome { conversations: talks.len() as u64, ..Outcome::default() };
    for (_, channel) in stage.channels() {
        outcome.turns_of.insert(channel.name, 0);
        outcome.shown_of.insert(channel.name, 0);
    }
    // Of the external bot it counts what it was told, and what was told of what it said.
    let words = chats.iter().map(|chat| chat.words.len() as u64).sum();
    let tells = stories.iter().flat_map(|story| &story.turns).map(|turn| turn.tells.len() as u64);
    outcome.turns_of.insert(external::NAME, words);
    outcome.shown_of.insert(external::NAME, tells.sum());
    outcome.violations.extend(oracle::one_key_an_order(&evidence));
    outcome.violations.extend(oracle::nobodys(&nobodys));
    for (talk, story) in talks.iter().zip(stories) {
        let vendor = &**stage.vendor(talk.channel);
        outcome.violations.extend(oracle::check(talk, story, &evidence, vendor));
        outcome.deliveries += talk.deliveries;
        outcome.again += talk.deliveries.saturating_sub(talk.names());
        outcome.pairs += talk.pairs;
        outcome.left += talk.left;
        outcome.traps += talk.sent.iter().filter(|sent| sent.traps).count() as u64;
        outcome.turns += story.turns.len() as u64;
        *outcome.turns_of.entry(talk.channel.name).or_default() += story.turns.len() as u64;
        *outcome.shown_of.entry(talk.channel.name).or_default() += talk.shown.len() as u64;
        outcome.parts += story.parts.len() as u64;
        let mut counts: BTreeMap<&str, u64> = BTreeMap::new();
        for shown in &talk.shown {
            *counts.entry(&shown.what).or_default() += 1;
        }
        outcome.repeated += counts.values().filter(|count| **count > 1).count() as u64;
    }
    outcome
}

/// What calls brought, beside what rode in answers. Tells for which conversations they were
/// that nobody has.
fn add_calls(stage: &Stage, talks: &mut [Talk]) -> BTreeSet<String> {
    let mut by_key: BTreeMap<String, &mut Talk> =
        talks.iter_mut().map(|talk| (talk.key.clone(), talk)).collect();
    let mut nobodys = BTreeSet::new();
    for brought in stage.vendors.iter().flat_map(|vendor| vendor.calls()) {
        match by_key.get_mut(&brought.key) {
            Some(talk) => talk.shown.push(brought.shown),
            None => {
                nobodys.insert(brought.key);
            }
        }
    }
    nobodys
}
