//! Asks for a name and an e-mail address, then hands over to a human. Somebody
//! who is known already is handed over at once.

mod email;

use botyard_sdk::prelude::*;
use botyard_sdk::session::Contact;
use serde::{Deserialize, Serialize};

/// A longer answer to "what is your name" is no name.
const NAME_CHARACTERS_MAX: usize = 80;

/// So often an e-mail address is asked for; then it goes on without one.
const EMAIL_ATTEMPTS: u32 = 3;

/// The option to look for a human once more, and what it says.
const RETRY: &str = "retry";
const RETRY_LABEL: &str = "Try again";

/// The bot.
#[derive(Debug, Default)]
pub struct Lead;

/// What the bot waits for; kept in the context of the session.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(tag = "state", rename_all = "snake_case")]
enum State {
    /// Nothing: the session is new, or came back from a human.
    #[default]
    Idle,
    /// The name.
    Name,
    /// The e-mail address, which was wrong so often.
    Email {
        #[serde(default)]
        wrong: u32,
    },
    /// A human, and none is there.
    Human,
}

impl Bot for Lead {
    fn on_start(&self, start: &event::Start, turn: &Turn<'_>) -> Answer {
        match &start.first {
            // The program before this one may have asked already, and kept its
            // state as this one does: the answer counts.
            Some(_) if start.resumed => self.open_with(start, turn),
            Some(event::First::Message(message)) => open(message.text.trim(), turn.contact()),
            Some(event::First::Media(_) | event::First::Click(_) | event::First::Location(_)) => {
                begin(turn.contact())
            }
            // What no person did follows; a greeting would come out of the blue.
            None if start.resumed => Ok(actions![]),
            None => begin(turn.contact()),
        }
    }

    fn on_message(&self, message: &event::Message, turn: &Turn<'_>) -> Answer {
        let text = message.text.trim();
        match turn.context() {
            State::Idle => open(text, turn.contact()),
            State::Name => take_name(text),
            State::Email { wrong } => take_email(text, wrong),
            // Who types the option instead of tapping it means the same.
            State::Human if text.eq_ignore_ascii_case(RETRY_LABEL) => hand_over(),
            State::Human => nobody_there("Thank you, I have left that here for my colleagues."),
        }
    }

    fn on_click(&self, click: &event::Click, turn: &Turn<'_>) -> Answer {
        if click.option_ids.iter().any(|id| id == RETRY) {
            return hand_over();
        }
        begin(turn.contact())
    }

    fn on_media(&self, _media: &event::Media, turn: &Turn<'_>) -> Answer {
        match turn.context() {
            State::Idle => begin(turn.contact()),
            State::Name => {
                ask_name("Thank you! I cannot look at files, though. What is your name?")
            }
            State::Email { wrong } => ask_email(
                "Thank you! I cannot look at files, though. What is your e-mail address?",
                wrong,
            ),
            State::Human => nobody_there("Thank you, I have left that here for my colleagues."),
        }
    }

    fn on_forward_failed(&self, _failed: &event::ForwardFailed, _turn: &Turn<'_>) -> Answer {
        nobody_there("I am sorry, all of my colleagues are busy or away right now.")
    }
}

export!(Lead);

/// Somebody opens with a text, which a human will read. Who leaves an address in
/// it has said enough to be called back.
fn open(text: &str, contact: &Contact) -> Answer {
    if !is_known(contact) && email::find(text).is_some() {
        return take_email(text, 0);
    }
    begin(contact)
}

fn begin(contact: &Contact) -> Answer {
    if is_known(contact) {
        return hand_over();
    }
    ask_name("Welcome! I am a bot. What is your name?")
}

fn is_known(contact: &Contact) -> bool {
    let known = |field: &Option<String>| field.as_ref().is_some_and(|value| !value.is_empty());
    known(&contact.name) || known(&contact.email)
}

fn take_name(text: &str) -> Answer {
    let characters = text.chars().count();
    if characters == 0 || characters > NAME_CHARACTERS_MAX {
        return ask_name("I did not get that. What is your name, in a word or two?");
    }
    let mut answer = actions![ContactUpdate::new().name(text)];
    let question = format!("Hello {text}! What is your e-mail address?");
    answer.extend(ask_email(&question, 0)?);
    Ok(answer)
}

fn take_email(text: &str, wrong: u32) -> Answer {
    let Some(email) = email::find(text) else {
        return wrong_email(wrong + 1);
    };
    let mut answer = actions![
        ContactUpdate::new().email(email),
        reply("Thank you! I will hand you over to a colleague now."),
    ];
    answer.extend(hand_over()?);
    Ok(answer)
}

fn wrong_email(wrong: u32) -> Answer {
    if wrong < EMAIL_ATTEMPTS {
        let question = "That does not look like an e-mail address, like ada@example.com. \
                        Could you type it once more?";
        return ask_email(question, wrong);
    }
    let mut answer = actions![reply("Never mind. I will hand you over to a colleague now.")];
    answer.extend(hand_over()?);
    Ok(answer)
}

fn ask_name(question: &str) -> Answer {
    Ok(actions![reply(question), context_update(&State::Name)?])
}

fn ask_email(question: &str, wrong: u32) -> Answer {
    Ok(actions![reply(question), context_update(&State::Email { wrong })?])
}

fn hand_over() -> Answer {
    Ok(actions![context_clear(), Forward::any().or_feedback()])
}

fn nobody_there(text: &str) -> Answer {
    let text = format!("{text} You can leave a message here, and try again whenever you like.");
    Ok(actions![
        Bubbles::new(&text).option(RETRY, RETRY_LABEL).fallback(&text),
        context_update(&State::Human)?,
    ])
}

#[cfg(test)]
mod tests {
    use botyard_sdk::action::{ForwardTarget, OnFailure};
    use botyard_sdk::testing::{Chat, Outcome};

    use super::*;

    #[track_caller]
    fn assert_hands_over(outcome: &Outcome) {
        let forward = outcome.forwards();
        assert_eq!(forward.target, ForwardTarget::Any);
        assert_eq!(forward.on_failure, Some(OnFailure::Feedback));
        let last = outcome.actions().last();
        assert!(matches!(last, Some(Action::Forward(_))), "a hand-off comes last: {last:?}");
    }

    #[test]
    fn asks_for_name_and_email_and_hands_over() {
        let mut chat = Chat::<Lead>::new();
        chat.start().says("What is your name?");
        let outcome = chat.say(" Ada Lovelace ");
        assert_eq!(outcome.updates_contact().name.as_deref(), Some("Ada Lovelace"));
        outcome.says("Hello Ada Lovelace!").says("e-mail");

        let outcome = chat.say("It is ada@example.com.");
        assert_eq!(outcome.updates_contact().email.as_deref(), Some("ada@example.com"));
        assert_hands_over(&outcome);
        assert_eq!(chat.context_json(), "{}");
        assert!(!chat.owner_is_bot());
    }

    #[test]
    fn a_wrong_address_is_asked_for_again_but_not_forever() {
        let mut chat = Chat::<Lead>::new();
        chat.start().says("name");
        chat.say("Ada").says("e-mail");
        chat.say("ada at example").says("once more");
        chat.say("ada@").says("once more");
        let outcome = chat.say("no!");
        outcome.says("Never mind");
        assert!(!outcome.actions().iter().any(|action| matches!(action, Action::ContactUpdate(_))));
        assert_hands_over(&outcome);
    }

    #[test]
    fn a_known_contact_is_handed_over_without_a_word() {
        let by_name = Chat::<Lead>::new().contact(|contact| contact.name = Some("Ada".to_owned()));
        let by_email =
            Chat::<Lead>::new().contact(|contact| contact.email = Some("a@b.example".to_owned()));
        for mut chat in [by_name, by_email] {
            let outcome = chat.start();
            assert!(outcome.texts().is_empty());
            assert_hands_over(&outcome);
        }
    }

    #[test]
    fn an_empty_name_is_no_name() {
        let mut chat = Chat::<Lead>::new().contact(|contact| contact.name = Some(String::new()));
        chat.start().says("What is your name?");
    }

    #[test]
    fn messaging_apps_open_with_a_message_which_is_no_name() {
        let mut chat = Chat::<Lead>::new().on("userlike", "whatsapp_business");
        chat.say("Hi there").says("What is your name?");
        assert_eq!(chat.say("Ada").updates_contact().name.as_deref(), Some("Ada"));
    }

    #[test]
    fn an_address_in_the_first_message_is_kept() {
        let mut chat = Chat::<Lead>::new().on("userlike", "whatsapp_business");
        let outcome = chat.say("Please write to ada@example.com");
        assert_eq!(outcome.updates_contact().email.as_deref(), Some("ada@example.com"));
        assert_hands_over(&outcome);
    }

    /// The session goes on where the program before this bot left it.
    fn resume(context: &str, first: Option<event::First>) -> Outcome {
        let mut chat =
            Chat::<Lead>::new().session(|session| context.clone_into(&mut session.context));
        let start = event::Start { approach: None, first, resumed: true };
        chat.event(event::EventBody::Start(start))
    }

    #[test]
    fn an_answer_to_the_program_before_is_an_answer() {
        let wrote = |text: &str| {
            let (text, format) = (text.to_owned(), event::TextFormat::Plain);
            Some(event::First::Message(event::Message { text, format }))
        };
        let outcome = resume(r#"{"state": "email"}"#, wrote("ada@example.com"));
        assert_eq!(outcome.updates_contact().email.as_deref(), Some("ada@example.com"));
        assert_hands_over(&outcome);

        let outcome = resume(r#"{"state": "name"}"#, wrote("Ada"));
        assert_eq!(outcome.updates_contact().name.as_deref(), Some("Ada"));
        outcome.says("e-mail");

        resume(r#"{"step": 7}"#, wrote("Ada")).says("What is your name?");
        resume("{}", None).is_silent();
    }

    #[test]
    fn what_is_no_name_is_asked_for_again() {
        let mut chat = Chat::<Lead>::new();
        chat.start().says("name");
        chat.say("   ").says("What is your name");
        chat.say(&"very ".repeat(40)).says("What is your name");
        chat.media("https://files.example/cat.png", "image/png").says("What is your name");
        chat.say("Ada").says("Hello Ada");
    }

    #[test]
    fn a_failed_hand_off_is_answered_kindly_and_can_be_repeated() {
        let mut chat = Chat::<Lead>::new();
        chat.start().says("name");
        chat.say("Ada").says("e-mail");
        assert_hands_over(&chat.say("ada@example.com"));
        chat.forward_failed(None).says("I am sorry").offers(&[RETRY]);
        chat.say("Please call me").says("left that here").offers(&[RETRY]);
        assert_hands_over(&chat.click(RETRY));
        chat.forward_failed(None).says("I am sorry").offers(&[RETRY]);
        assert_hands_over(&chat.say("try again"));
    }

    #[test]
    fn a_context_of_another_program_is_no_obstacle() {
        let foreign = r#"{"state": {"dialog": 7}}"#;
        let mut chat =
            Chat::<Lead>::new().session(|session| foreign.clone_into(&mut session.context));
        chat.start().says("What is your name?");
    }
}
