//! A page for people: what becomes of every action on every medium, and why.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use botyard_kernel::action::Action;
use botyard_kernel::degrade::degrade;
use botyard_kernel::profile::{ActionLimits, Medium, Profile};

use super::samples::samples;
use super::{FILES, File};

const INTRODUCTION: &str = "\
# What every medium carries

This page is made from the vendors' profiles (`host/vendors/src/*/profile.toml`) and from what
the host does with them; `BOTYARD_WRITE_DOCS=1 cargo test -p botyard-vendors profiles` writes it
anew. It shows what becomes of one action of each kind, for a channel that has changed nothing of
its vendor's dialect:

- **yes**: the vendor takes the action as it is.
- **partly**: the vendor takes it and may leave out something around the options or the text.
- **changed**: the action is sent as it is asked for, with something in another place, cut or
  left out.
- **as …**: other actions take its place. *Numbers* are a text with numbered options: no option
  is ever lost.
- **desk**: the vendor hands over to nobody. Where the channel has a `desk-token`, the humans at the
  host's own desk have the conversation from then on; else the bot hears `forward_failed`.
- **host**: the vendor has nothing like it; the host keeps what was learned, which the next event
  shows, and ends the session itself.
- **no**: nothing of it can be carried.

Quick replies of Messenger, and of Khoros where it shows them on Facebook and Brand Messenger, go with
whatever is said next: `bubbles` behind which the same turn says more take another form there, so
say the words first.

What is changed stands in the bot's log. A bot that denies changes is refused wherever this page
says neither **yes** nor **host**.

The second table is what bots are told, by the names of `session.profile`. Where `options` is less
than what the first one says yes to, the vendor itself numbers what cannot be tapped. The third
one has every limit, with its source and how sure it is: `documented` on the vendor's own page,
`recalled` from common knowledge, or `guessed`.

The host itself carries out `context_update`, `context_clear`, `schedule`, `cancel_timer` and
`request` everywhere, and waits out a `delay` where the vendor does not.
";

const ANSWERS: &str = "
An answer shows one action more than calls carry, by the form that was chosen for it. That is the
first of a turn that the form is made for; what else the bot says goes by calls, as above.
";

/// What every vendor's mediums carry, as Markdown: what becomes of each action,
/// and the limits with their sources.
pub fn page() -> String {
    let mut page = INTRODUCTION.to_owned();
    for file in FILES {
        let mediums = file.mediums().all();
        line(&mut page, format_args!("\n## {}\n", file.vendor));
        let usual = |medium: &Medium| (names(medium), (file.usual)(&medium.names[0]));
        fates(&mut page, file.vendor, &mediums.iter().map(usual).collect::<Vec<_>>());
        if !file.answers.is_empty() {
            line(&mut page, ANSWERS);
            let answers = file.answers.iter();
            let answers = answers.map(|(form, profile)| (format!("`{form}`"), profile()));
            fates(&mut page, file.vendor, &answers.collect::<Vec<_>>());
        }
        told(&mut page, file, mediums);
        limits(&mut page, mediums);
    }
    page
}

fn line(page: &mut String, line: impl std::fmt::Display) {
    // Writing to a text cannot fail.
    let _ = writeln!(page, "{line}");
}

fn names(medium: &Medium) -> String {
    let named = |name: &String| if name == "*" { "all others".to_owned() } else { name.clone() };
    medium.names.iter().map(named).collect::<Vec<_>>().join(", ")
}

fn fates(page: &mut String, vendor: &str, columns: &[(String, Profile)]) {
    let heads: Vec<_> = columns.iter().map(|(head, _)| &**head).collect();
    line(page, format_args!("| action | {} |", heads.join(" | ")));
    line(page, format_args!("|---|{}", "---|".repeat(heads.len())));
    for (what, action) in samples(vendor) {
        let fates = columns.iter().map(|(_, profile)| fate(&action, profile, vendor));
        let fates: Vec<_> = fates.collect();
        let what = if what.is_empty() { String::new() } else { format!(", {what}") };
        line(page, format_args!("| `{}`{what} | {} |", action.name(), fates.join(" | ")));
    }
}

fn told(page: &mut String, file: &File, mediums: &[Medium]) {
    let mut told: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for (column, medium) in mediums.iter().enumerate() {
        for setting in (file.usual)(&medium.names[0]).settings {
            let row =
                told.entry(setting.name).or_insert_with(|| vec![String::new(); mediums.len()]);
            row[column] = setting.value;
        }
    }
    let heads: Vec<_> = mediums.iter().map(names).collect();
    line(page, format_args!("\n| bots are told | {} |", heads.join(" | ")));
    line(page, format_args!("|---|{}", "---|".repeat(heads.len())));
    for (name, values) in told {
        line(page, format_args!("| `{name}` | {} |", values.join(" | ")));
    }
}

/// What becomes of an action, in a word or two.
fn fate(action: &Action, profile: &Profile, vendor: &str) -> String {
    let done = degrade(action.clone(), profile, vendor);
    if done.actions.is_empty() {
        let hands_over = matches!(action, Action::Forward(_) | Action::Abort);
        let is_kept = matches!(action, Action::ContactUpdate(_) | Action::End);
        let here = if is_kept { "host" } else { "no" };
        return if hands_over { "desk" } else { here }.to_owned();
    }
    if done.actions == std::slice::from_ref(action) {
        return if done.notes.is_empty() { "yes" } else { "partly" }.to_owned();
    }
    let became: Vec<_> = done.actions.iter().map(Action::name).collect();
    if !done.pages.is_empty() {
        return format!("as {} pages of `{}`", done.pages.len() + 1, became.join("`, `"));
    }
    if became == [action.name()] {
        // Short labels are what the bot wanted.
        return if done.notes.is_empty() { "yes" } else { "changed" }.to_owned();
    }
    if action.option_ids().next().is_some() && became.iter().all(|name| *name == "message") {
        return "as numbers".to_owned();
    }
    format!("as {}", became.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
}

fn limits(page: &mut String, mediums: &[Medium]) {
    // What is the same on several mediums stands once.
    let mut rows: Vec<(Row, Vec<String>)> = Vec::new();
    for medium in mediums {
        for row in rows_of(medium) {
            match rows.iter_mut().find(|(known, _)| *known == row) {
                Some((_, on)) => on.push(names(medium)),
                None => rows.push((row, vec![names(medium)])),
            }
        }
    }
    line(page, "\n| limit | at most | on | source | how sure |\n|---|---|---|---|---|");
    for (row, on) in rows {
        let on = if on.len() == mediums.len() { "all".to_owned() } else { on.join(", ") };
        let Row { limit, most, source, sure } = row;
        line(page, format_args!("| {limit} | {most} | {on} | {source} | {sure} |"));
    }
}

#[derive(PartialEq, Eq)]
struct Row {
    limit: String,
    most: String,
    source: String,
    sure: String,
}

fn rows_of(medium: &Medium) -> Vec<Row> {
    let text = &medium.limits.text;
    let mut rows = vec![Row {
        limit: "any text".to_owned(),
        most: text.to_string(),
        source: text.source.clone(),
        sure: text.sure.to_string(),
    }];
    let actions: &BTreeMap<&str, ActionLimits> = &medium.limits.actions;
    for (action, limits) in actions {
        rows.extend(limits.counts().map(|(key, count)| Row {
            limit: format!("`{action}`: {key}"),
            most: count.max.to_string(),
            source: count.source.clone(),
            sure: count.sure.to_string(),
        }));
        rows.extend(limits.lengths().map(|(key, length)| Row {
            limit: format!("`{action}`: {key}"),
            most: length.to_string(),
            source: length.source.clone(),
            sure: length.sure.to_string(),
        }));
    }
    rows
}
