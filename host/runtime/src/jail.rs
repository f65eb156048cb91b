//! The jail that a compiling process puts itself into, before it reads a byte
//! of its input: a component is a stranger's, and compilers have bugs. What is
//! left to it is its memory, its processor, its input and its output.
//!
//! It is the process itself that does this, because a parent could do it only
//! with `unsafe`. Whatever a kernel lacks is reported, never passed over, and
//! unless the operator has said otherwise nothing is compiled without it.
//!
//! What the jail does not bound is what comes out of it: the artefact is machine
//! code that the host maps and runs outside of any jail. A component that takes
//! the compiler over, by a bug in it or in its parsers, can hand out code of its own
//! in the place of what it was compiled to. The host signs what its own compiler says
//! and cannot check it. Who cannot live with that runs one host for each tenant.

mod calls;
mod limits;

use std::time::Duration;

use anyhow::Context as _;
use landlock::{
    ABI, Access as _, AccessFs, AccessNet, Ruleset, RulesetAttr as _, RulesetStatus, Scope,
};
use rustix::process::{Signal, set_parent_process_death_signal};
use rustix::thread::set_no_new_privs;
use serde::{Deserialize, Serialize};

pub(crate) use limits::JailLimits;

use crate::priority::Priority;

/// The lowest priority with which work still goes on: any bot takes its processor at once.
const PRIORITY: Priority = Priority { nice: 19, slice: Duration::from_millis(100) };
/// Where a process says how much it minds being ended for its memory.
const OOM_SCORE: &str = "/proc/self/oom_score_adj";
/// It minds least of all.
const OOM_FIRST: &str = "1000";
/// The newest rules on files and sockets that are asked for; a kernel that knows
/// only older ones enforces those.
const LANDLOCK: ABI = ABI::V7;

/// A part of the jail.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Part {
    /// No program that it starts could have more rights than it has.
    Privileges,
    /// It dies with the thread of the host that started it.
    Parent,
    /// Everybody else on the machine goes first.
    Priority,
    /// Where memory runs out, the kernel takes it before the host.
    Sacrifice,
    /// No file can be opened.
    Files,
    /// Memory, processor time, processes and files are counted.
    Limits,
    /// The kernel answers only the calls that a compilation makes.
    Calls,
}

impl Part {
    /// Every part, in the order in which they are entered.
    pub const ALL: [Self; 7] = [
        Self::Privileges,
        Self::Parent,
        Self::Priority,
        Self::Sacrifice,
        Self::Files,
        Self::Limits,
        Self::Calls,
    ];

    /// Its name in a report of safety features.
    pub fn name(self) -> &'static str {
        match self {
            Self::Privileges => "compile_jail_privileges",
            Self::Parent => "compile_jail_parent",
            Self::Priority => "compile_jail_priority",
            Self::Sacrifice => "compile_jail_sacrifice",
            Self::Files => "compile_jail_files",
            Self::Limits => "compile_jail_limits",
            Self::Calls => "compile_jail_calls",
        }
    }

    /// Puts this process behind this part alone, for good, and says what that does:
    /// what a part holds up shows only where no other part does.
    ///
    /// # Errors
    ///
    /// What the kernel lacks, and what to do.
    pub fn enter(self) -> anyhow::Result<String> {
        match self {
            Self::Privileges => {
                set_no_new_privs(true)?;
                Ok("no new rights can be had".to_owned())
            }
            Self::Parent => {
                set_parent_process_death_signal(Some(Signal::KILL))?;
                Ok("dies with the host".to_owned())
            }
            Self::Priority => {
                PRIORITY.take()?;
                Ok(format!("nice {}", PRIORITY.nice))
            }
            Self::Sacrifice => {
                std::fs::write(OOM_SCORE, OOM_FIRST)
                    .with_context(|| format!("cannot write {OOM_SCORE}: mount /proc"))?;
                Ok("the first to go where memory runs out".to_owned())
            }
            Self::Files => close_files(),
            Self::Limits => limits::fixed(),
            Self::Calls => calls::narrow(),
        }
    }
}

/// What became of a part.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct Bar {
    pub(crate) part: Part,
    pub(crate) active: bool,
    pub(crate) detail: String,
}

impl Bar {
    /// A part as it turned out: what it does, or why it does not.
    fn of<E: std::fmt::Display>(part: Part, done: Result<String, E>) -> Self {
        match done {
            Ok(detail) => Self { part, active: true, detail },
            Err(error) => Self { part, active: false, detail: error.to_string() },
        }
    }
}

/// What of the jail is missing, with the reasons; nothing where it is whole.
pub(crate) fn gaps(bars: &[Bar]) -> Option<String> {
    let gap = |part: Part| match bars.iter().find(|bar| bar.part == part) {
        Some(bar) if bar.active => None,
        Some(bar) => Some(format!("{} ({})", part.name(), bar.detail)),
        None => Some(format!("{} (the compiler does not know it)", part.name())),
    };
    let gaps: Vec<_> = Part::ALL.into_iter().filter_map(gap).collect();
    (!gaps.is_empty()).then(|| gaps.join(", "))
}

/// A jail whose door is still open by a gap: the limits of this compilation
/// come with its task.
pub(crate) struct Jail(Vec<Bar>);

impl Jail {
    /// Enters. From here on the process can open, start and reach nothing.
    pub(crate) fn enter() -> Self {
        Self(Part::ALL.map(|part| Bar::of(part, part.enter())).into())
    }

    /// Sets the limits of this compilation and closes the gap that this needed.
    pub(crate) fn close(self, limits: &JailLimits) -> Vec<Bar> {
        let Self(mut bars) = self;
        let set = limits.set();
        let closed = calls::close();
        for bar in bars.iter_mut().filter(|bar| bar.active) {
            let part = bar.part;
            let last = match part {
                Part::Limits => &set,
                Part::Calls => &closed,
                Part::Privileges
                | Part::Parent
                | Part::Priority
                | Part::Sacrifice
                | Part::Files => continue,
            };
            let last = last.as_ref().map(|detail| format!("{}; {detail}", bar.detail));
            *bar = Bar::of(part, last);
        }
        bars
    }
}

/// Takes away all files and, where the kernel can, sockets and the signals to
/// processes outside.
fn close_files() -> anyhow::Result<String> {
    let rules = Ruleset::default()
        .handle_access(AccessFs::from_all(LANDLOCK))?
        .handle_access(AccessNet::from_all(LANDLOCK))?
        .scope(Scope::from_all(LANDLOCK))?
        .create()?;
    match rules.restrict_self()?.ruleset {
        RulesetStatus::FullyEnforced => Ok("Landlock allows no file".to_owned()),
        RulesetStatus::PartiallyEnforced => {
            Ok("Landlock allows no file; this kernel knows not all of its rules".to_owned())
        }
        RulesetStatus::NotEnforced => {
            anyhow::bail!("the kernel lacks Landlock: use Linux 5.13 or newer with it switched on")
        }
    }
}
