//! Names to addresses that may be reached, once for each connection.
//!
//! The addresses that are checked here are the very ones that the connection
//! goes to, so a name server that answers differently the next time gains
//! nothing.

use std::net::{IpAddr, SocketAddr};

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use super::address::{is_loopback, is_public};

/// A name of this machine, whatever a name server says.
pub(super) const LOCALHOST: &str = "localhost";

/// An address or a name is refused: nothing was sent to it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Refused(pub(super) String);

/// Which addresses may be reached.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// This machine too.
    pub(super) allow_loopback: bool,
}

impl Rules {
    /// Whether an address may be reached.
    pub(super) fn allow(self, address: IpAddr) -> bool {
        is_public(address) || (self.allow_loopback && is_loopback(address))
    }

    /// All addresses of a name, or none: a name that mixes them is up to something.
    fn check(self, name: &str, addresses: Vec<SocketAddr>) -> Result<Vec<SocketAddr>, Refused> {
        // The rules allow http to this name only because it is this machine.
        let local = name == LOCALHOST;
        let allowed = |address: &SocketAddr| {
            self.allow(address.ip()) && (!local || is_loopback(address.ip()))
        };
        if addresses.iter().all(allowed) {
            return Ok(addresses);
        }
        // The address itself is not told: bots would learn of inner networks.
        Err(Refused(format!(
            "`{name}` has an address that is not public; calls go to public addresses only, and \
             to this machine where the operator sets `egress.allow-loopback`"
        )))
    }
}

/// Asks whoever knows the names, then the rules.
pub(super) struct Resolver {
    pub(super) rules: Rules,
    pub(super) names: Names,
}

/// What the system says.
async fn addresses_by_system(name: &str) -> std::io::Result<Vec<SocketAddr>> {
    Ok(tokio::net::lookup_host((name, 0)).await?.collect())
}

/// What a test says to a name.
#[cfg(test)]
type Script = dyn Fn(&str) -> Vec<SocketAddr> + Send + Sync;

/// Who knows the addresses of names.
#[derive(Clone)]
pub(super) enum Names {
    /// The system, by its own settings.
    System,
    /// A name server that answers as a test says, each time anew.
    #[cfg(test)]
    Scripted(std::sync::Arc<Script>),
}

impl Names {
    async fn addresses(&self, name: &str) -> std::io::Result<Vec<SocketAddr>> {
        match self {
            Self::System => addresses_by_system(name).await,
            #[cfg(test)]
            Self::Scripted(answer) => Ok(answer(name)),
        }
    }
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let (rules, names) = (self.rules, self.names.clone());
        Box::pin(async move {
            let found = names.addresses(name.as_str()).await?;
            let checked = rules.check(name.as_str(), found)?;
            Ok(Box::new(checked.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(name: &str, addresses: &[&str], allow_loopback: bool) -> bool {
        let all = addresses.iter().map(|ip| SocketAddr::new(ip.parse().unwrap(), 0)).collect();
        let count = addresses.len();
        let checked = Rules { allow_loopback }.check(name, all);
        checked.is_ok_and(|checked| checked.len() == count)
    }

    #[test]
    fn one_bad_address_spoils_a_name() {
        for (addresses, strict, with_loopback) in [
            (&["8.8.8.8"][..], true, true),
            (&["8.8.8.8", "2606:4700::1"], true, true),
            (&["8.8.8.8", "10.0.0.1"], false, false),
            (&["8.8.8.8", "127.0.0.1"], false, true),
            (&["127.0.0.1", "::1"], false, true),
            (&["::ffff:127.0.0.1"], false, true),
            (&["0.0.0.0"], false, false),
            (&["169.254.169.254"], false, false),
        ] {
            assert_eq!(check("a.example", addresses, false), strict, "{addresses:?}");
            assert_eq!(check("a.example", addresses, true), with_loopback, "{addresses:?}");
        }
    }

    #[test]
    fn localhost_is_this_machine_or_nothing() {
        assert!(check("localhost", &["127.0.0.1", "::1"], true));
        assert!(!check("localhost", &["8.8.8.8"], true));
        assert!(!check("localhost", &["8.8.8.8"], false));
    }

    #[test]
    fn a_refusal_names_no_address() {
        let inner = vec![SocketAddr::new("10.1.2.3".parse().unwrap(), 0)];
        let Refused(why) = Rules { allow_loopback: false }.check("a.example", inner).unwrap_err();
        assert!(why.contains("a.example") && !why.contains("10.1"), "{why}");
    }
}
