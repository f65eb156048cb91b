//! The commands.
//!
//! | line | what it does |
//! |---|---|
//! | `say TEXT`, `markdown TEXT` | says it |
//! | `many COUNT` | so many messages, `0`, `1`, ... |
//! | `menu TEXT OPTION...` | options, without a fallback text of the bot's own; words without blanks |
//! | `media LINK`, `pause MS`, `note TEXT`, `name NAME` | a picture, a delay, a note, the contact's name |
//! | `count` | counts in the context and in the conversation's values, says both |
//! | `context`, `clear` | says the context, forgets it |
//! | `writer` | says the digest of the version that wrote the context |
//! | `skipped` | says the messages that had no turn of their own |
//! | `note-config`, `break-config` | writes all that is configured into the log, breaks down with it |
//! | `work COUNT` | uses so many million steps of CPU time |
//! | `later MS SCRIPT` | a timer that performs one line of script |
//! | `request NAME LINK` | a durable GET |
//! | `fetch LINK`, `fetch LINK MS` | a GET within the turn, with so much time; says the status and the body |
//! | `often COUNT LINK` | so many of them, says what came of the last |
//! | `hand-over NAME` | a hand-off to an external bot |
//! | `forward`, `forward-or-return`, `abort`, `end` | a hand-off, one that comes back, the end |
//! | anything else | echoes it |

use std::hint::black_box;

use botyard_sdk::action::{Media, NoteCreate, WorkQueue, abort};
use botyard_sdk::http;
use botyard_sdk::prelude::*;
use serde_json::{Map, Value, json};

/// Performs a script, one command a line.
pub(crate) fn perform(script: &str, turn: &Turn<'_>) -> Answer {
    let mut actions = actions![];
    for line in script.lines() {
        actions.extend(command(line, turn)?);
    }
    Ok(actions)
}

fn command(line: &str, turn: &Turn<'_>) -> Answer {
    let (verb, rest) = line.split_once(' ').unwrap_or((line, ""));
    Ok(match verb {
        "say" => actions![reply(rest)],
        "markdown" => actions![reply(rest).markdown()],
        "many" => (0..rest.parse::<u32>()?).map(|n| reply(n.to_string()).into()).collect(),
        "menu" => actions![menu(rest)],
        "media" => {
            let (link, name) = rest.split_once(' ').unwrap_or((rest, ""));
            let media = Media::new(link);
            if name.is_empty() { actions![media] } else { actions![media.name(name)] }
        }
        "pause" => actions![delay(rest.parse()?)],
        "note" => actions![NoteCreate::new(rest)],
        "queue" => actions![WorkQueue::new(rest)],
        "name" => actions![ContactUpdate::new().name(rest)],
        "count" => count(turn)?,
        "context" => actions![reply(turn.session().context.as_str())],
        "clear" => actions![context_clear()],
        "writer" => actions![reply(turn.session().context_by.as_deref().unwrap_or("nobody"))],
        "skipped" => actions![reply(skipped(turn))],
        "note-config" => {
            turn.info(&configured(turn));
            actions![]
        }
        "break-config" => panic!("{}", configured(turn)),
        "work" => work(rest.parse()?),
        "later" => {
            let (after, script) = rest.split_once(' ').unwrap_or((rest, ""));
            let timer = schedule(format!("later-{after}"), after.parse()?);
            actions![timer.payload(&json!(script))]
        }
        "request" => {
            let (name, link) = rest.split_once(' ').unwrap_or((rest, ""));
            actions![Request::get(name, link)]
        }
        "fetch" => {
            let (link, timeout) = rest.split_once(' ').unwrap_or((rest, ""));
            let request = http::Request::get(link);
            let timed = timeout.parse().map(|timeout| request.clone().timeout_ms(timeout));
            actions![reply(fetch(&timed.unwrap_or(request), turn))]
        }
        "often" => {
            let (count, link) = rest.split_once(' ').unwrap_or((rest, ""));
            let request = http::Request::get(link);
            let mut said = String::new();
            for _ in 0..count.parse::<u32>()? {
                said = fetch(&request, turn);
            }
            actions![reply(said)]
        }
        "forward" => actions![Forward::any()],
        "hand-over" => actions![Forward::bot(rest)],
        "forward-or-return" => actions![Forward::any().or_feedback()],
        "abort" => actions![abort()],
        "end" => actions![end()],
        _ => actions![reply(format!("you said: {line}"))],
    })
}

fn skipped(turn: &Turn<'_>) -> String {
    let texts = turn.session().skipped.iter().filter_map(|event| match &event.body {
        event::EventBody::Message(message) => Some(message.text.as_str()),
        _ => None,
    });
    let texts: Vec<_> = texts.collect();
    if texts.is_empty() { "none".to_owned() } else { texts.join(", ") }
}

fn configured(turn: &Turn<'_>) -> String {
    let all = turn.config_all().into_iter();
    let all: Vec<_> = all.map(|it| format!("{}={}", it.name, it.value)).collect();
    all.join(", ")
}

fn menu(words: &str) -> Bubbles {
    let (text, options) = words.split_once(' ').unwrap_or((words, "yes"));
    options.split(' ').fold(Bubbles::new(text), |menu, option| menu.option(option, option))
}

/// What came of a call, in one line.
fn fetch(request: &http::Request, turn: &Turn<'_>) -> String {
    match turn.http(request) {
        Ok(answer) => format!("{} {}", answer.status, answer.text()),
        Err(error) => format!("{error:?}"),
    }
}

fn work(millions: u64) -> Vec<Action> {
    let sum = (0..millions * 1_000_000).fold(0_u64, |sum, n| black_box(sum ^ n));
    black_box(sum);
    actions![]
}

/// The context must follow every turn; the values must agree with it.
fn count(turn: &Turn<'_>) -> Answer {
    let mut context: Map<String, Value> = turn.context();
    let counted = context.get("count").and_then(Value::as_u64).unwrap_or(0) + 1;
    context.insert("count".to_owned(), counted.into());
    let kept = turn.conversation_kv().add("count", 1)?;
    Ok(actions![context_update(&context)?, reply(format!("{counted} {kept}"))])
}
