//! `botyard channel probe`: what a vendor takes.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context as _, bail};
use botyard_kernel::action::Action;
use botyard_vendors::{DOCUMENT, PICTURE};
use clap::Args;
use http::Method;
use serde_json::Value;

use super::{path, say};
use crate::admin::protocol::{ProbeRequest, Probed, Sample, Samples, Taken};
use crate::cli::operate::{Host, read};
use crate::cli::vendor;

#[derive(Debug, Args)]
pub(in crate::cli) struct Probe {
    /// The channel.
    channel: String,
    /// The vendor's own key of the test conversation, as the host's log has it.
    #[arg(long, value_name = "KEY")]
    conversation: String,
    /// What a reply needs besides the key, as `botyard vendor receive` prints it. Default:
    /// what the host knows, if somebody has written in this conversation.
    #[arg(long, value_name = "TEXT")]
    reply_to: Option<String>,
    /// What the test person writes on. Default: what they wrote on last, or what people of
    /// this vendor usually do.
    #[arg(long)]
    medium: Option<String>,
    /// The address of a picture that the vendor can fetch: without it, no pictures are sent.
    #[arg(long, value_name = "URL")]
    picture: Option<String>,
    /// The address of a PDF that the vendor can fetch: without it, none is sent.
    #[arg(long, value_name = "URL")]
    document: Option<String>,
    /// Send these instead, a JSON list of actions in the canonical form: with tags, queues
    /// and forms that your account has. `-` reads standard input.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["picture", "document"])]
    actions: Option<PathBuf>,
    /// Keys of the dialect to try in the place of the channel's own, as a JSON object;
    /// repeatable: each is tried after the other.
    #[arg(long, value_name = "JSON", value_parser = object)]
    dialect: Vec<Value>,
    /// Only this action, by its canonical name; repeatable.
    #[arg(long, value_name = "ACTION")]
    only: Vec<String>,
    /// Also what hands the conversation over or ends it: these go last.
    #[arg(long)]
    ends: bool,
    #[command(flatten)]
    host: Host,
}

/// Sends each sample, those that end the conversation last, and prints what came of it.
pub(super) async fn probe(asked: Probe) -> anyhow::Result<()> {
    let host = &asked.host;
    let all = host.ask(Method::GET, &path(&asked.channel, "samples"), None::<&()>).await?;
    let mut all: Samples = read(&all)?;
    if let Some(file) = &asked.actions {
        all.samples = own_samples(&vendor::read(file)?)?;
    }
    let samples = asked.chosen(all.samples)?;
    let dialects: Vec<Option<&Value>> = if asked.dialect.is_empty() {
        vec![None]
    } else {
        asked.dialect.iter().map(Some).collect()
    };
    let (mut tried, mut took, mut unsent) = (0, 0, 0);
    for dialect in dialects {
        if let Some(dialect) = dialect {
            say(&format!("in the dialect {dialect}:\n"))?;
        }
        for sample in &samples {
            if tried > 0 {
                tokio::time::sleep(Duration::from_millis(all.pause_ms)).await;
            }
            let request = ProbeRequest {
                sample: sample.clone(),
                conversation: asked.conversation.clone(),
                reply_to: asked.reply_to.clone(),
                medium: asked.medium.clone(),
                dialect: dialect.cloned(),
            };
            let path = path(&asked.channel, "probe");
            let answer = host.ask(Method::POST, &path, Some(&request)).await?;
            let probed: Probed = read(&answer)?;
            if tried == 0 {
                say(&format!("on the medium {}:\n", probed.medium))?;
            }
            tried += 1;
            took += usize::from(probed.accepted() == Some(true));
            unsent += usize::from(probed.accepted().is_none());
            host.print(&answer, |probed: Probed| line(&probed))?;
        }
    }
    say(&format!("{} took {took} of {tried}, {unsent} not sent\n", all.vendor))
}

impl Probe {
    /// The samples that were asked for, in the order in which they are sent.
    fn chosen(&self, samples: Vec<Sample>) -> anyhow::Result<Vec<Sample>> {
        let known = |name: &String| samples.iter().any(|sample| sample.action.name() == *name);
        if let Some(unknown) = self.only.iter().find(|name| !known(name)) {
            let mut names: Vec<_> = samples.iter().map(|sample| sample.action.name()).collect();
            names.dedup();
            bail!("`{unknown}` is no action that can be tried; there are: {}", names.join(", "));
        }
        let named = |sample: &Sample| self.only.iter().any(|name| name == sample.action.name());
        let all = self.only.is_empty();
        let wanted = |sample: &Sample| named(sample) || all && (self.ends || !sample.ends());
        let wanted = samples.into_iter().filter(wanted);
        let (ends, others): (Vec<_>, Vec<_>) = wanted.partition(Sample::ends);
        let mut chosen = Vec::new();
        for sample in others.into_iter().chain(ends) {
            match self.with_files(&sample)? {
                Ok(sample) => chosen.push(sample),
                Err(flag) => {
                    let (action, what) = (sample.action.name(), &sample.what);
                    say(&format!(
                        "{action}, {what}: left out: give the address of one by {flag}\n"
                    ))?;
                }
            }
        }
        if chosen.is_empty() {
            bail!("nothing is left to send");
        }
        Ok(chosen)
    }

    /// The sample with the files that the operator names, or the flag that names one.
    fn with_files(&self, sample: &Sample) -> anyhow::Result<Result<Sample, &'static str>> {
        let mut action = serde_json::to_value(&sample.action)?;
        let files = [
            (PICTURE, self.picture.as_deref(), "--picture"),
            (DOCUMENT, self.document.as_deref(), "--document"),
        ];
        for (nowhere, given, flag) in files {
            match given {
                Some(given) => put(&mut action, nowhere, given),
                None if has(&action, nowhere) => return Ok(Err(flag)),
                None => {}
            }
        }
        Ok(Ok(Sample { what: sample.what.clone(), action: serde_json::from_value(action)? }))
    }
}

/// The operator's own actions, numbered where several are of one name.
fn own_samples(text: &[u8]) -> anyhow::Result<Vec<Sample>> {
    let actions: Vec<Action> = serde_json::from_slice(text).context(
        "expected a JSON list of actions, for example [{\"name\": \"tag\", \"payload\": [\"17\"]}]",
    )?;
    let sample = |(n, action)| Sample { what: format!("number {n} of the file"), action };
    Ok((1..).zip(actions).map(sample).collect())
}

/// Whether a text stands somewhere in it.
fn has(value: &Value, text: &str) -> bool {
    match value {
        Value::String(own) => own == text,
        Value::Array(values) => values.iter().any(|value| has(value, text)),
        Value::Object(fields) => fields.values().any(|value| has(value, text)),
        Value::Null | Value::Bool(_) | Value::Number(_) => false,
    }
}

/// Puts another text in its place, wherever it stands.
fn put(value: &mut Value, text: &str, other: &str) {
    match value {
        Value::String(own) if own == text => other.clone_into(own),
        Value::Array(values) => values.iter_mut().for_each(|value| put(value, text, other)),
        Value::Object(fields) => fields.values_mut().for_each(|value| put(value, text, other)),
        Value::String(_) | Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

fn line(probed: &Probed) -> String {
    let Probed { action, what, notes, calls, .. } = probed;
    let what = if what.is_empty() { String::new() } else { format!(", {what}") };
    let mut text = format!("{action}{what}: ");
    if calls.is_empty() {
        text.push_str("not sent: nothing of it becomes a call");
    }
    let told = calls.iter().map(|Taken { action, status, accepted, reason }| {
        let status = status.map(|status| format!(" ({status})")).unwrap_or_default();
        let word = match accepted {
            Some(true) => "accepted",
            Some(false) => "refused",
            None => "not sent",
        };
        let reason = if reason.is_empty() { String::new() } else { format!(": {reason}") };
        format!("{action} {word}{status}{reason}")
    });
    text.push_str(&told.collect::<Vec<_>>().join("; "));
    text.push('\n');
    for note in notes {
        let _ = writeln!(text, "    {note}");
    }
    text
}

fn object(text: &str) -> Result<Value, String> {
    let value: Value = serde_json::from_str(text).map_err(|error| error.to_string())?;
    if value.is_object() { Ok(value) } else { Err("write a JSON object".to_owned()) }
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        probe: Probe,
    }

    fn asked(more: &[&str]) -> Probe {
        let line = [&["probe", "care", "--conversation", "7"], more].concat();
        Line::try_parse_from(line).expect("a line").probe
    }

    fn names(chosen: &[Sample]) -> Vec<&str> {
        chosen.iter().map(|sample| sample.action.name()).collect()
    }

    #[test]
    fn files_are_sent_only_where_there_are_some() {
        let samples = own_samples(
            format!(
                r#"[{{"name": "end"}}, {{"name": "media", "payload": {{"link": "{PICTURE}"}}}},
                    {{"name": "media", "payload": {{"link": "{DOCUMENT}"}}}}, {{"name": "tag", "payload": ["17"]}}]"#
            )
            .as_bytes(),
        )
        .expect("actions");
        let chosen = asked(&[]).chosen(samples.clone()).expect("some");
        assert_eq!(names(&chosen), ["tag"]);
        let chosen = asked(&["--picture", "https://a.example/b.png", "--ends"]);
        let chosen = chosen.chosen(samples.clone()).expect("some");
        assert_eq!(names(&chosen), ["media", "tag", "end"]);
        let Action::Media(media) = &chosen[0].action else { panic!("a picture") };
        assert_eq!(media.link, "https://a.example/b.png");
        assert_eq!(names(&asked(&["--only", "end"]).chosen(samples.clone()).expect("it")), ["end"]);
        for (only, says) in [("sing", "`sing` is no action"), ("media", "nothing is left")] {
            let refused = asked(&["--only", only]).chosen(samples.clone()).expect_err("no");
            assert!(refused.to_string().contains(says), "{refused}");
        }
        assert!(own_samples(b"{}").is_err());
    }

    #[test]
    fn a_line_says_what_was_taken_and_why_not() {
        let taken = |action: &str, status, accepted, reason: &str| Taken {
            action: action.to_owned(),
            status,
            accepted,
            reason: reason.to_owned(),
        };
        let calls = vec![
            taken("message", Some(200), Some(true), ""),
            taken("delay", None, None, "the host waits"),
            taken("bubbles", Some(400), Some(false), "no label"),
        ];
        let (action, what) = ("bubbles".to_owned(), "3 options".to_owned());
        let (notes, medium) = (vec!["a note".to_owned()], "web".to_owned());
        let probed = Probed { action, what, medium, notes, calls };
        assert_eq!(
            line(&probed),
            "bubbles, 3 options: message accepted (200); delay not sent: the host waits; bubbles \
             refused (400): no label\n    a note\n"
        );
        assert_eq!(probed.accepted(), Some(false));
    }

    #[test]
    fn what_was_not_sent_was_neither_taken_nor_refused() {
        let probed = |calls: &[Option<bool>]| Probed {
            action: "typing".to_owned(),
            what: String::new(),
            medium: "web".to_owned(),
            notes: Vec::new(),
            calls: calls
                .iter()
                .map(|accepted| Taken {
                    action: "typing".to_owned(),
                    status: None,
                    accepted: *accepted,
                    reason: String::new(),
                })
                .collect(),
        };
        for (calls, accepted) in [
            (&[][..], None),
            (&[None], None),
            (&[None, Some(true)], Some(true)),
            (&[Some(false), None, Some(true)], Some(false)),
        ] {
            assert_eq!(probed(calls).accepted(), accepted, "{calls:?}");
        }
        assert_eq!(line(&probed(&[])), "typing: not sent: nothing of it becomes a call\n");
    }
}
