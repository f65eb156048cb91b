//! What kind of file an address names, by its ending.

/// Endings of which the type is certain.
const TYPES: [(&str, &str); 12] = [
    ("jpg", "image/jpeg"),
    ("jpeg", "image/jpeg"),
    ("png", "image/png"),
    ("gif", "image/gif"),
    ("webp", "image/webp"),
    ("heic", "image/heic"),
    ("mp4", "video/mp4"),
    ("m4v", "video/mp4"),
    ("mov", "video/quicktime"),
    ("webm", "video/webm"),
    ("mp3", "audio/mpeg"),
    ("pdf", "application/pdf"),
];

/// The media type of the file at an address, where its ending says it.
pub(super) fn mime_type(link: &str) -> Option<&'static str> {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    let known = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending));
    known.map(|(_, mime_type)| *mime_type)
}

/// Khoros' word for a media type. It has one for pictures and one for videos.
pub(super) fn media_type(mime_type: &str) -> Option<&'static str> {
    let (class, _) = mime_type.split_once('/')?;
    match class {
        _ if class.eq_ignore_ascii_case("image") => Some("IMAGE"),
        _ if class.eq_ignore_ascii_case("video") => Some("VIDEO"),
        _ => None,
    }
}
