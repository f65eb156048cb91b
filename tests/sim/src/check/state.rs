//! What a conversation keeps: timers, contexts, its log.

use std::collections::BTreeMap;

use botyard_kernel::action::Action;
use botyard_kernel::log::{Outcome, SkipReason};
use botyard_kernel::owner::Owner;
use botyard_kernel::stored;
use botyard_kernel::time::Millis;

use super::turns::timer;
use crate::world::World;

impl World {
    pub(super) fn timers_fired_once(&self, conversation: usize) {
        let log = &self.logs[conversation];
        let mut set: BTreeMap<String, Millis> = BTreeMap::new();
        for (_, turn) in log.turns() {
            let arrival = log.arrivals().map(|(_, it)| it).find(|it| it.event.id == turn.event);
            // One that was accepted may have had to wait behind a turn that took it away.
            let void = turn.outcome == Outcome::Skipped(SkipReason::Duplicate);
            if let Some((name, due_ms)) = arrival.and_then(timer).filter(|_| !void) {
                let due = set.remove(name);
                assert_eq!(due, Some(due_ms), "{name} fired without being set");
                let early = arrival.is_some_and(|it| it.event.received_ms < due_ms);
                assert!(!early, "{name} fired before its time");
            }
            let now = arrival.map(|arrival| arrival.event.received_ms);
            if let Outcome::Ran { actions, .. } = &turn.outcome {
                for action in actions {
                    if let Action::Schedule(schedule) = action {
                        let own = turn.state.timers.iter().find(|it| it.name == schedule.name);
                        let due = now.map(|now| now + schedule.after_ms);
                        let due = due.or_else(|| own.map(|timer| timer.due_ms));
                        set.insert(schedule.name.clone(), due.unwrap_or_default());
                    } else if let Action::CancelTimer(name) = action {
                        set.remove(name);
                    }
                }
            }
            // A session that only fell silent leaves them behind: they begin another.
            let silent = turn.outcome == Outcome::Skipped(SkipReason::NoSession);
            let ended = turn.state.session.is_none() && !silent;
            if ended || turn.state.owner == Owner::Ended {
                set.clear();
            }
            let kept = turn.state.timers.iter().map(|timer| (timer.name.clone(), timer.due_ms));
            let kept: BTreeMap<_, _> = kept.collect();
            assert_eq!(kept, set, "timers after the turn on {}", turn.event);
        }
        assert!(set.is_empty(), "timers never fired: {set:?}");
    }

    /// The context is what the turns of the session have made of it.
    pub(super) fn contexts_follow_from_the_turns(&self, conversation: usize) {
        let (mut session, mut context) = (None, String::new());
        for (_, turn) in self.logs[conversation].turns() {
            let Some(now) = &turn.state.session else {
                session = None;
                continue;
            };
            if session.as_ref() != Some(&now.id) {
                session = Some(now.id.clone());
                context.clear();
            }
            if let Outcome::Ran { actions, .. } = &turn.outcome {
                for action in actions {
                    if let Action::ContextUpdate(json) = action {
                        context.clone_from(json);
                    } else if *action == Action::ContextClear {
                        context.clear();
                    }
                }
            }
            assert_eq!(now.context, context, "the context after the turn on {}", turn.event);
        }
    }

    /// Entries survive being written down, and nothing is due at rest.
    pub(super) fn the_log_can_be_read_back(&self, conversation: usize) {
        let log = &self.logs[conversation];
        for (seq, entry) in log.entries() {
            let read =
                stored::decode(&stored::encode(entry)).expect("what was written can be read");
            assert!(read == *entry, "entry {seq} does not survive being written down");
        }
        assert_eq!(log.due(), None, "the store would wake a conversation at rest");
        let state = log.state();
        assert!(state.rows.is_empty(), "rows wait for ever: {:?}", state.rows);
    }
}
