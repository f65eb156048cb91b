//! Several hosts keep up one channel, with a store and a vendor that fail, hosts
//! that die, and a virtual clock: seeded stories.

use std::cell::RefCell;
use std::collections::BTreeMap;

use botyard_chance::Chance;
use botyard_kernel::destination::Admission;
use botyard_kernel::id::Digest;
use botyard_kernel::time::{HOUR, MINUTE, Millis, SECOND};
use botyard_kernel::upkeep::{
    CALL_MAX_MS, Chore, Chores, Effect, Ended, HOPELESS_MS, Input, Kept, LOOK_MS, Upkeep,
};

const HOSTS: usize = 3;
/// The vendor's tokens are good for so long, and renewed after half of it.
const TOKEN_MS: Millis = 2 * HOUR;

/// The state is the time at which the token was made.
struct Tokens;

impl Chores for Tokens {
    fn wanted(&self, state: &str) -> Vec<Chore> {
        let Ok(made) = state.parse::<Millis>() else {
            return vec![Chore { name: "create", due_ms: 0 }];
        };
        vec![Chore { name: "renew", due_ms: made + TOKEN_MS / 2 }]
    }

    /// A refused token is none.
    fn without(&self, state: &str, refused: &str, _: Millis) -> Option<String> {
        (state == refused && !state.is_empty()).then(String::new)
    }
}

struct Host {
    machine: Upkeep,
    life: u32,
    uses: Option<String>,
    /// When its call left, until it ended.
    calls_since: Option<Millis>,
}

struct World {
    chance: Chance,
    now: Millis,
    stored: Kept,
    /// What each host has read or written last.
    seen: Vec<Kept>,
    hosts: Vec<Host>,
    /// What comes to hosts, in order of time.
    coming: BTreeMap<(Millis, u64), (usize, u32, Come)>,
    count: u64,
    /// Percent of what can go wrong that does.
    weather: u64,
    calls: u32,
    failed: RefCell<Vec<(u32, bool)>>,
}

enum Come {
    Write(Kept),
    Read,
    Call,
}

impl World {
    fn new(seed: u64, weather: u64) -> Self {
        let host = |n: usize| Host {
            machine: Upkeep::new(Digest::of(&n.to_be_bytes())),
            life: 0,
            uses: None,
            calls_since: None,
        };
        Self {
            chance: Chance::new(seed),
            now: 1,
            stored: Kept::default(),
            seen: vec![Kept::default(); HOSTS],
            hosts: (0..HOSTS).map(host).collect(),
            coming: BTreeMap::new(),
            count: 0,
            weather,
            calls: 0,
            failed: RefCell::default(),
        }
    }

    fn after(&mut self, pause: Millis, host: usize, come: Come) {
        self.count += 1;
        let life = self.hosts[host].life;
        self.coming.insert((self.now + pause, self.count), (host, life, come));
    }

    fn latency(&mut self) -> Millis {
        let slow = self.chance.percent(self.weather / 4);
        self.chance.below(if slow { 3 * CALL_MAX_MS } else { 2 * SECOND })
    }

    fn goes_wrong(&mut self) -> bool {
        self.chance.percent(self.weather)
    }

    fn feed(&mut self, host: usize, input: Input) {
        for effect in self.hosts[host].machine.on(input, &Tokens, self.now) {
            self.perform(host, effect);
        }
    }

    fn perform(&mut self, host: usize, effect: Effect) {
        match effect {
            Effect::Read => {
                let pause = self.latency();
                self.after(pause, host, Come::Read);
            }
            Effect::Write(kept) => {
                let pause = self.latency();
                self.after(pause, host, Come::Write(kept));
            }
            Effect::Use(state) => self.hosts[host].uses = Some(state),
            Effect::Ask { ticket: _ } => {
                let admission = if self.goes_wrong() {
                    Admission::Wait { until_ms: self.now + SECOND, ticket: true }
                } else {
                    Admission::Go
                };
                self.feed(host, Input::Admitted(admission));
            }
            Effect::Call { .. } => {
                self.one_call_at_a_time();
                self.hosts[host].calls_since = Some(self.now);
                self.calls += 1;
                let pause = self.latency();
                self.after(pause, host, Come::Call);
            }
            Effect::Failed { tries, hopeless, .. } => {
                self.failed.borrow_mut().push((tries, hopeless))
            }
        }
    }

    /// Whoever else calls has had more than the time for it.
    fn one_call_at_a_time(&self) {
        let others = self.hosts.iter().filter_map(|other| other.calls_since);
        for since in others {
            assert!(self.now >= since + CALL_MAX_MS, "two calls at once");
        }
    }

    fn comes(&mut self, host: usize, come: Come) {
        match come {
            Come::Read if self.goes_wrong() => self.feed(host, Input::StoreFailed),
            Come::Read => {
                self.seen[host] = self.stored.clone();
                self.feed(host, Input::Read(self.stored.clone()));
            }
            Come::Write(kept) => {
                let fails = self.goes_wrong();
                let written = self.seen[host] == self.stored && !(fails && self.chance.percent(50));
                if written {
                    self.stored = kept.clone();
                    self.seen[host] = kept;
                }
                let input = match (fails, written) {
                    (true, _) => Input::StoreFailed,
                    (false, true) => Input::Written,
                    (false, false) => Input::Outrun,
                };
                self.feed(host, input);
            }
            Come::Call => {
                self.hosts[host].calls_since = None;
                let ended = if !self.goes_wrong() {
                    Ended::Done(self.now.to_string())
                } else if self.chance.percent(10) {
                    Ended::Hopeless("nobody knows us".to_owned())
                } else if self.chance.percent(10) {
                    let (state, reason) = (self.now.to_string(), "not this one".to_owned());
                    Ended::PutOff { state, reason }
                } else {
                    Ended::Retry { after_ms: None, reason: "not now".to_owned() }
                };
                self.feed(host, Input::Called(ended));
            }
        }
    }

    fn play(&mut self, until: Millis) {
        while self.now < until {
            let wakes = self.hosts.iter().map(|host| host.machine.wake_at(&Tokens));
            let wake = wakes.flatten().min().unwrap_or(Millis::MAX).max(self.now);
            let next = self.coming.first_key_value().map_or(Millis::MAX, |((at, _), _)| *at);
            if next.min(wake) > until {
                self.now = until;
                return;
            }
            if next <= wake {
                let Some(((at, _), (host, life, come))) = self.coming.pop_first() else { return };
                self.now = self.now.max(at);
                if self.hosts[host].life == life {
                    self.comes(host, come);
                }
            } else {
                self.now = wake;
                for host in 0..HOSTS {
                    self.feed(host, Input::Wake);
                }
            }
            if self.chance.percent(self.weather / 10) {
                let host = self.chance.pick(HOSTS);
                self.refused(host);
            }
            if self.chance.percent(self.weather / 10) {
                let host = self.chance.pick(HOSTS);
                self.die(host);
            }
        }
    }

    /// A call of a conversation was refused, with the token of this host.
    fn refused(&mut self, host: usize) {
        if let Some(token) = self.hosts[host].uses.clone() {
            self.feed(host, Input::Refused(token));
        }
    }

    /// A host dies and another one starts in its place. Its call may still go on.
    fn die(&mut self, host: usize) {
        let place = &mut self.hosts[host];
        place.machine = Upkeep::new(Digest::of(&place.life.to_be_bytes()));
        place.life += 1;
        place.uses = None;
        place.calls_since = None;
        self.seen[host] = Kept::default();
    }

    fn token_is_good(&self) -> bool {
        self.stored.state.parse::<Millis>().is_ok_and(|made| self.now < made + TOKEN_MS)
    }
}

#[test]
fn one_host_calls_and_all_use_what_came_of_it() {
    let mut world = World::new(1, 0);
    world.play(10 * HOUR);
    assert!((9..=11).contains(&world.calls), "{} calls in ten hours", world.calls);
    assert!(world.failed.borrow().is_empty());
    for host in &world.hosts {
        assert_eq!(host.uses.as_ref(), Some(&world.stored.state));
    }
}

#[test]
fn whatever_happens_one_call_is_made_at_a_time_and_the_token_comes_back() {
    for seed in 0..400 {
        let mut world = World::new(seed, 10 + seed % 40);
        world.play(5 * HOUR);
        world.weather = 0;
        world.play(5 * HOUR + HOPELESS_MS + LOOK_MS + 4 * CALL_MAX_MS);
        assert!(world.token_is_good(), "seed {seed}: no token");
        for host in &world.hosts {
            let made = host.uses.as_ref().and_then(|uses| uses.parse::<Millis>().ok());
            let good = made.is_some_and(|made| world.now < made + TOKEN_MS);
            assert!(good, "seed {seed}: a host uses {:?}", host.uses);
        }
    }
}

#[test]
fn a_chore_that_fails_is_tried_again_later_and_later() {
    let mut world = World::new(3, 0);
    world.play(MINUTE);
    let before = world.calls;
    // From now on the vendor says no, and nothing else goes wrong.
    let mut at = Vec::new();
    let mut machine = Upkeep::new(Digest::of(b"one"));
    let mut now = world.now;
    let mut kept = Kept::default();
    let mut inputs = vec![Input::Wake];
    while at.len() < 6 {
        let Some(input) = inputs.pop() else {
            now = machine.wake_at(&Tokens).expect("it tries again").max(now);
            inputs.push(Input::Wake);
            continue;
        };
        for effect in machine.on(input, &Tokens, now) {
            inputs.push(match effect {
                Effect::Read => Input::Read(kept.clone()),
                Effect::Write(new) => {
                    kept = new;
                    Input::Written
                }
                Effect::Ask { ticket: _ } => Input::Admitted(Admission::Go),
                Effect::Call { .. } => {
                    at.push(now);
                    Input::Called(if at.len() == 5 {
                        Ended::Hopeless("never".to_owned())
                    } else {
                        Ended::Retry { after_ms: Some(5 * SECOND), reason: "no".to_owned() }
                    })
                }
                Effect::Use(_) | Effect::Failed { .. } => continue,
            });
        }
    }
    assert_eq!(before, 1);
    let pauses: Vec<Millis> = at.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(pauses[..4].iter().all(|pause| (5 * SECOND..=MINUTE).contains(pause)), "{pauses:?}");
    assert!(pauses[4] >= HOPELESS_MS, "{pauses:?}");
}

#[test]
fn what_the_vendor_gave_is_not_lost_with_a_write() {
    let mut machine = Upkeep::new(Digest::of(b"one"));
    let old = Kept { state: "0".to_owned(), ..Kept::default() };
    let (mut stored, mut fails, mut uses) = (old, false, String::new());
    let (mut calls, mut failures) = (0, 0);
    let mut now = TOKEN_MS / 2;
    let mut inputs = vec![Input::Wake];
    while stored.state == "0" {
        let Some(input) = inputs.pop() else {
            assert!(failures == 0 || uses != "0", "the new one holds at once");
            now = machine.wake_at(&Tokens).expect("it writes again").max(now);
            fails = failures < 3;
            inputs.push(Input::Wake);
            continue;
        };
        for effect in machine.on(input, &Tokens, now) {
            inputs.push(match effect {
                Effect::Read => Input::Read(stored.clone()),
                Effect::Write(_) if fails => {
                    failures += 1;
                    Input::StoreFailed
                }
                Effect::Write(new) => {
                    stored = new;
                    Input::Written
                }
                Effect::Ask { .. } => Input::Admitted(Admission::Go),
                Effect::Call { state, .. } => {
                    assert_eq!(state, "0", "the vendor ends the old one with this call");
                    calls += 1;
                    fails = true;
                    Input::Called(Ended::Done(now.to_string()))
                }
                Effect::Use(state) => {
                    uses = state;
                    continue;
                }
                Effect::Failed { .. } => unreachable!("no call fails"),
            });
        }
    }
    assert_eq!((calls, failures, &uses), (1, 3, &stored.state));
}

/// A machine whose store and line never fail, with what it calls.
struct Lone<'a> {
    machine: Upkeep,
    chores: &'a dyn Chores,
    kept: Kept,
    now: Millis,
    called: Vec<(&'static str, Millis)>,
}

impl<'a> Lone<'a> {
    fn new(chores: &'a dyn Chores, state: &str) -> Self {
        let kept = Kept { state: state.to_owned(), ..Kept::default() };
        let machine = Upkeep::new(Digest::of(b"one"));
        Self { machine, chores, kept, now: 1, called: Vec::new() }
    }

    fn feed(&mut self, input: Input, ends: &dyn Fn(&str, &str) -> Ended) {
        let mut inputs = vec![input];
        while let Some(input) = inputs.pop() {
            for effect in self.machine.on(input, self.chores, self.now) {
                inputs.push(match effect {
                    Effect::Read => Input::Read(self.kept.clone()),
                    Effect::Write(new) => {
                        self.kept = new;
                        Input::Written
                    }
                    Effect::Ask { ticket: _ } => Input::Admitted(Admission::Go),
                    Effect::Call { chore, state } => {
                        self.called.push((chore, self.now));
                        Input::Called(ends(chore, &state))
                    }
                    Effect::Use(_) | Effect::Failed { .. } => continue,
                });
            }
        }
    }

    fn play(&mut self, until: Millis, ends: &dyn Fn(&str, &str) -> Ended) {
        while let Some(at) = self.machine.wake_at(self.chores).filter(|at| *at <= until) {
            self.now = self.now.max(at);
            self.feed(Input::Wake, ends);
        }
        self.now = until;
    }
}

/// Something that the vendor refuses for good, and a look that is due each hour.
struct Two;

impl Chores for Two {
    fn wanted(&self, state: &str) -> Vec<Chore> {
        let looked: Millis = state.parse().unwrap_or(0);
        vec![Chore { name: "refused", due_ms: 0 }, Chore { name: "look", due_ms: looked + HOUR }]
    }
}

#[test]
fn a_chore_that_cannot_be_done_steps_aside_for_the_others() {
    let mut lone = Lone::new(&Two, "");
    let now = std::cell::Cell::new(0);
    for hour in 1..=10 {
        now.set(hour * HOUR);
        lone.play(hour * HOUR, &|chore, _| match chore {
            "refused" => Ended::Hopeless("never".to_owned()),
            _ => Ended::Done(now.get().to_string()),
        });
    }
    let count = |name: &str| lone.called.iter().filter(|(chore, _)| *chore == name).count();
    assert!((9..=10).contains(&count("look")), "{:?}", lone.called);
    assert!((9..=11).contains(&count("refused")), "tried each hour: {:?}", lone.called);
    assert_eq!(lone.kept.failed["refused"].tries as usize, count("refused"));
}

#[test]
fn a_refused_credential_is_replaced_at_once_and_only_once() {
    let mut lone = Lone::new(&Tokens, &HOUR.to_string());
    lone.now = HOUR + MINUTE;
    let ends = |_: &str, _: &str| Ended::Done((HOUR + MINUTE).to_string());
    lone.feed(Input::Wake, &ends);
    assert_eq!(lone.called, []);
    // Several conversations hear the same, and one hears late.
    for _ in 0..3 {
        lone.feed(Input::Refused(HOUR.to_string()), &ends);
    }
    assert_eq!(lone.called, [("create", HOUR + MINUTE)]);
    assert_eq!(lone.kept.state, (HOUR + MINUTE).to_string());
}

/// Three things to register, one after the other; each that is refused is put off.
struct Three;

impl Chores for Three {
    fn wanted(&self, state: &str) -> Vec<Chore> {
        let tried: u64 = state.parse().unwrap_or(0);
        vec![Chore { name: "register", due_ms: tried / 3 * HOUR }]
    }
}

#[test]
fn what_is_put_off_does_not_hold_up_the_next_of_its_kind() {
    let mut lone = Lone::new(&Three, "");
    let ends = |_: &str, state: &str| Ended::PutOff {
        state: (state.parse().unwrap_or(0) + 1).to_string(),
        reason: "unknown".to_owned(),
    };
    lone.play(HOUR - 1, &ends);
    assert_eq!(lone.called.len(), 3, "each of them at once: {:?}", lone.called);
    lone.play(2 * HOUR - 1, &ends);
    assert_eq!(lone.called.len(), 6, "and each again after an hour: {:?}", lone.called);
}
