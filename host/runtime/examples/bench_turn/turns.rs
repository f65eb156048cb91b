//! The turns that are measured.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Instant;

use anyhow::Result;
use botyard_kernel::event::{Event, EventBody, Message, TextFormat};
use botyard_kernel::run::RunInput;
use botyard_kernel::session::{Facts, Seed, Session};
use botyard_runtime::measure::{Bench, BenchBot, EmptyBot, ReusedBot, compile_here};
use botyard_runtime::{Services, Tier};

use crate::config::Setting;
use crate::sample::Sample;

/// The least that can be made an instance of.
const EMPTY: &str = "(component (core module $m (memory 1)) (core instance (instantiate $m)))";

/// One bot in all its forms.
pub(crate) struct Hot {
    bench: Bench,
    bot: BenchBot,
    reused: ReusedBot,
    empty: EmptyBot,
}

impl Hot {
    /// Compiles and links a native bot.
    pub(crate) async fn new(setting: &Setting, wasm: &[u8]) -> Result<Self> {
        let config = setting.config();
        let (tier, artefact) = compile_here(&config, wasm)?;
        let bench = Bench::new(&config, tier)?;
        let bot = bench.link(&artefact)?;
        let reused = bench.reuse(&bot).await?;
        let empty = bench.empty(&wat::parse_str(EMPTY)?)?;
        Ok(Self { bench, bot, reused, empty })
    }

    /// Turns in fresh instances.
    pub(crate) async fn fresh(&self, turns: usize, sample: &mut Sample) {
        for _ in 0..turns {
            one(&self.bench, &self.bot, sample).await;
        }
    }

    /// Turns in the instance that is kept.
    pub(crate) async fn reused(&mut self, turns: usize, sample: &mut Sample) -> Result<()> {
        for _ in 0..turns {
            let input = input();
            let start = Instant::now();
            let actions = self.reused.handle(input).await?;
            sample.add(start.elapsed());
            assert_eq!(actions, 1, "the bot answers with one action");
        }
        Ok(())
    }

    /// Instances of the empty component.
    pub(crate) async fn empty(&self, turns: usize, sample: &mut Sample) -> Result<()> {
        for _ in 0..turns {
            let start = Instant::now();
            self.bench.make_empty(&self.empty).await?;
            sample.add(start.elapsed());
        }
        Ok(())
    }
}

/// Bots that share no code: each was linked on its own.
pub(crate) struct Many {
    bench: Bench,
    bots: Vec<BenchBot>,
}

/// So many separate copies of a bot.
pub(crate) fn distinct(setting: &Setting, wasm: &[u8], bots: usize) -> Result<Many> {
    let config = setting.config();
    let (tier, artefact) = compile_here(&config, wasm)?;
    let bench = Bench::new(&config, tier)?;
    let bots = (0..bots).map(|_| bench.link(&artefact)).collect::<Result<_>>()?;
    Ok(Many { bench, bots })
}

impl Many {
    /// Turns of the first so many bots, one after the other.
    pub(crate) async fn run(&self, bots: usize, turns: usize, sample: &mut Sample) {
        for bot in self.bots[..bots].iter().cycle().take(turns) {
            one(&self.bench, bot, sample).await;
        }
    }
}

/// Events per second of one bot on so many threads.
pub(crate) fn throughput(wasm: &[u8], threads: usize, turns: usize) -> Result<f64> {
    let many = Arc::new(distinct(&Setting::default(), wasm, 1)?);
    let start = Instant::now();
    let workers: Vec<_> = (0..threads)
        .map(|_| {
            let many = many.clone();
            std::thread::spawn(move || -> Result<()> {
                let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
                runtime.block_on(many.run(1, turns, &mut Sample::new()));
                Ok(())
            })
        })
        .collect();
    for worker in workers {
        worker.join().expect("no worker panics")?;
    }
    Ok((threads * turns) as f64 / start.elapsed().as_secs_f64())
}

/// Fresh turns of a JavaScript or Python bot.
pub(crate) async fn interpreted(wasm: &[u8]) -> Result<Sample> {
    let config = Setting::default().config();
    let (tier, artefact) = compile_here(&config, wasm)?;
    anyhow::ensure!(tier == Tier::Interpreted, "the component carries no interpreter");
    let bench = Bench::new(&config, tier)?;
    let bot = bench.link(&artefact)?;
    let mut sample = Sample::new();
    for _ in 0..500 {
        one(&bench, &bot, &mut sample).await;
    }
    Ok(sample)
}

async fn one(bench: &Bench, bot: &BenchBot, sample: &mut Sample) {
    let (input, services) = (input(), Services::default());
    let start = Instant::now();
    let output = bench.fresh(bot, input, services).await;
    sample.add(start.elapsed());
    let actions = output.result.expect("the bot answers");
    assert_eq!(actions.len(), 1, "the bot answers with one action");
}

fn input() -> RunInput {
    let message = Message { text: "Where is my order?".to_owned(), format: TextFormat::Plain };
    RunInput {
        event: Event {
            id: "event".into(),
            received_ms: 1_000_000_000_000,
            vendor_ms: None,
            raw: None,
            body: EventBody::Message(message),
        },
        session: Session {
            id: "session".into(),
            conversation: "cid".to_owned(),
            channel: "shop".into(),
            vendor: "userlike".to_owned(),
            facts: Facts { medium: "web".to_owned(), ..Facts::default() },
            context: r#"{"step":"ask","name":"Ada","tries":2}"#.to_owned(),
            context_by: None,
            skipped: Vec::new(),
            started_ms: 1_000_000_000_000,
            turn: 3,
            now_ms: 1_000_000_000_000,
            seed: Seed([1, 2, 3, 4]),
            profile: Vec::new(),
        },
        conversation_kv: BTreeMap::new(),
        config: BTreeMap::new(),
        calls: Vec::new(),
    }
}
