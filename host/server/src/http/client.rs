//! Who sent a request, when proxies stand between.

use std::net::{IpAddr, SocketAddr};

use http::HeaderMap;
use http::header::CONTENT_LENGTH;
use ipnet::IpNet;

/// The address of the client: the peer's own, or the last one in
/// `X-Forwarded-For` that is not a trusted proxy's, if the peer is one.
pub fn address(peer: SocketAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    let is_trusted = |address: &IpAddr| {
        let address = address.to_canonical();
        trusted.iter().any(|net| net.contains(&address))
    };
    let mut client = peer.ip().to_canonical();
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .collect();
    for hop in forwarded.into_iter().rev() {
        if !is_trusted(&client) {
            break;
        }
        // What a trusted proxy passes on unread is worth nothing.
        let Ok(hop) = hop.trim().parse::<IpAddr>() else { break };
        client = hop.to_canonical();
    }
    client
}

/// How many bytes the body of a request will have, as its head says; the limit
/// where it does not say.
pub(super) fn body_bytes(headers: &HeaderMap, limit: usize) -> usize {
    let length = headers.get(CONTENT_LENGTH).and_then(|value| value.to_str().ok());
    length.and_then(|length| length.parse().ok()).unwrap_or(limit).min(limit)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(peer: &str, forwarded: &[&str], expect: &str) {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().expect("a header"));
        }
        let trusted = ["10.0.0.0/8".parse().expect("a net"), "::1/128".parse().expect("a net")];
        let peer = SocketAddr::new(peer.parse().expect("an address"), 1234);
        let expect: IpAddr = expect.parse().expect("an address");
        assert_eq!(address(peer, &headers, &trusted), expect, "{peer} {forwarded:?}");
    }

    #[test]
    fn only_trusted_proxies_are_believed() {
        check("192.0.2.1", &[], "192.0.2.1");
        check("192.0.2.1", &["198.51.100.7"], "192.0.2.1");
        check("10.0.0.1", &["198.51.100.7"], "198.51.100.7");
        check("10.0.0.1", &["203.0.113.9, 198.51.100.7"], "198.51.100.7");
        check("10.0.0.1", &["203.0.113.9", "10.2.2.2"], "203.0.113.9");
        check("10.0.0.1", &["203.0.113.9, 10.2.2.2"], "203.0.113.9");
        check("10.0.0.1", &["nonsense"], "10.0.0.1");
        check("10.0.0.1", &[], "10.0.0.1");
        check("::ffff:10.0.0.1", &["198.51.100.7"], "198.51.100.7");
        check("::1", &["2001:db8::1"], "2001:db8::1");
    }
}
