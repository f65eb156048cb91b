//! What only an answer carries, and what calls carry in its place.

use botyard_kernel::id::PartId;
use botyard_kernel::log::Row;

/// A part as it comes in: what only an answer carries comes by calls as something else, the
/// last of it under the same id.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Item {
    pub(crate) part: PartId,
    /// The canonical name of what is done.
    pub(crate) action: &'static str,
}

impl Item {
    pub(crate) fn of(row: &Row) -> Self {
        Self { part: row.id.clone(), action: row.action.name() }
    }
}

/// What takes the place of a row that has missed the answer which alone could carry it: each
/// piece has the row's id with its number behind it, but for the last one, which is the row
/// from then on.
pub(crate) fn pieces(row: &Row) -> Vec<Row> {
    let last = row.by_call.len().saturating_sub(1);
    let piece = |(n, action)| {
        let id = if n == last { row.id.clone() } else { PartId(format!("{}.{n}", row.id)) };
        Row { id, action, by_call: Vec::new(), ..row.clone() }
    };
    row.by_call.iter().cloned().enumerate().map(piece).collect()
}
