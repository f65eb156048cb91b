//! Web services that bots call: one that does not answer anybody is not asked by
//! everybody.

use std::time::Duration;

use botyard_kernel::destination::{Admission, Ended};
use botyard_kernel::id::{BotId, TenantId};
use botyard_kernel::limits::Exceeded;
use botyard_kernel::outbox::Requested;
use botyard_kernel::time::{Millis, SECOND};
use botyard_kernel::usage::Usage;
use tokio::time::Instant;

use super::Work;
use super::destinations::{self, Of};
use crate::clock;
use crate::send::{Answer, Outgoing, SendError};

/// Who waits no longer than this says little of a service that has not answered yet.
const SLOW_AFTER: Duration = Duration::from_secs(2);

/// What came of a call.
pub(super) enum Reached {
    /// It was made.
    Sent(Result<Answer, SendError>),
    /// It was made, and whoever asked could not wait for its end.
    TimedOut,
    /// It was not made: the service has not answered of late, and is left alone until
    /// then.
    LeftAlone { host: String, until_ms: Millis },
    /// It was not made: the tenant has made too many, or has too many under way.
    Exceeded(Exceeded),
}

/// The call of a `request`: how it ended, or until when it is held.
pub(super) async fn request(
    work: &Work,
    caller: (&TenantId, &BotId),
    outgoing: Outgoing,
) -> Result<Result<Answer, SendError>, Requested> {
    match call(work, caller, outgoing, None).await {
        Reached::Sent(sent) => Ok(sent),
        Reached::LeftAlone { host, until_ms } => {
            tracing::debug!(%host, "a request waits: the service has not answered of late");
            Err(Requested::Held { until_ms })
        }
        Reached::TimedOut => Err(Requested::Unanswered("it took too long".to_owned())),
        Reached::Exceeded(exceeded) => Err(match exceeded.retry_after_s {
            Some(seconds) => Requested::Held { until_ms: clock::now() + seconds * SECOND },
            None => Requested::Refused(exceeded.to_string()),
        }),
    }
}

/// Calls a web service for a bot of a tenant. Tenants have breakers of their own:
/// one tenant's failures stop nobody else's calls.
pub(super) async fn call(
    work: &Work,
    (tenant, bot): (&TenantId, &BotId),
    outgoing: Outgoing,
    deadline: Option<Instant>,
) -> Reached {
    let Ok(url) = url::Url::parse(&outgoing.url) else {
        return Reached::Sent(Err(SendError::Denied("the address is no URL".to_owned())));
    };
    let host = url.host_str().unwrap_or_default().to_owned();
    // First of all: by the time that there is a place, the service may be left alone.
    let _place = match work.open_calls.service(tenant, &host, deadline).await {
        Ok(place) => place,
        Err(exceeded) => return Reached::Exceeded(exceeded),
    };
    let service = format!("{tenant}/{host}");
    if let Admission::Wait { until_ms, .. } = work.services.admit_named(&service, clock::now()) {
        return Reached::LeftAlone { host, until_ms };
    }
    if let Err(exceeded) = work.quotas.call(tenant, clock::now()) {
        return Reached::Exceeded(exceeded);
    }
    work.meters.add(tenant, bot, Usage { calls: 1, ..Usage::default() });
    let begun = Instant::now();
    let sending = work.door.send(outgoing);
    let sent = match deadline {
        None => Some(sending.await),
        Some(deadline) => tokio::time::timeout_at(deadline, sending).await.ok(),
    };
    let ended = match &sent {
        Some(sent) => destinations::ended(sent, |_| None),
        None => (begun.elapsed() >= SLOW_AFTER).then_some(Ended::Failed),
    };
    if let Some(ended) = ended {
        let now = clock::now();
        let change = work.services.ended_named(&service, ended, now);
        work.alert_of(&Of::Service(tenant, &host), change, now);
    }
    sent.map_or(Reached::TimedOut, Reached::Sent)
}
