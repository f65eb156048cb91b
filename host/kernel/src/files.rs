//! What kind of file an address names.

use crate::action::Media;

/// Endings of which the media type is certain.
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

/// A kind of file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A picture.
    Image,
    /// A video.
    Video,
    /// A sound.
    Audio,
    /// Anything else.
    Document,
}

impl Kind {
    /// All kinds.
    pub const ALL: [Self; 4] = [Self::Image, Self::Video, Self::Audio, Self::Document];

    /// The kind of a media type.
    pub fn of(mime_type: &str) -> Self {
        let class = mime_type.split('/').next().unwrap_or_default().trim();
        let is = |name: &str| class.eq_ignore_ascii_case(name);
        match class {
            _ if is("image") => Self::Image,
            _ if is("video") => Self::Video,
            _ if is("audio") => Self::Audio,
            _ => Self::Document,
        }
    }

    /// The kind of the file at an address, where its ending says it.
    pub fn at(link: &str) -> Option<Self> {
        mime_type(link).map(Self::of)
    }

    /// The kind of a file, by its media type or its address.
    pub fn of_media(media: &Media) -> Option<Self> {
        media.mime_type.as_deref().map(Self::of).or_else(|| Self::at(&media.link))
    }

    /// What a profile calls it that takes files of certain kinds only.
    pub(crate) fn part(self) -> &'static str {
        match self {
            Self::Image => "media_image",
            Self::Video => "media_video",
            Self::Audio => "media_audio",
            Self::Document => "media_document",
        }
    }
}

/// The media type of the file at an address, where its ending says it.
pub fn mime_type(link: &str) -> Option<&'static str> {
    let path = link.split(['?', '#']).next().unwrap_or_default();
    let (_, ending) = path.rsplit('/').next()?.rsplit_once('.')?;
    let known = TYPES.iter().find(|(known, _)| known.eq_ignore_ascii_case(ending));
    known.map(|(_, mime_type)| *mime_type)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_kind_is_that_of_the_type_and_else_of_the_ending() {
        let rows = [
            (Some("image/png"), "https://a.example/x.pdf", Some(Kind::Image)),
            (Some("IMAGE/png"), "https://a.example/x", Some(Kind::Image)),
            (Some("video/mp4"), "https://a.example/x", Some(Kind::Video)),
            (Some("audio/ogg"), "https://a.example/x", Some(Kind::Audio)),
            (Some("application/pdf"), "https://a.example/x.png", Some(Kind::Document)),
            (Some("nonsense"), "https://a.example/x.png", Some(Kind::Document)),
            (None, "https://a.example/x.PNG?size=2#top", Some(Kind::Image)),
            (None, "https://a.example/x.mov", Some(Kind::Video)),
            (None, "https://a.example/x.mp3", Some(Kind::Audio)),
            (None, "https://a.example/x.pdf", Some(Kind::Document)),
            (None, "https://a.example/x.unheard", None),
            (None, "https://a.png/x", None),
            (None, "", None),
        ];
        for (mime_type, link, kind) in rows {
            let (link, mime_type) = (link.to_owned(), mime_type.map(str::to_owned));
            let media = Media { link, name: None, mime_type, caption: None };
            assert_eq!(Kind::of_media(&media), kind, "{media:?}");
        }
    }
}
