//! `cargo xtask bench recovery` and `cargo xtask bench idle`: what a host does
//! with a store in which a million conversations wait, or sleep.

mod fill;
mod host;
mod vendor;

use std::path::PathBuf;
use std::thread;
use std::time::{Duration, Instant};

use host::Host;
use vendor::Vendor;

/// How long calls are counted after the first one.
const COUNTED: Duration = Duration::from_secs(20);

/// A host that starts answers within this.
const READY: Duration = Duration::from_secs(2);
/// It makes the first call that waits within this.
const CALLS: Duration = Duration::from_secs(3);
/// So much memory a conversation takes at most in which nothing happens.
const IDLE_BYTES: f64 = 1024.0;

type Failure = Box<dyn std::error::Error>;

/// What is measured, and with what.
struct Arguments {
    idle: bool,
    count: u64,
    host: PathBuf,
    bot: PathBuf,
}

fn main() -> Result<(), Failure> {
    let arguments = arguments()?;
    let directory = tempfile::tempdir_in(arguments.host.parent().ok_or("no directory")?)?;
    let vendor = Vendor::start()?;
    let host = Host::new(&arguments.host, &arguments.bot, directory.path(), vendor.address());
    host.configure()?;
    let began = Instant::now();
    // The bot is compiled once, before anything is measured.
    let empty = host.start()?.ready()?.memory()?;
    println!("empty: {empty} after {:.1} s", began.elapsed().as_secs_f64());

    let began = Instant::now();
    let kind = if arguments.idle { fill::Kind::Idle } else { fill::Kind::Waiting };
    fill::fill(&host.store(), arguments.count, kind)?;
    let bytes = std::fs::metadata(host.store().join("botyard.db"))?.len();
    let count = arguments.count;
    let seconds = began.elapsed().as_secs_f64();
    println!("filled {count} conversations in {seconds:.0} s: {} MiB", bytes >> 20);
    host::drop_page_cache();
    if arguments.idle { idle(&host, count, &empty) } else { recover(&host, &vendor) }
}

fn recover(host: &Host<'_>, vendor: &Vendor) -> Result<(), Failure> {
    let started = Instant::now();
    let running = host.start()?.ready()?;
    let ready = started.elapsed();
    let first = vendor.first_call(Duration::from_secs(60)).ok_or("no call in a minute")?;
    let first = first.duration_since(started);
    println!("ready after {:.2} s, {} s are the aim", ready.as_secs_f64(), READY.as_secs());
    println!("first call after {:.2} s, {} s are the aim", first.as_secs_f64(), CALLS.as_secs());
    let before = vendor.calls();
    thread::sleep(COUNTED);
    let rate = (vendor.calls() - before) as f64 / COUNTED.as_secs_f64();
    println!("calls a second in the next {} s: {rate:.0}", COUNTED.as_secs());
    println!("memory: {}", running.memory()?);
    if ready > READY || first > CALLS {
        return Err("the host took longer than it should".into());
    }
    Ok(())
}

fn idle(host: &Host<'_>, count: u64, empty: &host::Memory) -> Result<(), Failure> {
    let running = host.start()?.ready()?;
    // Whatever is looked after once has been by then.
    thread::sleep(COUNTED);
    let full = running.memory()?;
    println!("{count} idle conversations: {full}");
    let more = full.own_now.saturating_sub(empty.own_now) * 1024;
    let each = more as f64 / count as f64;
    println!("bytes of memory for each conversation: {each:.1}, {IDLE_BYTES} at most are the aim");
    if each > IDLE_BYTES {
        return Err("idle conversations take more memory than they should".into());
    }
    Ok(())
}

fn arguments() -> Result<Arguments, Failure> {
    let mut arguments = std::env::args().skip(1);
    let (mut idle, mut count, mut host, mut bot) = (false, 1_000_000, None, None);
    while let Some(name) = arguments.next() {
        let mut value = || arguments.next().ok_or_else(|| format!("{name} has no value"));
        match name.as_str() {
            "--idle" => idle = true,
            "--count" => count = value()?.parse()?,
            "--host" => host = Some(PathBuf::from(value()?)),
            "--bot" => bot = Some(PathBuf::from(value()?)),
            _ => return Err(format!("{name}: take --idle, --count, --host, --bot").into()),
        }
    }
    let (host, bot) = (host.ok_or("--host is missing")?, bot.ok_or("--bot is missing")?);
    Ok(Arguments { idle, count, host, bot })
}
