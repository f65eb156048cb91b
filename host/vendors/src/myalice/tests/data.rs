//! What templates may hold.

use serde_json::json;

use super::{connect, with};

#[test]
fn a_name_that_stands_for_nothing_is_told() {
    let list = |whole: &str, item: &str| json!({ "whole": whole, "item": [{ "a": item }] });
    let rows = [
        (json!({ "image": "{url}" }), "nothing is called `{url}` in this part of `image`"),
        (json!({ "gallery": list("{items}", "{link}") }), "`{link}` in this part of `gallery`"),
        (json!({ "gallery": list("{item}", "{id}") }), "`{item}` in this part of `gallery`"),
        (json!({ "gallery-link": list("{items}", "{label}") }), "this part of `gallery-link`"),
        (
            json!({ "button": list("{items}", "{id}") }),
            "this part of `button`; known are: `{label}`",
        ),
        (json!({ "quick-reply": list("{items}", "{items}") }), "this part of `quick-reply`"),
        (json!({ "quick-reply": { "whole": "{items}" } }), "missing field `item`"),
    ];
    for (data, expect) in rows {
        let settings = with(&json!({ "dialect": { "data": data } }));
        let error = connect(settings).expect_err(expect).to_string();
        assert!(error.contains("`dialect` is wrong") && error.contains(expect), "{error}");
    }
}

#[test]
fn other_values_stay_as_they_are() {
    let whole =
        json!({ "n": 1, "t": true, "z": null, "s": "{", "e": "", "l": ["{items}", "x{text}"] });
    let data = json!({ "button": { "whole": whole, "item": "{label}" } });
    let channel = connect(with(&json!({ "dialect": { "data": data } }))).unwrap();
    let action = serde_json::from_value(json!({
        "name": "buttons",
        "payload": { "links": [{ "label": "A", "link": "https://a.invalid" }, { "label": "", "link": "b" }] },
    }));
    let (id, action) = (botyard_kernel::id::PartId::from("t.0.0"), action.unwrap());
    let to = crate::To { form: "button", ..crate::To::default() };
    let part = crate::Part { id: &id, action: &action, context: None };
    let reply: serde_json::Value =
        serde_json::from_slice(&channel.answer(&to, &[part]).body).unwrap();
    let expect = r#"{"n":1,"t":true,"z":null,"s":"{","e":"","l":[["A"],"x{text}"]}"#;
    assert_eq!(reply["data"], expect);
}
