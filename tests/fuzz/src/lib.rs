//! Webhooks out of any bytes, given to a vendor's parser.
//!
//! The fuzz targets are this and nothing else, so that a plain build compiles all that
//! they do. cargo-fuzz gives them what it makes up; without it they are programs that
//! play a small corpus.

mod seeds;

use std::cell::RefCell;
use std::sync::Arc;

use botyard_vendors::{Inbound, Received, To, Vendor, known};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The time of all webhooks.
const NOW: u64 = 1_700_000_000_000;
/// A corpus of fewer payloads is none.
const SEEDS_MIN: usize = 10;

/// The fuzz target of a vendor.
#[macro_export]
macro_rules! target {
    ($vendor:literal) => {
        #[cfg(fuzzing)]
        ::libfuzzer_sys::fuzz_target!(|input: &[u8]| {
            $crate::receive($vendor, input);
        });

        #[cfg(not(fuzzing))]
        fn main() {
            $crate::play($vendor);
        }
    };
}

/// A webhook that is not yet read.
struct Webhook<'a> {
    method: Method,
    rest: &'a str,
    query: Option<&'a str>,
    headers: HeaderMap,
    body: Bytes,
}

/// Gives a vendor's parser what it really sends, and the same cut off. Where
/// `BOTYARD_WRITE_SEEDS` is set, the payloads become files for cargo-fuzz to begin with.
pub fn play(vendor: &str) {
    let seeds = seeds::of(vendor);
    let mut events = 0;
    for seed in &seeds {
        events += receive(vendor, seed);
        for end in [1, 2, 3, seed.len() / 2, seed.len().saturating_sub(1)] {
            receive(vendor, &seed[..end.min(seed.len())]);
        }
    }
    let count = seeds.len();
    assert!(count >= SEEDS_MIN && events >= SEEDS_MIN, "{vendor}: {count} seeds, {events} events");
    if std::env::var_os("BOTYARD_WRITE_SEEDS").is_some() {
        seeds::write(vendor, &seeds);
    }
}

/// Reads bytes as a webhook: `METHOD rest?query`, lines of headers, an empty line, and the
/// body. What does not begin like that is a body alone. Nothing may panic. Says how many
/// events there were.
pub fn receive(vendor: &str, input: &[u8]) -> usize {
    thread_local! {
        static CHANNEL: RefCell<Option<Arc<dyn Vendor>>> = const { RefCell::new(None) };
    }
    CHANNEL.with_borrow_mut(|channel| {
        let connected = channel.take_if(|channel| channel.name() == vendor);
        let channel = channel.insert(connected.unwrap_or_else(|| {
            let known = known(vendor).expect("a vendor of this name");
            (known.connect)((known.sample)()).expect("settings that are right")
        }));
        give(&**channel, &Webhook::read(input))
    })
}

/// As it is; and as if it had been verified, as nobody guesses a signature.
fn give(vendor: &dyn Vendor, webhook: &Webhook<'_>) -> usize {
    let Webhook { method, rest, query, headers, body } = webhook;
    let query = *query;
    let request = Inbound { method, rest, query, headers, body, chance: Default::default() };
    let _ = vendor.receive(&request, NOW);
    let Received::Events { events, .. } = vendor.read(&request, NOW) else { return 0 };
    for event in &events {
        let reply_to = event.reply_to.as_deref();
        let to = To { reply_to, form: event.form, ..To::conversation(&event.conversation) };
        let _ = vendor.answer(&to, &[]);
        if let Some(token) = &event.acknowledge {
            let _ = vendor.acknowledge(&to, token);
        }
    }
    events.len()
}

impl<'a> Webhook<'a> {
    fn read(input: &'a [u8]) -> Self {
        Self::with_head(input).unwrap_or_else(|| Self {
            method: Method::POST,
            rest: "",
            query: None,
            headers: HeaderMap::new(),
            body: Bytes::copy_from_slice(input),
        })
    }

    fn with_head(input: &'a [u8]) -> Option<Self> {
        let end = input.windows(2).position(|pair| pair == b"\n\n")?;
        let head = std::str::from_utf8(&input[..end]).ok()?;
        let mut lines = head.split('\n');
        let (method, address) = lines.next()?.split_once(' ')?;
        let (rest, query) =
            address.split_once('?').map_or((address, None), |(rest, query)| (rest, Some(query)));
        let headers = lines.filter_map(|line| {
            let (name, value) = line.split_once(':')?;
            let name = HeaderName::from_bytes(name.trim().as_bytes()).ok()?;
            Some((name, HeaderValue::from_str(value.trim()).ok()?))
        });
        Some(Self {
            method: method.parse().ok()?,
            rest,
            query,
            headers: headers.collect(),
            body: Bytes::copy_from_slice(&input[end + 2..]),
        })
    }
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use botyard_vendors::VENDORS;

    use super::*;

    /// `fuzz` is no member of the workspace, so a target that is not in both manifests is
    /// compiled by nobody, or never fuzzed.
    #[test]
    fn every_vendor_has_a_target_in_both_manifests() {
        let own = Path::new(env!("CARGO_MANIFEST_DIR"));
        let manifests = [own.join("Cargo.toml"), own.join("../../fuzz/Cargo.toml")];
        for manifest in manifests {
            let text = std::fs::read_to_string(&manifest).unwrap();
            for known in VENDORS {
                let name = format!("name = \"{}\"", known.name);
                assert!(text.contains(&name), "{}: no target {}", manifest.display(), known.name);
            }
        }
    }

    #[test]
    fn what_a_seed_says_is_what_the_parser_gets() {
        let input = b"PUT tickets/a?uid=7\nX-Secret: s\nno header\n\n{\"a\":1}\n\n";
        let webhook = Webhook::read(input);
        assert_eq!((webhook.method, webhook.rest), (Method::PUT, "tickets/a"));
        assert_eq!((webhook.query, webhook.headers.len()), (Some("uid=7"), 1));
        assert_eq!(webhook.body, "{\"a\":1}\n\n");
        for alone in [&b"{}"[..], b"\n\n", b"POST\n\nx", b"\xff \n\n", b""] {
            let webhook = Webhook::read(alone);
            assert_eq!((webhook.method, &webhook.body[..]), (Method::POST, alone));
        }
    }

    #[test]
    fn a_second_vendor_gets_what_is_for_it() {
        let said = r#"{"info":{"cid":"c"},"packet":{"name":"message","payload":{"body":"hi"}}}"#;
        assert_eq!(receive("userlike", said.as_bytes()), 1);
        assert_eq!(receive("messenger", said.as_bytes()), 0);
        assert_eq!(receive("userlike", said.as_bytes()), 1);
    }
}
