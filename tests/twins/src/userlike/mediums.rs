//! What the mediums behind Userlike take. Userlike makes a text of bubbles that are too many
//! or too long for them. It does not say what becomes of the other parts of a choice; what
//! the medium would not show as it is, is refused here.

use super::document::{
    BUTTONS_MAX, FACEBOOK_BUTTONS_TEXT_CHARACTERS_MAX, FACEBOOK_TEXT_CHARACTERS_MAX,
    LABEL_CHARACTERS_MAX, WHATSAPP_BUTTON_CHARACTERS_MAX, WHATSAPP_DESCRIPTION_CHARACTERS_MAX,
    WHATSAPP_EDGE_CHARACTERS_MAX, WHATSAPP_ROW_CHARACTERS_MAX, WHATSAPP_TEXT_CHARACTERS_MAX,
};
use super::rules::Packet;
use super::session::is_native;
use crate::fields::Fields;

type Checked = Result<(), String>;

/// A packet that is in order, on this medium.
///
/// # Errors
///
/// Says what the medium does not take.
pub fn judge_on(medium: &str, packet: &Packet) -> Checked {
    if !packet.is_choice() || !is_native(medium, packet) {
        return Ok(());
    }
    let fields = Fields::of(&packet.name, &packet.payload)?;
    match medium {
        "facebook" => facebook(packet, &fields),
        "whatsapp_business" => whatsapp(packet, &fields),
        _ => Ok(()),
    }
}

/// Up to three options are buttons of a button template, more are quick replies.
fn facebook(packet: &Packet, fields: &Fields<'_>) -> Checked {
    let options = packet.options();
    let is_template = packet.name == "button_template"
        || packet.name == "bubbles" && options.len() <= BUTTONS_MAX;
    labels(packet, LABEL_CHARACTERS_MAX)?;
    let most = if is_template {
        FACEBOOK_BUTTONS_TEXT_CHARACTERS_MAX
    } else {
        FACEBOOK_TEXT_CHARACTERS_MAX
    };
    fields.text("body", most)
}

fn whatsapp(packet: &Packet, fields: &Fields<'_>) -> Checked {
    fields.text("body", WHATSAPP_TEXT_CHARACTERS_MAX)?;
    fields.optional_text("footer", WHATSAPP_EDGE_CHARACTERS_MAX)?;
    if packet.name != "list_template" {
        labels(packet, LABEL_CHARACTERS_MAX)?;
        let header = fields.optional_object("header")?;
        return header.map_or(Ok(()), |it| it.optional_text("text", WHATSAPP_EDGE_CHARACTERS_MAX));
    }
    fields.optional_text("header", WHATSAPP_EDGE_CHARACTERS_MAX)?;
    fields.optional_text("button", WHATSAPP_BUTTON_CHARACTERS_MAX)?;
    fields.optional_text("title", WHATSAPP_ROW_CHARACTERS_MAX)?;
    for row in fields.list("options", usize::MAX)? {
        row.optional_text("label", WHATSAPP_ROW_CHARACTERS_MAX)?;
        row.optional_text("description", WHATSAPP_DESCRIPTION_CHARACTERS_MAX)?;
    }
    Ok(())
}

fn labels(packet: &Packet, most: usize) -> Checked {
    match packet.options().iter().map(|(_, label)| label.chars().count()).max() {
        Some(longest) if longest > most => {
            Err(format!("{} with a label of {longest} characters, not {most}", packet.name))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn judged(medium: &str, name: &str, payload: &Value) -> Checked {
        let packet =
            Packet { cid: "c".into(), context: None, name: name.into(), payload: payload.clone() };
        judge_on(medium, &packet)
    }

    fn bubbles(count: usize, label: usize, body: usize) -> Value {
        let option = json!({ "id": "a", "label": "l".repeat(label) });
        json!({ "body": "b".repeat(body), "options": vec![option; count] })
    }

    #[test]
    fn few_bubbles_are_a_template_and_too_many_a_text() {
        let on = |medium: &str, payload: &Value| judged(medium, "bubbles", payload);
        assert!(on("facebook", &bubbles(3, 20, 640)).is_ok());
        assert!(on("facebook", &bubbles(3, 20, 641)).is_err());
        assert!(on("facebook", &bubbles(4, 20, 641)).is_ok());
        // These are texts.
        assert!(on("facebook", &bubbles(14, 20, 2_001)).is_ok());
        assert!(on("whatsapp_business", &bubbles(3, 21, 4_000)).is_ok());
        assert!(on("whatsapp_business", &bubbles(3, 20, 1_025)).is_err());
        assert!(on("web", &bubbles(3, 200, 4_000)).is_ok());
    }

    #[test]
    fn the_parts_of_a_list_have_limits_on_whatsapp() {
        let list = |key: &str, length: usize| {
            let mut list = json!({ "body": "b", "button": "b",
                "options": [{ "id": "a", "label": "l", "description": "d" }] });
            match key {
                "label" | "description" => list["options"][0][key] = json!("x".repeat(length)),
                key => list[key] = json!("x".repeat(length)),
            }
            judged("whatsapp_business", "list_template", &list)
        };
        let rows = [
            ("body", 1_024),
            ("header", 60),
            ("footer", 60),
            ("title", 24),
            ("button", 20),
            ("label", 24),
            ("description", 72),
        ];
        for (key, most) in rows {
            assert_eq!(list(key, most), Ok(()), "{key}");
            assert!(list(key, most + 1).is_err(), "{key}");
        }
    }
}
