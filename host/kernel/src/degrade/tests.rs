mod files;
mod ladder;
mod lists;
mod short;

use std::collections::BTreeSet;
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::action::{Bubbles, Choice, OnFailure};
use crate::degrade::samples::{
    Words, every_action, hand_offs, menus, other, passthrough, speech, words,
};
use crate::profile::{ActionLimits, Count, Sure};

const EVERYTHING: &[&str] = &[
    "message",
    "message_markdown",
    "bubbles",
    "bubbles_markdown",
    "carousel",
    "button_template",
    "button_template_header_text",
    "button_template_header_image",
    "button_template_header_video",
    "button_template_header_document",
    "button_template_footer",
    "list_template",
    "list_template_multiple",
    "list_template_sections",
    "list_template_details",
    "buttons",
    "buttons_text",
    "rich_link",
    "media",
    "media_caption",
    "navigate",
    "typing",
    "delay",
    "context_update",
    "context_clear",
    "contact_update",
    "conversation_update",
    "note_create",
    "tag",
    "untag",
    "priority",
    "work_queue",
    "resolve",
    "secure_form",
    "forward",
    "forward_any",
    "forward_group",
    "forward_skills",
    "forward_skills_feedback",
    "forward_human",
    "forward_bot",
    "abort",
    "end",
    "addon_dispatch",
    "email_dispatch",
    "schedule",
    "cancel_timer",
    "request",
    "passthrough",
    "passthrough_packet",
    "other:reaction",
];

const VENDOR: &str = "userlike";

fn profile(native: &[&'static str], text_characters: usize) -> Profile {
    Profile::new(native, text_characters)
}

/// The same medium, whose lists have at most so many rows.
fn with_list_rows(rows: usize, profile: Profile) -> Profile {
    let count = Count { max: rows, source: "a test".to_owned(), sure: Sure::Guessed };
    limited("list_template", ActionLimits { rows: Some(count), ..ActionLimits::NONE }, profile)
}

fn limited(action: &'static str, limits: ActionLimits, mut profile: Profile) -> Profile {
    Arc::make_mut(&mut profile.limits).actions.insert(action, limits);
    profile
}

fn any_of(profile: &Profile, names: &[&str]) -> bool {
    names.iter().any(|name| profile.carries(name))
}

/// Whether an action may reach this medium, or stays at the host.
fn may_leave(action: &Action, profile: &Profile) -> bool {
    match action {
        Action::Delay(_)
        | Action::ContextUpdate(_)
        | Action::ContextClear
        | Action::Schedule(_)
        | Action::CancelTimer(_)
        | Action::Request(_) => true,
        Action::Passthrough(passthrough) => passthrough.vendor == VENDOR,
        Action::Other(payload) => profile.carries(&format!("other:{}", payload.name)),
        Action::Forward(forward) => match forward.target {
            ForwardTarget::Any => any_of(profile, &["forward", "forward_any"]),
            ForwardTarget::Group(_) => any_of(profile, &["forward", "forward_group"]),
            ForwardTarget::Skills(_) => any_of(profile, &["forward", "forward_skills"]),
            ForwardTarget::Human(_) => profile.carries("forward_human"),
            ForwardTarget::Bot(_) => profile.carries("forward_bot"),
        },
        Action::Media(media) => {
            profile.carries("media")
                && (media.caption.is_none() || profile.carries("media_caption"))
        }
        Action::Buttons(buttons) => {
            profile.carries("buttons")
                && (buttons.text.is_none() || profile.carries("buttons_text"))
        }
        Action::Message(message) => {
            message.format == TextFormat::Plain || profile.carries("message_markdown")
        }
        Action::Bubbles(bubbles) => {
            profile.carries("bubbles")
                && (bubbles.format == TextFormat::Plain || profile.carries("bubbles_markdown"))
        }
        Action::Carousel(_)
        | Action::ButtonTemplate(_)
        | Action::ListTemplate(_)
        | Action::RichLink(_)
        | Action::Navigate(_)
        | Action::Typing(_)
        | Action::ContactUpdate(_)
        | Action::ConversationUpdate(_)
        | Action::NoteCreate(_)
        | Action::Tag(_)
        | Action::Untag(_)
        | Action::Priority(_)
        | Action::WorkQueue(_)
        | Action::Resolve(_)
        | Action::SecureForm(_)
        | Action::Abort
        | Action::End
        | Action::AddonDispatch(_)
        | Action::EmailDispatch(_) => profile.carries(action.name()),
    }
}

/// What the person reads of an action above its options or links.
fn text(action: &Action) -> Option<&str> {
    match action {
        Action::Message(message) => Some(&message.text),
        Action::Bubbles(bubbles) => Some(&bubbles.text),
        Action::Carousel(carousel) => Some(&carousel.text),
        Action::ButtonTemplate(template) => Some(&template.text),
        Action::ListTemplate(template) => Some(&template.text),
        Action::Buttons(buttons) => buttons.text.as_deref(),
        Action::RichLink(rich) => rich.text.as_deref(),
        Action::Media(media) => media.caption.as_deref(),
        Action::SecureForm(form) => form.text.as_deref(),
        _ => None,
    }
}

/// The ids and labels of an action's options, in order.
fn options(action: &Action) -> Vec<(&str, &str)> {
    match action {
        Action::Bubbles(b) => b.options.iter().map(|o| (&*o.id, &*o.label)).collect(),
        Action::Carousel(c) => c.cards.iter().map(|o| (&*o.id, &*o.label)).collect(),
        Action::ButtonTemplate(t) => t.buttons.iter().map(|o| (&*o.id, &*o.label)).collect(),
        Action::ListTemplate(t) => {
            t.sections.iter().flat_map(|s| &s.rows).map(|o| (&*o.id, &*o.label)).collect()
        }
        _ => Vec::new(),
    }
}

fn bare(text: &str) -> String {
    text.chars().filter(|c| !c.is_whitespace()).collect()
}

fn read(actions: &[Action]) -> String {
    actions.iter().filter_map(text).map(bare).collect()
}

fn check(action: &Action, profile: &Profile) -> Degraded {
    let done = degrade(action.clone(), profile, VENDOR);
    for sent in done.actions.iter().chain(&done.pages) {
        assert!(may_leave(sent, profile), "{action:?} became {sent:?}");
        let length = text(sent).map_or(0, |text| text.chars().count());
        assert!(length <= profile.limits.text.max, "{action:?} became {sent:?}");
        let again = degrade(sent.clone(), profile, VENDOR);
        assert_eq!(again.actions, std::slice::from_ref(sent));
        let vendors = |note: &Note| note.what.starts_with("the vendor may leave out");
        assert!(again.notes.iter().all(vendors), "{sent:?} again: {again:?}");
    }
    let kept = matches!(action, Action::ContactUpdate(_) | Action::End);
    let told = done.actions == [action.clone()] || !done.notes.is_empty();
    assert!(told || kept, "{action:?} in silence");
    assert!(done.notes.iter().all(|note| note.action == action.name()));
    check_options(action, &done);
    done
}

fn check_options(action: &Action, done: &Degraded) {
    let wanted = options(action);
    if wanted.is_empty() {
        return;
    }
    let last = done.actions.last().expect("a menu is never dropped");
    if options(last).is_empty() {
        let read = read(&done.actions);
        let mut from = 0;
        for (n, (_, label)) in (1..).zip(wanted) {
            let entry = format!("{n}.{}", bare(label));
            let at = read[from..].find(&entry);
            from += at.unwrap_or_else(|| panic!("{entry} is lost in {read}")) + entry.len();
        }
    } else {
        let mut offered = options(last);
        for page in &done.pages {
            assert_eq!(offered.pop(), Some(("", "More …")), "no page leads to the next one");
            offered.extend(options(page));
        }
        assert_eq!(offered, wanted);
    }
}

#[test]
fn every_case_is_a_sample_and_every_action_has_a_name_in_the_full_profile() {
    let names: BTreeSet<_> =
        every_action(&words("t", &["l"])).iter().map(|action| action.name()).collect();
    assert_eq!(names.len(), 32, "{names:?}");
    let full = profile(EVERYTHING, 10);
    assert!(names.iter().all(|name| *name == "other" || full.carries(name)), "{names:?}");
}

#[test]
fn a_full_profile_changes_nothing() {
    let full = profile(EVERYTHING, 5_000);
    for action in every_action(&words("Which one?", &["Red", "Blue", "Green"])) {
        let strange = [passthrough("khoros"), other("message")].contains(&action);
        let done = check(&action, &full);
        let actions = if strange { Vec::new() } else { vec![action] };
        assert_eq!(done.actions, actions);
        assert_eq!(done.notes.len(), usize::from(strange));
    }
}

fn plain(words: &Words, nth: usize) -> String {
    let action = every_action(words).swap_remove(nth);
    read_lines(&degrade(action, &profile(&["message"], 1_000), VENDOR))
}

fn read_lines(done: &Degraded) -> String {
    let texts: Vec<_> = done.actions.iter().filter_map(text).collect();
    texts.join("\n---\n")
}

#[test]
fn plain_text_carries_menus_links_and_files() {
    let mut words = words("Which one?", &["Red", "Blue"]);
    assert_eq!(plain(&words, 0), "Which one?\n1. Red\n2. Blue\nReply with a number.");
    assert_eq!(
        plain(&words, 1),
        "Which one?\n1. Red\nhttps://a.b/c.png\n2. Blue\nhttps://a.b/c.png\nReply with a number."
    );
    words.extra = Some("more".to_owned());
    assert_eq!(plain(&words, 2), "more\nWhich one?\n1. Red\n2. Blue\nmore\nReply with a number.");
    assert_eq!(
        plain(&words, 3),
        "more\nWhich one?\nmore\nmore\n1. Red – more\nmore\n2. Blue – more\nmore\nReply with a number."
    );
    assert_eq!(plain(&words, 5), "more\nRed: https://a.b/c\nBlue: https://a.b/c");
    assert_eq!(plain(&words, 6), "Which one?\nRed: https://a.b/c");
    assert_eq!(plain(&words, 7), "Which one?\nmore: https://a.b/c");
    assert_eq!(plain(&words, 8), "https://a.b/c");
    assert_eq!(plain(&words, 9), "Which one?");
}

#[test]
fn marks_are_taken_off_where_nobody_reads_them() {
    let words = words("**Which** [one](https://a.b)?", &["Red"]);
    let bare = "Which one (https://a.b)?";
    let (message, bubbles) = (&speech(&words)[0], &menus(&words)[0]);
    for (action, native, expect) in [
        (message, &["message"][..], bare),
        (message, &["message", "message_markdown"], &*words.text),
        (bubbles, &["message", "message_markdown", "bubbles"], bare),
        (bubbles, &["message", "message_markdown", "bubbles", "bubbles_markdown"], &words.text),
        (bubbles, &["message", "bubbles", "bubbles_markdown"], bare),
        (bubbles, &["message"], "Which one (https://a.b)?\n1. Red\nReply with a number."),
    ] {
        let done = check(action, &profile(native, 100));
        assert_eq!(read_lines(&done), expect, "{native:?}");
        let told = done.notes.iter().any(|note| note.what.starts_with("sent as bare text"));
        assert_eq!(told, !expect.contains('*'), "{native:?}: {done:?}");
    }
}

#[test]
fn the_fallback_stands_for_the_text() {
    let bubbles = Bubbles {
        text: "**Tap** one.".to_owned(),
        format: TextFormat::MarkdownV1,
        options: vec![Choice { id: "r".to_owned(), label: "Red".to_owned(), short_label: None }],
        fallback: Some("Type a number.".to_owned()),
    };
    for native in [&["message"][..], &["message", "message_markdown"]] {
        let done = check(&Action::Bubbles(bubbles.clone()), &profile(native, 100));
        let text = "Type a number.\n1. Red".to_owned();
        assert_eq!(
            done.actions,
            [Action::Message(Message { text, format: TextFormat::Plain })],
            "{native:?}"
        );
    }
}

#[test]
fn what_has_no_place_beside_bubbles_stands_in_their_text() {
    let mut words = words("Which one?", &["Red"]);
    words.extra = Some("more".to_owned());
    let texts = menus(&words)
        .into_iter()
        .map(|action| read_lines(&degrade(action, &profile(&["message", "bubbles"], 100), VENDOR)));
    assert_eq!(
        texts.collect::<Vec<_>>(),
        [
            "Which one?",
            "Which one?\nRed – more\nhttps://a.b/c.png",
            "more\nWhich one?\nmore",
            "more\nWhich one?\nmore\nmore\nRed – more\nmore",
        ]
    );
}

#[test]
fn menus_become_bubbles_where_there_are_any() {
    let tapped = profile(&["message", "bubbles"], 100);
    for action in menus(&words("Which one?", &["Red", "Blue"])) {
        let done = check(&action, &tapped);
        assert!(matches!(done.actions[..], [Action::Bubbles(_)]), "{done:?}");
    }
}

#[test]
fn options_stay_with_the_last_part_of_a_long_text() {
    let bubbles = menus(&words("First part. Which one?", &["Red"])).swap_remove(0);
    let done = check(&bubbles, &profile(EVERYTHING, 12));
    assert!(matches!(&done.actions[..], [Action::Message(message), Action::Bubbles(bubbles)]
        if message.text == "First part." && message.format == TextFormat::MarkdownV1
        && bubbles.text == "Which one?"));
    assert_eq!(
        done.notes[0].what,
        "the text was split into 2 parts: this medium carries 12 characters"
    );
}

#[test]
fn a_hand_off_goes_to_anybody_rather_than_to_nobody() {
    let anybody = profile(&["message", "forward_any"], 100);
    for action in hand_offs() {
        let done = check(&action, &anybody);
        let on_failure = (action != Action::Abort).then_some(OnFailure::Feedback);
        let target = ForwardTarget::Any;
        assert_eq!(done.actions, [Action::Forward(Forward { target, on_failure })]);
    }
    for action in hand_offs() {
        assert_eq!(check(&action, &profile(&["message"], 100)).actions, []);
    }
}

#[test]
fn the_usual_targets_need_no_names_of_their_own() {
    let usual = profile(&["message", "forward"], 100);
    let [any, group, skills, human, bot, _abort]: [Action; 6] =
        hand_offs().try_into().expect("six hand-offs");
    for action in [&any, &group] {
        assert_eq!(check(action, &usual).actions, std::slice::from_ref(action));
    }
    let told = profile(&["message", "forward", "forward_skills_feedback"], 100);
    assert_eq!(check(&skills, &told).actions, [skills]);
    for action in [human, bot] {
        assert_eq!(check(&action, &usual).actions, std::slice::from_ref(&any));
    }
}

#[test]
fn feedback_that_a_vendor_does_not_take_is_noted() {
    let skills = |on_failure| {
        let target = ForwardTarget::Skills(vec!["7".to_owned()]);
        Action::Forward(Forward { target, on_failure })
    };
    let usual = profile(&["message", "forward"], 100);
    let done = check(&skills(Some(OnFailure::Feedback)), &usual);
    assert_eq!(done.actions, [skills(None)]);
    assert!(done.notes[0].what.starts_with("`on_failure: feedback` was left out"), "{done:?}");
    for on_failure in [None, Some(OnFailure::Unassign)] {
        let done = check(&skills(on_failure), &usual);
        assert_eq!(done, Degraded { actions: vec![skills(on_failure)], ..Degraded::default() });
    }
}

#[test]
fn the_text_of_buttons_goes_before_where_they_carry_none() {
    let mut words = words("Which one?", &["Red"]);
    words.extra = Some("more".to_owned());
    let done = check(&speech(&words)[1], &profile(&["message", "buttons"], 100));
    assert!(matches!(&done.actions[..], [Action::Message(message), Action::Buttons(buttons)]
        if message.text == "more" && buttons.text.is_none()));
    let preview = check(&speech(&words)[2], &profile(&["message", "buttons"], 100));
    assert!(matches!(&preview.actions[..], [Action::Message(message), Action::Buttons(buttons)]
        if message.text == "Which one?" && buttons.links[0].label == "Red"));
}

#[test]
fn a_passthrough_is_a_packet_with_a_name_or_nothing() {
    let of = |json: &str| {
        let (vendor, json) = (VENDOR.to_owned(), json.to_owned());
        Action::Passthrough(Passthrough { vendor, json })
    };
    let packets = profile(&["message", "passthrough_packet"], 100);
    let survey = r#"{"name":"survey","payload":{"stars":5}}"#;
    for (json, expect) in [
        (survey.to_owned(), Some(survey)),
        (format!(r#"{{"info":{{"cid":"c"}},"packet":{survey}}}"#), Some(survey)),
        (r#"{"name":"a","packet":5}"#.to_owned(), Some(r#"{"name":"a","packet":5}"#)),
        ("{}".to_owned(), None),
        (r#"{"name":5}"#.to_owned(), None),
        (r#"{"name":" ","payload":{}}"#.to_owned(), None),
        (r#"{"packet":{"payload":{}}}"#.to_owned(), None),
    ] {
        let done = check(&of(&json), &packets);
        assert_eq!(done.actions, expect.map(of).into_iter().collect::<Vec<_>>(), "{json}");
    }
    let any = of("{}");
    assert_eq!(check(&any, &profile(&["message"], 100)).actions, [any]);
}

#[test]
fn a_caption_follows_a_file_that_carries_none() {
    let media = speech(&words("Our menu.", &["l"])).swap_remove(3);
    let done = check(&media, &profile(&["message", "media"], 100));
    assert!(matches!(&done.actions[..], [Action::Media(media), Action::Message(message)]
        if media.caption.is_none() && message.text == "Our menu."));
}

fn any_words() -> impl Strategy<Value = Words> {
    let sentence = || "[a-z0-9é。]{1,9}([ .!?\n]{1,2}[a-z0-9👩]{1,9}){0,12}";
    let labels = prop::collection::vec("[a-z]{1,9}( [a-z0-9]{1,9}){0,2}", 1..12);
    (sentence(), prop::option::of(sentence()), labels).prop_map(|(text, extra, labels)| Words {
        text,
        extra,
        labels,
    })
}

/// A medium that carries `message` and any of the rest.
fn any_profile() -> impl Strategy<Value = Profile> {
    let some = prop::sample::subsequence(EVERYTHING[1..].to_vec(), 0..EVERYTHING.len());
    let native = prop_oneof![
        1 => Just(vec!["message"]),
        1 => Just(EVERYTHING.to_vec()),
        4 => some.prop_map(|mut some| { some.push("message"); some }),
    ];
    let rows = prop::option::of(1_usize..12);
    (native, 1_usize..80, rows).prop_map(|(native, most, rows)| {
        let profile = profile(&native, most);
        match rows {
            Some(rows) => with_list_rows(rows, profile),
            None => profile,
        }
    })
}

proptest! {
    #[test]
    fn whatever_a_bot_wants_reaches_the_medium_in_a_form_that_it_carries(
        words in any_words(),
        profile in any_profile(),
    ) {
        for action in every_action(&words) {
            check(&action, &profile);
        }
    }

    #[test]
    fn every_word_of_speech_is_read(words in any_words(), profile in any_profile()) {
        let spoken = |action: &Action| match action {
            Action::SecureForm(form) => form.text.is_some(),
            _ => true,
        };
        for action in menus(&words).into_iter().chain(speech(&words)).filter(spoken) {
            let done = degrade(action.clone(), &profile, VENDOR);
            let wanted = text(&action).map(bare).unwrap_or_default();
            prop_assert!(read(&done.actions).contains(&wanted), "{:?} became {:?}", action, done);
        }
    }
}
