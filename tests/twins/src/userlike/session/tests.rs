//! What depends on what was said before.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::*;

fn packet(name: &str, payload: Value) -> Packet {
    Packet { cid: "c".to_owned(), context: None, name: name.to_owned(), payload }
}

fn on(medium: &str) -> Session {
    let mut session = Session::new(1, Contact::new(), usize::MAX);
    session.medium = medium.to_owned();
    session
}

fn judge(session: &Session, packets: &[Packet]) -> Result<(), Refusal> {
    session.judge(packets.iter(), |link| !link.contains("gone"))
}

fn menu(name: &str, count: usize, label: &str) -> Packet {
    let options: Vec<_> = (0..count).map(|id| json!({ "id": id, "label": label })).collect();
    let key = if name == "button_template" { "buttons" } else { "options" };
    packet(name, json!({ "body": "?", key: options, "fallback": "?" }))
}

#[test]
fn nothing_follows_the_end_of_a_session() {
    let hello = packet("message", json!({ "body": "hello" }));
    for last in ["abort", "end", "forward_any", "forward_group", "forward_skills"] {
        let last = packet(last, json!({}));
        assert_eq!(judge(&on("web"), &[hello.clone(), last.clone()]), Ok(()));
        let after = judge(&on("web"), &[last.clone(), hello.clone()]);
        assert!(matches!(after, Err(Refusal::Rule(_))), "{after:?}");
        let mut session = on("web");
        session.take(&[&last], By::Call, Duration::ZERO);
        assert!(matches!(judge(&session, std::slice::from_ref(&hello)), Err(Refusal::Over(_))));
    }
}

#[test]
fn files_must_be_fetched_and_sms_has_none() {
    let file = |link: &str| [packet("media", json!({ "link": link }))];
    assert_eq!(judge(&on("web"), &file("https://files.example/cat")), Ok(()));
    for link in ["https://gone.example/cat", "cat.png", "ftp://files.example/cat"] {
        assert!(matches!(judge(&on("web"), &file(link)), Err(Refusal::Media(_))), "{link}");
    }
    let refused = judge(&on("sms"), &file("https://files.example/cat"));
    assert!(matches!(refused, Err(Refusal::Rule(_))));
}

#[test]
fn a_transcript_goes_to_contacts_with_an_address() {
    let dispatch = packet("email_dispatch", json!({ "recipient": { "type": "contact" } }));
    let update = packet("contact_update", json!({ "email": "mara@example.invalid" }));
    assert!(judge(&on("web"), std::slice::from_ref(&dispatch)).is_err());
    assert!(judge(&on("web"), &[dispatch.clone(), update.clone()]).is_err());
    assert_eq!(judge(&on("web"), &[update.clone(), dispatch.clone()]), Ok(()));
    let mut session = on("web");
    session.take(&[&update], By::Call, Duration::ZERO);
    assert_eq!(judge(&session, &[dispatch]), Ok(()));
}

#[test]
fn facebook_shows_images_above_templates_only() {
    let header = |kind: &str| {
        let mut template = menu("button_template", 2, "x");
        template.payload["header"] = json!({ "type": kind });
        [template]
    };
    assert_eq!(judge(&on("facebook"), &header("image")), Ok(()));
    assert!(judge(&on("facebook"), &header("video")).is_err());
    assert_eq!(judge(&on("whatsapp_business"), &header("video")), Ok(()));
}

#[test]
fn choices_are_tapped_or_numbered_as_the_document_says() {
    let (short, long) = ("x".repeat(20), "x".repeat(21));
    let rows = [
        ("web", "bubbles", 40, &long, Form::Native),
        ("web", "carousel", 3, &long, Form::Native),
        ("facebook", "bubbles", 13, &short, Form::Native),
        ("facebook", "bubbles", 14, &short, Form::Text),
        ("facebook", "bubbles", 2, &long, Form::Text),
        ("facebook", "list_template", 10, &short, Form::Native),
        ("whatsapp_business", "bubbles", 10, &short, Form::Native),
        ("whatsapp_business", "bubbles", 11, &short, Form::Text),
        ("whatsapp_business", "bubbles", 2, &long, Form::Text),
        ("whatsapp_business", "carousel", 2, &short, Form::Text),
        ("whatsapp_business", "button_template", 3, &long, Form::Native),
        ("whatsapp_business", "list_template", 10, &long, Form::Native),
        ("telegram", "bubbles", 2, &short, Form::Text),
        ("sms", "button_template", 2, &short, Form::Text),
        ("custom", "list_template", 2, &short, Form::Text),
    ];
    for (medium, name, count, label, expect) in rows {
        let got = form(medium, &menu(name, count, label));
        assert_eq!(got, expect, "{count} {name} on {medium} with {} letters", label.len());
    }
}

#[test]
fn a_context_replaces_and_an_empty_one_is_ignored() {
    let mut session = on("web");
    let said = |context: Value| Packet {
        context: context.as_object().cloned(),
        ..packet("message", json!({ "body": "x" }))
    };
    session.take(&[&said(json!({ "a": 1 }))], By::Call, Duration::ZERO);
    session.take(&[&said(json!({})), &said(json!(null))], By::Call, Duration::ZERO);
    assert_eq!(Value::from(session.context.clone()), json!({ "a": 1 }));
    session.take(&[&said(json!({ "b": 2 }))], By::Call, Duration::ZERO);
    assert_eq!(Value::from(session.context), json!({ "b": 2 }));
}

#[test]
fn a_delay_holds_back_what_follows_in_its_list() {
    let mut session = on("web");
    let say = packet("message", json!({ "body": "x" }));
    let pause = packet("delay", json!({ "seconds": 1.5 }));
    let seen = session.take(&[&say, &pause, &say], By::Call, Duration::from_secs(10));
    let at: Vec<_> = seen.iter().map(|seen| seen.at.as_millis()).collect();
    assert_eq!(at, [10_000, 10_000, 11_500]);
    let other = session.take(&[&say], By::Answer, Duration::from_secs(11));
    assert_eq!((other[0].at.as_millis(), other[0].number), (11_000, 3));
}

#[test]
fn twenty_requests_pass_in_any_minute() {
    let window = Duration::from_secs(60);
    let start = Instant::now();
    let mut session = on("web");
    let mut passes = |second: u64| {
        let now = start + Duration::from_secs(second);
        let wait = session.wait(window, now);
        if wait.is_none() {
            session.count(now);
        }
        wait.map(|wait| wait.as_secs())
    };
    for second in 0..20 {
        assert_eq!(passes(second), None);
    }
    assert_eq!(passes(59), Some(1));
    assert_eq!(passes(60), None);
    assert_eq!(passes(60), Some(1));
    assert_eq!(passes(61), None);
}
