//! Results of tests as JUnit XML, which build servers read.

use crate::verify::TestResult;

/// The results of detections, by name, as one document.
pub(super) fn document(results: &[(String, Vec<TestResult>)]) -> String {
    let mut text = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n");
    for (detection, tests) in results {
        let failed = tests.iter().filter(|test| !test.failures.is_empty()).count();
        let name = escaped(detection);
        text.push_str(&format!("  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{failed}\">\n", tests.len()));
        for test in tests {
            let head = format!("    <testcase classname=\"{name}\" name=\"{}\"", escaped(&test.name));
            if test.failures.is_empty() {
                text.push_str(&format!("{head}/>\n"));
                continue;
            }
            let mut lines = test.failures.clone();
            for instant in &test.timeline {
                lines.extend(instant.events.iter().map(|event| format!("event {} {event}", instant.at)));
                lines.extend(instant.states.iter().map(|state| format!("state {} {state}", instant.at)));
            }
            lines.extend(test.hits.iter().map(|hit| format!("hit {hit}")));
            let message = escaped(&test.failures.join("; "));
            let body = escaped(&lines.join("\n"));
            text.push_str(&format!(
                "{head}>\n      <failure message=\"{message}\">{body}</failure>\n    </testcase>\n"
            ));
        }
        text.push_str("  </testsuite>\n");
    }
    text.push_str("</testsuites>\n");
    text
}

/// A text as XML takes it; control characters, which XML cannot hold, become `?`.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' | '\t' => escaped.push(character),
            other if other.is_control() || matches!(other, '\u{fffe}' | '\u{ffff}') => escaped.push('?'),
            other => escaped.push(other),
        }
    }
    escaped
}
