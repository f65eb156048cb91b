//! Between the bot and the outbox: whatever the bot says is a part of its turn, and nothing
//! else is; a bot that breaks down is told of, once.

use std::collections::HashMap;

use botyard_kernel::log::SkipReason;

use super::{Case, Rule};
use crate::story::{How, Made, Told};
use crate::vendors::FAILURE_TEXT;

impl Case<'_> {
    pub(super) fn what_was_said_became_parts(&mut self) {
        let turns: Vec<String> =
            self.story.turns.iter().filter_map(|it| self.lost_of(it)).collect();
        let asked_for: Vec<String> = self.not_done().collect();
        for text in turns.into_iter().chain(asked_for) {
            self.violation(Rule::Undelivered, text);
        }
    }

    /// What a turn says against what its parts show.
    fn lost_of(&self, turn: &Told) -> Option<String> {
        let failure = [FAILURE_TEXT.to_owned()];
        let says = match &turn.outcome {
            How::Ran { says, .. } => &says[..],
            How::Failed { .. } if self.talk.channel.tells_failures => &failure,
            How::Skipped(SkipReason::Relayed) => &turn.tells[..],
            How::Failed { .. } | How::Skipped(_) => &[],
        };
        let shows = &turn.shows;
        // Where there are no files, a link is a text with something around it.
        let same = |(said, shown): (&String, &String)| said == shown || is_link_in(said, shown);
        let all = says.len() == shows.len() && says.iter().zip(shows).all(same);
        let name = turn.name.as_deref().unwrap_or("a start of the host's own");
        (!all).then(|| format!("the turn of {name} has to say {says:?}, and its parts {shows:?}"))
    }

    /// What persons have asked the bot for and no part shows.
    fn not_done(&self) -> impl Iterator<Item = String> {
        let known = |turn: &&Told| matches!(turn.outcome, How::Skipped(SkipReason::Duplicate));
        let turns = self.story.turns.iter().filter(|turn| !known(turn));
        let by_name: HashMap<&str, &Told> =
            turns.filter_map(|turn| Some((turn.name.as_deref()?, turn))).collect();
        self.talk.sent.iter().flat_map(move |sent| {
            let turn = by_name.get(&*sent.name).copied();
            let shows = turn.filter(|turn| matches!(turn.outcome, How::Ran { .. }));
            let shows = shows.map(|turn| &turn.shows);
            let wants = sent.wants.iter().filter(move |wanted| {
                let is_it = |shown: &String| shown == *wanted || is_link_in(wanted, shown);
                shows.is_some_and(|shows| !shows.iter().any(is_it))
            });
            let lost = |wanted| format!("{} asked for \"{wanted}\", and no part is it", sent.name);
            wants.map(lost).collect::<Vec<_>>()
        })
    }

    /// What is said again and again has always the same `text`, so it is counted: once for
    /// each part, and once more at most for each host that ended between a part and its end.
    pub(super) fn common_was_shown(&mut self, text: &str, seen: usize) {
        let parts = self.story.parts.iter().filter(|it| it.what.as_deref() == Some(text));
        let parts: Vec<&Made> = parts.collect();
        let ended = |part: &Made| {
            let ends = self.story.ends.get(&part.id)?;
            let delivered = ends.iter().filter(|end| end.delivered);
            Some((part.made_ms, delivered.map(|end| end.at_ms).max()?))
        };
        let delivered: Vec<(u64, u64)> = parts.iter().copied().filter_map(ended).collect();
        // What is held may have been seen before the host that sent it ended.
        let held = if self.talk.channel.holds { parts.len() - delivered.len() } else { 0 };
        let between = |(made_ms, ended_ms): &(u64, u64)| {
            let mut began = self.evidence.lives.iter().map(|life| life.began_ms);
            began.by_ref().filter(|at| made_ms <= at && at <= ended_ms).count()
        };
        let least = delivered.len();
        let again = held + delivered.iter().map(between).sum::<usize>();
        if seen < least {
            let text = format!("\"{text}\" was told {least} times and seen {seen} times");
            self.violation(Rule::Undelivered, text);
        } else if seen > least + again {
            let text = format!(
                "\"{text}\" was told {least} times, may have come {again} times again, and was \
                 seen {seen} times"
            );
            self.violation(Rule::Repeated, text);
        }
    }
}

fn is_link_in(said: &str, shown: &str) -> bool {
    said.starts_with("https://") && shown.contains(said)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::oracle::Evidence;
    use crate::record::{Life, Sent, Talk};
    use crate::story::{End, Kind, Story};
    use crate::vendors::{Again, Channel, Late};

    const CHANNEL: Channel = Channel {
        name: "a-channel",
        again: Again::Nothing,
        batches: false,
        late: Late::Call,
        holds: false,
        hands_over: false,
        tells_failures: true,
        relays: false,
    };

    fn says(said: &[&str]) -> How {
        let says = said.iter().map(|said| (*said).to_owned()).collect();
        let (timers, requests) = (Vec::new(), Vec::new());
        How::Ran { count: None, says, timers, requests, hands_over: false, relays: false }
    }

    fn found(story: &Story, lives: &[Life], seen: usize) -> Vec<Rule> {
        let mut talk = Talk::new(&CHANNEL, String::new());
        talk.sent.push(Sent {
            name: "m1".to_owned(),
            begun_us: 1,
            acked_us: 2,
            traps: false,
            behind: None,
            wants: vec!["m1 part 1".to_owned()],
        });
        let evidence = Evidence { lives, lookups: &BTreeMap::new(), chats: &[], asked: &[] };
        let (talk, evidence) = (&talk, &evidence);
        let mut case =
            Case { talk, story, evidence, conversation: String::new(), found: Vec::new() };
        case.what_was_said_became_parts();
        case.common_was_shown(FAILURE_TEXT, seen);
        case.found.into_iter().map(|found| found.rule).collect()
    }

    fn turn(outcome: How, shows: &[&str]) -> Story {
        let shows = shows.iter().map(|shown| (*shown).to_owned()).collect();
        let name = Some("m1".to_owned());
        let mut story = Story::default();
        let (event, kind, tells) = ("e1".to_owned(), Kind::Speech, Vec::new());
        story.turns.push(Told { event, name, kind, tells, outcome, shows });
        story
    }

    #[test]
    fn what_a_bot_says_and_no_part_shows_is_found() {
        let all = ["1 1 m1", "m1 part 1", "https://files.example/m1-2"];
        let shown = ["1 1 m1", "m1 part 1", "A file: https://files.example/m1-2"];
        assert_eq!(found(&turn(says(&all), &shown), &[], 0), []);
        let lost = [Rule::Undelivered];
        assert_eq!(found(&turn(says(&all), &all[..2]), &[], 0), lost);
        let shown = [all[1], all[0], all[2]];
        assert_eq!(found(&turn(says(&all), &shown), &[], 0), lost, "in another order");
        assert_eq!(found(&turn(says(&all[..1]), &all[..1]), &[], 0), lost, "it was asked for");
    }

    #[test]
    fn a_failure_is_told_once() {
        let failed = || How::Failed { of_bot: true, why: String::new() };
        let mut story = turn(failed(), &[FAILURE_TEXT]);
        let what = Some(FAILURE_TEXT.to_owned());
        story.parts.push(Made {
            id: "p".to_owned(),
            made_ms: 10,
            what,
            hands_over: false,
            asks: None,
        });
        let end = End { delivered: true, how: String::new(), at_ms: 20 };
        story.ends.insert("p".to_owned(), vec![end]);
        assert_eq!(found(&story, &[], 1), []);
        assert_eq!(found(&story, &[], 0), [Rule::Undelivered]);
        assert_eq!(found(&story, &[], 2), [Rule::Repeated]);
        assert_eq!(found(&story, &[Life { began_ms: 15 }], 2), [], "a host ended in between");
        assert_eq!(found(&story, &[Life { began_ms: 25 }], 2), [Rule::Repeated]);
        assert_eq!(found(&turn(failed(), &[]), &[], 0), [Rule::Undelivered]);
        let twice = [FAILURE_TEXT, FAILURE_TEXT];
        assert_eq!(found(&turn(failed(), &twice), &[], 0), [Rule::Undelivered]);
    }
}
