//! What somebody pastes at a vendor, so that its webhooks come here.

use serde_json::Value;

/// One thing that is pasted at a vendor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Paste {
    /// Where, in the vendor's own words.
    pub field: String,
    /// What. A secret is named and not shown: only its owner has its value.
    pub value: String,
}

impl Paste {
    pub(crate) fn new(field: impl Into<String>, value: impl Into<String>) -> Self {
        Self { field: field.into(), value: value.into() }
    }

    /// A header and the secret that it carries; nothing where the settings name no such
    /// secret.
    pub(crate) fn header(settings: &Value, usual: &str) -> Option<Self> {
        let header = settings["webhook-header"].as_str().unwrap_or(usual);
        let value = secret(settings, "webhook-secret")?;
        Some(Self::new(format!("header `{header}`"), value))
    }
}

/// A secret of the settings in words; absent where they do not have it.
pub(crate) fn secret(settings: &Value, key: &str) -> Option<String> {
    let (value, several) = match &settings[key] {
        Value::Null => return None,
        Value::Array(several) if several.len() > 1 => (several.last()?, " (the newer one)"),
        Value::Array(one) => (one.first()?, ""),
        value => (value, ""),
    };
    let name = value["secret"].as_str().map(|name| format!(", the secret `{name}`"));
    Some(format!("the value of `{key}`{}{several}", name.unwrap_or_default()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::{VENDORS, known};

    const URL: &str = "https://h.example/webhooks/acme";

    fn pasted(vendor: &str, settings: Value) -> Vec<(String, String)> {
        let pastes = (known(vendor).unwrap().paste)(&settings, URL);
        pastes.into_iter().map(|paste| (paste.field, paste.value)).collect()
    }

    #[test]
    fn a_secret_is_named_and_never_shown() {
        for vendor in VENDORS {
            let sample = (vendor.sample)();
            let told = format!("{:?}", (vendor.paste)(&sample, URL));
            assert!(told.contains(URL), "{told}");
            // Whom a webhook is for is no secret.
            let open = ["webhook-identity", "webhook-method", "webhook-header", "bot-id"];
            for (key, value) in sample.as_object().unwrap() {
                let shown = value.as_str().is_some_and(|value| told.contains(value));
                assert!(!shown || open.contains(&key.as_str()), "{key} is shown: {told}");
            }
        }
        let rotated = json!({"webhook-secret": [{"secret": "old"}, {"secret": "new"}]});
        let told = secret(&rotated, "webhook-secret");
        assert_eq!(
            told.unwrap(),
            "the value of `webhook-secret`, the secret `new` (the newer one)"
        );
        assert_eq!(secret(&json!({}), "webhook-secret"), None);
    }

    #[test]
    fn userlike_is_given_a_header_or_a_longer_url() {
        let with_header = pasted("userlike", json!({"webhook-secret": {"secret": "hook"}}));
        let expected = [
            ("Webhook URL".to_owned(), URL.to_owned()),
            (
                "header `API-SECURITY-TOKEN`".to_owned(),
                "the value of `webhook-secret`, the secret `hook`".to_owned(),
            ),
        ];
        assert_eq!(with_header, expected);
        let without = pasted("userlike", json!({"webhook-url-secret": {"env": "SECRET"}}));
        let url = format!("{URL}/<the value of `webhook-url-secret`>");
        assert_eq!(without, [("Webhook URL".to_owned(), url)]);
        let other = json!({"webhook-header": "X-Own", "webhook-secret": "s"});
        assert_eq!(pasted("userlike", other)[1].0, "header `X-Own`");
    }

    #[test]
    fn myalice_is_given_a_url_for_each_output_type() {
        let told = pasted("myalice", json!({"webhook-secret": "s", "tickets-url-secret": "t"}));
        let urls: Vec<_> = told.iter().map(|(_, value)| value.as_str()).collect();
        for kind in ["text", "image", "gallery", "button", "quick-reply"] {
            assert!(urls.contains(&format!("{URL}/{kind}/<a name for the place>").as_str()));
        }
        let tickets = format!("{URL}/tickets/<the value of `tickets-url-secret`>");
        assert!(urls.contains(&tickets.as_str()), "{urls:?}");
        assert!(told.iter().any(|(field, _)| field == "header `X-Secret`"), "{told:?}");
    }

    #[test]
    fn khoros_is_registered_by_hand_or_by_the_host() {
        let by_hand =
            json!({"webhook-method": "hmac", "webhook-identity": "id", "webhook-secret": "s"});
        let told = pasted("khoros", by_hand);
        assert!(told.contains(&("credentials, type".to_owned(), "HMAC".to_owned())), "{told:?}");
        assert!(told.contains(&("credentials, identity".to_owned(), "id".to_owned())));
        let by_host = json!({"registrations": [{}], "webhook-secret": "s"});
        assert!(pasted("khoros", by_host)[0].1.contains("nothing"), "the host does it");
    }

    #[test]
    fn facebook_is_given_the_verify_token() {
        for vendor in ["messenger", "lexer"] {
            let told = pasted(vendor, json!({"verify-token": {"secret": "verify"}}));
            let token = "the value of `verify-token`, the secret `verify`".to_owned();
            assert!(told.contains(&("Verify Token".to_owned(), token)), "{told:?}");
        }
    }
}
