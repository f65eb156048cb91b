//! Stream ids: the keys of conversations, made here.
//!
//! After the start of a chat its `streamId` is all that a request shows, so it must be
//! neither guessed nor made up. It has 40 decimal digits, as the vendor's are digits:
//! 20 of chance, and 20 that only the channel's `stream-secret` gives for them. Nothing
//! has to be looked up to refuse a made-up one.

use botyard_kernel::session::Seed;
use hmac::{Hmac, KeyInit as _, Mac as _};
use sha2::Sha256;
use subtle::{Choice, ConstantTimeEq as _};

use crate::SettingsError;
use crate::written::wrong;

/// 66 bits each.
const CHANCE_DIGITS: usize = 20;
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

    /// A new stream id.
    pub(super) fn make(&self, chance: Seed) -> String {
        let [high, low, ..] = chance.0;
        let chance = ((u128::from(high) << 64) | u128::from(low)) % NUMBERS;
        let chance = format!("{chance:0CHANCE_DIGITS$}");
        let signature = signature(&self.newest, &chance);
        chance + &signature
    }

    /// Whether we made this stream id.
    pub(super) fn made(&self, stream_id: &str) -> bool {
        let digits = stream_id.bytes().all(|byte| byte.is_ascii_digit());
        if !digits || stream_id.len() != CHANCE_DIGITS + SIGNATURE_DIGITS {
            return false;
        }
        let (chance, given) = stream_id.split_at(CHANCE_DIGITS);
        let keys = std::iter::once(&self.newest).chain(&self.older);
        let signed = |key| signature(key, chance).as_bytes().ct_eq(given.as_bytes());
        keys.fold(Choice::from(0), |any, key| any | signed(key)).into()
    }
}

fn signature(key: &Hmac<Sha256>, chance: &str) -> String {
    let mac = key.clone().chain_update(chance.as_bytes()).finalize().into_bytes();
    let number = mac.iter().take(16).fold(0_u128, |sum, byte| (sum << 8) | u128::from(*byte));
    format!("{:0SIGNATURE_DIGITS$}", number % NUMBERS)
}
