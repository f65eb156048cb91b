//! Dead letters on the command line.

use std::fmt::Write as _;

use clap::Subcommand;
use http::Method;
use url::form_urlencoded::{Serializer, byte_serialize};

use super::management::{Api, TenantApi, letters_elsewhere};
use super::operate::age;
use crate::admin::protocol::{Letter, Letters, RedriveRequest, Redriven};
use crate::clock;

/// What can be done with dead letters.
#[derive(Debug, Subcommand)]
pub(super) enum LetterCommand {
    /// List actions that were given up, without what they would have said.
    List {
        /// Only this tenant's.
        #[arg(long)]
        tenant: Option<String>,
        /// Only this channel's.
        #[arg(long)]
        channel: Option<String>,
        /// At most so many.
        #[arg(long, default_value_t = 50, value_parser = clap::value_parser!(u16).range(1..=500))]
        limit: u16,
        /// Go on where the last list ended.
        #[arg(long)]
        after: Option<String>,
        #[command(flatten)]
        api: Api,
    },
    /// Show one with what it would have said.
    Show {
        /// The id of the part.
        part: String,
        /// The tenant, at a host elsewhere. Default: the token's own.
        #[arg(long)]
        tenant: Option<String>,
        #[command(flatten)]
        api: Api,
    },
    /// Send them again, as if they were new, behind what waits in their
    /// conversations.
    Redrive {
        /// The ids of the parts.
        #[arg(required_unless_present = "all")]
        parts: Vec<String>,
        /// All of them.
        #[arg(long, conflicts_with = "parts")]
        all: bool,
        /// Of all, only this tenant's; at a host elsewhere the tenant in any case, and by
        /// default the token's own.
        #[arg(long)]
        tenant: Option<String>,
        /// Of all, only this channel's.
        #[arg(long, requires = "all")]
        channel: Option<String>,
        #[command(flatten)]
        api: Api,
    },
}

/// Gives the command to the host and prints what it says. On its own machine the operator
/// is asked for, who sees the letters of all tenants; elsewhere a tenant by its token.
pub(super) async fn letters(command: LetterCommand) -> anyhow::Result<()> {
    let named = |tenant: Option<String>| tenant.or_else(|| std::env::var("BOTYARD_TENANT").ok());
    match command {
        LetterCommand::List { tenant, channel, limit, after, api } if api.is_elsewhere() => {
            let of = TenantApi { tenant: named(tenant), api };
            letters_elsewhere::list(&of, channel.as_deref(), limit, after.as_deref()).await
        }
        LetterCommand::Show { part, tenant, api } if api.is_elsewhere() => {
            letters_elsewhere::show(&TenantApi { tenant: named(tenant), api }, &part).await
        }
        LetterCommand::Redrive { parts, tenant, channel, api, .. } if api.is_elsewhere() => {
            let of = TenantApi { tenant: named(tenant), api };
            letters_elsewhere::redrive(&of, parts, channel.as_deref()).await
        }
        LetterCommand::List { tenant, channel, limit, after, api: Api { local: host, .. } } => {
            let mut query = Serializer::new(String::new());
            query.append_pair("limit", &limit.to_string());
            let more = [("tenant", tenant), ("channel", channel), ("after", after)];
            query.extend_pairs(more.iter().filter_map(|(key, it)| Some((key, it.as_ref()?))));
            let path = format!("/dead-letters?{}", query.finish());
            let answer = host.ask(Method::GET, &path, None::<&()>).await?;
            host.print(&answer, list)
        }
        LetterCommand::Show { part, api: Api { local: host, .. }, .. } => {
            let part: String = byte_serialize(part.as_bytes()).collect();
            let path = format!("/dead-letters/{part}");
            let answer = host.ask(Method::GET, &path, None::<&()>).await?;
            host.print(&answer, show)
        }
        LetterCommand::Redrive { parts, all, tenant, channel, api: Api { local: host, .. } } => {
            let request = RedriveRequest { parts, all, tenant, channel };
            let answer = host.ask(Method::POST, "/dead-letters/redrive", Some(&request)).await?;
            host.print(&answer, redriven)
        }
    }
}

fn list(list: Letters) -> String {
    let now = clock::now();
    let mut text = String::new();
    for letter in list.letters {
        let Letter { part, channel, conversation, action, given_up_ms, reason, .. } = letter;
        let since = age(now, given_up_ms);
        let _ = writeln!(text, "{part}  {channel} {conversation}  {action}, {since} ago: {reason}");
    }
    match list.after {
        Some(after) => text + &format!("more: --after {after}\n"),
        None if text.is_empty() => "no dead letters\n".to_owned(),
        None => text,
    }
}

fn show(letter: Letter) -> String {
    let Letter { part, tenant, channel, conversation, turn, reason, given_up_ms, content, .. } =
        letter;
    let since = age(clock::now(), given_up_ms);
    let content = content.unwrap_or_default();
    format!(
        "part: {part}\nturn: {turn}\ntenant: {tenant}\nchannel: {channel}\n\
         conversation: {conversation}\ngiven up: {since} ago\nreason: {reason}\n{content:#}\n"
    )
}

fn redriven(Redriven { queued, waiting, not_served }: Redriven) -> String {
    let mut text = format!("{queued} queued again\n");
    if waiting > 0 {
        let _ = writeln!(
            text,
            "{waiting} not taken up: they stay letters as long as somebody else than the bot has \
             their conversation, or too much waits in it; look again with `dead-letter list`"
        );
    }
    if not_served > 0 {
        let _ =
            writeln!(text, "{not_served} left: the settings do not name their channels any more");
    }
    text
}
