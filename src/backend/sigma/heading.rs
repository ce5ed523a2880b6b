//! What a document says about itself: identity, texts, tags and origin.

use indexmap::IndexSet;
use sha2::{Digest, Sha256};

use super::ast::{Footing, Heading, Origin, Text};
use super::print;
use crate::ir::{Detection, Severity, Stage};

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

/// The top of a document that stands for a part of the detection, which a correlation refers to.
pub(super) fn of_part(detection: &Detection, part: &Part<'_>) -> Heading {
    let (name, title) = (&detection.name.node, &detection.metadata.title);
    // Titles have to be unique in a collection, names of detections are.
    let ending = format!(" - {} of {name}", part.words());
    let room = TITLE.saturating_sub(ending.chars().count());
    Heading {
        title: Text(shorten(&format!("{}{ending}", shorten(title, room)), TITLE)),
        id: identity(detection, part),
        name: Some(Text(rule_name(detection, part))),
        description: Some(Text(format!("The events `{}` that the correlation `{title}` is about.", part.words()))),
        ..of_detection(detection)
    }
}

/// The end of the document of a part: no alert by itself.
pub(super) fn end_of_part(detection: &Detection, part: &Part<'_>) -> Footing {
    let end = end_of_detection(detection);
    Footing {
        falsepositives: Vec::new(),
        level: Severity::Informational.as_str(),
        detc: Origin {
            signal: Some(Text(part.words())),
            strategy: None,
            analytics: Vec::new(),
            tags: Vec::new(),
            ..end.detc
        },
    }
}

/// The top of one of several documents that raise the detection's alert, each for one source.
pub(super) fn of_alternative(detection: &Detection, part: &Part<'_>) -> Heading {
    let Heading { title, id, .. } = of_part(detection, part);
    Heading { title, id, ..of_detection(detection) }
}

/// A part of a detection, by the names of the signals on the way to it, outermost first.
#[derive(Debug, Clone, Default)]
pub(super) struct Part<'a> {
    names: Vec<&'a str>,
}

impl<'a> Part<'a> {
    /// The part of that name inside this one.
    pub(super) fn inside(&self, name: &'a str) -> Self {
        Self { names: self.names.iter().copied().chain([name]).collect() }
    }

    /// Whether it is the whole detection.
    pub(super) const fn is_whole(&self) -> bool {
        self.names.is_empty()
    }

    fn words(&self) -> String {
        self.names.join(".")
    }
}

/// What correlations call the rule of a part: letters, digits and `_`, as string conditions will want.
pub(super) fn rule_name(detection: &Detection, part: &Part<'_>) -> String {
    let plain = format!("{}__{}", detection.name.node, part.names.join("__"));
    let mut name = identifier(&plain);
    // Two parts must not fall together by the replacement, nor by where one name ends and the next begins.
    if name != plain || part.names.len() > 1 && part.names.iter().any(|name| name.contains("__")) {
        name.push('_');
        name.extend(identity(detection, part).chars().take(8));
    }
    name
}

/// The text with `_` for whatever stands in no identifier.
pub(super) fn identifier(text: &str) -> String {
    let replaced = text.chars().map(|character| if character.is_ascii_alphanumeric() { character } else { '_' });
    let digit = text.starts_with(|first: char| first.is_ascii_digit());
    digit.then_some('_').into_iter().chain(replaced).collect()
}

/// Fewest and most characters of a file's name without `.yml`; the specification wants 10 to 70 with it.
const STEM: std::ops::RangeInclusive<usize> = 6..=66;

/// A name of 6 to 66 small letters, digits and `_`: the detection's, or as much of it as fits with a fingerprint.
pub(super) fn file_stem(detection: &str) -> String {
    let small = |character: char| character.is_ascii_lowercase() || character.is_ascii_digit() || character == '_';
    if STEM.contains(&detection.len()) && detection.chars().all(small) {
        return detection.to_owned();
    }
    let lower = detection.to_lowercase();
    let kept = lower.chars().map(|character| if small(character) { character } else { '_' });
    let fingerprint: String = Sha256::digest(detection).iter().take(4).map(|byte| format!("{byte:02x}")).collect();
    format!("{}_{fingerprint}", kept.take(STEM.end() - 9).collect::<String>())
}

/// A UUID that depends on the detection's identity and the part's names only; version 8 of RFC 9562, by SHA-256.
fn identity(detection: &Detection, part: &Part<'_>) -> String {
    let mut digest = Sha256::new();
    digest.update(b"detc signal\0");
    digest.update(detection.metadata.id.as_bytes());
    for name in &part.names {
        digest.update(b"\0");
        digest.update(name.as_bytes());
    }
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
    let texts = single.into_iter().chain(lists.into_iter().flatten());
    texts.chain(signals(&detection.stage)).find_map(|text| print::unwritable(text))
}

/// The names of the signals of a stage, at any depth.
fn signals(stage: &Stage) -> Vec<&String> {
    let inner = stage.signals.iter().filter_map(|signal| signal.stage.as_ref()).flat_map(|stage| signals(stage));
    stage.signals.iter().map(|signal| &signal.name.node).chain(inner).collect()
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
