//! What of a webhook may be kept: what opens doors is left out.

use std::fmt;

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use http::{HeaderMap, HeaderName, HeaderValue, header};
use serde::Deserializer;
use serde::de::{DeserializeSeed, MapAccess, SeqAccess, Visitor};
use serde_json::Value;
use url::form_urlencoded;

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

/// A query as it may be kept: as a path, and nothing that stands under these names.
pub fn query(text: &str, secrets: &[&str]) -> String {
    let kept = |pair: &str| {
        let name = form_urlencoded::parse(pair.as_bytes()).next().map(|(name, _)| name);
        match name.filter(|name| is_one_of(name, secrets)) {
            Some(name) => format!("{name}={LEFT_OUT}"),
            None => place(pair),
        }
    };
    text.split('&').map(kept).collect::<Vec<_>>().join("&")
}

/// A body as text, or in base64 where it is none. What stands under these names is left
/// out; the bytes are those that came where there is nothing of that.
pub fn body(bytes: &[u8], secrets: &[&str]) -> (Option<String>, Option<String>) {
    if let Ok(mut value) = serde_json::from_slice(bytes) {
        if names_a_secret(bytes, secrets) {
            leave_out(&mut value, secrets);
            return (Some(value.to_string()), None);
        }
    } else if names_one_of(&String::from_utf8_lossy(bytes), secrets) {
        // Of what is no JSON nobody knows where a secret ends.
        return (Some(LEFT_OUT.to_owned()), None);
    }
    match std::str::from_utf8(bytes) {
        Ok(text) => (Some(text.to_owned()), None),
        Err(_) => (None, Some(BASE64_STANDARD.encode(bytes))),
    }
}

/// Takes the secrets out.
fn leave_out(value: &mut Value, secrets: &[&str]) {
    match value {
        Value::Object(fields) => {
            for (name, value) in fields {
                if is_one_of(name, secrets) {
                    *value = LEFT_OUT.into();
                } else {
                    leave_out(value, secrets);
                }
            }
        }
        Value::Array(list) => list.iter_mut().for_each(|value| leave_out(value, secrets)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// Whether a field of this JSON has the name of a secret, also one that a second field of
/// the same name hides from whoever reads it as a value.
fn names_a_secret(json: &[u8], secrets: &[&str]) -> bool {
    let mut json = serde_json::Deserializer::from_slice(json);
    Names { secrets }.deserialize(&mut json).unwrap_or(true)
}

/// Looks at every name in a value, and says whether one of them is that of a secret.
#[derive(Clone, Copy)]
struct Names<'a> {
    secrets: &'a [&'a str],
}

impl<'de> DeserializeSeed<'de> for Names<'_> {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<bool, D::Error> {
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Names<'_> {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("any JSON")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<bool, A::Error> {
        let mut any = false;
        while let Some(name) = fields.next_key::<String>()? {
            any |= is_one_of(&name, self.secrets);
            any |= fields.next_value_seed(self)?;
        }
        Ok(any)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<bool, A::Error> {
        let mut any = false;
        while let Some(inside) = list.next_element_seed(self)? {
            any |= inside;
        }
        Ok(any)
    }

    fn visit_unit<E>(self) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_bool<E>(self, _: bool) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_i64<E>(self, _: i64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_u64<E>(self, _: u64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_f64<E>(self, _: f64) -> Result<bool, E> {
        Ok(false)
    }

    fn visit_str<E>(self, _: &str) -> Result<bool, E> {
        Ok(false)
    }
}

/// A client that writes a name in its own way, and is refused for it, shows the secret
/// all the same.
fn is_one_of(name: &str, secrets: &[&str]) -> bool {
    let name = letters(name);
    secrets.iter().any(|secret| letters(secret) == name)
}

fn names_one_of(text: &str, secrets: &[&str]) -> bool {
    let text = letters(text);
    secrets.iter().any(|secret| text.contains(&letters(secret)))
}

fn letters(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
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
    fn what_stands_under_the_name_of_a_secret_is_left_out() {
        let secrets = ["hub.verify_token", "apiKey"];
        for (given, kept) in [
            (
                "hub.mode=subscribe&hub.verify_token=canary",
                "hub.mode=subscribe&hub.verify_token=(left out)",
            ),
            ("a=1&HUB%2Everify%5Ftoken=can&b", "a=1&HUB.verify_token=(left out)&b"),
            ("hub.verify_token", "hub.verify_token=(left out)"),
            ("a=canary-of-fourteen", "a=(left out)"),
            ("", ""),
        ] {
            assert_eq!(query(given, &secrets), kept);
        }
        for (given, kept) in [
            (r#"{"a":1,"apiKey":"canary"}"#, r#"{"a":1,"apiKey":"(left out)"}"#),
            (r#"{"apiKey":"a","apiKey":"canary"}"#, r#"{"apiKey":"(left out)"}"#),
            (r#"{"\u0061piKey":["canary"]}"#, r#"{"apiKey":"(left out)"}"#),
            (r#"[{"a":{"api_key":7}}]"#, r#"[{"a":{"api_key":"(left out)"}}]"#),
            // Of two fields of one name the second counts; the first was sent all the same.
            (r#"{"a":{"apiKey":"canary"},"a":1}"#, r#"{"a":1}"#),
            (r#"[{"a":[{"api\u004bey":"canary"}],"a":"my apiKey"}]"#, r#"[{"a":"my apiKey"}]"#),
            (r#"{"apiKey":"canary""#, "(left out)"),
            ("api-key=canary", "(left out)"),
        ] {
            assert_eq!(body(given.as_bytes(), &secrets), (Some(kept.to_owned()), None), "{given}");
        }
        assert_eq!(body(b"apiKey=canary\xff", &secrets), (Some(LEFT_OUT.to_owned()), None));
    }

    #[test]
    fn a_body_without_secrets_is_kept_as_it_came() {
        for text in ["{}", "{ \"b\": 1,\n\"a\": 2 }", "{\"text\": \"my apiKey\"}", "{"] {
            assert_eq!(body(text.as_bytes(), &["apiKey"]), (Some(text.to_owned()), None));
        }
        assert_eq!(body(b"{\"apiKey\":1 }", &[]), (Some("{\"apiKey\":1 }".to_owned()), None));
        assert_eq!(body(&[0xff], &["apiKey"]), (None, Some("/w==".to_owned())));
    }
}
