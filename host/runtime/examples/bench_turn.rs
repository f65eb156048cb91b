//! What a turn costs, as ratios within one run. `cargo xtask bench turn` builds
//! the plugins and calls it:
//!
//! ```text
//! cargo run --release -p botyard-runtime --example bench_turn -- \
//!     --plugins target/wasm32-wasip2/plugin [--js echo.wasm] [--py echo.wasm]
//! ```
//!
//! All that is compared runs in turns, round after round, because the speed of
//! a machine drifts by more than what is measured.

#[path = "bench_turn/config.rs"]
mod config;
#[path = "bench_turn/sample.rs"]
mod sample;
#[path = "bench_turn/turns.rs"]
mod turns;

use std::path::PathBuf;

use anyhow::{Context as _, Result};

use config::{Setting, variants};
use sample::Sample;
use turns::{Hot, distinct, interpreted, throughput};

/// Rounds; each runs every subject for [`TURNS`] turns.
const ROUNDS: usize = 7;
/// Turns of a subject in one round.
const TURNS: usize = 2_000;
/// Different components for the cold case.
const DISTINCT: usize = 1_000;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let arguments = Arguments::read()?;
    let path = arguments.plugins.join("botyard_plugin_echo.wasm");
    let wasm = std::fs::read(&path)
        .with_context(|| format!("{}: run `cargo xtask plugins` first", path.display()))?;
    println!("turn of {} bytes, {ROUNDS} rounds of {TURNS} turns", wasm.len());
    hot_bot(&wasm).await?;
    many_bots(&wasm).await?;
    threads(&wasm)?;
    taxes(&wasm).await?;
    let interpreters = [("JavaScript", arguments.js, 1.2), ("Python", arguments.py, 2.0)];
    for (name, path, aim) in interpreters {
        if let Some(path) = path {
            let sample = interpreted(&std::fs::read(&path)?).await?;
            println!("{name:<34} {sample}   (aim {aim:.1} ms at p50)");
        }
    }
    Ok(())
}

struct Arguments {
    plugins: PathBuf,
    js: Option<PathBuf>,
    py: Option<PathBuf>,
}

impl Arguments {
    fn read() -> Result<Self> {
        let mut words = std::env::args_os().skip(1);
        let (mut plugins, mut js, mut py) = (None, None, None);
        while let Some(word) = words.next() {
            let place = match word.to_str() {
                Some("--plugins") => &mut plugins,
                Some("--js") => &mut js,
                Some("--py") => &mut py,
                _ => anyhow::bail!("{} is not known", word.display()),
            };
            *place = words.next().map(PathBuf::from);
        }
        Ok(Self {
            plugins: plugins.context("--plugins names the directory of components")?,
            js,
            py,
        })
    }
}

/// Fresh against reused, and against the fresh instance of an empty component.
async fn hot_bot(wasm: &[u8]) -> Result<()> {
    let mut hot = Hot::new(&Setting::default(), wasm).await?;
    let (mut fresh, mut reused, mut empty) = (Sample::new(), Sample::new(), Sample::new());
    for _ in 0..ROUNDS {
        hot.fresh(TURNS, &mut fresh).await;
        hot.reused(TURNS, &mut reused).await?;
        hot.empty(TURNS, &mut empty).await?;
    }
    println!("\none hot bot");
    println!("{:<34} {fresh}", "fresh instance + handle");
    println!("{:<34} {reused}", "reused instance, handle only");
    println!("{:<34} {empty}", "fresh empty component");
    let (ratio, more) = (fresh.p50() / reused.p50(), fresh.p50() - reused.p50());
    println!("fresh / reused at p50: {ratio:.2} (aim 4.00), {more:.1} µs more (aim 8.0)");
    println!("fresh / empty at p50: {:.2}", fresh.p50() / empty.p50());
    Ok(())
}

/// One hot bot against many that share nothing.
async fn many_bots(wasm: &[u8]) -> Result<()> {
    let bots = distinct(&Setting::default(), wasm, DISTINCT)?;
    let (mut one, mut all) = (Sample::new(), Sample::new());
    for _ in 0..ROUNDS {
        bots.run(1, TURNS, &mut one).await;
        bots.run(DISTINCT, TURNS, &mut all).await;
    }
    println!("\n{DISTINCT} distinct bots, round robin");
    println!("{:<34} {one}", "one hot bot");
    println!("{:<34} {all}", format!("{DISTINCT} distinct bots"));
    println!("distinct / hot at p50: {:.2}", all.p50() / one.p50());
    Ok(())
}

/// Events per second on one and two threads.
fn threads(wasm: &[u8]) -> Result<()> {
    println!("\nevents per second");
    let one = throughput(wasm, 1, ROUNDS * TURNS)?;
    let two = throughput(wasm, 2, ROUNDS * TURNS)?;
    println!("one thread {one:>10.0}\ntwo threads {two:>9.0} ({:.2}x)", two / one);
    Ok(())
}

/// Each safety feature switched off in turn, and all together.
async fn taxes(wasm: &[u8]) -> Result<()> {
    let mut subjects = Vec::new();
    for (name, setting) in variants() {
        subjects.push((name, Hot::new(&setting, wasm).await?, Sample::new()));
    }
    for _ in 0..ROUNDS {
        for (_, hot, sample) in &mut subjects {
            hot.fresh(TURNS, sample).await;
        }
    }
    println!("\nwithout a safety feature (tax: what it adds to the p50; aim: 30 % for all)");
    let all_on = subjects[0].2.p50();
    for (name, _, sample) in &subjects {
        let tax = (all_on / sample.p50() - 1.0) * 100.0;
        println!("{name:<34} {sample}   tax {tax:>6.1} %");
    }
    Ok(())
}
