//! How a webhook is delivered: by the plan of faults, again after failures, pairs
//! out of order.

use std::sync::Arc;
use std::time::Duration;

use http::Method;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::ledger::Due;
use super::{Account, Memory, Vendor};
use crate::faults::Fault;
use crate::record::{Record, Sent};
use crate::wire::{self, Read, Target};

/// A webhook, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Outgoing {
    /// Whose it is, for the plan of faults and the records.
    pub conversation: String,
    /// Which of the account's webhooks it goes to.
    pub hook: String,
    /// The method.
    pub method: Method,
    /// What follows the webhook's address, for example a query.
    pub suffix: String,
    /// Headers besides the content type.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What became of a webhook.
#[derive(Clone, Debug, Default)]
pub struct Delivery {
    /// Every sending of it, in order.
    pub sendings: Vec<Arc<Sent>>,
}

impl Delivery {
    /// Whether it was delivered at last.
    pub fn is_delivered(&self) -> bool {
        self.sendings.iter().any(|sent| sent.delivered)
    }

    /// Why the last sending failed or its answer was refused; empty if neither.
    pub fn reason(&self) -> &str {
        self.sendings.last().map_or("", |sent| &sent.reason)
    }

    /// The status of the last sending; 0 where none was read.
    pub fn status(&self) -> u16 {
        self.sendings.last().and_then(|sent| sent.status).unwrap_or_default()
    }

    /// What the last sending was answered.
    pub fn answer(&self) -> &str {
        self.sendings.last().map_or("", |sent| &sent.answer)
    }
}

impl<V: Vendor> Account<V> {
    /// Sends a webhook as the vendor does: with the faults of the plan, and again
    /// after each failure until the schedule is at its end.
    pub async fn deliver(&self, webhook: Outgoing) -> Delivery {
        let mut delivery = Delivery::default();
        let number = self.next_webhook();
        let mut schedule = self.inner.redeliver.iter();
        let mut duplicates = 0;
        loop {
            let attempt = delivery.sendings.len() as u64 + 1;
            let sent = self.send(&webhook, number, attempt, true).await;
            let delivered = sent.delivered;
            delivery.sendings.push(sent);
            if delivered && duplicates == 0 && self.is_doubled(&webhook.conversation) {
                duplicates += 1;
            } else if let (false, Some(pause)) = (delivered, schedule.next()) {
                tokio::time::sleep(*pause).await;
            } else {
                return delivery;
            }
        }
    }

    /// Sends a webhook once, without faults.
    pub async fn post(&self, webhook: Outgoing) -> Arc<Sent> {
        self.send(&webhook, self.next_webhook(), 1, false).await
    }

    /// As [`Account::deliver`], one webhook after the other; of two that follow each
    /// other the plan may let the second go first.
    pub async fn play(&self, webhooks: impl IntoIterator<Item = Outgoing>) -> Vec<Delivery> {
        let mut webhooks: Vec<_> = webhooks.into_iter().collect();
        for pair in webhooks.chunks_exact_mut(2) {
            if self.is_overtaken(&pair[0].conversation) {
                pair.swap(0, 1);
            }
        }
        let mut deliveries = Vec::with_capacity(webhooks.len());
        for webhook in webhooks {
            deliveries.push(self.deliver(webhook).await);
        }
        deliveries
    }

    /// Whether the plan lets the next webhook of a conversation go before this one.
    pub(crate) fn is_overtaken(&self, conversation: &str) -> bool {
        let ledger = &mut self.memory().ledger;
        let known = ledger.known(conversation);
        known.pairs += 1;
        let (ordinal, number) = (known.ordinal.clone(), known.pairs);
        ledger.faults.happens(Fault::Reorder, &ordinal, number)
    }

    /// One sending: its answer is taken and noted.
    async fn send(
        &self,
        webhook: &Outgoing,
        number: u64,
        attempt: u64,
        with_faults: bool,
    ) -> Arc<Sent> {
        let (fault, stay, faults, url) = {
            let ledger = &mut self.memory().ledger;
            let faults = ledger.faults.clone();
            // Asked for each time: a host that was started again has moved meanwhile.
            let url = ledger.hook(&webhook.hook);
            let known = ledger.known(&webhook.conversation);
            known.sendings += 1;
            let fault = faults.of_webhook(&known.ordinal, known.sendings);
            let stay = faults.stay(&known.ordinal, known.sendings);
            (fault.filter(|_| with_faults), stay, faults, url)
        };
        let read = match url {
            Some(url) => {
                let target = Target {
                    method: webhook.method.clone(),
                    url: format!("{url}{}", webhook.suffix),
                    headers: webhook.headers.clone(),
                };
                let http = self.http();
                let sending = wire::send(&http, &target, &webhook.body, fault, &faults, stay);
                let within = self.inner.answer_within;
                tokio::time::timeout(within, sending)
                    .await
                    .unwrap_or_else(|_| Read::broken(format!("no answer within {within:?}")))
            }
            None => Read::broken(format!("nobody said where the webhook {} is", webhook.hook)),
        };
        let mut memory = self.memory();
        let sent = taken(
            &mut memory,
            webhook,
            read,
            Sent {
                at: Duration::ZERO,
                conversation: webhook.conversation.clone(),
                hook: webhook.hook.clone(),
                webhook: number,
                attempt,
                body: String::from_utf8_lossy(&webhook.body).into_owned(),
                fault: fault.map(Fault::name),
                status: None,
                retry_after: None,
                whole: false,
                delivered: false,
                answer: String::new(),
                reason: String::new(),
            },
        );
        memory.ledger.note(Record::Webhook(Arc::clone(&sent)));
        sent
    }

    /// Whether an answered webhook comes again.
    fn is_doubled(&self, conversation: &str) -> bool {
        let ledger = &mut self.memory().ledger;
        let known = ledger.known(conversation);
        let (ordinal, number) = (known.ordinal.clone(), known.sendings);
        ledger.faults.happens(Fault::Duplicate, &ordinal, number)
    }
}

/// What the vendor makes of an answer.
fn taken<V: Vendor>(
    memory: &mut Memory<V>,
    webhook: &Outgoing,
    read: Read,
    sent: Sent,
) -> Arc<Sent> {
    let Memory { vendor, ledger } = memory;
    let Read { status, retry_after, body: answer, whole, mut reason } = read;
    let delivered = whole && status.is_some_and(|status| vendor.is_delivered(status));
    vendor.sent(webhook, delivered, ledger);
    if delivered {
        if let Err(refusal) = vendor.answered(webhook, &answer, ledger) {
            reason = refusal;
        }
    } else if whole {
        reason = format!("answered {}", status.unwrap_or_default());
    }
    let at = ledger.now();
    Arc::new(Sent { at, status, retry_after, whole, delivered, answer, reason, ..sent })
}

/// Does what the vendor does by itself, each thing beside the others.
pub(super) async fn send_due<V: Vendor>(
    account: Account<V>,
    mut due: mpsc::UnboundedReceiver<Due>,
) {
    let mut sendings = JoinSet::new();
    loop {
        tokio::select! {
            due = due.recv() => {
                let Some(due) = due else { break };
                let account = account.clone();
                sendings.spawn(async move {
                    match due {
                        Due::Webhook(webhook) => {
                            account.deliver(webhook).await;
                        }
                        Due::Show(after, conversation, name, value) => {
                            tokio::time::sleep(after).await;
                            account.memory().ledger.show(&conversation, &name, value);
                        }
                    }
                });
            }
            Some(_) = sendings.join_next() => {}
        }
    }
}
