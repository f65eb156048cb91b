//! A version is tried with given events: it runs as it would, and nothing is sent or kept.

use std::collections::BTreeMap;
use std::sync::Arc;

use botyard_kernel::action::Action;
use botyard_kernel::event::{Event, EventBody};
use botyard_kernel::id::{ConversationKey, Digest, EventId, TenantId};
use botyard_kernel::limits::Exceeded;
use botyard_kernel::log::{Arrival, Conversation, Outcome, Row, RowEnd, Settled, Turn};
use botyard_kernel::owner::Owner;
use botyard_kernel::plan::{Plan, Policy, Step};
use botyard_kernel::profile::Profile;
use botyard_kernel::run::{Cost, LogLine, RunInput};
use botyard_kernel::session::{Facts, Session};
use botyard_kernel::usage::Usage;
use botyard_runtime::{Services, Version};
use botyard_vendors::{Part, To, Vendor, known};
use serde::Serialize;
use serde_json::{Value, json};

use crate::clock;
use crate::shown::call_json;
use crate::work::Work;

/// What is tried, and as if it were where.
pub struct Trial {
    /// Whose bot it is.
    pub tenant: TenantId,
    /// What runs.
    pub version: Version,
    /// What the tenant configured for the bot.
    pub config: BTreeMap<String, String>,
    /// The vendor of the conversation.
    pub vendor: Arc<dyn Vendor>,
    /// How its turns are decided.
    pub policy: Policy,
    /// What the person writes on.
    pub medium: String,
    /// The person's language.
    pub locale: Option<String>,
}

/// What one event came to. An event may have two: the host starts a session first where
/// the vendor has not.
#[derive(Clone, Debug, Serialize)]
pub struct Tried {
    /// What the bot was given, by its canonical name.
    pub event: &'static str,
    /// What became of it: `ran`, `failed`, or why nobody ran.
    pub result: Value,
    /// What the bot returned, in the canonical form.
    pub actions: Value,
    /// What would be sent, in order, after degrading: calls of the vendor, and what the
    /// host would do itself.
    pub sends: Vec<Value>,
    /// The bot's log, with what the host has to say of its actions.
    pub log: Vec<LogLine>,
    /// CPU time in microseconds.
    pub cpu_us: u64,
    /// The most memory that it held, in bytes.
    pub memory_bytes: u64,
    /// The bot's context afterwards.
    pub context: String,
}

/// A conversation that nobody has.
struct Stage<'a> {
    trial: &'a Trial,
    work: &'a Work,
    key: ConversationKey,
    state: Conversation,
    reply_to: Option<String>,
}

impl Trial {
    /// Runs the events one after the other in a conversation of their own. What that takes
    /// is counted among what the tenant uses, and held to its limit.
    ///
    /// # Errors
    /// Trials of the tenant have taken too much of late.
    pub(crate) async fn run(
        &self,
        work: &Work,
        events: Vec<EventBody>,
    ) -> Result<Vec<Tried>, Exceeded> {
        // Only a vendor that there is was connected.
        let place = known(self.vendor.name()).map(|known| (known.place)(&self.medium));
        let place = place.unwrap_or_default();
        let key = ConversationKey {
            tenant: self.tenant.clone(),
            channel: "try".into(),
            vendor_key: place.conversation,
        };
        let (state, reply_to) = (Conversation::default(), place.reply_to);
        let mut stage = Stage { trial: self, work, key, state, reply_to };
        let mut tried = Vec::new();
        for (number, body) in events.into_iter().enumerate() {
            let event = Event::new(EventId(format!("try.{number}")), clock::now(), body);
            stage.handle(event, &mut tried).await?;
        }
        Ok(tried)
    }
}

impl Stage<'_> {
    async fn handle(&mut self, event: Event, tried: &mut Vec<Tried>) -> Result<(), Exceeded> {
        let name = event.body.name();
        let mut arrival = Arrival::new(event, clock::seed());
        let medium = self.trial.medium.clone();
        arrival.facts =
            Some(Facts { medium, locale: self.trial.locale.clone(), ..Facts::default() });
        arrival.reply_to.clone_from(&self.reply_to);
        // The start of the host's own, then the event itself.
        for _ in 0..2 {
            let step = self.plan(&arrival).step();
            let nothing = Cost::default();
            let (name, (turn, cost), goes_on) = match step {
                Step::Run(run) => (name, self.run(&arrival, *run).await?, false),
                Step::StartFirst(start) => {
                    let first = self.plan(&start).step();
                    let Step::Run(run) = first else { return Ok(()) };
                    ("start", self.run(&start, *run).await?, true)
                }
                Step::Relay(medium) | Step::TimeOut(medium) => {
                    let profile = self.trial.vendor.profile(&medium);
                    let turn = self.plan(&arrival).by_host(&profile, clock::now());
                    (name, (turn, nothing), false)
                }
                Step::Skip(reason) => (name, (self.plan(&arrival).skip(reason), nothing), false),
            };
            tried.push(self.take(name, turn, cost));
            if !goes_on {
                break;
            }
        }
        Ok(())
    }

    /// A turn of the bot, and what it has cost.
    async fn run(
        &self,
        arrival: &Arrival,
        (event, mut session): (Event, Session),
    ) -> Result<(Turn, Cost), Exceeded> {
        let (trial, profile) = (self.trial, self.profile());
        session.profile.clone_from(&profile.settings);
        let input = RunInput {
            event,
            session,
            conversation_kv: self.state.kv.clone(),
            config: trial.config.clone(),
            calls: Vec::new(),
        };
        let (quotas, runtime) = (self.work.quotas(), self.work.runtime());
        quotas.trial(&trial.tenant, clock::now())?;
        let permit = runtime.permit(&trial.version, &trial.tenant).await;
        // Its values are empty, and its calls are denied.
        let services = Services::default();
        let output = runtime.run(&trial.version, permit, input, services).await;
        let (digest, cost): (Digest, _) = (*trial.version.digest(), output.cost);
        quotas.tried(&trial.tenant, cost.cpu_us, clock::now());
        self.work.count(&trial.tenant, &trial.policy.bot, Usage::of_trial(cost));
        Ok((self.plan(arrival).complete(output, digest, &profile, clock::now()), cost))
    }

    /// Takes over what a turn says, as if all of it were delivered.
    fn take(&mut self, event: &'static str, turn: Turn, cost: Cost) -> Tried {
        let actions = match &turn.outcome {
            Outcome::Ran { actions, .. } => json!(actions),
            Outcome::Failed { .. } | Outcome::Skipped(_) => json!([]),
        };
        self.state = turn.state;
        let sends = self.state.rows.iter().map(|row| self.sent(row)).collect();
        let delivered = |row: &Row| (row.id.clone(), RowEnd::Delivered);
        let hands_over = self.state.owner == Owner::HandingOff;
        let settled = Settled {
            at_ms: clock::now(),
            rows: self.state.rows.iter().map(delivered).collect(),
            owner: hands_over.then_some(Owner::Human),
            ..Settled::default()
        };
        self.state.settle(&settled);
        Tried {
            event,
            result: result(&turn.outcome),
            actions,
            sends,
            log: turn.log,
            cpu_us: cost.cpu_us,
            memory_bytes: cost.memory_bytes,
            context: self.state.session.as_ref().map_or_else(String::new, |it| it.context.clone()),
        }
    }

    fn sent(&self, row: &Row) -> Value {
        if let Action::Request(_) = row.action {
            return json!({ "request": row.action });
        }
        if let (Action::Delay(delay), false) =
            (&row.action, self.trial.vendor.delivery().native_delay)
        {
            return json!({ "wait_ms": delay.delay_ms });
        }
        if row.hand_off.is_some() {
            return json!({ "hand_off": row.action });
        }
        let to =
            To { reply_to: self.reply_to.as_deref(), ..To::conversation(&self.key.vendor_key) };
        let part = Part { id: &row.id, action: &row.action, context: row.context.as_deref() };
        let call = self.trial.vendor.call_at(&to, std::slice::from_ref(&part), clock::now());
        let mut shown = call_json(&call);
        // The way behind the host may hold a secret.
        let host = url::Url::parse(&call.url).ok();
        let host = host.as_ref().and_then(url::Url::host_str);
        shown["url"] = host.map_or(Value::Null, |host| json!(format!("https://{host}/…")));
        json!({ "part": row.id, "action": row.action, "call": shown })
    }

    fn profile(&self) -> Profile {
        self.trial.vendor.profile(&self.trial.medium)
    }

    fn plan<'a>(&'a self, arrival: &'a Arrival) -> Plan<'a> {
        let (key, state) = (&self.key, &self.state);
        Plan { key, state, arrival, policy: &self.trial.policy }
    }
}

fn result(outcome: &Outcome) -> Value {
    match outcome {
        Outcome::Ran { .. } => json!("ran"),
        Outcome::Failed { failure, .. } => json!({ "failed": failure }),
        Outcome::Skipped(reason) => json!({ "skipped": format!("{reason:?}") }),
    }
}
