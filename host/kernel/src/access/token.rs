//! The text of a token: `botyard_<id>_<secret>`.
//!
//! The id finds the stored token; the secret proves it, and only its hash is stored.
//! Whoever compares hashes does so in constant time.

use std::fmt;
use std::str::FromStr;

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::id::Digest;

const PREFIX: &str = "botyard_";
const ID_DIGITS: usize = 16;
const SECRET_CHARACTERS: usize = 43;

/// A token, with its secret: shown once, and never written down.
#[derive(Clone, PartialEq, Eq)]
pub struct TokenText {
    id: String,
    secret: String,
}

/// A text that is no token. It is not repeated: it may be a secret all the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error(
    "that is no token: one looks like botyard_<16 hexadecimal digits>_<43 characters>, copy it whole"
)]
pub struct NoToken;

impl TokenText {
    /// A token out of chance that the caller brings: 64 and 256 bits.
    pub fn new(id: [u8; 8], secret: [u8; 32]) -> Self {
        let id = format!("{:016x}", u64::from_be_bytes(id));
        Self { id, secret: URL_SAFE_NO_PAD.encode(secret) }
    }

    /// Finds the stored token.
    pub fn id(&self) -> &str {
        &self.id
    }

    /// What is stored of the secret.
    pub fn secret_hash(&self) -> Digest {
        Digest::of(self.secret.as_bytes())
    }

    /// The whole text, for whoever gets the token.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}_{}", self.id, self.secret)
    }
}

impl FromStr for TokenText {
    type Err = NoToken;

    fn from_str(text: &str) -> Result<Self, NoToken> {
        let rest = text.strip_prefix(PREFIX).filter(|rest| rest.is_ascii()).ok_or(NoToken)?;
        let (id, secret) = rest.split_at_checked(ID_DIGITS).ok_or(NoToken)?;
        let secret = secret.strip_prefix('_').ok_or(NoToken)?;
        let digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        // Each secret has one text only: bits that say nothing must not be set.
        let whole = secret.len() == SECRET_CHARACTERS && URL_SAFE_NO_PAD.decode(secret).is_ok();
        if !whole || !id.bytes().all(digit) {
            return Err(NoToken);
        }
        Ok(Self { id: id.to_owned(), secret: secret.to_owned() })
    }
}

impl fmt::Debug for TokenText {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "TokenText({}, its secret is not shown)", self.id)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_token_has_the_form_that_is_documented() {
        let token = TokenText::new([0, 1, 2, 3, 4, 5, 6, 255], [7; 32]);
        let text = token.reveal();
        assert_eq!(text, "botyard_00010203040506ff_BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc");
        assert_eq!(token.id(), "00010203040506ff");
        assert_eq!(token.secret_hash(), Digest::of(&text.as_bytes()[25..]));
    }

    #[test]
    fn what_is_no_token_is_refused_and_not_repeated() {
        let text = TokenText::new([1; 8], [2; 32]).reveal();
        let cases = [
            String::new(),
            "botyard_".to_owned(),
            text[..text.len() - 1].to_owned(),
            format!("{text}A"),
            format!(" {text}"),
            format!("{text}\n"),
            text.replace("botyard_", "Botyard_"),
            text.replacen("01", "0G", 1),
            text.to_uppercase(),
            text.replacen("_AgIC", "-AgIC", 1),
            text.replacen("AgIC", "AgI+", 1),
            text.replacen("AgIC", "AgI\u{e9}", 1),
            // The last character has two bits that say nothing.
            format!("{}J", &text[..text.len() - 1]),
        ];
        for case in cases {
            let error = case.parse::<TokenText>().unwrap_err();
            assert!(case.len() < 10 || !error.to_string().contains(&case), "{error}");
        }
    }

    #[test]
    fn its_secret_is_not_in_its_debug_form() {
        let token = TokenText::new([1; 8], [2; 32]);
        let revealed = token.reveal();
        let secret = &revealed[25..];
        assert!(!format!("{token:?}").contains(&secret[..8]));
    }

    proptest! {
        #[test]
        fn a_token_reads_as_it_was_made(id: [u8; 8], secret: [u8; 32]) {
            let token = TokenText::new(id, secret);
            prop_assert_eq!(token.reveal().parse::<TokenText>(), Ok(token.clone()));
            prop_assert_eq!(token.reveal().len(), 68);
        }

        #[test]
        fn no_text_is_too_odd(text: String, cut in 0_usize..70) {
            let _ = text.parse::<TokenText>();
            let token = TokenText::new([9; 8], [9; 32]).reveal();
            let odd = format!("{}{text}{}", &token[..cut.min(68)], &token[cut.min(68)..]);
            prop_assert_eq!(odd.parse::<TokenText>().is_ok(), text.is_empty());
        }
    }
}
