//! Headers that a call gets at the door.

use std::fmt;
use std::sync::Arc;

use http::{HeaderMap, HeaderName, HeaderValue};
use url::Url;

use super::HostPattern;

/// Headers that are added at the door to the calls of a bot: it never sees them,
/// and nothing of them is recorded. Cheap to clone.
#[derive(Clone, Default)]
pub struct SecretHeaders(Arc<[(HostPattern, Headers)]>);

/// Headers with their values.
type Headers = Vec<(HeaderName, HeaderValue)>;

impl SecretHeaders {
    /// Headers by the hosts that get them.
    pub fn new(hosts: impl IntoIterator<Item = (HostPattern, Headers)>) -> Self {
        Self(hosts.into_iter().collect())
    }

    /// What the host of an address gets, besides or instead of these headers.
    pub(super) fn added(&self, url: &Url, headers: &HeaderMap) -> HeaderMap {
        let mut headers = headers.clone();
        for (_, secrets) in self.0.iter().filter(|(host, _)| host.matches(url)) {
            for (name, value) in secrets {
                headers.insert(name.clone(), value.clone());
            }
        }
        headers
    }
}

impl fmt::Debug for SecretHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.0.iter().map(|(host, _)| host)).finish()
    }
}
