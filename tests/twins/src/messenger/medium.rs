//! What differs between the two mediums of the platform.

use serde_json::Value;

use super::document::INSTAGRAM_TEXT_BYTES_MAX;
use crate::fields::Fields;

/// Where people write.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Medium {
    /// To a page on Facebook.
    #[default]
    Facebook,
    /// To a professional account on Instagram.
    Instagram,
}

impl Medium {
    /// All of them.
    pub const ALL: &[Self] = &[Self::Facebook, Self::Instagram];

    /// Its name, as the platform writes it elsewhere.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Facebook => "facebook",
            Self::Instagram => "instagram",
        }
    }

    /// "Webhooks": the `object` of a webhook.
    pub(super) const fn object(self) -> &'static str {
        match self {
            Self::Facebook => "page",
            Self::Instagram => "instagram",
        }
    }

    /// What a message may carry here, besides what [`super::message::judge`] says of both.
    pub(super) fn judge(self, message: &Value) -> Result<(), String> {
        let fields = Fields::of("message", message)?;
        match self {
            Self::Facebook => Ok(()),
            Self::Instagram => fields.optional_bytes("text", INSTAGRAM_TEXT_BYTES_MAX),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_text_on_instagram_is_counted_in_bytes() {
        let text = |letter: &str, count: usize| json!({ "text": letter.repeat(count) });
        assert!(Medium::Instagram.judge(&text("a", 1_000)).is_ok());
        assert!(Medium::Instagram.judge(&text("é", 500)).is_ok());
        let why = Medium::Instagram.judge(&text("é", 501)).unwrap_err();
        assert!(why.contains("1002 bytes"), "{why}");
        assert!(Medium::Facebook.judge(&text("é", 501)).is_ok());
    }
}
