//! Templates around queries: what they refuse, and what no text can do to them.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

use detc::target::{Envelope, QueryFacts, ReasonFacts};
use proptest::prelude::*;

fn facts(title: &str) -> QueryFacts {
    QueryFacts {
        detection: "role_chain".to_owned(),
        id: "0b0f3c0e-6a52-4f0a-9d0e-3a3c5b8a7e11".to_owned(),
        title: title.to_owned(),
        version: 1,
        target: "splunk".to_owned(),
        fidelity: "approximate",
        reasons: vec![ReasonFacts { code: "key_case", at: "x.yml:1:1".to_owned(), message: title.to_owned() }],
        assumptions: vec![title.to_owned()],
        interval: "5m".to_owned(),
        lag: "15m".to_owned(),
        lookback: "30m".to_owned(),
        range: "50m".to_owned(),
        deployment: vec![("cron".to_owned(), title.to_owned())],
        missing_columns: vec![("a.b".to_owned(), title.to_owned())],
    }
}

/// The shipped templates with the start and the end of a comment in each language.
fn shipped() -> Vec<(&'static str, Envelope, &'static str, &'static str)> {
    let bounds = [("elastic", "//", ""), ("sentinel", "//", ""), ("sigma", "#", ""), ("splunk", "```", "```")];
    bounds
        .into_iter()
        .map(|(target, open, close)| {
            let path = format!("targets/{target}/query.j2");
            let (_, text) = detc::embed::FILES.iter().find(|(name, _)| *name == path).unwrap();
            (target, Envelope::new(text).unwrap(), open, close)
        })
        .collect()
}

#[track_caller]
fn refuses(template: &str, why: &str) {
    let refusal = Envelope::new(template).unwrap_err();
    assert!(refusal.contains(why), "{refusal}");
}

#[test]
fn a_text_that_passes_no_filter_is_refused() {
    refuses("// {{ title }}\n{{ query }}", "passes no filter");
}

#[test]
fn joined_texts_lose_their_protection() {
    refuses("// {{ (title | comment) ~ title }}\n{{ query }}", "passes no filter");
    refuses("// {{ [title, title] | join(' ') }}\n{{ query }}", "passes no filter");
}

#[test]
fn no_filter_marks_a_text_as_safe() {
    refuses("// {{ title | safe }}\n{{ query }}", "safe");
}

#[test]
fn an_unknown_name_is_refused() {
    refuses("// {{ titel | comment }}\n{{ query }}", "this name stands for none");
    refuses("{{ titel }}\n{{ query }}", "undefined");
}

#[test]
fn a_malformed_template_is_refused() {
    assert!(Envelope::new("{% for x in reasons %}").is_err());
}

proptest! {
    #[test]
    fn no_text_leaves_its_comment(title in r#"[\PC\n\r\t`"'\\{}$%#/*|\u{2028}\u{0}-]{0,40}"#) {
        let query = "search index=x\n| where a=\"b\"\n";
        for (target, envelope, open, close) in shipped() {
            let text = envelope.render(&facts(&title), query).unwrap();
            let head = text.strip_suffix(query).unwrap();
            for line in head.lines() {
                prop_assert!(line.starts_with(open) && line.ends_with(close), "{target}: {line:?}");
                let inner = line.strip_prefix(open).unwrap_or("").strip_suffix(close).unwrap_or("");
                prop_assert!(close.is_empty() || !inner.contains('`'), "{target}: {line:?}");
                let breaks = |next: char| next.is_control() || matches!(next, '\u{2028}' | '\u{2029}');
                prop_assert!(!inner.chars().any(breaks), "{target}");
            }
        }
    }
}
