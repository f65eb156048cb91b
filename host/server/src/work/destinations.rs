//! Where calls go, as all conversations together know it.

use std::collections::HashMap;
use std::fmt;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard, PoisonError};

use botyard_kernel::breaker::Change;
use botyard_kernel::destination::{Admission, Destination, Ended, Purpose};
use botyard_kernel::id::{ChannelId, TenantId};
use botyard_kernel::profile::Rate;
use botyard_kernel::run::Blame;
use botyard_kernel::time::Millis;
use metrics::counter;

use super::Work;
use crate::alerts::{Alert, AlertKind};
use crate::registry::Channel;
use crate::send::{Answer, SendError};

/// At most so many failing destinations that bots have named are remembered.
const NAMED_MAX: usize = 4_096;

/// Destinations by what names them: a channel, or a host that bots call.
#[derive(Debug)]
pub(super) struct Destinations<K> {
    what: &'static str,
    known: Mutex<HashMap<K, Destination>>,
}

impl<K: Eq + Hash + Clone + fmt::Display> Destinations<K> {
    pub(super) fn new(what: &'static str) -> Self {
        Self { what, known: Mutex::default() }
    }

    /// Whether a call may leave now; see [`Destination::admit`].
    pub(super) fn admit(
        &self,
        key: &K,
        rate: Option<Rate>,
        ticket: Option<Millis>,
        now: Millis,
    ) -> Admission {
        self.with(key, rate, |destination| destination.admit(ticket, now))
    }

    /// As [`Destinations::admit`], where nothing is remembered of a destination that
    /// has not failed: what bots name must not fill the memory.
    pub(super) fn admit_named(&self, key: &K, now: Millis) -> Admission {
        self.known().get_mut(key).map_or(Admission::Go, |destination| destination.admit(None, now))
    }

    /// The end of a call that [`Destinations::admit_named`] let through.
    pub(super) fn ended_named(&self, key: &K, ended: Ended, now: Millis) -> Option<Change> {
        let mut known = self.known();
        if !known.contains_key(key) && (ended != Ended::Failed || known.len() >= NAMED_MAX) {
            return None;
        }
        let destination = known.entry(key.clone()).or_insert_with(|| Destination::new(None));
        let change = destination.ended(ended, now);
        if ended != Ended::Failed && destination.open_since().is_none() {
            known.remove(key);
        }
        drop(known);
        self.told(key, change)
    }

    /// A call ended. What that changed is in the log already.
    pub(super) fn ended(
        &self,
        key: &K,
        rate: Option<Rate>,
        ended: Ended,
        now: Millis,
    ) -> Option<Change> {
        let change = self.with(key, rate, |destination| destination.ended(ended, now));
        self.told(key, change)
    }

    fn told(&self, key: &K, change: Option<Change>) -> Option<Change> {
        let what = self.what;
        match change {
            Some(Change::Tripped { failures }) => {
                counter!("botyard_breaker_trips_total", "what" => what).increment(1);
                tracing::error!(
                    destination = %key, what, failures,
                    "calls fail: {what} {key} is left alone but for probes"
                );
            }
            Some(Change::Closed { after_ms }) => {
                tracing::info!(destination = %key, what, after_ms, "{what} {key} answers again");
            }
            None => {}
        }
        change
    }

    /// Destinations that are left alone, with the time since when.
    pub(super) fn open(&self) -> Vec<(K, Millis)> {
        self.known().iter().filter_map(|(key, it)| Some((key.clone(), it.open_since()?))).collect()
    }

    fn with<T>(&self, key: &K, rate: Option<Rate>, act: impl FnOnce(&mut Destination) -> T) -> T {
        act(self.known().entry(key.clone()).or_insert_with(|| Destination::new(rate)))
    }

    fn known(&self) -> MutexGuard<'_, HashMap<K, Destination>> {
        self.known.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A service of a vendor, for an account there: by the first channel that has it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct VendorService {
    account: ChannelId,
    service: Purpose,
}

impl VendorService {
    /// Where calls of a channel go for this, and what the vendor states of their rate.
    pub(super) fn of(channel: &Channel, purpose: Purpose) -> (Self, Option<Rate>) {
        let setup = channel.setup();
        let delivery = &setup.rules.delivery;
        let service = delivery.service(purpose);
        (Self { account: setup.account.clone(), service }, delivery.service_rate(service))
    }
}

impl fmt::Display for VendorService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { account, service } = self;
        match service {
            Purpose::Delivery => write!(f, "{account}"),
            Purpose::Acknowledgement => write!(f, "{account} (acknowledgements)"),
        }
    }
}

/// Which destination an alert is about.
pub(super) enum Of<'a> {
    /// The vendor of a channel.
    Vendor(&'a Channel),
    /// A web service that a tenant's bots call, by its host.
    Service(&'a TenantId, &'a str),
}

impl Work {
    /// Tells whoever wants to hear that a destination fails or answers again.
    pub(super) fn alert_of(&self, of: &Of<'_>, change: Option<Change>, now: Millis) {
        let Some(change) = change else { return };
        let (tenant, channel, service, blame) = match of {
            Of::Vendor(channel) => {
                (Some(channel.tenant.clone()), Some(channel.id.clone()), None, Blame::Vendor)
            }
            Of::Service(tenant, host) => {
                (Some((*tenant).clone()), None, Some((*host).to_owned()), Blame::Tenant)
            }
        };
        let (kind, failures, what_to_do) = match change {
            Change::Tripped { failures } => (
                AlertKind::DestinationSuspended,
                Some(failures),
                "see whether it is down or the settings are out of date; what waits is sent \
                 when it answers, or given up when it is too old",
            ),
            Change::Closed { .. } => {
                (AlertKind::DestinationAnswers, None, "nothing: what waits is sent now")
            }
        };
        let (bot, version, since_ms) = (None, None, now);
        self.alerts.raise(&Alert {
            kind,
            tenant,
            bot,
            version,
            channel,
            service,
            blame,
            since_ms,
            failures,
            what_to_do,
        });
    }
}

/// What the end of a call says of its destination: nothing where our own rules
/// forbade it. `too_many` says what follows where an answer says "too many".
pub(super) fn ended(
    sent: &Result<Answer, SendError>,
    too_many: impl FnOnce(&Answer) -> Option<Ended>,
) -> Option<Ended> {
    match sent {
        Ok(answer) => {
            let failed = answer.status.is_server_error();
            let ended = if failed { Ended::Failed } else { Ended::Answered };
            Some(too_many(answer).unwrap_or(ended))
        }
        Err(SendError::Denied(_)) => None,
        Err(SendError::NotSent(_) | SendError::Lost(_)) => Some(Ended::Failed),
    }
}

/// As [`ended`], of a question that asks what became of a part. Where nobody answers it,
/// that says nothing of deliveries: it is asked again and again, in the same line as
/// theirs, and must not close that.
pub(super) fn question_ended(
    sent: &Result<Answer, SendError>,
    too_many: impl FnOnce(&Answer) -> Option<Ended>,
) -> Option<Ended> {
    ended(sent, too_many).filter(|ended| *ended != Ended::Failed)
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use http::{HeaderMap, StatusCode};

    use super::*;

    #[test]
    fn a_question_that_nobody_answers_says_nothing_of_deliveries() {
        let answered = |status| {
            Ok(Answer { status, headers: HeaderMap::new(), body: Bytes::new(), truncated: false })
        };
        let limited = || Some(Ended::Limited { after_ms: None });
        let failed = Some(Ended::Failed);
        for (sent, too_many, call, question) in [
            (answered(StatusCode::OK), None, Some(Ended::Answered), Some(Ended::Answered)),
            (answered(StatusCode::NOT_FOUND), None, Some(Ended::Answered), Some(Ended::Answered)),
            (answered(StatusCode::TOO_MANY_REQUESTS), limited(), limited(), limited()),
            (answered(StatusCode::BAD_GATEWAY), None, failed, None),
            (Err(SendError::NotSent(String::new())), None, failed, None),
            (Err(SendError::Lost(String::new())), None, failed, None),
            (Err(SendError::Denied(String::new())), None, None, None),
        ] {
            assert_eq!(ended(&sent, |_| too_many), call);
            assert_eq!(question_ended(&sent, |_| too_many), question);
        }
    }
}
