//! What happens, as a person sees it; what the person does not see, in brackets.

use serde_json::Value;

use crate::console::{option, said, why};
use crate::userlike::{Form, Packet, Record, Seen};

/// A record as lines; `None` for what shows in another one.
pub(super) fn record(record: &Record) -> Option<String> {
    match record {
        Record::Seen(it) => Some(seen(it)),
        Record::Session(it) => Some(format!("(the session is {})", it.state)),
        Record::Call(it) if !it.acted || it.status != 200 => {
            let told = if it.status == 0 { "no answer".to_owned() } else { it.status.to_string() };
            let done = if it.acted { "carried out" } else { "not carried out" };
            Some(format!("!! a call got {told}, {done}: {}", why(it.fault, &it.reason)))
        }
        Record::Call(_) => None,
        Record::Webhook(it) if !it.reason.is_empty() => {
            let reason = why(it.fault, &it.reason);
            Some(format!("!! webhook {}, sending {}: {reason}", it.webhook, it.attempt))
        }
        Record::Webhook(_) => None,
    }
}

/// Whether the bot or its host did what Userlike refuses. A fault of the plan is
/// nobody's mistake.
pub(super) fn is_refusal(record: &Record) -> bool {
    match record {
        Record::Call(it) => !it.acted && it.fault.is_none(),
        Record::Webhook(it) => it.is_answered() && !it.reason.is_empty(),
        Record::Seen(_) | Record::Session(_) => false,
    }
}

fn seen(seen: &Seen) -> String {
    let packet = &seen.packet;
    let word = |key: &str| packet.payload[key].as_str().unwrap_or_default();
    match &*packet.name {
        "message" => said(word("body")),
        "media" => said(&format!("[file] {}", word("link"))),
        "navigate" => format!("(the page goes to {})", word("link")),
        "delay" => format!("(a pause of {} s)", packet.payload["seconds"]),
        "button" => said(&link(&packet.payload)),
        "buttons" => {
            let mut lines = said(word("body"));
            for button in packet.payload["buttons"].as_array().into_iter().flatten() {
                lines.push_str(&format!("\n     {}", link(button)));
            }
            lines
        }
        _ if packet.is_choice() => choice(packet, seen.form),
        name => format!("({name} {})", packet.payload),
    }
}

fn choice(packet: &Packet, form: Option<Form>) -> String {
    let options = packet.options();
    let (text, rows): (_, String) = match form {
        Some(Form::Text) => {
            let rows = options.iter().zip(1..);
            ("fallback", rows.map(|((_, label), n)| format!("\n     {n}. {label}")).collect())
        }
        Some(Form::Native) | None => {
            ("body", options.iter().map(|(id, label)| option(label, id)).collect())
        }
    };
    said(packet.payload[text].as_str().unwrap_or_default()) + &rows
}

fn link(button: &Value) -> String {
    let word = |key: &str| button[key].as_str().unwrap_or_default();
    format!("[{}] {}", word("body"), word("link"))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::json;

    use super::*;
    use crate::userlike::{By, Call, Sent};

    fn shown(name: &str, payload: Value, form: Option<Form>) -> String {
        let packet = Packet { cid: "c".into(), context: None, name: name.into(), payload };
        let seen = Seen { at: Duration::ZERO, number: 0, packet, form, by: By::Answer };
        record(&Record::Seen(Arc::new(seen))).unwrap()
    }

    #[test]
    fn a_choice_is_tapped_or_numbered() {
        let menu = json!({
            "body": "Which loaf?", "fallback": "Answer with a number.",
            "options": [{ "id": "rye", "label": "Rye" }, { "id": 7, "label": "Spelt" }],
        });
        let native = shown("bubbles", menu.clone(), Some(Form::Native));
        assert_eq!(native, "bot> Which loaf?\n     [Rye]  /click rye\n     [Spelt]  /click 7");
        let text = shown("bubbles", menu, Some(Form::Text));
        assert_eq!(text, "bot> Answer with a number.\n     1. Rye\n     2. Spelt");
    }

    #[test]
    fn words_keep_their_lines_and_the_unseen_stands_in_brackets() {
        assert_eq!(shown("message", json!({ "body": "a\nb" }), None), "bot> a\n     b");
        assert_eq!(shown("delay", json!({ "seconds": 2 }), None), "(a pause of 2 s)");
        assert_eq!(shown("forward_any", json!({}), None), "(forward_any {})");
    }

    #[test]
    fn faults_of_the_plan_are_no_refusals() {
        let call = Call {
            query: None,
            at: Duration::ZERO,
            status: 400,
            reason: "no event is called shout".into(),
            acted: false,
            fault: None,
            packets: Vec::new(),
        };
        let refused = Record::Call(Arc::new(call.clone()));
        assert!(is_refusal(&refused));
        assert!(record(&refused).unwrap().contains("400, not carried out: no event"));
        let planned = Record::Call(Arc::new(Call { fault: Some("500"), status: 500, ..call }));
        assert!(!is_refusal(&planned));
        let sent = Sent {
            at: Duration::ZERO,
            cid: "c".into(),
            webhook: 3,
            attempt: 2,
            body: String::new(),
            fault: Some("leave"),
            status: None,
            whole: false,
            reason: "left before the answer".into(),
            packets: Vec::new(),
        };
        let left = Record::Webhook(Arc::new(sent));
        assert!(!is_refusal(&left));
        let text = record(&left).unwrap();
        assert_eq!(text, "!! webhook 3, sending 2: the fault `leave`: left before the answer");
    }
}
