//! Texts against texts, globs and regular expressions, with or without case.
//!
//! Never copies a text of ASCII to compare it.

use memchr::memmem::{self, Finder};

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
    /// A searcher, and whether case counts.
    Contains(Box<Finder<'static>>, bool),
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

    /// The text, folded.
    pub(in crate::eval) fn folded(&self) -> String {
        folded(&self.text)
    }

    /// Whether a text is this one.
    pub(super) fn is(&self, text: &str) -> bool {
        self.decide(text, |text, wanted| text == wanted, <[u8]>::eq_ignore_ascii_case)
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

    /// The texts, folded.
    pub(in crate::eval) fn folded(&self) -> Vec<String> {
        self.texts.iter().map(|text| folded(text)).collect()
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
            TextTest::Contains(part) => contains(part, case),
            TextTest::StartsWith(part) => Self::StartsWith(Spelt::new(part, case)),
            TextTest::EndsWith(part) => Self::EndsWith(Spelt::new(part, case)),
            TextTest::Like(glob) => like(glob, case),
            TextTest::Matches(regex) => Self::Matches(compiled(regex, is_exact(case))),
        }
    }

    /// Whether a text passes any of the tests; it is folded at most once.
    pub(super) fn any_passes(probes: &[Self], text: &str) -> bool {
        let mut folded: Option<String> = None;
        probes.iter().any(|probe| probe.passes(text, &mut folded))
    }

    fn passes(&self, text: &str, folded: &mut Option<String>) -> bool {
        match self {
            Self::Contains(part, exact) => part.find(spelt(text, *exact, folded).as_bytes()).is_some(),
            Self::StartsWith(part) => part.starts(text),
            Self::EndsWith(part) => part.ends(text),
            Self::Like(parts, exact) => covers(parts, spelt(text, *exact, folded)),
            Self::Matches(regex) => regex.as_ref().is_some_and(|regex| regex.is_match(text)),
        }
    }
}

fn contains(part: &str, case: CaseRule) -> Probe {
    let exact = is_exact(case);
    let part = if exact { part.to_owned() } else { folded(part) };
    Probe::Contains(Box::new(Finder::new(part.as_bytes()).into_owned()), exact)
}

/// The text as it compares, folded when it is first wanted so.
fn spelt<'a>(text: &'a str, exact: bool, known: &'a mut Option<String>) -> &'a str {
    if exact { text } else { known.get_or_insert_with(|| folded(text)) }
}

/// The common globs are simpler tests.
fn like(glob: &Glob, case: CaseRule) -> Probe {
    match glob.parts.as_slice() {
        [GlobPart::Any, GlobPart::Text(part), GlobPart::Any] => contains(part, case),
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

/// Whether the parts of a glob cover the whole text: between two stars the leftmost place is as good as any.
fn covers(parts: &[GlobPart], text: &str) -> bool {
    let mut runs = parts.split(|part| *part == GlobPart::Any);
    let Some(mut rest) = runs.next().and_then(|run| strip(run, text)) else { return false };
    let Some(mut last) = runs.next() else { return rest.is_empty() };
    for next in runs {
        match find(last, rest) {
            Some(behind) => rest = behind,
            None => return false,
        }
        last = next;
    }
    if last.is_empty() {
        return true;
    }
    let length = run_length(last);
    let surplus = rest.chars().count().checked_sub(length);
    let end = surplus.and_then(|surplus| rest.char_indices().map(|(start, _)| start).chain([rest.len()]).nth(surplus));
    end.and_then(|start| rest.get(start..)).and_then(|end| strip(last, end)).is_some_and(str::is_empty)
}

/// What is left of a text behind a run without stars that stands at its start.
fn strip<'a>(run: &[GlobPart], text: &'a str) -> Option<&'a str> {
    run.iter().try_fold(text, |text, part| match part {
        GlobPart::Text(part) => text.strip_prefix(part.as_str()),
        GlobPart::One => {
            let mut characters = text.chars();
            characters.next().map(|_| characters.as_str())
        }
        GlobPart::Any => Some(text),
    })
}

/// What is left of a text behind the first place where a run without stars stands.
fn find<'a>(run: &[GlobPart], text: &'a str) -> Option<&'a str> {
    if let Some((GlobPart::Text(first), behind)) = run.split_first() {
        let mut from = 0;
        while let Some(found) = memmem::find(text.as_bytes().get(from..)?, first.as_bytes()) {
            let start = from + found;
            if let Some(rest) = text.get(start + first.len()..).and_then(|rest| strip(behind, rest)) {
                return Some(rest);
            }
            from = start + 1;
        }
        return None;
    }
    let starts = text.char_indices().map(|(start, _)| start).chain([text.len()]);
    starts.filter_map(|start| text.get(start..)).find_map(|rest| strip(run, rest))
}

fn run_length(run: &[GlobPart]) -> usize {
    run.iter()
        .map(|part| match part {
            GlobPart::Text(part) => part.chars().count(),
            GlobPart::One => 1,
            GlobPart::Any => 0,
        })
        .sum()
}
