//! The upkeep of channels: one task for each channel whose vendor wants it.
//!
//! What a vendor keeps for a channel is a record of the catalog, sealed. A pause of
//! the channel does not stop it: a token must not run out meanwhile. A restored host does
//! nothing before it is released: another one may still be at work. A call that is
//! cut off by the end of this host is made again when its announcement is over.

use std::collections::VecDeque;
use std::sync::{Arc, Weak};
use std::time::Duration;

use botyard_failpoints::{Point, pass};
use botyard_kernel::destination::Purpose;
use botyard_kernel::id::Digest;
use botyard_kernel::run::Blame;
use botyard_kernel::time::{Millis, SECOND};
use botyard_kernel::upkeep::{Chore, Chores, Effect, Input, Kept, Upkeep};
use botyard_store::{Stamp, TenantStore};
use botyard_vendors::Vendor;
use metrics::counter;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Work;
use super::calls::{self, call_answer};
use super::destinations::VendorService;
use crate::alerts::{Alert, AlertKind};
use crate::clock;
use crate::envelope::{EnvelopeError, Sealed};
use crate::registry::Channel;

/// The kind of the catalog's records.
pub(crate) const UPKEEP: &str = "upkeep";
/// The end of the host is noticed after so long.
const NAP_MS: Millis = SECOND;

/// What is kept, as it is stored: the vendor's part is sealed. A newer host may have
/// added fields.
#[derive(Serialize, Deserialize)]
struct Stored {
    #[serde(flatten)]
    kept: Kept,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    sealed: Option<Sealed>,
}

/// Gives a channel what earlier hosts have kept for it, before anything is sent.
pub(super) async fn load(work: &Work, channel: &Arc<Channel>) {
    let mut task =
        Task { channel: Arc::clone(channel), known: None, unreadable: false, is_gone: false };
    if let Input::Read(kept) = task.read(work).await {
        task.perform(work, Effect::Use(kept.state)).await;
    }
}

/// Looks after a channel until the host ends.
pub(super) async fn run(work: Weak<Work>, channel: Arc<Channel>) {
    let mut task = Task { channel, known: None, unreadable: false, is_gone: false };
    let mut machine = Upkeep::new(Digest::of(&rand::random::<[u8; 32]>()));
    loop {
        let Some(work) = work.upgrade() else { return };
        let over = work.is_draining() || task.channel.is_closed();
        if over && (machine.is_idle() || task.is_gone) {
            return;
        }
        if work.is_held() && !over {
            // A restored host is perhaps a second one: it tells vendors nothing.
            drop(work);
            tokio::time::sleep(Duration::from_millis(NAP_MS)).await;
            continue;
        }
        let refused = task.channel.take_refused().map(Input::Refused);
        let mut inputs: VecDeque<_> = refused.into_iter().chain([Input::Wake]).collect();
        while let Some(input) = inputs.pop_front() {
            let vendor = task.channel.vendor();
            for effect in machine.on(input, &Wanted(&*vendor), clock::now()) {
                inputs.extend(task.perform(&work, effect).await);
            }
        }
        drop(work);
        let wake = machine.wake_at(&Wanted(&*task.channel.vendor()));
        let pause = wake.map_or(NAP_MS, |at| at.saturating_sub(clock::now()).min(NAP_MS));
        tokio::time::sleep(Duration::from_millis(pause)).await;
    }
}

struct Task {
    channel: Arc<Channel>,
    /// The record as it was read or written last.
    known: Option<Value>,
    /// It was said that the record cannot be read.
    unreadable: bool,
    /// The channel is closed, and its record is gone.
    is_gone: bool,
}

impl Task {
    async fn perform(&mut self, work: &Work, effect: Effect) -> Option<Input> {
        match effect {
            Effect::Read => Some(self.read(work).await),
            Effect::Write(kept) => Some(self.write(work, &kept).await),
            Effect::Use(state) => {
                self.channel.renew(&state);
                None
            }
            Effect::Ask { ticket } => {
                let (service, rate) = VendorService::of(&self.channel, Purpose::Delivery);
                Some(Input::Admitted(work.vendors.admit(&service, rate, ticket, clock::now())))
            }
            Effect::Call { state, chore } => self.call(work, &state, chore).await,
            Effect::Failed { chore, reason, tries, next_ms, hopeless } => {
                self.failed(work, chore, &reason, tries, next_ms, hopeless);
                None
            }
        }
    }

    async fn read(&mut self, work: &Work) -> Input {
        let found = match self.store(work).get(UPKEEP, &self.channel.id.0).await {
            Ok(found) => found,
            Err(error) => {
                tracing::warn!(channel = %self.channel.id, %error, "the upkeep cannot be read");
                return Input::StoreFailed;
            }
        };
        let kept = match found.as_ref().map(|value| self.opened(work, value)) {
            None => Kept::default(),
            Some(Opened::Whole(kept)) => {
                self.unreadable = false;
                kept
            }
            Some(Opened::Damaged(kept, error)) => {
                self.tell_unreadable(work, &error, "what the vendor gave us is asked for anew");
                kept
            }
            Some(Opened::Locked(error)) => {
                // The record is left as it is: with its key it opens again.
                self.tell_unreadable(work, &error, "the channel goes on with its settings alone");
                return Input::StoreFailed;
            }
        };
        self.known = found;
        Input::Read(kept)
    }

    async fn write(&mut self, work: &Work, kept: &Kept) -> Input {
        let stamp = Stamp { at_ms: clock::now(), actor: "upkeep".to_owned() };
        let (name, value) = (&self.channel.id.0, self.sealed(work, kept));
        if self.known.is_none() && self.channel.is_closed() {
            // The channel went with its tenant: nothing of it begins anew.
            self.is_gone = true;
            return Input::StoreFailed;
        }
        let store = self.store(work);
        match store.replace(UPKEEP, name, self.known.as_ref(), &value, &stamp).await {
            Ok(true) => {
                self.known = Some(value);
                Input::Written
            }
            Ok(false) => Input::Outrun,
            Err(error) => {
                tracing::warn!(channel = %self.channel.id, %error, "the upkeep cannot be written");
                Input::StoreFailed
            }
        }
    }

    async fn call(&self, work: &Work, state: &str, chore: &'static str) -> Option<Input> {
        let vendor = self.channel.vendor();
        let upkeep = vendor.upkeep()?;
        let request = upkeep.call(state, chore, clock::now());
        pass(Point::UpkeepAnnounced);
        let sent = calls::send(work, &self.channel, Purpose::Delivery, request).await;
        pass(Point::UpkeepAnswered);
        let ended = upkeep.ended(state, chore, &call_answer(sent), clock::now());
        Some(Input::Called(ended))
    }

    fn failed(
        &self,
        work: &Work,
        chore: &'static str,
        reason: &str,
        tries: u32,
        next_ms: Millis,
        hopeless: bool,
    ) {
        let vendor = self.channel.vendor().name();
        let again_ms = next_ms.saturating_sub(clock::now());
        counter!("botyard_upkeep_failures_total", "vendor" => vendor, "chore" => chore)
            .increment(1);
        let channel = &self.channel.id;
        if !hopeless {
            tracing::warn!(%channel, chore, reason, tries, again_ms, "a chore is tried again");
            return;
        }
        tracing::error!(%channel, chore, reason, tries, again_ms, "a chore cannot be done");
        let what_to_do = "look into the host's log for the vendor's words; the channel's settings, or \
                          what the vendor knows of it, must be mended";
        self.alert(work, Blame::Tenant, Some(tries), what_to_do);
    }

    fn opened(&self, work: &Work, value: &Value) -> Opened {
        let Stored { mut kept, sealed } = match Stored::deserialize(value) {
            Ok(stored) => stored,
            Err(error) => return Opened::Damaged(Kept::default(), error.to_string()),
        };
        let Some(sealed) = sealed else { return Opened::Whole(kept) };
        match work.envelope.open(&self.channel.tenant, &self.place(), &sealed) {
            Ok(state) => {
                kept.state = state;
                Opened::Whole(kept)
            }
            Err(error @ EnvelopeError::OtherKey(_)) => Opened::Locked(error.to_string()),
            Err(error @ EnvelopeError::Damaged) => Opened::Damaged(kept, error.to_string()),
        }
    }

    /// Says it once, not each time that it is read.
    fn tell_unreadable(&mut self, work: &Work, error: &str, consequence: &str) {
        if std::mem::replace(&mut self.unreadable, true) {
            return;
        }
        tracing::error!(channel = %self.channel.id, error, "a record of the upkeep: {consequence}");
        let what_to_do = "put back the file `keys/secrets` that the host had when it wrote to this \
                          database; the host's log has the details";
        self.alert(work, Blame::Host, None, what_to_do);
    }

    fn alert(&self, work: &Work, blame: Blame, tries: Option<u32>, what_to_do: &'static str) {
        work.alerts.raise(&Alert {
            tenant: Some(self.channel.tenant.clone()),
            channel: Some(self.channel.id.clone()),
            failures: tries.and_then(|tries| usize::try_from(tries).ok()),
            ..Alert::new(AlertKind::UpkeepFailed, blame, clock::now(), what_to_do)
        });
    }

    fn sealed(&self, work: &Work, kept: &Kept) -> Value {
        let seal = |state: &str| work.envelope.seal(&self.channel.tenant, &self.place(), state);
        let sealed = (!kept.state.is_empty()).then(|| seal(&kept.state));
        let kept = Kept { state: String::new(), ..kept.clone() };
        // Numbers and texts only: it is JSON in any case.
        serde_json::to_value(Stored { kept, sealed }).unwrap_or_default()
    }

    /// What the sealed part is called where it is authenticated.
    fn place(&self) -> String {
        format!("{UPKEEP}/{}", self.channel.id)
    }

    fn store(&self, work: &Work) -> TenantStore {
        work.store.tenant(&self.channel.tenant)
    }
}

/// A record as far as it can be read.
enum Opened {
    Whole(Kept),
    /// What was sealed in it is lost.
    Damaged(Kept, String),
    /// The host lacks the key.
    Locked(String),
}

/// What the vendor of a channel wants done.
struct Wanted<'a>(&'a dyn Vendor);

impl Chores for Wanted<'_> {
    fn wanted(&self, state: &str) -> Vec<Chore> {
        self.0.upkeep().map(|upkeep| upkeep.wanted(state)).unwrap_or_default()
    }

    fn without(&self, state: &str, refused: &str, now: Millis) -> Option<String> {
        self.0.upkeep()?.without(state, refused, now)
    }
}
