//! What may happen again and again without a breaker to trip: whoever must act hears of it
//! once an hour for each channel.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use botyard_kernel::id::ChannelId;
use botyard_kernel::log::{Outcome as Ran, Turn};
use botyard_kernel::run::Blame;
use botyard_kernel::time::{HOUR, Millis};
use botyard_vendors::Outcome;

use super::Work;
use crate::alerts::{Alert, AlertKind};
use crate::clock;
use crate::registry::Channel;

/// So many calls in a row: one alone may be about a conversation that is over.
const REFUSED_MIN: usize = 3;

/// What was told within the last hour, and what may have to be told soon.
#[derive(Debug, Default)]
pub(super) struct Notices {
    told: Mutex<HashMap<(AlertKind, ChannelId), Millis>>,
    /// Calls in a row that were refused by the tenant's fault.
    refused: Mutex<HashMap<ChannelId, usize>>,
}

impl Notices {
    /// Whether it is to be told now; if so, it is not again for an hour.
    fn is_due(&self, kind: AlertKind, channel: &ChannelId, now: Millis) -> bool {
        let mut told = self.told.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|_, at| now < at.saturating_add(HOUR));
        let new = !told.contains_key(&(kind, channel.clone()));
        if new {
            told.insert((kind, channel.clone()), now);
        }
        new
    }

    /// A call of a channel ended so. Answers how many in a row were refused by the tenant's
    /// fault, if they are enough to tell of.
    fn called(&self, channel: &ChannelId, outcome: &Outcome) -> Option<usize> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Outcome::Retry { blame, .. } | Outcome::Fatal { blame, .. } => {
                if *blame != Blame::Tenant {
                    return None;
                }
                let count = refused.entry(channel.clone()).or_default();
                *count += 1;
                Some(*count).filter(|count| *count >= REFUSED_MIN)
            }
            // Whoever knows the conversation has taken the token.
            Outcome::Delivered { .. } | Outcome::Taken(_) | Outcome::Gone(_) => {
                refused.remove(channel);
                None
            }
        }
    }
}

impl Work {
    /// Tells the tenant where its vendor does not take calls by the tenant's own fault: a
    /// wrong token answers as quickly as a right one, so no breaker trips.
    pub(super) fn tell_of_refusal(&self, channel: &Channel, outcome: &Outcome) {
        let Some(failures) = self.notices.called(&channel.id, outcome) else { return };
        let what_to_do = "read the vendor's words in the dead letters, most often about the \
                          channel's token or address; mend the channel, and send the dead letters \
                          again";
        let alert = Alert {
            tenant: Some(channel.tenant.clone()),
            channel: Some(channel.id.clone()),
            failures: Some(failures),
            ..Alert::new(AlertKind::ChannelRefused, Blame::Tenant, clock::now(), what_to_do)
        };
        self.tell_hourly(channel, &alert);
    }

    /// Tells the operator of a turn that failed by this host's fault however often it was
    /// tried. Whoever owns the channel can do nothing about it.
    pub(super) fn tell_of_run(&self, channel: &Channel, turn: &Turn) {
        let Ran::Failed { failure, .. } = &turn.outcome else { return };
        if failure.blame != Blame::Host {
            return;
        }
        let what_to_do = "look into the host's log for the runs that failed, and whether the host \
                          has too much to do: people of this channel got the failure text";
        let alert = Alert {
            channel: Some(channel.id.clone()),
            ..Alert::new(AlertKind::RunFailed, Blame::Host, clock::now(), what_to_do)
        };
        self.tell_hourly(channel, &alert);
    }

    fn tell_hourly(&self, channel: &Channel, alert: &Alert) {
        if self.notices.is_due(alert.kind, &channel.id, alert.since_ms) {
            self.alerts.raise(alert);
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use botyard_kernel::id::{Digest, TenantId};
    use botyard_kernel::run::{FailureKind, RunFailure};
    use serde_json::json;

    use super::*;
    use crate::alerts::heard::Heard;
    use crate::app::App;
    use crate::app::scratch::{scratch, stamp, told_at, turn};
    use crate::tenancy::{BotChange, ChannelRecord};

    fn failed(blame: Blame) -> Turn {
        let failure = RunFailure { blame, kind: FailureKind::Internal, message: String::new() };
        turn(Ran::Failed { failure, version: Digest::of(b"v") })
    }

    /// A channel of a tenant that hears of its alerts at this address.
    async fn channel(app: &App, url: &str) -> Arc<Channel> {
        told_at(app, "acme", url).await;
        let (tenant, id) = (TenantId::from("acme"), ChannelId::from("web"));
        let (tenancy, stamp, secret) = (&app.tenancy, stamp(), json!({"secret": "owner"}));
        let bot = BotChange::default();
        tenancy.put_bot(&tenant, &"bot".into(), bot, false, &stamp).await.unwrap();
        let settings = json!({
            "vendor": "userlike", "bot": "bot", "api-url": "https://api.example/",
            "api-token": secret, "webhook-header": "x-secret", "webhook-secret": secret,
        });
        tenancy.put_channel(&tenant, &id, &ChannelRecord { settings }, &stamp).await.unwrap();
        app.work.channel(&id).unwrap()
    }

    #[tokio::test]
    async fn the_operator_alone_hears_of_turns_that_the_host_fails() {
        let (operator, owner) = (Heard::start().await, Heard::start().await);
        let url = operator.url();
        let settings = format!("[egress]\nallow-loopback = true\n[alerts]\nurl = {url:?}\n");
        let (app, _directory) = scratch(&settings).await;
        let channel = channel(&app, &owner.url()).await;
        for blame in [Blame::Bot, Blame::Tenant, Blame::Vendor, Blame::Host, Blame::Host] {
            app.work.tell_of_run(&channel, &failed(blame));
        }
        let told = operator.next().await;
        assert_eq!((&told["type"], &told["data"]["blame"]), (&json!("run.failed"), &json!("host")));
        assert_eq!(told["data"]["channel"], "web");
        assert!(operator.is_silent().await && owner.is_silent().await);
    }

    #[test]
    fn each_kind_is_told_once_an_hour_for_each_channel() {
        let notices = Notices::default();
        let (web, shop) = (ChannelId::from("web"), ChannelId::from("shop"));
        let (refused, failed) = (AlertKind::ChannelRefused, AlertKind::RunFailed);
        let rows = [
            (refused, &web, 0, true),
            (refused, &web, 1, false),
            (refused, &shop, 1, true),
            (failed, &web, 2, true),
            (refused, &web, HOUR - 1, false),
            (refused, &web, HOUR, true),
            (refused, &web, HOUR + 1, false),
        ];
        for (kind, channel, now, due) in rows {
            assert_eq!(notices.is_due(kind, channel, now), due, "{kind:?} {channel} {now}");
        }
    }

    #[test]
    fn calls_in_a_row_that_the_tenant_must_mend_are_told_the_tenant() {
        let reason = String::new;
        let fatal = |blame| Outcome::Fatal { reason: reason(), blame };
        let retry = |blame| Outcome::Retry {
            after_ms: None,
            ambiguous: false,
            reason: reason(),
            blame,
            tries_max: None,
        };
        let (notices, web, shop) = (Notices::default(), "web".into(), "shop".into());
        let rows = [
            (&web, retry(Blame::Tenant), None),
            (&shop, fatal(Blame::Tenant), None),
            (&web, fatal(Blame::Tenant), None),
            (&web, retry(Blame::Vendor), None),
            (&web, fatal(Blame::Bot), None),
            (&web, retry(Blame::Host), None),
            (&web, retry(Blame::Tenant), Some(3)),
            (&web, retry(Blame::Tenant), Some(4)),
            (&web, Outcome::DELIVERED, None),
            (&web, retry(Blame::Tenant), None),
            (&web, retry(Blame::Tenant), None),
            (&web, Outcome::Gone(reason()), None),
            (&web, retry(Blame::Tenant), None),
            (&shop, retry(Blame::Tenant), None),
            (&shop, retry(Blame::Tenant), Some(3)),
        ];
        for (number, (channel, outcome, told)) in rows.into_iter().enumerate() {
            assert_eq!(notices.called(channel, &outcome), told, "row {number}: {outcome:?}");
        }
    }
}
