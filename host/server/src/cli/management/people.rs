//! What is known of a person, on the command line.

use anyhow::bail;
use clap::{Args, Subcommand};
use http::Method;
use serde_json::{Value, json};

use super::operation::{ERASURE, taken_away};
use super::{TenantApi, escaped};

/// What can be done with what is known of a person.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum PersonCommand {
    /// Print all that is known of a person as JSON.
    Export {
        #[command(flatten)]
        who: Who,
        #[command(flatten)]
        of: TenantApi,
    },
    /// Erase all that is known of a person. It cannot be taken back. Once the host has
    /// promised it, it goes on whether it is waited for or not, also over restarts.
    Erase {
        #[command(flatten)]
        who: Who,
        /// Do it, without asking.
        #[arg(long)]
        yes: bool,
        #[command(flatten)]
        of: TenantApi,
    },
}

/// Which person.
#[derive(Debug, Args)]
pub(in crate::cli) struct Who {
    /// Their address of e-mail.
    #[arg(long, conflicts_with = "conversation", required_unless_present = "conversation")]
    email: Option<String>,
    /// The vendor's own key of their conversation.
    #[arg(long, value_name = "KEY")]
    conversation: Option<String>,
    /// Only in this channel.
    #[arg(long)]
    channel: Option<String>,
}

pub(super) async fn person(command: PersonCommand) -> anyhow::Result<()> {
    match command {
        PersonCommand::Export { who, of } => {
            let path = who.path(&of.base().await?);
            let (mut conversations, mut after) = (Vec::new(), Value::Null);
            loop {
                let more = after.as_str().map(|after| format!("&after={}", escaped(after)));
                let page = format!("{path}{}", more.unwrap_or_default());
                let mut page = of.api.ask(Method::GET, &page, None).await?;
                if let Value::Array(found) = page["conversations"].take() {
                    found.into_iter().for_each(|piece| join(&mut conversations, piece));
                }
                after = page["after"].take();
                if after.is_null() {
                    break;
                }
            }
            let found = json!({ "conversations": conversations });
            of.api.print(&found, |found| format!("{found:#}\n"))
        }
        PersonCommand::Erase { who, yes, of } => {
            if !yes {
                bail!("it cannot be taken back: give the command again with --yes");
            }
            let base = of.base().await?;
            let erased = taken_away(&of.api, &who.path(&base), &base, ERASURE).await?;
            of.api.print(&erased["result"], |gone| {
                format!("{} conversations are erased\n", gone["conversations"])
            })
        }
    }
}

/// Adds what a page has of a conversation: the last one may go on in it.
fn join(conversations: &mut Vec<Value>, mut piece: Value) {
    let same =
        |last: &&mut Value| ["channel", "conversation"].iter().all(|key| last[*key] == piece[*key]);
    let Some(last) = conversations.last_mut().filter(same) else {
        return conversations.push(piece);
    };
    for list in ["turns", "log"] {
        if let (Value::Array(all), Value::Array(more)) = (&mut last[list], piece[list].take()) {
            all.extend(more);
        }
    }
    for word in ["facts", "state"] {
        last[word] = piece[word].take();
    }
}

impl Who {
    fn path(&self, base: &str) -> String {
        let Self { email, conversation, channel } = self;
        let fields = [("email", email), ("conversation", conversation), ("channel", channel)];
        let given = fields
            .iter()
            .filter_map(|(name, value)| Some(format!("{name}={}", escaped(value.as_deref()?))));
        format!("{base}/persons?{}", given.collect::<Vec<_>>().join("&"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conversation_that_comes_in_pieces_is_one() {
        let piece = |conversation: &str, turns: Value, state: Value| {
            json!({"channel": "web", "conversation": conversation, "turns": turns, "log": turns,
                "facts": state, "state": state})
        };
        let mut all = Vec::new();
        join(&mut all, piece("a", json!([1]), json!({})));
        join(&mut all, piece("b", json!([1, 2]), Value::Null));
        join(&mut all, piece("b", json!([3]), json!({"k": 1})));
        assert_eq!(
            all,
            [piece("a", json!([1]), json!({})), piece("b", json!([1, 2, 3]), json!({"k": 1})),]
        );
    }
}
