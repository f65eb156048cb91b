//! What is known of a person: the answer of `/secure/user`.
//!
//! Every field that the vendor's page shows is there. Those that follow from the request
//! are filled in; the rest is `null`, since only the store knows persons, and they have
//! no such numbers and dates there. The one application is the channel itself.

use bytes::Bytes;
use http::StatusCode;
use serde_json::json;

use crate::Reply;

/// The user object of whoever has this address.
pub(super) fn reply(email: &str) -> Reply {
    let user = json!({
        "objectId": null,
        "developmentCompany": { "objectId": null },
        "name": email,
        "friendlyName": email,
        // The name was made of the address, as nobody told another one.
        "isDefaultFriendlyName": true,
        "createDate": null,
        "firstLoginTime": null,
        "lastLoginTime": null,
        "username": email,
        "status": null,
        "applications": [{
            "trialPeriodEndDate": null,
            "isTrial": null,
            "createDate": null,
            "updateDate": null,
            "components": null,
            "isSample": null,
            "isMobiComponentsEnabled": null,
            "hideBrandedFooterInChat": null,
            "subscriptionStartDate": null,
            "subscriptionEndDate": null,
            "isTrialOrSubscriptionEnded": null,
            "isActive": null,
            "webSite": null,
            "timeZone": null,
            "participationLevel": null,
            "status": null,
            "botDomains": null,
            "botLimit": null,
            "objectId": null,
        }],
        "systemProperties": { "clientPlatform": null },
        "userSegments": null,
        "userType": null,
        "lastActivityDate": null,
        "requestInfo": {},
        "visitInfo": [],
        "rowVersion": null,
        // Empty in the vendor's own answer too.
        "ipAddress": "",
        "isTestUser": null,
        "updateDate": null,
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
