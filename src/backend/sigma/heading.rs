//! What a document says about itself: identity, texts, tags and origin.

use indexmap::IndexSet;
use sha2::{Digest, Sha256};

use super::ast::{Footing, Heading, Origin, Text};
use super::print;
use crate::ir::{Detection, Severity, Signal};

/// Longest title that the schemas allow, in characters.
const TITLE: usize = 256;

/// The top of the document that stands for the whole detection.
pub(super) fn of_detection(detection: &Detection) -> Heading {
    let metadata = &detection.metadata;
    Heading {
        title: Text(shorten(&metadata.title, TITLE)),
        id: metadata.id.clone(),
        name: None,
        status: metadata.status.as_str(),
        description: text(&metadata.description),
        references: references(detection),
        author: text(&metadata.authors.join(", ")),
        date: metadata.created.clone(),
        modified: metadata.modified.clone(),
        tags: tags(detection),
    }
}

/// The end of the document that stands for the whole detection.
pub(super) fn end_of_detection(detection: &Detection) -> Footing {
    let metadata = &detection.metadata;
    Footing {
        // The schemas want at least two characters.
        falsepositives: unique(metadata.false_positives.iter().filter(|cause| cause.chars().count() > 1)),
        level: metadata.severity.as_str(),
        detc: Origin {
            detection: Text(detection.name.node.clone()),
            signal: None,
            version: metadata.version,
            strategy: metadata.attack.strategy.clone().map(Text),
            analytics: unique(metadata.attack.analytics.iter()),
            tags: unique(metadata.tags.iter()),
        },
    }
}

/// The top of the document of one signal, which a correlation refers to.
pub(super) fn of_signal(detection: &Detection, signal: &Signal) -> Heading {
    let (name, title) = (&detection.name.node, &detection.metadata.title);
    // Titles have to be unique in a collection, names of detections are.
    let ending = format!(" - {} of {name}", signal.name.node);
    let room = TITLE.saturating_sub(ending.chars().count());
    Heading {
        title: Text(shorten(&format!("{}{ending}", shorten(title, room)), TITLE)),
        id: identity(detection, signal),
        name: Some(Text(rule_name(detection, signal))),
        description: Some(Text(format!("The events `{}` that the correlation `{title}` is about.", signal.name.node))),
        ..of_detection(detection)
    }
}

/// The end of the document of one signal: no alert by itself.
pub(super) fn end_of_signal(detection: &Detection, signal: &Signal) -> Footing {
    let end = end_of_detection(detection);
    Footing {
        falsepositives: Vec::new(),
        level: Severity::Informational.as_str(),
        detc: Origin {
            signal: Some(Text(signal.name.node.clone())),
            strategy: None,
            analytics: Vec::new(),
            tags: Vec::new(),
            ..end.detc
        },
    }
}

/// What a correlation calls the rule of a signal: letters, digits and `_`, as string conditions will want.
pub(super) fn rule_name(detection: &Detection, signal: &Signal) -> String {
    let plain = format!("{}__{}", detection.name.node, signal.name.node);
    let mut name = identifier(&plain);
    if name != plain {
        // Two names must not fall together by the replacement.
        name.push('_');
        name.extend(identity(detection, signal).chars().take(8));
    }
    name
}

/// The text with `_` for whatever stands in no identifier.
pub(super) fn identifier(text: &str) -> String {
    let replaced = text.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' });
    let digit = text.starts_with(|first: char| first.is_ascii_digit());
    digit.then_some('_').into_iter().chain(replaced).collect()
}

/// A UUID that depends on the detection's identity and the signal's name only; version 8 of RFC 9562, by SHA-256.
fn identity(detection: &Detection, signal: &Signal) -> String {
    let mut digest = Sha256::new();
    digest.update(b"detc signal\0");
    digest.update(detection.metadata.id.as_bytes());
    digest.update(b"\0");
    digest.update(signal.name.node.as_bytes());
    let mut text = String::new();
    for (index, byte) in digest.finalize().into_iter().take(16).enumerate() {
        let byte = match index {
            6 => byte & 0x0f | 0x80,
            8 => byte & 0x3f | 0x80,
            _ => byte,
        };
        if matches!(index, 4 | 6 | 8 | 10) {
            text.push('-');
        }
        text.push_str(&format!("{byte:02x}"));
    }
    text
}

/// The first character of the detection's own texts that YAML would not give back.
pub(super) fn unwritable(detection: &Detection) -> Option<char> {
    let metadata = &detection.metadata;
    let single = [&metadata.id, &metadata.title, &metadata.description, &detection.name.node];
    let lists = [&metadata.authors, &metadata.references, &metadata.tags, &metadata.false_positives];
    let signals = detection.stage.signals.iter().map(|signal| &signal.name.node);
    single.into_iter().chain(lists.into_iter().flatten()).chain(signals).find_map(|text| print::unwritable(text))
}

fn references(detection: &Detection) -> Vec<Text> {
    let metadata = &detection.metadata;
    let strategy = metadata.attack.strategy.iter();
    let strategy: Vec<String> =
        strategy.map(|id| format!("https://attack.mitre.org/detectionstrategies/{id}")).collect();
    unique(metadata.references.iter().chain(&strategy))
}

fn tags(detection: &Detection) -> Vec<String> {
    let attack = &detection.metadata.attack;
    let words = attack.tactics.iter().chain(&attack.techniques);
    let tags: IndexSet<String> = words.map(|word| format!("attack.{}", word.to_lowercase())).collect();
    tags.into_iter().collect()
}

fn unique<'a>(texts: impl Iterator<Item = &'a String>) -> Vec<Text> {
    let mut kept: Vec<Text> = Vec::new();
    for text in texts {
        if !kept.iter().any(|known| known.0 == *text) {
            kept.push(Text(text.clone()));
        }
    }
    kept
}

fn text(text: &str) -> Option<Text> {
    let text = text.trim_end();
    (!text.is_empty()).then(|| Text(text.to_owned()))
}

fn shorten(text: &str, length: usize) -> String {
    if text.chars().count() <= length {
        return text.to_owned();
    }
    text.chars().take(length.saturating_sub(1)).chain(['…']).collect()
}
