//! A line of input.

use std::time::Duration;

use crate::userlike::{Act, Operators};

pub(super) const HELP: &str = "\
/start              open the messenger (web; in an app the first message does it)
/click ID           tap an option by its id
/media LINK         send a file
/location LAT LON   send a place (WhatsApp)
/unsubscribe WORD   leave a campaign (WhatsApp)
/expect TEXT        wait at most ten seconds until the bot says it, after what was expected before
/new                begin another conversation
/medium NAME        begin another conversation on another medium
/expire             let the session time out
/operators WHO      free: hand-offs succeed; away: they fail
/wait SECONDS       do nothing for a while
/help, /quit        this list; leave
anything else       write it; //x writes /x";

/// What a line asks for.
#[derive(Clone, Debug, PartialEq)]
pub(super) enum Command {
    Nothing,
    Act(Act),
    New,
    Medium(String),
    Expire,
    Operators(Operators),
    Wait(Duration),
    Expect(String),
    Help,
    Quit,
}

impl Command {
    /// Reads a line; an error says what was expected.
    pub(super) fn parse(line: &str) -> Result<Self, String> {
        let line = line.trim();
        let Some(command) = line.strip_prefix('/') else {
            let write = || Self::Act(Act::Write(line.to_owned()));
            return Ok(if line.is_empty() { Self::Nothing } else { write() });
        };
        if command.starts_with('/') {
            return Ok(Self::Act(Act::Write(command.to_owned())));
        }
        let (verb, rest) = command.split_once(char::is_whitespace).unwrap_or((command, ""));
        let rest = rest.trim();
        let one = |what: &str| {
            let missing = rest.is_empty();
            if missing { Err(format!("/{verb} needs {what}")) } else { Ok(rest.to_owned()) }
        };
        Ok(match verb {
            "start" => Self::Act(Act::Start),
            "click" => Self::Act(Act::Click(one("the id of an option")?)),
            "media" => Self::Act(Act::Media(one("a link")?)),
            "location" => Self::Act(location(rest)?),
            "unsubscribe" => Self::Act(Act::Unsubscribe(one("the word")?)),
            "expect" => Self::Expect(one("a text")?),
            "new" => Self::New,
            "medium" => Self::Medium(one("the name of a medium")?),
            "expire" => Self::Expire,
            "operators" => Self::Operators(operators(rest)?),
            "wait" => Self::Wait(seconds(rest)?),
            "help" => Self::Help,
            "quit" => Self::Quit,
            _ => return Err(format!("there is no /{verb}: /help lists what there is")),
        })
    }
}

fn location(rest: &str) -> Result<Act, String> {
    let degrees =
        |text: &str, most: f64| text.parse::<f64>().ok().filter(|degrees| degrees.abs() <= most);
    rest.split_once(char::is_whitespace)
        .and_then(|(latitude, longitude)| {
            Some(Act::Location(degrees(latitude, 90.0)?, degrees(longitude.trim(), 180.0)?))
        })
        .ok_or_else(|| "/location needs a latitude and a longitude, as `50.94 6.96`".to_owned())
}

fn operators(rest: &str) -> Result<Operators, String> {
    match rest {
        "free" => Ok(Operators::Free),
        "away" => Ok(Operators::Away),
        _ => Err("/operators needs `free` or `away`".to_owned()),
    }
}

fn seconds(rest: &str) -> Result<Duration, String> {
    let seconds = rest.parse().ok().and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    seconds.ok_or_else(|| "/wait needs a number of seconds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_words_or_commands() {
        let write = |text: &str| Command::Act(Act::Write(text.to_owned()));
        let rows = [
            ("", Ok(Command::Nothing)),
            ("  hello there ", Ok(write("hello there"))),
            ("//start", Ok(write("/start"))),
            ("/start", Ok(Command::Act(Act::Start))),
            ("/click rye loaf", Ok(Command::Act(Act::Click("rye loaf".to_owned())))),
            ("/click", Err("id of an option")),
            ("/location 50.94 6.96", Ok(Command::Act(Act::Location(50.94, 6.96)))),
            ("/location 91 0", Err("latitude")),
            ("/location here", Err("latitude")),
            ("/wait 0.5", Ok(Command::Wait(Duration::from_millis(500)))),
            ("/wait -1", Err("seconds")),
            ("/operators away", Ok(Command::Operators(Operators::Away))),
            ("/operators", Err("`free` or `away`")),
            ("/shout", Err("/help")),
        ];
        for (line, expect) in rows {
            match (expect, Command::parse(line)) {
                (Ok(expect), got) => assert_eq!(got, Ok(expect), "{line}"),
                (Err(words), got) => assert!(got.unwrap_err().contains(words), "{line}"),
            }
        }
    }
}
