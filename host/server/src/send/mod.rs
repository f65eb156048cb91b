//! The one door for everything that leaves this host.
//!
//! Only https, only to hosts on a list, only to public addresses, each name
//! resolved once and connected to what was checked. Redirects are followed by
//! hand, each hop under the same rules. No proxies, no cookies, no
//! decompression. Failures tell apart what never left from what may have
//! arrived, because only the former can be repeated without a thought.

pub use self::address::{is_loopback, is_public};
pub use self::door::{Door, is_reserved};
pub use self::message::{Answer, Outgoing, SendError};
pub use self::secrets::SecretHeaders;

/// Which hosts may be reached: read, kept and compared in the kernel's form.
pub use botyard_kernel::grants::Pattern as HostPattern;

mod address;
mod door;
#[cfg(test)]
mod forbidden;
mod message;
#[cfg(test)]
mod rebinding;
mod resolve;
mod secrets;
#[cfg(test)]
mod tests;
mod tracked;
