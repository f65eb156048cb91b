//! The user object, as the page shows it.

use serde_json::{Value, json};

/// The page's own example, for the user of this address.
pub(super) fn of(email: &str) -> Value {
    json!({
        "objectId": 478_187_758,
        "developmentCompany": {
            "objectId": 520_801_656
        },
        "name": email,
        "friendlyName": email,
        "isDefaultFriendlyName": true,
        "createDate": "2022-06-08T08:44:08.002Z",
        "firstLoginTime": "2022-06-08T08:44:08.002Z",
        "lastLoginTime": "2022-06-08T08:44:08.002Z",
        "username": email,
        "status": 1,
        "applications": [
            {
                "trialPeriodEndDate": null,
                "isTrial": null,
                "createDate": "0001-01-01T00:00:00Z",
                "updateDate": "0001-01-01T00:00:00Z",
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
                "objectId": 474_952_131
            }
        ],
        "systemProperties": {
            "clientPlatform": 3
        },
        "userSegments": null,
        "userType": 2,
        "lastActivityDate": "2022-06-08T08:44:08.034Z",
        "requestInfo": {},
        "visitInfo": [],
        "rowVersion": 47_288_359,
        "ipAddress": "",
        "isTestUser": false,
        "updateDate": "2022-06-08T08:44:08.034Z",
        "customProperties": {
            "utm_source": null,
            "utm_medium": null,
            "utm_campaign": null,
            "utm_term": null,
            "utm_content": null
        }
    })
}

/// Whether an answer is the whole object for this address, with what the page has in
/// each of its fields: a number, a date, a yes or no. What is `null` there may be anything.
pub(super) fn judge(body: &str, email: &str) -> Result<Value, String> {
    let user: Value = serde_json::from_str(body).map_err(|error| format!("not JSON: {error}"))?;
    same("the user", &of(email), &user)?;
    if user["name"] != email || user["username"] != email {
        return Err("the user is somebody else".to_owned());
    }
    Ok(user)
}

fn same(name: &str, page: &Value, given: &Value) -> Result<(), String> {
    match (page, given) {
        (Value::Null, _) | (Value::Bool(_), Value::Bool(_)) => Ok(()),
        (Value::Number(_), Value::Number(number)) if number.is_i64() => Ok(()),
        (Value::String(page), Value::String(text)) if !is_date(page) || is_date(text) => Ok(()),
        (Value::Array(items), Value::Array(given)) => {
            let Some(item) = items.first() else { return Ok(()) };
            given.iter().try_for_each(|given| same(name, item, given))
        }
        (Value::Object(fields), Value::Object(given)) => {
            if let Some(other) = given.keys().find(|key| !fields.contains_key(*key)) {
                return Err(format!("{name} has {other}, which is on no page"));
            }
            fields.iter().try_for_each(|(key, page)| {
                let given = given.get(key).ok_or_else(|| format!("{name} without {key}"))?;
                same(key, page, given)
            })
        }
        _ => Err(format!("{name} is {given}, where the page has {page}")),
    }
}

/// `2022-06-08T08:44:08.002Z`, with or without the milliseconds.
fn is_date(text: &str) -> bool {
    let form = text.bytes().map(|byte| if byte.is_ascii_digit() { b'0' } else { byte });
    let form: Vec<u8> = form.collect();
    form == b"0000-00-00T00:00:00.000Z" || form == b"0000-00-00T00:00:00Z"
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_field_is_of_the_kind_that_the_page_has() {
        let email = "ida@example.invalid";
        let judged = |key: &str, value: Value| {
            let mut user = of(email);
            match user.pointer_mut(key) {
                Some(known) => *known = value,
                None => user["more"] = value,
            }
            judge(&user.to_string(), email).map(|_| ())
        };
        assert_eq!(judged("/status", json!(2)), Ok(()));
        assert_eq!(judged("/updateDate", json!("0001-01-01T00:00:00Z")), Ok(()));
        let wrong = [
            ("/objectId", Value::Null, "objectId is null"),
            ("/isTestUser", Value::Null, "isTestUser is null"),
            ("/createDate", json!("today"), "createDate is"),
            ("/applications/0/status", json!("0"), "status is"),
            ("/more", json!(1), "the user has more"),
            ("/name", json!("b@example.invalid"), "somebody else"),
        ];
        for (key, value, why) in wrong {
            let refused = judged(key, value).expect_err(why);
            assert!(refused.contains(why), "{refused}");
        }
    }
}
