//! What bots are told of a medium, by the names that bots know.

use std::collections::BTreeMap;

use botyard_kernel::event::Setting;
use botyard_kernel::profile::{Count, Medium, Unit};

const HEADER: &str = "button_template_header_";

/// What follows from the table of a medium, and what it says itself.
pub(super) fn settings(medium: &Medium) -> Vec<Setting> {
    let mut told = derived(medium);
    told.extend(medium.settings.iter().map(|(name, value)| (&**name, value.clone())));
    told.into_iter().map(|(name, value)| Setting::new(name, value)).collect()
}

fn derived(medium: &Medium) -> BTreeMap<&str, String> {
    let has = |name: &str| medium.native.contains(&name);
    let mut told = BTreeMap::from([
        ("list-multiple", has("list_template_multiple").to_string()),
        ("header-kinds", kinds(medium)),
        ("media", has("media").to_string()),
        ("navigate", has("navigate").to_string()),
        // Where it shows only while a `delay` lasts, it is not native.
        ("typing", has("typing").to_string()),
        ("forward-targets", targets(medium)),
    ]);
    let text = &medium.limits.text;
    // So many characters fit whichever they are.
    let characters = match text.unit {
        Unit::Characters | Unit::Graphemes => text.max,
        Unit::Utf16 | Unit::Weighted => text.max / 2,
        Unit::Bytes => text.max / 4,
    };
    told.insert("text-characters", characters.to_string());
    if text.unit == Unit::Bytes {
        told.insert("text-bytes", text.max.to_string());
    }
    if has("bubbles") {
        let bubbles = medium.limits.of("bubbles");
        count(&mut told, "options", bubbles.options.as_ref());
        let label = bubbles.label.as_ref().map(|label| label.max.to_string());
        told.extend(label.map(|label| ("option-label-characters", label)));
    } else {
        told.insert("options", "0".to_owned());
    }
    count(&mut told, "buttons", medium.limits.of("button_template").options.as_ref());
    count(&mut told, "cards", medium.limits.of("carousel").options.as_ref());
    let list = medium.limits.of("list_template");
    count(&mut told, "list-options", list.rows.as_ref().or(list.options.as_ref()));
    told
}

fn count<'a>(told: &mut BTreeMap<&'a str, String>, name: &'a str, count: Option<&Count>) {
    told.extend(count.map(|count| (name, count.max.to_string())));
}

fn kinds(medium: &Medium) -> String {
    let kinds: Vec<_> = medium.native.iter().filter_map(|part| part.strip_prefix(HEADER)).collect();
    kinds.join(",")
}

/// `forward` is to anybody, to a group and by skills.
fn targets(medium: &Medium) -> String {
    let has = |name: &str| medium.native.contains(&name);
    let usual = has("forward");
    let all = [
        ("any", usual || has("forward_any")),
        ("group", usual || has("forward_group")),
        ("skills", usual || has("forward_skills")),
        ("human", has("forward_human")),
        ("bot", has("forward_bot")),
    ];
    let targets: Vec<_> = all.into_iter().filter(|(_, it)| *it).map(|(name, _)| name).collect();
    targets.join(",")
}
