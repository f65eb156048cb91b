//! What very many bots cost while nobody speaks to them, and how soon one answers then.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use anyhow::{Result, ensure};
use botyard_chance::Chance;
use botyard_tests::host::Host;
use botyard_tests::load::{Latencies, ms};

use crate::stage::{self, Stage};

/// After a start, a host reads what it needs; then it is quiet.
const QUIET: Duration = Duration::from_secs(5);

/// Says on what all of this was measured.
pub(crate) fn machine() -> Result<()> {
    let processors = fs::read_to_string("/proc/cpuinfo")?;
    let value = |text: &str, name: &str| {
        let line = text.lines().find_map(|line| line.strip_prefix(name));
        line.map(|line| line.trim_start_matches([' ', '\t', ':']).trim().to_owned())
    };
    let model = value(&processors, "model name").unwrap_or_else(|| "an unknown kind".to_owned());
    let memory = value(&fs::read_to_string("/proc/meminfo")?, "MemTotal").unwrap_or_default();
    let count = std::thread::available_parallelism()?;
    println!("machine: {count} processors ({model}), memory {memory}");
    Ok(())
}

/// Memory of its own of a host without bots.
pub(crate) async fn empty(directory: &Path) -> Result<u64> {
    let host = Host::start(&stage::config(directory)).await?;
    tokio::time::sleep(QUIET).await;
    let memory = host.memory("RssAnon")?;
    host.stop().await?;
    Ok(memory)
}

/// What the bots take in memory while nothing happens.
pub(crate) async fn idle(stage: Stage, empty: u64) -> Result<Stage> {
    tokio::time::sleep(QUIET).await;
    let (full, bots) = (stage.host.memory("RssAnon")?, stage.population.all());
    let each = full.saturating_sub(empty) as f64 / bots as f64 / 1_024.0;
    println!(
        "{bots} bots in which nothing happens: {} MiB of the host's own, {} MiB without them: \
         {each:.1} KiB a bot; ready {:.1} s after the start",
        full >> 20,
        empty >> 20,
        stage.started.as_secs_f64(),
    );
    Ok(stage)
}

/// How soon bots answer that nobody has spoken to since the start, each with a component
/// of its own.
pub(crate) async fn cold(stage: Stage, count: usize, seed: u64) -> Result<Stage> {
    let (stage, forgotten) = stage.again().await?;
    let mut numbers: Vec<_> = (0..stage.population.tenants).collect();
    Chance::new(seed).shuffle(&mut numbers);
    numbers.truncate(count);
    let (mut first, mut second) = (Latencies::default(), Latencies::default());
    let began_ms = SystemTime::now().duration_since(UNIX_EPOCH)?.as_millis();
    for number in numbers {
        for (times, conversation) in [(&mut first, 0), (&mut second, 1)] {
            let mut target = stage.population.target(number);
            // Both begin a conversation, also where an earlier run has used this store.
            target.name = format!("{}-{began_ms}", target.name);
            let request = target.message(conversation, number, "hello");
            let start = Instant::now();
            let answer = stage.connections.send(&request).await?;
            ensure!(answer.status == 200, "bot {number}: {answer:?}");
            times.note(start.elapsed());
        }
    }
    let cache = if forgotten { "page cache dropped" } else { "page cache kept, for want of root" };
    println!(
        "the first answer of {} bots since the start ({cache}): {}; their second: {}; ready \
         {:.1} s after the start",
        first.count(),
        quantiles(&first),
        quantiles(&second),
        stage.started.as_secs_f64(),
    );
    Ok(stage)
}

fn quantiles(times: &Latencies) -> String {
    let [p50, p99] = [0.5, 0.99].map(|share| ms(times.quantile(share)));
    format!("p50 {p50}, p99 {p99}")
}
