//! Everything that a run consists of: a virtual clock, steps in the order of their
//! times, vendors, a store, and a host that may die between any two steps.

use std::collections::{BTreeMap, BTreeSet};

use botyard_kernel::id::PartId;
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Arrival, Outcome, SkipReason, Turn};
use botyard_kernel::outbox::{Paused, RequestId};
use botyard_kernel::time::Millis;

use crate::Done;
use crate::asks::Asking;
use crate::calls::{Left, Told};
use crate::chance::{NOTHING, add, of_seed};
use crate::desk::Desk;
use crate::external::{self, External};
use crate::host::Host;
use crate::run::Run;
use crate::shown::Shown;
use crate::site::Site;
use crate::store::Write;
use crate::webhook::{Answer, Connection, Saying, Webhook};
use botyard_chance::Chance;
use botyard_log::Log;

const BEGIN: Millis = 1_700_000_000_000;
/// Names the chance of what concerns external bots.
const EXTERNAL: u64 = 1;
/// The store is looked through for what is due this often.
pub(crate) const SWEEP_MS: Millis = 5_000;

/// Names a connection of a vendor with the host.
pub(crate) type ConnectionId = u64;
/// Names one life of a lane in memory: what was asked for in an earlier one is void.
pub(crate) type Life = u64;

pub(crate) struct World {
    pub(crate) chance: Chance,
    pub(crate) now: Millis,
    pub(crate) site: Site,
    pub(crate) external: External,
    pub(crate) weather: Weather,
    /// By conversation.
    pub(crate) logs: Vec<Log>,
    pub(crate) desks: Vec<Desk>,
    pub(crate) webhooks: Vec<Webhook>,
    /// Conversations that their persons have begun anew as others.
    pub(crate) moved: BTreeMap<usize, usize>,
    pub(crate) connections: BTreeMap<ConnectionId, Connection>,
    /// Which connection waits for which answer.
    pub(crate) waits: BTreeMap<RequestId, ConnectionId>,
    /// By time, then by chance.
    pub(crate) steps: BTreeMap<At, Step>,
    /// The host that is alive, if one is.
    pub(crate) host: Option<Host>,
    /// Steps of the conversation that is stuck: they do not end before the others
    /// are at rest.
    pub(crate) held: Vec<Step>,
    pub(crate) stuck: Option<usize>,
    /// What operators have stopped, by channel.
    pub(crate) paused: Vec<Paused>,
    /// Nothing goes wrong any more.
    pub(crate) calm: bool,
    /// The store takes nothing before this.
    pub(crate) full_until: Millis,
    /// Rows whose end a store has written before it failed: it may stand in a log twice.
    pub(crate) rewritten: BTreeSet<PartId>,
    pub(crate) crashes: u32,
    pub(crate) requests: RequestId,
    /// Calls of bots that came in at the shop, by their idempotency keys.
    pub(crate) shop: BTreeMap<String, String>,
    pub(crate) lives: Life,
    pub(crate) story: Story,
    pub(crate) numbered_connections: ConnectionId,
    numbered: u64,
}

/// When a step happens: its time, chance among those of the same time, its number.
pub(crate) type At = (Millis, u64, u64);

/// How rough a run is.
pub(crate) struct Weather {
    /// Of a hundred writes, so many fail.
    pub(crate) store_percent: u64,
    /// Of a hundred vendor calls, so many fail in one way or another.
    pub(crate) vendor_percent: u64,
    /// Of a hundred answers, so many are not handed over whole.
    pub(crate) answer_percent: u64,
    /// Of a hundred runs, so many fail by the host's fault.
    pub(crate) run_percent: u64,
    /// Of ten thousand steps, the host dies after so many.
    pub(crate) crash_myriad: u64,
    /// Runs at the same time.
    pub(crate) permits: usize,
    /// Of conversations whose events have ids, so many that wait are read at once.
    pub(crate) read_max: usize,
    /// A lane without work stays in memory for so long.
    pub(crate) idle_ms: Millis,
    /// A lane that waits for something later than this sleeps in the store.
    pub(crate) horizon_ms: Millis,
}

/// Something that happens at its time.
pub(crate) enum Step {
    /// A person or somebody else does something.
    Say { conversation: usize, saying: Saying },
    /// A vendor posts a webhook, for the first time or again.
    Post { webhook: usize, duplicate: bool },
    /// A vendor does not wait any longer.
    Leave { connection: ConnectionId },
    /// An answer is on its way: the host learns whether it went out whole.
    Handed { connection: ConnectionId, whole: bool },
    /// A vendor reads an answer.
    Read { webhook: usize, conversation: usize, answer: Answer },
    /// The store does, or does not do, what it was asked for.
    Write { conversation: usize, life: Life, write: Write },
    /// A lane is told how something ended.
    Tell { conversation: usize, life: Life, input: Input },
    /// A bot has come to its next call or to its end.
    RunEnds { run: Box<Run> },
    /// The time of a turn is over.
    OutOfTime { conversation: usize, life: Life, run: u64 },
    /// A tenant's rate lets turns begin again.
    Permits,
    /// A call comes in at a vendor.
    Call { conversation: usize, life: Life, left: Box<Left> },
    /// A question comes in at an external bot.
    Ask { conversation: usize, life: Life, asking: Box<Asking> },
    /// So does the news that an event was taken.
    Acknowledge { conversation: usize, life: Life, told: Box<Told> },
    /// A lane wants to be woken.
    Wake { conversation: usize, life: Life },
    /// The host looks for conversations that are due.
    Sweep,
    /// A host starts.
    Boot,
    /// Another host accepts an event.
    Foreign { conversation: usize },
    /// An operator pauses a channel or its bot, or resumes both.
    Pause { channel: usize, bot: bool, on: bool },
    /// An operator has dead letters sent again.
    Redrive { conversation: usize },
}

/// What happened, for whoever wants to read it, and its sum for whoever compares.
pub(crate) struct Story {
    pub(crate) told: bool,
    pub(crate) sum: u64,
}

impl World {
    pub(crate) fn new(seed: u64, only: Option<&str>, told: bool) -> Self {
        let mut chance = of_seed(seed);
        // Of its own, so that runs without external bots are what they always were.
        let mut aside = Chance::of(seed, EXTERNAL);
        let external = External::draw(&mut aside);
        let site = Site::draw(only, &mut chance, &mut aside);
        let weather = Weather::draw(&mut chance);
        let count = site.conversations.len();
        let stuck = (count > 1 && chance.percent(25)).then(|| chance.pick(count));
        let mut world = Self {
            chance,
            now: BEGIN,
            weather,
            logs: (0..count).map(|_| Log::default()).collect(),
            desks: (0..count).map(Desk::of).collect(),
            paused: vec![Paused::default(); site.channels.len()],
            site,
            external,
            webhooks: Vec::new(),
            moved: BTreeMap::new(),
            connections: BTreeMap::new(),
            waits: BTreeMap::new(),
            steps: BTreeMap::new(),
            host: None,
            held: Vec::new(),
            stuck,
            calm: false,
            full_until: 0,
            rewritten: BTreeSet::new(),
            crashes: 0,
            requests: 0,
            shop: BTreeMap::new(),
            lives: 0,
            story: Story { told, sum: NOTHING },
            numbered_connections: 0,
            numbered: 0,
        };
        world.tell_the_site();
        world.boot();
        world.plan_the_day();
        world
    }

    fn tell_the_site(&mut self) {
        let places: Vec<_> = self.site.conversations.iter().map(|it| it.channel).collect();
        for (number, channel) in self.site.channels.iter().enumerate() {
            let has = (0..places.len()).filter(|place| places[*place] == number);
            let (has, rules): (Vec<_>, _) = (has.collect(), &channel.rules);
            let vendor = channel.vendor.name();
            self.story.tell(0, &format!("{vendor} has the conversations {has:?}: {rules:?}"));
        }
    }

    /// How much time has passed.
    pub(crate) fn passed(&self) -> Millis {
        self.now - BEGIN
    }

    /// What was done with each vendor.
    pub(crate) fn done(&self) -> BTreeMap<&'static str, Done> {
        let mut all: BTreeMap<_, Done> = BTreeMap::new();
        for (conversation, (log, desk)) in self.logs.iter().zip(&self.desks).enumerate() {
            let done = all.entry(self.site.channel_of(conversation).vendor.name()).or_default();
            let answered = desk.received.iter().filter(|(_, rode)| *rode).count();
            done.turns += log.turns().count();
            done.answered += answered;
            done.called += desk.received.len() - answered;
            done.heard += desk.acknowledged.len();
            done.rode += desk.shown.values().filter(|it| !matches!(it, Shown::Text(_))).count();
            done.missed += log.settled().map(|(_, settled)| settled.by_call.len()).sum::<usize>();
        }
        let external = self.external_done();
        if external.turns > 0 {
            all.insert(external::NAME, external);
        }
        all
    }

    /// What was done with external bots.
    fn external_done(&self) -> Done {
        let relayed = Outcome::Skipped(SkipReason::Relayed);
        let turns = self.logs.iter().flat_map(Log::turns).map(|(_, turn)| turn);
        let relayed: Vec<_> = turns.filter(|turn| turn.outcome == relayed).collect();
        let own = |turn: &&Turn| turn.state.rows.iter().filter(|row| row.turn == turn.id).count();
        let called = relayed.iter().map(own).sum();
        let heard = self.external.chats.iter().map(|chat| chat.heard.len()).sum();
        Done { turns: relayed.len(), called, heard, ..Done::default() }
    }

    /// Whether something goes wrong now that does so often.
    pub(crate) fn goes_wrong(&mut self, percent: u64) -> bool {
        !self.calm && self.chance.percent(percent)
    }

    pub(crate) fn after(&mut self, pause: Millis, step: Step) -> At {
        self.numbered += 1;
        let at = (self.now + pause, self.chance.number(), self.numbered);
        self.steps.insert(at, step);
        at
    }

    /// Does the next step; false where there is none.
    pub(crate) fn step(&mut self) -> bool {
        let Some((at, step)) = self.steps.pop_first() else { return false };
        self.now = self.now.max(at.0);
        if self.is_held(&step) {
            self.held.push(step);
            return true;
        }
        self.happen(step);
        if !self.calm
            && self.host.is_some()
            && self.chance.below(10_000) < self.weather.crash_myriad
        {
            self.crash();
        }
        true
    }

    fn happen(&mut self, step: Step) {
        match step {
            Step::Say { conversation, saying } => self.say(conversation, saying),
            Step::Post { webhook, duplicate } => self.post(webhook, duplicate),
            Step::Leave { connection } => self.leave(connection),
            Step::Handed { connection, whole } => self.handed(connection, whole),
            Step::Read { webhook, conversation, answer } => {
                self.read_answer(webhook, conversation, &answer);
            }
            Step::Write { conversation, life, write } => self.end_write(conversation, life, write),
            Step::Tell { conversation, life, input } => self.tell_lane(conversation, life, input),
            Step::RunEnds { run } => self.go_on(*run),
            Step::OutOfTime { conversation, life, run } => {
                self.out_of_time(conversation, life, run);
            }
            Step::Permits => self.hand_out_permits(),
            Step::Call { conversation, life, left } => {
                self.call_comes_in(conversation, life, &left);
            }
            Step::Ask { conversation, life, asking } => {
                self.question_comes_in(conversation, life, &asking);
            }
            Step::Acknowledge { conversation, life, told } => {
                self.acknowledgement_comes_in(conversation, life, &told);
            }
            Step::Wake { conversation, life } => self.wake(conversation, life),
            Step::Sweep => self.sweep(),
            Step::Boot => self.boot(),
            Step::Foreign { conversation } => self.foreign(conversation),
            Step::Pause { channel, bot, on } => self.pause(channel, bot, on),
            Step::Redrive { conversation } => self.redrive(conversation),
        }
    }

    /// What is stuck: runs and calls of one conversation.
    fn is_held(&self, step: &Step) -> bool {
        match step {
            Step::RunEnds { run } => self.stuck == Some(run.conversation),
            Step::Call { conversation, .. } | Step::Ask { conversation, .. } => {
                self.stuck == Some(*conversation)
            }
            Step::Say { .. }
            | Step::Post { .. }
            | Step::Leave { .. }
            | Step::Handed { .. }
            | Step::Read { .. }
            | Step::Write { .. }
            | Step::Tell { .. }
            | Step::Acknowledge { .. }
            | Step::Wake { .. }
            | Step::OutOfTime { .. }
            | Step::Permits
            | Step::Sweep
            | Step::Boot
            | Step::Foreign { .. }
            | Step::Pause { .. }
            | Step::Redrive { .. } => false,
        }
    }

    pub(crate) fn tell(&mut self, what: impl FnOnce() -> String) {
        let passed = self.passed();
        self.story.tell(passed, &what());
    }

    /// Events of a webhook as the host numbers them at this try.
    pub(crate) fn event_id(webhook: usize, part: usize, tries: u32) -> String {
        format!("w{webhook}p{part}t{tries}")
    }

    /// Whether some try of this part of a webhook is on stable storage.
    pub(crate) fn is_stored(&self, conversation: usize, webhook: usize, part: usize) -> bool {
        let stem = format!("w{webhook}p{part}t");
        self.logs[conversation].arrivals().any(|(_, it)| has_stem(it, &stem))
    }
}

/// Whether an event comes from a webhook, at whatever try.
pub(crate) fn has_stem(arrival: &Arrival, stem: &str) -> bool {
    arrival.event.id.as_str().starts_with(stem)
}

impl Weather {
    fn draw(chance: &mut Chance) -> Self {
        // A store that works must be seen under vendors that do not, and the other way round.
        let [rough, store] = [chance.below(4), chance.below(4)];
        let permits = [1, 2, 8][chance.pick(3)];
        Self {
            store_percent: store * 3,
            vendor_percent: rough * 12,
            answer_percent: rough * 8,
            run_percent: rough * 3,
            crash_myriad: [0, 15, 40, 150][chance.pick(4)],
            // One is never enough where a conversation may be stuck in its run.
            permits: permits + 1,
            read_max: if chance.percent(30) { 2 } else { 500 },
            idle_ms: [100, 1_000, 5_000, 30_000][chance.pick(4)],
            horizon_ms: [0, 1_000, 60_000][chance.pick(3)],
        }
    }
}

impl Story {
    fn tell(&mut self, passed: Millis, what: &str) {
        self.sum = add(add(self.sum, &passed.to_be_bytes()), what.as_bytes());
        if self.told {
            println!("{passed:>9} {what}");
        }
    }
}
