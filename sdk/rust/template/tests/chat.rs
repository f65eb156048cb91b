//! Conversations with the bot, played without a server.

use botyard_sdk::testing::Chat;
use my_bot::MyBot;

#[test]
fn remembers_a_colour() {
    let mut chat = Chat::<MyBot>::new();
    chat.start().says("Hello!").offers(&["red", "blue"]);
    chat.say("Pardon?").says("Which colour").offers(&["red", "blue"]);
    chat.click("blue").says("I like blue, too.");
    chat.say("What do I like?").says("you like blue");
}

#[test]
fn takes_a_typed_colour_for_a_tap() {
    let mut chat = Chat::<MyBot>::new();
    chat.start().offers(&["red", "blue"]);
    chat.say(" RED ").says("I like red, too.");
    chat.say("What do I like?").says("you like red");
}

#[test]
fn hears_what_a_conversation_opens_with() {
    let whatsapp = || Chat::<MyBot>::new().on("userlike", "whatsapp_business");
    whatsapp().say("Hi").offers(&["red", "blue"]);
    whatsapp().say("blue").says("I like blue, too.");
    whatsapp().say("I want a human").forwards();
}

#[test]
fn finds_a_human() {
    let mut chat = Chat::<MyBot>::new();
    chat.start().says("Hello!");
    chat.say("A human, please").says("find you somebody").forwards();
    chat.forward_failed(None).says("nobody is there");
}
