//! Persons who write, and the systems of the tenant that speak into their
//! conversations: each event is sent until it is acknowledged.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use botyard_chance::Chance;
use serde_json::json;
use tokio::sync::watch;

use crate::external::{self, BYE, External};
use crate::mix::{Mix, Step, wants};
use crate::record::{Clock, Sent, Talk};
use crate::request::{Delivered, Event, Request, Whose, deliver};
use crate::stage::Address;
use crate::vendors::{Again, Channel, Late, Said, Vendor};
use crate::wire::Wire;

/// Who can be shown something only when they ask waits so long for what their last
/// words have begun.
const LINGERS: Duration = Duration::from_millis(600);
/// So often, and with such pauses, somebody looks whether the external bot has heard them.
const LOOKS: u32 = 200;
const LOOK: Duration = Duration::from_millis(50);

/// What all persons share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) shop: String,
    pub(crate) external: Arc<External>,
    pub(crate) mix: Mix,
    pub(crate) addresses: watch::Receiver<Option<Address>>,
    /// No more events: finish what was begun.
    pub(crate) stop: AtomicBool,
    /// Sendings that may still be made, repetitions included.
    pub(crate) budget: AtomicU64,
    pub(crate) acked: AtomicU64,
}

/// One after the other has conversations on a channel.
pub(crate) struct Person {
    world: Arc<World>,
    vendor: Arc<dyn Vendor>,
    chance: Chance,
    number: u64,
    wire: Wire,
    /// For what comes at the same time.
    other: Wire,
    talk: Talk,
    /// A second conversation, where a webhook may hold events of several.
    aside: Option<Talk>,
    /// What was said last, as it was sent.
    last: Option<Request>,
    /// What was said since the conversation was handed to the external bot, where it was.
    relayed: Option<BTreeSet<String>>,
    /// Events of this conversation.
    events: u64,
    /// Names given so far: they are unique over all conversations.
    named: u64,
}

/// Somebody comes back to a conversation and asks for what waits there. No two who do
/// anything have the same number.
pub(crate) async fn come_back(
    world: &Arc<World>,
    vendor: &Arc<dyn Vendor>,
    number: u64,
    talk: &mut Talk,
) {
    let mut person = Person::new(Arc::clone(world), Arc::clone(vendor), talk.channel, 0, number);
    std::mem::swap(&mut person.talk, talk);
    person.ask().await;
    std::mem::swap(&mut person.talk, talk);
}

impl Person {
    pub(crate) fn new(
        world: Arc<World>,
        vendor: Arc<dyn Vendor>,
        channel: &'static Channel,
        seed: u64,
        number: u64,
    ) -> Self {
        Self {
            world,
            vendor,
            chance: Chance::of(seed, number),
            number,
            wire: Wire::default(),
            other: Wire::default(),
            talk: Talk::new(channel, String::new()),
            aside: None,
            last: None,
            relayed: None,
            events: 0,
            named: 0,
        }
    }

    /// Speaks until all is to stop.
    pub(crate) async fn live(mut self) -> Vec<Talk> {
        let mut talks = Vec::new();
        while self.goes_on() {
            self.open(talks.len()).await;
            let most = self.world.mix.events_max;
            while self.goes_on() && self.events < most {
                self.step().await;
                let pause = self.world.mix.pause_ms;
                if pause > 0 {
                    let pause = self.chance.within(0, pause);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
            }
            self.close().await;
            let next = Talk::new(self.talk.channel, String::new());
            talks.push(std::mem::replace(&mut self.talk, next));
            talks.extend(self.aside.take());
        }
        talks
    }

    fn goes_on(&self) -> bool {
        !self.world.stop.load(Ordering::Relaxed) && self.world.budget.load(Ordering::Relaxed) > 0
    }

    async fn open(&mut self, count: usize) {
        self.events = 0;
        self.last = None;
        self.relayed = None;
        let channel = self.talk.channel;
        if channel.batches {
            self.begin(count + 1).await;
            let own = Talk::new(channel, String::new());
            self.aside = Some(std::mem::replace(&mut self.talk, own));
        }
        self.begin(count).await;
    }

    async fn begin(&mut self, count: usize) {
        let person = self.vendor.person(self.number << 16 | count as u64);
        self.talk = Talk::new(self.talk.channel, person);
        let name = self.name("m");
        for (name, webhook) in self.vendor.begin(&self.talk.person, &name) {
            self.send(Request::of(self.talk.channel, vec![Event::named(name)], webhook)).await;
        }
        self.talk.key = self.vendor.key(&self.talk.person);
    }

    /// The last words of a conversation.
    async fn close(&mut self) {
        let channel = self.talk.channel;
        if channel.hands_over {
            let last = self.name("m");
            let script = "; part; forward";
            let (text, wants) = (format!("{last}{script}"), wants(&last, script));
            let request = self.message(Event { wants, ..Event::named(last) }, &text);
            self.send(request).await;
            // Somebody else reads this.
            self.ask().await;
        }
        if channel.late == Late::NextAnswer {
            tokio::time::sleep(LINGERS).await;
            self.ask().await;
        }
    }

    async fn ask(&mut self) {
        let name = self.name("m");
        let request = self.message(Event::named(name.clone()), &name);
        self.send(request).await;
    }

    async fn step(&mut self) {
        match self.world.mix.step(&mut self.chance) {
            Step::Message { script, traps, leaves } => {
                let name = self.name("m");
                let text = self.world.mix.text(&name, &script, &self.world.shop);
                let wants = wants(&name, &script);
                let event = Event { traps, wants, ..Event::named(name) };
                let request = Request { leaves, ..self.message(event, &text) };
                self.send(request).await;
            }
            Step::Pair if self.aside.is_some() && self.chance.percent(50) => self.batch().await,
            Step::Pair => {
                let (one, two) = (self.name("m"), self.name("m"));
                let one = self.message(Event::named(one.clone()), &one);
                let two = self.message(Event::named(two.clone()), &two);
                self.send_both(two, one).await;
            }
            Step::Signal { again } => {
                let name = self.name("s");
                let body = json!({ "name": name }).to_string();
                for _ in 0..=u8::from(again) {
                    let (channel, key) = (self.talk.channel, &self.talk.key);
                    let signal = Request::signal(channel, key, Event::named(name.clone()), &body);
                    self.send(signal).await;
                }
            }
            Step::Relay if self.talk.channel.relays => self.relay().await,
            Step::Relay => self.ask().await,
            Step::Again => self.again().await,
        }
    }

    /// The conversation is handed to the external bot, or comes back from it.
    async fn relay(&mut self) {
        let Some(said) = self.relayed.take() else {
            self.message_with(&format!("; relay {}", external::NAME)).await;
            self.relayed = Some(BTreeSet::new());
            return;
        };
        let chat = if self.chance.percent(50) { self.chat_with(&said).await } else { None };
        let Some(chat) = chat else {
            self.message_with(BYE).await;
            return;
        };
        for _ in 0..=self.chance.within(0, 1) {
            let name = self.name("a");
            self.agent(&chat, Some(name)).await;
        }
        self.ask().await;
        self.agent(&chat, None).await;
    }

    /// The chat in which the external bot has heard one of these, if it does soon.
    async fn chat_with(&self, said: &BTreeSet<String>) -> Option<String> {
        if said.is_empty() {
            return None;
        }
        for _ in 0..LOOKS {
            if let Some(chat) = self.world.external.chat_with(said) {
                return Some(chat);
            }
            tokio::time::sleep(LOOK).await;
        }
        None
    }

    /// A live agent of the external bot says something, or leaves.
    async fn agent(&mut self, chat: &str, text: Option<String>) {
        let posted = self.world.external.agent(chat, text.as_deref());
        let (path, post) = posted.expect("a chat in which something was said");
        let event = Event::named(text.unwrap_or_else(|| external::left(chat)));
        self.send(Request::callback(&path, event, &post)).await;
    }

    async fn message_with(&mut self, script: &str) {
        let name = self.name("m");
        let text = format!("{name}{script}");
        let request = self.message(Event::named(name), &text);
        self.send(request).await;
    }

    /// What was acknowledged comes again, where there is something by which the host
    /// knows it.
    async fn again(&mut self) {
        match (self.talk.channel.again, self.last.clone()) {
            (Again::Start, _) => {
                for (name, webhook) in self.vendor.begin(&self.talk.person, "") {
                    let events = vec![Event::named(name)];
                    self.send(Request::of(self.talk.channel, events, webhook)).await;
                }
            }
            (Again::LastWord, Some(last)) => {
                self.send(Request { leaves: None, ..last }).await;
            }
            (Again::LastWord | Again::Nothing, _) => self.ask().await,
        }
    }

    /// Several messages in one webhook, also of two persons.
    async fn batch(&mut self) {
        let Some(aside) = &self.aside else { return };
        let (own, aside) = (self.talk.person.clone(), aside.person.clone());
        let whose: &[Whose] = match self.chance.within(0, 2) {
            0 => &[Whose::Own, Whose::Own],
            1 => &[Whose::Own, Whose::Aside],
            _ => &[Whose::Own, Whose::Aside, Whose::Own],
        };
        let mut events: Vec<Event> = Vec::new();
        for whose in whose.iter().copied() {
            let behind = events.iter().rev().find(|event| event.whose == whose);
            let behind = behind.map(|event| event.name.clone());
            let name = self.name("m");
            events.push(Event { whose, behind, ..Event::named(name) });
        }
        let said = events.iter().map(|event| {
            let person = if event.whose == Whose::Own { &own } else { &aside };
            Said { person, text: &event.name }
        });
        let webhook = self.vendor.say(&said.collect::<Vec<_>>());
        self.send(Request::of(self.talk.channel, events, webhook)).await;
    }

    fn name(&mut self, kind: &str) -> String {
        self.events += 1;
        self.named += 1;
        format!("{kind}{}-{}", self.number, self.named)
    }

    fn message(&self, event: Event, text: &str) -> Request {
        let webhook = self.vendor.say(&[Said { person: &self.talk.person, text }]);
        Request::of(self.talk.channel, vec![event], webhook)
    }

    async fn send(&mut self, request: Request) {
        let sent = deliver(&self.world, &*self.vendor, &mut self.wire, &request, 0).await;
        self.note(&request, sent);
        if request.webhook.is_some() {
            self.last = Some(request);
        }
    }

    /// The later one goes first, the other follows at once on another connection.
    async fn send_both(&mut self, first: Request, second: Request) {
        let (world, vendor) = (&self.world, &*self.vendor);
        let (one, two) = tokio::join!(
            deliver(world, vendor, &mut self.wire, &first, 0),
            deliver(world, vendor, &mut self.other, &second, 200),
        );
        self.talk.pairs += 1;
        self.note(&second, two);
        self.note(&first, one);
    }

    fn note(&mut self, request: &Request, delivered: Delivered) {
        let Delivered { begun_us, acked_us, sendings, shown, refusals } = delivered;
        self.talk.left += u64::from(request.leaves.is_some() && sendings > 1);
        self.talk.shown.extend(shown);
        self.talk.refusals.extend(refusals);
        for event in &request.events {
            let talk = match (event.whose, &mut self.aside) {
                (Whose::Aside, Some(aside)) => aside,
                _ => &mut self.talk,
            };
            talk.deliveries += sendings;
            let Event { name, traps, behind, wants, whose: _ } = event.clone();
            if let Some(relayed) = &mut self.relayed {
                relayed.insert(name.clone());
            }
            talk.sent.push(Sent { name, begun_us, acked_us, traps, behind, wants });
        }
    }
}
