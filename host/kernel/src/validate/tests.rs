use serde_json::{Value, json};

use super::*;

/// Actions from their canonical JSON.
fn parse(actions: Value) -> Vec<Action> {
    serde_json::from_value(actions).expect("canonical JSON")
}

fn failure(given: Value) -> RunFailure {
    actions(&parse(given.clone())).expect_err(&given.to_string())
}

fn ok(name: &str, payload: Value) {
    let action = json!([{"name": name, "payload": payload}]);
    if let Err(failure) = actions(&parse(action.clone())) {
        panic!("{action}: {failure}");
    }
}

fn invalid(name: &str, payload: Value, message: &str) {
    let failure = failure(json!([{"name": "end"}, {"name": name, "payload": payload}]));
    assert_eq!(failure.blame, Blame::Bot);
    assert_eq!(failure.kind, FailureKind::InvalidAction);
    assert_eq!(failure.message, format!("action 1 ({name}): {message}"));
}

fn chars(n: usize) -> String {
    "ü".repeat(n)
}

#[test]
fn a_turn_has_a_number_and_a_size() {
    assert_eq!(actions(&[]), Ok(()));
    assert_eq!(actions(&vec![Action::End; 32]), Ok(()));
    let many = actions(&vec![Action::End; 33]).unwrap_err();
    assert_eq!((many.blame, many.kind), (Blame::Bot, FailureKind::Output));
    assert_eq!(many.message, "33 actions given, at most 32 are allowed");

    let message =
        |n| json!({"name": "message", "payload": {"text": "x".repeat(n), "format": "plain"}});
    let overhead = message(0).to_string().len() + 1;
    let fill = |last| {
        let mut all = vec![message(5_000 - overhead); 13];
        all.push(message(last));
        parse(Value::Array(all))
    };
    let last = ACTIONS_MAX_BYTES - 1 - 13 * 5_000 - overhead;
    assert_eq!(actions(&fill(last)), Ok(()));
    let large = actions(&fill(last + 1)).unwrap_err();
    assert_eq!(large.kind, FailureKind::Output);
    assert!(large.message.contains("65537 bytes"), "{large}");
}

#[test]
fn texts() {
    ok("message", json!({"text": chars(5_000)}));
    invalid(
        "message",
        json!({"text": chars(5_001)}),
        "`text` has 5001 characters, at most 5000 are allowed",
    );
    invalid("message", json!({"text": ""}), "`text` is empty, 1 to 5000 characters are needed");
    invalid("note_create", json!({"text": ""}), "`text` is empty, 1 to 5000 characters are needed");
    invalid(
        "resolve",
        json!({"comment": chars(5_001)}),
        "`comment` has 5001 characters, at most 5000 are allowed",
    );
    ok("resolve", json!({}));
    ok("secure_form", json!({"form": "f", "text": ""}));
}

#[test]
fn options() {
    let bubbles = |options: Value| json!({"text": "t", "options": options});
    ok("bubbles", bubbles(json!([{"id": chars(500), "label": chars(500)}])));
    invalid("bubbles", bubbles(json!([])), "`options` is empty, at least one is needed");
    invalid(
        "bubbles",
        bubbles(json!([{"id": "", "label": "l"}])),
        "`options[0].id` is empty, 1 to 1000 bytes are needed",
    );
    invalid(
        "bubbles",
        bubbles(json!([{"id": chars(501), "label": "l"}])),
        "`options[0].id` has 1002 bytes, at most 1000 are allowed",
    );
    invalid(
        "bubbles",
        bubbles(json!([{"id": "a", "label": "l"}, {"id": "b", "label": chars(501)}])),
        "`options[1].label` has 501 characters, at most 500 are allowed",
    );
    let named = |short: String| json!([{"id": "a", "label": "l", "short_label": short}]);
    ok("bubbles", bubbles(named(String::new())));
    ok("bubbles", bubbles(named(chars(500))));
    invalid(
        "bubbles",
        bubbles(named(" ".to_owned())),
        "`options[0].short_label` is blank: leave it out where the label has none",
    );
    let links = json!([{"label": "l", "short_label": " ", "link": "https://a.b"}]);
    invalid(
        "buttons",
        json!({"links": links}),
        "`links[0].short_label` is blank: leave it out where the label has none",
    );
    invalid(
        "bubbles",
        bubbles(named(chars(501))),
        "`options[0].short_label` has 501 characters, at most 500 are allowed",
    );
    invalid(
        "bubbles",
        bubbles(json!([{"id": "a", "label": "l"}, {"id": "a", "label": "m"}])),
        "`options[1].id` is the same as that of `options[0]`; ids must differ within an action",
    );
}

#[test]
fn templates() {
    let card =
        |image: &str| json!({"text": "t", "cards": [{"id": "a", "label": "l", "image": image}]});
    ok("carousel", card("https://example.com/a.png"));
    invalid(
        "carousel",
        card("http://example.com/a.png"),
        "`cards[0].image` is no absolute https address",
    );
    invalid(
        "carousel",
        json!({"text": "t", "cards": []}),
        "`cards` is empty, at least one is needed",
    );

    let buttons = |n: usize| {
        let buttons: Vec<_> = (0..n).map(|n| json!({"id": n.to_string(), "label": "l"})).collect();
        json!({"header": {"name": "image", "payload": "https://a.b/c"}, "text": "t", "buttons": buttons})
    };
    ok("button_template", buttons(3));
    invalid("button_template", buttons(4), "`buttons` has 4 entries, at most 3 are allowed");
    invalid("button_template", buttons(0), "`buttons` is empty, at least one is needed");

    let list = |sections: Value| json!({"text": "t", "button": "b", "sections": sections});
    let row = json!({"id": "a", "label": "l"});
    ok("list_template", list(json!([{"rows": [row]}])));
    invalid("list_template", list(json!([])), "`sections` is empty, at least one is needed");
    invalid(
        "list_template",
        list(json!([{"rows": []}])),
        "`sections[0].rows` is empty, at least one is needed",
    );
    invalid(
        "list_template",
        list(json!([{"rows": [row]}, {"rows": [row]}])),
        "`sections[1].rows[0].id` is the same as that of `sections[0].rows[0]`; ids must differ \
         within an action",
    );
}

#[test]
fn links() {
    let bad = "`link` is no absolute http or https address; characters beyond ASCII and blanks \
               must be percent-encoded";
    for link in [
        "http://example.com",
        "https://example.com:8443/a?b=c#d",
        "HTTPS://EXAMPLE.COM/",
        "http://[::1]:8080/",
        "https://example.com/K%C3%A4se",
    ] {
        ok("navigate", json!({"link": link}));
    }
    ok("media", json!({"link": "https://example.com/a.png"}));
    for link in [
        "",
        "/path",
        "example.com",
        "//example.com/a",
        "ftp://example.com",
        "javascript:alert(1)",
        "https://",
        "https:///a",
        "https://exa mple.com/",
        "mailto:a@example.com",
    ] {
        invalid("media", json!({"link": link}), "`link` is no absolute https address");
        invalid("navigate", json!({"link": link}), bad);
        invalid("rich_link", json!({"link": link, "title": "t"}), bad);
    }
    invalid(
        "media",
        json!({"link": "http://example.com/a.png"}),
        "`link` is no absolute https address",
    );
    invalid("buttons", json!({"links": []}), "`links` is empty, at least one is needed");
    invalid(
        "buttons",
        json!({"links": [{"label": "l", "link": "x"}]}),
        &bad.replace("`link`", "`links[0].link`"),
    );
}

#[test]
fn contexts() {
    ok("context_update", json!("{}"));
    // White space does not count, escapes count as what they stand for.
    let filled = |n: usize| format!("{{ \"a\":\n \"{}\\u00e4\" }}", "x".repeat(n));
    ok("context_update", json!(filled(9_990)));
    invalid(
        "context_update",
        json!(filled(9_991)),
        "`payload` has 10001 bytes of compact JSON, at most 10000 are allowed",
    );
    let broken = "`payload` is no JSON object: it is of another type at line 1, column 0";
    invalid("context_update", json!("[1]"), broken);
    invalid(
        "context_update",
        json!("{\"secret\": 1"),
        "`payload` is no JSON object: it ends too early at line 1, column 12",
    );
}

#[test]
fn updates_name_something() {
    let nothing = "`payload` names no field, at least one is needed";
    invalid("contact_update", json!({}), nothing);
    invalid("conversation_update", json!({}), nothing);
    ok("contact_update", json!({"name": ""}));
    ok("conversation_update", json!({"topics": []}));
    ok("contact_update", json!({"custom_fields": "{\"a\": 1}"}));
    invalid(
        "conversation_update",
        json!({"custom_fields": "1"}),
        "`custom_fields` is no JSON object: it is of another type at line 1, column 1",
    );
}

#[test]
fn delays_are_summed() {
    let delays = |ms: &[u32]| {
        let delay = |ms| json!({"name": "delay", "payload": {"delay_ms": ms, "typing": true}});
        Value::Array(ms.iter().map(delay).collect())
    };
    assert_eq!(actions(&parse(delays(&[30_000, 30_000]))), Ok(()));
    assert_eq!(
        failure(delays(&[30_000, 30_000, 1])).message,
        "action 2 (delay): `delay_ms` has 60001 ms with the delays before it, at most 60000 are \
         allowed"
    );
    assert!(actions(&parse(delays(&[u32::MAX; 32]))).is_err());
}

#[test]
fn timers() {
    let timer = |name: &str, after: u64, payload: &str| json!({"name": name, "after_ms": after, "payload": payload});
    ok("schedule", timer(&"n".repeat(200), 31_536_000_000, "null"));
    invalid("schedule", timer("", 1, "1"), "`name` is empty, 1 to 200 bytes are needed");
    invalid(
        "schedule",
        timer(&"n".repeat(201), 1, "1"),
        "`name` has 201 bytes, at most 200 are allowed",
    );
    invalid(
        "schedule",
        timer("n", 31_536_000_001, "1"),
        "`after_ms` has 31536000001 ms, at most 31536000000 are allowed",
    );
    invalid(
        "schedule",
        timer("n", 1, "nul"),
        "`payload` is no JSON: it ends too early at line 1, column 3",
    );
    ok("schedule", timer("n", 1, &format!("\"{}\"", "x".repeat(8_190))));
    invalid(
        "schedule",
        timer("n", 1, &format!("\"{}\"", "x".repeat(8_191))),
        "`payload` has 8193 bytes, at most 8192 are allowed",
    );
    invalid("cancel_timer", json!(""), "`payload` is empty, 1 to 200 bytes are needed");
}

#[test]
fn requests() {
    let request = |change: Value| {
        let mut request = json!({"name": "n", "method": "POST", "url": "https://example.com/"});
        for (key, value) in change.as_object().expect("an object") {
            request[key] = value.clone();
        }
        request
    };
    let header = |name: &str, value: &str| json!({"headers": [{"name": name, "value": value}]});
    ok("request", request(json!({"timeout_ms": 120_000, "body": "b"})));
    ok("request", request(header("X-Key", "a b\tc")));
    ok("request", request(json!({"headers": vec![json!({"name": "a", "value": "b"}); 64]})));
    for (change, message) in [
        (json!({"name": ""}), "`name` is empty, 1 to 200 bytes are needed"),
        (json!({"method": "get"}), "`method` is none of GET, HEAD, POST, PUT, PATCH, DELETE"),
        (json!({"timeout_ms": 0}), "`timeout_ms` is 0, 1 to 120000 ms are needed"),
        (json!({"timeout_ms": 120_001}), "`timeout_ms` has 120001 ms, at most 120000 are allowed"),
        (json!({"body": "b".repeat(49_153)}), "`body` has 49153 bytes, at most 49152 are allowed"),
        (
            json!({"headers": vec![json!({"name": "a", "value": "b"}); 65]}),
            "`headers` has 65 entries, at most 64 are allowed",
        ),
        (
            header("a", &"b".repeat(16_384)),
            "`headers` has 16385 bytes together, at most 16384 are allowed",
        ),
        (header("a b", "c"), "`headers[0].name` is no HTTP header name"),
        (header("Host", "c"), "`headers[0].name` is `host`, which only the host may set"),
        (
            header("Idempotency-Key", "c"),
            "`headers[0].name` is `idempotency-key`, which only the host may set",
        ),
        (
            header("a", "b\r\nc: d"),
            "`headers[0].value` is no HTTP header value: only visible ASCII, blanks and tabs are",
        ),
    ] {
        invalid("request", request(change), message);
    }
    assert!(
        actions(&parse(json!([
            {"name": "request", "payload": request(json!({"url": "example.com"}))}
        ])))
        .is_err()
    );
}

#[test]
fn ids_and_raw_payloads() {
    invalid("tag", json!([]), "`payload` is empty, at least one is needed");
    invalid("untag", json!(["a", ""]), "`payload[1]` is empty");
    invalid("work_queue", json!({"queue": ""}), "`queue` is empty");
    invalid("addon_dispatch", json!({"addon": ""}), "`addon` is empty");
    invalid(
        "email_dispatch",
        json!({"recipient": {"name": "operator", "payload": ""}}),
        "`recipient` is empty",
    );
    ok("email_dispatch", json!({"recipient": {"name": "contact"}}));
    ok("forward", json!({"target": {"name": "any"}}));
    invalid("forward", json!({"target": {"name": "group", "payload": ""}}), "`target` is empty");
    invalid(
        "forward",
        json!({"target": {"name": "skills", "payload": []}}),
        "`target` is empty, at least one is needed",
    );
    ok("passthrough", json!({"vendor": "userlike", "json": "{}"}));
    invalid(
        "passthrough",
        json!({"vendor": "userlike", "json": "[]"}),
        "`json` is no JSON object: it is of another type at line 1, column 0",
    );
    invalid(
        "passthrough",
        json!({"vendor": "userlike", "json": " ".repeat(32_769)}),
        "`json` has 32769 bytes, at most 32768 are allowed",
    );
    ok("other", json!({"name": "reaction", "json": "[]"}));
    invalid("other", json!({"name": "", "json": "1"}), "`name` is empty");
    invalid(
        "other",
        json!({"name": "a", "json": " ".repeat(65_537)}),
        "`json` has 65537 bytes, at most 65536 are allowed",
    );
}
