//! Every vendor that there is: the one line that adds another.

use std::sync::Arc;

use bytes::Bytes;
use http::{HeaderMap, StatusCode};

use crate::dialects::Described;
use crate::{
    Call, CallAnswer, Paste, Vendor, instabot, khoros, lexer, messenger, myalice, userlike,
};

/// Every vendor by its name.
pub const VENDORS: &[Known] = &[
    Known {
        name: userlike::NAME,
        connect: userlike::connect,
        dialect: Described {
            source: include_str!("userlike/dialect.rs"),
            defaults: userlike::dialect_defaults,
        },
        sample: userlike::sample,
        paste: userlike::paste,
        sample_for: |_| userlike::sample(),
        place: |_| SamplePlace::of("a-conversation"),
        taken: |_| taken(HeaderMap::new()),
    },
    Known {
        name: khoros::NAME,
        connect: khoros::connect,
        dialect: Described {
            source: include_str!("khoros/dialect.rs"),
            defaults: khoros::dialect_defaults,
        },
        sample: khoros::sample,
        paste: khoros::paste,
        sample_for: khoros::sample_for,
        place: khoros::place,
        taken: khoros::taken,
    },
    Known {
        name: messenger::NAME,
        connect: messenger::connect,
        dialect: Described {
            source: include_str!("messenger/dialect.rs"),
            defaults: messenger::dialect_defaults,
        },
        sample: messenger::sample,
        paste: messenger::paste,
        sample_for: |_| messenger::sample(),
        place: |_| messenger::place(),
        taken: |_| taken(HeaderMap::new()),
    },
    Known {
        name: lexer::NAME,
        connect: lexer::connect,
        dialect: Described {
            source: include_str!("lexer/dialect.rs"),
            defaults: lexer::dialect_defaults,
        },
        sample: lexer::sample,
        paste: messenger::paste,
        sample_for: |_| lexer::sample(),
        place: |_| messenger::place(),
        taken: |_| taken(HeaderMap::new()),
    },
    Known {
        name: myalice::NAME,
        connect: myalice::connect,
        dialect: Described {
            source: include_str!("myalice/dialect.rs"),
            defaults: myalice::dialect_defaults,
        },
        sample: myalice::sample,
        paste: myalice::paste,
        sample_for: |_| myalice::sample(),
        place: |_| myalice::place(),
        taken: |_| taken(HeaderMap::new()),
    },
    Known {
        name: instabot::NAME,
        connect: instabot::connect,
        dialect: Described {
            source: include_str!("instabot/dialect.rs"),
            defaults: instabot::dialect_defaults,
        },
        sample: instabot::sample,
        paste: instabot::paste,
        sample_for: |_| instabot::sample(),
        place: |_| instabot::place(),
        taken: |_| taken(HeaderMap::new()),
    },
];

/// A vendor that we speak to.
#[derive(Debug)]
pub struct Known {
    /// Its name.
    pub name: &'static str,
    /// Makes a channel of it out of the channel's settings.
    pub connect: Connect,
    /// What its setting `dialect` may say.
    pub dialect: Described,
    /// Settings with invented secrets, to try it without an account.
    pub sample: fn() -> serde_json::Value,
    /// What is pasted at the vendor, for a channel of these settings and with this webhook
    /// URL.
    pub paste: fn(&serde_json::Value, &str) -> Vec<Paste>,
    /// The same as [`Known::sample`] for whoever a webhook's body is for, where it says so and the channel
    /// would have to be theirs.
    pub sample_for: fn(&[u8]) -> serde_json::Value,
    /// An invented conversation on a medium.
    pub place: fn(&str) -> SamplePlace,
    /// How it answers a call that it takes, with invented ids.
    pub taken: fn(&Call) -> CallAnswer,
}

/// An answer with the keys of all vendors that name a message.
pub(crate) fn taken(headers: HeaderMap) -> CallAnswer {
    const TAKEN: &[u8] =
        br#"{"message_id":"a-message","recipient_id":"a-person","status":"success"}"#;
    let (status, body) = (StatusCode::OK, Bytes::from_static(TAKEN));
    CallAnswer::Answered { status, retry_after_ms: None, body, headers }
}

/// An invented conversation, to see what is sent without one that there is.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SamplePlace {
    /// The vendor's own key of it.
    pub conversation: String,
    /// As [`crate::Incoming::reply_to`].
    pub reply_to: Option<String>,
    /// As [`crate::Incoming::form`].
    pub form: &'static str,
}

impl SamplePlace {
    /// A conversation of which no more than the key is needed.
    pub fn of(conversation: impl Into<String>) -> Self {
        Self { conversation: conversation.into(), ..Self::default() }
    }
}

/// Makes a channel out of its settings, a JSON object. Unknown keys are errors.
pub type Connect = fn(serde_json::Value) -> Result<Arc<dyn Vendor>, SettingsError>;

/// A channel's settings are wrong: the tenant must correct them.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct SettingsError(pub String);

/// Makes a channel of a vendor out of its settings.
///
/// # Errors
/// When there is no such vendor or the settings are not its own.
pub fn connect(
    vendor: &str,
    settings: serde_json::Value,
) -> Result<Arc<dyn Vendor>, SettingsError> {
    (known(vendor)?.connect)(settings)
}

/// The vendor of this name.
///
/// # Errors
/// When there is none.
pub fn known(vendor: &str) -> Result<&'static Known, SettingsError> {
    VENDORS.iter().find(|known| known.name == vendor).ok_or_else(|| {
        let known = VENDORS.iter().map(|known| known.name).collect::<Vec<_>>().join(", ");
        SettingsError(format!("there is no vendor `{vendor}`; known are: {known}"))
    })
}
