//! What goes to and fro between hosts and external bots.

use botyard_kernel::action::Action;
use botyard_kernel::event::{Event, EventBody, NamedPayload};
use botyard_kernel::id::{Digest, EventId};
use botyard_kernel::lane::Input;
use botyard_kernel::log::{Arrival, Row};
use botyard_kernel::outbox::CallId;
use botyard_kernel::relay::{Ask, Door, POSTS_WAITING_MAX, RELAY, SCHEME, door};
use botyard_kernel::session::Seed;
use botyard_vendors::CallAnswer;
use botyard_vendors::external::{come_of, unasked};

use crate::calls::answered;
use crate::external::{self, External, Question};
use crate::webhook::{Saying, State};
use crate::world::{Life, Step, World};

/// A question that has left.
pub(crate) struct Asking {
    call: CallId,
    question: Question,
}

/// What asks an external bot something.
pub(crate) fn ask_of(row: &Row) -> Option<Ask> {
    let Action::Request(request) = &row.action else { return None };
    request.url.strip_prefix(SCHEME)?;
    serde_json::from_str(request.body.as_deref()?).ok()
}

impl World {
    /// A question leaves for the external bot.
    pub(crate) fn ask(&mut self, conversation: usize, call: CallId, row: &Row, ask: &Ask) {
        let life = self.begin(conversation);
        self.tell(|| format!("conversation {conversation}: question {call} of {}", row.id));
        let ended = self.logs[conversation].settled().flat_map(|(_, it)| &it.rows);
        let ended = ended.into_iter().any(|(id, _)| *id == row.id);
        external::rule(|| assert!(!ended, "{} was answered, and asks again", row.id));
        if let Some(requested) = unasked(&*self.external.bot, ask) {
            let input = Input::Requested { call, requested };
            self.after(0, Step::Tell { conversation, life, input });
            return;
        }
        let channel = self.site.channel_of(conversation);
        let callback = channel.is_reached.then(|| External::callback(conversation));
        let guest = format!("{conversation:024}");
        let asked = External::asked(&guest, callback.as_deref());
        let request = self.external.bot.ask(ask, &asked);
        let question = Question { part: row.id.clone(), ask: ask.clone(), request };
        let pause = self.latency();
        let asking = Box::new(Asking { call, question });
        self.after(pause, Step::Ask { conversation, life, asking });
    }

    /// A question comes in at the external bot, which answers it one way or another.
    pub(crate) fn question_comes_in(&mut self, conversation: usize, life: Life, asking: &Asking) {
        let Asking { call, question } = asking;
        let call = *call;
        let wrong = self.goes_wrong(self.weather.vendor_percent);
        let sent = if wrong && self.chance.percent(15) {
            Err(external::held(self.now, &mut self.chance))
        } else {
            // What a dead host has asked is nobody's question any more.
            let is_alive = self.life(conversation) == Some(life);
            Ok(self.external_answers(conversation, question, wrong, is_alive))
        };
        let requested = come_of(&*self.external.bot, &question.ask, sent);
        self.tell(|| format!("conversation {conversation}: question {call}: {requested:?}"));
        let pause = self.latency();
        let input = Input::Requested { call, requested };
        self.after(pause, Step::Tell { conversation, life, input });
    }

    fn external_answers(
        &mut self,
        conversation: usize,
        question: &Question,
        wrong: bool,
        is_alive: bool,
    ) -> CallAnswer {
        if is_alive {
            external::rule(|| self.external.comes(&question.part));
        }
        let (trouble, acted) = if wrong {
            let (answer, acted) = external::trouble(&mut self.chance);
            (Some(answer), acted)
        } else {
            (None, true)
        };
        let (external, chance) = (&mut self.external, &mut self.chance);
        let reply = acted
            .then(|| external::rule(|| external.hear(conversation, question, self.calm, chance)));
        let (body, said) = reply.map(|it| (it.body.to_string(), it.said)).unwrap_or_default();
        let answer = trouble.unwrap_or_else(|| answered((200, body), None));
        if is_alive {
            self.external.note(question, &answer, said);
        }
        answer
    }

    /// What an external bot posts by itself is let in, as a server does it, or not.
    pub(crate) fn lets_in(&mut self, n: usize, duplicate: bool) -> bool {
        let conversation = self.webhooks[n].parts[0];
        let log = &self.logs[conversation];
        let waiting = log.load(POSTS_WAITING_MAX).accepted;
        let request = Digest::of(&self.webhooks[n].posted.body);
        let door = door(&log.state(), &waiting, request, self.now);
        self.tell(|| {
            format!("webhook {n} finds the door of conversation {conversation}: {door:?}")
        });
        match door {
            Door::Open(_) => return true,
            Door::Early | Door::Full => self.fail_webhook(n, duplicate),
            Door::Heard | Door::Shut => {
                let webhook = &mut self.webhooks[n];
                webhook.state = State::Answered;
                webhook.turned_away = door == Door::Shut;
            }
        }
        false
    }

    /// What an external bot has posted, as the lane gets it.
    pub(crate) fn arrival_of_external(&self, n: usize) -> Arrival {
        let webhook = &self.webhooks[n];
        let body = &webhook.posted.body;
        let heard = self.external.bot.spoke(body).expect("it is as the page has it");
        let json = serde_json::to_string(&heard).expect("texts are JSON");
        let body_of = EventBody::Other(NamedPayload { name: RELAY.to_owned(), json });
        let id = EventId(Self::event_id(n, 0, webhook.tries));
        let event = Event::new(id, self.now, body_of);
        Arrival { request: Some(Digest::of(body)), ..Arrival::new(event, Seed::default()) }
    }

    /// What a live agent posts about this conversation, if there is a chat.
    pub(crate) fn post_of_external(
        &mut self,
        conversation: usize,
        saying: Saying,
    ) -> Option<bytes::Bytes> {
        let leaves = saying == Saying::ExternalLeaves;
        self.external.post(conversation, leaves, self.calm, &mut self.chance)
    }
}
