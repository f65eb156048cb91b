//! Calls of the host: to vendors, and to web services for bots.

use botyard_kernel::destination::{Ended, Purpose};
use botyard_kernel::event::Answer;
use botyard_kernel::lane::Input;
use botyard_kernel::log::Row;
use botyard_kernel::outbox::{CallId, Called, Requested};
use botyard_kernel::profile::Limited;
use botyard_kernel::time::{Millis, SECOND};
use botyard_vendors::{CallAnswer, Outcome, Part, To};
use bytes::Bytes;
use http::StatusCode;

use crate::batch::Told;
use crate::desk::Way;
use crate::host::part;
use crate::site::Speaks;
use crate::webhook::ids;
use crate::world::{Life, Step, World};

impl World {
    /// A vendor call leaves.
    pub(crate) fn call(&mut self, conversation: usize, call: CallId, rows: Vec<Row>) {
        let life = self.begin(conversation);
        self.tell(|| format!("conversation {conversation}: call {call} with {}", ids(&rows)));
        let (channel, place) =
            (self.site.channel_of(conversation), &self.site.conversations[conversation]);
        let parts: Vec<Part<'_>> = rows.iter().map(part).collect();
        let request = channel.vendor.call(&To::conversation(&place.key.vendor_key), &parts);
        if channel.speaks == Speaks::Userlike {
            let token = request.headers.get("security-token").map(http::HeaderValue::as_bytes);
            assert_eq!(token, Some(channel.token.as_bytes()), "the call shows no token");
        }
        let body = request.body.to_vec();
        let pause = self.latency();
        self.after(pause, Step::Call { conversation, life, call, rows, body });
    }

    /// A call comes in at the vendor, which answers it one way or another.
    pub(crate) fn call_comes_in(
        &mut self,
        conversation: usize,
        life: Life,
        call: CallId,
        rows: &[Row],
        body: &[u8],
    ) {
        // A call of a dead host that comes in late is nobody's call any more.
        if self.life(conversation) == Some(life) {
            self.desks[conversation].calls.push(self.now);
            self.check_rate(conversation);
        }
        let (answer, acted) = self.vendor_answers(conversation, rows);
        let now = self.now;
        if acted {
            let (channel, place) =
                (self.site.channel_of(conversation), &self.site.conversations[conversation]);
            self.desks[conversation].take(rows, body, Way::Call, (channel, place), now);
        }
        let channel = self.site.channel_of(conversation);
        let parts: Vec<Part<'_>> = rows.iter().map(part).collect();
        let called = called(channel.vendor.outcome_for(&parts, &answer));
        let held = channel.rules.delivery.hold_ambiguous;
        let desk = &mut self.desks[conversation];
        match &called {
            Called::Delivered { .. } => {}
            Called::Retry { ambiguous, tries_max, .. } => {
                if *ambiguous {
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
        self.tell(|| {
            format!("conversation {conversation}: call {call}: acted {acted}, {called:?}")
        });
        self.learn(conversation, Purpose::Delivery, &answer);
        let pause = self.latency();
        self.after(pause, Step::Tell { conversation, life, input: Input::Called { call, called } });
    }

    /// What the vendor answers, and whether it has done what it was told.
    fn vendor_answers(&mut self, conversation: usize, rows: &[Row]) -> (CallAnswer, bool) {
        if !self.goes_wrong(self.weather.vendor_percent) {
            return (answered(200, None), true);
        }
        let media = rows.iter().any(|row| row.action.name() == "media");
        let gone = self.site.channel_of(conversation).tells_gone;
        let retry_after = self.chance.percent(50).then(|| self.chance.below(5 * SECOND));
        let acted = self.chance.percent(50);
        match self.chance.below(100) {
            0..=24 => (answered(429, retry_after), false),
            25..=34 => (answered(503, retry_after), false),
            35..=49 if !media => (answered(500, None), acted),
            50..=69 => (CallAnswer::Lost("the connection broke".to_owned()), acted),
            70..=79 => (CallAnswer::NotSent("nobody is there".to_owned()), false),
            80..=82 if gone => (answered(410, None), false),
            _ => (answered(400, None), false),
        }
    }

    /// What the channel's destination learns from the end of a call.
    fn learn(&mut self, conversation: usize, purpose: Purpose, answer: &CallAnswer) {
        let channel = self.site.conversations[conversation].channel;
        let limited = self.site.channels[channel].rules.delivery.limited;
        let ended = match answer {
            CallAnswer::Answered { status, retry_after_ms, .. } => match status.as_u16() {
                429 if limited == Limited::Token => Ended::Limited { after_ms: *retry_after_ms },
                500..=599 => Ended::Failed,
                _ => Ended::Answered,
            },
            CallAnswer::NotSent(_) | CallAnswer::Lost(_) => Ended::Failed,
        };
        let now = self.now;
        if let Some(destination) = self.destination(channel, purpose) {
            destination.ended(ended, now);
        }
    }

    /// The vendor is to hear that an event was taken.
    pub(crate) fn acknowledge(&mut self, conversation: usize, call: CallId, token: &str) {
        let life = self.begin(conversation);
        let place = &self.site.conversations[conversation];
        let to = To::conversation(&place.key.vendor_key);
        let request = self.site.channels[place.channel].vendor.acknowledge(&to, token);
        let body = request.map_or_else(Vec::new, |request| request.body.to_vec());
        let pause = self.latency();
        self.after(pause, Step::Acknowledge { conversation, life, call, body });
    }

    pub(crate) fn acknowledgement_comes_in(
        &mut self,
        conversation: usize,
        life: Life,
        call: CallId,
        body: &[u8],
    ) {
        let answer = if self.goes_wrong(self.weather.vendor_percent) {
            answered(500, None)
        } else {
            let told: Told = serde_json::from_slice(body).expect("it is told in JSON");
            self.desks[conversation].acknowledged.extend(told.taken);
            answered(200, None)
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
        let Some(rate) = self.site.channel_of(conversation).rules.delivery.rate else { return };
        let calls = self.desks[conversation].calls.iter().rev();
        let count = calls.take_while(|at| **at + rate.window_ms > self.now).count();
        assert!(count <= rate.calls, "{count} calls within {} ms", rate.window_ms);
    }
}

fn answered(status: u16, retry_after_ms: Option<Millis>) -> CallAnswer {
    let status = StatusCode::from_u16(status).expect("these are statuses");
    CallAnswer::Answered { status, retry_after_ms, body: Bytes::new() }
}

fn called(outcome: Outcome) -> Called {
    match outcome {
        Outcome::Delivered { follow_ups } => Called::Delivered { follow_ups },
        Outcome::Retry { after_ms, ambiguous, reason, blame: _, tries_max } => {
            Called::Retry { after_ms, ambiguous, reason, tries_max }
        }
        Outcome::Fatal { reason, blame: _ } => Called::Fatal(reason),
        Outcome::Taken(reason) => Called::Taken(reason),
        Outcome::Gone(reason) => Called::Gone(reason),
    }
}
