//! The limits are those of the contract, and broken ones are told.

use super::*;
use crate::action::{
    Bubbles, Card, Forward, NoteCreate, Resolve, Row, SecureForm, WorkQueue, cancel_timer, delay,
    schedule, tag,
};
use crate::{actions, reply};

/// The contract in words, where these numbers come from.
const WIT: &str = include_str!("../../../../../wit/v1/action.wit");

#[test]
fn the_limits_are_those_of_the_contract() {
    let kib = |bytes: usize| format!("{} KiB", bytes / 1024);
    let thousands = |number: u64| {
        let digits = number.to_string();
        let groups = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy);
        groups.collect::<Vec<_>>().join(",")
    };
    let stated = [
        format!("at most {ACTIONS_MAX} actions of together at most {}", kib(ACTIONS_BYTES_MAX)),
        format!("1 to {} characters; longer than", thousands(TEXT_CHARACTERS_MAX as u64)),
        format!("1 to {LABEL_CHARACTERS_MAX} characters; mediums"),
        format!("unique within the action, 1 to {} bytes", thousands(OPTION_ID_BYTES_MAX as u64)),
        format!("at most {} ms a turn, in sum", thousands(DELAY_MS_MAX)),
        format!("from this turn's `now-ms`; at most {}", thousands(TIMER_MS_MAX)),
        format!("json of at most {}; comes back in the event", kib(TIMER_BYTES_MAX)),
        format!("at most {HEADERS_MAX}, together at most {}", kib(HEADERS_BYTES_MAX)),
        format!("at most {}", kib(REQUEST_BYTES_MAX)),
        format!("30,000 where absent, 1 to {}", thousands(REQUEST_MS_MAX.into())),
        format!("that vendor's form: a json object of at most {}", kib(PASSTHROUGH_BYTES_MAX)),
        format!("opens the list; 1 to {LABEL_CHARACTERS_MAX} characters"),
        format!("headline of the preview; 1 to {LABEL_CHARACTERS_MAX} characters"),
        format!("within the conversation, 1 to {NAME_BYTES_MAX} bytes"),
        format!("at most {TIMERS_MAX} timers at a time, with at most {}", kib(TIMERS_BYTES_MAX)),
        format!("in the `response`, 1 to {NAME_BYTES_MAX} bytes"),
        "an empty text in an optional field counts as absent".to_owned(),
        "at least one, none of them empty".to_owned(),
        format!("a json object of at most {}", thousands(CONTEXT_BYTES_MAX as u64)),
    ];
    let words = |text: &str| text.replace("///", " ").to_lowercase();
    let wit = words(WIT).split_whitespace().collect::<Vec<_>>().join(" ");
    for limit in stated {
        assert!(wit.contains(&limit.to_lowercase()), "the contract does not state: {limit}");
    }
}

/// Every field that is an optional text says how long it may be.
#[test]
fn optional_texts_have_a_limit_in_the_contract() {
    let limited = [
        "5,000 characters",
        "500 characters",
        "Not empty.",
        "As `bubbles.fallback`",
        "As `choice.short-label`",
        "48 KiB",
    ];
    let mut doc = String::new();
    let mut fields = 0;
    for line in WIT.lines().map(str::trim) {
        if let Some(words) = line.strip_prefix("///") {
            doc.push_str(words);
            continue;
        }
        if line.ends_with(": option<string>,") && !line.starts_with("image:") {
            fields += 1;
            let doc = doc.split_whitespace().collect::<Vec<_>>().join(" ");
            let stated = limited.iter().any(|limit| doc.contains(limit));
            assert!(stated, "`{line}` has no limit: {doc}");
        }
        doc.clear();
    }
    assert!(fields > 20, "only {fields} fields were found");
}

#[test]
fn texts_of_every_kind_are_limited() {
    let long = || "ä".repeat(TEXT_CHARACTERS_MAX + 1);
    let bubbles = || Bubbles::new("Choose").option("a", "A");
    let card = || Card::new("a", "A");
    let buttons = || ButtonTemplate::new("Choose").button("a", "A");
    let list = || ListTemplate::new("Choose", "Open").row(Row::new("a", "A"));
    let rows: Vec<Action> = vec![
        bubbles().fallback(long()).into(),
        Carousel::new("Choose").card(card().description(long())).into(),
        Carousel::new("Choose").card(card()).fallback(long()).into(),
        buttons().header(Header::Text(long())).into(),
        buttons().footer(long()).into(),
        list().header(long()).into(),
        list().footer(long()).into(),
        list().title(long()).into(),
        list().section(long()).row(Row::new("b", "B")).into(),
        list().row(Row::new("b", "B").description(long())).into(),
        Buttons::new().text(long()).link("Open", "https://shop.example").into(),
        RichLink::new("https://shop.example", "Shop").text(long()).into(),
        Media::new("https://files.example/a.png").caption(long()).into(),
        ContactUpdate::new().name(long()).into(),
        ConversationUpdate::new().topics([long()]).into(),
        WorkQueue::new("q").comment(long()).into(),
        Resolve::new().comment(long()).into(),
        SecureForm::new("f").text(long()).into(),
    ];
    for action in rows {
        let reason = check_action(&action).unwrap_err();
        assert!(reason.contains("at most 5,000 characters"), "{reason}");
    }
    let title = RichLink::new("https://shop.example", "x".repeat(LABEL_CHARACTERS_MAX + 1));
    assert!(check_action(&title.into()).unwrap_err().contains("1 to 500 characters"));
}

#[test]
fn broken_limits_are_named() {
    let buttons = (0..4).fold(ButtonTemplate::new("Choose"), |buttons, number| {
        buttons.button(number.to_string(), "Label")
    });
    let shop = || Request::get("r", "https://shop.example");
    let buttons_with = |header| ButtonTemplate::new("Choose").button("a", "A").header(header);
    let rows = [
        (vec![reply("x").into(); 33], "at most 32 actions"),
        (vec![reply("x".repeat(5_000)).into(); 14], "at most 64 KiB together"),
        (actions![reply("")], "action 0: a text has at least 1"),
        (actions![reply("ok"), reply("ä".repeat(5_001))], "action 1: a text has at most 5,000"),
        (actions![Bubbles::new("Choose")], "at least one option"),
        (actions![Bubbles::new("Choose").option("a", "A").option("a", "B")], "unique"),
        (actions![Bubbles::new("Choose").option("a", "")], "label"),
        (actions![Bubbles::new("Choose").option("a", "A").short_label(" ")], "not blank"),
        (actions![Carousel::new("Choose").card(Card::new("a", "A").short_label(" "))], "not blank"),
        (actions![ButtonTemplate::new("Choose").button("a", "A").short_label(" ")], "not blank"),
        (
            actions![ListTemplate::new("Choose", "Open").row(Row::new("a", "A").short_label(" "))],
            "not blank",
        ),
        (
            actions![Buttons::new().link("Open", "https://shop.example").short_label(" ")],
            "not blank",
        ),
        (actions![Bubbles::new("Choose").option("a", "A").short_label("x".repeat(501))], "500"),
        (actions![ListTemplate::new("Choose", "Open").section("Empty")], "at least one row"),
        (actions![buttons], "at most 3 buttons"),
        (actions![Buttons::new()], "need a link"),
        (actions![Buttons::new().link("Open", "shop.example")], "absolute"),
        (actions![Buttons::new().link("Open", "https:///path")], "absolute"),
        (actions![Media::new("http://files.example/a.png")], "https address"),
        (actions![Buttons::new().link("Open", "https://müller.example")], "in ASCII"),
        (actions![buttons_with(Header::Image("a.png".to_owned()))], "absolute"),
        (actions![NoteCreate::new("Note").about_contact("")], "not empty"),
        (actions![ConversationUpdate::new().topics([""])], "at least 1 character"),
        (actions![Action::ContextUpdate("[]".to_owned())], "JSON objects"),
        (actions![ContactUpdate::new()], "at least one field"),
        (actions![tag(Vec::<String>::new())], "at least one"),
        (actions![Forward::group("")], "not empty"),
        (actions![delay(40_000), delay(20_001)], "at most 60000 ms"),
        (actions![schedule("", 1)], "1 to 200 bytes"),
        (actions![schedule("late", TIMER_MS_MAX + 1)], "365 days"),
        (actions![Request::new("r", "BREW", "https://pot.example")], "method"),
        (actions![shop().header("Host", "other.example")], "the host's"),
        (actions![shop().header("a b", "c")], "those of HTTP"),
        (actions![shop().header("a", "b\r\nc: d")], "those of HTTP"),
        (actions![shop().body("x".repeat(REQUEST_BYTES_MAX + 1))], "48 KiB"),
        (actions![shop().timeout_ms(0)], "1 to 120,000 ms"),
    ];
    for (actions, expected) in rows {
        let reason = check(&actions).unwrap_err();
        assert!(reason.contains(expected), "{expected}: {reason}");
    }
}

#[test]
fn timers_of_a_conversation_are_limited() {
    let open: Vec<_> = (0..TIMERS_MAX).map(|n| schedule(n.to_string(), 1)).collect();
    let check = |actions: &[Action]| check_timers(open.iter(), actions);
    assert_eq!(check(&actions![schedule("0", 5)]), Ok(()), "the same name replaces");
    assert_eq!(check(&actions![cancel_timer("0"), schedule("more", 1)]), Ok(()));
    assert!(check(&actions![schedule("more", 1)]).unwrap_err().contains("at most 64 timers"));
    let large = serde_json::json!("x".repeat(TIMER_BYTES_MAX - 2));
    let payloads = |count: usize| -> Vec<Action> {
        (0..count).map(|n| schedule(n.to_string(), 1).payload(&large).into()).collect()
    };
    assert_eq!(check(&payloads(8)), Ok(()));
    assert!(check(&payloads(9)).is_err());
}

#[test]
fn what_fits_is_no_error() {
    let actions = actions![
        reply("ä".repeat(5_000)),
        Resolve::new().comment(""),
        Action::ContextUpdate(format!("{{{}}}", " ".repeat(CONTEXT_BYTES_MAX))),
        Media::new("HTTPS://files.example/%C3%A4.png"),
        Bubbles::new("Choose").option("a", "A").option("b", "B"),
        Buttons::new().link("Open", "http://shop.example:8080/?a=b"),
        delay(60_000),
        schedule("in a year", TIMER_MS_MAX),
        Request::get("r", "https://shop.example").timeout_ms(120_000),
    ];
    assert_eq!(check(&actions), Ok(()));
}
