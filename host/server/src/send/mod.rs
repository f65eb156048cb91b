//! The one door for everything that leaves this host.

pub use self::pattern::HostPattern;

mod pattern;
