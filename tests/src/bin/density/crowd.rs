//! Many people who write as fast as they are answered, to one bot or to very many.

use std::sync::Arc;
use std::time::{Duration, Instant};

use anyhow::{Result, ensure};
use botyard_chance::Chance;
use botyard_tests::load::median;
use tokio::task::JoinSet;

use crate::stage::{Population, Stage};

/// People who write at the same time.
const PEOPLE: u64 = 32;
/// Conversations of each kind of traffic, about.
const CONVERSATIONS: f64 = 10_000.0;
/// What the rate over bots as they are spoken to in practice may lose to that of a
/// single one.
const AIM: f64 = 0.8;

/// Whom the people write to.
#[derive(Clone, Copy)]
enum Traffic {
    /// All to the same bot.
    Single,
    /// To all of them, to the second half as often as to the first, to the third a third
    /// as often, and so on.
    Zipf,
    /// To those that have components of their own, each as often.
    Distinct,
    /// To those that share theirs, each as often.
    Shared,
}

const ALL: [(Traffic, &str); 4] = [
    (Traffic::Single, "one bot"),
    (Traffic::Zipf, "Zipf over all"),
    (Traffic::Distinct, "uniform over distinct components"),
    (Traffic::Shared, "uniform over shared components"),
];

/// Measures each kind of traffic in turn, several times, and answers whether the aim was
/// reached.
pub(crate) async fn measure(
    stage: &Stage,
    rounds: usize,
    time: Duration,
    seed: u64,
) -> Result<bool> {
    let mut rates = [const { Vec::new() }; ALL.len()];
    // The first round wakes everybody up and is not counted.
    for round in 0..=rounds {
        for (index, (traffic, _)) in ALL.iter().enumerate() {
            let bots = Bots::of(*traffic, stage.population);
            let rate = saturate(stage, Arc::new(bots), time, seed + round as u64).await?;
            if round > 0 {
                rates[index].push(rate);
            }
        }
    }
    println!("\n| traffic | events a second in each round | median | of one bot's |");
    println!("|---|---|---|---|");
    let mut zipf = 0.0;
    for ((traffic, name), of_kind) in ALL.iter().zip(&rates) {
        // Ratios of halves of the same round: machines drift.
        let ratios: Vec<_> = of_kind.iter().zip(&rates[0]).map(|(rate, one)| rate / one).collect();
        let ratio = median(&ratios);
        if matches!(traffic, Traffic::Zipf) {
            zipf = ratio;
        }
        let each: Vec<_> = of_kind.iter().map(|rate| format!("{rate:.0}")).collect();
        println!("| {name} | {} | {:.0} | {ratio:.2} |", each.join(", "), median(of_kind));
    }
    let reached = zipf >= AIM;
    let verdict = if reached { "reached" } else { "NOT reached" };
    println!("\nZipf against one bot: {zipf:.2}; aim: at least {AIM:.2}: {verdict}");
    let memory = stage.host.memory("RssAnon")? >> 20;
    println!("memory of the host's own after the traffic: {memory} MiB");
    Ok(reached)
}

/// Bots and how often each is spoken to.
struct Bots {
    population: Population,
    /// The numbers of the bots, the most spoken to first.
    numbers: Vec<usize>,
    /// The shares of all bots up to each one, from 0 to 1.
    shares: Vec<f64>,
}

impl Bots {
    fn of(traffic: Traffic, population: Population) -> Self {
        let (tenants, all) = (population.tenants, population.all());
        let mut numbers: Vec<usize> = match traffic {
            Traffic::Single => vec![0],
            Traffic::Zipf => (0..all).collect(),
            Traffic::Distinct => (0..tenants).collect(),
            Traffic::Shared => (tenants..all).collect(),
        };
        // Always the same ones are popular, and not those that were made first.
        Chance::new(0).shuffle(&mut numbers);
        let weight = |rank: usize| match traffic {
            Traffic::Zipf => 1.0 / (rank + 1) as f64,
            Traffic::Single | Traffic::Distinct | Traffic::Shared => 1.0,
        };
        let sum: f64 = (0..numbers.len()).map(weight).sum();
        let mut share = 0.0;
        let shares = (0..numbers.len()).map(|rank| {
            share += weight(rank) / sum;
            share
        });
        Self { population, shares: shares.collect(), numbers }
    }

    /// One of them, and one of its conversations: of all kinds of traffic there are as
    /// many, so that as many of them are new.
    fn pick(&self, chance: &mut Chance) -> (usize, usize) {
        let place = chance.below(u64::from(u32::MAX)) as f64 / f64::from(u32::MAX);
        let rank = self.shares.partition_point(|share| *share < place);
        let rank = rank.min(self.numbers.len() - 1);
        let before = if rank == 0 { 0.0 } else { self.shares[rank - 1] };
        let conversations = (CONVERSATIONS * (self.shares[rank] - before)).max(1.0);
        (self.numbers[rank], chance.below(conversations as u64) as usize)
    }
}

/// How many events a second were answered.
async fn saturate(stage: &Stage, bots: Arc<Bots>, time: Duration, seed: u64) -> Result<f64> {
    let (start, mut people) = (Instant::now(), JoinSet::new());
    for person in 0..PEOPLE {
        let (bots, connections) = (Arc::clone(&bots), Arc::clone(&stage.connections));
        people.spawn(async move {
            let mut chance = Chance::of(seed, person);
            let mut answered = 0_usize;
            while start.elapsed() < time {
                let (bot, conversation) = bots.pick(&mut chance);
                let target = bots.population.target(bot);
                let number = chance.number() as usize;
                let request = target.message(conversation, number, "how are you?");
                let answer = connections.send(&request).await?;
                ensure!(answer.status == 200, "bot {bot}: {answer:?}");
                answered += 1;
            }
            anyhow::Ok(answered)
        });
    }
    let mut answered = 0;
    while let Some(person) = people.join_next().await {
        answered += person??;
    }
    Ok(answered as f64 / start.elapsed().as_secs_f64())
}
