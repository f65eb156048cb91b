//! Time as a number: the kernel has no clock, every `now` is an argument.

/// Milliseconds since 1970-01-01T00:00:00Z.
pub type Millis = u64;

/// A second, a minute, an hour and a day in [`Millis`].
pub const SECOND: Millis = 1_000;
/// A minute.
pub const MINUTE: Millis = 60 * SECOND;
/// An hour.
pub const HOUR: Millis = 60 * MINUTE;
/// A day.
pub const DAY: Millis = 24 * HOUR;
