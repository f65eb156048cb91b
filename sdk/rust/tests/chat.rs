//! The rules of the host, as the chat for tests keeps them.

use botyard_sdk::event::{Approach, EventBody, First, Start};
use botyard_sdk::kv::Scope;
use botyard_sdk::log::Level;
use botyard_sdk::prelude::*;
use botyard_sdk::testing::Chat;
use botyard_sdk::{action, http};
use serde::{Deserialize, Serialize};
use serde_json::json;

/// Does what it is told in a message.
#[derive(Default)]
struct Puppet;

#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
struct Count {
    count: u32,
}

impl Bot for Puppet {
    fn on_message(&self, message: &event::Message, turn: &Turn<'_>) -> Answer {
        let kv = turn.conversation_kv();
        match message.text.as_str() {
            "count" => {
                let Count { count } = turn.context();
                Ok(actions![context_update(&Count { count: count + 1 })?])
            }
            "strict" => {
                let Count { count } = turn.context_strict()?;
                Ok(actions![reply(count.to_string())])
            }
            "twice" => Ok(actions![
                context_update(&Count { count: 10 })?,
                context_update(&Count { count: 20 })?,
            ]),
            "empty" => Ok(actions![Action::ContextUpdate("{ }".to_owned())]),
            "clear" => Ok(actions![context_clear()]),
            "menu" => Ok(actions![Bubbles::new("Which?").option("a", "A").option("b", "B")]),
            "other menu" => Ok(actions![Bubbles::new("And?").option("c", "C")]),
            "forward" => Ok(actions![Forward::any()]),
            "talk on" => Ok(actions![
                reply("before"),
                Forward::any(),
                reply("behind"),
                Bubbles::new("Which?").option("late", "Late"),
                ContactUpdate::new().name("Ada"),
                end(),
            ]),
            "end" => Ok(actions![schedule("early", 1_000), end(), schedule("late", 2_000)]),
            "timers" => Ok(actions![
                schedule("late", 2_000).payload(&json!({"n": 2})),
                schedule("early", 1_000),
                schedule("never", 1),
                action::cancel_timer("never"),
            ]),
            "again" => Ok(actions![schedule("late", 500)]),
            "keep" => {
                kv.set("key", "value")?;
                turn.bot_kv().add("visits", 1)?;
                turn.info("kept");
                Ok(actions![])
            }
            "keep and fail" => {
                kv.set("key", "other")?;
                kv.delete("visits")?;
                turn.warn("about to fail");
                Err(Failure::new("as told"))
            }
            "too much" => Ok(actions![reply("x".repeat(5_001))]),
            "bad key" => Ok(actions![reply(kv.get("")?.unwrap_or_default())]),
            "web" => {
                let request = http::Request::get("https://shop.example/");
                Ok(actions![reply(turn.http(&request)?.status.to_string())])
            }
            "nine calls" => {
                let request = http::Request::post("https://shop.example/").json(&[1, 2])?;
                let send = |_| turn.http(&request).map(|answer| answer.text());
                Ok(actions![reply(format!("{:?}", (0..9).map(send).collect::<Vec<_>>()))])
            }
            "bad call" => {
                let request = http::Request::new("TRACE", "https://shop.example/");
                Ok(actions![reply(turn.http(&request)?.text())])
            }
            "session" => {
                let session = turn.session();
                Ok(actions![reply(format!(
                    "{} turn {} at {} seed {:?} skipped {}",
                    session.id,
                    session.turn,
                    turn.now_ms(),
                    turn.seed(),
                    session.skipped.len(),
                ))])
            }
            text => Ok(actions![reply(text)]),
        }
    }

    fn on_click(&self, click: &event::Click, _turn: &Turn<'_>) -> Answer {
        Ok(actions![reply(format!("{click:?}"))])
    }

    fn on_timer(&self, timer: &event::Timer, turn: &Turn<'_>) -> Answer {
        let late_ms = turn.now_ms() - timer.due_ms;
        let payload = timer.payload.as_deref().unwrap_or("nothing");
        Ok(actions![reply(format!("{} with {payload}, {late_ms} ms late", timer.name))])
    }

    fn on_other(&self, other: &event::NamedPayload, _turn: &Turn<'_>) -> Answer {
        Ok(actions![reply(&other.name)])
    }
}

/// A chat in which the session has begun.
fn chat() -> Chat<Puppet> {
    let mut chat = Chat::new();
    chat.start().is_silent();
    chat
}

#[test]
fn a_context_lives_from_turn_to_turn() {
    let mut chat = chat();
    chat.say("count").says_nothing();
    chat.say("count").says_nothing();
    assert_eq!(chat.context::<Count>(), Count { count: 2 });
    chat.say("strict").says("2");
    chat.say("empty").says_nothing();
    assert_eq!(chat.context_json(), r#"{"count":2}"#, "an empty one is ignored");
    chat.say("twice").says_nothing();
    assert_eq!(chat.context::<Count>(), Count { count: 20 }, "the last one wins");
    chat.say("clear").says_nothing();
    assert_eq!(chat.context_json(), "{}");
    chat.say("strict").fails("does not fit");
}

#[test]
fn a_foreign_context_is_the_default_and_noted() {
    for foreign in [r#"{"count": "many"}"#, "[1]", "no JSON"] {
        let mut chat =
            Chat::<Puppet>::new().session(|session| foreign.clone_into(&mut session.context));
        chat.say("count").says_nothing();
        assert_eq!(chat.context::<Count>(), Count { count: 1 });
        let log = chat.log();
        assert_eq!(log.len(), 1);
        assert_eq!(log[0].0, Level::Warn);
        assert!(!log[0].1.contains("many"), "a context is not logged: {}", log[0].1);
    }
}

#[test]
fn a_new_session_has_an_empty_context() {
    let mut chat = chat();
    chat.say("count").says_nothing();
    chat.ended().is_silent();
    chat.say("count").says_nothing();
    assert_eq!(chat.context::<Count>(), Count { count: 1 });
    chat.say("session").says("session-2");
}

#[test]
fn nothing_of_a_failed_turn_remains_but_its_log() {
    let mut chat = chat();
    chat.say("keep").is_silent();
    chat.say("keep and fail").fails("as told");
    assert_eq!(chat.kept(Scope::Conversation, "key").as_deref(), Some("value"));
    assert_eq!(chat.kept(Scope::Bot, "visits").as_deref(), Some("1"));
    let lines: Vec<_> = chat.log().into_iter().map(|(_, line)| line).collect();
    assert_eq!(lines, ["kept", "about to fail"]);
    chat.say("too much").fails("5,000 characters");
    chat.say("bad key").fails("a key has to be 1 to 256 bytes, this one has 0");
}

#[test]
fn clicks_tell_their_option_and_nothing_of_their_menu() {
    let mut chat = chat();
    chat.say("menu").offers(&["a", "b"]);
    let rest = "menu: None, stale: false, typed-text: None";
    chat.click("b").says(&format!(r#"option-ids: ["b"], label: Some("B"), {rest}"#));
    chat.say("other menu").offers(&["c"]);
    chat.click("a").says(&format!(r#"option-ids: ["a"], label: Some("A"), {rest}"#));
    chat.say("C").says("C");
}

#[test]
#[should_panic(expected = "no option \"z\"")]
fn options_that_were_not_offered_cannot_be_clicked() {
    let mut chat = chat();
    chat.say("menu").offers(&["a", "b"]);
    let _ = chat.click("z");
}

#[test]
fn timers_fire_in_order_at_their_time() {
    let mut chat = chat();
    chat.say("timers").says_nothing();
    assert_eq!(chat.timers(), ["early", "late"]);
    assert!(chat.wait_ms(999).is_empty());
    let outcomes = chat.wait_ms(1_001);
    assert_eq!(outcomes.len(), 2);
    outcomes[0].says("early with nothing, 0 ms late");
    outcomes[1].says(r#"late with {"n":2}, 0 ms late"#);
    assert!(chat.timers().is_empty());

    chat.say("timers").says_nothing();
    chat.say("again").says_nothing();
    assert_eq!(chat.timers(), ["late", "early"], "the same name replaces");
    chat.fire("late").says("late with nothing");
}

#[test]
fn a_human_has_the_conversation_until_it_comes_back() {
    let mut chat = chat();
    chat.say("forward").forwards();
    assert!(!chat.owner_is_bot());
    assert!(!chat.say("hello?").ran());
    assert!(!chat.human_spoke("Hello!").ran());
    chat.returned().is_silent();
    chat.say("session").says("skipped 0");
    chat.say("forward").forwards();
    assert!(!chat.say("still there?").ran());
    chat.forward_failed(None).is_silent();
    chat.say("bye").says("bye");
}

#[test]
fn speech_behind_a_hand_off_is_withheld() {
    let mut chat = chat();
    let outcome = chat.say("talk on");
    outcome.says("before").offers(&[]).forwards();
    assert_eq!(outcome.texts(), ["before"]);
    assert_eq!(outcome.withheld().len(), 3, "two texts and the end");
    assert_eq!(outcome.updates_contact().name.as_deref(), Some("Ada"), "the desk is told");
    let (level, line) = &chat.log()[0];
    assert_eq!((*level, line.starts_with("action 2 is withheld")), (Level::Warn, true));
    chat.returned().is_silent();
    chat.say("bye").says("bye");
}

#[test]
fn the_end_ends_the_timers() {
    let mut chat = chat();
    chat.say("timers").says_nothing();
    chat.say("end").says_nothing();
    assert!(!chat.owner_is_bot());
    assert!(chat.timers().is_empty());

    let mut chat = self::chat();
    chat.say("timers").says_nothing();
    chat.ended().is_silent();
    assert!(chat.timers().is_empty());
}

#[test]
fn time_and_chance_are_the_tests_own() {
    let mut chat = Chat::<Puppet>::new().now_ms(1_000).seed([1, 2, 3, 4]);
    chat.say("session").says("session-1 turn 0 at 1000 seed [1, 2, 3, 4]");
    assert!(chat.wait_ms(500).is_empty());
    chat.say("session").says("turn 1 at 1500 seed [1, 2, 3, 4]");
}

#[test]
fn sessions_open_with_what_the_person_does() {
    let approach = Some(Approach::Proactive);
    let message = event::Message { text: "hi".to_owned(), format: event::TextFormat::Plain };
    let start = Start { approach, first: Some(First::Message(message)), resumed: true };
    Chat::<Puppet>::new().event(EventBody::Start(start)).says("hi");
    Chat::<Puppet>::new().say("hi").says("hi");
    let other = event::NamedPayload { name: "mood".to_owned(), json: "{}".to_owned() };
    chat().event(EventBody::Other(other)).says("mood");
}

#[test]
fn calls_in_a_turn_are_answered_by_the_test() {
    chat().say("web").fails("Chat::web");
    let mut chat = Chat::<Puppet>::new().web(|request| {
        assert_eq!(request.url, "https://shop.example/");
        Ok(http::Response::new(204))
    });
    chat.say("web").says("204");
    chat.say("bad call").fails("method");
}

#[test]
fn calls_in_a_turn_have_the_hosts_limits() {
    let mut large = false;
    let mut chat = Chat::<Puppet>::new().web(move |request| {
        assert_eq!(request.body.as_deref(), Some(&b"[1,2]"[..]));
        large = !large;
        Ok(http::Response::new(200).body("x".repeat(if large { 1 } else { (1 << 20) + 1 })))
    });
    let pair = "Ok(\"x\"), Err(Error::TooLarge)";
    let expected = format!("[{pair}, {pair}, {pair}, {pair}, Err(Error::Limit)]");
    chat.say("nine calls").says(&expected);
    chat.say("nine calls").says(&expected);
}
