//! Errors as the Graph API tells them.

use serde_json::json;

use crate::account::Reply;

/// An error of the Graph API.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Graph {
    status: u16,
    code: u32,
    subcode: Option<u32>,
    message: String,
}

impl Graph {
    const fn new(status: u16, code: u32, subcode: Option<u32>, message: String) -> Self {
        Self { status, code, subcode, message }
    }

    /// Something is wrong with what the call carries.
    pub(super) fn parameter(why: impl AsRef<str>) -> Self {
        Self::new(400, 100, None, format!("(#100) {}", why.as_ref()))
    }

    pub(super) fn no_user() -> Self {
        Self::new(400, 100, Some(2_018_001), "(#100) No matching user found".to_owned())
    }

    pub(super) fn outside_window() -> Self {
        let message = "(#10) This message is sent outside of allowed window.";
        Self::new(400, 10, Some(2_018_278), message.to_owned())
    }

    /// Recalled, also the subcode.
    pub(super) fn not_owner() -> Self {
        let message = "(#10) Message failed to send because another app is controlling this \
                       thread now.";
        Self::new(403, 10, Some(2_018_300), message.to_owned())
    }

    /// The person has blocked the page, or the like.
    pub(super) fn unavailable() -> Self {
        let message = "(#551) This person isn't available right now.";
        Self::new(400, 551, Some(1_545_041), message.to_owned())
    }

    /// The status is recalled.
    pub(super) fn token() -> Self {
        let message = "Invalid OAuth access token - Cannot parse access token";
        Self::new(401, 190, None, message.to_owned())
    }

    pub(super) fn no_such_path(method: &str, path: &str) -> Self {
        Self::new(400, 2_500, None, format!("Unknown path components: {method} {path}"))
    }

    pub(super) fn limited() -> Self {
        let message = "(#613) Calls to this api have exceeded the rate limit.";
        Self::new(400, 613, None, message.to_owned())
    }

    pub(super) fn temporary() -> Self {
        let message = "Temporary send message failure. Please try again later.";
        Self::new(500, 1_200, None, message.to_owned())
    }

    pub(super) fn reply(self) -> Reply {
        let mut error = json!({
            "message": self.message,
            "type": "OAuthException",
            "code": self.code,
            "fbtrace_id": "BLBz",
        });
        if let Some(subcode) = self.subcode {
            error["error_subcode"] = json!(subcode);
        }
        Reply::refused(self.status, &json!({ "error": error }), self.message)
    }
}
