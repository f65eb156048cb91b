//! The dead letters of a tenant at a host elsewhere, by its token.

use std::fmt::Write as _;

use http::Method;
use serde_json::{Value, json};

use super::table::table;
use super::{TenantApi, escaped};

const FIELDS: [&str; 6] = ["part", "channel", "conversation", "action", "given_up_ms", "reason"];

/// Lists a page of them, the oldest first; of a channel alone as many of its own.
pub(in crate::cli) async fn list(
    of: &TenantApi,
    channel: Option<&str>,
    limit: u16,
    after: Option<&str>,
) -> anyhow::Result<()> {
    let letters = letters(of).await?;
    let (mut items, mut after) = (Vec::new(), after.map(str::to_owned));
    loop {
        let more = after.map(|after| format!("&after={}", escaped(&after))).unwrap_or_default();
        let left = usize::from(limit) - items.len();
        let path = format!("{letters}?limit={left}{more}");
        let page = of.api.ask(Method::GET, &path, None).await?;
        let wanted = |letter: &&Value| channel.is_none_or(|it| letter["channel"] == json!(it));
        items.extend(page["items"].as_array().into_iter().flatten().filter(wanted).cloned());
        after = page["after"].as_str().map(str::to_owned);
        if after.is_none() || items.len() >= usize::from(limit) {
            break;
        }
    }
    let found = json!({"items": items, "after": after});
    of.api.print(&found, |found| {
        let items = found["items"].as_array().cloned().unwrap_or_default();
        let mut text = match items.is_empty() {
            true => "no dead letters\n".to_owned(),
            false => table(&items, &FIELDS),
        };
        if let Some(after) = found["after"].as_str() {
            let _ = writeln!(text, "more: --after {after}");
        }
        text
    })
}

/// Shows one.
pub(in crate::cli) async fn show(of: &TenantApi, part: &str) -> anyhow::Result<()> {
    let path = format!("{}/{}", letters(of).await?, escaped(part));
    let letter = of.api.ask(Method::GET, &path, None).await?;
    of.api.print(&letter, |letter| format!("{letter:#}\n"))
}

/// Sends some of them again, or all where none is named. What cannot be sent is told, and
/// the others are sent all the same.
pub(in crate::cli) async fn redrive(
    of: &TenantApi,
    mut parts: Vec<String>,
    channel: Option<&str>,
) -> anyhow::Result<()> {
    let letters = letters(of).await?;
    if parts.is_empty() {
        let all = of.api.all(&letters).await?;
        let wanted = |letter: &&Value| channel.is_none_or(|it| letter["channel"] == json!(it));
        let wanted = all.iter().filter(wanted);
        parts = wanted.filter_map(|letter| Some(letter["part"].as_str()?.to_owned())).collect();
    }
    let (mut queued, mut left) = (0, Vec::new());
    for part in parts {
        let path = format!("{letters}/{}/redrive", escaped(&part));
        match of.api.ask(Method::POST, &path, None).await {
            Ok(_) => queued += 1,
            Err(error) => left.push(json!({"part": part, "why": format!("{error:#}")})),
        }
    }
    let done = json!({"queued": queued, "left": left});
    of.api.print(&done, |_| {
        let mut text = format!("{queued} queued again\n");
        for one in &left {
            let [part, why] = ["part", "why"].map(|key| one[key].as_str().unwrap_or_default());
            let _ = writeln!(text, "{part} is left: {why}");
        }
        text
    })?;
    anyhow::ensure!(left.is_empty(), "{} of them were not queued", left.len());
    Ok(())
}

async fn letters(of: &TenantApi) -> anyhow::Result<String> {
    Ok(format!("{}/dead-letters", of.base().await?))
}
