//! How calls go out.

use std::time::Duration;

use super::error::Wrong;
use super::section::Section;
use crate::send::HostPattern;

const KIB: u64 = 1024;
const MIB: u64 = 1024 * KIB;

/// How calls go out.
#[derive(Clone, Debug)]
pub struct Egress {
    /// Calls to this machine are allowed, over http too.
    pub allow_loopback: bool,
    /// Hosts that every tenant may reach.
    pub allow_hosts: Vec<HostPattern>,
    /// The most that a call may take in all.
    pub timeout: Duration,
    /// The most that is read of an answer.
    pub answer_bytes_max: usize,
}

impl Egress {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let egress = Self {
            allow_loopback: section.required("allow-loopback")?.flag()?,
            allow_hosts: section
                .required("allow-hosts")?
                .list(HostPattern::EXPECTED, HostPattern::read)?,
            timeout: section.required("timeout-ms")?.millis(100..=600_000)?,
            answer_bytes_max: section
                .required("answer-bytes-max")?
                .size(KIB..=64 * MIB, "bytes")?,
        };
        section.finish()?;
        Ok(egress)
    }
}
