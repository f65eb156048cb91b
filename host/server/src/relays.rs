//! External bots of a tenant, and the addresses where they speak by themselves.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use botyard_kernel::id::ConversationKey;
use botyard_vendors::external::ExternalBot;
use ring::hmac;

use crate::envelope::Envelope;

/// External bots by name.
pub type Relays = BTreeMap<String, Arc<dyn ExternalBot>>;

/// The addresses where external bots speak by themselves. Nobody else can make one:
/// the vendors show no secret there.
pub struct Callbacks {
    public_url: Option<String>,
    /// Addresses are made with the first key, and good with all of them.
    envelope: Arc<Envelope>,
}

impl fmt::Debug for Callbacks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Callbacks").field("public_url", &self.public_url).finish_non_exhaustive()
    }
}

impl Callbacks {
    /// Addresses of a host that is reached there; they are void for a host with
    /// other keys.
    pub fn new(public_url: Option<String>, envelope: Arc<Envelope>) -> Self {
        Self { public_url, envelope }
    }

    /// Where an external bot speaks to this conversation; nowhere where the host does
    /// not know its own address.
    pub fn url(&self, key: &ConversationKey) -> Option<String> {
        let public_url = self.public_url.as_ref()?;
        let conversation = BASE64_URL_SAFE_NO_PAD.encode(&key.vendor_key);
        let signing = self.keys().into_iter().next()?;
        let tag = BASE64_URL_SAFE_NO_PAD.encode(hmac::sign(&signing, key.digest().as_bytes()));
        Some(format!("{public_url}/relays/{}/{conversation}/{tag}", key.channel))
    }

    /// The vendor's key of the conversation that an address names.
    pub fn conversation(conversation: &str) -> Option<String> {
        let bytes = BASE64_URL_SAFE_NO_PAD.decode(conversation).ok()?;
        String::from_utf8(bytes).ok()
    }

    /// Whether an address of this conversation was made here.
    pub fn is_own(&self, key: &ConversationKey, tag: &str) -> bool {
        let tag = BASE64_URL_SAFE_NO_PAD.decode(tag).unwrap_or_default();
        let mut keys = self.keys().into_iter();
        keys.any(|signing| hmac::verify(&signing, key.digest().as_bytes(), &tag).is_ok())
    }

    fn keys(&self) -> Vec<hmac::Key> {
        let keys = self.envelope.keys().into_iter();
        let own = keys.map(|key| key.derived(b"callbacks of external bots"));
        own.map(|own| hmac::Key::new(hmac::HMAC_SHA256, own.as_bytes())).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::envelope::HostKey;

    fn envelope(byte: u8) -> Arc<Envelope> {
        Arc::new(Envelope::new(HostKey::new([byte; 32]), []))
    }

    fn key(vendor_key: &str) -> ConversationKey {
        let (tenant, channel) = ("acme".into(), "chat".into());
        ConversationKey { tenant, channel, vendor_key: vendor_key.to_owned() }
    }

    #[test]
    fn an_address_opens_its_own_conversation_only() {
        let callbacks = Callbacks::new(Some("https://h.example".to_owned()), envelope(7));
        let url = callbacks.url(&key("chatbot::612:a/b")).unwrap();
        let rest = url.strip_prefix("https://h.example/relays/chat/").unwrap();
        let (conversation, tag) = rest.split_once('/').unwrap();
        assert_eq!(Callbacks::conversation(conversation).as_deref(), Some("chatbot::612:a/b"));
        assert!(callbacks.is_own(&key("chatbot::612:a/b"), tag));
        assert!(!callbacks.is_own(&key("chatbot::612:a/c"), tag));
        assert!(!callbacks.is_own(&key("chatbot::612:a/b"), ""));
        let other = Callbacks::new(None, envelope(8));
        assert!(!other.is_own(&key("chatbot::612:a/b"), tag));
        assert_eq!(other.url(&key("chatbot::612:a/b")), None);
        callbacks.envelope.turn_to(HostKey::new([9; 32]));
        assert!(callbacks.is_own(&key("chatbot::612:a/b"), tag), "it was given out before");
        assert!(!callbacks.url(&key("chatbot::612:a/b")).unwrap().ends_with(tag));
    }
}
