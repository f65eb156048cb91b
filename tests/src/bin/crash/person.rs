//! Persons who write, and the systems of the tenant that speak into their
//! conversations: each event is sent until it is acknowledged.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use botyard_chance::Chance;
use botyard_tests::peers::userlike::{Account, Contact, packets};
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::mix::{Mix, Step};
use crate::record::{Clock, Sent, Shown, Talk, Way};
use crate::stage::{Address, HEADER, SECRET, SIGNAL_TOKEN};
use crate::wire::{Outcome, Wire};

/// Before a request is sent again.
const PAUSE: Duration = Duration::from_millis(5);

/// What all persons share.
#[derive(Debug)]
pub(crate) struct World {
    pub(crate) clock: Clock,
    pub(crate) account: Account,
    pub(crate) shop: String,
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
    chance: Chance,
    channel: &'static str,
    number: u64,
    wire: Wire,
    /// For what comes at the same time.
    other: Wire,
    talk: Talk,
    /// Events of this conversation.
    events: u64,
    /// Names given so far: they are unique over all conversations.
    named: u64,
}

/// A request, and how it is sent.
struct Request {
    name: String,
    traps: bool,
    bytes: Vec<u8>,
    /// The client leaves before the answer, the first time.
    leaves: Option<Duration>,
}

impl Person {
    pub(crate) fn new(world: Arc<World>, seed: u64, number: u64, channel: &'static str) -> Self {
        Self {
            world,
            chance: Chance::of(seed, number),
            channel,
            number,
            wire: Wire::default(),
            other: Wire::default(),
            talk: Talk::default(),
            events: 0,
            named: 0,
        }
    }

    /// Speaks until all is to stop.
    pub(crate) async fn live(mut self) -> Vec<Talk> {
        let mut talks = Vec::new();
        while self.goes_on() {
            self.open(talks.len());
            self.say("start", "start", json!({}), None).await;
            let most = self.world.mix.events_max;
            while self.goes_on() && self.events < most {
                self.step().await;
                let pause = self.world.mix.pause_ms;
                if pause > 0 {
                    let pause = self.chance.within(0, pause);
                    tokio::time::sleep(Duration::from_millis(pause)).await;
                }
            }
            talks.push(std::mem::take(&mut self.talk));
        }
        talks
    }

    fn goes_on(&self) -> bool {
        !self.world.stop.load(Ordering::Relaxed) && self.world.budget.load(Ordering::Relaxed) > 0
    }

    fn open(&mut self, count: usize) {
        let cid = format!("chatbot::612:{:08x}-{count:04x}", self.number);
        self.world.account.open(&cid, Contact::new());
        self.talk = Talk { channel: self.channel.to_owned(), cid, ..Talk::default() };
        self.events = 0;
    }

    async fn step(&mut self) {
        match self.world.mix.step(&mut self.chance) {
            Step::Message { script, traps, leaves } => {
                let name = self.name("m");
                let text = self.world.mix.text(&name, &script, &self.world.shop);
                let request = self.message(&name, &text, traps, leaves);
                self.send(request).await;
            }
            Step::Pair => {
                let (one, two) = (self.name("m"), self.name("m"));
                let one = self.message(&one, &one.clone(), false, None);
                let two = self.message(&two, &two.clone(), false, None);
                self.send_both(two, one).await;
            }
            Step::Signal { again } => {
                let name = self.name("s");
                let body = json!({ "name": name }).to_string();
                for _ in 0..=u8::from(again) {
                    let request = self.signal(&name, &body);
                    self.send(request).await;
                }
            }
            Step::StartAgain => self.say("start", "start", json!({}), None).await,
        }
    }

    fn name(&mut self, kind: &str) -> String {
        self.events += 1;
        self.named += 1;
        format!("{kind}{}-{}", self.number, self.named)
    }

    async fn say(&mut self, name: &str, packet: &str, payload: Value, leaves: Option<Duration>) {
        let bytes = self.webhook(packet, payload);
        self.send(Request { name: name.to_owned(), traps: false, bytes, leaves }).await;
    }

    fn message(&self, name: &str, text: &str, traps: bool, leaves: Option<Duration>) -> Request {
        let bytes = self.webhook("message", json!({ "body": text }));
        Request { name: name.to_owned(), traps, bytes, leaves }
    }

    /// A webhook as Userlike would send it now.
    fn webhook(&self, name: &str, payload: Value) -> Vec<u8> {
        let (cid, number) = (&self.talk.cid, self.number);
        let body = json!({
            "info": {
                "approach_mode": "normal",
                "cid": cid,
                "contact": { "id": 40_000 + number, "name": "", "email": "" },
                "context": self.world.account.context(cid),
                "conversation": {
                    "id": 990_000 + number,
                    "url": format!("https://app.example.invalid/conversations/{number}"),
                    "subject": "",
                    "topics": [],
                    "locale": "en",
                    "contact_channel": { "state": "valid", "type": "web" },
                },
                "widget": { "id": 5512, "name": "Shop widget" },
            },
            "packet": { "name": name, "payload": payload },
        });
        let path = format!("/webhooks/{}", self.channel);
        let header = format!("{HEADER}: {SECRET}\r\ncontent-type: application/json");
        http(&path, &header, &body.to_string())
    }

    fn signal(&self, name: &str, body: &str) -> Request {
        let path = format!("/v1/channels/{}/conversations/{}/signals", self.channel, self.talk.cid);
        let header = format!("authorization: Bearer {SIGNAL_TOKEN}\r\nidempotency-key: {name}");
        let bytes = http(&path, &header, body);
        Request { name: name.to_owned(), traps: false, bytes, leaves: None }
    }

    async fn send(&mut self, request: Request) {
        let sent = deliver(&self.world, &mut self.wire, &request, 0).await;
        self.note(request, sent);
    }

    /// The later one goes first, the other follows at once on another connection.
    async fn send_both(&mut self, first: Request, second: Request) {
        let (one, two) = tokio::join!(
            deliver(&self.world, &mut self.wire, &first, 0),
            deliver(&self.world, &mut self.other, &second, 200),
        );
        self.talk.pairs += 1;
        self.note(second, two);
        self.note(first, one);
    }

    fn note(&mut self, request: Request, delivered: Delivered) {
        let Delivered { begun_us, acked_us, sendings, shown, refusals } = delivered;
        self.talk.deliveries += sendings;
        self.talk.left += u64::from(request.leaves.is_some() && sendings > 1);
        self.talk.shown.extend(shown);
        self.talk.refusals.extend(refusals);
        let Request { name, traps, .. } = request;
        self.talk.sent.push(Sent { name, begun_us, acked_us, traps });
    }
}

/// What came of an event.
struct Delivered {
    begun_us: u64,
    acked_us: u64,
    sendings: u64,
    shown: Vec<Shown>,
    refusals: Vec<String>,
}

/// Sends the same bytes until a whole 2xx was read.
async fn deliver(world: &World, wire: &mut Wire, request: &Request, after_us: u64) -> Delivered {
    if after_us > 0 {
        tokio::time::sleep(Duration::from_micros(after_us)).await;
    }
    let mut addresses = world.addresses.clone();
    let mut delivered = Delivered {
        begun_us: world.clock.now(),
        acked_us: 0,
        sendings: 0,
        shown: Vec::new(),
        refusals: Vec::new(),
    };
    loop {
        // The stage outlives all persons.
        let Ok(found) = addresses.wait_for(Option::is_some).await.map(|found| *found) else {
            return delivered;
        };
        let Some(address) = found else { continue };
        delivered.sendings += 1;
        world
            .budget
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| Some(left.saturating_sub(1)))
            .ok();
        let leaves = request.leaves.filter(|_| delivered.sendings == 1);
        match wire.post(address.host, &request.bytes, leaves).await {
            Outcome::Whole { status: 200..=299, body } => {
                delivered.acked_us = world.clock.now();
                world.acked.fetch_add(1, Ordering::Relaxed);
                take(world, address, &body, &mut delivered);
                return delivered;
            }
            Outcome::Whole { status: 503 | 429, .. } | Outcome::Broken => {
                tokio::time::sleep(PAUSE).await;
            }
            Outcome::Whole { status, body } => {
                let text = String::from_utf8_lossy(&body);
                delivered.refusals.push(format!("{}: {status} {text}", request.name));
                return delivered;
            }
        }
    }
}

/// What rode in an answer.
fn take(world: &World, address: Address, body: &[u8], delivered: &mut Delivered) {
    if !body.starts_with(b"[") {
        return;
    }
    match packets(body) {
        Ok(packets) => {
            let (at_us, life, way) = (delivered.acked_us, address.life, Way::Answer);
            let whats = packets.iter().filter_map(crate::story::what_of).enumerate();
            let shown = whats.map(|(place, what)| Shown { at_us, place, life, way, what });
            delivered.shown.extend(shown);
            world.account.take(&packets);
        }
        Err(reason) => delivered.refusals.push(format!("Userlike refuses an answer: {reason}")),
    }
}

fn http(path: &str, header: &str, body: &str) -> Vec<u8> {
    let length = body.len();
    format!(
        "POST {path} HTTP/1.1\r\nhost: botyard\r\n{header}\r\ncontent-length: {length}\r\n\r\n\
         {body}"
    )
    .into_bytes()
}
