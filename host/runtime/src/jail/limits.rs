//! What a compiling process may use.

use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use serde::{Deserialize, Serialize};

use crate::config::CompileLimits;

/// Descriptors of standard input, output and error: no other can be opened.
const DESCRIPTORS: u64 = 3;
/// What holds for every compilation: no core file, no file that is written, no
/// descriptor, no process and no thread besides the one that there is.
const FIXED: [(Resource, u64); 5] = [
    (Resource::Core, 0),
    (Resource::Fsize, 0),
    (Resource::Nofile, DESCRIPTORS),
    (Resource::Nproc, 0),
    (Resource::Memlock, 0),
];

/// The limits of one compilation.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(crate) struct JailLimits {
    memory_bytes: u64,
    cpu_seconds: u64,
}

impl JailLimits {
    /// Those of the operator.
    pub(crate) fn of(limits: &CompileLimits) -> Self {
        let &CompileLimits { memory_bytes, cpu_seconds, .. } = limits;
        Self { memory_bytes, cpu_seconds }
    }

    /// Sets them.
    pub(super) fn set(&self) -> anyhow::Result<String> {
        let Self { memory_bytes, cpu_seconds } = *self;
        lower(Resource::As, memory_bytes)?;
        // At the first limit comes a signal that nothing else sends; at the second one
        // the signal is that of a machine without memory.
        let second = getrlimit(Resource::Cpu).maximum.unwrap_or(u64::MAX).min(cpu_seconds + 1);
        let first = Some(cpu_seconds.min(second));
        setrlimit(Resource::Cpu, Rlimit { current: first, maximum: Some(second) })?;
        Ok(format!("{} MiB, {cpu_seconds} s of CPU", memory_bytes >> 20))
    }
}

/// Sets what holds for every compilation.
pub(super) fn fixed() -> anyhow::Result<String> {
    for (resource, value) in FIXED {
        lower(resource, value)?;
    }
    Ok("no files, no processes, no core".to_owned())
}

/// Lowers a limit for good. What is lower already stays.
fn lower(resource: Resource, value: u64) -> std::io::Result<()> {
    let value = getrlimit(resource).maximum.map_or(value, |now| now.min(value));
    setrlimit(resource, Rlimit { current: Some(value), maximum: Some(value) })?;
    Ok(())
}
