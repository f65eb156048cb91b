//! The vendors' side of a webhook.

pub mod userlike;
