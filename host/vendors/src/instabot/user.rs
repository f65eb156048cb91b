//! What is known of a person: the answer of `/secure/user`.
//!
//! Every field that the vendor's page shows is there, and each is of the kind that it has
//! there: what is a number, a date or a yes or no on the page is never `null` here. Only
//! the store knows persons, and they have no such numbers and dates there. So numbers are
//! derived from the bot and the address and stay the same, dates are the one that the page
//! has where nothing is known, and the rest is as the page has it. The one application is
//! the channel itself.

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::Reply;

/// The vendor's own word for a time of which nothing is known.
const UNKNOWN_DATE: &str = "0001-01-01T00:00:00Z";
/// The vendor's numbers have nine digits.
const NUMBERS: std::ops::Range<u64> = 100_000_000..1_000_000_000;

/// The user object of whoever has this address.
pub(super) fn reply(bot_id: u64, email: &str) -> Reply {
    let user = json!({
        "objectId": number("user", bot_id, email),
        "developmentCompany": { "objectId": number("company", bot_id, "") },
        "name": email,
        "friendlyName": email,
        // The name was made of the address, as nobody told another one.
        "isDefaultFriendlyName": true,
        "createDate": UNKNOWN_DATE,
        "firstLoginTime": UNKNOWN_DATE,
        "lastLoginTime": UNKNOWN_DATE,
        "username": email,
        "status": 1,
        "applications": [{
            "trialPeriodEndDate": null,
            "isTrial": null,
            "createDate": UNKNOWN_DATE,
            "updateDate": UNKNOWN_DATE,
            "components": null,
            "isSample": false,
            "isMobiComponentsEnabled": false,
            "hideBrandedFooterInChat": false,
            "subscriptionStartDate": null,
            "subscriptionEndDate": null,
            "isTrialOrSubscriptionEnded": false,
            "isActive": false,
            "webSite": null,
            "timeZone": null,
            "participationLevel": 0,
            "status": 0,
            "botDomains": null,
            "botLimit": null,
            "objectId": number("application", bot_id, ""),
        }],
        "systemProperties": { "clientPlatform": 3 },
        "userSegments": null,
        "userType": 2,
        "lastActivityDate": UNKNOWN_DATE,
        "requestInfo": {},
        "visitInfo": [],
        "rowVersion": number("row", bot_id, email),
        // Empty in the vendor's own answer too.
        "ipAddress": "",
        "isTestUser": false,
        "updateDate": UNKNOWN_DATE,
        "customProperties": {
            "utm_source": null,
            "utm_medium": null,
            "utm_campaign": null,
            "utm_term": null,
            "utm_content": null,
        },
    });
    Reply {
        status: StatusCode::OK,
        content_type: "application/json",
        body: Bytes::from(user.to_string()),
    }
}

/// A number that is always the same for the same thing.
fn number(what: &str, bot_id: u64, email: &str) -> u64 {
    let digest = Sha256::new()
        .chain_update(b"botyard instabot ")
        .chain_update(what.as_bytes())
        .chain_update(bot_id.to_be_bytes())
        .chain_update(email.as_bytes())
        .finalize();
    let number = digest.iter().take(8).fold(0, |sum, byte| (sum << 8) | u64::from(*byte));
    NUMBERS.start + number % (NUMBERS.end - NUMBERS.start)
}
