//! Saying and showing something.

use super::{Action, Delay, Media, Message, Navigate, RichLink, TextFormat};

/// Says something: 1 to 5,000 characters of plain text. Longer than the medium
/// carries is split at sentence ends.
pub fn reply(text: impl Into<String>) -> Message {
    Message { text: text.into(), format: TextFormat::Plain }
}

/// Shows or hides the typing indicator. It stops by itself at the next message.
pub fn typing(show: bool) -> Action {
    Action::Typing(if show { super::Typing::Start } else { super::Typing::Stop })
}

/// Holds back what follows in this turn, with the typing indicator on. At most
/// 60,000 milliseconds a turn, in sum.
pub fn delay(delay_ms: u32) -> Action {
    Delay { delay_ms, typing: true }.into()
}

/// Sends the person's browser to a page; only widgets on web sites can.
pub fn navigate(link: impl Into<String>) -> Action {
    Navigate { link: link.into() }.into()
}

impl Message {
    /// The text is `markdown_v1`, as Userlike documents it; mediums without
    /// formatting get the bare text.
    pub fn markdown(mut self) -> Self {
        self.format = TextFormat::MarkdownV1;
        self
    }
}

impl Media {
    /// A picture, recording or file by its address, which must stay reachable
    /// until the vendor has fetched it.
    pub fn new(link: impl Into<String>) -> Self {
        Self { link: link.into(), name: None, mime_type: None, caption: None }
    }

    /// The file's name.
    pub fn name(mut self, name: impl Into<String>) -> Self {
        self.name = Some(name.into());
        self
    }

    /// The file's media type, for example `application/pdf`.
    pub fn mime_type(mut self, mime_type: impl Into<String>) -> Self {
        self.mime_type = Some(mime_type.into());
        self
    }

    /// What stands beside it.
    pub fn caption(mut self, caption: impl Into<String>) -> Self {
        self.caption = Some(caption.into());
        self
    }
}

impl RichLink {
    /// A link with a preview: its address and the preview's headline.
    pub fn new(link: impl Into<String>, title: impl Into<String>) -> Self {
        Self { link: link.into(), title: title.into(), image: None, text: None }
    }

    /// The address of a preview picture.
    pub fn image(mut self, image: impl Into<String>) -> Self {
        self.image = Some(image.into());
        self
    }

    /// What stands beside it.
    pub fn text(mut self, text: impl Into<String>) -> Self {
        self.text = Some(text.into());
        self
    }
}
