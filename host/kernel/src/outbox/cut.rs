//! What leaves in one piece, and what the host itself plays.

use crate::action::Action;
use crate::log::Row;
use crate::outbox::{LIST_BYTES_MAX, LIST_MAX, Outbox, RequestId, settle};
use crate::plan::{Reach, reach};
use crate::profile::Delivery;

/// How actions leave.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Way {
    /// In the answer of this request.
    Answer(RequestId),
    /// By a call.
    Call,
}

impl Outbox {
    /// What leaves next in one piece. A picture travels alone and by API, since
    /// only there its failure is reported; a delay goes with what follows it. What the
    /// vendor has nothing like does not leave at all.
    /// Nothing where the host plays the head itself: a delay that no list carries, or what
    /// no call tells.
    pub(super) fn cut<'a>(&self, queue: &[&'a Row], delivery: &Delivery, way: Way) -> Vec<&'a Row> {
        let mut list: Vec<&Row> = Vec::new();
        for row in queue {
            let alone = matches!(row.action, Action::Media(_)) || self.singly.contains(&row.id);
            let untold = way == Way::Call && is_untold(row, delivery);
            let stays = is_played(row, delivery) || untold || row.hand_off.is_some();
            if stays || self.waits_for_answer(row, delivery, way) {
                break;
            }
            if alone && (way != Way::Call || !list.is_empty()) {
                break;
            }
            list.push(row);
            let lists = delivery.lists || way != Way::Call;
            let full = list.len() >= if lists { LIST_MAX } else { 1 };
            if alone || full {
                break;
            }
        }
        if list.len() > 1 {
            list.truncate(settle::within(LIST_BYTES_MAX, list.iter()).max(1));
        }
        let tail = list.iter().rev().take_while(|row| is_delay(row)).count();
        list.truncate(list.len() - tail);
        list
    }
}

impl Outbox {
    /// What rides in an answer that takes one action of these.
    pub(super) fn pick<'a>(&self, queue: &[&'a Row], names: &[&str]) -> Vec<&'a Row> {
        let free = queue.iter().filter(|row| !self.is_on_its_way(&row.id));
        let mut spoken = false;
        free.filter(|row| match reach(&row.action) {
            Reach::Desk => names.contains(&row.action.name()),
            Reach::Person => {
                let first = !spoken && names.contains(&row.action.name());
                spoken |= first;
                first
            }
            Reach::Host => false,
        })
        .copied()
        .collect()
    }
}

/// Whether no call carries it.
pub(super) fn is_played(row: &Row, delivery: &Delivery) -> bool {
    is_delay(row) && !delivery.native_delay || is_silent(row, delivery)
}

/// Whether it is a hand-off of which the vendor is not told.
pub(super) fn is_silent(row: &Row, delivery: &Delivery) -> bool {
    delivery.silent_hand_off && matches!(row.action, Action::Forward(_) | Action::Abort)
}

/// Whether it is something of a person that only answers tell the vendor.
pub(super) fn is_untold(row: &Row, delivery: &Delivery) -> bool {
    delivery.contacts_in_answers && matches!(row.action, Action::ContactUpdate(_))
}

pub(super) fn is_delay(row: &Row) -> bool {
    matches!(row.action, Action::Delay(_))
}
