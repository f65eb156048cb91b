//! A webhook out of any bytes, given to a vendor's parser.

use std::cell::RefCell;
use std::sync::Arc;

use botyard_vendors::{Inbound, Received, To, Vendor, known};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};

/// The time of all webhooks.
const NOW: u64 = 1_700_000_000_000;

/// A webhook that is not yet read.
struct Webhook<'a> {
    method: Method,
    rest: &'a str,
    query: Option<&'a str>,
    headers: HeaderMap,
    body: Bytes,
}

/// Reads bytes as a webhook: `METHOD rest?query`, lines of headers, an empty line, and the
/// body. What does not begin like that is a body alone. Nothing may panic.
pub fn receive(vendor: &str, input: &[u8]) {
    thread_local! {
        static CHANNEL: RefCell<Option<Arc<dyn Vendor>>> = const { RefCell::new(None) };
    }
    CHANNEL.with_borrow_mut(|channel| {
        let channel = channel.get_or_insert_with(|| {
            let known = known(vendor).expect("a vendor of this name");
            (known.connect)((known.sample)()).expect("settings that are right")
        });
        give(&**channel, &Webhook::read(input));
    });
}

/// As if it had been verified, as nobody guesses a signature; and as it is.
fn give(vendor: &dyn Vendor, webhook: &Webhook<'_>) {
    let Webhook { method, rest, query, headers, body } = webhook;
    let query = *query;
    let request = Inbound { method, rest, query, headers, body, chance: Default::default() };
    let _ = vendor.receive(&request, NOW);
    let Received::Events { events, .. } = vendor.read(&request, NOW) else { return };
    for event in events {
        let reply_to = event.reply_to.as_deref();
        let to = To { reply_to, form: event.form, ..To::conversation(&event.conversation) };
        let _ = vendor.answer(&to, &[]);
        if let Some(token) = &event.acknowledge {
            let _ = vendor.acknowledge(&to, token);
        }
    }
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
