//! Events: none lost, none heard twice, in the order of arrival, all counted.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use botyard_kernel::log::SkipReason;

use super::{Case, Rule};
use crate::story::{Heard, How, Kind, Told};

/// Whether the host itself made an event, so that it has no place before its turn.
fn is_own(event: &str) -> bool {
    event.ends_with("-start") || event.starts_with("timer.") || event.starts_with("returns.")
}

impl Case<'_> {
    pub(super) fn events(&mut self) {
        for refusal in &self.talk.refusals.clone() {
            self.violation(Rule::Refused, format!("the host answered {refusal}"));
        }
        self.every_event_has_its_turn_in_order();
        self.every_sent_event_was_handled_once();
        self.what_was_acknowledged_comes_before_what_was_sent_later();
        self.what_came_together_has_the_order_of_its_webhook();
        self.the_bot_counted_every_event();
        self.timers_and_requests_come_back_once();
    }

    fn every_event_has_its_turn_in_order(&mut self) {
        let heard: Vec<&str> = self.story.heard.iter().map(|heard| &*heard.id).collect();
        let heard: Vec<&str> = heard.into_iter().filter(|id| !is_own(id)).collect();
        let turned: Vec<&str> = self.story.turns.iter().map(|turn| &*turn.event).collect();
        let turned: Vec<&str> = turned.into_iter().filter(|id| !is_own(id)).collect();
        let same = heard.iter().zip(&turned).take_while(|(one, other)| one == other).count();
        if same == heard.len() && same == turned.len() {
            return;
        }
        let name = |ids: &[&str]| {
            let next: Vec<_> = ids.iter().skip(same).take(3).collect();
            let names = next.iter().map(|id| {
                let heard = self.story.heard.iter().find(|heard| heard.id == ***id);
                heard.map_or("?", |heard| &*heard.name)
            });
            names.collect::<Vec<_>>().join(", ")
        };
        let text = format!(
            "the turns are not the accepted events in their order: after {same} of {} events \
             expected [{}], seen [{}]",
            heard.len(),
            name(&heard),
            name(&turned)
        );
        self.violation(Rule::Order, text);
    }

    fn every_sent_event_was_handled_once(&mut self) {
        let mut handled: BTreeMap<&str, u64> = BTreeMap::new();
        for turn in &self.story.turns {
            let duplicate = matches!(turn.outcome, How::Skipped(SkipReason::Duplicate));
            if let (Some(name), false) = (&turn.name, duplicate) {
                *handled.entry(name).or_default() += 1;
            }
        }
        let sent: BTreeSet<&str> = self.talk.sent.iter().map(|sent| &*sent.name).collect();
        for name in sent {
            match handled.get(name).copied().unwrap_or(0) {
                1 => {}
                0 => self.violation(Rule::Lost, format!("{name} was acknowledged and had no turn")),
                count => self.violation(
                    Rule::Doubled,
                    format!(
                        "{name} was sent as one event, redelivered or not, and had {count} turns"
                    ),
                ),
            }
        }
    }

    /// What was acknowledged has its place before anything that was sent only then.
    fn what_was_acknowledged_comes_before_what_was_sent_later(&mut self) {
        let mut sent: HashMap<&str, (u64, u64)> = HashMap::new();
        for one in &self.talk.sent {
            let times = sent.entry(&one.name).or_insert((one.begun_us, one.acked_us));
            times.0 = times.0.min(one.begun_us);
            times.1 = times.1.min(one.acked_us);
        }
        let mut newest: Option<(u64, &str)> = None;
        let mut wrong = Vec::new();
        for heard in self.heard_first() {
            let Some((begun, acked)) = sent.get(&*heard.name) else { continue };
            if let Some((later, name)) = newest.filter(|(later, _)| later > acked) {
                wrong.push(format!(
                    "{} was acknowledged {} us before {name} was sent, and stands behind it",
                    heard.name,
                    later - acked
                ));
            }
            if newest.is_none_or(|(later, _)| later < *begun) {
                newest = Some((*begun, &heard.name));
            }
        }
        for text in wrong {
            self.violation(Rule::Order, text);
        }
    }

    /// What was heard, but for what was known: the place of that is nobody's.
    fn heard_first(&self) -> Vec<&Heard> {
        let known = |turn: &&Told| matches!(turn.outcome, How::Skipped(SkipReason::Duplicate));
        let turns = self.story.turns.iter().filter(known);
        let known: BTreeSet<&str> = turns.map(|turn| &*turn.event).collect();
        self.story.heard.iter().filter(|heard| !known.contains(&*heard.id)).collect()
    }

    fn what_came_together_has_the_order_of_its_webhook(&mut self) {
        let heard = self.heard_first().into_iter().enumerate();
        let places: HashMap<&str, usize> = heard.map(|(at, heard)| (&*heard.name, at)).collect();
        let mut wrong = Vec::new();
        for sent in &self.talk.sent {
            let Some(before) = sent.behind.as_deref() else { continue };
            let (first, second) = (places.get(before), places.get(&*sent.name));
            if first.zip(second).is_some_and(|(first, second)| first > second) {
                wrong.push(format!(
                    "{before} came in one webhook before {}, and stands behind it",
                    sent.name
                ));
            }
        }
        for text in wrong {
            self.violation(Rule::Order, text);
        }
    }

    fn the_bot_counted_every_event(&mut self) {
        let traps: BTreeMap<&str, bool> =
            self.talk.sent.iter().map(|sent| (&*sent.name, sent.traps)).collect();
        let mut counted = 0;
        let (mut is_handed_over, mut is_relayed) = (false, false);
        let mut wrong = Vec::new();
        for turn in &self.story.turns {
            let name = turn.name.as_deref().unwrap_or("a start of the host's own");
            let traps = traps.get(name).copied().unwrap_or(false);
            match &turn.outcome {
                How::Ran { .. } if is_handed_over => {
                    let text = format!("{name} ran after the conversation was handed over");
                    wrong.push((Rule::Outcome, text));
                }
                How::Ran { .. } if is_relayed != (turn.kind == Kind::Returns) => {
                    let text = format!("{name} ran; an external bot had it: {is_relayed}");
                    wrong.push((Rule::Outcome, text));
                }
                How::Ran { count, says, hands_over, relays, .. } => {
                    counted += 1;
                    (is_handed_over, is_relayed) = (*hands_over, *relays);
                    let expected = format!("{counted} {counted} ");
                    let said = says.first();
                    let tells = said.is_some_and(|said| said.starts_with(&expected));
                    if *count != Some(counted) || !tells {
                        wrong.push((
                            Rule::Count,
                            format!(
                                "the turn of {name} is number {counted} that ran; it counted \
                                 {count:?} and said {said:?}"
                            ),
                        ));
                        counted = count.unwrap_or(counted);
                    }
                    if traps {
                        wrong.push((Rule::Outcome, format!("{name} must break the bot and ran")));
                    }
                }
                How::Failed { of_bot, why } => {
                    if !traps || !of_bot {
                        wrong.push((Rule::Outcome, format!("the turn of {name} failed: {why}")));
                    }
                }
                How::Skipped(SkipReason::Duplicate) => {}
                How::Skipped(SkipReason::NotOwner) if is_handed_over => {}
                How::Skipped(SkipReason::NotOwner) if is_relayed && turn.kind == Kind::Other => {}
                How::Skipped(SkipReason::Relayed) if is_relayed && turn.kind != Kind::Other => {}
                How::Skipped(reason) => {
                    wrong.push((Rule::Outcome, format!("{name} was skipped: {reason:?}")));
                }
            }
        }
        let standing = self.story.last.as_ref().map_or((0, 0), |last| (last.count, last.kept));
        if standing != (counted, counted) {
            let text = format!(
                "{counted} events ran; the context counts {}, the values {}",
                standing.0, standing.1
            );
            wrong.push((Rule::Count, text));
        }
        for (rule, text) in wrong {
            self.violation(rule, text);
        }
    }

    fn timers_and_requests_come_back_once(&mut self) {
        let mut told: BTreeMap<&str, u64> = BTreeMap::new();
        for turn in &self.story.turns {
            if let Some(name) = &turn.name {
                let name = name.split(' ').next().unwrap_or_default();
                *told.entry(name).or_default() += 1;
            }
        }
        let mut wrong = Vec::new();
        for turn in &self.story.turns {
            let How::Ran { timers, requests, .. } = &turn.outcome else { continue };
            for (rule, name) in timers
                .iter()
                .map(|name| (Rule::Timers, name))
                .chain(requests.iter().map(|name| (Rule::Requests, name)))
            {
                let count = told.get(&**name).copied().unwrap_or(0);
                if count != 1 {
                    wrong.push((
                        rule,
                        format!("{name} was to come back once and did {count} times"),
                    ));
                }
            }
            for name in requests {
                let order = name.trim_start_matches("r-m");
                if !self.evidence.lookups.contains_key(order) {
                    wrong.push((Rule::Requests, format!("{name} never came to the shop")));
                }
            }
        }
        for (rule, text) in wrong {
            self.violation(rule, text);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::Evidence;
    use crate::record::{Sent, Talk};
    use crate::story::Story;
    use crate::vendors::{Again, Channel, Late};

    static CHANNEL: Channel = Channel {
        name: "c",
        again: Again::LastWord,
        batches: true,
        late: Late::Call,
        holds: false,
        hands_over: false,
        tells_failures: true,
        relays: false,
    };

    /// What is found where `two` stands behind `one` in a webhook, and events were heard
    /// in this order; a name with a star is known.
    fn found(heard: &[&str]) -> usize {
        let mut story = Story::default();
        for (at, word) in heard.iter().enumerate() {
            let (id, name) = (at.to_string(), word.trim_end_matches('*').to_owned());
            if word.ends_with('*') {
                let outcome = How::Skipped(SkipReason::Duplicate);
                let (event, shows, tells) = (id.clone(), Vec::new(), Vec::new());
                let kind = Kind::Speech;
                story.turns.push(Told { event, name: None, kind, tells, outcome, shows });
            }
            let (kind, tells) = (Kind::Speech, Vec::new());
            story.heard.push(Heard { id, name, kind, tells });
        }
        let sent = |name: &str, behind: Option<&str>| Sent {
            name: name.to_owned(),
            begun_us: 1,
            acked_us: 2,
            traps: false,
            behind: behind.map(str::to_owned),
            wants: Vec::new(),
        };
        let mut talk = Talk::new(&CHANNEL, String::new());
        talk.sent = vec![sent("one", None), sent("two", Some("one"))];
        let evidence = Evidence { lives: &[], lookups: &BTreeMap::new(), chats: &[], asked: &[] };
        let (talk, story, evidence) = (&talk, &story, &evidence);
        let mut case =
            Case { talk, story, evidence, conversation: String::new(), found: Vec::new() };
        case.what_came_together_has_the_order_of_its_webhook();
        case.found.len()
    }

    #[test]
    fn events_of_a_webhook_keep_their_order() {
        assert_eq!(found(&["one", "two"]), 0);
        assert_eq!(found(&["two", "one"]), 1);
        assert_eq!(found(&["one", "two", "one*", "two*"]), 0, "what came again is known");
    }
}
