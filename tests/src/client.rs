//! Whoever calls the host: the vendors' side of a webhook, operators' machines.

pub mod desk;
pub mod management;
pub mod metrics;
pub mod signals;

/// Webhooks whose answers are read late, or never.
pub mod held {
    pub use botyard_twins::userlike::Held;
}

/// Userlike's side of a webhook.
pub mod userlike {
    pub use botyard_twins::userlike::{Answer, Conversation, Webhook, client};
}
