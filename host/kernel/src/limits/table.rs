//! The table itself.

use serde::{Deserialize, Serialize};

use super::Change::{Fixed, Host, Tenant};
use super::Unit::{
    Bytes, BytesPerHour, Characters, Milliseconds, MillisecondsPerMinute, MillisecondsPerSecond,
    PerMinute, PerSecond, Percent, Pieces,
};
use super::{Row, Unit};
use crate::call::{CALL_BODY_BYTES_MAX, CALLS_MAX};
use crate::lane::{TURN_RATE, UNPROMPTED_RATE};
use crate::validate::{ACTIONS_MAX, ACTIONS_MAX_BYTES, CONTEXT_MAX_BYTES, TEXT_MAX_CHARACTERS};

const KIB: u64 = 1 << 10;
const MIB: u64 = 1 << 20;
const GIB: u64 = 1 << 30;

macro_rules! limits {
    ($($case:ident $name:literal $unit:ident $default:expr, $change:ident, $by:literal, $what:literal;)+) => {
        /// A limit of the host.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
        pub enum Limit {
            $(#[doc = $what] #[serde(rename = $name)] $case,)+
        }

        impl Limit {
            /// All of them, in the order in which they are shown.
            pub const ALL: &[Self] = &[$(Self::$case,)+];

            /// Its row of the table.
            pub const fn row(self) -> Row {
                match self {
                    $(Self::$case => row($name, $what, $unit, $default, $change, $by),)+
                }
            }
        }
    };
}

const fn row(
    name: &'static str,
    what: &'static str,
    unit: Unit,
    default: Option<u64>,
    change: super::Change,
    enforced_by: &'static str,
) -> Row {
    Row { name, what, unit, default, change, enforced_by }
}

// A default of `None` bounds nothing until somebody sets it.
limits! {
    NativeCpuMs "native.cpu-ms" Milliseconds Some(50), Host, "runtime",
        "CPU time of a turn of a Rust, C or Go bot.";
    NativeWallMs "native.wall-ms" Milliseconds Some(2_000), Host, "runtime",
        "Wall time of such a turn without calls.";
    NativeWallWithCallsMs "native.wall-with-calls-ms" Milliseconds Some(10_000), Host, "runtime",
        "Wall time of such a turn with calls.";
    NativeMemoryBytes "native.memory-bytes" Bytes Some(32 * MIB), Host, "runtime",
        "Memory of such a bot, over all its memories.";
    NativeTableElements "native.table-elements" Pieces Some(20_000), Host, "runtime",
        "Elements of a table of such a bot.";
    NativeStackBytes "native.stack-bytes" Bytes Some(256 * KIB), Host, "runtime",
        "Stack of such a bot's own functions.";
    NativeComponentBytes "native.component-bytes" Bytes Some(8 * MIB), Host, "runtime",
        "Size of such a component.";
    InterpretedCpuMs "interpreted.cpu-ms" Milliseconds Some(150), Host, "runtime",
        "CPU time of a turn of a JavaScript or Python bot.";
    InterpretedWallMs "interpreted.wall-ms" Milliseconds Some(2_000), Host, "runtime",
        "Wall time of such a turn without calls.";
    InterpretedWallWithCallsMs "interpreted.wall-with-calls-ms" Milliseconds Some(10_000), Host, "runtime",
        "Wall time of such a turn with calls.";
    InterpretedMemoryBytes "interpreted.memory-bytes" Bytes Some(128 * MIB), Host, "runtime",
        "Memory of such a bot, over all its memories.";
    InterpretedTableElements "interpreted.table-elements" Pieces Some(100_000), Host, "runtime",
        "Elements of a table of such a bot.";
    InterpretedStackBytes "interpreted.stack-bytes" Bytes Some(MIB), Host, "runtime",
        "Stack of such a bot's own functions.";
    InterpretedComponentBytes "interpreted.component-bytes" Bytes Some(32 * MIB), Host, "runtime",
        "Size of such a component.";
    TurnActions "turn.actions" Pieces Some(ACTIONS_MAX as u64), Fixed, "kernel::validate",
        "Actions of a turn.";
    TurnResultBytes "turn.result-bytes" Bytes Some(ACTIONS_MAX_BYTES as u64), Fixed, "kernel::validate",
        "The actions of a turn together, as canonical JSON.";
    TurnTextCharacters "turn.text-characters" Characters Some(TEXT_MAX_CHARACTERS as u64), Fixed, "kernel::validate",
        "A text of an action; the medium may carry less.";
    TurnContextBytes "turn.context-bytes" Bytes Some(CONTEXT_MAX_BYTES as u64), Fixed, "kernel::validate",
        "The context of a session, as compact JSON.";
    TurnLogBytes "turn.log-bytes" Bytes Some(16 * KIB), Host, "runtime",
        "What a bot writes into its log in a turn, with 32 bytes for each line besides its words; the rest is cut.";
    TurnCalls "turn.calls" Pieces Some(CALLS_MAX as u64), Fixed, "runtime",
        "Calls to web services within a turn.";
    CallBodyBytes "call.body-bytes" Bytes Some(CALL_BODY_BYTES_MAX as u64), Fixed, "kernel::call",
        "The body of such a call, and of its answer.";
    ConversationValuesBytes "conversation.values-bytes" Bytes Some(64 * KIB), Fixed, "runtime",
        "A conversation's own values.";
    ConversationTurnsPerMinute "conversation.turns-per-minute" PerMinute Some(TURN_RATE.calls as u64), Fixed, "kernel::lane",
        "Turns of a conversation; more of them wait.";
    ConversationUnpromptedPerMinute "conversation.unprompted-per-minute" PerMinute Some(UNPROMPTED_RATE.calls as u64), Fixed, "kernel::lane",
        "Turns of a conversation that no person caused; more of them wait.";
    TrialEvents "trial.events" Pieces Some(20), Fixed, "server",
        "Events that a version is tried with at a time.";
    BotValuesBytes "bot.values-bytes" Bytes Some(16 * MIB), Fixed, "store",
        "A bot's own values.";
    RequestBytes "request.bytes" Bytes Some(MIB), Host, "server",
        "The body of a webhook or signal.";
    ApiBodyBytes "api.body-bytes" Bytes Some(MIB), Fixed, "server",
        "The body of a request to the management API, but for components.";
    HostUploads "host.uploads" Pieces Some(16), Fixed, "server",
        "Components that come in at once, of all tenants.";
    HostCompilations "host.compilations" Pieces Some(64), Fixed, "server",
        "Components that are compiled or wait for it, of all tenants.";
    HostCompiledAtOnce "host.compiled-at-once" Pieces Some(1), Host, "runtime",
        "Components that are compiled at the same time, of all tenants.";
    HostFollowedLogs "host.followed-logs" Pieces Some(256), Fixed, "server",
        "Logs that are followed live, by all tenants.";
    UploadsAtOnce "uploads-at-once" Pieces Some(2), Fixed, "server",
        "A tenant's components that come in at once.";
    CompilationsAtOnce "compilations-at-once" Pieces Some(2), Fixed, "server",
        "A tenant's components that are compiled or wait for it.";
    FollowedLogs "followed-logs" Pieces Some(16), Fixed, "server",
        "A tenant's logs that are followed live.";
    OperationsAtOnce "operations-at-once" Pieces Some(8), Fixed, "server",
        "A tenant's operations that are under way: uploads that nobody waits for, erasures and the like.";
    BacklogRequests "backlog.requests" Pieces Some(1_024), Tenant, "kernel::quota",
        "A tenant's requests that have no answer yet.";
    BacklogEvents "backlog.events" Pieces Some(100_000), Tenant, "kernel::quota",
        "A tenant's events that wait for their turns.";
    BacklogBytes "backlog.bytes" Bytes Some(64 * MIB), Tenant, "kernel::quota",
        "What both take in memory.";
    EventsPerSecond "events-per-second" PerSecond None, Tenant, "kernel::quota",
        "A tenant's events; more of them are refused and come again.";
    TurnsPerSecond "turns-per-second" PerSecond None, Tenant, "kernel::share",
        "A tenant's turns that begin; more of them wait.";
    CpuMsPerSecond "cpu-ms-per-second" MillisecondsPerSecond None, Tenant, "kernel::share",
        "CPU time of a tenant's bots; more turns wait.";
    TrialCpuMsPerMinute "trial-cpu-ms-per-minute" MillisecondsPerMinute Some(12_000), Tenant, "kernel::quota",
        "CPU time of a tenant's trials; more of them are refused.";
    TurnCpuMs "turn-cpu-ms" Milliseconds None, Tenant, "runtime",
        "CPU time of a turn of a tenant's bots, where that is less than what their kind has.";
    TurnWallMs "turn-wall-ms" Milliseconds None, Tenant, "runtime",
        "Wall time of such a turn, with calls and without, where that is less.";
    TurnMemoryBytes "turn-memory-bytes" Bytes None, Tenant, "runtime",
        "Memory of a tenant's bot in a turn, over all its memories, where that is less than what its kind has.";
    TurnsAtOnce "turns-at-once" Pieces None, Tenant, "kernel::share",
        "A tenant's turns that run at once, of native and of interpreted bots apart; more of them wait.";
    RunningTurnsPercent "running-turns-percent" Percent Some(25), Fixed, "kernel::share",
        "A tenant's part of all turns that run at once, while others wait.";
    CallsPerMinute "calls-per-minute" PerMinute Some(6_000), Tenant, "kernel::quota",
        "Calls to web services of a tenant's bots, within turns and after them.";
    CallsAtOnce "calls-at-once" Pieces Some(256), Tenant, "kernel::share",
        "A tenant's calls that are open at once, of vendors and of bots apart; more of them wait, within a turn as long as it may.";
    LogBytesPerHour "log-bytes-per-hour" BytesPerHour Some(256 * MIB), Tenant, "kernel::quota",
        "What a tenant's bots write into their logs; the rest is not kept.";
    StorageBytes "storage-bytes" Bytes Some(10 * GIB), Tenant, "kernel::limits",
        "What a tenant keeps: components, conversations, values of bots, records and the like.";
    Bots "bots" Pieces Some(100), Tenant, "kernel::limits",
        "A tenant's bots.";
    Components "components" Pieces Some(1_000), Tenant, "kernel::limits",
        "A tenant's uploaded versions.";
    Channels "channels" Pieces Some(100), Tenant, "kernel::limits",
        "A tenant's channels.";
    Relays "relays" Pieces Some(100), Tenant, "kernel::limits",
        "A tenant's external bots.";
    Secrets "secrets" Pieces Some(1_000), Tenant, "kernel::limits",
        "A tenant's secrets.";
    SecretBytes "secret.bytes" Bytes Some(64 * KIB), Fixed, "server",
        "A secret.";
    Tokens "tokens" Pieces Some(100), Tenant, "kernel::limits",
        "A tenant's tokens.";
    IdempotencyKeys "idempotency-keys" Pieces Some(10_000), Tenant, "server",
        "A tenant's idempotency keys of the last day.";
    IdempotencyBytes "idempotency-bytes" Bytes Some(64 * MIB), Tenant, "server",
        "The answers that are kept for them.";
}
