//! What a bot must not get away with.

use std::hint::black_box;
use std::io::Write as _;

use crate::say;
use crate::wit::botyard::bot::action::{Action, Media};
use crate::wit::botyard::bot::log::{Level, log};

/// Runs an attack by its name; most do not come back.
pub(crate) fn run(name: &str, argument: &str) -> Option<Vec<Action>> {
    match name {
        "spin" => spin(),
        "allocate" => allocate(number(argument)),
        "recurse" => Some(vec![say(recurse(black_box(0)).to_string())]),
        "panic" => panic_in_a_named_function(argument),
        "actions" => Some((0..number(argument)).map(|index| say(index.to_string())).collect()),
        "result" => Some(vec![say("x".repeat(number(argument)))]),
        "media" => Some(vec![media("x".repeat(number(argument)))]),
        "log" => Some(flood_log(number(argument))),
        "lines" => Some(flood_lines(number(argument))),
        "stdout" => Some(print(argument)),
        "stderr" => Some(complain(argument)),
        "exit" => std::process::exit(number(argument) as i32),
        "forever" => wait_forever(),
        _ => None,
    }
}

fn number(argument: &str) -> usize {
    argument.parse().unwrap_or(0)
}

fn spin() -> ! {
    let mut count = 0_u64;
    loop {
        count = black_box(count.wrapping_add(1));
    }
}

/// Takes memory, a mebibyte at a time, and touches every page of it.
fn allocate(mebibytes: usize) -> Option<Vec<Action>> {
    let blocks: Vec<Vec<u8>> = (0..mebibytes).map(|index| vec![index as u8 | 1; 1 << 20]).collect();
    let sum: usize = blocks.iter().map(|block| usize::from(block[block.len() / 2])).sum();
    Some(vec![say(format!("took {mebibytes} MiB, sum {}", black_box(sum)))])
}

/// Keeps nothing in memory, so that the host's own stack is what runs out.
#[inline(never)]
fn recurse(depth: u64) -> u64 {
    if depth == u64::MAX { 0 } else { recurse(depth + 1).wrapping_mul(31) ^ depth }
}

#[inline(never)]
fn panic_in_a_named_function(text: &str) -> ! {
    panic!("{text}")
}

fn media(link: String) -> Action {
    Action::Media(Media { link, name: None, mime_type: None, caption: None })
}

fn flood_log(bytes: usize) -> Vec<Action> {
    let line = "x".repeat(1_000);
    for _ in 0..bytes / line.len() {
        log(Level::Info, &line);
    }
    vec![say("logged")]
}

fn flood_lines(lines: usize) -> Vec<Action> {
    for _ in 0..lines {
        log(Level::Debug, "");
    }
    vec![say("logged")]
}

fn print(text: &str) -> Vec<Action> {
    println!("{text}");
    print!("no newline");
    let _ = std::io::stdout().flush();
    vec![say("printed")]
}

fn complain(text: &str) -> Vec<Action> {
    eprintln!("{text}");
    vec![say("complained")]
}

/// Sleeps a day at a time. The host's clock jumps, so only CPU time ends it.
fn wait_forever() -> ! {
    loop {
        std::thread::sleep(std::time::Duration::from_secs(86_400));
    }
}
