//! All that leaves the host leaves by one door.

use super::tree;

/// What opens connections, and where it may stand besides the door.
const OPENERS: &[(&str, &[&str])] = &[
    // A command that calls a host elsewhere is a process of its own.
    ("reqwest", &["host/server/src/send/", "host/server/src/cli/management/mod.rs"]),
    // The local socket of commands.
    ("hyper::client", &["host/server/src/send/", "host/server/src/admin/client.rs"]),
    ("hyper_util::client", &["host/server/src/send/"]),
    ("TcpStream::connect", &["host/server/src/send/"]),
    ("UdpSocket", &["host/server/src/send/"]),
    ("lookup_host", &["host/server/src/send/"]),
];

#[test]
fn only_the_door_opens_connections() {
    let mut named = Vec::new();
    for folder in ["host/server/src", "host/runtime/src", "host/store/src"] {
        for file in tree::product(folder) {
            let (name, text) = (tree::name(&file), tree::text(&file));
            // What is compiled for tests only stands at the end of a file.
            let text = text.split("#[cfg(test)]").next().unwrap_or_default();
            let found = openers(&name, text);
            assert_eq!(found, [""; 0], "{name}: calls go by `send::Door`, which checks them");
            named.extend(OPENERS.iter().map(|(opener, _)| *opener).filter(|it| text.contains(it)));
        }
    }
    for opener in ["reqwest", "hyper::client", "lookup_host"] {
        assert!(named.contains(&opener), "`{opener}` has another name now: correct this test");
    }
}

#[test]
fn the_search_finds_what_opens_connections() {
    assert_eq!(openers("host/server/src/work/a.rs", "use reqwest::Client;"), ["reqwest"]);
    let two = "TcpStream::connect(a); hyper::client::conn::http1::handshake(b)";
    assert_eq!(openers("host/store/src/a.rs", two), ["hyper::client", "TcpStream::connect"]);
    assert!(openers("host/server/src/send/door.rs", two).is_empty());
    assert!(openers("host/server/src/http/a.rs", "use tokio::net::TcpStream;").is_empty());
}

/// What a file names although it may not.
fn openers(name: &str, text: &str) -> Vec<&'static str> {
    let may = |places: &[&str]| places.iter().any(|place| name.starts_with(place));
    let named = OPENERS.iter().filter(|(opener, places)| text.contains(opener) && !may(places));
    named.map(|(opener, _)| *opener).collect()
}
