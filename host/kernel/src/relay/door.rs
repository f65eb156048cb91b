//! Whether an external bot that speaks by itself is let in.

use crate::id::Digest;
use crate::log::{Arrival, Conversation, Seq};
use crate::time::Millis;

/// Where so many events of a conversation wait for their turns, an external bot comes again
/// later. What it says is slowed down like all that no person caused, so whatever stands
/// behind it waits: what the person says, and that a human spoke.
pub const POSTS_WAITING_MAX: usize = 30;

/// What becomes of what an external bot posts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Door {
    /// It is an event of the conversation that the external bot of this name has.
    Open(String),
    /// It was heard before, and whoever said it did not hear of that.
    Heard,
    /// The answer that says who may speak is still on its way here: it comes again.
    Early,
    /// Too much waits already: it comes again later.
    Full,
    /// No external bot has the conversation.
    Shut,
}

/// What becomes of a `request` of an external bot in a conversation that stands like this,
/// and in which these events wait; whoever loads them may stop at [`POSTS_WAITING_MAX`].
pub fn door(
    state: &Conversation,
    waiting: &[(Seq, Arrival)],
    request: Digest,
    now: Millis,
) -> Door {
    let Some(relay) = &state.relay else {
        let repeats = state.redelivered(request, now, |_| true).is_some()
            || waiting.iter().any(|(_, it)| it.came_by(request, now));
        return if repeats { Door::Heard } else { Door::Shut };
    };
    if relay.over().is_none() && !relay.has_begun() {
        Door::Early
    } else if waiting.len() >= POSTS_WAITING_MAX {
        Door::Full
    } else {
        Door::Open(relay.bot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::{Event, EventBody, NamedPayload};
    use crate::id::{EventId, PartId};
    use crate::log::OpenAnswer;
    use crate::owner::Owner;
    use crate::relay::{Over, Patience, RELAY, Relay};
    use crate::session::{Facts, Seed};

    const NOW: Millis = 1_000_000;

    fn relay() -> Relay {
        let patience = Patience { now: NOW, after_ms: None };
        Relay::begin("care", &Facts::default(), PartId("p".to_owned()), patience).0
    }

    fn begun() -> Relay {
        Relay { stream: Some("9".to_owned()), ..relay() }
    }

    const WORDS: &[u8] = b"hello";

    /// So many posts that wait, each of other words.
    fn waiting(number: usize) -> Vec<(Seq, Arrival)> {
        (0..number).map(|n| waits(n as Seq, format!("words {n}").as_bytes())).collect()
    }

    fn waits(seq: Seq, words: &[u8]) -> (Seq, Arrival) {
        let body = EventBody::Other(NamedPayload { name: RELAY.to_owned(), json: "{}".to_owned() });
        let event = Event::new(EventId(format!("w{seq}")), NOW - 1, body);
        let request = Some(Digest::of(words));
        (seq, Arrival { request, ..Arrival::new(event, Seed([0; 4])) })
    }

    /// What becomes of what is posted into a conversation of `relay` in which all this waits,
    /// and which may have `heard` it before.
    fn posted(relay: Option<Relay>, waiting: &[(Seq, Arrival)], heard: bool) -> Door {
        let (request, event) = (Digest::of(WORDS), EventId("e".to_owned()));
        let answer = OpenAnswer { request, received_ms: NOW - 1, event };
        let state = Conversation {
            owner: if relay.is_some() { Owner::Relay } else { Owner::Bot },
            relay,
            open_answers: if heard { vec![answer] } else { Vec::new() },
            ..Conversation::default()
        };
        door(&state, waiting, request, NOW)
    }

    #[test]
    fn only_who_has_the_conversation_is_let_in() {
        let open = Door::Open("care".to_owned());
        assert_eq!(posted(None, &[], false), Door::Shut);
        assert_eq!(posted(None, &[], true), Door::Heard, "what was said before it ended");
        assert_eq!(posted(None, &[waits(1, WORDS)], false), Door::Heard, "it waits for its turn");
        assert_eq!(posted(None, &waiting(1), false), Door::Shut, "something else waits");
        assert_eq!(posted(Some(relay()), &[], false), Door::Early);
        assert_eq!(posted(Some(begun()), &[], false), open);
        assert_eq!(posted(Some(begun()), &[], true), open, "the lane knows it again");
        let over = Some(Over { reason: String::new(), failed: true });
        let failed = Relay { over, ..relay() };
        assert_eq!(posted(Some(failed), &[], false), open, "its turn says that it came too late");
    }

    #[test]
    fn who_speaks_faster_than_turns_are_made_comes_again_later() {
        let open = Door::Open("care".to_owned());
        assert_eq!(posted(Some(begun()), &waiting(POSTS_WAITING_MAX - 1), false), open);
        assert_eq!(posted(Some(begun()), &waiting(POSTS_WAITING_MAX), false), Door::Full);
        assert_eq!(posted(Some(relay()), &waiting(POSTS_WAITING_MAX), false), Door::Early);
    }
}
