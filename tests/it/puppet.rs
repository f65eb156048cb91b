//! A host with the bot that does what it is told.

use botyard_tests::client::userlike::Conversation;
use botyard_tests::site::{Setup, Site};

pub(crate) async fn site() -> Site {
    Setup::new("puppet").unwrap().start().await.unwrap()
}

/// A conversation that has begun.
pub(crate) async fn begun(site: &Site) -> Conversation {
    let conversation = site.open().unwrap();
    assert_eq!(conversation.start().await.unwrap().texts(), ["welcome"]);
    conversation
}
