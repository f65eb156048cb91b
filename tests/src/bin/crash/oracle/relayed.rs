//! External bots: while one has a conversation it hears what the person says, in order, and
//! the person what it says.

use std::collections::BTreeMap;

use botyard_kernel::log::SkipReason;
use botyard_twins::instabot::heard;

use super::{Case, Rule};
use crate::external::{BYE, Chat, name_of};
use crate::story::{How, Kind};

/// The time in which an external bot has the conversation.
#[derive(Default)]
struct Period<'a> {
    /// The names of what the person said meanwhile.
    said: Vec<&'a str>,
    /// It was given back.
    is_over: bool,
}

impl Case<'_> {
    pub(super) fn external_bots_and_persons_heard_each_other(&mut self) {
        let mut wrong = Vec::new();
        for period in self.periods() {
            let own = |chat: &&Chat| {
                chat.words.iter().any(|word| period.said.contains(&name_of(&word.text)))
            };
            let chats: Vec<&Chat> = self.evidence.chats.iter().filter(own).collect();
            match chats[..] {
                [] if period.said.is_empty() => {}
                [] if period.is_over => wrong.push("it ended and had heard nothing".to_owned()),
                [] => wrong.push(format!("of {:?} the external bot heard nothing", period.said)),
                [chat] => {
                    wrong.extend(period.not_heard(chat));
                    wrong.extend(self.not_told(chat));
                }
                _ => wrong.push(format!("{:?} came to {} chats", period.said, chats.len())),
            }
        }
        let fails = self.story.turns.iter().filter(|turn| turn.kind == Kind::Fails);
        if self.talk.channel.relays && fails.count() > 0 {
            wrong.push("a hand-over failed, and whoever is asked always takes it".to_owned());
        }
        for text in wrong {
            self.violation(Rule::Relayed, text);
        }
    }

    fn periods(&self) -> Vec<Period<'_>> {
        let mut periods: Vec<Period<'_>> = Vec::new();
        for turn in &self.story.turns {
            let open = periods.last_mut().filter(|period| !period.is_over);
            match &turn.outcome {
                How::Ran { relays, .. } => {
                    if let Some(period) = open.filter(|_| gives_back(turn.kind)) {
                        period.is_over = true;
                    }
                    if *relays {
                        periods.push(Period::default());
                    }
                }
                How::Skipped(SkipReason::Relayed) if turn.kind == Kind::Speech => {
                    if let (Some(period), Some(name)) = (open, &turn.name) {
                        period.said.push(name);
                    }
                }
                How::Failed { .. } | How::Skipped(_) => {}
            }
        }
        periods
    }

    /// What the external bot said and the person was not told, or not once.
    fn not_told(&self, chat: &Chat) -> Vec<String> {
        let mut parts: BTreeMap<&str, usize> = BTreeMap::new();
        for what in self.story.parts.iter().filter_map(|part| part.what.as_deref()) {
            *parts.entry(what).or_default() += 1;
        }
        let count = |text: &str| parts.get(text).copied().unwrap_or(0);
        let mut wrong = Vec::new();
        for word in &chat.words {
            // To what came again only one answer was read.
            let silent = chat.words.iter().any(|it| it.text == word.text && it.is_live);
            let told = count(&heard(&word.text));
            if told > 1 || told == 0 && !silent {
                wrong.push(format!("that it heard {:?} was told {told} times", word.text));
            }
        }
        for text in chat.agents.iter().flatten() {
            let told = count(text);
            if told != 1 {
                wrong.push(format!("its agent said {text:?}, which was told {told} times"));
            }
        }
        wrong
    }
}

fn gives_back(kind: Kind) -> bool {
    matches!(kind, Kind::Returns | Kind::Fails)
}

impl Period<'_> {
    /// How what the external bot heard differs from what the person said. What was said when
    /// it was done is not told to it any more.
    fn not_heard(&self, chat: &Chat) -> Option<String> {
        let mut first: Vec<&str> = Vec::new();
        for word in &chat.words {
            let name = name_of(&word.text);
            if !first.contains(&name) {
                first.push(name);
            }
        }
        let done = chat.agents.iter().any(Option::is_none)
            || chat.words.last().is_some_and(|word| word.text.ends_with(BYE));
        let same = self.said.starts_with(&first) && (done || first.len() == self.said.len());
        if !same {
            return Some(format!("it heard {first:?} of {:?}", self.said));
        }
        (self.is_over && !done).then(|| format!("it was given back after {first:?}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::external::Word;

    fn chat(words: &[&str], agents: &[Option<&str>]) -> Chat {
        let word = |text: &&str| Word { text: (*text).to_owned(), is_live: false };
        Chat {
            words: words.iter().map(word).collect(),
            agents: agents.iter().map(|it| it.map(str::to_owned)).collect(),
        }
    }

    #[test]
    fn what_an_external_bot_does_not_hear_or_hears_in_another_order_is_found() {
        let period = |is_over| Period { said: vec!["m1", "m2", "m3"], is_over };
        let lost = |is_over: bool, words: &[&str], agents: &[Option<&str>]| {
            period(is_over).not_heard(&chat(words, agents)).is_some()
        };
        assert!(!lost(false, &["m1", "m2; part", "m2; part", "m3"], &[]));
        assert!(lost(false, &["m1", "m2"], &[]), "the last one");
        assert!(lost(false, &["m1", "m3"], &[]), "one in between");
        assert!(lost(false, &["m2", "m1", "m3"], &[]), "another order");
        assert!(!lost(true, &["m1", &format!("m2{BYE}")], &[]), "it was done");
        assert!(!lost(true, &["m1"], &[Some("hello"), None]), "its agent left");
        assert!(lost(true, &["m1", "m2", "m3"], &[]), "nobody said that it was done");
    }
}
