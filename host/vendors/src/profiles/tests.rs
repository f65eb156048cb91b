mod menus;

use std::collections::BTreeSet;

use super::*;
use crate::VENDORS;

const PAGE: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../docs/mediums.md");

#[test]
fn every_vendor_has_its_file_and_every_file_can_be_read() {
    let vendors: BTreeSet<_> = VENDORS.iter().map(|known| known.name).collect();
    let files: BTreeSet<_> = FILES.iter().map(|file| file.vendor).collect();
    assert_eq!(files, vendors, "a vendor's file stands in `FILES`");
    for file in FILES {
        let read = toml::from_str::<Mediums>(file.text);
        let mediums = read.unwrap_or_else(|error| panic!("{}: {error}", file.vendor));
        for medium in mediums.all() {
            let limits = medium.limits.actions.values();
            let lengths = limits.clone().flat_map(|it| it.lengths().map(|(_, length)| length));
            let lengths = lengths.chain([&medium.limits.text]);
            let lengths = lengths.map(|length| (length.max, &length.source));
            let counts = limits.flat_map(|it| it.counts().map(|(_, it)| (it.max, &it.source)));
            for (max, source) in lengths.chain(counts) {
                assert!(max > 0 && !source.trim().is_empty(), "{}: {medium:?}", file.vendor);
            }
        }
    }
}

#[test]
fn the_form_of_a_file_is_held_to() {
    let usual = r#"
        [[medium]]
        names = ["*"]
        native = ["message", "bubbles"]
        [medium.text]
        limit = { max = 9, unit = "utf16", source = "a page", sure = "guessed" }
        [medium.bubbles]
        label = { max = 4, unit = "graphemes", source = "a page", sure = "recalled" }
        [medium.settings]
        options = "3"
    "#;
    let read = |text: &str| toml::from_str::<Mediums>(text).map_err(|error| error.to_string());
    let mediums = read(usual).expect("a file");
    assert_eq!(mediums.of("x").limits.of("bubbles").label.as_ref().map(|it| it.max), Some(4));
    let told = told::settings(mediums.of("x"));
    let told: Vec<_> = told.iter().map(|it| (&*it.name, &*it.value)).collect();
    assert!(told.contains(&("options", "3")) && told.contains(&("text-characters", "4")));
    for (from, to, expect) in [
        ("utf16", "words", "unknown variant `words`"),
        ("recalled", "certain", "unknown variant `certain`"),
        ("\"bubbles\"]", "\"bubels\"]", "`bubels` names no action"),
        ("medium.bubbles", "medium.bubels", "`bubels` is no key"),
        ("label =", "lable =", "unknown field `lable`"),
        ("\"*\"", "\"web\"", "the last medium must be"),
    ] {
        let error = read(&usual.replace(from, to)).expect_err(expect);
        assert!(error.contains(expect), "{from} -> {to}: {error}");
    }
}

#[test]
fn the_page_is_made_from_the_files() {
    let page = page();
    if std::env::var_os("BOTYARD_WRITE_DOCS").is_some() {
        std::fs::write(PAGE, &page).expect("the page can be written");
    }
    let written = std::fs::read_to_string(PAGE).unwrap_or_default();
    assert!(
        page == written,
        "docs/mediums.md is out of date: run `BOTYARD_WRITE_DOCS=1 cargo test -p botyard-vendors \
         profiles`"
    );
}

#[test]
fn the_page_has_no_action_that_it_forgets() {
    let page = page();
    for name in ["message", "other", "passthrough", "work_queue", "schedule", "delay", "carousel"] {
        assert!(page.contains(&format!("`{name}`")), "{name}");
    }
    let kinds: BTreeSet<_> = samples("userlike").iter().map(|it| it.1.name()).collect();
    assert_eq!(kinds.len(), 32 - 6, "all but those that the host carries out itself: {kinds:?}");
}

#[test]
fn whoever_names_no_medium_gets_the_vendors_own() {
    let mediums = ["userlike", "khoros", "messenger", "lexer", "myalice", "instabot"];
    let mediums = mediums.map(usual_medium);
    assert_eq!(mediums, ["web", "facebook", "facebook", "facebook", "web", "web"]);
}
