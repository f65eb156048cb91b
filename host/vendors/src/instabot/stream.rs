//! Stream ids: what names a chat, and lets whoever shows it speak there.
//!
//! After the start of a chat its `streamId` is all that a request shows, so it must be
//! neither guessed nor made up. It has 40 decimal digits, as the vendor's are digits:
//! 20 of chance, and 20 that only the channel's `stream-secret` gives for them. Nothing
//! has to be looked up to refuse a made-up one.
//!
//! The first half names the conversation within the host. Names stand in logs and are
//! told to bots, and nobody can speak with a name alone.

use botyard_kernel::session::Seed;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::SettingsError;
use crate::written::wrong;

/// 66 bits each.
const NAME_DIGITS: usize = 20;
const SIGNATURE_DIGITS: usize = 20;
/// So many numbers have 20 digits.
const NUMBERS: u128 = 10_u128.pow(20);

/// What the stream ids of a channel are signed with.
pub(super) struct StreamKeys {
    newest: Hmac<Sha256>,
    older: Vec<Hmac<Sha256>>,
}

impl StreamKeys {
    /// The first of the secrets signs, all of them verify. A stream id is good for one
    /// bot, even where another one has the same secret.
    pub(super) fn new(secrets: &[String], bot_id: u64) -> Result<Self, SettingsError> {
        let key = |secret: &String| {
            let key = Hmac::<Sha256>::new_from_slice(secret.as_bytes());
            let mut key = key.map_err(|_| wrong("`stream-secret` cannot sign stream ids"))?;
            key.update(b"botyard instabot stream");
            key.update(&bot_id.to_be_bytes());
            Ok(key)
        };
        let [newest, older @ ..] = secrets else {
            return Err(wrong("`stream-secret` takes one secret, or two"));
        };
        let older = older.iter().map(key).collect::<Result<_, SettingsError>>()?;
        Ok(Self { newest: key(newest)?, older })
    }

    /// The stream id of a conversation of this name.
    pub(super) fn sign(&self, name: &str) -> String {
        name.to_owned() + &signature(&self.newest, name)
    }

    /// The name of the conversation, where we made this stream id.
    pub(super) fn name<'a>(&self, stream_id: &'a str) -> Option<&'a str> {
        let name = name(stream_id)?;
        let given = &stream_id[NAME_DIGITS..];
        let keys = std::iter::once(&self.newest).chain(&self.older);
        let signed = |key| signature(key, name).as_bytes().ct_eq(given.as_bytes());
        let made: bool = keys.fold(Choice::from(0), |any, key| any | signed(key)).into();
        made.then_some(name)
    }
}

/// The name that a stream id has in it, whoever made it.
pub(super) fn name(stream_id: &str) -> Option<&str> {
    let digits = stream_id.bytes().all(|byte| byte.is_ascii_digit());
    let ours = digits && stream_id.len() == NAME_DIGITS + SIGNATURE_DIGITS;
    ours.then(|| &stream_id[..NAME_DIGITS])
}

/// The name of a new conversation.
pub(super) fn new_name(chance: Seed) -> String {
    let [high, low, ..] = chance.0;
    let number = ((u128::from(high) << 64) | u128::from(low)) % NUMBERS;
    format!("{number:0NAME_DIGITS$}")
}

fn signature(key: &Hmac<Sha256>, name: &str) -> String {
    let mac = key.clone().chain_update(name.as_bytes()).finalize().into_bytes();
    let number = mac.iter().take(16).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    format!("{:0SIGNATURE_DIGITS$}", number % NUMBERS)
}
