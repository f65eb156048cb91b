//! The help desk of a web shop: tells where an order is, how to return an item,
//! or hands over to support.
//!
//! The tenant configures `shop-url`; `GET <shop-url>/orders/<id>` answers what is
//! known of an order, and may take its time.

mod shop;
mod wish;

use botyard_sdk::action::Buttons;
use botyard_sdk::prelude::*;
use serde::{Deserialize, Serialize};

use crate::shop::Lookup;
use crate::wish::Wish;

/// The bot.
#[derive(Debug, Default)]
pub struct Orders;

/// What the bot waits for; kept in the context of the session.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    /// A wish.
    #[default]
    Idle,
    /// The ID of an order.
    OrderId,
}

impl Bot for Orders {
    fn on_start(&self, start: &event::Start, turn: &Turn<'_>) -> Answer {
        // Nobody is welcomed into a conversation that was going on already.
        if start.resumed {
            return self.open_with(start, turn);
        }
        let opening = match &start.first {
            Some(event::First::Message(message)) => Wish::of_text(&message.text),
            Some(event::First::Click(click)) => Wish::of_click(click),
            Some(event::First::Media(_) | event::First::Location(_)) | None => None,
        };
        match opening {
            Some(wish) => fulfil(wish, turn),
            None => Ok(actions![reply("Welcome to our shop!"), menu("How can I help you?")]),
        }
    }

    fn on_click(&self, click: &event::Click, turn: &Turn<'_>) -> Answer {
        match Wish::of_click(click) {
            Some(wish) => fulfil(wish, turn),
            None => what_else(),
        }
    }

    fn on_message(&self, message: &event::Message, turn: &Turn<'_>) -> Answer {
        let order = shop::find_order(&message.text);
        match (turn.context(), Wish::of_text(&message.text), order) {
            (State::OrderId, _, Some(order)) => look_up(order, turn),
            (_, Some(wish), _) => fulfil(wish, turn),
            (State::OrderId, None, None) => ask_order_id(
                "I cannot find an order ID in that. It is in your confirmation mail, \
                 for example 84-11907. What is yours?",
            ),
            (State::Idle, None, _) => what_else(),
        }
    }

    fn on_response(&self, response: &event::Response, _turn: &Turn<'_>) -> Answer {
        let Some(lookup) = Lookup::of(response) else { return Ok(actions![]) };
        match lookup {
            Lookup::Found { order, status } => {
                let text = format!("Your order {order}: {status}.");
                Ok(actions![reply(text), menu("Anything else?")])
            }
            Lookup::Unknown { order } => ask_order_id(&format!(
                "Our shop knows no order {order}. Please look at the ID again: what is it?"
            )),
            Lookup::Failed { order } => Ok(actions![
                reply(format!("I am sorry, I could not find out about your order {order}.")),
                offer(
                    "Shall I try again, or connect you with support?",
                    &[Wish::Delivery, Wish::Support,]
                ),
            ]),
        }
    }

    fn on_forward_failed(&self, _failed: &event::ForwardFailed, _turn: &Turn<'_>) -> Answer {
        Ok(actions![
            reply("I am sorry, nobody of our support is free right now."),
            menu("Can I help you with something else meanwhile?"),
        ])
    }

    fn on_returned(&self, _returned: &event::Returned, _turn: &Turn<'_>) -> Answer {
        Ok(actions![context_clear(), menu("I am back. Can I do anything else for you?")])
    }
}

// The shop's host is the tenant's own, so there is none to name here.
export!(Orders, config: include_str!("../config.schema.json"));

fn fulfil(wish: Wish, turn: &Turn<'_>) -> Answer {
    match wish {
        Wish::Delivery => ask_order_id("Sure! What is your order ID?"),
        Wish::Return => {
            let link = format!("{}/returns", shop_url(turn)?);
            let text = "You can return an item within 30 days: print a label and send it back.";
            Ok(actions![Buttons::new().text(text).link("Print a label", link), context_clear(),])
        }
        Wish::Support => Ok(actions![
            reply("Of course. I will hand you over to a colleague."),
            context_clear(),
            Forward::any().or_feedback(),
        ]),
    }
}

fn look_up(order: &str, turn: &Turn<'_>) -> Answer {
    let url = format!("{}/orders/{order}", shop_url(turn)?);
    Ok(actions![
        reply(format!("One moment, I am looking up your order {order}.")),
        context_clear(),
        Request::get(shop::request_name(order), url).timeout_ms(20_000),
    ])
}

fn ask_order_id(question: &str) -> Answer {
    Ok(actions![reply(question), context_update(&State::OrderId)?])
}

fn what_else() -> Answer {
    Ok(actions![menu("I did not get that. What can I do for you?")])
}

fn menu(text: &str) -> Bubbles {
    offer(text, &[Wish::Delivery, Wish::Return, Wish::Support])
}

/// Options, and a text that names them where a medium has no buttons.
fn offer(text: &str, wishes: &[Wish]) -> Bubbles {
    let labels = wishes.iter().map(|wish| wish.label()).collect::<Vec<_>>().join(", ");
    let bubbles = Bubbles::new(text).fallback(format!("{text} You can write: {labels}."));
    wishes.iter().fold(bubbles, |bubbles, wish| bubbles.option(wish.id(), wish.label()))
}

fn shop_url(turn: &Turn<'_>) -> Result<String, Failure> {
    let url = turn.config_required("shop-url")?;
    Ok(url.trim_end_matches('/').to_owned())
}

#[cfg(test)]
mod tests {
    use botyard_sdk::testing::Chat;

    use super::*;

    const MENU: [&str; 3] = ["delivery", "return", "support"];

    fn chat() -> Chat<Orders> {
        Chat::new().config("shop-url", "https://shop.example/")
    }

    #[test]
    fn a_delivery_status_is_looked_up_after_the_direct_answer() {
        let mut chat = chat();
        chat.start().says("Welcome").says("How can I help you?").offers(&MENU);
        chat.click("delivery").says("order ID");

        let outcome = chat.say("it's #84-11907, thanks");
        outcome.says("One moment");
        let request = outcome.requests("order-84-11907");
        assert_eq!(request.method, "GET");
        assert_eq!(request.url, "https://shop.example/orders/84-11907");

        let answer = r#"{"status": "out for delivery", "expected": "tomorrow"}"#;
        chat.respond("order-84-11907", 200, answer)
            .says("Your order 84-11907: out for delivery, expected tomorrow.")
            .offers(&MENU);
    }

    #[test]
    fn an_unknown_order_is_asked_for_again() {
        let mut chat = chat();
        chat.start().offers(&MENU);
        chat.click("delivery").says("order ID");
        chat.say("4711").says("One moment");
        chat.respond("order-4711", 404, "{}").says("knows no order 4711");
        chat.say("4712").requests("order-4712");
    }

    #[test]
    fn a_shop_that_fails_leaves_a_way_on() {
        for (status, body) in [(500, "{}"), (200, "<html>"), (200, r#"{"expected": "soon"}"#)] {
            let mut chat = chat();
            chat.start().offers(&MENU);
            chat.click("delivery").says("order ID");
            chat.say("4711").says("One moment");
            chat.respond("order-4711", status, body)
                .says("could not find out about your order 4711")
                .offers(&["delivery", "support"]);
        }
        let mut chat = chat();
        chat.start().offers(&MENU);
        chat.click("delivery").says("order ID");
        chat.say("4711").says("One moment");
        chat.fail_request("order-4711", "no answer in time").offers(&["delivery", "support"]);
        chat.click("support").forwards();
    }

    #[test]
    fn something_else_than_an_order_id_is_asked_for_again() {
        let mut chat = chat();
        chat.start().offers(&MENU);
        chat.click("delivery").says("order ID");
        chat.say("I lost it").says("cannot find an order ID");
        chat.say("then let me talk to support").forwards();
    }

    #[test]
    fn an_order_id_never_leaves_its_place_in_the_address() {
        let mut chat = chat();
        chat.start().offers(&MENU);
        chat.click("delivery").says("order ID");
        let outcome = chat.say("1/../../admin?all=1");
        outcome.says("cannot find an order ID");
    }

    #[test]
    fn returns_are_explained() {
        let mut chat = chat();
        chat.start().offers(&MENU);
        let outcome = chat.click("return");
        outcome.says("30 days");
        let link = Buttons::new().link("Print a label", "https://shop.example/returns").links;
        assert!(matches!(&outcome.actions()[0], Action::Buttons(buttons) if buttons.links == link));
    }

    #[test]
    fn support_is_a_hand_off_that_may_fail() {
        let mut chat = chat();
        chat.start().offers(&MENU);
        let outcome = chat.click("support");
        assert_eq!(outcome.forwards(), &Forward::any().or_feedback());
        assert!(!chat.say("hello?").ran());
        chat.forward_failed(Some("offline")).says("nobody of our support is free").offers(&MENU);
        chat.say("talk to support").forwards();
        chat.returned().offers(&MENU);
    }

    #[test]
    fn every_label_can_be_typed_and_stands_in_the_fallback() {
        let Bubbles { fallback, options, .. } = menu("How can I help you?");
        for option in options {
            assert!(fallback.as_ref().unwrap().contains(&option.label), "{fallback:?}");
            assert_eq!(Wish::of_text(&option.label).map(Wish::id), Some(option.id.as_str()));
        }
    }

    #[test]
    fn words_are_wishes_also_at_the_start() {
        chat().say("Where is my delivery?").says("order ID");
        chat().say("Hi").says("Welcome").offers(&MENU);
        let mut chat = chat();
        chat.start().offers(&MENU);
        chat.say("xyz").says("did not get that").offers(&MENU);
        chat.say("I want to return this").says("30 days");
    }

    #[test]
    fn a_conversation_that_goes_on_is_not_welcomed_again() {
        let resume = |context: &str, text: Option<&str>| {
            let message = |text: &str| event::Message {
                text: text.to_owned(),
                format: event::TextFormat::Plain,
            };
            let first = text.map(message).map(event::First::Message);
            let start = event::Start { approach: None, first, resumed: true };
            let mut chat = chat().session(|session| context.clone_into(&mut session.context));
            chat.event(event::EventBody::Start(start))
        };
        resume("{}", None).is_silent();
        resume("{}", Some("Hi")).says("did not get that").offers(&MENU);
        resume(r#"{"state": "order_id"}"#, Some("84-11907")).says("looking up your order 84-11907");
    }

    #[test]
    fn without_a_shop_the_tenant_is_asked_for_one() {
        let mut chat = Chat::<Orders>::new();
        chat.start().offers(&MENU);
        chat.click("delivery").says("order ID");
        chat.say("4711").fails("configure `shop-url`");
    }

    #[test]
    fn the_answer_to_a_request_of_another_kind_is_ignored() {
        let answer = event::ResponseOutcome::Failed("late".to_owned());
        let response = event::Response { name: "other".to_owned(), outcome: answer };
        let mut chat = chat();
        chat.start().offers(&MENU);
        chat.event(event::EventBody::Response(response)).is_silent();
    }
}
