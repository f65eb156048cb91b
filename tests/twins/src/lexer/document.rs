//! What Lexer's page "Respond chatbot API" says, as names. What the page leaves open
//! says so.

/// "Authentication": the header of the bot user's token.
pub const TOKEN_HEADER: &str = "auth-api-token";
/// "Facebook API Example": always this source.
pub const SOURCE: &str = "facebook";
/// "Facebook API Example": always this state, for a claim.
pub const STATE: &str = "closed";
/// "Action 1": all that a claim carries.
pub const CLAIM_KEYS: &[&str] = &["object_id", "published_at", "source", "state", "account_id"];
/// "Action 2": all that an echo carries.
pub const ECHO_KEYS: &[&str] = &["object_id", "published_at", "source", "account_id"];
/// A wrong token. The page names no answer.
pub const STATUS_TOKEN: u16 = 401;
/// "API Response Codes", for invalid JSON and invalid parameters: "Scary HTML".
pub const SCARY: &str = "<html><body><h1>Internal Server Error</h1></body></html>";
/// "API Response Codes": printed with a quotation mark missing, so that it is no JSON.
pub const BAD_SOURCE: &str = r#"{"error:"source does not have a valid value"}"#;
