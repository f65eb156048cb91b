//! What the networks behind Khoros take. Khoros hands messages on as they are, so what is
//! too long for the network comes back as an error of the call.

use super::document::{
    FACEBOOK_BUTTONS_MAX, FACEBOOK_BUTTONS_TEXT_CHARACTERS_MAX, FACEBOOK_LABEL_CHARACTERS_MAX,
    FACEBOOK_PAYLOAD_BYTES_MAX, FACEBOOK_REPLIES_MAX, FACEBOOK_TEXT_CHARACTERS_MAX,
    SMOOCH_TEXT_CHARACTERS_MAX, X_MESSAGE_CHARACTERS_MAX, X_NARROW, X_POST_CHARACTERS_MAX,
};
use crate::fields::Fields;

type Checked = Result<(), String>;

/// A message that Khoros takes.
pub(super) fn judge(network: &str, scope: &str, body: &Fields<'_>) -> Checked {
    match network {
        "facebook" => facebook(body),
        "twitter" if scope == "PUBLIC" => post(body),
        "twitter" => body.optional_text("text", X_MESSAGE_CHARACTERS_MAX),
        "smooch" | "brandmessenger" => body.optional_text("text", SMOOCH_TEXT_CHARACTERS_MAX),
        _ => Ok(()),
    }
}

fn post(body: &Fields<'_>) -> Checked {
    body.optional_text("text", usize::MAX)?;
    let text = body.word("text");
    let is_narrow = |c: &char| X_NARROW.iter().any(|range| range.contains(c));
    let count = text.chars().map(|c| if is_narrow(&c) { 1 } else { 2 }).sum::<usize>();
    if count > X_POST_CHARACTERS_MAX {
        return Err(format!(
            "a post of {count} characters as X counts them, where {X_POST_CHARACTERS_MAX} are allowed"
        ));
    }
    Ok(())
}

/// Postbacks are buttons of a button template, replies are quick replies.
fn facebook(body: &Fields<'_>) -> Checked {
    body.optional_text("text", FACEBOOK_TEXT_CHARACTERS_MAX)?;
    if !body.has("actions") {
        return Ok(());
    }
    let actions = body.list("actions", FACEBOOK_REPLIES_MAX)?;
    for action in &actions {
        action.optional_text("text", FACEBOOK_LABEL_CHARACTERS_MAX)?;
        action.optional_bytes("payload", FACEBOOK_PAYLOAD_BYTES_MAX)?;
    }
    let are_buttons = actions.iter().any(|action| action.is("type", "postback"));
    if !are_buttons {
        return Ok(());
    }
    if actions.len() > FACEBOOK_BUTTONS_MAX {
        let count = actions.len();
        return Err(format!("{count} postbacks, where {FACEBOOK_BUTTONS_MAX} are allowed"));
    }
    body.optional_text("text", FACEBOOK_BUTTONS_TEXT_CHARACTERS_MAX)
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judged(network: &str, scope: &str, body: &Value) -> Checked {
        judge(network, scope, &Fields::of("the body", body).unwrap())
    }

    fn actions(kind: &str, count: usize, label: &str, text: usize) -> Value {
        let action = json!({ "type": kind, "payload": "p", "text": label });
        json!({ "text": "a".repeat(text), "actions": vec![action; count] })
    }

    #[test]
    fn facebook_has_buttons_and_quick_replies() {
        let facebook = |body: &Value| judged("facebook", "PRIVATE", body);
        let label = "a".repeat(20);
        assert!(facebook(&actions("reply", 13, &label, 2_000)).is_ok());
        assert!(facebook(&actions("postback", 3, &label, 640)).is_ok());
        for (body, why) in [
            (actions("reply", 14, &label, 1), "14 actions"),
            (actions("reply", 1, &"a".repeat(21), 1), "21 characters"),
            (actions("reply", 1, &label, 2_001), "2001 characters"),
            (actions("postback", 4, &label, 1), "4 postbacks"),
            (actions("postback", 1, &label, 641), "641 characters"),
            (json!({ "actions": [{ "type": "reply", "payload": "é".repeat(501) }] }), "1002 bytes"),
        ] {
            let told = facebook(&body).unwrap_err();
            assert!(told.contains(why), "{told}");
        }
    }

    #[test]
    fn a_post_is_shorter_than_a_message() {
        let text = json!({ "text": "a".repeat(281) });
        assert!(judged("twitter", "PUBLIC", &text).is_err());
        assert!(judged("twitter", "PRIVATE", &text).is_ok());
        let wide = |count| json!({ "text": "日".repeat(count) });
        assert!(judged("twitter", "PUBLIC", &wide(140)).is_ok());
        assert!(judged("twitter", "PUBLIC", &wide(141)).unwrap_err().contains("282"));
        assert!(judged("smooch", "PRIVATE", &json!({ "text": "a".repeat(4_097) })).is_err());
        assert!(judged("pigeon", "PRIVATE", &json!({ "text": "a".repeat(9_000) })).is_ok());
    }
}
