//! The values that a bot keeps, by the host's rules: what a turn writes is staged
//! and takes effect when the turn is committed.

use std::collections::{BTreeMap, BTreeSet};

use crate::kv::{Cause, Scope};

const KEY_BYTES_MAX: usize = 256;
const VALUE_BYTES_MAX: usize = 64 * 1024;
const CONVERSATION_BYTES_MAX: usize = 64 * 1024;
const BOT_BYTES_MAX: usize = 16 * 1024 * 1024;
const WRITES_MAX: usize = 1_000;
const WRITES_BYTES_MAX: usize = 256 * 1024;
const READS_MAX: usize = 1_000;

type Map = BTreeMap<String, String>;

/// The values of both scopes.
#[derive(Default)]
pub(super) struct Values {
    kept: Scopes,
    /// As the turn sees them.
    seen: Scopes,
    /// Keys of the bot's scope that the turn has read or written.
    known: BTreeSet<String>,
    /// What the turn does to the bot's scope, in order.
    bot_writes: Vec<(String, Change)>,
    writes: usize,
    write_bytes: usize,
}

#[derive(Clone, Default)]
struct Scopes {
    conversation: Map,
    bot: Map,
}

enum Change {
    Set(String),
    Delete,
    Add(i64),
}

impl Values {
    /// Begins a turn; what the one before has not committed is forgotten.
    pub(super) fn begin(&mut self) {
        *self = Self {
            seen: self.kept.clone(),
            kept: std::mem::take(&mut self.kept),
            ..Self::default()
        };
    }

    /// Ends a turn and answers the keys of the writes that were left out, because
    /// the bot's scope is full.
    pub(super) fn commit(&mut self) -> Vec<String> {
        self.kept.conversation.clone_from(&self.seen.conversation);
        let mut left_out = Vec::new();
        for (key, change) in self.bot_writes.drain(..) {
            let old = self.kept.bot.get(&key);
            let new = changed(old, change);
            let (old, new_bytes) = (size(&key, old), size(&key, new.as_ref()));
            if new_bytes > old && total(&self.kept.bot) - old + new_bytes > BOT_BYTES_MAX {
                left_out.push(key);
            } else {
                put(&mut self.kept.bot, key, new);
            }
        }
        left_out
    }

    /// What is kept, between turns.
    pub(super) fn kept(&self, scope: Scope, key: &str) -> Option<String> {
        self.kept.of(scope).get(key).cloned()
    }

    pub(super) fn get(&mut self, scope: Scope, key: &str) -> Result<Option<String>, Cause> {
        check_key(key)?;
        if scope == Scope::Bot && !self.known.contains(key) {
            if self.known.len() >= READS_MAX {
                return Err(Cause::Other(format!(
                    "more than {READS_MAX} keys of the bot in one turn"
                )));
            }
            self.known.insert(key.to_owned());
        }
        Ok(self.seen.of(scope).get(key).cloned())
    }

    pub(super) fn set(&mut self, scope: Scope, key: &str, value: &str) -> Result<(), Cause> {
        check_key(key)?;
        if value.len() > VALUE_BYTES_MAX {
            return Err(Cause::ValueTooLarge);
        }
        self.write(scope, key, Some(value.to_owned()), Change::Set(value.to_owned()))
    }

    pub(super) fn delete(&mut self, scope: Scope, key: &str) -> Result<(), Cause> {
        check_key(key)?;
        self.write(scope, key, None, Change::Delete)
    }

    pub(super) fn add(&mut self, scope: Scope, key: &str, delta: i64) -> Result<i64, Cause> {
        let old = self.get(scope, key)?.unwrap_or_else(|| "0".to_owned());
        let old: i64 = old.parse().map_err(|_| Cause::NotANumber)?;
        let sum = old.checked_add(delta).ok_or(Cause::NotANumber)?;
        self.write(scope, key, Some(sum.to_string()), Change::Add(delta))?;
        Ok(sum)
    }

    fn write(
        &mut self,
        scope: Scope,
        key: &str,
        value: Option<String>,
        change: Change,
    ) -> Result<(), Cause> {
        let bytes = key.len() + value.as_ref().map_or(0, String::len);
        if self.writes >= WRITES_MAX || self.write_bytes + bytes > WRITES_BYTES_MAX {
            let kib = WRITES_BYTES_MAX / 1024;
            return Err(Cause::Other(format!(
                "more than {WRITES_MAX} writes or {kib} KiB of them in one turn"
            )));
        }
        match scope {
            Scope::Conversation => {
                let values = &self.seen.conversation;
                let (old, new) = (size(key, values.get(key)), size(key, value.as_ref()));
                if new > old && total(values) - old + new > CONVERSATION_BYTES_MAX {
                    return Err(Cause::QuotaExceeded);
                }
            }
            Scope::Bot => {
                self.known.insert(key.to_owned());
                self.bot_writes.push((key.to_owned(), change));
            }
        }
        put(self.seen.of_mut(scope), key.to_owned(), value);
        self.writes += 1;
        self.write_bytes += bytes;
        Ok(())
    }
}

impl Scopes {
    fn of(&self, scope: Scope) -> &Map {
        match scope {
            Scope::Conversation => &self.conversation,
            Scope::Bot => &self.bot,
        }
    }

    fn of_mut(&mut self, scope: Scope) -> &mut Map {
        match scope {
            Scope::Conversation => &mut self.conversation,
            Scope::Bot => &mut self.bot,
        }
    }
}

fn check_key(key: &str) -> Result<(), Cause> {
    if key.is_empty() || key.len() > KEY_BYTES_MAX { Err(Cause::InvalidKey) } else { Ok(()) }
}

fn changed(old: Option<&String>, change: Change) -> Option<String> {
    match change {
        Change::Set(value) => Some(value),
        Change::Delete => None,
        // What others have made no number in between stays as it is.
        Change::Add(delta) => {
            let sum = old.map_or(Some(0), |old| old.parse::<i64>().ok());
            let sum = sum.and_then(|sum| sum.checked_add(delta));
            sum.map(|sum| sum.to_string()).or_else(|| old.cloned())
        }
    }
}

fn put(values: &mut Map, key: String, value: Option<String>) {
    match value {
        Some(value) => values.insert(key, value),
        None => values.remove(&key),
    };
}

fn size(key: &str, value: Option<&String>) -> usize {
    value.map_or(0, |value| key.len() + value.len())
}

fn total(values: &Map) -> usize {
    values.iter().map(|(key, value)| key.len() + value.len()).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The contract in words, where these numbers come from.
    const WIT: &str = include_str!("../../../../wit/v1/imports.wit");

    #[test]
    fn the_limits_are_those_of_the_contract() {
        let words = WIT.replace("///", " ");
        let wit = words.split_whitespace().collect::<Vec<_>>().join(" ");
        let kib = |bytes: usize| bytes / 1024;
        for limit in [
            format!("Keys are 1 to {KEY_BYTES_MAX} bytes"),
            format!("values at most {} KiB", kib(VALUE_BYTES_MAX)),
            format!("at most {} KiB in all, exactly in order", kib(CONVERSATION_BYTES_MAX)),
            format!("at most {} MiB in all", kib(kib(BOT_BYTES_MAX))),
            format!("at most 1,000 writes of together at most {} KiB", kib(WRITES_BYTES_MAX)),
            "at most 1,000 different keys of the bot's scope".to_owned(),
        ] {
            assert!(wit.contains(&limit), "the contract does not state: {limit}");
        }
        assert_eq!((WRITES_MAX, READS_MAX), (1_000, 1_000));
    }

    #[test]
    fn limits_of_values() {
        let mut values = Values::default();
        let mut set = |key: &str, bytes| values.set(Scope::Conversation, key, &"x".repeat(bytes));
        assert_eq!(set("", 1), Err(Cause::InvalidKey));
        assert_eq!(set(&"k".repeat(257), 1), Err(Cause::InvalidKey));
        assert_eq!(set("k", VALUE_BYTES_MAX + 1), Err(Cause::ValueTooLarge));
        assert_eq!(set("k", VALUE_BYTES_MAX), Err(Cause::QuotaExceeded));
        assert_eq!(set("k", VALUE_BYTES_MAX - 1), Ok(()));
        assert_eq!(set("k", VALUE_BYTES_MAX - 1), Ok(()), "the old value makes room");
        assert_eq!(set("l", 1), Err(Cause::QuotaExceeded));
    }

    #[test]
    fn limits_of_a_turn() {
        let refused = |result: Result<(), Cause>| matches!(result, Err(Cause::Other(_)));
        let mut values = Values::default();
        for _ in 0..WRITES_MAX {
            values.set(Scope::Conversation, "k", "x").unwrap();
        }
        assert!(refused(values.delete(Scope::Bot, "k")));
        values.begin();
        for key in ["a", "b", "c"] {
            values.set(Scope::Bot, key, &"x".repeat(VALUE_BYTES_MAX)).unwrap();
        }
        assert!(refused(values.set(Scope::Bot, "d", &"x".repeat(VALUE_BYTES_MAX))));
        values.begin();
        values.set(Scope::Bot, "written", "x").unwrap();
        for n in 1..READS_MAX {
            assert_eq!(values.get(Scope::Bot, &n.to_string()), Ok(None));
        }
        assert!(values.get(Scope::Bot, "one more").is_err());
        assert_eq!(values.get(Scope::Bot, "1"), Ok(None), "what was read can be read again");
        assert_eq!(values.get(Scope::Conversation, "k"), Ok(None), "nothing was committed");
    }

    #[test]
    fn what_the_bots_scope_cannot_hold_is_left_out_at_the_commit() {
        let mut values = Values::default();
        let large = "x".repeat(VALUE_BYTES_MAX - 3);
        for n in 0..BOT_BYTES_MAX / VALUE_BYTES_MAX {
            values.begin();
            values.set(Scope::Bot, &format!("{n:03}"), &large).unwrap();
            assert!(values.commit().is_empty());
        }
        values.begin();
        assert_eq!(values.set(Scope::Bot, "more", "x"), Ok(()));
        assert_eq!(values.set(Scope::Bot, "000", "smaller"), Ok(()));
        assert_eq!(values.get(Scope::Bot, "more"), Ok(Some("x".to_owned())));
        assert_eq!(values.commit(), ["more"]);
        assert_eq!(values.kept(Scope::Bot, "more"), None);
        assert_eq!(values.kept(Scope::Bot, "000").as_deref(), Some("smaller"));
    }

    #[test]
    fn numbers_are_added() {
        let mut values = Values::default();
        assert_eq!(values.add(Scope::Bot, "n", 3), Ok(3));
        assert_eq!(values.add(Scope::Bot, "n", -5), Ok(-2));
        assert_eq!(values.get(Scope::Conversation, "n"), Ok(None));
        assert!(values.commit().is_empty());
        assert_eq!(values.kept(Scope::Bot, "n").as_deref(), Some("-2"));
        values.set(Scope::Bot, "n", "many").unwrap();
        assert_eq!(values.add(Scope::Bot, "n", 1), Err(Cause::NotANumber));
        values.set(Scope::Bot, "n", &i64::MAX.to_string()).unwrap();
        assert_eq!(values.add(Scope::Bot, "n", 1), Err(Cause::NotANumber));
    }
}
