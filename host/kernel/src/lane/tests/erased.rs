use super::*;
use crate::action::{self, Action};
use crate::log::{Conversation, Outcome, Row, SkipReason, Turn};

fn turn(event: &str) -> Turn {
    Turn {
        id: "t1".into(),
        previous: 0,
        base: 0,
        watermark: 1,
        fused: None,
        event: event.into(),
        outcome: Outcome::Skipped(SkipReason::NoSession),
        log: Vec::new(),
        bot: "bot".into(),
        bot_writes: Vec::new(),
        state: Conversation::default(),
        due_ms: None,
        human_ms: None,
    }
}

fn letter(host: &Host) -> Row {
    let text = action::Message { text: "words".to_owned(), format: TextFormat::Plain };
    Row {
        id: "t0.0".into(),
        turn: "t0".into(),
        made_ms: host.now - 1,
        action: Action::Message(text),
        context: None,
        quiet: false,
        event: "e0".into(),
        by_human: false,
        by_call: Vec::new(),
        hand_off: None,
    }
}

/// A letter was read, its person is erased, and only then its lane is told of it.
#[test]
fn a_letter_of_before_an_erasure_is_not_sent_again() {
    for (event, sent) in [("", false), ("e1", true)] {
        let mut host = Host::new(|effect| !matches!(effect, Effect::Load | Effect::Settle(_)));
        host.entries = vec![None];
        host.turn = Some((1, turn(event)));
        host.feed(Input::Redrive(vec![letter(&host)]));
        let rows = &host.lane.state().rows;
        assert_eq!(rows.iter().any(|row| row.id == "t0.0".into()), sent, "`{event}`");
        assert_eq!(host.kept.iter().any(|kept| matches!(kept, Effect::Revived(_))), sent);
        assert!(host.lane.redriven.is_empty());
        // Also where the lane is in memory by then.
        host.feed(Input::Redrive(vec![letter(&host)]));
        assert_eq!(host.lane.state().rows.is_empty(), !sent);
    }
}
