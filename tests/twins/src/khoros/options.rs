//! How a Care account is set up.

use std::time::Duration;

use super::document::OLD_TOKEN_MINUTES;

/// Everything that can be set about an account.
#[derive(Clone, Debug)]
pub struct Options {
    /// The company.
    pub company_key: String,
    /// The network: `facebook`, `smooch`, `apple`, `twitter`, ...
    pub network_key: String,
    /// The page, handle or account on that network.
    pub external_id: String,
    /// The bot's app.
    pub app_id: String,
    /// The other bots that are registered here.
    pub other_apps: Vec<String>,
    /// Name and password of the user who may make tokens.
    pub user: (String, String),
    /// How long a token is valid. No page says so.
    pub token_life: Duration,
    /// How long the old one of a refreshed token is.
    pub old_token_life: Duration,
    /// How webhooks are signed where the registration says HMAC. The page was not seen.
    pub hmac: Hmac,
    /// So many webhooks in a row that fail make the bot unhealthy. No page says so.
    pub unhealthy_after: u64,
    /// How late what was accepted with 202 reaches the author, in turn: a shorter one
    /// after a longer one overtakes it. Nothing promises an order there.
    pub publishing: Vec<Duration>,
    /// Changes of control are told to the bot.
    pub tells_control: bool,
    /// What the bot says is told it as `AGENT_RESPONSE`. No page says whether it is.
    pub echoes: bool,
}

/// A signature's form.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hmac {
    /// The header.
    pub header: String,
    /// What stands before the signature.
    pub prefix: String,
    /// Base64, not hexadecimal digits.
    pub base64: bool,
}

impl Options {
    /// The documents' numbers, on Facebook.
    pub fn new(user: &str, password: &str) -> Self {
        Self {
            company_key: "acmehotel".to_owned(),
            network_key: "facebook".to_owned(),
            external_id: "410088123456789".to_owned(),
            app_id: "acme-bot".to_owned(),
            other_apps: vec!["other-bot".to_owned()],
            user: (user.to_owned(), password.to_owned()),
            token_life: Duration::from_secs(30 * 24 * 60 * 60),
            old_token_life: Duration::from_secs(OLD_TOKEN_MINUTES * 60),
            hmac: Hmac {
                header: "X-Khoros-Signature".to_owned(),
                prefix: String::new(),
                base64: false,
            },
            unhealthy_after: 10,
            publishing: Vec::new(),
            tells_control: true,
            echoes: false,
        }
    }
}
