//! Which hosts are meant. What people write (capitals, letters beyond ASCII, odd forms of
//! addresses) is read by [`Pattern::read`]; what is kept has the one normal form.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};
use url::{Host, Url};

/// The port that a pattern without one means: all calls are https.
const USUAL_PORT: u16 = 443;

/// A host at one port, or with `*.` in front all hosts under a name.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Pattern {
    name: String,
    below: bool,
    port: u16,
}

/// A text that is no pattern in its normal form.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "`{0}` is no host like \"shop.example.com\", \"*.example.com\" or \"shop.example.com:8443\", \
     in lower case and ASCII: write it so"
)]
pub struct BadPattern(String);

impl Pattern {
    /// What is expected of a text, for errors.
    pub const EXPECTED: &str = "a host like \"shop.example.com\", \"*.example.com\" or \
                                \"shop.example.com:8443\"";

    /// Reads `example.com`, `*.example.com`, `192.0.2.1` or `[2001:db8::1]`, with
    /// `:port` if need be, as people write it.
    ///
    /// # Errors
    /// What is wrong, in words that go on after [`Self::EXPECTED`].
    pub fn read(text: &str) -> Result<Self, String> {
        let (name, port) = match split_port(text) {
            None => (text, USUAL_PORT),
            Some((name, port)) => {
                let wrong = || format!("`{text}` has no port from 1 to 65535 behind its colon");
                (name, read_port(port).ok_or_else(wrong)?)
            }
        };
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
        let read = Self { name: host.to_string(), below, port };
        // What is kept is read again, by the stricter reader.
        let normal = read.to_string().parse();
        normal.map_err(|_| format!("`{text}` is none: a name has letters, digits, `-` and `.`"))
    }

    /// Exactly the host and the port of an address; nothing for an address without a host
    /// that can be named, or of a scheme without a usual port.
    pub fn of(url: &Url) -> Option<Self> {
        let (name, port) = (url.host()?.to_string(), url.port_or_known_default()?);
        Self { name, below: false, port }.to_string().parse().ok()
    }

    /// Whether an address is at such a host and port.
    pub fn matches(&self, url: &Url) -> bool {
        Self::of(url).is_some_and(|own| self.covers(&own))
    }

    /// Whether everything that `wish` means is meant by this, too.
    pub fn covers(&self, wish: &Self) -> bool {
        let name = if self.below {
            let same = wish.below && wish.name == self.name;
            same || is_under(&wish.name, &self.name)
        } else {
            !wish.below && wish.name == self.name
        };
        name && self.port == wish.port
    }

    /// Whether a call to something that `part` means is forbidden where this is: this name
    /// and all under it (with `*.` in front only those), at every port, or at the one port
    /// that is written down. Of a `part` with a forbidden host under it all is.
    pub fn forbids(&self, part: &Self) -> bool {
        let itself = part.name == self.name && (!self.below || part.below);
        let above = part.below && is_under(&self.name, &part.name);
        let name = itself || above || is_under(&part.name, &self.name);
        name && (self.port == USUAL_PORT || self.port == part.port)
    }

    /// What both mean: the narrower of the two, or nothing.
    pub fn both(&self, other: &Self) -> Option<Self> {
        if self.covers(other) {
            Some(other.clone())
        } else {
            other.covers(self).then(|| self.clone())
        }
    }
}

/// Whether a name is one or more labels longer than another.
fn is_under(name: &str, parent: &str) -> bool {
    name.strip_suffix(parent).is_some_and(|rest| rest.len() > 1 && rest.ends_with('.'))
}

impl fmt::Display for Pattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}{}", if self.below { "*." } else { "" }, self.name)?;
        if self.port == USUAL_PORT { Ok(()) } else { write!(f, ":{}", self.port) }
    }
}

impl From<Pattern> for String {
    fn from(pattern: Pattern) -> Self {
        pattern.to_string()
    }
}

impl TryFrom<String> for Pattern {
    type Error = BadPattern;

    fn try_from(text: String) -> Result<Self, BadPattern> {
        text.parse()
    }
}

impl FromStr for Pattern {
    type Err = BadPattern;

    fn from_str(text: &str) -> Result<Self, BadPattern> {
        let bad = || BadPattern(text.to_owned());
        let (host, port) = match split_port(text) {
            None => (text, USUAL_PORT),
            Some((host, port)) => (host, read_port(port).ok_or_else(bad)?),
        };
        let (name, below) = match host.strip_prefix("*.") {
            Some(name) => (name, true),
            None => (host, false),
        };
        let good = if below {
            is_name(name) && name.contains('.')
        } else {
            is_name(name) || is_address(name)
        };
        if good { Ok(Self { name: name.to_owned(), below, port }) } else { Err(bad()) }
    }
}

/// Splits off a port; the colons of an address in brackets are none.
fn split_port(text: &str) -> Option<(&str, &str)> {
    text.rsplit_once(':').filter(|(_, port)| !port.ends_with(']'))
}

fn read_port(text: &str) -> Option<u16> {
    let digits = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    text.parse().ok().filter(|_| digits)
}

/// Labels of lower-case letters, digits, hyphens and underscores. One that ends in a
/// number is an address in disguise.
fn is_name(text: &str) -> bool {
    let part =
        |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-_".contains(&byte);
    let label = |label: &str| (1..=63).contains(&label.len()) && label.bytes().all(part);
    let last = text.rsplit('.').next().unwrap_or_default();
    let number = last.starts_with("0x") || last.bytes().all(|byte| byte.is_ascii_digit());
    text.len() <= 253 && text.split('.').all(label) && !number
}

/// An address as the parser of URLs writes it, which is the form that is compared.
fn is_address(text: &str) -> bool {
    match Host::parse(text) {
        Ok(host @ (Host::Ipv4(_) | Host::Ipv6(_))) => host.to_string() == text,
        Ok(Host::Domain(_)) | Err(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn pattern(text: &str) -> Pattern {
        text.parse().unwrap()
    }

    #[test]
    fn a_pattern_covers_what_it_means() {
        for (own, wish, expected) in [
            ("shop.example.com", "shop.example.com", true),
            ("shop.example.com", "shop.example.com:443", true),
            ("shop.example.com:443", "shop.example.com", true),
            ("shop.example.com", "shop.example.com:8443", false),
            ("shop.example.com", "a.shop.example.com", false),
            ("shop.example.com", "*.shop.example.com", false),
            ("*.example.com", "shop.example.com", true),
            ("*.example.com", "a.b.example.com", true),
            ("*.example.com", "*.b.example.com", true),
            ("*.example.com", "*.example.com", true),
            ("*.example.com", "example.com", false),
            ("*.example.com", "badexample.com", false),
            ("*.example.com", "shop.example.com.evil.test", false),
            ("*.b.example.com", "*.example.com", false),
            ("*.example.com", "shop.example.com:8443", false),
            ("*.example.com:8443", "shop.example.com:8443", true),
            ("127.0.0.1:8080", "127.0.0.1:8080", true),
            ("[::1]", "[::1]", true),
            ("[::ffff:7f00:1]", "[::ffff:7f00:1]", true),
        ] {
            assert_eq!(pattern(own).covers(&pattern(wish)), expected, "{own} and {wish}");
        }
    }

    #[test]
    fn what_is_not_in_its_normal_form_is_refused() {
        for text in [
            "",
            "*",
            "*.com",
            "*.127.0.0.1",
            "a.*.example.com",
            "**.example.com",
            "*.*.example.com",
            "https://example.com",
            "example.com/",
            "user@example.com",
            "example.com:",
            "example.com:0",
            "example.com:+1",
            "example.com:01",
            "example.com:65536",
            "::1",
            "exa mple.com",
            "example%2ecom",
            "Example.com",
            "bücher.example",
            "example.com.",
            ".example.com",
            "*..com",
            "0x7f.1",
            "1.2.3",
            "127.1",
            "2130706433",
            "[0:0::1]",
            "[::1",
            "a..b",
            "*.[::1]",
        ] {
            let error = text.parse::<Pattern>().expect_err(text);
            assert!(error.to_string().contains("write it so"), "{error}");
        }
    }

    #[test]
    fn a_pattern_says_which_hosts_and_ports() {
        for (pattern, url, expected) in [
            ("shop.example.com", "https://shop.example.com/a?b=c", true),
            ("shop.example.com", "https://SHOP.example.com:443/", true),
            ("shop.example.com", "http://shop.example.com/", false),
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
            ("[::1]:80", "http://[::1]/", true),
        ] {
            let url = Url::parse(url).unwrap();
            let matched = Pattern::read(pattern).unwrap().matches(&url);
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
            "a!b.example",
            "example.com.",
        ] {
            assert!(Pattern::read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_address_makes_its_own_pattern() {
        let url = Url::parse("https://api.example.com/bots/1?x").unwrap();
        let pattern = Pattern::of(&url).unwrap();
        assert_eq!(pattern.to_string(), "api.example.com");
        assert!(pattern.matches(&url));
        assert_eq!(Pattern::read("api.example.com:443"), Ok(pattern));
        assert_eq!(Pattern::of(&Url::parse("mailto:a@example.com").unwrap()), None);
    }

    fn patterns() -> impl Strategy<Value = Pattern> {
        ("(\\*\\.)?([ab]\\.){0,3}x\\.test", prop::bool::ANY)
            .prop_map(|(name, port)| pattern(&if port { format!("{name}:8443") } else { name }))
    }

    proptest! {
        #[test]
        fn what_both_mean_is_covered_by_both(one in patterns(), other in patterns()) {
            prop_assert_eq!(one.both(&other), other.both(&one));
            if let Some(both) = one.both(&other) {
                prop_assert!(one.covers(&both) && other.covers(&both));
            }
        }

        #[test]
        fn covering_is_an_order(a in patterns(), b in patterns(), c in patterns()) {
            prop_assert!(a.covers(&a));
            prop_assert!(!(a.covers(&b) && b.covers(&a)) || a == b);
            prop_assert!(!(a.covers(&b) && b.covers(&c)) || a.covers(&c));
        }

        #[test]
        fn a_pattern_is_written_in_its_normal_form(one in patterns()) {
            prop_assert_eq!(one.to_string().parse(), Ok(one.clone()));
            let json = serde_json::to_string(&one).unwrap();
            prop_assert_eq!(serde_json::from_str::<Pattern>(&json).unwrap(), one);
        }

        #[test]
        fn no_text_is_too_odd(text: String) {
            let _ = text.parse::<Pattern>();
            if let Ok(read) = Pattern::read(&text) {
                prop_assert_eq!(read.to_string().parse(), Ok(read));
            }
        }
    }
}
