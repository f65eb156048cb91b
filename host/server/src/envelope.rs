//! Secrets at rest: each is sealed with a key of its own, and this key with the
//! host's, so that the host's key can be changed without touching what is sealed.
//! A sealed text opens only in its own place: tenant and name are authenticated.

use std::fmt;
use std::sync::{PoisonError, RwLock};

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use botyard_kernel::id::{Digest, TenantId};
use ring::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, NONCE_LEN, Nonce, UnboundKey};
use serde::{Deserialize, Serialize};

/// Seals with the host's key, and opens with that or an earlier one.
pub struct Envelope {
    /// The first one seals.
    keys: RwLock<Vec<HostKey>>,
}

/// A key of the host's.
#[derive(Clone)]
pub struct HostKey {
    bytes: [u8; 32],
    name: String,
}

impl HostKey {
    /// A key of these bytes.
    pub fn new(bytes: [u8; 32]) -> Self {
        let parts = [b"the name of a host's key".as_slice(), &bytes];
        let name = Digest::of_parts(parts).to_string()[..16].to_owned();
        Self { bytes, name }
    }

    /// The first digits of its hash: tells it from others.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Another key that follows from it, for this and nothing else.
    pub fn derived(&self, purpose: &[u8]) -> Digest {
        Digest::of_parts([purpose, &self.bytes])
    }
}

impl fmt::Debug for HostKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("HostKey").field("name", &self.name).finish_non_exhaustive()
    }
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
    /// An envelope with the host's key, and earlier ones that still open.
    pub fn new(key: HostKey, earlier: impl IntoIterator<Item = HostKey>) -> Self {
        Self { keys: RwLock::new(std::iter::once(key).chain(earlier).collect()) }
    }

    /// From now on this key seals; those before open what they have sealed.
    pub fn turn_to(&self, key: HostKey) {
        let mut keys = self.keys.write().unwrap_or_else(PoisonError::into_inner);
        keys.retain(|known| known.name != key.name);
        keys.insert(0, key);
    }

    /// All keys; the first one seals.
    pub fn keys(&self) -> Vec<HostKey> {
        self.keys.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Seals a text for a place.
    pub fn seal(&self, tenant: &TenantId, name: &str, text: &str) -> Sealed {
        let place = place(tenant, name);
        let own: [u8; 32] = rand::random();
        let host = self.sealing();
        Sealed {
            host_key: host.name,
            key: BASE64_STANDARD.encode(seal(&host.bytes, &place, &own)),
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
        let own = self.own_key(tenant, name, sealed)?;
        let opened = || {
            let text = BASE64_STANDARD.decode(&sealed.text).ok()?;
            String::from_utf8(open(&own, &place(tenant, name), text)?).ok()
        };
        opened().ok_or(EnvelopeError::Damaged)
    }

    /// The same sealed with the key that seals now; nothing where it is already. What is
    /// in it is not looked at.
    ///
    /// # Errors
    /// As [`Envelope::open`].
    pub fn resealed(
        &self,
        tenant: &TenantId,
        name: &str,
        sealed: &Sealed,
    ) -> Result<Option<Sealed>, EnvelopeError> {
        let host = self.sealing();
        if sealed.host_key == host.name {
            return Ok(None);
        }
        let own = self.own_key(tenant, name, sealed)?;
        let key = BASE64_STANDARD.encode(seal(&host.bytes, &place(tenant, name), &own));
        Ok(Some(Sealed { host_key: host.name, key, text: sealed.text.clone() }))
    }

    /// The key of a text's own.
    fn own_key(
        &self,
        tenant: &TenantId,
        name: &str,
        sealed: &Sealed,
    ) -> Result<[u8; 32], EnvelopeError> {
        let host = self.keys().into_iter().find(|key| key.name == sealed.host_key);
        let host = host.ok_or_else(|| EnvelopeError::OtherKey(sealed.host_key.clone()))?;
        let opened = || {
            let key = BASE64_STANDARD.decode(&sealed.key).ok()?;
            open(&host.bytes, &place(tenant, name), key)?.try_into().ok()
        };
        opened().ok_or(EnvelopeError::Damaged)
    }

    fn sealing(&self) -> HostKey {
        let keys = self.keys.read().unwrap_or_else(PoisonError::into_inner);
        keys.first().expect("an envelope has a key").clone()
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

    fn with(key: [u8; 32]) -> Envelope {
        Envelope::new(HostKey::new(key), [])
    }

    fn acme() -> TenantId {
        "acme".into()
    }

    #[test]
    fn what_is_sealed_opens_in_its_place_only() {
        let envelope = with([7; 32]);
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
        let envelope = with([7; 32]);
        let [one, other] = [0, 1].map(|_| envelope.seal(&acme(), "shop", "a token"));
        assert_ne!(one.text, other.text);
        assert_ne!(one.key, other.key);
    }

    #[test]
    fn what_was_changed_or_belongs_to_another_key_is_told() {
        let envelope = with([7; 32]);
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
        let other = with([8; 32]).open(&acme(), "shop", &sealed);
        assert!(matches!(other, Err(EnvelopeError::OtherKey(_))), "{other:?}");
    }

    #[test]
    fn an_earlier_key_opens_until_everything_is_sealed_with_the_new_one() {
        let envelope = with([7; 32]);
        let before = envelope.seal(&acme(), "shop", "a token");
        assert_eq!(envelope.resealed(&acme(), "shop", &before), Ok(None));
        envelope.turn_to(HostKey::new([8; 32]));
        assert_eq!(envelope.open(&acme(), "shop", &before), Ok("a token".to_owned()));
        let after = envelope.resealed(&acme(), "shop", &before).unwrap().unwrap();
        assert_eq!(after.text, before.text, "only its key is sealed anew");
        let new = with([8; 32]);
        assert_eq!(new.open(&acme(), "shop", &after), Ok("a token".to_owned()));
        assert!(matches!(new.open(&acme(), "shop", &before), Err(EnvelopeError::OtherKey(_))));
        assert_eq!(envelope.resealed(&acme(), "other", &before), Err(EnvelopeError::Damaged));
        let fresh = envelope.seal(&acme(), "shop", "another");
        assert_eq!(new.open(&acme(), "shop", &fresh), Ok("another".to_owned()));
    }
}
