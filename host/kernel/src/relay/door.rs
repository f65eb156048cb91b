//! Whether an external bot that speaks by itself is let in.

use crate::id::Digest;
use crate::log::Conversation;
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

/// What becomes of a `request` of an external bot in a conversation that stands like this, in
/// which so many events wait; whoever counts them may stop at [`POSTS_WAITING_MAX`].
pub fn door(state: &Conversation, waits: usize, request: Digest, now: Millis) -> Door {
    let Some(relay) = &state.relay else {
        let repeats = state.redelivered(request, now, |_| true).is_some();
        return if repeats { Door::Heard } else { Door::Shut };
    };
    if relay.over().is_none() && !relay.has_begun() {
        Door::Early
    } else if waits >= POSTS_WAITING_MAX {
        Door::Full
    } else {
        Door::Open(relay.bot.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::id::{EventId, PartId};
    use crate::log::OpenAnswer;
    use crate::owner::Owner;
    use crate::relay::{Over, Relay};
    use crate::session::Facts;

    const NOW: Millis = 1_000_000;

    fn relay() -> Relay {
        Relay::begin("care", &Facts::default(), PartId("p".to_owned())).0
    }

    fn begun() -> Relay {
        Relay { stream: Some("9".to_owned()), ..relay() }
    }

    /// What becomes of what is posted into a conversation of `relay` in which so much waits,
    /// and which may have `heard` it before.
    fn posted(relay: Option<Relay>, waits: usize, heard: bool) -> Door {
        let (request, event) = (Digest::of(b"hello"), EventId("e".to_owned()));
        let answer = OpenAnswer { request, received_ms: NOW - 1, event };
        let state = Conversation {
            owner: if relay.is_some() { Owner::Relay } else { Owner::Bot },
            relay,
            open_answers: if heard { vec![answer] } else { Vec::new() },
            ..Conversation::default()
        };
        door(&state, waits, request, NOW)
    }

    #[test]
    fn only_who_has_the_conversation_is_let_in() {
        let open = Door::Open("care".to_owned());
        assert_eq!(posted(None, 0, false), Door::Shut);
        assert_eq!(posted(None, 0, true), Door::Heard, "what was said before it ended");
        assert_eq!(posted(Some(relay()), 0, false), Door::Early);
        assert_eq!(posted(Some(begun()), 0, false), open);
        assert_eq!(posted(Some(begun()), 0, true), open, "the lane knows it again");
        let over = Some(Over { reason: String::new(), failed: true });
        let failed = Relay { over, ..relay() };
        assert_eq!(posted(Some(failed), 0, false), open, "its turn says that it came too late");
    }

    #[test]
    fn who_speaks_faster_than_turns_are_made_comes_again_later() {
        let open = Door::Open("care".to_owned());
        assert_eq!(posted(Some(begun()), POSTS_WAITING_MAX - 1, false), open);
        assert_eq!(posted(Some(begun()), POSTS_WAITING_MAX, false), Door::Full);
        assert_eq!(posted(Some(relay()), POSTS_WAITING_MAX, false), Door::Early);
    }
}
