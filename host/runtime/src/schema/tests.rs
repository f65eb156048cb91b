use std::time::{Duration, Instant};

use serde_json::json;

use super::*;

fn read(schema: &Value) -> Result<ConfigSchema, String> {
    ConfigSchema::read(Some(schema))
}

/// The faults of a configuration as `path: wants`; the key `token` is a secret.
fn faults(schema: &Value, config: &Value) -> Vec<String> {
    let config = config.as_object().expect("a table");
    let faults = read(schema).expect("a schema").faults(config, |key| key == "token");
    faults.iter().map(|fault| format!("{}: {fault}", fault.path.join("."))).collect()
}

#[test]
fn what_a_schema_wants_is_said_with_its_key_and_without_the_value() {
    let schema = json!({
        "type": "object",
        "required": ["shop-url"],
        "properties": {
            "shop-url": {"type": "string", "format": "uri"},
            "tone": {"enum": ["formal", "friendly"]},
            "tries": {"type": "integer", "maximum": 5},
            "loud": {"type": "boolean"},
            "token": {"type": "string", "pattern": "^sk-"},
        },
        "additionalProperties": false,
    });
    let shop = "https://shop.example";
    let rows = [
        (json!({"shop-url": shop}), vec![]),
        (json!({}), vec!["shop-url: it is required"]),
        (json!({"shop-url": "the shop"}), vec![r#"shop-url: it is not a "uri""#]),
        (json!({"shop-url": shop, "tone": "x-1"}), vec![r#"tone: it is not one of"#]),
        (json!({"shop-url": shop, "tries": "3", "loud": "true"}), vec![]),
        (json!({"shop-url": shop, "tries": "9"}), vec!["tries: it is greater than the maximum"]),
        (json!({"shop-url": shop, "tries": "x-1"}), vec![r#"tries: it is not of type "integer""#]),
        (json!({"shop-url": shop, "colour": "x-1"}), vec!["colour: there is no such key"]),
        // What a secret says is told to nobody, by no refusal either.
        (json!({"shop-url": shop, "token": "x-1"}), vec![]),
    ];
    for (config, expected) in rows {
        let said = faults(&schema, &config);
        assert_eq!(said.len(), expected.len(), "{config}: {said:?}");
        for (said, expected) in said.iter().zip(&expected) {
            assert!(said.starts_with(expected) && !said.contains("x-1"), "{config}: {said}");
        }
    }
    let wants_number = json!({"properties": {"token": {"type": "integer"}}});
    let said = faults(&wants_number, &json!({"token": "7"}));
    assert!(said[0].starts_with("token: it is not of type"), "a secret is a text: {said:?}");
}

#[test]
fn a_key_that_is_only_not_known_is_told_from_other_faults() {
    let schema = json!({"required": ["a"], "properties": {"a": {}}, "additionalProperties": false});
    let config = json!({"b": "1"});
    let found = read(&schema).unwrap().faults(config.as_object().unwrap(), |_| false);
    let unknown: Vec<_> = found.iter().map(|fault| (&fault.path[0][..], fault.unknown)).collect();
    assert!(unknown.contains(&("a", false)) && unknown.contains(&("b", true)), "{unknown:?}");
}

#[test]
fn without_a_schema_everything_fits() {
    let config = json!({"any": "thing"});
    for schema in [None, Some(&json!({})), Some(&json!(true))] {
        let schema = ConfigSchema::read(schema).unwrap();
        assert_eq!(schema.faults(config.as_object().unwrap(), |_| false), []);
    }
}

#[test]
fn references_within_a_schema_are_followed() {
    let schema = json!({
        "$id": "https://bots.example/orders",
        "$schema": "http://json-schema.org/draft-07/schema#",
        "$defs": {"url": {"type": "string", "pattern": "^https:"}},
        "properties": {"shop": {"$ref": "#/$defs/url"}, "stock": {"$ref": "#/$defs/url"}},
    });
    assert_eq!(faults(&schema, &json!({"shop": "https://a", "stock": "http://b"})).len(), 1);
}

#[test]
fn what_is_no_schema_or_would_cost_too_much_is_refused_by_its_name() {
    let deep = (0..40).fold(json!({}), |inner, _| json!({"not": inner}));
    let level = |at: usize| {
        let next = json!({"$ref": format!("#/$defs/{}", at + 1)});
        (at.to_string(), json!({"allOf": vec![next; 20]}))
    };
    let mut many: Map<String, Value> = (0..4).map(level).collect();
    many.insert("4".to_owned(), json!({}));
    let rows = [
        (json!([]), "at its root"),
        (json!({"type": "strin"}), "at /type"),
        (json!({"properties": {"a": {"minLength": -1}}}), "at /properties/a/minLength"),
        (json!({"pattern": "("}), "at /pattern"),
        // The engine is linear: it knows no references to what it has matched.
        (json!({"pattern": r"(a+)\1"}), "at /pattern"),
        (json!({"pattern": r"(\w{100}){100}"}), "at /pattern"),
        (json!({"$ref": "https://example.com/schema"}), "refers to `https://example.com/schema`"),
        (json!({"$ref": "file:///etc/hostname"}), "refers to `file:///etc/hostname`"),
        (json!({"$ref": "#/$defs/none"}), "refers to `#/$defs/none`"),
        (json!({"$ref": "#"}), "refers to itself"),
        (json!({"allOf": [{"$ref": "#"}]}), "refers to itself"),
        (json!({"$defs": many, "$ref": "#/$defs/0"}), "more than 4000 values"),
        (deep, "deeper than 32"),
        (json!({"$schema": "https://example.com/own"}), "its `$schema` is"),
        (json!({"$schema": "http://json-schema.org/draft-04/schema#"}), "its `$schema` is"),
        (json!({"not": {"$id": "https://a.example/"}}), "`$id` is not read here"),
        (json!({"$dynamicRef": "#a"}), "`$dynamicRef` is not read here"),
        (json!({"$recursiveRef": "#"}), "`$recursiveRef` is not read here"),
        (json!({"not": {"unevaluatedProperties": false}}), "at its root only"),
        (json!({"allOf": vec![json!({"pattern": "a"}); 33]}), "more than 32 patterns"),
    ];
    for (schema, expected) in rows {
        let said = read(&schema).expect_err(&schema.to_string());
        assert!(said.contains(expected), "{schema}: {said}");
        assert!(said.len() < 1_000, "{said}");
    }
}

#[test]
fn a_pattern_that_is_made_to_take_for_ever_takes_no_time() {
    let schema = json!({"properties": {"a": {"pattern": "^(a+)+$"}}});
    let config = json!({"a": format!("{}!", "a".repeat(50_000))});
    let begun = Instant::now();
    assert_eq!(faults(&schema, &config).len(), 1);
    assert!(begun.elapsed() < Duration::from_secs(5), "{:?}", begun.elapsed());
}

#[test]
fn a_key_may_have_the_name_of_a_keyword() {
    let schema = json!({"properties": {
        "$ref": {"type": "string"}, "$id": {"type": "string"}, "pattern": {"enum": ["a"]},
    }});
    assert_eq!(faults(&schema, &json!({"$ref": "x", "$id": "y", "pattern": "b"})).len(), 1);
}

/// Each of a schema's many branches finds fault with each key that it does not know.
#[test]
fn no_schema_finds_more_faults_than_a_host_has_room_for() {
    let branch = json!({"properties": {"own": {}}, "additionalProperties": false});
    let schema = json!({"allOf": vec![branch; 500]});
    let keys = |count: usize| {
        let keys = (0..count).map(|key| (format!("key-{key}"), Value::from("text")));
        Value::Object(keys.collect())
    };
    let told = faults(&schema, &keys(100_000));
    assert_eq!(told.len(), 1, "{told:?}");
    assert!(told[0].starts_with(": at most ") && told[0].contains("keys can be held"), "{told:?}");
    assert_eq!(faults(&schema, &keys(50)).len(), 500 * 50);
    assert_eq!(faults(&json!({"maxProperties": 9_999}), &keys(5_000)), [""; 0]);
}
