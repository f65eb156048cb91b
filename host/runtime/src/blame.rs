//! From an error of the engine to who must act, in words that help them.

use botyard_kernel::limits::Bound;
use botyard_kernel::run::{Blame, FailureKind, RunFailure};
use wasmtime::{PoolConcurrencyLimitError, Trap, WasmBacktrace};
use wasmtime_wasi::I32Exit;

use crate::limits::{Refused, TurnLimits};
use crate::load_error::LoadError;

/// Functions that are quoted from a backtrace.
const FRAMES: usize = 8;
/// Beginnings of names that stand above every panic and say nothing.
const NOISE: [&str; 8] =
    ["std::", "core::", "alloc::", "__rust", "rust_", "__rustc", "abort", "<alloc::"];

/// A fault of the host within a host call. The bot cannot see it.
#[derive(Debug, thiserror::Error)]
#[error("{0}")]
pub(crate) struct HostFault(pub(crate) String);

/// The bot has used up its CPU time.
#[derive(Debug, thiserror::Error)]
#[error("the bot used more than {most} ms of CPU time ({0})", most = .0.most)]
pub(crate) struct CpuExceeded(pub(crate) Bound);

/// When an error came up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Phase {
    /// While the instance was made.
    Instantiate,
    /// While the bot handled the event.
    Handle,
}

/// What is known when a turn ends in an error.
pub(crate) struct Ending<'a> {
    pub(crate) phase: Phase,
    pub(crate) limits: &'a TurnLimits,
    pub(crate) refused: Option<Refused>,
    /// The end of the bot's standard error.
    pub(crate) tail: String,
}

impl Ending<'_> {
    /// Who must act on an error, and what they are told.
    pub(crate) fn judge(&self, error: &wasmtime::Error) -> RunFailure {
        if let Some(fault) = error.downcast_ref::<HostFault>() {
            return host(fault.to_string());
        }
        if error.is::<PoolConcurrencyLimitError>() {
            return host(format!("the pool of instances is exhausted: {error:#}"));
        }
        if error.is::<CpuExceeded>() {
            let spent = error.root_cause().to_string();
            return self.bot(FailureKind::Cpu, &spent, error);
        }
        if error.downcast_ref::<Trap>() == Some(&Trap::StackOverflow) {
            let kib = self.limits.tier.stack_bytes >> 10;
            let what = format!("the bot needs a deeper stack than {kib} KiB");
            return self.bot(FailureKind::Stack, &what, error);
        }
        if is_fuel_exhausted(error) {
            let kib = self.limits.tier.call_bytes >> 10;
            let what = format!("the bot handed more than {kib} KiB to the host in one call");
            return self.bot(FailureKind::Output, &what, error);
        }
        match self.refused {
            Some(Refused::Memory) => {
                let bound = self.limits.memory;
                let most = amount(bound.most);
                let what = format!("the bot needs more than {most} of memory ({bound})");
                self.bot(FailureKind::Memory, &what, error)
            }
            Some(Refused::Table) => {
                let elements = self.limits.tier.table_elements;
                let what = format!("the bot needs a table of more than {elements} elements");
                self.bot(FailureKind::Memory, &what, error)
            }
            None => self.other(error),
        }
    }

    /// Why a component of which no instance can be made is refused.
    pub(crate) fn refuse(&self, error: &wasmtime::Error) -> LoadError {
        if error.is::<PoolConcurrencyLimitError>() || error.is::<HostFault>() {
            return LoadError::Host(format!("{error:#}"));
        }
        let failure = self.judge(error);
        match failure.blame {
            Blame::Bot => LoadError::Start(failure.message),
            Blame::Tenant | Blame::Vendor | Blame::Host => {
                LoadError::WrongType(format!("{error:#}"))
            }
        }
    }

    fn other(&self, error: &wasmtime::Error) -> RunFailure {
        if let Some(exit) = error.downcast_ref::<I32Exit>() {
            let what = format!("the bot called exit({}); return from `handle` instead", exit.0);
            return self.bot(FailureKind::Trap, &what, error);
        }
        match (error.downcast_ref::<Trap>(), self.phase) {
            (Some(trap), _) => {
                self.bot(FailureKind::Trap, &format!("the bot trapped ({trap})"), error)
            }
            // What a host function refused to do for the bot, for example an empty `poll`.
            (None, Phase::Handle) => {
                let what = format!("the bot broke a rule ({})", error.root_cause());
                self.bot(FailureKind::Trap, &what, error)
            }
            (None, Phase::Instantiate) => host(format!("no instance could be made: {error:#}")),
        }
    }

    fn bot(&self, kind: FailureKind, what: &str, error: &wasmtime::Error) -> RunFailure {
        let mut message = what.to_owned();
        let functions = functions(error);
        if !functions.is_empty() {
            message.push_str(" in ");
            message.push_str(&functions.join(" < "));
        }
        if !self.tail.is_empty() {
            message.push_str("; it wrote: ");
            message.push_str(&self.tail);
        }
        RunFailure { blame: Blame::Bot, kind, message }
    }
}

/// A failure that the host must answer for.
pub(crate) fn host(message: String) -> RunFailure {
    RunFailure { blame: Blame::Host, kind: FailureKind::Internal, message }
}

/// Bytes in the largest unit that leaves no rest, of those that limits have.
fn amount(bytes: u64) -> String {
    match bytes {
        bytes if bytes.is_multiple_of(1 << 20) => format!("{} MiB", bytes >> 20),
        bytes => format!("{} KiB", bytes >> 10),
    }
}

/// wasmtime keeps the type of this error to itself.
fn is_fuel_exhausted(error: &wasmtime::Error) -> bool {
    error.chain().any(|cause| cause.to_string().contains("fuel allocated for hostcalls"))
}

/// The innermost functions of a backtrace, as their author wrote them.
fn functions(error: &wasmtime::Error) -> Vec<String> {
    let Some(backtrace) = error.downcast_ref::<WasmBacktrace>() else {
        return Vec::new();
    };
    let names = || {
        let frames = backtrace.frames().iter();
        frames
            .filter_map(|frame| frame.func_name())
            .map(|name| format!("{:#}", rustc_demangle::demangle(name)))
    };
    let own = |name: &String| !NOISE.iter().any(|noise| name.starts_with(noise));
    let chosen: Vec<String> = names().filter(own).take(FRAMES).collect();
    if chosen.is_empty() { names().take(FRAMES).collect() } else { chosen }
}
