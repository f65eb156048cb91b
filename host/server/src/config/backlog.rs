//! How much unfinished work is taken.

use botyard_kernel::quota::Bounds;

use super::error::Wrong;
use super::section::Section;

const KIB: u64 = 1024;
const GIB: u64 = 1024 * 1024 * KIB;

/// How much unfinished work is taken; more is refused before it is accepted.
#[derive(Clone, Copy, Debug)]
pub struct Backlog {
    /// Of one tenant.
    pub tenant: Bounds,
    /// In all.
    pub host: Bounds,
}

impl Backlog {
    pub(super) fn read(mut section: Section<'_>) -> Result<Self, Wrong> {
        let backlog = Self {
            tenant: bounds(section.section("tenant")?)?,
            host: bounds(section.section("host")?)?,
        };
        section.finish()?;
        Ok(backlog)
    }
}

fn bounds(mut section: Section<'_>) -> Result<Bounds, Wrong> {
    let bounds = Bounds {
        requests: section.required("requests-max")?.size(1..=1_000_000, "requests")?,
        events: section.required("events-max")?.size(1..=1_000_000_000, "events")?,
        bytes: section.required("bytes-max")?.size(64 * KIB..=1024 * GIB, "bytes")?,
    };
    section.finish()?;
    Ok(bounds)
}
