//! What may happen again and again without a breaker to trip: whoever must act hears of it
//! once an hour for each channel.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};

use botyard_kernel::id::{ChannelId, Digest};
use botyard_kernel::log::{Outcome as Ran, Turn};
use botyard_kernel::run::Blame;
use botyard_kernel::time::{HOUR, Millis};
use botyard_vendors::Outcome;

use super::Work;
use crate::alerts::{Alert, AlertKind};
use crate::registry::Channel;

/// Of so many conversations, none between them that the vendor took a call of: one alone may
/// be over.
const REFUSED_MIN: usize = 3;

/// What was told within the last hour, and what may have to be told soon.
#[derive(Debug, Default)]
pub(super) struct Notices {
    told: Mutex<HashMap<(AlertKind, ChannelId), Millis>>,
    refused: Mutex<HashMap<ChannelId, Refused>>,
}

/// What a vendor has refused by the tenant's fault since it last took a call of a channel.
#[derive(Debug, Default)]
struct Refused {
    calls: usize,
    /// Of whom, by the hash of the vendor's key: as many as are enough, however many there are.
    conversations: BTreeSet<Digest>,
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

    /// A call of a conversation ended so. Answers how many in a row were refused by the
    /// tenant's fault, if they were of enough conversations to tell of.
    fn called(&self, channel: &ChannelId, conversation: &str, outcome: &Outcome) -> Option<usize> {
        let mut refused = self.refused.lock().unwrap_or_else(PoisonError::into_inner);
        match outcome {
            Outcome::Retry { blame, .. } | Outcome::Fatal { blame, .. } => {
                if *blame != Blame::Tenant {
                    return None;
                }
                refused.entry(channel.clone()).or_default().another(conversation)
            }
            // Whoever knows the conversation has taken the token.
            Outcome::Delivered { .. } | Outcome::Taken(_) | Outcome::Gone(_) => {
                refused.remove(channel);
                None
            }
        }
    }
}

impl Refused {
    fn another(&mut self, conversation: &str) -> Option<usize> {
        self.calls += 1;
        if self.conversations.len() < REFUSED_MIN {
            self.conversations.insert(Digest::of(conversation.as_bytes()));
        }
        Some(self.calls).filter(|_| self.conversations.len() >= REFUSED_MIN)
    }
}

impl Work {
    /// Tells the tenant where its vendor does not take calls by the tenant's own fault: a
    /// wrong token answers as quickly as a right one, so no breaker trips.
    pub(super) fn tell_of_refusal(
        &self,
        channel: &Channel,
        conversation: &str,
        outcome: &Outcome,
        now: Millis,
    ) {
        let failures = self.notices.called(&channel.id, conversation, outcome);
        let Some(failures) = failures else { return };
        let what_to_do = "read the vendor's words in the dead letters, most often about the \
                          channel's token or address; mend the channel, and send the dead letters \
                          again";
        let alert = Alert {
            tenant: Some(channel.tenant.clone()),
            channel: Some(channel.id.clone()),
            failures: Some(failures),
            ..Alert::new(AlertKind::ChannelRefused, Blame::Tenant, now, what_to_do)
        };
        self.tell_hourly(channel, &alert);
    }

    /// Tells the operator of a turn that failed by this host's fault however often it was
    /// tried. Whoever owns the channel can do nothing about it.
    pub(super) fn tell_of_run(&self, channel: &Channel, turn: &Turn, now: Millis) {
        let Ran::Failed { failure, .. } = &turn.outcome else { return };
        if failure.blame != Blame::Host {
            return;
        }
        let what_to_do = "look into the host's log for the runs that failed, and whether the host \
                          has too much to do: people of this channel got the failure text";
        let alert = Alert {
            channel: Some(channel.id.clone()),
            ..Alert::new(AlertKind::RunFailed, Blame::Host, now, what_to_do)
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

    use botyard_kernel::id::TenantId;
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
        let fails = |blame, now| app.work.tell_of_run(&channel, &failed(blame), now);
        for blame in [Blame::Bot, Blame::Tenant, Blame::Vendor] {
            fails(blame, 0);
        }
        [1, 2, HOUR].into_iter().for_each(|now| fails(Blame::Host, now));
        let told = operator.next().await;
        assert_eq!((&told["type"], &told["data"]["blame"]), (&json!("run.failed"), &json!("host")));
        assert_eq!(told["data"]["channel"], "web");
        assert!(operator.is_silent().await && owner.is_silent().await);
        fails(Blame::Host, 1 + HOUR);
        assert_eq!(operator.next().await["data"]["since_ms"], 1 + HOUR, "once an hour");
    }

    /// One conversation that is over, on a channel on which little happens, is tried again
    /// and again; of a channel that is refused everything its owner hears once an hour.
    #[tokio::test]
    async fn the_owner_of_a_channel_that_is_refused_hears_of_it_once_an_hour() {
        let owner = Heard::start().await;
        let (app, _directory) = scratch("[egress]\nallow-loopback = true\n").await;
        let channel = channel(&app, &owner.url()).await;
        let refuse = |conversation: &str, now| {
            app.work.tell_of_refusal(&channel, conversation, &retry(Blame::Tenant), now);
        };
        (0..100).for_each(|now| refuse("over", now));
        assert!(owner.is_silent().await, "one conversation is not the channel");
        ["a", "b", "c"].iter().for_each(|conversation| refuse(conversation, 100));
        (101..200).for_each(|now| refuse("d", now));
        refuse("e", 100 + HOUR - 1);
        let told = owner.next().await;
        let since = (&told["type"], &told["data"]["since_ms"]);
        assert_eq!(since, (&json!("channel.refused"), &json!(100)));
        assert!(owner.is_silent().await, "within the hour it is known");
        refuse("a", 100 + HOUR);
        assert_eq!(owner.next().await["data"]["since_ms"], 100 + HOUR);
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

    fn fatal(blame: Blame) -> Outcome {
        Outcome::Fatal { reason: String::new(), blame }
    }

    fn retry(blame: Blame) -> Outcome {
        let (after_ms, ambiguous, tries_max) = (None, false, None);
        Outcome::Retry { after_ms, ambiguous, reason: String::new(), blame, tries_max }
    }

    #[test]
    fn conversations_in_a_row_whose_calls_the_tenant_must_mend_are_told_the_tenant() {
        let notices = Notices::default();
        let rows = [
            ("web", "a", retry(Blame::Tenant), None),
            ("shop", "a", fatal(Blame::Tenant), None),
            ("web", "b", fatal(Blame::Tenant), None),
            ("web", "c", retry(Blame::Vendor), None),
            ("web", "c", fatal(Blame::Bot), None),
            ("web", "c", retry(Blame::Host), None),
            // However often one is tried, it is one.
            ("web", "b", retry(Blame::Tenant), None),
            ("web", "b", retry(Blame::Tenant), None),
            ("web", "c", retry(Blame::Tenant), Some(5)),
            ("web", "a", retry(Blame::Tenant), Some(6)),
            ("web", "d", retry(Blame::Tenant), Some(7)),
            ("web", "e", Outcome::DELIVERED, None),
            ("web", "a", retry(Blame::Tenant), None),
            ("web", "b", retry(Blame::Tenant), None),
            ("web", "b", Outcome::Gone(String::new()), None),
            ("web", "c", retry(Blame::Tenant), None),
            // Another channel's is another one.
            ("shop", "b", retry(Blame::Tenant), None),
            ("shop", "c", retry(Blame::Tenant), Some(3)),
        ];
        for (number, (channel, conversation, outcome, told)) in rows.into_iter().enumerate() {
            let said = notices.called(&channel.into(), conversation, &outcome);
            assert_eq!(said, told, "row {number}: {outcome:?}");
        }
    }

    #[test]
    fn of_however_many_conversations_no_more_is_remembered_than_is_told_of() {
        let notices = Notices::default();
        for n in 0..1_000 {
            notices.called(&"web".into(), &n.to_string(), &fatal(Blame::Tenant));
        }
        let refused = notices.refused.lock().unwrap();
        let Refused { calls, conversations } = &refused[&ChannelId::from("web")];
        assert_eq!((*calls, conversations.len()), (1_000, REFUSED_MIN));
    }
}
