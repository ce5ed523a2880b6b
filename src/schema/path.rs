//! Paths to fields, as detections write them.

use serde::Serialize;

use std::fmt;

/// Names of members from the outermost inwards; never empty for a field.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Default)]
pub struct FieldPath {
    segments: Vec<String>,
}

impl FieldPath {
    /// Makes a path from its segments, which may hold any character.
    #[must_use]
    pub const fn new(segments: Vec<String>) -> Self {
        Self { segments }
    }

    /// Reads the text form: segments joined by dots, a segment with other characters in back-quotes.
    #[must_use]
    pub fn parse(text: &str) -> Self {
        let mut segments = Vec::new();
        let mut current = String::new();
        let mut quoted = false;
        for character in text.chars() {
            match character {
                '`' => quoted = !quoted,
                '.' if !quoted => segments.push(std::mem::take(&mut current)),
                _ => current.push(character),
            }
        }
        segments.push(current);
        Self { segments }
    }

    /// The names, outermost first.
    #[must_use]
    pub fn segments(&self) -> &[String] {
        &self.segments
    }

    /// The name of the innermost member; empty for an empty path.
    #[must_use]
    pub fn last(&self) -> &str {
        self.segments.last().map_or("", String::as_str)
    }

    /// Whether the path has no segment, which stands for a list's element itself.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.segments.is_empty()
    }

    /// The path with one more member behind it.
    #[must_use]
    pub fn child(&self, name: impl Into<String>) -> Self {
        let mut segments = self.segments.clone();
        segments.push(name.into());
        Self { segments }
    }

    /// The path of this list's elements: `items` gives `items[]`.
    #[must_use]
    pub fn element(&self) -> Self {
        let mut segments = self.segments.clone();
        if let Some(last) = segments.last_mut() {
            last.push_str("[]");
        }
        Self { segments }
    }

    /// The innermost list and what follows its elements, for a path that goes through one.
    #[must_use]
    pub fn split_at_list(&self) -> Option<(Self, Self)> {
        let index = self.segments.iter().rposition(|segment| segment.ends_with("[]"))?;
        let (before, after) = self.segments.split_at_checked(index + 1)?;
        let mut list = before.to_vec();
        if let Some(last) = list.last_mut() {
            last.truncate(last.len() - 2);
        }
        Some((Self { segments: list }, Self { segments: after.to_vec() }))
    }

    /// The path of a source's field among those of several sources; it is written `source: path`.
    #[must_use]
    pub fn of_source(source: &str, path: &Self) -> Self {
        Self { segments: vec![Self::source_segment(source)] }.join(path)
    }

    /// The segment that stands for a source in front of its fields.
    #[must_use]
    pub fn source_segment(source: &str) -> String {
        format!("{source}:")
    }

    /// The name of a source and the path of its field, for a path among the fields of several sources.
    #[must_use]
    pub fn split_source(&self) -> Option<(&str, Self)> {
        let (source, rest) = self.segments.split_first()?;
        Some((source.strip_suffix(':')?, Self { segments: rest.to_vec() }))
    }

    /// The path with another path behind it.
    #[must_use]
    pub fn join(&self, other: &Self) -> Self {
        let mut segments = self.segments.clone();
        segments.extend(other.segments.iter().cloned());
        Self { segments }
    }

    /// What is left behind `prefix`; `None` when the path does not start with it.
    #[must_use]
    pub fn strip_prefix(&self, prefix: &Self) -> Option<Self> {
        let rest = self.segments.strip_prefix(prefix.segments.as_slice())?;
        Some(Self { segments: rest.to_vec() })
    }
}

impl FieldPath {
    /// Whether a segment stands for a source in front of its fields.
    fn is_source(&self, index: usize) -> bool {
        index == 0 && self.split_source().is_some()
    }
}

/// Whether a segment can be written without back-quotes.
fn is_plain(segment: &str) -> bool {
    let segment = segment.strip_suffix("[]").unwrap_or(segment);
    let mut characters = segment.chars();
    let starts = characters.next().is_some_and(|first| first.is_ascii_alphabetic() || first == '_' || first == '@');
    starts && characters.all(|character| character.is_ascii_alphanumeric() || character == '_' || character == '@')
}

impl fmt::Display for FieldPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, segment) in self.segments.iter().enumerate() {
            if index > 0 {
                f.write_str(if self.is_source(index - 1) { " " } else { "." })?;
            }
            if is_plain(segment) || self.is_source(index) {
                f.write_str(segment)?;
            } else {
                write!(f, "`{segment}`")?;
            }
        }
        Ok(())
    }
}

impl Serialize for FieldPath {
    /// As text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
