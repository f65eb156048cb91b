//! What of a webhook may be kept: what opens doors is left out.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};

/// The only headers whose values are kept. Vendors and tenants give the others their names,
/// so that nobody can say which of those open doors. Signatures open none.
const SHOWN: [HeaderName; 14] = [
    header::ACCEPT,
    header::ACCEPT_ENCODING,
    header::ACCEPT_LANGUAGE,
    header::CONNECTION,
    header::CONTENT_ENCODING,
    header::CONTENT_LENGTH,
    header::CONTENT_TYPE,
    header::DATE,
    header::HOST,
    header::TRANSFER_ENCODING,
    header::USER_AGENT,
    HeaderName::from_static("x-hmac-signature"),
    HeaderName::from_static("x-hub-signature"),
    HeaderName::from_static("x-hub-signature-256"),
];
/// Words of a path or a query that are at least as long are left out.
const SECRET_LENGTH: usize = 14;
/// What stands in the place of what is left out.
const LEFT_OUT: &str = "(left out)";

/// Headers as they may be kept: all names.
pub fn headers(headers: &HeaderMap) -> Vec<(String, String)> {
    let shown = |name: &HeaderName, value: &HeaderValue| {
        if SHOWN.contains(name) {
            String::from_utf8_lossy(value.as_bytes()).into_owned()
        } else {
            LEFT_OUT.to_owned()
        }
    };
    headers.iter().map(|(name, value)| (name.to_string(), shown(name, value))).collect()
}

/// A path or a query as it may be kept: vendors that show no header show a secret
/// there, and secrets are long.
pub fn place(text: &str) -> String {
    let mut kept = String::new();
    for part in text.split_inclusive(['/', '&', '=']) {
        let word = part.trim_end_matches(['/', '&', '=']);
        let end = &part[word.len()..];
        kept.push_str(if word.len() < SECRET_LENGTH { word } else { LEFT_OUT });
        kept.push_str(end);
    }
    kept
}

/// A body as text, or in base64 where it is none.
pub fn body(bytes: &[u8]) -> (Option<String>, Option<String>) {
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(BASE64_STANDARD.encode(bytes))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn of_headers_with_names_of_their_own_only_the_names_are_kept() {
        let mut given = HeaderMap::new();
        given.insert("x-hub-signature-256", "sha256=00".parse().unwrap());
        for name in ["api-security-token", "Authorization", "X-Vendor-Ticket", "x-acme"] {
            given.insert(HeaderName::try_from(name).unwrap(), "canary".parse().unwrap());
        }
        let kept = headers(&given);
        assert!(kept.iter().all(|(_, value)| !value.contains("canary")), "{kept:?}");
        assert!(kept.contains(&("x-hub-signature-256".to_owned(), "sha256=00".to_owned())));
        assert!(kept.contains(&("x-vendor-ticket".to_owned(), LEFT_OUT.to_owned())));
    }

    #[test]
    fn long_words_of_an_address_are_left_out() {
        assert_eq!(place("text/welcome"), "text/welcome");
        assert_eq!(place("tickets/canary-secret-of-tickets"), "tickets/(left out)");
        let query = "hub.mode=subscribe&hub.verify_token=canary-verify-token&a=";
        assert_eq!(place(query), "hub.mode=subscribe&(left out)=(left out)&a=");
        assert_eq!(place(""), "");
    }

    #[test]
    fn a_body_is_kept_whole() {
        assert_eq!(body(b"{}"), (Some("{}".to_owned()), None));
        assert_eq!(body(&[0xff]), (None, Some("/w==".to_owned())));
    }
}
