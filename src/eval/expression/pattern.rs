//! Texts against texts, globs and regular expressions, with or without case.

use std::rc::Rc;

use regex_syntax::hir::{ClassUnicode, ClassUnicodeRange};

use super::scope::Patterns;
use crate::ir::{CaseRule, Glob, GlobPart, Regex, TextTest};

/// Whether two texts are equal under a rule; canonical case is still no case.
pub(super) fn equal(left: &str, right: &str, case: CaseRule) -> bool {
    left == right || (!is_exact(case) && folded(left) == folded(right))
}

/// Whether a text passes a test.
pub(super) fn passes(text: &str, test: &TextTest, case: CaseRule, patterns: &Patterns) -> bool {
    let exact = is_exact(case);
    let spelt = |text: &str| if exact { text.to_owned() } else { folded(text) };
    match test {
        TextTest::Contains(part) => spelt(text).contains(&spelt(part)),
        TextTest::StartsWith(part) => spelt(text).starts_with(&spelt(part)),
        TextTest::EndsWith(part) => spelt(text).ends_with(&spelt(part)),
        TextTest::Like(glob) => covers(glob, &spelt(text), spelt),
        TextTest::Matches(regex) => compiled(regex, exact, patterns).is_some_and(|regex| regex.is_match(text)),
    }
}

/// The expression, compiled once.
pub(super) fn compiled(regex: &Regex, exact: bool, patterns: &Patterns) -> Option<Rc<regex::Regex>> {
    let text = regex.to_string();
    let build = || {
        let mut builder = regex::RegexBuilder::new(&text);
        builder.case_insensitive(!exact).size_limit(1 << 28).build().ok().map(Rc::new)
    };
    patterns.borrow_mut().entry((text.clone(), exact)).or_insert_with(build).clone()
}

const fn is_exact(case: CaseRule) -> bool {
    match case {
        CaseRule::Exact => true,
        CaseRule::Ignore | CaseRule::Canonical => false,
    }
}

/// The text with each character replaced by one that stands for all casings of it (simple folding).
pub(super) fn folded(text: &str) -> String {
    text.chars().map(fold).collect()
}

fn fold(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_uppercase();
    }
    let mut class = ClassUnicode::new([ClassUnicodeRange::new(character, character)]);
    if class.try_case_fold_simple().is_err() {
        return character;
    }
    class.ranges().first().map_or(character, ClassUnicodeRange::start)
}

/// Whether a glob covers the whole text: a row of a table for each part.
fn covers(glob: &Glob, text: &str, spelt: impl Fn(&str) -> String) -> bool {
    let characters: Vec<char> = text.chars().collect();
    // Which prefixes of the text the parts so far cover.
    let mut reached = vec![false; characters.len() + 1];
    if let Some(start) = reached.first_mut() {
        *start = true;
    }
    for part in &glob.parts {
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
                let part: Vec<char> = spelt(part).chars().collect();
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
