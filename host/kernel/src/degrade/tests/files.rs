//! Files and previews of which a medium takes some kinds only.

use super::{check, profile};
use crate::action::{Action, Media, RichLink};

/// What becomes of it, by name, and what is said of it.
fn becomes(action: &Action, native: &[&'static str]) -> (Vec<&'static str>, Vec<String>) {
    let done = check(action, &profile(native, 500));
    let names = done.actions.iter().map(Action::name).collect();
    (names, done.notes.into_iter().map(|note| note.what).collect())
}

#[test]
fn a_file_of_a_kind_that_is_not_taken_goes_as_a_link() {
    let file = |link: &str, mime_type: Option<&str>| {
        let (link, mime_type) = (link.to_owned(), mime_type.map(str::to_owned));
        Action::Media(Media { link, name: None, mime_type, caption: None })
    };
    let some: &[&'static str] = &["message", "media", "media_image", "media_video"];
    let all: &[&'static str] = &["message", "media"];
    let rows = [
        ("https://a.example/x", Some("image/png"), "media"),
        ("https://a.example/x.mp4", None, "media"),
        ("https://a.example/x", Some("audio/ogg"), "message"),
        ("https://a.example/x.pdf", None, "message"),
        ("https://a.example/x.png", Some("application/pdf"), "message"),
        ("https://a.example/x", None, "message"),
    ];
    for (link, mime_type, expect) in rows {
        let file = file(link, mime_type);
        let (names, notes) = becomes(&file, some);
        assert_eq!((&names[..], notes.is_empty()), (&[expect][..], expect == "media"), "{file:?}");
        assert_eq!(becomes(&file, all), (vec!["media"], vec![]), "{file:?}");
    }
}

#[test]
fn a_preview_that_needs_a_picture_is_a_link_without_one() {
    let link = |image: Option<&str>| {
        let (link, title) = ("https://a.example/rooms".to_owned(), "Rooms".to_owned());
        let image = image.map(str::to_owned);
        Action::RichLink(RichLink { link, title, image, text: Some("With a view".to_owned()) })
    };
    let needs: &[&'static str] = &["message", "rich_link", "rich_link_needs_image"];
    for image in ["https://a.example/x.png", "https://a.example/x"] {
        assert_eq!(becomes(&link(Some(image)), needs), (vec!["rich_link"], vec![]), "{image}");
    }
    for image in [None, Some("https://a.example/x.pdf")] {
        let (names, notes) = becomes(&link(image), needs);
        assert_eq!(names, ["message"], "{image:?}");
        assert!(notes[0].contains("it needs a picture"), "{notes:?}");
        let (names, notes) = becomes(&link(image), &["message", "rich_link"]);
        assert_eq!((names, notes), (vec!["rich_link"], vec![]), "{image:?}");
    }
}
