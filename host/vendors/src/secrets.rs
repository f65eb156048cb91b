//! Secrets that webhooks show.

use botyard_kernel::id::Digest;
use subtle::{Choice, ConstantTimeEq};

/// The secrets that are valid now: one, or two while it is being changed. Only their
/// hashes are kept: they are of one length, so that a comparison tells nothing, and
/// they cannot be read back.
pub(crate) struct Secrets(Vec<Digest>);

impl Secrets {
    pub(crate) fn new(texts: &[&str]) -> Self {
        Self(texts.iter().map(|text| Digest::of(text.as_bytes())).collect())
    }

    /// Whether these bytes are one of the secrets, in constant time.
    pub(crate) fn know(&self, bytes: &[u8]) -> bool {
        let given = Digest::of(bytes);
        let none = Choice::from(0);
        self.0.iter().fold(none, |any, live| any | live.as_bytes().ct_eq(given.as_bytes())).into()
    }
}
