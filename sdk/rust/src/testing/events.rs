//! What can happen in a chat.

use super::chat::Chat;
use super::outcome::Outcome;
use crate::Bot;
use crate::action::Request;
use crate::event::{
    Answer, Click, DeliveryFailed, Ended, EventBody, First, ForwardFailed, HumanSpoke, Location,
    Media, Message, NamedPayload, Response, ResponseOutcome, Returned, Start, TextFormat, Timer,
};

impl<B: Bot> Chat<B> {
    /// The person opens the messenger: a session begins.
    pub fn start(&mut self) -> Outcome {
        self.begin();
        let approach = self.session.approach;
        self.happen(EventBody::Start(Start { approach, first: None, resumed: false }))
    }

    /// The person writes. Without a [`Chat::start`] before, the session starts
    /// with it, as in messaging apps.
    pub fn say(&mut self, text: &str) -> Outcome {
        let message = Message { text: text.to_owned(), format: TextFormat::Plain };
        self.speak(First::Message(message))
    }

    /// The person taps an option by its id, the last one offered under it. The host would
    /// also tell the menu of the click, and make a click of a label that is typed; here who
    /// types one is [`Chat::say`]ing it.
    ///
    /// # Panics
    /// Where the bot has offered no such option.
    #[track_caller]
    pub fn click(&mut self, id: &str) -> Outcome {
        let click = self.find_click(id);
        self.speak(First::Click(click))
    }

    /// The person sends a file.
    pub fn media(&mut self, link: &str, mime_type: &str) -> Outcome {
        let mime_type = Some(mime_type.to_owned());
        let media = Media { link: link.to_owned(), name: None, mime_type, size_bytes: None };
        self.speak(First::Media(media))
    }

    /// The person sends a place, in degrees.
    pub fn location(&mut self, latitude: f64, longitude: f64) -> Outcome {
        self.speak(First::Location(Location { latitude, longitude, name: None, address: None }))
    }

    /// Time passes until the timer of this name is due, and it fires.
    ///
    /// # Panics
    /// Where the bot has no such timer.
    #[track_caller]
    pub fn fire(&mut self, name: &str) -> Outcome {
        let Some(index) = self.timers.iter().position(|timer| timer.schedule.name == name) else {
            panic!("there is no timer {name:?}, only {:?}", self.timers());
        };
        self.fire_at(index)
    }

    /// So many milliseconds pass; every timer that becomes due fires, in order.
    pub fn wait_ms(&mut self, ms: u64) -> Vec<Outcome> {
        let until_ms = self.session.now_ms + ms;
        let mut outcomes = Vec::new();
        while let Some(index) = self.next_timer(until_ms) {
            outcomes.push(self.fire_at(index));
        }
        self.session.now_ms = self.session.now_ms.max(until_ms);
        outcomes
    }

    /// A server answers the open request of this name.
    ///
    /// # Panics
    /// Where the bot has no such request open.
    #[track_caller]
    pub fn respond(&mut self, name: &str, status: u16, body: &str) -> Outcome {
        let request = self.take_request(name);
        let body = body.to_owned();
        let answer = Answer { status, headers: Vec::new(), body, truncated: false };
        let outcome = ResponseOutcome::Answered(answer);
        self.happen(EventBody::Response(Response { name: request.name, outcome }))
    }

    /// Nobody answers the open request of this name.
    ///
    /// # Panics
    /// Where the bot has no such request open.
    #[track_caller]
    pub fn fail_request(&mut self, name: &str, reason: &str) -> Outcome {
        let request = self.take_request(name);
        let outcome = ResponseOutcome::Failed(reason.to_owned());
        self.happen(EventBody::Response(Response { name: request.name, outcome }))
    }

    /// The tenant's own systems speak into the conversation.
    pub fn signal(&mut self, name: &str, payload: &serde_json::Value) -> Outcome {
        let json = payload.to_string();
        self.happen(EventBody::Signal(NamedPayload { name: name.to_owned(), json }))
    }

    /// A hand-off found nobody.
    pub fn forward_failed(&mut self, reason: Option<&str>) -> Outcome {
        let reason = reason.map(str::to_owned);
        self.happen(EventBody::ForwardFailed(ForwardFailed { reason }))
    }

    /// A human hands the conversation back.
    pub fn returned(&mut self) -> Outcome {
        self.happen(EventBody::Returned(Returned { reason: None }))
    }

    /// A human agent writes to the person, and has the conversation from then on.
    pub fn human_spoke(&mut self, text: &str) -> Outcome {
        let text = Some(text.to_owned());
        self.happen(EventBody::HumanSpoke(HumanSpoke { text, agent: None }))
    }

    /// The conversation ends, and with it the session.
    pub fn ended(&mut self) -> Outcome {
        let outcome = self.happen(EventBody::Ended(Ended { reason: None }));
        self.started = false;
        outcome
    }

    /// An action of an earlier turn, by its canonical name, could not be delivered.
    pub fn delivery_failed(&mut self, action: &str, reason: &str) -> Outcome {
        let part = "turn-1.0.0".to_owned();
        let (action, reason) = (action.to_owned(), reason.to_owned());
        let failed = DeliveryFailed { part, action, reason, ambiguous: false };
        self.happen(EventBody::DeliveryFailed(failed))
    }

    /// Any other event, as it is.
    pub fn event(&mut self, body: EventBody) -> Outcome {
        if matches!(body, EventBody::Start(_)) {
            self.begin();
        }
        self.happen(body)
    }

    /// What a person does; it opens a session where there is none.
    fn speak(&mut self, first: First) -> Outcome {
        if !self.started {
            self.begin();
            let approach = self.session.approach;
            let start = Start { approach, first: Some(first), resumed: false };
            return self.happen(EventBody::Start(start));
        }
        self.happen(match first {
            First::Message(message) => EventBody::Message(message),
            First::Media(media) => EventBody::Media(media),
            First::Click(click) => EventBody::Click(click),
            First::Location(location) => EventBody::Location(location),
        })
    }

    #[track_caller]
    fn find_click(&self, id: &str) -> Click {
        let Some((id, label)) = self.offered.iter().rev().find(|(option, _)| option == id) else {
            panic!("the bot has offered no option {id:?}, only {:?}", self.offered);
        };
        Click {
            option_ids: vec![id.clone()],
            label: Some(label.clone()),
            menu: None,
            stale: false,
            typed_text: None,
        }
    }

    fn next_timer(&self, until_ms: u64) -> Option<usize> {
        let due = self.timers.iter().enumerate().filter(|(_, timer)| timer.due_ms <= until_ms);
        due.min_by_key(|(_, timer)| timer.due_ms).map(|(index, _)| index)
    }

    fn fire_at(&mut self, index: usize) -> Outcome {
        let timer = self.timers.remove(index);
        self.session.now_ms = self.session.now_ms.max(timer.due_ms);
        self.happen(EventBody::Timer(Timer {
            name: timer.schedule.name,
            due_ms: timer.due_ms,
            payload: timer.schedule.payload,
        }))
    }

    #[track_caller]
    fn take_request(&mut self, name: &str) -> Request {
        let Some(index) = self.requests.iter().position(|request| request.name == name) else {
            let open: Vec<_> = self.requests.iter().map(|request| &request.name).collect();
            panic!("the bot has no request {name:?} open, only {open:?}");
        };
        self.requests.remove(index)
    }
}
