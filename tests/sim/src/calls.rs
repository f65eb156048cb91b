//! Calls of the host: to vendors, and to web services for bots.

use botyard_kernel::destination::{Ended, Purpose};
use botyard_kernel::event::Answer;
use botyard_kernel::lane::Input;
use botyard_kernel::log::Row;
use botyard_kernel::outbox::{CallId, Called, Requested};
use botyard_kernel::profile::Limited;
use botyard_kernel::time::{Millis, SECOND};
use botyard_vendors::{Call, CallAnswer, Outcome, Part, To};
use bytes::Bytes;
use http::StatusCode;

use crate::asks::ask_of;
use crate::host::part;
use crate::vendors::{Came, Trouble, Way};
use crate::webhook::ids;
use crate::world::{Life, Step, World};

/// A call to a vendor that has left.
pub(crate) struct Left {
    pub(crate) call: CallId,
    pub(crate) rows: Vec<Row>,
    addressee: Addressee,
    request: Call,
    left_ms: Millis,
}

/// News for a vendor that have left.
pub(crate) struct Told {
    call: CallId,
    token: String,
    request: Call,
}

/// Whom something is for, as the lane knew it.
pub(crate) struct Addressee {
    key: String,
    reply_to: Option<String>,
    desk_id: Option<String>,
    pub(crate) locale: Option<String>,
}

impl Addressee {
    pub(crate) fn to(&self) -> To<'_> {
        let (reply_to, desk_id) = (self.reply_to.as_deref(), self.desk_id.as_deref());
        To { reply_to, desk_id, ..To::conversation(&self.key) }
    }
}

impl World {
    /// Whom something is for, as the lane knows it now.
    pub(crate) fn addressee(&self, conversation: usize) -> Addressee {
        let lane = self.host.as_ref().and_then(|host| host.lanes.get(&conversation));
        let state = lane.map(|slot| slot.lane.state());
        Addressee {
            key: self.site.key_of(conversation).to_owned(),
            reply_to: state.and_then(|state| state.reply_to.clone()),
            desk_id: state.and_then(|state| state.desk_id.clone()),
            locale: state.and_then(|state| state.facts.locale.clone()),
        }
    }

    /// A vendor call leaves.
    pub(crate) fn call(&mut self, conversation: usize, call: CallId, rows: Vec<Row>) {
        let life = self.begin(conversation);
        self.tell(|| format!("conversation {conversation}: call {call} with {}", ids(&rows)));
        let addressee = self.addressee(conversation);
        let parts: Vec<Part<'_>> = rows.iter().map(part).collect();
        let vendor = &self.site.channel_of(conversation).vendor;
        let request = vendor.call_at(&addressee.to(), &parts, self.now);
        let pause = self.latency();
        let left_ms = self.now;
        let left = Box::new(Left { call, rows, addressee, request, left_ms });
        self.after(pause, Step::Call { conversation, life, left });
    }

    /// A call comes in at the vendor, which answers it one way or another.
    pub(crate) fn call_comes_in(&mut self, conversation: usize, life: Life, left: &Left) {
        let Left { call, rows, addressee, request, left_ms } = left;
        let call = *call;
        // A call of a dead host that comes in late is nobody's call any more.
        if self.life(conversation) == Some(life) {
            self.desks[conversation].calls.push(self.now);
            self.check_rate(conversation);
        }
        self.check_silence(conversation, rows);
        let (answer, acted, trouble) = self.vendor_answers(conversation, left);
        if acted {
            self.take(conversation, Way::Call(request), rows, *left_ms);
        }
        let channel = self.site.channel_of(conversation);
        let parts: Vec<Part<'_>> = rows.iter().map(part).collect();
        let outcome = channel.vendor.outcome_at(&addressee.to(), &parts, &answer, self.now);
        let called = called(outcome);
        self.remember(conversation, rows, &called);
        self.desks[conversation].tell_trouble(rows, trouble);
        let lost = matches!(answer, CallAnswer::Lost(_)) || trouble == Some(Trouble::Broken);
        if lost && self.site.channel_of(conversation).rules.delivery.hold_ambiguous {
            self.desks[conversation].held.extend(rows.iter().map(|row| row.id.clone()));
        }
        self.tell(|| {
            format!("conversation {conversation}: call {call}: acted {acted}, {called:?}")
        });
        self.learn(conversation, Purpose::Delivery, &answer);
        let pause = self.latency();
        self.after(pause, Step::Tell { conversation, life, input: Input::Called { call, called } });
    }

    /// What may happen to the rows of a call after this end.
    fn remember(&mut self, conversation: usize, rows: &[Row], called: &Called) {
        let channel = self.site.channel_of(conversation);
        let held = channel.rules.delivery.hold_ambiguous;
        let repeatable = rows.iter().all(|row| channel.line.is_repeatable(row));
        let desk = &mut self.desks[conversation];
        match called {
            Called::Delivered { .. } => {}
            Called::Retry { ambiguous, tries_max, .. } => {
                if *ambiguous || repeatable {
                    desk.doubt(rows);
                }
                if tries_max.is_some() || (*ambiguous && held) {
                    desk.give_up(rows);
                }
            }
            Called::Fatal(_) => desk.give_up(rows),
            Called::Taken(_) | Called::Gone(_) => {
                let state = self.slot(conversation).map(|slot| slot.lane.state().rows.clone());
                self.desks[conversation].give_up(&state.unwrap_or_default());
            }
        }
    }

    /// What the vendor answers, whether it has done what it was told, and what it
    /// complains of.
    fn vendor_answers(
        &mut self,
        conversation: usize,
        left: &Left,
    ) -> (CallAnswer, bool, Option<Trouble>) {
        let wrong = self.goes_wrong(self.weather.vendor_percent);
        let line = &self.site.channel_of(conversation).line;
        let (rows, key) = (&left.rows, self.site.key_of(conversation));
        let (way, left_ms, at_ms) = (Way::Call(&left.request), left.left_ms, self.now);
        let came = Came { way, rows, key, left_ms, at_ms };
        if let Some(trouble) = line.objects(&came, &self.desks[conversation]) {
            return (answered(line.complains(trouble), None), false, Some(trouble));
        }
        if !wrong {
            return (answered(line.thanks(rows), None), true, None);
        }
        let media = rows.iter().any(|row| row.action.name() == "media");
        let retry_after = self.chance.percent(50).then(|| self.chance.below(5 * SECOND));
        let acted = self.chance.percent(50);
        let complains =
            |trouble, acted| (answered(line.complains(trouble), retry_after), acted, Some(trouble));
        match self.chance.below(100) {
            0..=24 => complains(Trouble::TooMany, false),
            25..=34 => complains(Trouble::NotNow, false),
            35..=49 if !media => complains(Trouble::Broken, acted),
            50..=69 => (CallAnswer::Lost("the connection broke".to_owned()), acted, None),
            70..=79 => (CallAnswer::NotSent("nobody is there".to_owned()), false, None),
            80..=82 if line.tells_gone() => complains(Trouble::Gone, false),
            80..=91 => {
                let own = line.own_trouble(rows, &mut self.chance);
                complains(own.unwrap_or(Trouble::Refused), false)
            }
            _ => complains(Trouble::Refused, false),
        }
    }

    /// What the channel's destination learns from the end of a call.
    fn learn(&mut self, conversation: usize, purpose: Purpose, answer: &CallAnswer) {
        let number = self.site.conversations[conversation].channel;
        let channel = &self.site.channels[number];
        let limited = channel.rules.delivery.limited;
        let ended = match answer {
            CallAnswer::Answered { status, retry_after_ms, body, .. } => {
                let too_many = channel.vendor.says_too_many(*status, body);
                match (too_many, limited) {
                    (true, Limited::Token) => Ended::Limited { after_ms: *retry_after_ms },
                    (true, Limited::Conversation) => Ended::Answered,
                    (false, _) if status.is_server_error() => Ended::Failed,
                    (false, _) => Ended::Answered,
                }
            }
            CallAnswer::NotSent(_) | CallAnswer::Lost(_) => Ended::Failed,
        };
        let now = self.now;
        if let Some(destination) = self.destination(number, purpose) {
            destination.ended(ended, now);
        }
    }

    /// The vendor is to hear that an event was taken, or what follows from a delivery.
    pub(crate) fn acknowledge(&mut self, conversation: usize, call: CallId, token: String) {
        let life = self.begin(conversation);
        let addressee = self.addressee(conversation);
        let vendor = &self.site.channel_of(conversation).vendor;
        let Some(request) = vendor.acknowledge(&addressee.to(), &token) else {
            let called = Called::Delivered { follow_ups: Vec::new(), asks: None };
            let input = Input::Acknowledged { call, called };
            self.after(0, Step::Tell { conversation, life, input });
            return;
        };
        let pause = self.latency();
        let told = Box::new(Told { call, token, request });
        self.after(pause, Step::Acknowledge { conversation, life, told });
    }

    pub(crate) fn acknowledgement_comes_in(
        &mut self,
        conversation: usize,
        life: Life,
        told: &Told,
    ) {
        let Told { call, token, request } = told;
        let call = *call;
        let wrong = self.goes_wrong(self.weather.vendor_percent);
        let line = &self.site.channel_of(conversation).line;
        let answer = if wrong {
            *self.desks[conversation].refused.entry(token.clone()).or_default() += 1;
            answered(line.shakes_head(), None)
        } else {
            line.hear(token, request);
            self.desks[conversation].acknowledged.push(token.clone());
            answered(line.nods(), None)
        };
        self.learn(conversation, Purpose::Acknowledgement, &answer);
        let called = called(self.site.channel_of(conversation).vendor.outcome(&answer));
        self.tell(|| format!("conversation {conversation}: acknowledgement {call}: {called:?}"));
        let pause = self.latency();
        let input = Input::Acknowledged { call, called };
        self.after(pause, Step::Tell { conversation, life, input });
    }

    /// A bot's `request` leaves; its server answers or does not.
    pub(crate) fn request(&mut self, conversation: usize, call: CallId, row: &Row) {
        if let Some(ask) = ask_of(row) {
            return self.ask(conversation, call, row, &ask);
        }
        let life = self.begin(conversation);
        let requested = if self.goes_wrong(self.weather.vendor_percent) {
            match self.chance.below(100) {
                0..=49 => Requested::Unanswered("nobody".to_owned()),
                50..=69 => Requested::Held { until_ms: self.now + self.chance.below(60 * SECOND) },
                _ => Requested::Refused("not allowed".to_owned()),
            }
        } else {
            let (headers, body, truncated) = (Vec::new(), String::new(), false);
            Requested::Answered(Answer { status: 200, headers, body, truncated })
        };
        self.tell(|| format!("conversation {conversation}: request {call} of {}", row.id));
        let pause = self.latency();
        let input = Input::Requested { call, requested };
        self.after(pause, Step::Tell { conversation, life, input });
    }

    /// No vendor gets more calls of a conversation than it allows.
    fn check_rate(&self, conversation: usize) {
        let Some((most, window_ms)) = self.site.channel_of(conversation).line.rate() else {
            return;
        };
        let calls = self.desks[conversation].calls.iter().rev();
        let count = calls.take_while(|at| **at + window_ms > self.now).count();
        assert!(count <= most, "{count} calls within {window_ms} ms");
    }
}

pub(crate) fn answered(
    (status, body): (u16, String),
    retry_after_ms: Option<Millis>,
) -> CallAnswer {
    let status = StatusCode::from_u16(status).expect("these are statuses");
    CallAnswer::Answered {
        status,
        retry_after_ms,
        body: Bytes::from(body),
        headers: http::HeaderMap::new(),
    }
}

fn called(outcome: Outcome) -> Called {
    match outcome {
        Outcome::Delivered { follow_ups, asks } => Called::Delivered { follow_ups, asks },
        Outcome::Retry { after_ms, ambiguous, reason, blame: _, tries_max } => {
            Called::Retry { after_ms, ambiguous, reason, tries_max }
        }
        Outcome::Fatal { reason, blame: _ } => Called::Fatal(reason),
        Outcome::Taken(reason) => Called::Taken(reason),
        Outcome::Gone(reason) => Called::Gone(reason),
    }
}
