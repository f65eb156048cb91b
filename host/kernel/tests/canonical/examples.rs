//! One example of each case, with every field, as the documents name them.

use serde_json::{Value, json};

/// One body of every case, with every field.
pub(crate) fn events() -> Vec<Value> {
    let click = json!({
        "option_ids": ["late", "lost"], "label": "It is late", "menu": "t1.0.0", "stale": true,
        "typed_text": "1 and 2",
    });
    let media = json!({
        "link": "https://files.test/lamp.png", "name": "lamp.png", "mime_type": "image/png",
        "size_bytes": 204_811,
    });
    let location = json!({
        "latitude": 12.075612240907153, "longitude": 6.9583, "name": "Cologne", "address": "Trankgasse 11",
    });
    let message = json!({ "text": "*Hi*", "format": "markdown_v1" });
    let answer = json!({
        "status": 200, "headers": [{ "name": "etag", "value": "1" }], "body": "{}",
        "truncated": true,
    });
    let start = |first: Value| {
        json!({ "name": "start", "payload":
            { "approach": "proactive", "first": first, "resumed": true } })
    };
    let named = |name: &str, payload: Value| json!({ "name": name, "payload": payload });
    vec![
        start(named("message", message.clone())),
        start(named("media", media.clone())),
        start(named("click", click.clone())),
        start(named("location", location.clone())),
        named("message", message),
        named("click", click),
        named("media", media),
        named("location", location),
        named("timer", json!({ "name": "nudge", "due_ms": 1_000, "payload": "{\"n\":1}" })),
        named(
            "response",
            json!({ "name": "order", "outcome": { "name": "answered", "payload": answer } }),
        ),
        named(
            "response",
            json!({ "name": "order", "outcome": { "name": "failed", "payload": "too late" } }),
        ),
        named("signal", json!({ "name": "paid", "json": "{\"order\":1}" })),
        named("forward_failed", json!({ "reason": "nobody" })),
        named("returned", json!({ "reason": "solved" })),
        named("human_spoke", json!({ "text": "Hello", "agent": "118" })),
        named("ended", json!({ "reason": "timeout" })),
        named(
            "campaign_unsubscribe",
            json!({ "campaign_id": "7", "campaign_name": "Spring", "keyword": "STOP" }),
        ),
        named(
            "delivery_failed",
            json!({ "part": "t1.0.0", "action": "media", "reason": "404", "ambiguous": true }),
        ),
        named("other", json!({ "name": "reaction", "json": "{}" })),
    ]
}

/// One action of every case, with every field.
pub(crate) fn actions() -> Vec<Value> {
    let options = json!([{ "id": "a", "label": "A" }]);
    let named = |name: &str, payload: Value| json!({ "name": name, "payload": payload });
    let forward = |target: Value| json!({ "name": "forward", "payload": { "target": target, "on_failure": "feedback" } });
    let mut all = speech();
    all.extend([
        named("typing", json!("start")),
        named("delay", json!({ "delay_ms": 1_500, "typing": true })),
        named("context_update", json!("{\"state\":\"name\"}")),
        json!({ "name": "context_clear" }),
        named(
            "contact_update",
            json!({ "name": "Mara", "email": "m@x.test", "mobile_number": "+49",
                "external_customer_id": "c7", "custom_fields": "{}" }),
        ),
        named(
            "conversation_update",
            json!({ "subject": "Late", "topics": ["delivery"], "locale": "de",
                "custom_fields": "{}" }),
        ),
        named("note_create", json!({ "text": "Asked twice", "contact_id": "40718" })),
        named("tag", json!(["vip"])),
        named("untag", json!(["vip"])),
        named("priority", json!(2)),
        named("work_queue", json!({ "queue": "9", "comment": "late" })),
        named("resolve", json!({ "comment": "done" })),
        named("secure_form", json!({ "form": "f1", "text": "Please fill in" })),
        forward(json!({ "name": "any" })),
        forward(named("group", json!("31"))),
        forward(named("skills", json!(["4", "9"]))),
        forward(named("human", json!("118"))),
        forward(named("bot", json!("faq"))),
        json!({ "name": "abort" }),
        json!({ "name": "end" }),
        named("addon_dispatch", json!({ "addon": "zendesk" })),
        named("email_dispatch", json!({ "recipient": { "name": "contact" } })),
        named("email_dispatch", json!({ "recipient": named("operator", json!("118")) })),
        named("schedule", json!({ "name": "nudge", "after_ms": 60_000, "payload": "{}" })),
        named("cancel_timer", json!("nudge")),
        named(
            "request",
            json!({ "name": "order", "method": "POST", "url": "https://shop.test/orders",
                "headers": [{ "name": "accept", "value": "*/*" }], "body": "{}",
                "timeout_ms": 5_000 }),
        ),
        named("passthrough", json!({ "vendor": "userlike", "json": "{}" })),
        named("other", json!({ "name": "reaction", "json": "{}" })),
    ]);
    for header in ["text", "image", "video", "document"] {
        all.push(named(
            "button_template",
            json!({ "header": named(header, json!("x")), "text": "Choose", "footer": "f",
                "buttons": options, "fallback": "Reply with a number:" }),
        ));
    }
    all
}

fn speech() -> Vec<Value> {
    let named = |name: &str, payload: Value| json!({ "name": name, "payload": payload });
    let card = json!({ "id": "a", "label": "A", "image": "https://x.test/1", "description": "d" });
    let section =
        json!({ "title": "s", "rows": [{ "id": "a", "label": "A", "description": "d" }] });
    vec![
        named("message", json!({ "text": "Welcome!", "format": "markdown_v1" })),
        named(
            "bubbles",
            json!({ "text": "How?", "format": "plain", "options": [{ "id": "a", "label": "A" }],
                "fallback": "Reply with a number:" }),
        ),
        named("carousel", json!({ "text": "Pick", "cards": [card], "fallback": "Number:" })),
        named(
            "list_template",
            json!({ "header": "h", "text": "When?", "footer": "f", "button": "Choose",
                "title": "t", "sections": [section], "multiple": true, "fallback": "Number:" }),
        ),
        named(
            "buttons",
            json!({ "text": "More", "links": [{ "label": "FAQ", "link": "https://x.test" }] }),
        ),
        named(
            "rich_link",
            json!({ "link": "https://x.test", "title": "X", "image": "https://x.test/1",
                "text": "t" }),
        ),
        named(
            "media",
            json!({ "link": "https://x.test/1.jpg", "name": "1.jpg", "mime_type": "image/jpeg",
                "caption": "c" }),
        ),
        named("navigate", json!({ "link": "https://x.test" })),
    ]
}
