//! A vendor's desk for one conversation: sees what comes in and remembers it.

use std::collections::{BTreeMap, BTreeSet};

use botyard_kernel::action::Action;
use botyard_kernel::id::PartId;
use botyard_kernel::log::Row;
use botyard_kernel::time::Millis;
use serde_json::Value;

use crate::rides::Item;
use crate::shown::Shown;
use crate::vendors::{Came, Line, Trouble, Way};

#[derive(Default)]
pub(crate) struct Desk {
    /// What came in, in order, and whether in an answer.
    pub(crate) received: Vec<(Item, bool)>,
    /// What the person saw of it, where the vendor tells.
    pub(crate) shown: BTreeMap<Item, Shown>,
    /// What may come twice, because nobody can know that it came once.
    pub(crate) may_repeat: BTreeSet<Item>,
    /// Rows that were given up once: after a crash nobody knows of it.
    pub(crate) given_up: BTreeSet<PartId>,
    /// Rows of calls that were answered in a way after which nobody tries again, or not
    /// for ever.
    pub(crate) refused_rows: BTreeSet<PartId>,
    /// Rows of calls that were answered with the end of the conversation.
    pub(crate) told_gone: BTreeSet<PartId>,
    /// Rows of calls that were answered with the name of somebody else who has it.
    pub(crate) told_taken: BTreeSet<PartId>,
    /// Rows of which nobody knows whether they came, where such rows are held.
    pub(crate) held: BTreeSet<PartId>,
    /// Dead letters that an operator had sent again.
    pub(crate) redriven: BTreeSet<PartId>,
    /// Events that it was told of as taken, in order.
    pub(crate) acknowledged: Vec<String>,
    /// How often it has refused to hear of these.
    pub(crate) refused: BTreeMap<String, u32>,
    /// When it reads the last answer that was written.
    pub(crate) read_ms: Millis,
    /// Times of API calls.
    pub(crate) calls: Vec<Millis>,
    /// The context that it holds.
    pub(crate) context: Option<Value>,
    /// The number of the person's first conversation.
    pub(crate) person: usize,
    /// By what the conversation is known where its vendor was told so with an answer.
    pub(crate) stream: Option<String>,
    /// An agent has the conversation.
    pub(crate) with_agent: bool,
    /// The hand-off that it took last, and when.
    pub(crate) handed_over: Option<(PartId, Millis)>,
    /// When the person last said something.
    pub(crate) last_word_ms: Millis,
    /// Its clock, which tells no time twice.
    clock: Millis,
}

impl Desk {
    /// The desk for a conversation of this person.
    pub(crate) fn of(person: usize) -> Self {
        Self { person, ..Self::default() }
    }

    /// The time of something that happens here now.
    pub(crate) fn stamp(&mut self, now: Millis) -> Millis {
        self.clock = now.max(self.clock + 1);
        self.clock
    }

    /// Rows come in, in one list.
    pub(crate) fn take(&mut self, came: &Came<'_>, line: &dyn Line) {
        line.take(came, self);
        for row in came.rows {
            let item = Item::of(row);
            let again = self.received.iter().any(|(known, _)| *known == item);
            assert!(
                !again || self.may_repeat.contains(&item),
                "{} came twice although its delivery was certain",
                row.id
            );
            if matches!(row.action, Action::Forward(_) | Action::Abort) {
                self.with_agent = true;
                self.handed_over = Some((row.id.clone(), came.at_ms));
            }
            self.received.push((item, matches!(came.way, Way::Answer { .. })));
        }
    }

    /// The person sees this of a row.
    pub(crate) fn see(&mut self, row: &Row, shown: Shown) {
        let first = self.shown.entry(Item::of(row)).or_insert_with(|| shown.clone());
        assert_eq!(*first, shown, "{} came as another thing than before", row.id);
    }

    /// What a call of these rows was answered, where that was no thanks.
    pub(crate) fn tell_trouble(&mut self, rows: &[Row], trouble: Option<Trouble>) {
        let ids = rows.iter().map(|row| row.id.clone());
        let told = match trouble {
            Some(
                Trouble::Refused
                | Trouble::Unfetched
                | Trouble::Late
                | Trouble::Early
                | Trouble::Conflict,
            ) => &mut self.refused_rows,
            Some(Trouble::Gone) => &mut self.told_gone,
            Some(Trouble::NotOwner) => &mut self.told_taken,
            // Whoever hears this tries again.
            Some(Trouble::TooMany | Trouble::NotNow | Trouble::Broken) | None => return,
        };
        told.extend(ids);
    }

    pub(crate) fn give_up(&mut self, rows: &[Row]) {
        self.given_up.extend(rows.iter().map(|row| row.id.clone()));
    }

    pub(crate) fn doubt(&mut self, rows: &[Row]) {
        self.may_repeat.extend(rows.iter().map(Item::of));
    }
}
