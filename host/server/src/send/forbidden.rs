//! Ways to write an address that must not be reached, each of them tried on the door with
//! a list that allows it: nothing but the rules for addresses stands in the way.

use std::collections::BTreeSet;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::Router;
use axum::response::Redirect;
use axum::routing::get;
use bytes::Bytes;
use http::{HeaderMap, Method};
use tokio::net::TcpListener;
use url::Url;

use super::resolve::Names;
use super::{Door, HostPattern, Outgoing, SecretHeaders, SendError};
use crate::config::Egress;

/// This machine, at a free port.
const OWN: SocketAddr = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
const PATIENCE: Duration = Duration::from_secs(20);
/// So many ways at least.
const LEAST: usize = 150;

/// Addresses of networks that are nobody's business.
const ADDRESSES: [Ipv4Addr; 9] = [
    Ipv4Addr::new(127, 0, 0, 1),
    Ipv4Addr::new(127, 255, 1, 2),
    Ipv4Addr::new(10, 1, 2, 3),
    Ipv4Addr::new(172, 16, 0, 9),
    Ipv4Addr::new(192, 168, 1, 1),
    Ipv4Addr::new(169, 254, 169, 254),
    Ipv4Addr::new(100, 64, 0, 1),
    Ipv4Addr::new(198, 18, 0, 1),
    Ipv4Addr::new(0, 0, 0, 0),
];

/// Hosts that are forbidden by themselves.
const OTHERS: [&str; 22] = [
    "[::]",
    "[::1]",
    "[0:0:0:0:0:0:0:1]",
    "[fe80::1]",
    "[febf::1]",
    "[fc00::1]",
    "[fd00:ec2::254]",
    "[fec0::1]",
    "[ff02::1]",
    "[ff0e::1]",
    "[100::1]",
    "[2001:db8::1]",
    "[2001::1]",
    "[2001:20::1]",
    "[3fff::1]",
    "[3ffe::1]",
    "[5f00::1]",
    "224.0.0.1",
    "255.255.255.255",
    "240.0.0.1",
    "192.0.0.170",
    "localhost",
];

/// The ways to write an address of IPv4 in the host of a URL.
fn ways(address: Ipv4Addr) -> Vec<String> {
    let ([a, b, c, d], n) = (address.octets(), u32::from(address));
    let (low16, low24) = (n & 0xffff, n & 0x00ff_ffff);
    let full_width = |text: &str| -> String {
        let wide = |digit: char| char::from_u32(u32::from(digit) + 0xfee0).unwrap_or(digit);
        text.chars().map(|one| if one.is_ascii_digit() { wide(one) } else { one }).collect()
    };
    let dotted = address.to_string();
    let percent = |text: &str| text.bytes().map(|byte| format!("%{byte:02x}")).collect::<String>();
    let (high, low) = (n >> 16, low16);
    vec![
        dotted.clone(),
        format!("{dotted}."),
        format!("{n}"),
        format!("0x{n:x}"),
        format!("0X{n:08X}"),
        format!("0{n:o}"),
        format!("{a}.{low24}"),
        format!("{a}.{b}.{low16}"),
        format!("0x{a:x}.0x{b:x}.0x{c:x}.0x{d:x}"),
        format!("0{a:o}.0{b:o}.0{c:o}.0{d:o}"),
        format!("000{a:o}.0x{b:x}.{low16}"),
        full_width(&dotted),
        dotted.replace('.', "\u{3002}"),
        dotted.replace('.', "\u{ff0e}"),
        percent(&dotted),
        format!("[::ffff:{dotted}]"),
        format!("[::ffff:{high:x}:{low:x}]"),
        format!("[0:0:0:0:0:ffff:{high:x}:{low:x}]"),
        format!("[::{high:x}:{low:x}]"),
        format!("[::ffff:0:{high:x}:{low:x}]"),
        format!("[64:ff9b::{high:x}:{low:x}]"),
        format!("[64:ff9b:1::{high:x}:{low:x}]"),
        format!("[2002:{high:x}:{low:x}::]"),
        format!("[2001:0:4136:e378:8000:63bf:{:x}:{:x}]", high ^ 0xffff, low ^ 0xffff),
    ]
}

pub(super) fn egress(allow_loopback: bool) -> Egress {
    let (allow_hosts, answer_bytes_max) = (Vec::new(), 1 << 20);
    Egress { allow_loopback, allow_hosts, timeout: PATIENCE, answer_bytes_max }
}

/// A call with a list that allows it.
pub(super) fn allowed(url: &str) -> Option<Outgoing> {
    let allow = Url::parse(url).ok().as_ref().and_then(HostPattern::of)?;
    Some(Outgoing {
        method: Method::GET,
        url: url.to_owned(),
        headers: HeaderMap::new(),
        body: Bytes::new(),
        timeout: PATIENCE,
        answer_bytes_max: 1_000,
        allow: vec![allow],
        secrets: SecretHeaders::default(),
        follow_redirects: true,
    })
}

/// A listener that counts who comes.
pub(super) async fn door_bell(at: SocketAddr) -> (SocketAddr, Arc<AtomicUsize>) {
    let listener = TcpListener::bind(at).await.unwrap();
    let address = listener.local_addr().unwrap();
    let rung = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&rung);
    tokio::spawn(async move {
        while listener.accept().await.is_ok() {
            counted.fetch_add(1, Ordering::SeqCst);
        }
    });
    (address, rung)
}

#[tokio::test]
async fn no_way_of_writing_it_leads_to_a_forbidden_address() {
    let (bell, rung) = door_bell(OWN).await;
    let door = Door::new(&egress(false)).unwrap();
    let all = ADDRESSES.into_iter().flat_map(ways).chain(OTHERS.map(str::to_owned));
    let all: BTreeSet<String> = all.collect();
    let mut tried = 0;
    for host in &all {
        let url = format!("https://{host}:{}/", bell.port());
        // What is no address to the parser of URLs cannot be called at all.
        let Some(call) = allowed(&url) else { continue };
        tried += 1;
        let refused = door.send(call).await.expect_err(&url);
        assert!(matches!(refused, SendError::Denied(_)), "{url}: {refused:?}");
    }
    assert!(tried >= LEAST, "only {tried} of {} are addresses", all.len());
    assert_eq!(rung.load(Ordering::SeqCst), 0, "somebody came");
}

/// The same with the guard off: then the ways do lead there.
#[tokio::test]
async fn where_this_machine_is_allowed_the_ways_lead_to_it() {
    let (bell, rung) = door_bell(OWN).await;
    let door = Door::new(&egress(true)).unwrap();
    let mut reached = 0;
    for host in ways(Ipv4Addr::LOCALHOST) {
        let Some(call) = allowed(&format!("https://{host}:{}/", bell.port())) else { continue };
        // There is no TLS, so it fails behind the connection.
        reached += usize::from(!matches!(door.send(call).await, Err(SendError::Denied(_))));
    }
    assert!(reached >= 10, "{reached}");
    assert!(rung.load(Ordering::SeqCst) >= 10);
}

/// A name server that answers differently each time gains nothing: what was checked is
/// what the connection goes to.
#[tokio::test]
async fn a_name_that_moves_between_check_and_connection_leads_nowhere() {
    let (bell, rung) = door_bell(OWN).await;
    // Nobody answers at the public one (documentation is not public, so a real network),
    // and nobody waits for it.
    let public: SocketAddr = "8.8.8.8:0".parse().unwrap();
    for script in [vec![public, bell], vec![bell, public], vec![public, public, bell]] {
        let asked = Arc::new(AtomicUsize::new(0));
        let counted = Arc::clone(&asked);
        let answer = move |_: &str| {
            let turn = counted.fetch_add(1, Ordering::SeqCst);
            vec![script[turn % script.len()]]
        };
        let door = Door::with(&egress(false), Names::Scripted(Arc::new(answer))).unwrap();
        for _ in 0..6 {
            let mut call = allowed(&format!("https://moves.example:{}/", bell.port())).unwrap();
            call.timeout = Duration::from_millis(50);
            door.send(call).await.expect_err("neither leads anywhere");
        }
        assert_eq!(asked.load(Ordering::SeqCst), 6, "one look for each connection");
    }
    assert_eq!(rung.load(Ordering::SeqCst), 0, "somebody came");
}

#[tokio::test]
async fn a_chain_of_redirects_ends_before_a_forbidden_address() {
    let (bell, rung) = door_bell(OWN).await;
    // One hop on this machine, which is allowed here, leads to a network that is not.
    let inner = ["10.0.0.1", "[fd00::1]", "169.254.169.254", "[64:ff9b::a9fe:a9fe]", "3232235777"];
    for host in inner {
        let to = format!("https://{host}:{}/", bell.port());
        let router = Router::new()
            .route("/", get(|| async { Redirect::temporary("/next") }))
            .route("/next", get(move || async move { Redirect::temporary(&to) }));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, router).await });
        let mut call = allowed(&format!("http://{address}/")).unwrap();
        let target = allowed(&format!("https://{host}:{}/", bell.port())).unwrap();
        call.allow.extend(target.allow);
        let door = Door::new(&egress(true)).unwrap();
        let refused = door.send(call).await.expect_err("it leads to an inner network");
        assert!(matches!(&refused, SendError::Denied(_)), "{host}: {refused:?}");
    }
    assert_eq!(rung.load(Ordering::SeqCst), 0, "somebody came");
}
