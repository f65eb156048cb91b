//! An alert as it is posted: signed as <https://www.standardwebhooks.com> says, so that
//! whoever gets it can tell it from what strangers post.

use base64::Engine as _;
use base64::prelude::BASE64_STANDARD;
use botyard_kernel::time::Millis;
use bytes::Bytes;
use http::header::CONTENT_TYPE;
use http::{HeaderMap, HeaderName, HeaderValue};
use ring::hmac;
use serde_json::json;

use super::Alert;
use crate::config::{Secret, signing_key};

const ID: HeaderName = HeaderName::from_static("webhook-id");
const TIMESTAMP: HeaderName = HeaderName::from_static("webhook-timestamp");
const SIGNATURE: HeaderName = HeaderName::from_static("webhook-signature");

/// A message. Each try of it has the same id, by which it counts once.
#[derive(Clone, Debug)]
pub(super) struct Message {
    id: String,
    pub(super) body: Bytes,
}

impl Message {
    pub(super) fn of(alert: &Alert, id: &str, now: Millis) -> Self {
        let at = i64::try_from(now).ok();
        let at = at.and_then(|at| jiff::Timestamp::from_millisecond(at).ok());
        let timestamp = at.unwrap_or(jiff::Timestamp::UNIX_EPOCH).to_string();
        let body = json!({"type": alert.kind, "timestamp": timestamp, "data": alert});
        Self { id: id.to_owned(), body: body.to_string().into() }
    }

    /// The headers of a try that is made now.
    pub(super) fn headers(&self, secret: Option<&Secret>, now: Millis) -> HeaderMap {
        let seconds = (now / 1_000).to_string();
        let signature = secret.and_then(|secret| self.signature(secret.expose(), &seconds));
        let texts =
            [(ID, Some(self.id.clone())), (TIMESTAMP, Some(seconds)), (SIGNATURE, signature)];
        let texts = texts
            .into_iter()
            .filter_map(|(name, text)| Some((name, HeaderValue::from_str(&text?).ok()?)));
        let json = (CONTENT_TYPE, HeaderValue::from_static("application/json"));
        texts.chain([json]).collect()
    }

    fn signature(&self, secret: &str, seconds: &str) -> Option<String> {
        let key = hmac::Key::new(hmac::HMAC_SHA256, &signing_key(secret)?);
        let mut signing = hmac::Context::with_key(&key);
        for part in [self.id.as_bytes(), b".", seconds.as_bytes(), b".", &self.body] {
            signing.update(part);
        }
        Some(format!("v1,{}", BASE64_STANDARD.encode(signing.sign())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of the specification's own libraries.
    #[test]
    fn a_message_is_signed_as_the_standard_says() {
        let message = Message {
            id: "msg_p5jXN8AQM9LWM0D4loKWxJek".to_owned(),
            body: Bytes::from_static(b"{\"test\": 2432232314}"),
        };
        let secret = Secret::new("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
        let headers = message.headers(Some(&secret), 1_614_265_330_000);
        assert_eq!(headers["webhook-id"], "msg_p5jXN8AQM9LWM0D4loKWxJek");
        assert_eq!(headers["webhook-timestamp"], "1614265330");
        let expected = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
        assert_eq!(headers["webhook-signature"], expected);
        assert!(!message.headers(None, 1).contains_key("webhook-signature"));
    }
}
