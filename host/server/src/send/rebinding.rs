//! Names that move, told by a live name server: the system's own resolver asks it, and the
//! door connects to what was checked or to nothing.
//!
//! For this the test runs once more in a network of its own, in which it is the name server
//! and in which a public address leads to it, too.

use std::io::Write as _;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::net::UdpSocket;

use super::forbidden::{allowed, door_bell, egress};
use super::{Door, SendError};

/// Set where the test runs in its own network.
const INSIDE: &str = "BOTYARD_REBINDING_INSIDE";
/// Leads to the test itself in its own network.
const PUBLIC: Ipv4Addr = Ipv4Addr::new(8, 8, 8, 8);
const LOCAL: Ipv4Addr = Ipv4Addr::LOCALHOST;
const INNER: Ipv4Addr = Ipv4Addr::new(10, 0, 0, 1);
/// Makes the network; `$1` is the file that names the name server.
const NETWORK: &str = r#"
    set -e
    ip link set lo up
    ip address add 8.8.8.8/32 dev lo
    ip address add 10.0.0.1/32 dev lo
    mount --bind "$1" /etc/resolv.conf
    shift
    exec "$@"
"#;

#[tokio::test]
async fn names_of_a_live_name_server_that_move_lead_nowhere() {
    if std::env::var_os(INSIDE).is_some() {
        return inside().await;
    }
    let unshare = || {
        let mut unshare = Command::new("unshare");
        unshare.args(["--mount", "--net", "--map-root-user"]);
        unshare
    };
    // Some containers forbid it; the scripted names of the other tests remain.
    if !unshare().arg("true").status().is_ok_and(|status| status.success()) {
        // Written past the test runner, which keeps to itself what passes.
        let why = "not tested: this system lets nobody make a network of their own";
        return writeln!(std::io::stderr(), "{why}").unwrap();
    }
    let directory = tempfile::tempdir().unwrap();
    let settings = directory.path().join("resolv.conf");
    std::fs::write(&settings, format!("nameserver {LOCAL}\noptions attempts:1\n")).unwrap();
    let mut again = unshare();
    again.args(["sh", "-c", NETWORK, "sh"]).arg(settings).arg(std::env::current_exe().unwrap());
    let name = "send::rebinding::names_of_a_live_name_server_that_move_lead_nowhere";
    again.args(["--exact", name, "--nocapture"]).env(INSIDE, "1");
    let output = again.output().unwrap();
    let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

async fn inside() {
    let asked = name_server().await;
    let bells = Bells::hang().await;
    let strict = Door::new(&egress(false)).unwrap();
    let denied = async |door: &Door, name: &str| {
        let call = allowed(&format!("https://{name}:{}/", bells.port)).unwrap();
        // Nobody here speaks TLS, so each call fails; the question is how.
        matches!(door.send(call).await.expect_err(name), SendError::Denied(_))
    };

    // Whoever keeps to a public address is reached: names do lead somewhere here.
    assert!(!denied(&strict, "stays.example").await);
    assert_eq!(bells.rung(), [1, 0, 0]);
    // Each connection asks anew, and goes to what it was told or nowhere.
    for round in 0..8 {
        assert_eq!(denied(&strict, "moves.example").await, round % 2 == 1, "round {round}");
    }
    for name in ["mixes.example", "inner.example", "mapped.example", "translated.example"] {
        assert!(denied(&strict, name).await, "{name}");
    }
    assert_eq!(bells.rung(), [5, 0, 0], "somebody came");
    assert_eq!(asked.load(Ordering::SeqCst), 8);

    // With the guard off, the same name server leads there.
    let loose = Door::new(&egress(true)).unwrap();
    for _ in 0..2 {
        assert!(!denied(&loose, "moves.example").await);
    }
    assert_eq!(bells.rung(), [6, 1, 0]);
}

/// Listeners at the public address, at this machine's own and at an inner one.
struct Bells {
    port: u16,
    rung: [Arc<AtomicUsize>; 3],
}

impl Bells {
    async fn hang() -> Self {
        let (address, public) = door_bell(SocketAddr::from((PUBLIC, 0))).await;
        let port = address.port();
        let (_, local) = door_bell(SocketAddr::from((LOCAL, port))).await;
        let (_, inner) = door_bell(SocketAddr::from((INNER, port))).await;
        Self { port, rung: [public, local, inner] }
    }

    fn rung(&self) -> [usize; 3] {
        self.rung.each_ref().map(|rung| rung.load(Ordering::SeqCst))
    }
}

/// Answers questions for addresses; answers how often it was asked for one that moves.
async fn name_server() -> Arc<AtomicUsize> {
    let socket = UdpSocket::bind((LOCAL, 53)).await.unwrap();
    let moved = Arc::new(AtomicUsize::new(0));
    let counted = Arc::clone(&moved);
    tokio::spawn(async move {
        let mut question = [0; 512];
        while let Ok((length, whose)) = socket.recv_from(&mut question).await {
            let answer = answer(&question[..length], &counted);
            socket.send_to(&answer, whose).await.unwrap();
        }
    });
    moved
}

/// What a name is told to be: for each question the next one, or all at once.
fn addresses(name: &str, moved: &AtomicUsize) -> Vec<IpAddr> {
    match name {
        "stays.example" => vec![PUBLIC.into()],
        "moves.example" => {
            let turn = moved.fetch_add(1, Ordering::SeqCst);
            vec![if turn.is_multiple_of(2) { PUBLIC } else { LOCAL }.into()]
        }
        "mixes.example" => vec![PUBLIC.into(), INNER.into()],
        "inner.example" => vec![INNER.into()],
        "mapped.example" => vec![LOCAL.to_ipv6_mapped().into()],
        "translated.example" => vec!["64:ff9b::7f00:1".parse().unwrap()],
        other => panic!("nobody asks for {other}"),
    }
}

/// The answer to a question, in the form of RFC 1035: its head and the question again, and
/// behind them the addresses of the kind that was asked for, which nobody may keep.
fn answer(question: &[u8], moved: &AtomicUsize) -> Vec<u8> {
    const HEAD: usize = 12;
    let (mut at, mut labels) = (HEAD, Vec::new());
    while question[at] != 0 {
        let end = at + 1 + usize::from(question[at]);
        labels.push(String::from_utf8_lossy(&question[at + 1..end]).into_owned());
        at = end;
    }
    let kind = u16::from_be_bytes([question[at + 1], question[at + 2]]);
    let all = match kind {
        1 => addresses(&labels.join("."), moved),
        // A name that moves counts its questions for addresses of IPv4 only.
        28 => addresses(&labels.join("."), &AtomicUsize::new(0)),
        _ => Vec::new(),
    };
    let bytes = |address: &IpAddr| match (kind, address) {
        (1, IpAddr::V4(address)) => Some(address.octets().to_vec()),
        (28, IpAddr::V6(address)) => Some(address.octets().to_vec()),
        _ => None,
    };
    let records: Vec<_> = all.iter().filter_map(bytes).collect();
    let mut answer = question[..2].to_vec();
    answer.extend([0x81, 0x80, 0, 1, 0, records.len() as u8, 0, 0, 0, 0]);
    answer.extend(&question[HEAD..at + 5]);
    for record in records {
        // The name of the question, the kind, the class, no time to keep it.
        answer.extend([0xc0, HEAD as u8, 0, kind as u8, 0, 1, 0, 0, 0, 0, 0]);
        answer.push(record.len() as u8);
        answer.extend(record);
    }
    answer
}
