//! The host's part in a conversation: what it keeps from turn to turn.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use super::limits;
use super::outcome::{Outcome, options};
use super::reach::{gives_away, withheld};
use super::world::World;
use crate::action::{Action, Request, Schedule};
use crate::event::{Event, EventBody};
use crate::http;
use crate::kv::Scope;
use crate::log::Level;
use crate::session::{Contact, Session, Setting};
use crate::{Bot, Failure, Turn};

/// 2026-01-01T00:00:00Z, where the time of a chat stands at first.
const FIRST_NOW_MS: u64 = 1_767_225_600_000;

/// A conversation with a bot of type `B`.
///
/// Set it up with the methods that take it by value, then play: each event
/// answers an [`Outcome`].
pub struct Chat<B> {
    pub(super) session: Session,
    /// Ids and labels of options, the newest last.
    pub(super) offered: Vec<(String, String)>,
    pub(super) timers: Vec<Timer>,
    pub(super) requests: Vec<Request>,
    pub(super) started: bool,
    world: World,
    owner_is_bot: bool,
    events: u64,
    sessions: u64,
    seed: Option<[u64; 4]>,
    bot: PhantomData<B>,
}

/// A timer that the bot asked for.
pub(super) struct Timer {
    pub(super) due_ms: u64,
    pub(super) schedule: Schedule,
}

impl<B: Bot> Chat<B> {
    /// A new conversation on Userlike's web messenger with somebody unknown.
    pub fn new() -> Self {
        Self {
            session: new_session(),
            offered: Vec::new(),
            timers: Vec::new(),
            requests: Vec::new(),
            started: false,
            world: World::default(),
            owner_is_bot: true,
            events: 0,
            sessions: 0,
            seed: None,
            bot: PhantomData,
        }
    }

    /// Configures the bot, as the tenant would.
    pub fn config(self, key: &str, value: &str) -> Self {
        self.world.configure(key, value);
        self
    }

    /// Answers the bot's calls of [`Turn::http`], within their limits. Without it
    /// they are denied. [`Chat::respond`] plays what a [`Request`] gets.
    pub fn web(
        self,
        answer: impl FnMut(&http::Request) -> Result<http::Response, http::Error> + 'static,
    ) -> Self {
        self.world.answer_web(answer);
        self
    }

    /// What the vendor knows of the person.
    pub fn contact(mut self, change: impl FnOnce(&mut Contact)) -> Self {
        change(&mut self.session.contact);
        self
    }

    /// The vendor and the medium, as the vendor names it: `userlike` and `web` at first.
    pub fn on(mut self, vendor: &str, medium: &str) -> Self {
        vendor.clone_into(&mut self.session.vendor);
        medium.clone_into(&mut self.session.medium);
        self
    }

    /// Anything else of the session: locale, entry, profile, a foreign context.
    pub fn session(mut self, change: impl FnOnce(&mut Session)) -> Self {
        change(&mut self.session);
        self
    }

    /// The time of the next turns, in milliseconds since 1970-01-01T00:00:00Z.
    pub fn now_ms(mut self, now_ms: u64) -> Self {
        self.session.now_ms = now_ms;
        self
    }

    /// The chance of all turns; otherwise each turn has its own, the same in every run.
    pub fn seed(mut self, seed: [u64; 4]) -> Self {
        self.seed = Some(seed);
        self
    }

    /// Puts a value where the bot finds it.
    ///
    /// # Panics
    /// Where the value breaks a limit of `wit/v1`.
    #[track_caller]
    pub fn value(self, scope: Scope, key: &str, value: &str) -> Self {
        if let Err(cause) = self.world.keep(scope, key, value) {
            panic!("the value of {key:?} cannot be kept: {cause:?}");
        }
        self
    }

    /// A value that the bot keeps.
    pub fn kept(&self, scope: Scope, key: &str) -> Option<String> {
        self.world.kept(scope, key)
    }

    /// The context that the bot keeps, as JSON: `{}` where it keeps none.
    pub fn context_json(&self) -> &str {
        &self.session.context
    }

    /// The context that the bot keeps.
    ///
    /// # Panics
    /// Where it does not fit.
    #[track_caller]
    pub fn context<T: DeserializeOwned>(&self) -> T {
        match serde_json::from_str(&self.session.context) {
            Ok(context) => context,
            Err(error) => panic!("the context {} does not fit: {error}", self.session.context),
        }
    }

    /// The lines of the bot's log, those of failed turns included, and the host's
    /// warnings: of actions that it withholds, and of writes that it leaves out
    /// because the bot's values are full.
    pub fn log(&self) -> Vec<(Level, String)> {
        self.world.log_lines()
    }

    /// Whether the bot is the one who may speak: not so after a hand-off, `abort` or `end`.
    pub fn owner_is_bot(&self) -> bool {
        self.owner_is_bot
    }

    /// The names of the timers that are not due yet, the next one first.
    pub fn timers(&self) -> Vec<&str> {
        let mut timers: Vec<_> = self.timers.iter().collect();
        timers.sort_by_key(|timer| timer.due_ms);
        timers.into_iter().map(|timer| timer.schedule.name.as_str()).collect()
    }

    /// Begins a session: the context is empty and the bot may speak.
    pub(super) fn begin(&mut self) {
        self.sessions += 1;
        if self.sessions > 1 {
            "{}".clone_into(&mut self.session.context);
        }
        self.session.id = format!("session-{}", self.sessions);
        self.session.started_ms = self.session.now_ms;
        self.started = true;
        self.owner_is_bot = true;
    }

    /// Lets an event happen and runs the bot, if it is the bot's turn.
    pub(super) fn happen(&mut self, body: EventBody) -> Outcome {
        self.events += 1;
        let event = Event {
            id: format!("event-{}", self.events),
            received_ms: self.session.now_ms,
            vendor_ms: None,
            raw: None,
            body,
        };
        self.own(&event.body);
        if !self.runs(&event.body) {
            self.session.skipped.push(event);
            return Outcome::skipped();
        }
        let [a, b, c, d] = self.seed.unwrap_or([self.events, 0, 0, 0]);
        self.session.seed = (a, b, c, d);
        self.world.begin();
        let result = self.run(&event);
        let withheld = withheld(result.as_deref().unwrap_or_default(), self.owner_is_bot);
        if let Ok(actions) = &result {
            self.world.commit();
            self.commit(actions, &withheld);
        }
        if let EventBody::Ended(_) = event.body {
            self.timers.clear();
        }
        self.session.skipped.clear();
        self.session.turn += 1;
        Outcome::of_run(result.map_err(|failure| failure.reason().to_owned()), withheld)
    }

    fn run(&self, event: &Event) -> Result<Vec<Action>, Failure> {
        let turn = Turn::new(event, &self.session, &self.world);
        let actions = B::default().handle(event, &turn)?;
        limits::check(&actions).map_err(Failure::new)?;
        let timers = self.timers.iter().map(|timer| &timer.schedule);
        limits::check_timers(timers, &actions).map_err(Failure::new)?;
        Ok(actions)
    }

    fn own(&mut self, body: &EventBody) {
        match body {
            EventBody::Returned(_) | EventBody::ForwardFailed(_) => self.owner_is_bot = true,
            EventBody::HumanSpoke(_) | EventBody::Ended(_) => self.owner_is_bot = false,
            _ => {}
        }
    }

    fn runs(&self, body: &EventBody) -> bool {
        self.owner_is_bot || matches!(body, EventBody::Ended(_))
    }

    /// Applies what the actions change here, in their order.
    fn commit(&mut self, actions: &[Action], withheld: &[bool]) {
        for (index, (action, withheld)) in actions.iter().zip(withheld).enumerate() {
            match action {
                _ if *withheld => self.world.log(
                    Level::Warn,
                    &format!("action {index} is withheld: the bot does not have the conversation"),
                ),
                Action::ContextUpdate(json) if is_empty_object(json) => {}
                Action::ContextUpdate(json) => json.clone_into(&mut self.session.context),
                Action::ContextClear => "{}".clone_into(&mut self.session.context),
                Action::ContactUpdate(update) => update_contact(&mut self.session.contact, update),
                Action::Schedule(schedule) => self.set_timer(schedule),
                Action::CancelTimer(name) => self.take_timer(name),
                Action::Request(request) => self.requests.push(request.clone()),
                _ if gives_away(action) => self.owner_is_bot = false,
                _ => self.remember_options(action),
            }
        }
        let ends = |(action, withheld): (&Action, &bool)| *action == Action::End && !withheld;
        if actions.iter().zip(withheld).any(ends) {
            self.timers.clear();
        }
    }

    fn set_timer(&mut self, schedule: &Schedule) {
        self.take_timer(&schedule.name);
        let due_ms = self.session.now_ms + schedule.after_ms;
        self.timers.push(Timer { due_ms, schedule: schedule.clone() });
    }

    fn take_timer(&mut self, name: &str) {
        self.timers.retain(|timer| timer.schedule.name != name);
    }

    fn remember_options(&mut self, action: &Action) {
        let owned = |(id, label): (&str, &str)| (id.to_owned(), label.to_owned());
        self.offered.extend(options(action).into_iter().map(owned));
    }
}

impl<B: Bot> Default for Chat<B> {
    fn default() -> Self {
        Self::new()
    }
}

fn is_empty_object(json: &str) -> bool {
    serde_json::from_str(json).is_ok_and(|value: serde_json::Map<_, _>| value.is_empty())
}

/// Vendors tell the bot what it told them.
fn update_contact(contact: &mut Contact, update: &crate::action::ContactUpdate) {
    let fields = [
        (&mut contact.name, &update.name),
        (&mut contact.email, &update.email),
        (&mut contact.mobile_number, &update.mobile_number),
        (&mut contact.external_customer_id, &update.external_customer_id),
    ];
    for (known, new) in fields {
        if new.is_some() {
            known.clone_from(new);
        }
    }
}

fn new_session() -> Session {
    Session {
        id: String::new(),
        conversation: "conversation-1".to_owned(),
        channel: "test".to_owned(),
        vendor: "userlike".to_owned(),
        medium: "web".to_owned(),
        entry: None,
        params: Vec::new(),
        approach: None,
        locale: None,
        contact: Contact {
            id: None,
            name: None,
            email: None,
            mobile_number: None,
            external_customer_id: None,
            locale: None,
            custom_fields: "{}".to_owned(),
        },
        conversation_url: None,
        subject: None,
        topics: Vec::new(),
        context: "{}".to_owned(),
        context_by: None,
        skipped: Vec::new(),
        started_ms: FIRST_NOW_MS,
        turn: 0,
        now_ms: FIRST_NOW_MS,
        seed: (0, 0, 0, 0),
        profile: vec![Setting { name: "text-characters".to_owned(), value: "5000".to_owned() }],
    }
}
