//! How a write changes a value of a bot.

use botyard_kernel::run::KvChange;

/// The value after a change; absent where it is gone.
///
/// Adding starts at 0 where there is no value, and changes nothing where the
/// value is no decimal integer or the sum does not fit 64 bits: the write was
/// checked when the bot made it, and another conversation came in between.
pub(crate) fn changed(old: Option<&str>, change: &KvChange) -> Option<String> {
    match change {
        KvChange::Set(value) => Some(value.clone()),
        KvChange::Delete => None,
        KvChange::Add(delta) => {
            let sum = old.unwrap_or("0").parse::<i64>().ok().and_then(|n| n.checked_add(*delta));
            sum.map(|sum| sum.to_string()).or_else(|| old.map(str::to_owned))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn changes() {
        let set = KvChange::Set("x".to_owned());
        let rows: [(Option<&str>, &KvChange, Option<&str>); 9] = [
            (None, &set, Some("x")),
            (Some("y"), &set, Some("x")),
            (Some("y"), &KvChange::Delete, None),
            (None, &KvChange::Delete, None),
            (None, &KvChange::Add(-2), Some("-2")),
            (Some("40"), &KvChange::Add(2), Some("42")),
            (Some("many"), &KvChange::Add(2), Some("many")),
            (Some("9223372036854775807"), &KvChange::Add(1), Some("9223372036854775807")),
            (None, &KvChange::Add(0), Some("0")),
        ];
        for (old, change, new) in rows {
            assert_eq!(changed(old, change).as_deref(), new, "{old:?} {change:?}");
        }
    }
}
