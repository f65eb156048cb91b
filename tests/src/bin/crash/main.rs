//! The crash test: a host that is killed over and over under load, at random
//! moments and at every named point, and an oracle that knows what it has
//! acknowledged. `cargo xtask crash` builds everything and starts this.

mod child;
mod external;
mod lap;
mod mix;
mod oracle;
mod person;
mod plan;
mod record;
mod report;
mod request;
mod stage;
mod story;
mod vendors;
mod wire;

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::Result;
use botyard_kernel::broken::Mutation;
use clap::Parser;

use lap::Setup;
use oracle::Rule;
use plan::Plan;
use report::Report;

/// A store is used for so many kills, then it is judged and another one made.
const KILLS_A_LAP: usize = 200;
/// So many persons write at the same time while hosts are killed.
const PERSONS: u64 = 36;
/// Userlike's minute, made short: calls must not wait for it all the time.
const WINDOW: Duration = Duration::from_secs(1);

/// As many at the same time where hosts live.
const PERSONS_OF_DELIVERIES: u64 = 240;
/// Whether a host dies in the moment in which a broken promise shows is chance: so often
/// at most it is tried with another seed.
const BROKEN_TRIES: u64 = 3;
/// How often a vendor's answers are slow, 429 or 500, each.
const FAULTS: f64 = 0.02;

/// Kills a host under load and checks that nothing was lost, doubled or reordered.
#[derive(Parser)]
struct Arguments {
    /// How often the host is killed at least; each named point counts once or more.
    #[arg(long, default_value_t = 30)]
    kills: u64,
    /// Without kills: so many deliveries, of which a fifth are duplicates, every
    /// tenth is one of a pair out of order, one in twenty breaks the bot, and the
    /// answer of one in a hundred is dropped and the event sent again.
    #[arg(long)]
    deliveries: Option<u64>,
    /// What a run does follows from it; printed, so that it can be run again.
    #[arg(long)]
    seed: Option<u64>,
    /// Break a promise on purpose: dedupe, redelivery, order, settle, fuse. The run must
    /// notice. `all` tries each.
    #[arg(long)]
    broken: Option<String>,
    /// The host, built with the features `broken` and `failpoints`.
    #[arg(long, env = "BOTYARD_CRASH_BIN")]
    program: PathBuf,
}

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match run(&arguments).await {
        Ok(code) => code,
        Err(error) => {
            eprintln!("\nthe crash test could not go on: {error:#}");
            ExitCode::FAILURE
        }
    }
}

async fn run(arguments: &Arguments) -> Result<ExitCode> {
    let time = || SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let seed = arguments.seed.unwrap_or_else(time);
    if let Some(deliveries) = arguments.deliveries {
        return deliver(arguments, seed, deliveries).await;
    }
    match arguments.broken.as_deref() {
        None => {
            let report = kills(arguments, seed, None).await?;
            report.print();
            Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
        Some("all") => each_broken(arguments, seed).await,
        Some(name) => {
            let report = kills(arguments, seed, Some(name)).await?;
            report.print();
            Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
        }
    }
}

/// A host that lives, under everything that vendors and bots do to it.
async fn deliver(arguments: &Arguments, seed: u64, deliveries: u64) -> Result<ExitCode> {
    let setup = Setup {
        program: arguments.program.clone(),
        broken: arguments.broken.clone(),
        seed,
        persons: PERSONS_OF_DELIVERIES,
        mix: mix::DELIVERIES,
        budget: deliveries,
        window: Duration::from_secs(60),
        faults: 0.0,
    };
    eprintln!("crash: {deliveries} deliveries, seed {seed}");
    let outcome = lap::run(&setup, &mut Plan::draw(seed, 0), 0).await?;
    let mut report = Report::new(seed, 0, deliveries, arguments.broken.as_deref());
    report.add(outcome);
    report.print_deliveries();
    Ok(if report.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Tries every broken promise: each must be noticed.
async fn each_broken(arguments: &Arguments, seed: u64) -> Result<ExitCode> {
    let mut unnoticed = Vec::new();
    for mutation in Mutation::ALL {
        eprintln!("\nbroken on purpose: {}", mutation.name());
        let signs = gives_itself_away(mutation);
        let mut noticed = BTreeSet::new();
        for again in 0..BROKEN_TRIES {
            let report = kills(arguments, seed + again, Some(mutation.name())).await?;
            report.print_first();
            for (rule, _) in signs {
                noticed.extend(report.broken_on(*rule).into_iter().map(|on| (*rule, on)));
            }
            if !noticed.is_empty() && missing(signs, &noticed).is_empty() {
                break;
            }
        }
        let told = noticed.iter().map(|(rule, channel)| format!("{rule:?} on {channel}"));
        println!("{}: noticed, {}", mutation.name(), told.collect::<Vec<_>>().join(", "));
        if noticed.is_empty() {
            unnoticed.push(mutation.name().to_owned());
        }
        let missing = missing(signs, &noticed);
        unnoticed.extend(missing.iter().map(|it| format!("{}: {it}", mutation.name())));
    }
    let all = Mutation::ALL.len();
    if unnoticed.is_empty() {
        println!("crash: all {all} broken promises were noticed");
        return Ok(ExitCode::SUCCESS);
    }
    println!("crash: NOT noticed: {}", unnoticed.join(", "));
    Ok(ExitCode::FAILURE)
}

/// A rule that notices a broken promise, and the channels on which even a short run is sure
/// to see it.
type Sign = (Rule, &'static [&'static str]);

/// What gives a broken promise away. What follows from it elsewhere, something that waits
/// for ever, proves nothing of a channel.
fn gives_itself_away(mutation: Mutation) -> &'static [Sign] {
    match mutation {
        Mutation::Dedupe => &[(
            Rule::Doubled,
            &["inline", "relay", "calls", "held", "khoros", "messenger", "lexer"],
        )],
        Mutation::Redelivery => &[(Rule::Doubled, &["inline", "relay", "calls", "held"])],
        Mutation::Order => &[(Rule::Order, &["calls", "held", "khoros", "messenger", "lexer"])],
        Mutation::Settle => &[
            (Rule::Repeated, &["inline", "calls", "khoros", "messenger", "lexer"]),
            // A kill has to come between an external bot's answer and its commit, which in a
            // short run is likely and not sure.
            (Rule::Relayed, &[]),
        ],
        Mutation::Fuse => &[(Rule::Lost, &[])],
    }
}

/// Which signs were not seen.
fn missing(signs: &[Sign], seen: &BTreeSet<(Rule, &'static str)>) -> Vec<String> {
    let all = signs.iter().flat_map(|(rule, on)| on.iter().map(move |channel| (*rule, *channel)));
    let missing = all.filter(|sign| !seen.contains(sign));
    missing.map(|(rule, channel)| format!("{rule:?} on {channel}")).collect()
}

async fn kills(arguments: &Arguments, seed: u64, broken: Option<&str>) -> Result<Report> {
    let begun = Instant::now();
    let mut plan = Plan::draw(seed, arguments.kills);
    let mut report = Report::new(seed, arguments.kills, 0, broken);
    eprintln!("crash: {} kills, seed {seed}", plan.left());
    let mut lap = 0;
    while plan.left() > 0 {
        lap += 1;
        let setup = Setup {
            program: arguments.program.clone(),
            broken: broken.map(str::to_owned),
            seed: seed ^ lap,
            persons: PERSONS,
            mix: mix::CRASH,
            budget: u64::MAX,
            window: WINDOW,
            faults: FAULTS,
        };
        let outcome = lap::run(&setup, &mut plan, KILLS_A_LAP).await?;
        report.add(outcome);
        // Whoever looks for the cause wants the first failure, not all of them.
        if !report.violations.is_empty() {
            break;
        }
    }
    report.close(&plan, begun.elapsed());
    Ok(report)
}
