//! Arbitrary uploads: what the generator of the WebAssembly project makes up,
//! and real bots with damage. Whatever comes, the answer blames the bot, and
//! the compiler neither breaks nor runs into its limits.

use std::sync::atomic::{AtomicBool, Ordering};

use arbitrary::Unstructured;
use botyard_hostile::build::with;
use botyard_kernel::id::Digest;
use botyard_kernel::run::Blame;
use botyard_runtime::{LoadError, Phase};
use wasm_smith::{Component, Config, Module};

use crate::host::{Host, component, interpreted, own_bytes};

/// Cases of each kind in the normal run.
const CASES: u64 = 120;
/// Of JavaScript and of Python, each of which takes a debug build a minute to compile.
const INTERPRETED_CASES: u64 = 3;
/// What this process, which is the host's here, may have more of its own after all cases than
/// before: other tests beside these, versions that stay linked, and no trace of each case.
const GAINED_BYTES_MAX: u64 = 256 << 20;

/// Endless bytes of a seed.
struct Chance {
    seed: u64,
    drawn: u64,
}

impl Chance {
    fn bytes(&mut self, count: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < count {
            self.drawn += 1;
            let block = Digest::of(format!("{} {}", self.seed, self.drawn).as_bytes());
            bytes.extend_from_slice(block.as_bytes());
        }
        bytes.truncate(count);
        bytes
    }

    /// A number below a bound.
    fn below(&mut self, bound: usize) -> usize {
        let bytes = self.bytes(8).try_into().expect("8 bytes");
        (u64::from_le_bytes(bytes) % bound.max(1) as u64) as usize
    }
}

/// How a place in Wasmtime 48 ends the compiling child that some damage reaches, once in about
/// 2,000 damaged bots: the upload is refused, and the host knows nothing of it. Nothing of this
/// crate says it.
const WASMTIMES_OWN: &str = "the compiler panicked: internal error: entered unreachable code";

/// Whether it came as far as the compiler.
async fn survives(host: &Host, what: &str, seed: u64, upload: &[u8]) -> bool {
    let compiled = AtomicBool::new(false);
    let note = |phase| compiled.store(phase >= Phase::Compiling, Ordering::Relaxed);
    let loaded = host.runtime.load(upload, &"tenant".into(), &note).await;
    let compiled = compiled.into_inner();
    let Err(error) = loaded else { return compiled };
    let words = error.to_string();
    assert_eq!(error.blame(), Blame::Bot, "{what} {seed}: {error}");
    assert!(!matches!(error, LoadError::TooMuchToCompile(_)), "{what} {seed}: {error}");
    let broke = words.contains("the compiler ") && !words.contains(WASMTIMES_OWN);
    assert!(!broke, "{what} {seed}: {error}");
    compiled
}

/// What is refused at sight tells nothing of the compiler.
fn enough(compiled: u64, of: u64, share: u64) {
    println!("{compiled} of {of} came as far as the compiler");
    assert!(compiled * share >= of, "only {compiled} of {of} came as far as the compiler");
}

/// Fails where the cases since then have left too much in the host's memory.
fn gained_little(before: u64) {
    let gained = own_bytes().saturating_sub(before);
    println!("{} MiB more than before", gained >> 20);
    assert!(gained <= GAINED_BYTES_MAX, "{gained} bytes of the host's own stay behind");
}

fn host() -> Host {
    Host::start_with(|config| {
        config.compile.memory_bytes = 512 << 20;
        config.compile.cpu_seconds = 20;
    })
}

fn cases() -> u64 {
    let cases = std::env::var("BOTYARD_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    cases.unwrap_or(CASES)
}

#[tokio::test]
async fn what_is_made_up_breaks_nothing() {
    let (host, mut compiled, before) = (host(), 0, own_bytes());
    for seed in 0..cases() {
        let mut chance = Chance { seed, drawn: 0 };
        let bytes = chance.bytes(2_048);
        let mut source = Unstructured::new(&bytes);
        // Every third one of them has what is switched off here and is refused at sight.
        let config = if seed % 9 < 6 { allowed() } else { Config::default() };
        let upload = match seed % 6 {
            0 => Component::new(config, &mut source).map(|made| made.to_bytes()),
            1 => Module::new(config, &mut source).map(|made| made.to_bytes()),
            // Within a component, so that it comes as far as the compiler.
            _ => Module::new(config, &mut source).map(|made| wrapped(&made.to_bytes())),
        };
        if let Ok(upload) = upload {
            compiled += u64::from(survives(&host, "made up", seed, &upload).await);
        }
    }
    enough(compiled, cases(), 5);
    gained_little(before);
}

#[tokio::test]
async fn damaged_bots_break_nothing() {
    let (host, mut compiled, before) = (host(), 0, own_bytes());
    let whole = [component("echo"), with("", "(i32.const 16)")];
    for seed in 0..cases() {
        let mut chance = Chance { seed, drawn: 0 };
        let upload = &whole[chance.below(whole.len())];
        let upload = damaged(upload.clone(), seed, &mut chance);
        compiled += u64::from(survives(&host, "damaged", seed, &upload).await);
    }
    enough(compiled, cases(), 10);
    gained_little(before);
}

/// They have an interpreter of many MiB in them, and limits of their own.
#[tokio::test]
#[ignore = "takes minutes"]
async fn damaged_interpreted_bots_break_nothing() {
    let (host, before) = (Host::start(), own_bytes());
    for bot in ["echo_js", "echo_py"] {
        let whole = interpreted(bot);
        for seed in 0..INTERPRETED_CASES {
            let mut chance = Chance { seed, drawn: 0 };
            let upload = damaged(whole.clone(), seed, &mut chance);
            survives(&host, bot, seed, &upload).await;
        }
    }
    gained_little(before);
}

fn damaged(mut upload: Vec<u8>, seed: u64, chance: &mut Chance) -> Vec<u8> {
    if seed.is_multiple_of(2) {
        // A single bit often makes another program that is as valid.
        let at = chance.below(upload.len());
        upload[at] ^= 1 << chance.below(8);
    } else {
        for _ in 0..=chance.below(6) {
            damage(&mut upload, chance);
        }
    }
    upload
}

/// Modules of what this host has switched on, as far as the generator can be told.
fn allowed() -> Config {
    Config {
        exceptions_enabled: false,
        gc_enabled: false,
        memory64_enabled: false,
        // With them come references that a collector of garbage looks after.
        reference_types_enabled: false,
        relaxed_simd_enabled: false,
        shared_everything_threads_enabled: false,
        threads_enabled: false,
        ..Config::default()
    }
}

/// A core module in a component with a handler.
fn wrapped(module: &[u8]) -> Vec<u8> {
    let shell = wat::parse_str(
        r#"(component (instance $h) (export "botyard:bot/handler@1.0.0" (instance $h)))"#,
    );
    let mut bytes = shell.expect("valid text");
    let mut length = module.len();
    // Section 1 of a component is a core module.
    let mut section = vec![1];
    loop {
        let more = length > 0x7f;
        section.push((length & 0x7f) as u8 | if more { 0x80 } else { 0 });
        length >>= 7;
        if !more {
            break;
        }
    }
    section.extend_from_slice(module);
    bytes.splice(8..8, section);
    bytes
}

fn damage(bytes: &mut Vec<u8>, chance: &mut Chance) {
    let at = chance.below(bytes.len());
    let end = (at + 1 + chance.below(64)).min(bytes.len());
    match chance.below(7) {
        0 => bytes.truncate(at),
        1 => drop(bytes.drain(at..end)),
        2 => {
            let copied = bytes[at..end].to_vec();
            let to = chance.below(bytes.len());
            bytes.splice(to..to, copied);
        }
        3 => {
            let strange = chance.bytes(end - at);
            bytes.splice(at..end, strange);
        }
        // A length or an index of four billion.
        4 => drop(bytes.splice(at..end.min(at + 5), [0xff, 0xff, 0xff, 0xff, 0x0f])),
        5 => bytes[at] ^= 1 << chance.below(8),
        _ => bytes[at..end].reverse(),
    }
}
