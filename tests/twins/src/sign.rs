//! Signatures of webhooks.

use std::fmt::Write as _;

use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;

/// HMAC-SHA256 of some bytes.
pub(crate) fn hmac_sha256(secret: &str, bytes: &[u8]) -> Vec<u8> {
    let mut mac =
        Hmac::<Sha256>::new_from_slice(secret.as_bytes()).expect("HMAC takes a key of any length");
    mac.update(bytes);
    mac.finalize().into_bytes().to_vec()
}

/// Bytes as small hexadecimal digits.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len() * 2);
    for byte in bytes {
        write!(text, "{byte:02x}").expect("a string takes every text");
    }
    text
}

/// JSON without a byte beyond ASCII, and with escaped slashes, as PHP writes it.
pub(crate) fn escaped(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        match character {
            // In JSON a slash stands in strings only.
            '/' => text.push_str("\\/"),
            ascii if ascii.is_ascii() => text.push(ascii),
            other => {
                for unit in other.encode_utf16(&mut [0; 2]) {
                    write!(text, "\\u{unit:04x}").expect("a string takes every text");
                }
            }
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_known_vector_has_its_known_signature() {
        // RFC 4231, test case 2.
        let signed = hex(&hmac_sha256("Jefe", b"what do ya want for nothing?"));
        assert_eq!(signed, "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    }

    #[test]
    fn escaped_json_means_the_same() {
        let json =
            serde_json::json!({ "text": "Gr\u{fc}\u{df}e \u{1f642} \"a/b\" \\ \n" }).to_string();
        let escaped = escaped(&json);
        assert!(escaped.is_ascii());
        assert!(escaped.contains("Gr\\u00fc\\u00dfe \\ud83d\\ude42"), "{escaped}");
        assert!(escaped.contains("a\\/b"), "{escaped}");
        let read = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
        assert_eq!(read(&escaped), read(&json));
    }
}
