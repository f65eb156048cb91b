//! `kv`: values that outlive a session. Writes are staged and become part of
//! the turn.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use botyard_kernel::json;
use botyard_kernel::limits::Limit;
use botyard_kernel::log::Call;
use botyard_kernel::run::{KvChange, KvScope, KvWrite};

use crate::bindings::v1::kv::{Error, Host, Scope};
use crate::blame::HostFault;
use crate::services::BotValues;
use crate::turn::Turn;

/// The longest key, in bytes.
const KEY_BYTES: usize = 256;
/// The longest value, in bytes.
const VALUE_BYTES: usize = 64 << 10;
/// All keys and values of a conversation together, in bytes.
const CONVERSATION_BYTES: usize = Limit::ConversationValuesBytes.preset_size();
/// All keys and values that one turn may write, in bytes: they are stored with it.
const WRITE_BYTES: usize = 256 << 10;
/// Writes of one turn.
const WRITES: usize = 1_000;
/// Different keys of the bot's scope that one turn may read.
const READS: usize = 1_000;
/// How long a read of the bot's scope may take.
const READ_TIMEOUT: Duration = Duration::from_secs(1);

/// The values as this turn sees them, and what it has written.
pub(crate) struct TurnKv {
    conversation: BTreeMap<String, String>,
    conversation_bytes: usize,
    /// What was read or written; absent values are remembered as such.
    bot: BTreeMap<String, Option<String>>,
    /// What was read of the store since the last http call.
    reads: BTreeMap<String, Option<String>>,
    values: Arc<dyn BotValues>,
    writes: Vec<KvWrite>,
    write_bytes: usize,
}

impl TurnKv {
    /// Starts from the conversation's values and a source of the bot's. What
    /// earlier runs read before their calls is read as it was then.
    pub(crate) fn new(
        conversation: BTreeMap<String, String>,
        values: Arc<dyn BotValues>,
        recorded: &[Call],
    ) -> Self {
        let conversation_bytes =
            conversation.iter().map(|(key, value)| key.len() + value.len()).sum();
        Self {
            conversation,
            conversation_bytes,
            bot: recorded.iter().flat_map(|call| call.journal.reads.clone()).collect(),
            reads: BTreeMap::new(),
            values,
            writes: Vec::new(),
            write_bytes: 0,
        }
    }

    /// Takes the writes, in order.
    pub(crate) fn take_writes(&mut self) -> Vec<KvWrite> {
        std::mem::take(&mut self.writes)
    }

    /// How large [`Self::take_reads`] is when it is written down, in bytes.
    pub(crate) fn reads_bytes(&self) -> usize {
        json::bytes(&self.reads)
    }

    /// Takes what was read of the bot's values since the last time.
    pub(crate) fn take_reads(&mut self) -> BTreeMap<String, Option<String>> {
        std::mem::take(&mut self.reads)
    }

    async fn get(&mut self, scope: KvScope, key: &str) -> Answer<Option<String>> {
        check_key(key)?;
        match scope {
            KvScope::Conversation => Ok(self.conversation.get(key).cloned()),
            KvScope::Bot => self.get_of_bot(key).await,
        }
    }

    async fn get_of_bot(&mut self, key: &str) -> Answer<Option<String>> {
        if let Some(known) = self.bot.get(key) {
            return Ok(known.clone());
        }
        if self.bot.len() >= READS {
            return Err(refused(format!("more than {READS} keys of the bot in one turn")));
        }
        let read = tokio::time::timeout(READ_TIMEOUT, self.values.get(key)).await;
        let value = match read {
            Ok(Ok(value)) => value,
            Ok(Err(error)) => {
                return Err(fault(format!("the bot's values cannot be read: {error:#}")));
            }
            Err(_) => {
                return Err(fault("reading one of the bot's values took too long".to_owned()));
            }
        };
        self.bot.insert(key.to_owned(), value.clone());
        self.reads.insert(key.to_owned(), value.clone());
        Ok(value)
    }

    fn set(&mut self, scope: KvScope, key: String, value: String) -> Answer<()> {
        check_key(&key)?;
        if value.len() > VALUE_BYTES {
            return Err(Error::ValueTooLarge.into());
        }
        self.put(scope, key, Some(value.clone()), KvChange::Set(value))
    }

    fn delete(&mut self, scope: KvScope, key: String) -> Answer<()> {
        check_key(&key)?;
        self.put(scope, key, None, KvChange::Delete)
    }

    async fn add(&mut self, scope: KvScope, key: String, delta: i64) -> Answer<i64> {
        let before = match self.get(scope, &key).await? {
            Some(text) => text.parse().map_err(|_| Error::NotANumber)?,
            None => 0_i64,
        };
        let sum = before.checked_add(delta).ok_or(Error::NotANumber)?;
        self.put(scope, key, Some(sum.to_string()), KvChange::Add(delta))?;
        Ok(sum)
    }

    /// Stages a write and lets this turn see its result.
    fn put(
        &mut self,
        scope: KvScope,
        key: String,
        value: Option<String>,
        change: KvChange,
    ) -> Answer<()> {
        let bytes = key.len() + value.as_ref().map_or(0, String::len);
        if self.writes.len() >= WRITES || self.write_bytes + bytes > WRITE_BYTES {
            let kib = WRITE_BYTES >> 10;
            return Err(refused(format!(
                "more than {WRITES} writes or {kib} KiB of them in one turn"
            )));
        }
        match scope {
            KvScope::Conversation => self.put_in_conversation(&key, value)?,
            KvScope::Bot => {
                self.bot.insert(key.clone(), value);
            }
        }
        self.write_bytes += bytes;
        self.writes.push(KvWrite { scope, key, change });
        Ok(())
    }

    fn put_in_conversation(&mut self, key: &str, value: Option<String>) -> Answer<()> {
        let old = self.conversation.get(key).map_or(0, |old| key.len() + old.len());
        let new = value.as_ref().map_or(0, |new| key.len() + new.len());
        let total = self.conversation_bytes - old + new;
        if new > old && total > CONVERSATION_BYTES {
            return Err(Error::QuotaExceeded.into());
        }
        self.conversation_bytes = total;
        match value {
            Some(value) => self.conversation.insert(key.to_owned(), value),
            None => self.conversation.remove(key),
        };
        Ok(())
    }
}

/// A result for the bot, or a fault that ends the turn.
type Answer<T> = Result<T, Problem>;

enum Problem {
    /// The bot can see it and go on.
    Bot(Error),
    /// The host failed.
    Host(HostFault),
}

impl From<Error> for Problem {
    fn from(error: Error) -> Self {
        Self::Bot(error)
    }
}

fn fault(message: String) -> Problem {
    Problem::Host(HostFault(message))
}

fn refused(message: String) -> Problem {
    Problem::Bot(Error::Other(message))
}

fn check_key(key: &str) -> Answer<()> {
    match key.len() {
        1..=KEY_BYTES => Ok(()),
        _ => Err(Error::InvalidKey.into()),
    }
}

/// What the bot gets, where a fault of the host is a trap.
fn answer<T>(result: Answer<T>) -> wasmtime::Result<Result<T, Error>> {
    match result {
        Ok(value) => Ok(Ok(value)),
        Err(Problem::Bot(error)) => Ok(Err(error)),
        Err(Problem::Host(fault)) => Err(wasmtime::Error::new(fault)),
    }
}

impl Host for Turn {
    async fn get(
        &mut self,
        scope: Scope,
        key: String,
    ) -> wasmtime::Result<Result<Option<String>, Error>> {
        answer(self.kv.get(scope.into(), &key).await)
    }

    async fn set(
        &mut self,
        scope: Scope,
        key: String,
        value: String,
    ) -> wasmtime::Result<Result<(), Error>> {
        answer(self.kv.set(scope.into(), key, value))
    }

    async fn delete(&mut self, scope: Scope, key: String) -> wasmtime::Result<Result<(), Error>> {
        answer(self.kv.delete(scope.into(), key))
    }

    async fn add(
        &mut self,
        scope: Scope,
        key: String,
        delta: i64,
    ) -> wasmtime::Result<Result<i64, Error>> {
        answer(self.kv.add(scope.into(), key, delta).await)
    }
}

impl From<Scope> for KvScope {
    fn from(scope: Scope) -> Self {
        match scope {
            Scope::Conversation => Self::Conversation,
            Scope::Bot => Self::Bot,
        }
    }
}
