//! Secrets at rest: each is sealed with a key of its own, and this key with the
//! host's, so that the host's key can be changed without touching what is sealed.
//! A sealed text opens only in its own place: tenant and name are authenticated.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use botyard_kernel::id::{Digest, TenantId};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};

/// Seals and opens with the host's key.
pub struct Envelope {
    key: [u8; 32],
    name: String,
}

/// A sealed text, as it is stored.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Sealed {
    /// Which key of the host's: the first digits of its hash.
    host_key: String,
    /// The text's own key, sealed with it. Base64.
    key: String,
    /// The text, sealed with its own key. Base64.
    text: String,
}

/// Why something cannot be opened: the operator's to mend.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum EnvelopeError {
    /// Another key is needed.
    #[error("it was sealed with the host's key {0}, which is not here: put that key back")]
    OtherKey(String),
    /// It was changed, or taken from another place.
    #[error("it is damaged, or was copied from another tenant or name")]
    Damaged,
}

impl Envelope {
    /// An envelope with the host's key.
    pub fn new(key: [u8; 32]) -> Self {
        let name = Digest::of_parts([b"the name of a host's key".as_slice(), &key]).to_string();
        Self { key, name: name[..16].to_owned() }
    }

    /// Seals a text for a place.
    pub fn seal(&self, tenant: &TenantId, name: &str, text: &str) -> Sealed {
        let place = place(tenant, name);
        let own: [u8; 32] = rand::random();
        Sealed {
            host_key: self.name.clone(),
            key: BASE64_STANDARD.encode(seal(&self.key, &place, &own)),
            text: BASE64_STANDARD.encode(seal(&own, &place, text.as_bytes())),
        }
    }

    /// Opens what was sealed for this place.
    ///
    /// # Errors
    /// When it was sealed with another key, for another place, or was changed.
    pub fn open(
        &self,
        tenant: &TenantId,
        name: &str,
        sealed: &Sealed,
    ) -> Result<String, EnvelopeError> {
        if sealed.host_key != self.name {
            return Err(EnvelopeError::OtherKey(sealed.host_key.clone()));
        }
        let place = place(tenant, name);
        let opened = || {
            let key = open(&self.key, &place, BASE64_STANDARD.decode(&sealed.key).ok()?)?;
            let key: [u8; 32] = key.try_into().ok()?;
            String::from_utf8(open(&key, &place, BASE64_STANDARD.decode(&sealed.text).ok()?)?).ok()
        };
        opened().ok_or(EnvelopeError::Damaged)
    }
}

fn place(tenant: &TenantId, name: &str) -> Digest {
    Digest::of_parts([tenant.as_str().as_bytes(), name.as_bytes()])
}

/// A fresh nonce, then the sealed bytes. Few enough are sealed with one key for
/// nonces by chance.
fn seal(key: &[u8; 32], place: &Digest, bytes: &[u8]) -> Vec<u8> {
    let nonce: [u8; NONCE_LEN] = rand::random();
    let mut sealed = bytes.to_vec();
    // It fails only above some 256 GiB.
    let tag = cipher(key)
        .seal_in_place_separate_tag(
            Nonce::assume_unique_for_key(nonce),
            Aad::from(place.as_bytes()),
            &mut sealed,
        )
        .expect("a secret is short");
    [&nonce[..], &sealed, tag.as_ref()].concat()
}

fn open(key: &[u8; 32], place: &Digest, mut sealed: Vec<u8>) -> Option<Vec<u8>> {
    let (nonce, bytes) = sealed.split_at_mut_checked(NONCE_LEN)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).ok()?;
    let opened = cipher(key).open_in_place(nonce, Aad::from(place.as_bytes()), bytes).ok()?;
    Some(opened.to_vec())
}

fn cipher(key: &[u8; 32]) -> LessSafeKey {
    // Its only error is a key of another length.
    LessSafeKey::new(UnboundKey::new(&CHACHA20_POLY1305, key).expect("the key has 32 bytes"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn acme() -> TenantId {
        "acme".into()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let envelope = Envelope::new([7; 32]);
        let sealed = envelope.seal(&acme(), "shop", "a token");
        assert_eq!(envelope.open(&acme(), "shop", &sealed), Ok("a token".to_owned()));
        let damaged = Err(EnvelopeError::Damaged);
        assert_eq!(envelope.open(&acme(), "other", &sealed), damaged);
        assert_eq!(envelope.open(&"other".into(), "shop", &sealed), damaged);
        let json = serde_json::to_string(&sealed).unwrap();
        assert!(!json.contains("token"), "{json}");
    }

    #[test]
    fn the_same_text_is_sealed_differently_each_time() {
        let envelope = Envelope::new([7; 32]);
        let [one, other] = [0, 1].map(|_| envelope.seal(&acme(), "shop", "a token"));
        assert_ne!(one.text, other.text);
        assert_ne!(one.key, other.key);
    }

    #[test]
    fn what_was_changed_or_belongs_to_another_key_is_told() {
        let envelope = Envelope::new([7; 32]);
        let sealed = envelope.seal(&acme(), "shop", "a token");
        let mut bytes = BASE64_STANDARD.decode(&sealed.text).unwrap();
        for at in 0..bytes.len() {
            bytes[at] ^= 1;
            let text = BASE64_STANDARD.encode(&bytes);
            let changed = Sealed { text, ..sealed.clone() };
            assert_eq!(envelope.open(&acme(), "shop", &changed), Err(EnvelopeError::Damaged));
            bytes[at] ^= 1;
        }
        let short = Sealed { text: "AAAA".to_owned(), ..sealed.clone() };
        assert_eq!(envelope.open(&acme(), "shop", &short), Err(EnvelopeError::Damaged));
        let other = Envelope::new([8; 32]).open(&acme(), "shop", &sealed);
        assert!(matches!(other, Err(EnvelopeError::OtherKey(_))), "{other:?}");
    }
}
