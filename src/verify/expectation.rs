//! What a test expects against what came.

use std::collections::BTreeMap;

use serde_json::Value as Json;

use super::fixture::offset;
use crate::eval::Hit;
use crate::schema::Duration;
use crate::syntax::document::Expectation;

/// Everything that differs, one line each.
pub(super) fn compare(expected: &Expectation, hits: &[Hit], alerts: &[Hit], start: i64) -> Vec<String> {
    let mut failures = Vec::new();
    for (what, wanted, got) in [("alerts", expected.alerts, alerts.len()), ("hits", expected.hits, hits.len())] {
        if let Some(wanted) = wanted
            && usize::try_from(wanted).ok() != Some(got)
        {
            failures.push(format!("{what}: expected {wanted}, got {got}"));
        }
    }
    if let Some(wanted) = &expected.at {
        let mut times = Vec::new();
        for text in wanted {
            match offset(text) {
                Ok(offset) => times.push(start.saturating_add(offset)),
                Err(failure) => failures.push(format!("at: {failure}")),
            }
        }
        times.sort_unstable();
        let got: Vec<i64> = alerts.iter().map(|alert| alert.time).collect();
        if times.len() == wanted.len() && times != got {
            let shown =
                |times: &[i64]| times.iter().map(|time| offset_text(*time, start)).collect::<Vec<_>>().join(", ");
            failures.push(format!("at: expected [{}], got [{}]", shown(&times), shown(&got)));
        }
    }
    if let Some(wanted) = &expected.keys {
        let mut wanted: Vec<String> = wanted.iter().map(|keys| keys_text(keys.iter())).collect();
        let mut got: Vec<String> =
            alerts.iter().map(|alert| keys_text(alert.keys.iter().map(|(name, value)| (name, value)))).collect();
        wanted.sort();
        got.sort();
        if wanted != got {
            failures.push(format!("keys: expected [{}], got [{}]", wanted.join(", "), got.join(", ")));
        }
    }
    failures
}

/// An instant as an offset from the start of the test, such as `29m` or `-2d`.
#[must_use]
pub fn offset_text(time: i64, start: i64) -> String {
    let distance = time.saturating_sub(start);
    let sign = if distance < 0 { "-" } else { "" };
    let rest = distance.unsigned_abs() % 1_000;
    let whole = Duration::from_milliseconds(distance.unsigned_abs() / 1_000);
    if rest == 0 { format!("{sign}{whole}") } else { format!("{sign}{}us", distance.unsigned_abs()) }
}

/// Keys as one text; a number and its text are the same key.
fn keys_text<'a>(keys: impl Iterator<Item = (&'a String, &'a Json)>) -> String {
    let text = |value: &Json| value.as_str().map_or_else(|| value.to_string(), str::to_owned);
    let sorted: BTreeMap<&String, String> = keys.map(|(name, value)| (name, text(value))).collect();
    let parts: Vec<String> = sorted.iter().map(|(name, value)| format!("{name}: {value}")).collect();
    format!("{{{}}}", parts.join(", "))
}
