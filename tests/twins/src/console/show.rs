//! What happens, as a person sees it; what the person does not see, in brackets.

use crate::record::{Record, Seen};

/// A record as lines; `None` for what shows in another one.
pub(super) fn record(record: &Record, seen: fn(&Seen) -> Option<String>) -> Option<String> {
    match record {
        Record::Seen(it) => Some(seen(it).unwrap_or_else(|| format!("({} {})", it.name, it.value))),
        Record::Change(it) => Some(format!("({})", it.state)),
        Record::Call(it) if !it.acted || !(200..300).contains(&it.status) => {
            let told = if it.status == 0 { "no answer".to_owned() } else { it.status.to_string() };
            let done = if it.acted { "carried out" } else { "not carried out" };
            let reason = why(it.fault, &it.reason);
            Some(format!("!! {} {} got {told}, {done}: {reason}", it.method, it.path))
        }
        Record::Call(_) => None,
        Record::Webhook(it) if !it.reason.is_empty() => {
            let reason = why(it.fault, &it.reason);
            Some(format!("!! webhook {}, sending {}: {reason}", it.webhook, it.attempt))
        }
        Record::Webhook(_) => None,
    }
}

/// Whether the bot or its host did what the vendor refuses. A fault of the plan is
/// nobody's mistake.
pub(super) fn is_refusal(record: &Record) -> bool {
    match record {
        Record::Call(it) => !it.acted && it.fault.is_none(),
        Record::Webhook(it) => it.delivered && !it.reason.is_empty(),
        Record::Seen(_) | Record::Change(_) => false,
    }
}

/// A reason, with the fault that it comes of.
pub(crate) fn why(fault: Option<&str>, reason: &str) -> String {
    match fault {
        Some(fault) if reason.is_empty() => format!("the fault `{fault}`"),
        Some(fault) => format!("the fault `{fault}`: {reason}"),
        None => reason.to_owned(),
    }
}

/// What the bot said.
pub(crate) fn said(text: &str) -> String {
    format!("bot> {}", text.replace('\n', "\n     "))
}

/// What can be tapped, on a line of its own below what was said.
pub(crate) fn option(label: &str, id: &str) -> String {
    format!("\n     [{label}]  /click {id}")
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::time::Duration;

    use serde_json::{Value, json};

    use super::*;
    use crate::record::{Call, Sent};

    fn call(status: u16, acted: bool, fault: Option<&'static str>) -> Record {
        Record::Call(Arc::new(Call {
            at: Duration::ZERO,
            conversation: None,
            method: "POST".into(),
            path: "/respond".into(),
            caller: None,
            body: Value::Null,
            status,
            reason: if acted { String::new() } else { "no such thing".into() },
            acted,
            fault,
        }))
    }

    #[test]
    fn faults_of_the_plan_are_no_refusals() {
        let text = |it: &Record| record(it, |_| None);
        let refused = call(400, false, None);
        assert!(is_refusal(&refused));
        assert_eq!(
            text(&refused).unwrap(),
            "!! POST /respond got 400, not carried out: no such thing"
        );
        assert!(!is_refusal(&call(500, false, Some("500"))));
        assert_eq!(text(&call(202, true, None)), None);
        let cut = text(&call(0, true, Some("cut-after"))).unwrap();
        assert_eq!(cut, "!! POST /respond got no answer, carried out: the fault `cut-after`");
    }

    #[test]
    fn an_answer_that_the_vendor_cannot_read_is_a_refusal() {
        let sent = |delivered| {
            Record::Webhook(Arc::new(Sent {
                at: Duration::ZERO,
                conversation: "c".into(),
                hook: "main".into(),
                webhook: 3,
                attempt: 2,
                body: String::new(),
                fault: None,
                status: Some(200),
                retry_after: None,
                whole: delivered,
                delivered,
                answer: String::new(),
                reason: "not JSON".into(),
            }))
        };
        assert!(is_refusal(&sent(true)) && !is_refusal(&sent(false)));
        assert_eq!(record(&sent(true), |_| None).unwrap(), "!! webhook 3, sending 2: not JSON");
    }

    #[test]
    fn what_a_vendor_shows_in_no_words_stands_in_brackets() {
        let seen = Record::Seen(Arc::new(Seen {
            at: Duration::ZERO,
            conversation: "c".into(),
            number: 0,
            name: "tag".into(),
            value: json!({ "tagIds": [7] }),
        }));
        assert_eq!(record(&seen, |_| None).unwrap(), r#"(tag {"tagIds":[7]})"#);
        assert_eq!(said("a\nb") + &option("Rye", "rye"), "bot> a\n     b\n     [Rye]  /click rye");
    }
}
