//! External bots: whatever they are asked, a process asks once, and only while it needs to know.

use std::collections::BTreeMap;

use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};

use super::{Case, Rule};
use crate::external::{Asked, Question};
use crate::record::Life;
use crate::story::{Made, TENANT};

/// So many digits of a conversation stand in the address of a person who has none.
const GUEST_DIGITS: usize = 24;

impl Case<'_> {
    /// A question is asked until what came of it is stored, and a process that heard the
    /// answer asks no second time. So each process asks each thing no more often than there
    /// are parts that ask it and that were not at their end when it began.
    pub(super) fn external_bots_were_asked_once(&mut self) {
        let guest = self.guest();
        let mut counts: BTreeMap<(&Question, usize), usize> = BTreeMap::new();
        let mut starts = 0;
        for Asked { question, life, person } in self.evidence.asked {
            let is_own = match question {
                Question::Start | Question::Who => person.starts_with(&guest),
                Question::Say(_) => self.parts_that_ask(question).next().is_some(),
            };
            if is_own {
                *counts.entry((question, *life)).or_default() += 1;
                starts += usize::from(*question == Question::Start);
            }
        }
        let mut wrong = Vec::new();
        for ((question, life), count) in counts {
            let open = self.parts_that_ask(question).filter(|part| self.is_open(part, life));
            let open = open.count();
            if count > open {
                wrong.push(format!(
                    "process {life} asked {question:?} {count} times, and {open} times it was open"
                ));
            }
        }
        let begun = self.parts_that_ask(&Question::Start);
        let begun = begun.filter(|part| self.ended_ms(part).is_some()).count();
        if starts < begun {
            wrong.push(format!("{begun} hand-overs were answered, and {starts} were asked for"));
        }
        for text in wrong {
            self.violation(Rule::Relayed, text);
        }
    }

    /// How the address of the person begins.
    fn guest(&self) -> String {
        let key = ConversationKey {
            tenant: TenantId::from(TENANT),
            channel: ChannelId::from(self.talk.channel.name),
            vendor_key: self.talk.key.clone(),
        };
        let digits = key.digest().to_string();
        format!("{}@", &digits[..GUEST_DIGITS])
    }

    fn parts_that_ask(&self, question: &Question) -> impl Iterator<Item = &Made> {
        self.story.parts.iter().filter(move |part| part.asks.as_ref() == Some(question))
    }

    /// Whether nobody knew yet what came of a part, for some time of a process.
    fn is_open(&self, part: &Made, life: usize) -> bool {
        let began = |life: usize| self.evidence.lives.get(life).map(|Life { began_ms }| *began_ms);
        let made = began(life + 1).is_none_or(|next| part.made_ms <= next);
        let ended = self.ended_ms(part).zip(began(life)).is_some_and(|(end, began)| end < began);
        made && !ended
    }

    fn ended_ms(&self, part: &Made) -> Option<u64> {
        self.story.ends.get(&part.id)?.first().map(|end| end.at_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::oracle::Evidence;
    use crate::record::Talk;
    use crate::story::{End, Story};
    use crate::vendors::{Again, Channel, Late};

    static CHANNEL: Channel = Channel {
        name: "c",
        again: Again::Nothing,
        batches: false,
        late: Late::Call,
        holds: false,
        hands_over: false,
        tells_failures: true,
        relays: true,
    };
    /// One process from the beginning on, and another one from this time on.
    const SECOND_MS: u64 = 100;

    /// What is found where parts ask these things, each from its first time to its second
    /// one, and processes have asked those.
    fn found(parts: &[(Question, u64, u64)], asked: &[(Question, usize)]) -> usize {
        let mut story = Story::default();
        for (at, (question, made_ms, at_ms)) in parts.iter().enumerate() {
            let (id, asks) = (at.to_string(), Some(question.clone()));
            let end = End { delivered: true, how: "delivered".to_owned(), at_ms: *at_ms };
            story.ends.insert(id.clone(), vec![end]);
            story.parts.push(Made { id, made_ms: *made_ms, what: None, hands_over: false, asks });
        }
        let talk = Talk { key: "k".to_owned(), ..Talk::new(&CHANNEL, String::new()) };
        let lives = [Life { began_ms: 0 }, Life { began_ms: SECOND_MS }];
        let (lookups, conversation) = (BTreeMap::new(), String::new());
        let case = |evidence| {
            let (talk, story, found) = (&talk, &story, Vec::new());
            Case { talk, story, evidence, conversation: conversation.clone(), found }
        };
        let none = Evidence { lives: &lives, lookups: &lookups, chats: &[], asked: &[] };
        let person = format!("{}guest.invalid", case(&none).guest());
        let asked = asked.iter().cloned().map(|(question, life)| {
            let person = person.clone();
            Asked { question, life, person }
        });
        let asked: Vec<_> = asked.collect();
        let evidence = Evidence { asked: &asked, ..none };
        let mut case = case(&evidence);
        case.external_bots_were_asked_once();
        case.found.len()
    }

    #[test]
    fn what_is_asked_twice_by_one_process_is_found() {
        for question in [Question::Start, Question::Who, Question::Say("m1".to_owned())] {
            let ask = |life| (question.clone(), life);
            let part = |made_ms, end_ms| (question.clone(), made_ms, end_ms);
            assert_eq!(found(&[part(10, 20)], &[ask(0)]), 0);
            assert_eq!(found(&[part(10, 20)], &[ask(0), ask(0)]), 1, "{question:?}");
            assert_eq!(found(&[part(10, 20), part(30, 40)], &[ask(0), ask(0)]), 0);
            let over = [part(10, SECOND_MS + 10)];
            assert_eq!(found(&over, &[ask(0), ask(1)]), 0, "the first one died");
            assert_eq!(found(&over, &[ask(0), ask(1), ask(1)]), 1, "{question:?}");
        }
    }

    #[test]
    fn what_is_asked_again_although_its_answer_is_stored_is_found() {
        let start = || (Question::Start, 10, 20);
        assert_eq!(found(&[start()], &[(Question::Start, 0), (Question::Start, 1)]), 1);
        let later = (Question::Start, SECOND_MS + 10, SECOND_MS + 20);
        let twice = [(Question::Start, 0), (Question::Start, 0)];
        assert_eq!(found(&[start(), later], &twice), 1, "the second one was not made yet");
    }

    #[test]
    fn a_hand_over_that_was_never_asked_for_is_found() {
        assert_eq!(found(&[(Question::Start, 10, 20)], &[]), 1);
    }
}
