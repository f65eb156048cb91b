//! Deliveries: every part of every committed turn, in order; twice only where a
//! host process ended in between.

use std::collections::{BTreeMap, BTreeSet};

use super::{Case, Rule};
use crate::record::{Shown, Way};
use crate::vendors::COMMON;

/// What the host has sent one after the other, in answers on two connections or in
/// an answer and a call, may be read in another order that soon. (After an answer,
/// the host waits longer than that before a call.)
const READ_LATE_US: u64 = 200_000;

impl Case<'_> {
    pub(super) fn deliveries(&mut self) {
        self.part_ids_are_unique();
        let mut shown: BTreeMap<&str, Vec<&Shown>> = BTreeMap::new();
        for one in &self.talk.shown {
            shown.entry(&one.what).or_default().push(one);
        }
        for sightings in shown.values_mut() {
            sightings.sort_by_key(|one| (one.life, one.at_us));
        }
        self.every_part_ended_once(&shown);
        self.nothing_else_was_shown(&shown);
        self.repeated_only_over_a_kill(&shown);
        self.shown_in_order(&shown);
        for text in COMMON {
            self.common_was_shown(text, shown.get(text).map_or(0, Vec::len));
        }
    }

    fn part_ids_are_unique(&mut self) {
        let mut known = BTreeSet::new();
        let twice: Vec<String> = self
            .story
            .parts
            .iter()
            .filter(|part| !known.insert(&part.id))
            .map(|part| format!("the part {} was made twice", part.id))
            .collect();
        for text in twice {
            self.violation(Rule::PartIds, text);
        }
    }

    fn every_part_ended_once(&mut self, shown: &BTreeMap<&str, Vec<&Shown>>) {
        let mut wrong = Vec::new();
        for part in &self.story.parts {
            let ends = self.story.ends.get(&part.id).map_or(&[][..], Vec::as_slice);
            let how: Vec<&str> = ends.iter().map(|end| &*end.how).collect();
            let what = part.what.as_deref();
            let seen = what.and_then(|what| shown.get(what)).map_or(0, Vec::len);
            let told = what.unwrap_or("a delay or a request");
            match ends {
                [] => wrong.push((
                    Rule::Undelivered,
                    format!("part {} ({told}) never ended; seen {seen} times", part.id),
                )),
                [end] if end.delivered => {
                    if what.is_some() && seen == 0 {
                        let text = format!(
                            "part {} ({told}) counts as delivered and was never seen",
                            part.id
                        );
                        wrong.push((Rule::Undelivered, text));
                    }
                }
                // A call that was under way at a kill is held here, in place of being
                // sent again.
                [end] if self.talk.channel.holds && end.how.contains("held") && seen <= 1 => {}
                // The vendor told that humans have the conversation before the host heard,
                // over a kill, how its own hand-off had ended: nobody waits for that any
                // more. That they have it is the law of the channel.
                [end] if part.hands_over && end.how.contains("quarantined") => {}
                [_] => wrong.push((
                    Rule::Undelivered,
                    format!("part {} ({told}) ended as {how:?}; seen {seen} times", part.id),
                )),
                _ => wrong.push((
                    Rule::Repeated,
                    format!("part {} ({told}) ended {} times: {how:?}", part.id, ends.len()),
                )),
            }
        }
        for (rule, text) in wrong {
            self.violation(rule, text);
        }
    }

    fn nothing_else_was_shown(&mut self, shown: &BTreeMap<&str, Vec<&Shown>>) {
        let made: BTreeSet<&str> =
            self.story.parts.iter().filter_map(|part| part.what.as_deref()).collect();
        for what in shown.keys().filter(|what| !made.contains(*what)) {
            self.violation(Rule::Unknown, format!("\"{what}\" was shown and no turn has it"));
        }
    }

    fn repeated_only_over_a_kill(&mut self, shown: &BTreeMap<&str, Vec<&Shown>>) {
        let mut wrong = Vec::new();
        for part in &self.story.parts {
            let Some(what) = part.what.as_deref().filter(|what| !COMMON.contains(what)) else {
                continue;
            };
            let sightings = shown.get(what).map_or(&[][..], Vec::as_slice);
            for pair in sightings.windows(2) {
                if pair[0].life == pair[1].life {
                    wrong.push(format!(
                        "\"{what}\" was shown twice by one process ({}): {:?} and {:?}",
                        pair[0].life, pair[0].way, pair[1].way
                    ));
                }
            }
            // Whoever sent it again must not have known that it was delivered.
            let last = sightings.last().filter(|_| sightings.len() > 1);
            let began = last.and_then(|last| self.evidence.lives.get(last.life));
            let ended = self.story.ends.get(&part.id).and_then(|ends| ends.first());
            if let (Some(last), Some(began), Some(ended)) = (last, began, ended)
                && ended.at_ms < began.began_ms
            {
                wrong.push(format!(
                    "\"{what}\" was shown again by process {}, {} ms after its end was stored",
                    last.life,
                    began.began_ms - ended.at_ms
                ));
            }
        }
        for text in wrong {
            self.violation(Rule::Repeated, text);
        }
    }

    fn shown_in_order(&mut self, shown: &BTreeMap<&str, Vec<&Shown>>) {
        // The latest first sighting so far, for each way.
        let mut latest: [Option<&Shown>; 2] = [None, None];
        let mut wrong = Vec::new();
        for part in &self.story.parts {
            let Some(what) = part.what.as_deref().filter(|what| !COMMON.contains(what)) else {
                continue;
            };
            let first = shown.get(what).and_then(|all| all.iter().min_by_key(|one| one.time()));
            let Some(first) = first else { continue };
            if let Some(late) = latest.iter().flatten().find(|late| overtakes(first, late)) {
                wrong.push(format!(
                    "\"{what}\" ({:?}) was shown {} us before \"{}\" ({:?}), which stands before it",
                    first.way,
                    late.at_us - first.at_us,
                    late.what,
                    late.way
                ));
            }
            let slot = &mut latest[usize::from(first.way == Way::Call)];
            if slot.is_none_or(|late| late.time() < first.time()) {
                *slot = Some(first);
            }
        }
        for text in wrong {
            self.violation(Rule::DeliveryOrder, text);
        }
    }
}

impl Shown {
    fn time(&self) -> (u64, usize) {
        (self.at_us, self.place)
    }
}

/// Whether one that stands behind the other was shown before it.
fn overtakes(one: &Shown, other: &Shown) -> bool {
    let together = one.at_us == other.at_us;
    if together || (one.way, other.way) == (Way::Call, Way::Call) {
        one.time() < other.time()
    } else {
        one.at_us + READ_LATE_US < other.at_us
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn shown(way: Way, at_us: u64, place: usize) -> Shown {
        Shown { at_us, place, life: 0, way, what: String::new() }
    }

    #[test]
    fn calls_and_lists_are_compared_exactly_and_answers_with_patience() {
        let call = shown(Way::Call, 1_000, 0);
        assert!(overtakes(&shown(Way::Call, 999, 0), &call));
        assert!(!overtakes(&shown(Way::Call, 1_000, 1), &call));
        assert!(overtakes(&call, &shown(Way::Call, 1_000, 1)));
        let late = shown(Way::Answer, 1_000 + READ_LATE_US, 0);
        assert!(!overtakes(&call, &late));
        assert!(overtakes(&shown(Way::Answer, 999, 0), &late));
    }
}
