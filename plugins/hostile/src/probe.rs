//! What a bot can find out about the world around it.

use std::collections::hash_map::RandomState;
use std::hash::{BuildHasher as _, Hasher as _};
use std::net::TcpStream;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant, SystemTime};

use crate::wit::botyard::bot::kv::{self, Scope};
use crate::wit::botyard::bot::session::Session;
use crate::wit::botyard::bot::types::Setting;
use crate::wit::botyard::bot::{config, http};

/// Counts turns of one instance: more than one would mean that it was reused.
static TURNS: AtomicU32 = AtomicU32::new(0);

/// Runs a probe by its name and says what it saw.
pub(crate) fn run(name: &str, argument: &str, session: &Session) -> Option<String> {
    Some(match name {
        "echo" => argument.to_owned(),
        "session" => format!("{} {} {}", session.channel, session.turn, session.seed.0),
        "static" => (TURNS.fetch_add(1, Ordering::Relaxed) + 1).to_string(),
        "clocks" => clocks(argument),
        "random" => random(),
        "environment" => environment(),
        "files" => files(),
        "sockets" => sockets(argument),
        "http" => ask(argument),
        "config" => configured(),
        "kv" => keep(argument),
        _ => return None,
    })
}

/// Both clocks before and after sleeping for so many milliseconds.
fn clocks(argument: &str) -> String {
    let pause = Duration::from_millis(argument.parse().unwrap_or(0));
    let (wall, start) = (wall_ms(), Instant::now());
    let unmoved = start.elapsed().as_millis();
    std::thread::sleep(pause);
    format!("{wall} {unmoved} {} {}", start.elapsed().as_millis(), wall_ms() - wall)
}

fn wall_ms() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).map_or(0, |time| time.as_millis())
}

/// The keys of the standard library's hash maps come from `wasi:random`.
fn random() -> String {
    let draw = || RandomState::new().build_hasher().finish();
    format!("{:016x} {:016x}", draw(), draw())
}

fn environment() -> String {
    format!("{} {}", std::env::vars().count(), std::env::args().count())
}

fn files() -> String {
    let read = std::fs::read_dir("/").map(|entries| entries.count());
    let write = std::fs::write("/tmp/hostile", "here");
    format!("{} {}", outcome(read), outcome(write))
}

fn sockets(address: &str) -> String {
    let connect = TcpStream::connect(address);
    let listen = std::net::TcpListener::bind("127.0.0.1:0");
    let datagram = std::net::UdpSocket::bind("127.0.0.1:0");
    format!("{} {} {}", outcome(connect), outcome(listen), outcome(datagram))
}

fn outcome<T>(result: std::io::Result<T>) -> &'static str {
    if result.is_ok() { "allowed" } else { "denied" }
}

/// Runs `verb argument` steps, separated by `;`, and lists what came of them: a
/// `get` of an address, a `post` of so many bytes to one, `often COUNT ADDRESS`,
/// or `bot KEY`, a value of the bot.
fn ask(steps: &str) -> String {
    let results: Vec<String> = steps.split(';').flat_map(|step| ask_one(step.trim())).collect();
    results.join(" ")
}

fn ask_one(step: &str) -> Vec<String> {
    let (verb, rest) = step.split_once(' ').unwrap_or((step, ""));
    let (first, second) = rest.split_once(' ').unwrap_or((rest, ""));
    match verb {
        "get" => vec![send("GET", first, None, second.parse().ok())],
        "post" => vec![send("POST", second, Some(vec![7; first.parse().unwrap_or(0)]), None)],
        "often" => {
            let count = first.parse().unwrap_or(0);
            (0..count).map(|_| send("GET", second, None, None)).collect()
        }
        "bot" => {
            let value = kv::get(Scope::Bot, first).map(|value| value.map(|text| start(&text)));
            vec![format!("{value:?}")]
        }
        _ => vec!["unknown".to_owned()],
    }
}

fn send(method: &str, url: &str, body: Option<Vec<u8>>, timeout_ms: Option<u32>) -> String {
    let method = method.to_owned();
    let url = url.to_owned();
    let request = http::Request { method, url, headers: Vec::new(), body, timeout_ms };
    match http::send(&request) {
        Ok(response) => {
            let shown = start(&String::from_utf8_lossy(&response.body));
            format!("{}:{}:{shown}", response.status, response.body.len())
        }
        Err(error) => format!("{error:?}"),
    }
}

fn start(text: &str) -> String {
    text.chars().take(20).collect()
}

fn configured() -> String {
    let all: Vec<String> = config::all()
        .into_iter()
        .map(|Setting { name, value }| format!("{name}={value}"))
        .collect();
    format!("{:?} {}", config::get("greeting"), all.join(","))
}

/// Runs `scope.verb key value` steps, separated by `;`, and lists their results.
fn keep(steps: &str) -> String {
    let results: Vec<String> = steps.split(';').map(|step| keep_one(step.trim())).collect();
    results.join(" ")
}

fn keep_one(step: &str) -> String {
    let mut words = step.splitn(3, ' ');
    let verb = words.next().unwrap_or_default();
    let key = words.next().unwrap_or_default();
    let value = words.next().unwrap_or_default();
    let (scope, verb) = match verb.split_once('.') {
        Some(("bot", verb)) => (Scope::Bot, verb),
        Some((_, verb)) => (Scope::Conversation, verb),
        None => return "unknown".to_owned(),
    };
    match verb {
        "get" => format!("{:?}", kv::get(scope, key)),
        "set" => format!("{:?}", kv::set(scope, key, value)),
        "fill" => format!("{:?}", kv::set(scope, key, &"x".repeat(value.parse().unwrap_or(0)))),
        "longkey" => format!("{:?}", kv::set(scope, &"k".repeat(257), value)),
        "delete" => format!("{:?}", kv::delete(scope, key)),
        "add" => format!("{:?}", kv::add(scope, key, value.parse().unwrap_or(0))),
        _ => "unknown".to_owned(),
    }
}
