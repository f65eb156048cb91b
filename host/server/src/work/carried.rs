//! What calls carry of rows that were to ride in an answer and did not.

use std::num::NonZeroUsize;
use std::sync::{Mutex, MutexGuard, PoisonError};

use botyard_kernel::action::Action;
use botyard_kernel::degrade::degrade_in;
use botyard_kernel::id::PartId;
use botyard_kernel::log::Row;
use botyard_kernel::plan::{Reach, reach};
use botyard_kernel::profile::Profile;
use lru::LruCache;

/// What calls can carry.
pub(super) struct Carrier {
    pub(super) profile: Profile,
    pub(super) vendor: &'static str,
    pub(super) locale: Option<String>,
    /// One call takes a list.
    pub(super) lists: bool,
}

impl Carrier {
    /// The rows of each call that these make, in order. What calls cannot carry as it is
    /// becomes what they can, whole, in as many pieces as that needs.
    pub(super) fn lists(&self, rows: Vec<Row>) -> Vec<Vec<Row>> {
        let pieces = rows.into_iter().flat_map(|row| self.pieces(row));
        if self.lists { vec![pieces.collect()] } else { pieces.map(|row| vec![row]).collect() }
    }

    fn pieces(&self, row: Row) -> Vec<Row> {
        let action = &row.action;
        let rode = reach(action) == Reach::Person && !self.profile.carries(action.name());
        let own = matches!(action, Action::Passthrough(_) | Action::Delay(_) | Action::Forward(_));
        if !rode || own {
            return vec![row];
        }
        let locale = self.locale.as_deref();
        let mut degraded = degrade_in(action.clone(), &self.profile, self.vendor, locale);
        degraded.name_options(&self.profile, row.id.as_str(), action);
        for note in &degraded.notes {
            tracing::warn!(
                part = %row.id, action = note.action,
                "it was to ride in an answer and goes by a call: {}", note.what
            );
        }
        let mut actions = degraded.actions;
        actions.append(&mut degraded.pages);
        let Some(last) = actions.len().checked_sub(1) else { return vec![row] };
        let piece = |(n, action)| {
            // The vendor tells pieces apart by their ids, and knows the row by the first.
            let id = if n == 0 { row.id.clone() } else { PartId(format!("{}.{n}", row.id)) };
            let context = row.context.clone().filter(|_| n == last);
            Row { id, action, context, ..row.clone() }
        };
        actions.into_iter().enumerate().map(piece).collect()
    }
}

/// So many rows are known; of those that are held for long, the ones that moved last.
const KNOWN_MAX: NonZeroUsize = NonZeroUsize::new(10_000).unwrap();

/// How many calls of a row that makes several have arrived, so that the next try goes on
/// from there. In memory, and longer than the lane: a vendor may ask for a pause that
/// outlives it. After a restart of the host all of them are made again.
#[derive(Debug)]
pub(super) struct Progress(Mutex<LruCache<PartId, usize>>);

impl Default for Progress {
    fn default() -> Self {
        Self(Mutex::new(LruCache::new(KNOWN_MAX)))
    }
}

impl Progress {
    pub(super) fn of(&self, row: &PartId) -> usize {
        self.all().get(row).copied().unwrap_or_default()
    }

    pub(super) fn arrived(&self, row: &PartId) {
        *self.all().get_or_insert_mut(row.clone(), || 0) += 1;
    }

    pub(super) fn forget(&self, row: &PartId) {
        self.all().pop(row);
    }

    fn all(&self) -> MutexGuard<'_, LruCache<PartId, usize>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use botyard_kernel::action::{Card, Carousel};

    use super::*;

    fn row(action: Action) -> Row {
        Row {
            id: "t1.0.0".into(),
            turn: "t1".into(),
            made_ms: 1,
            action,
            context: Some("{}".to_owned()),
            quiet: false,
            event: "e1".into(),
            by_human: false,
            hand_off: None,
        }
    }

    #[test]
    fn a_long_carousel_goes_whole_in_several_calls() {
        let card = |n: usize| Card {
            id: format!("id-{n}"),
            label: format!("Lamp {n} {}", "x".repeat(80)),
            image: None,
            description: None,
        };
        let cards: Vec<Card> = (1..=40).map(card).collect();
        let text = "Welche Lampe?".to_owned();
        let carousel = Carousel { text, cards: cards.clone(), fallback: None };
        let profile = Profile::new(&["message"], 2_000);
        let locale = Some("de".to_owned());
        let mut carrier = Carrier { profile, vendor: "myalice", locale, lists: false };
        let lists = carrier.lists(vec![row(Action::Carousel(carousel.clone()))]);
        assert!(lists.len() > 1 && lists.iter().all(|list| list.len() == 1), "{lists:?}");
        let ids: Vec<_> = lists.iter().map(|list| list[0].id.to_string()).collect();
        assert_eq!(ids[..2], ["t1.0.0", "t1.0.0.1"]);
        let contexts = lists.iter().filter(|list| list[0].context.is_some()).count();
        assert_eq!((contexts, &lists[lists.len() - 1][0].context), (1, &Some("{}".to_owned())));
        let texts = lists.iter().map(|list| match &list[0].action {
            Action::Message(message) => message.text.clone(),
            other => panic!("{other:?}"),
        });
        let whole = texts.collect::<Vec<_>>().join("\n");
        for (n, card) in (1..).zip(&cards) {
            assert!(whole.contains(&format!("{n}. {}", card.label)), "{n}: {whole}");
        }
        assert!(whole.contains("Bitte"), "the host's own words are the person's: {whole}");
        carrier.lists = true;
        assert_eq!(carrier.lists(vec![row(Action::Carousel(carousel))]).len(), 1);
    }

    #[test]
    fn the_next_try_goes_on_where_the_last_one_stopped() {
        let (progress, row) = (Progress::default(), PartId::from("t1.0.0"));
        assert_eq!(progress.of(&row), 0);
        progress.arrived(&row);
        progress.arrived(&row);
        assert_eq!((progress.of(&row), progress.of(&"t1.1.0".into())), (2, 0));
        progress.forget(&row);
        assert_eq!(progress.of(&row), 0);
    }
}
