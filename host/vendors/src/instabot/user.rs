//! What is known of a person: the answer of `/secure/user`.
//!
//! Every field that the vendor's page shows is there, and each is of the kind that it has
//! there: what is a number, a date or a yes or no on the page is never `null` here. Names
//! and dates are those of the person's chats, and numbers, which nobody has here, are
//! derived from the bot and the address and stay the same. Of somebody who was never here
//! dates are the one that the page has where nothing is known, and the rest is as the page
//! has it. The one application is the channel itself.

use botyard_kernel::time::Millis;
use bytes::Bytes;
use http::StatusCode;
use jiff::Timestamp;
use serde_json::{Map, Value, json};
use sha2::{Digest as _, Sha256};

use crate::fields::object;
use crate::{Person, Reply};

/// The vendor's own word for a time of which nothing is known.
const UNKNOWN_DATE: &str = "0001-01-01T00:00:00Z";
/// The vendor's numbers have nine digits.
const NUMBERS: std::ops::Range<u64> = 100_000_000..1_000_000_000;

/// The properties that the page shows of somebody of whom nothing is known.
const PROPERTIES: [&str; 5] =
    ["utm_source", "utm_medium", "utm_campaign", "utm_term", "utm_content"];

/// The user object of whoever has this address.
pub(super) fn reply(bot_id: u64, email: &str, known: Option<&Person>) -> Reply {
    let name = known.and_then(|person| person.facts.contact.name.as_deref());
    let at = |time: fn(&Person) -> Millis| known.map(time).and_then(date);
    let at = |time| at(time).unwrap_or_else(|| UNKNOWN_DATE.to_owned());
    let user = json!({
        "objectId": number("user", bot_id, email),
        "developmentCompany": { "objectId": number("company", bot_id, "") },
        "name": name.unwrap_or(email),
        "friendlyName": name.unwrap_or(email),
        // Where nobody told another one, the name is made of the address.
        "isDefaultFriendlyName": name.is_none(),
        "createDate": at(|person| person.first_ms),
        "firstLoginTime": at(|person| person.first_ms),
        "lastLoginTime": at(|person| person.newest_ms),
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
        "lastActivityDate": at(|person| person.active_ms),
        "requestInfo": {},
        "visitInfo": [],
        "rowVersion": number("row", bot_id, email),
        // Empty in the vendor's own answer too.
        "ipAddress": "",
        "isTestUser": false,
        "updateDate": at(|person| person.active_ms),
        "customProperties": properties(known),
    });
    Reply {
        status: StatusCode::OK,
        content_type: "application/json",
        body: Bytes::from(user.to_string()),
    }
}

/// What the metadata of the newest chat and the bot said of the person.
fn properties(known: Option<&Person>) -> Map<String, Value> {
    let none = PROPERTIES.map(|name| (name.to_owned(), Value::Null));
    let mut properties = Map::from_iter(none);
    let Some(Person { facts, .. }) = known else { return properties };
    let said = |name: &str| facts.params.iter().find(|param| param.name == name);
    for (name, value) in &mut properties {
        *value = said(name).map_or(Value::Null, |param| Value::from(&*param.value));
    }
    properties.extend(object(&facts.contact.custom_fields).unwrap_or_default());
    properties
}

/// A time as the page writes it.
fn date(at: Millis) -> Option<String> {
    let at = Timestamp::from_millisecond(i64::try_from(at).ok()?).ok()?;
    Some(at.strftime("%Y-%m-%dT%H:%M:%S%.3fZ").to_string())
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

#[cfg(test)]
mod tests {
    use botyard_kernel::event::Setting;
    use botyard_kernel::session::{Contact, Facts};

    use super::*;

    #[test]
    fn what_is_known_of_a_person_is_told() {
        let custom_fields = r#"{"plan":"gold","utm_term":7}"#.to_owned();
        let name = Some("Ida".to_owned());
        let facts = Facts {
            params: vec![Setting::new("utm_source", "ads"), Setting::new("page", "pricing")],
            contact: Contact { name, custom_fields, ..Contact::default() },
            ..Facts::default()
        };
        let known = Person {
            facts,
            first_ms: 1_654_677_848_002,
            newest_ms: 1_654_677_849_000,
            active_ms: 1_654_677_850_000,
        };
        let told = reply(7, "ida@example.invalid", Some(&known));
        let told: Value = serde_json::from_slice(&told.body).unwrap();
        for (field, value) in [
            ("name", json!("Ida")),
            ("friendlyName", json!("Ida")),
            ("username", json!("ida@example.invalid")),
            ("isDefaultFriendlyName", json!(false)),
            ("createDate", json!("2022-06-08T08:44:08.002Z")),
            ("firstLoginTime", json!("2022-06-08T08:44:08.002Z")),
            ("lastLoginTime", json!("2022-06-08T08:44:09.000Z")),
            ("lastActivityDate", json!("2022-06-08T08:44:10.000Z")),
            (
                "customProperties",
                json!({
                    "utm_source": "ads", "utm_medium": null, "utm_campaign": null,
                    "utm_term": 7, "utm_content": null, "plan": "gold",
                }),
            ),
        ] {
            assert_eq!(told[field], value, "{field}");
        }
        // A number does not change with what is known.
        let stranger = reply(7, "ida@example.invalid", None);
        let stranger: Value = serde_json::from_slice(&stranger.body).unwrap();
        assert_eq!(told["objectId"], stranger["objectId"]);
        assert_eq!(stranger["createDate"], UNKNOWN_DATE);
    }
}
