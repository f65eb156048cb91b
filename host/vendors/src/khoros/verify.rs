//! Whether a webhook really comes from the tenant's Khoros account.
//!
//! A registration chooses between HTTP Basic and a signature. How Khoros writes the
//! signature is not proven, so a refusal says what would have matched.

use base64::Engine;
use base64::alphabet::{STANDARD, URL_SAFE};
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use botyard_kernel::id::Digest;
use hmac::{Hmac, KeyInit, Mac};
use http::header::AUTHORIZATION;
use http::{HeaderMap, HeaderValue, Method};
use subtle::{Choice, ConstantTimeEq};

use super::dialect::{Algorithm, Encoding, HmacForm};
use super::settings::{Settings, Webhook, WebhookMethod};
use crate::webhook::{only, unauthorized};
use crate::{Inbound, Rejection};

const LENIENT: GeneralPurposeConfig =
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
const BASE64: GeneralPurpose = GeneralPurpose::new(&STANDARD, LENIENT);
const BASE64_URL: GeneralPurpose = GeneralPurpose::new(&URL_SAFE, LENIENT);
/// A longer header is no signature of ours.
const SIGNATURE_CHARACTERS_MAX: usize = 400;
/// A header of more parts is not searched further.
const PARTS_MAX: usize = 8;

/// Refuses what is no POST or does not know a secret.
pub(super) fn verify(settings: &Settings, request: &Inbound<'_>) -> Result<(), Rejection> {
    only(&Method::POST, "Khoros", request)?;
    let webhook = &settings.webhook;
    let form = &settings.dialect.hmac;
    let known = match webhook.method {
        WebhookMethod::Basic => knows_password(webhook, request.headers, true),
        WebhookMethod::Hmac => is_signed(webhook, form, request),
    };
    if known {
        return Ok(());
    }
    Err(unauthorized(hint(webhook, form, request)))
}

/// The header of HTTP Basic.
pub(super) fn basic(user: &str, password: &str) -> HeaderValue {
    let told = format!("Basic {}", BASE64.encode(format!("{user}:{password}")));
    // Base64 holds nothing that a header cannot carry.
    let mut header = HeaderValue::from_str(&told).unwrap_or(HeaderValue::from_static("Basic"));
    header.set_sensitive(true);
    header
}

/// Whether the password is one of the secrets, and the user who it must be.
fn knows_password(webhook: &Webhook, headers: &HeaderMap, exact: bool) -> bool {
    let Some(shown) = shown_basic(headers) else { return false };
    let Some(colon) = shown.iter().position(|byte| *byte == b':') else { return false };
    let (user, password) = (&shown[..colon], &shown[colon + 1..]);
    let none = Choice::from(0);
    let secrets = webhook.secrets.iter();
    let known = secrets.fold(none, |any, secret| any | same(secret.as_bytes(), password));
    let user_known = same(webhook.identity.as_bytes(), user) | Choice::from(u8::from(!exact));
    (known & user_known).into()
}

/// In constant time, whatever the lengths: hashes are of one length.
fn same(one: &[u8], other: &[u8]) -> Choice {
    Digest::of(one).as_bytes().ct_eq(Digest::of(other).as_bytes())
}

fn shown_basic(headers: &HeaderMap) -> Option<Vec<u8>> {
    let shown = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, credentials) = shown.split_once(' ')?;
    if !scheme.eq_ignore_ascii_case("basic") {
        return None;
    }
    BASE64.decode(credentials.trim()).ok()
}

fn is_signed(webhook: &Webhook, form: &HmacForm, request: &Inbound<'_>) -> bool {
    let shown = request.headers.get(&webhook.signature_header).and_then(|it| it.to_str().ok());
    let written = shown.and_then(|it| it.strip_prefix(&*form.prefix)).map(str::trim);
    let Some(signature) = written.and_then(|it| decode(form.encoding, it)) else { return false };
    matches(webhook, form.algorithm, request.body, &signature)
}

fn decode(encoding: Encoding, text: &str) -> Option<Vec<u8>> {
    if text.is_empty() || text.len() > SIGNATURE_CHARACTERS_MAX {
        return None;
    }
    match encoding {
        Encoding::Hex => from_hex(text),
        Encoding::Base64 => BASE64.decode(text).or_else(|_| BASE64_URL.decode(text)).ok(),
    }
}

fn from_hex(text: &str) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|it| u8::try_from(it).ok());
    let (pairs, rest) = text.as_bytes().as_chunks::<2>();
    let bytes = pairs.iter().map(|[high, low]| Some(digit(*high)? << 4 | digit(*low)?));
    rest.is_empty().then(|| bytes.collect()).flatten()
}

/// Whether it is what one of the secrets makes of the body, in constant time.
fn matches(webhook: &Webhook, algorithm: Algorithm, body: &[u8], signature: &[u8]) -> bool {
    let none = Choice::from(0);
    let made = webhook.secrets.iter().map(|secret| sign(algorithm, secret.as_bytes(), body));
    made.fold(none, |any, made| any | made.ct_eq(signature)).into()
}

pub(super) fn sign(algorithm: Algorithm, secret: &[u8], body: &[u8]) -> Vec<u8> {
    match algorithm {
        Algorithm::Sha1 => mac::<Hmac<sha1::Sha1>>(secret, body),
        Algorithm::Sha256 => mac::<Hmac<sha2::Sha256>>(secret, body),
        Algorithm::Sha512 => mac::<Hmac<sha2::Sha512>>(secret, body),
    }
}

fn mac<M: Mac + KeyInit>(secret: &[u8], body: &[u8]) -> Vec<u8> {
    // An HMAC takes keys of any length.
    let Ok(mut mac) = M::new_from_slice(secret) else { return Vec::new() };
    mac.update(body);
    mac.finalize().into_bytes().to_vec()
}

/// What is wrong, and what would have been right where the request knows a secret.
fn hint(webhook: &Webhook, form: &HmacForm, request: &Inbound<'_>) -> String {
    if let Some(right) = would_match(webhook, request) {
        return format!(
            "the webhook knows the secret in another way than the settings say: {right}"
        );
    }
    match webhook.method {
        WebhookMethod::Basic if shown_basic(request.headers).is_none() => {
            "the `Authorization` header with Basic credentials is missing: the registration's \
             `credentials` must be of the type BASIC_AUTH"
                .to_owned()
        }
        WebhookMethod::Basic => "the user or the password is not the channel's: compare \
                                 `webhook-identity` and `webhook-secret` with the registration"
            .to_owned(),
        WebhookMethod::Hmac if !request.headers.contains_key(&webhook.signature_header) => format!(
            "the header `{}` is missing and no other header holds a signature with the channel's \
             secret: compare `webhook-secret` with the registration",
            webhook.signature_header
        ),
        WebhookMethod::Hmac => format!(
            "the header `{}` is no {} signature in {} with the channel's secret, and none of \
             another kind",
            webhook.signature_header,
            form.algorithm.name(),
            form.encoding.name()
        ),
    }
}

fn would_match(webhook: &Webhook, request: &Inbound<'_>) -> Option<String> {
    if knows_password(webhook, request.headers, false) {
        return Some(match webhook.method {
            WebhookMethod::Basic => "the password is right and the user is not: correct \
                                     `webhook-identity`"
                .to_owned(),
            WebhookMethod::Hmac => {
                "it came with HTTP Basic: set `webhook-method` to `basic`".to_owned()
            }
        });
    }
    let made = Algorithm::ALL.map(|algorithm| {
        let by_secret = webhook.secrets.iter();
        let made: Vec<_> =
            by_secret.map(|secret| sign(algorithm, secret.as_bytes(), request.body)).collect();
        (algorithm, made)
    });
    let texts =
        request.headers.iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?)));
    for (name, text) in texts.filter(|(_, text)| text.len() <= SIGNATURE_CHARACTERS_MAX) {
        for start in starts(text) {
            for encoding in Encoding::ALL {
                let Some(shown) = decode(encoding, text[start..].trim()) else { continue };
                let equal = |made: &Vec<u8>| bool::from(made.ct_eq(&shown));
                let Some((algorithm, _)) = made.iter().find(|(_, all)| all.iter().any(equal))
                else {
                    continue;
                };
                let (algorithm, encoding) = (algorithm.name(), encoding.name());
                return Some(format!(
                    "it is signed in the header `{name}` with {algorithm} in {encoding} after the \
                     prefix `{}`: set `webhook-method` to `hmac`, and that in `hmac` of the dialect",
                    &text[..start]
                ));
            }
        }
    }
    None
}

/// Where a signature may begin in a header: at its start, or after something else.
fn starts(text: &str) -> impl Iterator<Item = usize> {
    let after = text.char_indices().filter(|(_, c)| matches!(c, '=' | ':' | ' ' | ','));
    std::iter::once(0).chain(after.map(|(at, _)| at + 1).take(PARTS_MAX))
}
