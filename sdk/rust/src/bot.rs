//! What an author implements, and the way from the export to it.

use crate::action::Action;
use crate::event::{self, Event, EventBody};
use crate::{Failure, Turn};

/// What an event is answered with: all actions are committed, or none.
///
/// At most 32 actions of together at most 64 KiB; an empty list is a good answer.
pub type Answer = Result<Vec<Action>, Failure>;

/// A bot: one method for each kind of event, all of them optional.
///
/// A fresh value is made by [`Default`] for each event, so nothing that a method
/// keeps in `self` is there at the next one. What has to stay goes into the
/// context of the session ([`Turn::context`]) or into the values of the
/// conversation ([`Turn::conversation_kv`]).
///
/// A method that returns a [`Failure`] ends the turn without any action; the
/// person gets the channel's failure text.
pub trait Bot: Default {
    /// Handles any event; calls the method of its kind. Implement it instead of
    /// them to do something around every event.
    fn handle(&self, event: &Event, turn: &Turn<'_>) -> Answer {
        match &event.body {
            EventBody::Start(start) => self.on_start(start, turn),
            EventBody::Message(message) => self.on_message(message, turn),
            EventBody::Click(click) => self.on_click(click, turn),
            EventBody::Media(media) => self.on_media(media, turn),
            EventBody::Location(location) => self.on_location(location, turn),
            EventBody::Timer(timer) => self.on_timer(timer, turn),
            EventBody::Response(response) => self.on_response(response, turn),
            EventBody::Signal(signal) => self.on_signal(signal, turn),
            EventBody::ForwardFailed(failed) => self.on_forward_failed(failed, turn),
            EventBody::Returned(returned) => self.on_returned(returned, turn),
            EventBody::HumanSpoke(spoke) => self.on_human_spoke(spoke, turn),
            EventBody::Ended(ended) => self.on_ended(ended, turn),
            EventBody::CampaignUnsubscribe(left) => self.on_campaign_unsubscribe(left, turn),
            EventBody::DeliveryFailed(failed) => self.on_delivery_failed(failed, turn),
            EventBody::Other(other) => self.on_other(other, turn),
        }
    }

    /// A session begins. Unless implemented, what the person opened with, if
    /// anything, is handled as if it had come by itself.
    ///
    /// Messaging apps open with a message, and so does every conversation that
    /// goes on while the bot takes over a channel
    /// ([`Start::resumed`](event::Start::resumed)). It comes here and nowhere
    /// else, so pass it to [`Bot::open_with`] or use it yourself:
    ///
    /// ```
    /// # use botyard_sdk::prelude::*;
    /// # #[derive(Default)]
    /// # struct MyBot;
    /// # impl Bot for MyBot {
    /// fn on_start(&self, start: &event::Start, turn: &Turn<'_>) -> Answer {
    ///     if start.first.is_some() || start.resumed {
    ///         return self.open_with(start, turn);
    ///     }
    ///     Ok(actions![reply("Hello! What can I do for you?")])
    /// }
    /// # }
    /// ```
    fn on_start(&self, start: &event::Start, turn: &Turn<'_>) -> Answer {
        self.open_with(start, turn)
    }

    /// Handles what the person opened the session with, see [`event::Start::first`].
    /// For bots that implement [`Bot::on_start`]; not meant to be implemented.
    fn open_with(&self, start: &event::Start, turn: &Turn<'_>) -> Answer {
        match &start.first {
            None => Ok(Vec::new()),
            Some(event::First::Message(message)) => self.on_message(message, turn),
            Some(event::First::Media(media)) => self.on_media(media, turn),
            Some(event::First::Click(click)) => self.on_click(click, turn),
            Some(event::First::Location(location)) => self.on_location(location, turn),
        }
    }

    /// The person wrote.
    fn on_message(&self, _message: &event::Message, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// The person chose an option that the bot had offered: by a tap, or by its number
    /// or label where that menu was the last thing asked (`typed_text` says what they
    /// wrote). What could be more than one option comes to [`Bot::on_message`].
    fn on_click(&self, _click: &event::Click, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// The person sent a picture, a recording or a file.
    fn on_media(&self, _media: &event::Media, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// The person sent a place.
    fn on_location(&self, _location: &event::Location, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// A timer of [`action::schedule`](crate::action::schedule) is due.
    fn on_timer(&self, _timer: &event::Timer, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// The answer to a [`Request`](crate::action::Request) of an earlier turn.
    fn on_response(&self, _response: &event::Response, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// The tenant's own systems speak into the conversation.
    fn on_signal(&self, _signal: &event::NamedPayload, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// A hand-off found nobody, and the bot is responsible again.
    fn on_forward_failed(&self, _failed: &event::ForwardFailed, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// A human or another bot handed the conversation back.
    fn on_returned(&self, _returned: &event::Returned, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// A human agent wrote to the person.
    fn on_human_spoke(&self, _spoke: &event::HumanSpoke, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// The conversation is over; no action can reach the person any more.
    fn on_ended(&self, _ended: &event::Ended, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// The person left a campaign by its keyword.
    fn on_campaign_unsubscribe(
        &self,
        _left: &event::CampaignUnsubscribe,
        _turn: &Turn<'_>,
    ) -> Answer {
        Ok(Vec::new())
    }

    /// An action of an earlier turn could not be delivered and will not be tried again.
    fn on_delivery_failed(&self, _failed: &event::DeliveryFailed, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }

    /// An event that this version has no case for, by the vendor's own name.
    fn on_other(&self, _other: &event::NamedPayload, _turn: &Turn<'_>) -> Answer {
        Ok(Vec::new())
    }
}
