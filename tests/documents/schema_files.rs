//! The JSON Schemas for editors are those that the compiler itself checks files with.

use detc::syntax::document::{detection_schema, list_schema};
use serde_json::Value;

use super::generated;

#[track_caller]
fn check(path: &str, schema: &Value) {
    let mut text = serde_json::to_string_pretty(schema).unwrap_or_default();
    text.push('\n');
    generated::check(path, |_| text);
}

#[test]
fn detection_schema_is_current() {
    check("schemas/detection.schema.json", &detection_schema());
}

#[test]
fn list_schema_is_current() {
    check("schemas/list.schema.json", &list_schema());
}

/// Every schema object that stands for a key of a file.
fn keys<'s>(schema: &'s Value, at: &str, found: &mut Vec<(String, &'s Value)>) {
    if let Some(properties) = schema.get("properties").and_then(Value::as_object) {
        for (name, property) in properties {
            found.push((format!("{at}/{name}"), property));
        }
    }
    for (name, inner) in schema.get("$defs").and_then(Value::as_object).into_iter().flatten() {
        keys(inner, &format!("{at}/{name}"), found);
    }
}

#[test]
fn every_key_says_what_it_is() {
    for schema in [detection_schema(), list_schema()] {
        for name in ["$schema", "$id", "title", "description"] {
            assert!(schema.get(name).is_some_and(Value::is_string), "`{name}` is missing");
        }
        assert!(jsonschema::meta::is_valid(&schema), "not a valid schema");
        let mut found = Vec::new();
        keys(&schema, "", &mut found);
        assert!(!found.is_empty());
        for (path, property) in found {
            let described = property.get("description").and_then(Value::as_str).is_some_and(|text| !text.is_empty());
            assert!(described, "{path} has no description");
        }
    }
}
