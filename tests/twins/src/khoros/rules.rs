//! What a call may carry, whatever the conversation.

use serde_json::Value;

use super::document::{
    ACTION_KEYS, EXCLUSIVE, LIST_NETWORK, MESSAGE_KEYS, PRIORITY_LOWEST, RICH_CONTENT_KEYS, SCOPES,
    STYLES, TYPING_NETWORKS,
};
use super::networks;
use super::options::Options;
use crate::fields::Fields;

type Checked = Result<(), String>;

/// Where and for whom a call is: every call of a conversation says so.
pub(super) fn judge_address(options: &Options, body: &Fields<'_>) -> Checked {
    let coordinate = body.object("coordinate")?;
    let own = [
        ("companyKey", &options.company_key),
        ("networkKey", &options.network_key),
        ("externalId", &options.external_id),
        ("botId", &options.app_id),
    ];
    for (key, value) in own {
        coordinate.some_text(key)?;
        if !coordinate.is(key, value) {
            return Err(format!("Invalid {key} {}", coordinate.word(key)));
        }
    }
    coordinate.some_text("scope")?;
    coordinate.one_of("scope", SCOPES)?;
    body.object("author")?.some_text("id")
}

/// A call of `/respond`.
pub(super) fn judge_respond(options: &Options, body: &Fields<'_>) -> Checked {
    match body.word("type") {
        "typing_start" | "typing_stop" => {
            body.no_others(&["author", "coordinate", "type"])?;
            if TYPING_NETWORKS.contains(&&*options.network_key) {
                return Ok(());
            }
            Err(format!("{} shows no typing", options.network_key))
        }
        "message" => {
            judge_message(options, body)?;
            let coordinate = body.object("coordinate")?;
            networks::judge(&options.network_key, coordinate.word("scope"), body)
        }
        other => Err(format!("Invalid type {other}")),
    }
}

fn judge_message(options: &Options, body: &Fields<'_>) -> Checked {
    body.no_others(MESSAGE_KEYS)?;
    body.optional_bool("processSynchronously")?;
    let forms: Vec<_> = EXCLUSIVE.iter().filter(|key| body.has(key)).collect();
    if let [one, other, ..] = &*forms {
        return Err(format!("{one} cannot be set together with {other}"));
    }
    if forms.is_empty() && !body.has("text") && !body.has("actions") {
        return Err("a message that says nothing".to_owned());
    }
    if body.has("text") {
        body.some_text("text")?;
    }
    if body.has("media") {
        let [media] = &*body.list("media", 1)? else { return Err("media is not one".to_owned()) };
        media.no_others(&["url", "mediaType"])?;
        media.link("url")?;
        media.some_text("mediaType")?;
    }
    if let Some(rich) = body.optional_object("richContent")? {
        rich.no_others(RICH_CONTENT_KEYS)?;
        RICH_CONTENT_KEYS.iter().try_for_each(|key| rich.some_text(key))?;
        rich.link("url")?;
        rich.link("mediaUrl")?;
    }
    if body.has("payload") {
        body.some_text("payload")?;
        let is_json = serde_json::from_str::<Value>(body.word("payload")).is_ok();
        if !is_json {
            return Err("payload is not stringified JSON".to_owned());
        }
    }
    if let Some(list) = body.optional_object("list")? {
        if options.network_key != LIST_NETWORK {
            return Err(format!("{} has no list picker", options.network_key));
        }
        judge_list(&list)?;
    }
    if body.has("actions") {
        judge_actions(options, body)?;
    }
    Ok(())
}

/// "Used with postback and reply payloads": the owner and the two times go with them.
fn judge_actions(options: &Options, body: &Fields<'_>) -> Checked {
    for action in body.list("actions", usize::MAX)? {
        action.no_others(&["type", "payload", "text"])?;
        action.some_text("type")?;
        action.one_of("type", &["postback", "reply"])?;
        action.some_text("payload")?;
        // The page's own example of a reply has no text.
        if action.is("type", "postback") {
            action.some_text("text")?;
        }
    }
    let owner = body.object("owner")?;
    owner.no_others(&["type", "appId"])?;
    if !owner.is("type", "BOT") || !owner.is("appId", &options.app_id) {
        return Err("Invalid owner, not this bot".to_owned());
    }
    body.whole_number("publishedTS")?;
    body.whole_number("receivedTS")
}

fn judge_list(list: &Fields<'_>) -> Checked {
    list.no_others(&["requestMessage", "responseMessage", "sections"])?;
    for key in ["requestMessage", "responseMessage"] {
        let message = list.object(key)?;
        message.no_others(&["title", "subtitle", "media", "style"])?;
        message.some_text("title")?;
        message.optional_text("subtitle", usize::MAX)?;
        judge_picture(&message)?;
        message.one_of("style", STYLES)?;
    }
    for section in list.list("sections", usize::MAX)? {
        section.no_others(&["id", "title", "multipleSelection", "choices"])?;
        section.some_text("id")?;
        section.some_text("title")?;
        section.optional_bool("multipleSelection")?;
        for choice in section.list("choices", usize::MAX)? {
            choice.no_others(&["id", "message"])?;
            choice.some_text("id")?;
            let message = choice.object("message")?;
            message.no_others(&["title", "subtitle", "media"])?;
            message.some_text("title")?;
            judge_picture(&message)?;
        }
    }
    Ok(())
}

/// "Optional image media payload": of the two forms of media on the page either.
fn judge_picture(message: &Fields<'_>) -> Checked {
    if !message.has("media") {
        return Ok(());
    }
    let listed = message.list("media", 1);
    let picture = match listed.as_deref() {
        Ok([picture]) => picture,
        Ok(_) => return Err("media is not one".to_owned()),
        Err(_) => &message.object("media")?,
    };
    picture.no_others(&["url", "mediaType"])?;
    picture.link("url")?;
    picture.one_of("mediaType", &["IMAGE"])
}

/// A hand-off.
pub(super) fn judge_control(options: &Options, body: &Fields<'_>) -> Checked {
    body.no_others(&[
        "type",
        "coordinate",
        "author",
        "owner",
        "comment",
        "conversationDisplayId",
        "lastUpdateTS",
    ])?;
    has_type(body, "control")?;
    body.optional_text("comment", usize::MAX)?;
    let owner = body.object("owner")?;
    match owner.word("type") {
        "AGENT" => Ok(()),
        "BOT" => {
            let app = owner.word("appId");
            let known = app == options.app_id || options.other_apps.iter().any(|own| own == app);
            if known { Ok(()) } else { Err(format!("Invalid appId {app}")) }
        }
        other => Err(format!("Invalid owner {other}")),
    }
}

/// A secure form.
pub(super) fn judge_form(body: &Fields<'_>) -> Checked {
    body.no_others(&["type", "coordinate", "author", "comment", "secureFormId"])?;
    has_type(body, "secure_form")?;
    body.some_text("comment")?;
    body.some_text("secureFormId")
}

/// One of the calls that change a conversation and say nothing in it.
pub(super) fn judge_action(name: &str, body: &Fields<'_>) -> Checked {
    if name == "attributes" {
        return judge_attributes(body);
    }
    has_type(body, name)?;
    body.optional_text("comment", usize::MAX)?;
    let own = ACTION_KEYS.iter().find(|(action, _)| *action == name);
    let own = own.map(|(_, keys)| *keys).unwrap_or_default();
    body.no_others(&[&["type", "coordinate", "author"], own].concat())?;
    match name {
        "note" => body.some_text("note"),
        "tag" | "remove_tag" => {
            body.some_text("entityType")?;
            body.one_of("entityType", &["POST"])?;
            body.whole_numbers("tagIds")
        }
        "priority" => {
            not_null(body, "newPriority")?;
            body.whole_number("newPriority")?;
            let lowest = body.number("newPriority").is_none_or(|it| it <= PRIORITY_LOWEST);
            if lowest { Ok(()) } else { Err("newPriority is more than 5".to_owned()) }
        }
        "workqueue" => {
            not_null(body, "newWorkQueue")?;
            body.whole_number("newWorkQueue")?;
            if body.has("conversationDisplayId") {
                body.whole_number("conversationDisplayId")?;
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The page's body was not seen: this is what a host may believe as long as no account
/// has shown another.
fn judge_attributes(body: &Fields<'_>) -> Checked {
    body.no_others(&["type", "coordinate", "author", "payload"])?;
    has_type(body, "author_attributes")?;
    let payload = body.object("payload")?;
    payload.no_others(&["attributes"])?;
    payload.object("attributes")?.texts()
}

fn has_type(body: &Fields<'_>, name: &str) -> Checked {
    if body.is("type", name) { Ok(()) } else { Err(format!("Invalid type, not {name}")) }
}

fn not_null(body: &Fields<'_>, key: &str) -> Checked {
    if body.has(key) { Ok(()) } else { Err(format!("{key} may not be null")) }
}
