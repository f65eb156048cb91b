//! Which hosts may be reached.

use std::fmt;

use url::{Host, Url};

/// A host that may be reached, or all hosts under a name, at one port.
///
/// Without a port the usual one of the scheme is meant.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct HostPattern {
    /// In the form of the `url` crate: lower case, punycode, addresses in one way.
    host: Host,
    below: bool,
    port: Option<u16>,
}

impl HostPattern {
    /// What is expected of a text, for errors.
    pub const EXPECTED: &str = "a host like \"shop.example.com\", \"*.example.com\" or \
                                \"shop.example.com:8443\"";

    /// Reads `example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`, with
    /// `:port` if need be.
    ///
    /// # Errors
    /// What is wrong, in words that go on after [`Self::EXPECTED`].
    pub fn parse(text: &str) -> Result<Self, String> {
        let (name, port) = split_port(text)?;
        let (name, below) = match name.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (name, false),
        };
        // The parser of URLs decodes percent signs and lets stars be.
        if name.contains(['%', '*']) {
            return Err(format!("`{text}` is none: a `*.` may stand in front, nothing else"));
        }
        let host = Host::parse(name).map_err(|error| format!("`{text}` is none, {error}"))?;
        if below && !matches!(&host, Host::Domain(name) if name.contains('.')) {
            return Err(format!("`{text}` is too wide: `*.` needs a name with a dot behind it"));
        }
        Ok(Self { host, below, port })
    }

    /// Exactly the host and the port of an address; nothing for an address
    /// without a host or of a scheme without a usual port.
    pub fn of(url: &Url) -> Option<Self> {
        let host = url.host()?.to_owned();
        Some(Self { host, below: false, port: Some(url.port_or_known_default()?) })
    }

    /// Whether an address is at such a host and port.
    pub fn matches(&self, url: &Url) -> bool {
        let port = match self.port {
            Some(port) => url.port_or_known_default() == Some(port),
            // The `url` crate drops a port that is the scheme's usual one.
            None => url.port().is_none(),
        };
        port && match (&self.host, url.host()) {
            (Host::Domain(name), Some(Host::Domain(host))) if self.below => host
                .strip_suffix(name.as_str())
                .is_some_and(|sub| sub.strip_suffix('.').is_some_and(|sub| !sub.is_empty())),
            (own, Some(host)) => !self.below && *own == host.to_owned(),
            (_, None) => false,
        }
    }
}

impl fmt::Display for HostPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.host)?;
        self.port.map_or(Ok(()), |port| write!(f, ":{port}"))
    }
}

/// Splits off a port; the colons of an address in brackets are none.
fn split_port(text: &str) -> Result<(&str, Option<u16>), String> {
    let Some((name, port)) = text.rsplit_once(':').filter(|(_, port)| !port.ends_with(']')) else {
        return Ok((text, None));
    };
    let digits = !port.is_empty() && port.bytes().all(|byte| byte.is_ascii_digit());
    match port.parse::<u16>() {
        Ok(number) if digits && number > 0 => Ok((name, Some(number))),
        _ => Err(format!("`{text}` has no port from 1 to 65535 behind its colon")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pattern_says_which_hosts_and_ports() {
        for (pattern, url, expected) in [
            ("shop.example.com", "https://shop.example.com/a?b=c", true),
            ("shop.example.com", "https://SHOP.example.com:443/", true),
            ("shop.example.com", "http://shop.example.com/", true),
            ("SHOP.Example.com", "https://shop.example.com/", true),
            ("shop.example.com", "https://shop.example.com:8443/", false),
            ("shop.example.com:8443", "https://shop.example.com:8443/", true),
            ("shop.example.com:8443", "https://shop.example.com/", false),
            ("shop.example.com:443", "https://shop.example.com/", true),
            ("shop.example.com:443", "http://shop.example.com/", false),
            ("shop.example.com", "https://example.com/", false),
            ("shop.example.com", "https://a.shop.example.com/", false),
            ("shop.example.com", "https://shop.example.com.evil.test/", false),
            ("shop.example.com", "https://shop.example.com./", false),
            ("*.example.com", "https://shop.example.com/", true),
            ("*.example.com", "https://a.b.example.com/", true),
            ("*.example.com", "https://example.com/", false),
            ("*.example.com", "https://badexample.com/", false),
            ("*.example.com", "https://.example.com/", false),
            ("*.example.com:8443", "https://a.example.com:8443/", true),
            ("*.example.com:8443", "https://a.example.com/", false),
            ("bücher.example", "https://xn--bcher-kva.example/", true),
            ("127.0.0.1:8080", "http://127.0.0.1:8080/", true),
            ("127.0.0.1:8080", "http://0x7f.1:8080/", true),
            ("127.0.0.1", "http://127.0.0.1:8080/", false),
            ("[::1]:8080", "http://[0:0::1]:8080/", true),
            ("[::1]", "http://[::1]/", true),
        ] {
            let url = Url::parse(url).unwrap();
            let matched = HostPattern::parse(pattern).unwrap().matches(&url);
            assert_eq!(matched, expected, "{pattern} against {url}");
        }
    }

    #[test]
    fn what_is_no_host_is_refused() {
        for text in [
            "",
            "*",
            "*.com",
            "*.127.0.0.1",
            "a.*.example.com",
            "**.example.com",
            "https://example.com",
            "example.com/",
            "user@example.com",
            "example.com:",
            "example.com:0",
            "example.com:+1",
            "example.com:65536",
            "::1",
            "exa mple.com",
            "example%2ecom",
        ] {
            assert!(HostPattern::parse(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_makes_its_own_pattern() {
        let url = Url::parse("https://api.example.com/bots/1?x").unwrap();
        let pattern = HostPattern::of(&url).unwrap();
        assert_eq!(pattern.to_string(), "api.example.com:443");
        assert!(pattern.matches(&url));
        assert_eq!(HostPattern::parse("api.example.com:443"), Ok(pattern));
        assert_eq!(HostPattern::of(&Url::parse("mailto:a@example.com").unwrap()), None);
    }
}
