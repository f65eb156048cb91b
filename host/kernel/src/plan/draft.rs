//! The turn in the making: what a bot's actions do to the conversation.

use std::borrow::Cow;

use crate::action::{Action, Schedule};
use crate::choices::{Menu, Page, asks_more};
use crate::context;
use crate::degrade::{self, Degraded, Degrading, degrade_in};
use crate::event::EventBody;
use crate::id::{Digest, PartId, TurnId};
use crate::log::{Conversation, HandOff, Route, Row, TimerState};
use crate::owner::Owner;
use crate::plan::{Plan, Reach, reach, shows_something, skipped};
use crate::profile::Profile;
use crate::relay::{self, Relay};
use crate::run::{Blame, FailureKind, LogLevel, LogLine, RunFailure};
use crate::time::Millis;

/// At most so many timers a conversation.
const TIMERS_MAX: usize = 64;
/// At most so many bytes of payloads of a conversation's timers.
const TIMERS_BYTES_MAX: usize = 64 * 1024;
/// And so many bytes of `request`s whose answers have not come (canonical JSON): as many as
/// two turns may return.
const REQUESTS_BYTES_MAX: usize = 128 * 1024;

/// A turn in the making.
pub(super) struct Draft<'a> {
    pub(super) plan: &'a Plan<'a>,
    pub(super) profile: Cow<'a, Profile>,
    turn: TurnId,
    now: Millis,
    /// When the rows are made: they age from then on, however long the event waited.
    made_ms: Millis,
    pub(super) state: Conversation,
    log: Vec<LogLine>,
    pub(super) quiet: bool,
    /// No bot asks for what is done, but the host itself.
    pub(super) by_host: bool,
    /// What was asked for does not fit into the conversation.
    pub(super) refused: Option<RunFailure>,
    /// The bot has ended the session.
    pub(super) ended: bool,
    /// Who says all this.
    pub(super) speaker: Owner,
    /// What the author wants of what the medium cannot carry.
    pub(super) degrading: Degrading,
    /// The menus of this turn, in order.
    offered: Vec<Menu>,
    /// It says something besides.
    spoke: bool,
    /// The person is shown something else behind the action that is at hand.
    followed: bool,
    first_row: usize,
}

impl<'a> Draft<'a> {
    /// `told` says whether a bot ran and was handed the skipped events.
    pub(super) fn new(
        plan: &'a Plan<'a>,
        profile: &'a Profile,
        log: Vec<LogLine>,
        made_ms: Millis,
        told: bool,
    ) -> Self {
        let (event, mut state) = plan.enter();
        if told {
            state.skipped.drain(..skipped::handed_over(&state.skipped));
        }
        plan.begin_time_anew(&mut state, made_ms);
        state.turns += 1;
        let first_row = state.rows.len();
        let profile = match state.route {
            Route::ThisAnswer => Cow::Owned(profile.in_one_answer()),
            Route::Calls | Route::Answers => Cow::Borrowed(profile),
        };
        let mut draft = Self {
            plan,
            profile,
            turn: plan.turn_id(),
            now: event.received_ms,
            made_ms,
            by_host: false,
            ended: false,
            speaker: Owner::Bot,
            degrading: Degrading::Allow,
            offered: Vec::new(),
            spoke: false,
            followed: false,
            refused: None,
            first_row,
            state,
            log,
            quiet: plan.arrival.quiet || matches!(event.body, EventBody::DeliveryFailed(_)),
        };
        draft.take_back();
        draft
    }

    pub(super) fn apply(&mut self, actions: &[Action], version: Digest) {
        let last_request = actions.iter().rposition(|it| matches!(it, Action::Request(_)));
        for (index, action) in actions.iter().enumerate() {
            match reach(action) {
                Reach::Host => self.do_here(index, action, version),
                Reach::Person | Reach::Desk => {
                    let vendor = &self.plan.policy.vendor;
                    self.followed = shows_something(&actions[index + 1..], &self.profile, vendor);
                    self.deliver(index, action);
                }
            }
            if Some(index) == last_request {
                self.bound_requests(index);
            }
        }
    }

    fn do_here(&mut self, index: usize, action: &Action, version: Digest) {
        if let Action::ContextUpdate(json) = action {
            self.update_context(json, version);
        } else if let Action::ContextClear = action {
            self.set_context(String::new(), None);
        } else if let Action::Schedule(schedule) = action {
            self.schedule(index, schedule);
        } else if let Action::CancelTimer(name) = action {
            self.state.timers.retain(|timer| timer.name != *name);
        } else if let Action::Request(_) = action {
            self.add_row(index, 0, action.clone(), None);
        }
    }

    /// Measured once, behind the last of them.
    fn bound_requests(&mut self, index: usize) {
        let of_bot =
            |row: &&Row| matches!(row.action, Action::Request(_)) && !relay::is_ask(&row.action);
        let requests = self.state.rows.iter().filter(of_bot);
        let bytes: usize = requests.map(Row::bytes).sum();
        if bytes > REQUESTS_BYTES_MAX {
            self.refuse(format!(
                "action {index} (request): requests of {bytes} bytes would wait for their answers \
                 in the conversation; {REQUESTS_BYTES_MAX} are allowed: ask for less at once, or \
                 for more when a `response` has come"
            ));
        }
    }

    fn schedule(&mut self, index: usize, schedule: &Schedule) {
        self.state.timers.retain(|timer| timer.name != schedule.name);
        self.state.timers.push(TimerState {
            name: schedule.name.clone(),
            due_ms: self.now.saturating_add(schedule.after_ms),
            payload: schedule.payload.clone(),
        });
        let payloads = self.state.timers.iter().filter_map(|timer| timer.payload.as_ref());
        let bytes: usize = payloads.map(String::len).sum();
        let count = self.state.timers.len();
        if count > TIMERS_MAX || bytes > TIMERS_BYTES_MAX {
            self.refuse(format!(
                "action {index} (schedule): the conversation would have {count} timers with \
                 {bytes} bytes of payloads; {TIMERS_MAX} and {TIMERS_BYTES_MAX} are allowed: \
                 cancel some, or give them the same name"
            ));
        }
    }

    /// The conversation has no room for what the bot wants.
    fn refuse(&mut self, message: String) {
        let (blame, kind) = (Blame::Bot, FailureKind::InvalidAction);
        self.refused = Some(RunFailure { blame, kind, message });
    }

    fn deliver(&mut self, index: usize, action: &Action) {
        if (self.state.owner != self.speaker || self.ended) && reach(action) == Reach::Person {
            let owner = if self.ended { Owner::Ended } else { self.state.owner }.name();
            self.note(format!(
                "action {index} ({}) is withheld: the conversation belongs to: {owner}",
                action.name()
            ));
            return;
        }
        // The bot sees it from the next event on, whether the vendor can be told or not.
        if let Action::ContactUpdate(update) = action {
            self.state.learn_contact(update);
        }
        if let Some(bot) = self.plan.relay_of(action) {
            let part = PartId::of(&self.turn, index, 0);
            let patience = self.plan.patience(self.made_ms);
            let (relay, start) = Relay::begin(bot, &self.state.facts, part, patience);
            (self.state.owner, self.state.relay) = (Owner::Relay, Some(relay));
            self.state.host_hand_off = false;
            self.add_row(index, 0, start, None);
            return;
        }
        let (locale, vendor) = (self.state.facts.locale.as_deref(), &self.plan.policy.vendor);
        let mut degraded = degrade_in(action.clone(), &self.carried(), vendor, locale);
        let hand_off = self.hand_over_here(action, &mut degraded);
        if self.degrading == Degrading::Deny {
            let medium = &self.state.facts.medium;
            let refused = degrade::refusal(index, action, &degraded.notes, vendor, medium);
            self.refused = self.refused.take().or(refused);
        }
        for degrade::Note { action, what } in std::mem::take(&mut degraded.notes) {
            self.note(format!("action {index} ({action}): {what}"));
        }
        self.ask(index, action, &mut degraded);
        let stop = degraded.actions.len();
        self.stop_typing_before_the_end(index, stop, action);
        for (part, action) in degraded.actions.into_iter().enumerate() {
            if matches!(action, Action::Forward(_) | Action::Abort) {
                self.state.owner = Owner::HandingOff;
                self.state.host_hand_off = false;
            }
            if action == Action::End {
                self.state.owner = Owner::Ended;
            }
            let fills = self.profile.fills_answer(&action);
            self.add_row(index, part, action, hand_off);
            if fills {
                self.profile = Cow::Owned(self.profile.without_rides());
            }
        }
        self.stop_typing_behind_words(index, stop, action);
        // Where the vendor knows no end, the session ends all the same, and what
        // comes next begins another.
        self.ended |= *action == Action::End;
    }

    /// What is carried of the action that is at hand.
    fn carried(&self) -> Cow<'_, Profile> {
        if self.followed { self.profile.followed() } else { Cow::Borrowed(&self.profile) }
    }

    /// Notes what an action asks the person, and puts what is short in the place of
    /// ids that are too long for the medium.
    fn ask(&mut self, index: usize, action: &Action, degraded: &mut Degraded) {
        if action.options().is_none() {
            self.spoke |= reach(action) == Reach::Person && is_said(action);
            if let Some(menu) = self.offered.last_mut() {
                menu.asked_behind |= asks_more(action);
            }
            return;
        }
        let id = PartId::of(&self.turn, index, 0);
        degraded.name_options(&self.carried(), id.as_str(), action);
        let pages = std::mem::take(&mut degraded.pages);
        let numbered = degraded.actions.iter().all(|action| action.options().is_none());
        let menu = Menu::of(action, &id, pages, self.made_ms);
        self.offered.extend(menu.map(|menu| Menu { numbered, ..menu }));
    }

    /// Shows a page of a menu that was offered before.
    pub(super) fn show(&mut self, page: Page) {
        if let Some(action) = self.state.show_page(page) {
            self.add_row(0, 0, action, None);
        }
    }

    pub(super) fn add_row(
        &mut self,
        index: usize,
        part: usize,
        action: Action,
        hand_off: Option<HandOff>,
    ) {
        let id = PartId::of(&self.turn, index, part);
        let by_call = self.by_call(index, &action);
        let row = self.row(id, action);
        self.state.rows.push(Row { by_call, hand_off, ..row });
    }

    /// What calls carry of an action that only an answer carries, whole: pages that a person
    /// would have to ask for are said, too.
    fn by_call(&self, index: usize, action: &Action) -> Vec<Action> {
        if !self.profile.fills_answer(action) {
            return Vec::new();
        }
        let (calls, locale) = (self.carried().without_rides(), self.state.facts.locale.as_deref());
        let degraded = degrade_in(action.clone(), &calls, &self.plan.policy.vendor, locale);
        let parts = degraded.into_parts(&calls, &self.turn, index, action);
        let actions: Vec<_> = parts.into_iter().map(|(_, action)| action).collect();
        if actions[..] == *std::slice::from_ref(action) { Vec::new() } else { actions }
    }

    pub(super) fn row(&self, id: PartId, action: Action) -> Row {
        Row {
            id,
            turn: self.turn.clone(),
            made_ms: self.made_ms,
            action,
            by_call: Vec::new(),
            context: None,
            quiet: self.quiet,
            event: self.plan.arrival.event.id.clone(),
            by_human: false,
            hand_off: None,
        }
    }

    fn update_context(&mut self, json: &str, version: Digest) {
        let value: Option<serde_json::Value> = serde_json::from_str(json).ok();
        let Some(serde_json::Value::Object(object)) = value else { return };
        if !object.is_empty() {
            let compact = serde_json::Value::Object(object).to_string();
            self.set_context(compact, Some(version));
        }
    }

    /// What is replaced may come back from the vendor, who still holds it: it is
    /// remembered as known, so that it is not taken for somebody else's.
    fn set_context(&mut self, context: String, by: Option<Digest>) {
        if let Some(foreign) = self.state.foreign_context.take() {
            self.state.remember_mirrored(context::digest(&foreign));
        }
        let Some(session) = &mut self.state.session else { return };
        let dropped = std::mem::replace(&mut session.context, context);
        session.context_by = by;
        if session.context.is_empty() && !dropped.is_empty() {
            self.state.remember_mirrored(context::digest(&dropped));
        }
    }

    /// Notes, changes of the contact and the like go before the row that ends or
    /// hands over the session: vendors take nothing after it.
    fn desk_first(&mut self) {
        let ends =
            |row: &Row| matches!(row.action, Action::Forward(_) | Action::Abort | Action::End);
        let own = self.state.rows.split_off(self.first_row);
        let Some(end) = own.iter().position(ends) else {
            self.state.rows.extend(own);
            return;
        };
        let (before, after) = own.split_at(end);
        let (desk, rest): (Vec<&Row>, Vec<&Row>) =
            after.iter().partition(|row| reach(&row.action) == Reach::Desk);
        if !desk.is_empty() {
            let names: Vec<_> = desk.iter().map(|row| row.action.name()).collect();
            let message = format!("{} moved before the end of the session", names.join(", "));
            self.log.push(LogLine { level: LogLevel::Debug, message });
        }
        self.state.rows.extend(before.iter().chain(desk).chain(rest).cloned());
    }

    /// All menus can be tapped, and the last one is what was asked last, unless a question
    /// follows in the turn; what else is said behind it belongs to it. A turn that only says
    /// something asks something else.
    fn remember_menu(&mut self) {
        if self.offered.is_empty() && self.spoke {
            self.state.close_menus();
        }
        for menu in std::mem::take(&mut self.offered) {
            self.state.offer(menu);
        }
    }

    pub(super) fn note(&mut self, message: String) {
        self.log.push(LogLine { level: LogLevel::Warn, message });
    }

    /// Puts the context on the last row that goes to the vendor, unless the
    /// vendor has it or will have it, and closes a session that has ended.
    pub(super) fn finish(mut self) -> (Conversation, Vec<LogLine>) {
        self.desk_first();
        self.remember_menu();
        let context = self.state.session.as_ref().map(|session| session.context.clone());
        if let Some(context) = context.filter(|context| !context.is_empty()) {
            let (older, own) = self.state.rows.split_at_mut(self.first_row);
            let sending = older.iter().rev().find_map(|row| row.context.as_deref());
            let known = match sending {
                Some(sending) => sending == context,
                None => self.state.mirrored.last() == Some(&context::digest(&context)),
            };
            let last = own.iter_mut().rev().find(|row| !matches!(row.action, Action::Request(_)));
            if let (false, Some(row)) = (known, last) {
                row.context = Some(context);
            }
        }
        if self.ended || self.state.owner == Owner::Ended {
            self.state.close_menus();
            self.state.session = None;
            self.state.timers.clear();
        }
        (self.state, self.log)
    }
}

/// Whether a person is told something by it: a sign of typing and a pause ask nothing.
pub(super) fn is_said(action: &Action) -> bool {
    !matches!(action, Action::Typing(_) | Action::Delay(_) | Action::Navigate(_))
}
