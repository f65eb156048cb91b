//! No webhook, however strange, ends a parser or makes it say what the host cannot keep.

use std::collections::BTreeMap;

use botyard_kernel::action::Action;
use botyard_kernel::id::PartId;
use botyard_vendors::{Inbound, Part, Received, To, VENDORS, Vendor};
use bytes::Bytes;
use http::{HeaderMap, HeaderName, HeaderValue, Method};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use crate::golden::{self, Golden};
use crate::samples;

const NOW: u64 = 1_700_000_000_000;
/// [`botyard_vendors::Incoming::reply_to`] has no more.
const REPLY_TO_BYTES_MAX: usize = 4 * 1024;
/// A raw payload that is kept has no more.
const RAW_BYTES_MAX: usize = 64 * 1024;

/// Reads a webhook as if it had been verified, and uses all that comes of it.
fn survive(vendor: &dyn Vendor, request: &Inbound<'_>) {
    if let Received::Rejected(rejection) = vendor.receive(request, NOW) {
        assert!(!rejection.reason.contains("a-sample"), "{}", rejection.reason);
        let _ = vendor.refusal(&rejection);
    }
    let Received::Events { events, .. } = vendor.read(request, NOW) else { return };
    let id = PartId::from("t1.0.0");
    let action: Action =
        serde_json::from_value(json!({ "name": "message", "payload": { "text": "a" } })).unwrap();
    for event in events {
        let reply_to = event.reply_to.as_deref();
        assert!(reply_to.is_none_or(|it| it.len() <= REPLY_TO_BYTES_MAX), "{reply_to:?}");
        assert!(event.raw.as_ref().is_none_or(|raw| raw.len() <= RAW_BYTES_MAX));
        let to = To { reply_to, form: event.form, ..To::conversation(&event.conversation) };
        let reply = vendor.answer(&to, &[]);
        assert!(reply.status.is_success(), "{reply:?}");
        let _ = vendor.call_at(&to, &[Part { id: &id, action: &action, context: None }], NOW);
        if let Some(token) = &event.acknowledge {
            let _ = vendor.acknowledge(&to, token);
        }
    }
}

/// What follows the channel's name: what vendors use, and anything.
fn rest() -> impl Strategy<Value = String> {
    let known =
        ["", "text/menu", "gallery/a", "tickets", "tickets/a", "secure/send", "secure/user"];
    prop_oneof![4 => select(known.map(str::to_owned).to_vec()), 1 => ".{0,40}"]
}

fn headers() -> impl Strategy<Value = HeaderMap> {
    let names = select(vec![
        "api-security-token",
        "authorization",
        "content-type",
        "x-hmac-signature",
        "x-hub-signature",
        "x-hub-signature-256",
        "x-secret",
    ]);
    let value = prop_oneof![
        prop::collection::vec(any::<u8>(), 0..80),
        "(Basic|Bearer|sha1=|sha256=|)[ a-zA-Z0-9+/=:]{0,60}".prop_map(String::into_bytes),
    ];
    prop::collection::vec((names, value), 0..4).prop_map(|pairs| {
        let pairs = pairs.into_iter().filter_map(|(name, value)| {
            let value = HeaderValue::from_bytes(&value).ok()?;
            Some((HeaderName::from_static(name), value))
        });
        pairs.collect()
    })
}

/// What is done to a good payload.
#[derive(Clone, Debug)]
enum Change {
    /// A piece is something else.
    Replace(Index, &'static str),
    /// A piece is missing.
    Remove(Index),
    /// A piece is a text that is much too long.
    Lengthen(Index, char),
    /// A piece is nested much too deeply.
    Nest(Index),
    /// It ends early.
    Cut(Index),
    /// Some bytes are others.
    Overwrite(Vec<(Index, u8)>),
    /// Something stands between.
    Insert(Index, Vec<u8>),
}

fn change() -> impl Strategy<Value = Change> {
    let pieces = vec![
        "null",
        "7",
        "-1",
        "1e300",
        "18446744073709551616",
        "[]",
        "{}",
        "\"\"",
        "true",
        "[{}]",
    ];
    let at = any::<Index>;
    prop_oneof![
        4 => (at(), select(pieces)).prop_map(|(at, piece)| Change::Replace(at, piece)),
        2 => at().prop_map(Change::Remove),
        1 => (at(), select(vec!['a', 'é', '👍', '\u{0}'])).prop_map(|(at, c)| Change::Lengthen(at, c)),
        1 => at().prop_map(Change::Nest),
        1 => at().prop_map(Change::Cut),
        2 => prop::collection::vec((at(), any::<u8>()), 1..8).prop_map(Change::Overwrite),
        1 => (at(), prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, bytes)| Change::Insert(at, bytes)),
    ]
}

/// The bytes of a payload to which these things were done.
fn changed(payload: &Value, changes: &[Change]) -> Vec<u8> {
    let mut value = payload.clone();
    for change in changes {
        let mut paths = Vec::new();
        samples::paths(&value, "", &mut paths);
        let mut put = |at: &Index, with: Value| {
            if let Some(piece) = value.pointer_mut(&paths[at.index(paths.len())]) {
                *piece = with;
            }
        };
        match change {
            Change::Replace(at, piece) => put(at, serde_json::from_str(piece).unwrap()),
            Change::Lengthen(at, c) => put(at, c.to_string().repeat(70_000).into()),
            Change::Nest(at) => put(at, (0..100).fold(json!(1), |inner, _| json!([inner]))),
            Change::Remove(at) => remove(&mut value, &paths[at.index(paths.len())]),
            Change::Cut(_) | Change::Overwrite(_) | Change::Insert(..) => {}
        }
    }
    let mut bytes = value.to_string().into_bytes();
    for change in changes {
        match change {
            Change::Cut(at) => bytes.truncate(at.index(bytes.len() + 1)),
            Change::Overwrite(places) if !bytes.is_empty() => {
                for (at, byte) in places {
                    let length = bytes.len();
                    bytes[at.index(length)] = *byte;
                }
            }
            Change::Insert(at, more) => {
                let at = at.index(bytes.len() + 1);
                bytes.splice(at..at, more.iter().copied());
            }
            _ => {}
        }
    }
    bytes
}

fn remove(value: &mut Value, path: &str) {
    let Some((parent, key)) = path.rsplit_once('/') else { return };
    match value.pointer_mut(parent) {
        Some(Value::Object(fields)) => {
            fields.shift_remove(key);
        }
        Some(Value::Array(items)) => {
            key.parse().into_iter().for_each(|at: usize| drop(items.remove(at)));
        }
        _ => {}
    }
}

proptest! {
    /// Arbitrary bytes, by every method, at every address, with any headers.
    #[test]
    fn any_request_has_an_answer(
        body in prop::collection::vec(any::<u8>(), 0..600),
        method in select(vec![Method::GET, Method::POST, Method::PUT, Method::HEAD, Method::DELETE]),
        rest in rest(),
        query in option::of("(hub\\.(mode|challenge|verify_token)|text|uid|a)=[^ #]{0,40}"),
        headers in headers(),
    ) {
        let body = Bytes::from(body);
        for known in VENDORS {
            let (method, rest, query) = (&method, &*rest, query.as_deref());
            let headers = &headers;
            let request =
                Inbound { method, rest, query, headers, body: &body, chance: Default::default() };
            survive(&*crate::channel(known.name), &request);
        }
    }

    /// What a vendor really sends, with something wrong in it.
    #[test]
    fn a_damaged_payload_has_an_answer(
        which in any::<Index>(),
        changes in prop::collection::vec(change(), 1..4),
        headers in headers(),
    ) {
        let mut vendors: BTreeMap<_, Vec<Golden>> = BTreeMap::new();
        for golden in golden::all() {
            vendors.entry(golden.vendor).or_default().push(golden);
        }
        for (vendor, goldens) in vendors {
            let golden = &goldens[which.index(goldens.len())];
            let body = Bytes::from(changed(&golden.body, &changes));
            survive(&*crate::channel(vendor), &golden.inbound(&headers, &body));
        }
    }
}

#[test]
fn every_vendor_has_golden_payloads_which_survive_as_they_are() {
    let goldens = golden::all();
    for known in VENDORS {
        let own = goldens.iter().filter(|golden| golden.vendor == known.name);
        let channel = crate::channel(known.name);
        let mut count = 0;
        for golden in own {
            let body = Bytes::from(golden.body.to_string());
            survive(&*channel, &golden.inbound(&HeaderMap::new(), &body));
            count += 1;
        }
        assert!(count >= 10, "{}: {count}", known.name);
    }
}
