//! Names of things. Every id is a newtype, so that one cannot stand for another.

use std::fmt;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

macro_rules! text_id {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        #[serde(transparent)]
        pub struct $name(pub String);

        impl $name {
            /// The id as text.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl From<&str> for $name {
            fn from(text: &str) -> Self {
                Self(text.to_owned())
            }
        }

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self(text)
            }
        }
    };
}

text_id!(
    /// Who owns bots, channels and secrets.
    TenantId
);
text_id!(
    /// A connected vendor account, unique over all tenants: it stands in webhook URLs.
    ChannelId
);
text_id!(
    /// A named program of a tenant.
    BotId
);
text_id!(
    /// An event; the same event always has the same id.
    EventId
);
text_id!(
    /// A session.
    SessionId
);
text_id!(
    /// A turn.
    TurnId
);
text_id!(
    /// What is delivered in one piece: `turn.action.part`.
    PartId
);

impl PartId {
    /// The id of a part of an action of a turn; both counts start at 0.
    pub fn of(turn: &TurnId, action: usize, part: usize) -> Self {
        Self(format!("{turn}.{action}.{part}"))
    }
}

/// A conversation within the host: the unit of order.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
pub struct ConversationKey {
    /// Whose it is.
    pub tenant: TenantId,
    /// Where it runs.
    pub channel: ChannelId,
    /// The vendor's own key, opaque to us.
    pub vendor_key: String,
}

impl ConversationKey {
    /// A digest of it: no two conversations have the same.
    pub fn digest(&self) -> Digest {
        let parts = [self.tenant.as_str(), self.channel.as_str(), &self.vendor_key];
        Digest::of_parts(parts.map(str::as_bytes))
    }
}

impl fmt::Display for ConversationKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.channel, self.vendor_key)
    }
}

/// The SHA-256 of some bytes: names components, contexts, bodies.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest([u8; 32]);

impl Digest {
    /// Hashes bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self(Sha256::digest(bytes).into())
    }

    /// Hashes several parts. Each part's length goes in too, so that no two
    /// different lists of parts collide.
    pub fn of_parts<'a>(parts: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut hash = Sha256::new();
        for part in parts {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        Self(hash.finalize().into())
    }

    /// The 32 bytes.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// A number that follows from it, where chance must come out the same again.
    pub fn chance(&self) -> u64 {
        self.0[..8].iter().fold(0, |sum, byte| (sum << 8) | u64::from(*byte))
    }

    /// Reads 64 hexadecimal digits.
    pub fn from_hex(text: &str) -> Option<Self> {
        if text.len() != 64 || !text.is_ascii() {
            return None;
        }
        let mut bytes = [0; 32];
        for (index, byte) in bytes.iter_mut().enumerate() {
            *byte = u8::from_str_radix(&text[index * 2..index * 2 + 2], 16).ok()?;
        }
        Some(Self(bytes))
    }

    /// The first 8 bytes in hexadecimal: enough where a collision does no harm.
    pub fn short(&self) -> String {
        self.to_string()[..16].to_owned()
    }
}

impl From<[u8; 32]> for Digest {
    /// A SHA-256 that somebody else has computed.
    fn from(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }
}

impl fmt::Display for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for byte in self.0 {
            write!(f, "{byte:02x}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Digest {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Digest({self})")
    }
}

impl Serialize for Digest {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Digest {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::from_hex(&text)
            .ok_or_else(|| serde::de::Error::custom("a digest has 64 hexadecimal digits"))
    }
}
