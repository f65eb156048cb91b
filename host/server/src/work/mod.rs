//! Drives the kernel's lanes: one task for each conversation in which something
//! happens. Decides nothing; what a lane asks for is done and reported back.

mod backlog;
mod bot_headers;
mod bots;
mod calls;
mod destinations;
mod disk;
mod driver;
mod ending;
mod fetch;
mod log;
mod meters;
mod notices;
mod open_calls;
mod pauses;
mod powers;
mod quotas;
mod relays;
mod requests;
mod room;
mod runs;
mod services;
mod store;
mod sweep;
mod upkeep;
mod used;
mod waiting;

use std::collections::{HashMap, HashSet};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use botyard_kernel::call::Ask;
use botyard_kernel::destination::Purpose;
use botyard_kernel::grants::Policy;
use botyard_kernel::id::{ChannelId, ConversationKey, TenantId};
use botyard_kernel::lane::Input;
use botyard_kernel::limits::Values;
use botyard_kernel::log::{Arrival, Row};
use botyard_kernel::outbox::RequestId;
use botyard_kernel::quota::Refusal;
use botyard_kernel::time::Millis;
use botyard_kernel::watermark::Marks;
use botyard_runtime::{LoadError, Phase, Runtime, Upload, Version};
use botyard_store::{Store, StoreError};
use botyard_vendors::{Call, CallAnswer};
use tokio::sync::{Notify, broadcast, mpsc, oneshot};

use crate::alerts::Alerts;
use crate::clock;
use crate::config;
use crate::envelope::Envelope;
use crate::redactor::Redactors;
use crate::registry::{Channel, Registry};
use crate::relays::Callbacks;
use crate::send::Door;
use backlog::{Admitted, Backlog};
use bots::Bots;
pub use bots::Worse;
use destinations::{Destinations, VendorService};
use disk::Disk;
use driver::Driver;
use fetch::Caller;
use meters::Meters;
pub use meters::{USAGE, from_hour, named};
use notices::Notices;
use open_calls::OpenCalls;
use pauses::Pauses;
pub use pauses::{Pausable, Pause, Subject};
use quotas::Quotas;
use room::{Place, Room};
pub(crate) use upkeep::UPKEEP;
use used::Used;
pub use used::UsedRecord;
pub(crate) use waiting::{Answer, Waiting};

/// Everything that lanes need to do their work.
pub struct Work {
    registry: Registry,
    store: Store,
    runtime: Arc<Runtime>,
    door: Door,
    backlog: Backlog,
    quotas: Quotas,
    open_calls: OpenCalls,
    disk: Disk,
    meters: Meters,
    /// Vendors, by the channel whose token is shown.
    vendors: Destinations<VendorService>,
    /// Web services that bots call, by host.
    services: Destinations<String>,
    bots: Bots,
    worse: broadcast::Sender<Worse>,
    pauses: Pauses,
    used: Used,
    alerts: Alerts,
    notices: Notices,
    /// How far rows have come that make several calls.
    envelope: Arc<Envelope>,
    callbacks: Callbacks,
    redactors: Redactors,
    lanes: Mutex<HashMap<ConversationKey, mpsc::UnboundedSender<Message>>>,
    room: Arc<Room>,
    requests: AtomicU64,
    draining: AtomicBool,
    /// Tenants that are taken away.
    ending: Mutex<HashSet<TenantId>>,
    keeps_up: AtomicBool,
    held: AtomicBool,
    lane_ended: Notify,
}

/// What a lane's task is told.
#[derive(Debug)]
pub(crate) enum Message {
    /// Something for the lane itself.
    Input(Input),
    /// Events, with whoever waits for the answer.
    Arrived {
        /// Names the request.
        request: RequestId,
        /// What happened.
        arrivals: Vec<Arrival>,
        /// Answer as soon as the events are stored.
        accept_only: bool,
        /// See [`botyard_vendors::Incoming::form`].
        form: &'static str,
        /// Where the answer goes.
        answer: oneshot::Sender<Answer>,
    },
    /// A bot wants to make a call within its turn.
    Asked {
        /// Names the run.
        run: u64,
        /// Which call.
        ask: Box<Ask>,
        /// Who waits for the answer.
        caller: Caller,
    },
    /// The channel was made anew.
    Renewed(Arc<Channel>),
    /// The store says that something is due. Who was woken by it alone takes a
    /// place in memory.
    Due(Option<Place>),
}

/// What reaches beyond the host, and what keeps its secrets.
pub struct Outside {
    /// The way out.
    pub door: Door,
    /// Where alerts go.
    pub alerts: Alerts,
    /// Seals what vendors give us.
    pub envelope: Arc<Envelope>,
    /// Where external bots speak by themselves.
    pub callbacks: Callbacks,
}

/// How much is taken.
pub struct Bounded {
    /// How much unfinished work.
    pub backlog: config::Backlog,
    /// The limits of tenants of which nothing else is set.
    pub limits: Values,
    /// Where a full disk begins, and how much of a disk counts (bytes).
    pub disk: (Marks, u64),
}

impl Work {
    /// Work over what runs.
    pub fn new(
        registry: Registry,
        store: Store,
        runtime: Arc<Runtime>,
        outside: Outside,
        bounded: Bounded,
    ) -> Arc<Self> {
        let Bounded { backlog, limits, disk } = bounded;
        let Outside { door, alerts, envelope, callbacks } = outside;
        door.forbid(registry.operator().policy().forbidden_hosts.clone());
        Arc::new(Self {
            registry,
            store,
            runtime,
            door,
            backlog: Backlog::new(backlog.tenant, backlog.host),
            quotas: Quotas::new(limits),
            open_calls: OpenCalls::default(),
            disk: Disk::new(disk),
            meters: Meters::default(),
            vendors: Destinations::new("the vendor of channel"),
            services: Destinations::new("the web service"),
            bots: Bots::default(),
            worse: broadcast::channel(64).0,
            pauses: Pauses::default(),
            used: Used::default(),
            alerts,
            notices: Notices::default(),
            envelope,
            callbacks,
            redactors: Redactors::default(),
            lanes: Mutex::default(),
            room: Arc::default(),
            requests: AtomicU64::new(1),
            draining: AtomicBool::new(false),
            ending: Mutex::default(),
            keeps_up: AtomicBool::new(false),
            held: AtomicBool::new(false),
            lane_ended: Notify::new(),
        })
    }

    /// From now on this narrows what the operator's settings allow.
    pub(crate) fn narrow(&self, by: &Policy) {
        let operator = self.registry.operator();
        operator.narrow(by);
        self.door.forbid(operator.policy().forbidden_hosts.clone());
    }

    /// What runs.
    pub fn registry(&self) -> &Registry {
        &self.registry
    }

    /// The channel of this name.
    pub fn channel(&self, id: &ChannelId) -> Option<Arc<Channel>> {
        self.registry.channel(id)
    }

    /// All channels, by name.
    pub fn channels(&self) -> Vec<Arc<Channel>> {
        self.registry.channels()
    }

    /// Seals what is secret.
    pub fn envelope(&self) -> &Envelope {
        &self.envelope
    }

    /// Where external bots speak by themselves.
    pub fn callbacks(&self) -> &Callbacks {
        &self.callbacks
    }

    /// Takes secrets out of what bots write.
    pub fn redactors(&self) -> &Redactors {
        &self.redactors
    }

    /// Makes a call to a channel's vendor that no lane has asked for, as it comes: no
    /// rate holds it back, and nobody repeats it.
    pub async fn send_to_vendor(
        &self,
        channel: &Channel,
        purpose: Purpose,
        call: Call,
    ) -> CallAnswer {
        calls::call_answer(calls::send(self, channel, purpose, call).await)
    }

    /// The store, for what is asked outside of lanes.
    pub fn store(&self) -> &Store {
        &self.store
    }

    /// Whether the store answers.
    ///
    /// # Errors
    /// What is wrong with it.
    pub async fn reads_store(&self) -> Result<(), StoreError> {
        self.store.host().due(clock::now(), 1).await.map(drop)
    }

    /// Destinations that do not answer and are left alone, with the time (Unix
    /// milliseconds) since when: channels' vendors and hosts that bots call.
    pub fn left_alone(&self) -> Vec<(String, Millis)> {
        let vendors = self.vendors.open().into_iter();
        let vendors = vendors.map(|(service, since)| (service.to_string(), since));
        vendors.chain(self.services.open()).collect()
    }

    /// Bots that keep failing and are not run but for probes, as `tenant/bot`, with
    /// the time (Unix milliseconds) since when.
    pub fn suspended_bots(&self) -> Vec<(String, Millis)> {
        self.bots.open()
    }

    /// What runs bots.
    pub fn runtime(&self) -> &Arc<Runtime> {
        &self.runtime
    }

    /// Loads a component, which is compiled where that was not done before.
    ///
    /// # Errors
    /// A sentence for whoever brought it.
    pub async fn load(
        &self,
        tenant: &TenantId,
        upload: &Upload,
        progress: &(dyn Fn(Phase) + Send + Sync),
    ) -> Result<Version, LoadError> {
        self.runtime.load_upload(upload, tenant, progress).await
    }

    /// Versions that do worse than those before, from now on.
    pub fn worse_versions(&self) -> broadcast::Receiver<Worse> {
        self.worse.subscribe()
    }

    /// How many bots and destinations keep failing.
    pub fn breakers_open(&self) -> usize {
        self.suspended_bots().len() + self.left_alone().len()
    }

    /// Where alerts go.
    pub fn alerts(&self) -> &Alerts {
        &self.alerts
    }

    /// The unfinished work.
    pub(crate) fn backlog(&self) -> &Backlog {
        &self.backlog
    }

    /// Takes a request whose body has so many bytes, or says when to come again.
    pub(crate) fn admit(&self, tenant: &TenantId, bytes: usize) -> Result<Admitted, Refusal> {
        self.has_room()?;
        self.backlog.admit(tenant, bytes)
    }

    /// What tenants use against what they may.
    pub(crate) fn quotas(&self) -> &Quotas {
        &self.quotas
    }

    /// How many conversations are in memory.
    pub fn lanes_active(&self) -> usize {
        self.lanes().len()
    }

    /// Hands events of one request to their conversation.
    pub(crate) fn arrived(
        self: &Arc<Self>,
        channel: &Arc<Channel>,
        key: ConversationKey,
        arrivals: Vec<Arrival>,
        accept_only: bool,
        form: &'static str,
    ) -> Waiting {
        let request = self.requests.fetch_add(1, Ordering::Relaxed);
        let (sender, answer) = oneshot::channel();
        let message = Message::Arrived { request, arrivals, accept_only, form, answer: sender };
        let lane = self.tell(channel, key, message);
        Waiting::new(request, lane, answer)
    }

    /// Hands an event to its conversation that is answered as soon as it is stored.
    /// `false` where it is not: whoever brought it may come again.
    pub(crate) async fn accept(
        self: &Arc<Self>,
        channel: &Arc<Channel>,
        key: ConversationKey,
        arrival: Arrival,
    ) -> bool {
        let mut waiting = self.arrived(channel, key, vec![arrival], true, "");
        let stored = matches!(waiting.answer().await, Answer::Reply(_));
        if stored {
            waiting.handed_over(true);
        }
        stored
    }

    /// Has dead letters sent again by their conversation. `false` where it is not
    /// served any more.
    pub fn redrive(self: &Arc<Self>, key: ConversationKey, letters: Vec<Row>) -> bool {
        let channel = self.channel(&key.channel);
        let Some(channel) = channel.filter(|channel| channel.tenant == key.tenant) else {
            return false;
        };
        self.tell(&channel, key, Message::Input(Input::Redrive(letters)));
        true
    }

    /// A channel was made anew: lanes in memory go on with it.
    pub fn renew(&self, channel: &Arc<Channel>) {
        let own = |key: &ConversationKey| key.channel == channel.id && key.tenant == channel.tenant;
        for (_, lane) in self.lanes().iter().filter(|(key, _)| own(key)) {
            // One that has just ended asks for its channel when it is woken.
            let _ = lane.send(Message::Renewed(Arc::clone(channel)));
        }
    }

    /// Has a human's words delivered, and the bot told of them.
    pub(crate) fn speak(
        self: &Arc<Self>,
        channel: &Arc<Channel>,
        key: ConversationKey,
        arrival: Arrival,
        rows: Vec<Row>,
    ) {
        let input = Input::Speak { arrival: Box::new(arrival), rows };
        self.tell(channel, key, Message::Input(input));
    }

    /// Looks after what is due, now and from now on.
    pub fn start_sweeping(self: &Arc<Self>) {
        tokio::spawn(sweep::run(Arc::downgrade(self)));
    }

    /// Gives channels what earlier hosts have kept for them: tokens and the like.
    pub async fn load_upkeep(&self) {
        for channel in self.kept_up() {
            upkeep::load(self, &channel).await;
        }
    }

    /// Looks after channels whose vendors want it, now and from now on.
    pub fn start_upkeep(self: &Arc<Self>) {
        self.keeps_up.store(true, Ordering::Release);
        for channel in self.kept_up() {
            tokio::spawn(upkeep::run(Arc::downgrade(self), channel));
        }
    }

    /// Looks after a channel that has just come, once the others are looked after.
    pub fn begin_upkeep(self: &Arc<Self>, channel: &Arc<Channel>) {
        if self.keeps_up.load(Ordering::Acquire) && channel.vendor().upkeep().is_some() {
            let (work, channel) = (Arc::clone(self), Arc::clone(channel));
            tokio::spawn(async move {
                upkeep::load(&work, &channel).await;
                upkeep::run(Arc::downgrade(&work), channel).await;
            });
        }
    }

    fn kept_up(&self) -> impl Iterator<Item = Arc<Channel>> {
        let channels = self.channels().into_iter();
        channels.filter(|channel| channel.vendor().upkeep().is_some())
    }

    fn is_active(&self, key: &ConversationKey) -> bool {
        self.lanes().contains_key(key)
    }

    /// Sends a message to a lane, which is woken if it sleeps in the store.
    fn tell(
        self: &Arc<Self>,
        channel: &Arc<Channel>,
        key: ConversationKey,
        message: Message,
    ) -> mpsc::UnboundedSender<Message> {
        let mut lanes = self.lanes();
        if channel.is_closed() || self.is_gone(&key.tenant) {
            // Whoever waits for an answer is refused by this: there is no lane any more.
            drop(message);
            return mpsc::unbounded_channel().0;
        }
        let message = match lanes.get(&key) {
            Some(lane) => match lane.send(message) {
                Ok(()) => return lane.clone(),
                Err(mpsc::error::SendError(message)) => message,
            },
            None => message,
        };
        let (lane, inbox) = mpsc::unbounded_channel();
        // Its receiver is in our hands, so this cannot fail.
        let _ = lane.send(message);
        lanes.insert(key.clone(), lane.clone());
        drop(lanes);
        let driver = Driver::new(Arc::clone(self), Arc::clone(channel), key, lane.clone(), inbox);
        tokio::spawn(driver.run());
        lane
    }

    /// Forgets a lane that has nothing to do, unless something has just come.
    fn forget(&self, key: &ConversationKey, inbox: &mpsc::UnboundedReceiver<Message>) -> bool {
        let mut lanes = self.lanes();
        if !inbox.is_empty() {
            return false;
        }
        lanes.remove(key);
        drop(lanes);
        self.lane_ended.notify_waiters();
        true
    }

    fn lanes(&self) -> MutexGuard<'_, HashMap<ConversationKey, mpsc::UnboundedSender<Message>>> {
        self.lanes.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
