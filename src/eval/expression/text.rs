//! Texts against texts, globs and regular expressions, with or without case.
//!
//! Never copies a text of ASCII to compare it.

use super::Spellings;
use super::fold::folded;
use crate::ir::{CaseRule, Glob, GlobPart, Regex, TextTest};

/// A constant text to compare with; folded unless it compares exactly.
#[derive(Debug)]
pub(in crate::eval) struct Spelt {
    text: Box<str>,
    exact: bool,
}

/// A test of a text.
#[derive(Debug)]
pub(in crate::eval) enum Probe {
    Contains(Spelt),
    StartsWith(Spelt),
    EndsWith(Spelt),
    /// Parts with folded texts, unless they compare exactly.
    Like(Vec<GlobPart>, bool),
    /// Nothing where the expression is too large to compile.
    Matches(Option<regex::Regex>),
}

impl Spelt {
    pub(super) fn new(text: &str, case: CaseRule) -> Self {
        let exact = is_exact(case);
        Self { text: if exact { text.into() } else { folded(text).into() }, exact }
    }

    /// Whether a text is this one.
    pub(super) fn is(&self, text: &str) -> bool {
        self.decide(text, |text, wanted| text == wanted, <[u8]>::eq_ignore_ascii_case)
    }

    fn is_inside(&self, text: &str) -> bool {
        self.decide(
            text,
            |text, part| text.contains(part),
            |text, part| part.is_empty() || text.windows(part.len()).any(|window| window.eq_ignore_ascii_case(part)),
        )
    }

    fn starts(&self, text: &str) -> bool {
        self.decide(
            text,
            |text, part| text.starts_with(part),
            |text, part| text.get(..part.len()).is_some_and(|start| start.eq_ignore_ascii_case(part)),
        )
    }

    fn ends(&self, text: &str) -> bool {
        self.decide(
            text,
            |text, part| text.ends_with(part),
            |text, part| {
                let start = text.len().checked_sub(part.len());
                start.and_then(|start| text.get(start..)).is_some_and(|end| end.eq_ignore_ascii_case(part))
            },
        )
    }

    /// Asks the question of the texts as they are, of ASCII without case, or of the folded texts.
    fn decide(&self, text: &str, exactly: impl Fn(&str, &str) -> bool, ascii: impl Fn(&[u8], &[u8]) -> bool) -> bool {
        if self.exact {
            exactly(text, &self.text)
        } else if text.is_ascii() {
            // What is beyond ASCII after folding is no letter of ASCII.
            self.text.is_ascii() && ascii(text.as_bytes(), self.text.as_bytes())
        } else {
            exactly(&folded(text), &self.text)
        }
    }
}

impl Spellings {
    pub(super) fn new<'a>(texts: impl Iterator<Item = &'a str>, case: CaseRule) -> Self {
        let exact = is_exact(case);
        let texts: std::collections::HashSet<Box<str>> =
            texts.map(|text| if exact { text.into() } else { folded(text).into() }).collect();
        let lengths = texts.iter().fold(0, |lengths, text| lengths | length_bit(text));
        Self { texts, lengths, exact }
    }

    /// Whether a text is one of them.
    pub(super) fn contain(&self, text: &str) -> bool {
        if self.exact {
            return self.texts.contains(text);
        }
        // Folding keeps the length of ASCII.
        let may_be = !text.is_ascii() || self.lengths & length_bit(text) != 0;
        may_be && self.texts.contains(folded(text).as_str())
    }
}

fn length_bit(text: &str) -> u64 {
    1 << text.len().min(63)
}

impl Probe {
    pub(super) fn new(test: &TextTest, case: CaseRule) -> Self {
        match test {
            TextTest::Contains(part) => Self::Contains(Spelt::new(part, case)),
            TextTest::StartsWith(part) => Self::StartsWith(Spelt::new(part, case)),
            TextTest::EndsWith(part) => Self::EndsWith(Spelt::new(part, case)),
            TextTest::Like(glob) => like(glob, case),
            TextTest::Matches(regex) => Self::Matches(compiled(regex, is_exact(case))),
        }
    }

    /// Whether a text passes.
    pub(super) fn passes(&self, text: &str) -> bool {
        match self {
            Self::Contains(part) => part.is_inside(text),
            Self::StartsWith(part) => part.starts(text),
            Self::EndsWith(part) => part.ends(text),
            Self::Like(parts, exact) => {
                let spelt = if *exact { text.to_owned() } else { folded(text) };
                covers(parts, &spelt.chars().collect::<Vec<char>>())
            }
            Self::Matches(regex) => regex.as_ref().is_some_and(|regex| regex.is_match(text)),
        }
    }
}

/// The common globs are simpler tests.
fn like(glob: &Glob, case: CaseRule) -> Probe {
    match glob.parts.as_slice() {
        [GlobPart::Any, GlobPart::Text(part), GlobPart::Any] => Probe::Contains(Spelt::new(part, case)),
        [GlobPart::Text(part), GlobPart::Any] => Probe::StartsWith(Spelt::new(part, case)),
        [GlobPart::Any, GlobPart::Text(part)] => Probe::EndsWith(Spelt::new(part, case)),
        parts => {
            let exact = is_exact(case);
            let spelt = |part: &GlobPart| match part {
                GlobPart::Text(text) if !exact => GlobPart::Text(folded(text)),
                GlobPart::Text(_) | GlobPart::Any | GlobPart::One => part.clone(),
            };
            Probe::Like(parts.iter().map(spelt).collect(), exact)
        }
    }
}

/// The expression, ready to run.
pub(super) fn compiled(regex: &Regex, exact: bool) -> Option<regex::Regex> {
    regex::RegexBuilder::new(&regex.to_string()).case_insensitive(!exact).size_limit(1 << 28).build().ok()
}

/// Whether case counts; canonical case is still no case.
pub(super) const fn is_exact(case: CaseRule) -> bool {
    match case {
        CaseRule::Exact => true,
        CaseRule::Ignore | CaseRule::Canonical => false,
    }
}

/// Whether the parts of a glob cover the whole text: a row of a table for each part.
fn covers(parts: &[GlobPart], characters: &[char]) -> bool {
    // Which prefixes of the text the parts so far cover.
    let mut reached = vec![false; characters.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for part in parts {
        match part {
            GlobPart::Any => {
                let mut open = false;
                for slot in &mut reached {
                    open |= *slot;
                    *slot = open;
                }
            }
            GlobPart::One => {
                reached.rotate_right(1);
                if let Some(start) = reached.first_mut() {
                    *start = false;
                }
            }
            GlobPart::Text(part) => {
                let part: Vec<char> = part.chars().collect();
                let ends = reached.iter().enumerate().filter(|(_, reached)| **reached);
                let fits = |start: usize| characters.get(start..).is_some_and(|rest| rest.starts_with(&part));
                let ends: Vec<usize> =
                    ends.filter(|(start, _)| fits(*start)).map(|(start, _)| start + part.len()).collect();
                reached.fill(false);
                for end in ends {
                    if let Some(slot) = reached.get_mut(end) {
                        *slot = true;
                    }
                }
            }
        }
    }
    reached.last().is_some_and(|whole| *whole)
}
