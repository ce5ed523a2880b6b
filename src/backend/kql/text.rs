//! Tests of texts: equality, parts, globs and regular expressions.
//!
//! The engine's operators without case fold ASCII letters only; other letters go through regular expressions.

use super::ast::{Expr, Kind, Membership, Operator};
use super::pattern;
use super::predicate::Condition;
use super::reader::Reader;
use super::value::compound;
use crate::ir::{CaseRule, Glob, GlobPart, Regex, TextTest, Value};

/// Most parts of a text that are tested one by one; more make one regular expression, which is shorter.
const MOST_PARTS: usize = 5;

/// The condition that a text equals one of several, or none of them. A literal is not empty.
pub(super) fn equals(value: &Expr, items: &[String], folded: bool, negated: bool) -> Expr {
    let (plain, other): (Vec<&String>, Vec<&String>) = items.iter().partition(|item| !folded || folds_plainly(item));
    let folded = folded && plain.iter().any(|item| item.bytes().any(|byte| byte.is_ascii_alphabetic()));
    let mut conditions = Vec::new();
    match plain.as_slice() {
        [] => {}
        [only] => {
            let operator = match (folded, negated) {
                (false, false) => Operator::Equal,
                (false, true) => Operator::NotEqual,
                (true, false) => Operator::EqualFolded,
                (true, true) => Operator::NotEqualFolded,
            };
            conditions.push(Expr::infix(value.clone(), operator, Expr::text(*only)));
        }
        several => {
            let items = several.iter().map(|item| Expr::text(*item)).collect();
            conditions.push(value.clone().among(Membership { folded, negated }, items));
        }
    }
    if !other.is_empty() {
        let patterns: Vec<String> = other.iter().map(|item| pattern::literal(item)).collect();
        let pattern = format!(r"(?i)\A{}\z", pattern::alternatives(&patterns));
        conditions.push(matches(value, Expr::Pattern(pattern), negated));
    }
    if negated { Expr::all(conditions) } else { Expr::any(conditions) }
}

/// Whether the engine's operators without case compare the text as the detection does.
fn folds_plainly(text: &str) -> bool {
    text.chars().all(|character| character.is_ascii() || has_no_case(character))
}

fn has_no_case(character: char) -> bool {
    character.to_lowercase().eq([character]) && character.to_uppercase().eq([character])
}

fn matches(value: &Expr, pattern: Expr, negated: bool) -> Expr {
    let matches = Expr::infix(value.clone(), Operator::MatchesRegex, pattern);
    if negated { matches.not() } else { matches }
}

/// A test that the engine makes on the text itself.
enum Part<'a> {
    Contains(&'a str),
    StartsWith(&'a str),
    EndsWith(&'a str),
}

/// The tests of a text, sorted by what the engine needs for them.
#[derive(Default)]
struct Tests<'a> {
    /// Texts that are equal.
    wholes: Vec<String>,
    parts: Vec<Part<'a>>,
    /// Patterns of whole texts.
    globs: Vec<String>,
    expressions: Vec<&'a Regex>,
    /// Whether any text that is present passes.
    anything: bool,
    /// Whether the text of a list or an object could pass; it starts with a bracket.
    exposed: bool,
}

impl<'a> Tests<'a> {
    fn sort(tests: &'a [TextTest]) -> Self {
        let mut sorted = Self::default();
        for test in tests {
            match test {
                TextTest::Contains(text) => sorted.part(Part::Contains(text)),
                TextTest::StartsWith(text) => sorted.part(Part::StartsWith(text)),
                TextTest::EndsWith(text) => sorted.part(Part::EndsWith(text)),
                TextTest::Like(glob) => sorted.glob(glob),
                TextTest::Matches(regex) => {
                    sorted.exposed = true;
                    sorted.expressions.push(regex);
                }
            }
        }
        sorted
    }

    fn part(&mut self, part: Part<'a>) {
        self.exposed |= match &part {
            Part::StartsWith(text) => opens(text),
            Part::Contains(_) | Part::EndsWith(_) => true,
        };
        self.parts.push(part);
    }

    fn glob(&mut self, glob: &'a Glob) {
        match glob.parts.as_slice() {
            [GlobPart::Text(text)] => {
                self.exposed |= opens(text);
                self.wholes.push(text.clone());
            }
            [GlobPart::Text(text), GlobPart::Any] => self.part(Part::StartsWith(text)),
            [GlobPart::Any, GlobPart::Text(text)] => self.part(Part::EndsWith(text)),
            [GlobPart::Any, GlobPart::Text(text), GlobPart::Any] => self.part(Part::Contains(text)),
            [GlobPart::Any] => {
                self.exposed = true;
                self.anything = true;
            }
            parts => {
                self.exposed |= !matches!(parts.first(), Some(GlobPart::Text(text)) if !opens(text));
                self.globs.push(pattern::glob(glob));
            }
        }
    }
}

/// Whether a text starts as that of a list or an object does.
pub(super) fn opens(text: &str) -> bool {
    text.starts_with(['[', '{'])
}

impl Reader<'_, '_> {
    /// The condition that a text passes one of the tests, or none of them.
    pub(super) fn text_tests(
        &mut self,
        value: &Value,
        tests: &[TextTest],
        case: CaseRule,
        positive: bool,
    ) -> Condition {
        let scalar = self.scalar(value);
        let bare = scalar.kind == Kind::Text && scalar.spellings.is_empty();
        let text = if bare { scalar.expr.clone() } else { scalar.text() };
        let folded = case != CaseRule::Exact;
        let tests = Tests::sort(tests);
        let mut conditions = Vec::new();
        if !tests.wholes.is_empty() {
            for whole in &tests.wholes {
                self.compared_text(whole, folded);
            }
            conditions.push(equals(&text, &tests.wholes, folded, !positive));
        }
        if tests.parts.len() > MOST_PARTS {
            conditions.push(self.any_part(&text, &tests.parts, folded, !positive));
        } else {
            for part in &tests.parts {
                conditions.push(self.part(&text, part, folded, !positive));
            }
        }
        if !tests.globs.is_empty() {
            let flags = if folded { "(?is)" } else { "(?s)" };
            let pattern = format!(r"{flags}\A{}\z", pattern::alternatives(&tests.globs));
            conditions.push(matches(&text, Expr::Pattern(pattern), !positive));
        }
        if !tests.expressions.is_empty() {
            conditions.push(self.expressions(&text, &tests.expressions, folded, positive));
        }
        if tests.anything {
            conditions.push(Expr::call(if positive { "isnotempty" } else { "isempty" }, text));
        }
        let guard = scalar.guarded.as_ref().filter(|_| bare && tests.exposed).map(|leaf| compound(leaf, positive));
        Condition::sure(if positive {
            Expr::all(guard.into_iter().chain([Expr::any(conditions)]))
        } else {
            Expr::any(guard.into_iter().chain([Expr::all(conditions)]))
        })
    }

    /// A literal that a text is compared with.
    pub(super) fn compared_text(&mut self, text: &str, folded: bool) -> Expr {
        if folded && text.contains(['k', 'K', 's', 'S']) {
            self.context.verdict.assume("no text holds the Kelvin sign or the long s, which fold to `k` and `s`");
        }
        self.literal_text(text)
    }

    fn part(&mut self, text: &Expr, part: &Part<'_>, folded: bool, negated: bool) -> Expr {
        let (Part::Contains(wanted) | Part::StartsWith(wanted) | Part::EndsWith(wanted)) = part;
        let literal = self.compared_text(wanted, folded);
        if folded && !folds_plainly(wanted) {
            let plain = pattern::literal(wanted);
            let pattern = match part {
                Part::Contains(_) => format!("(?i){plain}"),
                Part::StartsWith(_) => format!(r"(?i)\A{plain}"),
                Part::EndsWith(_) => format!(r"(?i){plain}\z"),
            };
            return matches(text, Expr::Pattern(pattern), negated);
        }
        let cased = !folded;
        let operator = match part {
            Part::Contains(_) => Operator::Contains { cased, negated },
            Part::StartsWith(_) => Operator::StartsWith { cased, negated },
            Part::EndsWith(_) => Operator::EndsWith { cased, negated },
        };
        Expr::infix(text.clone(), operator, literal)
    }

    /// One condition for many parts.
    fn any_part(&mut self, text: &Expr, parts: &[Part<'_>], folded: bool, negated: bool) -> Expr {
        let mut patterns = Vec::new();
        for part in parts {
            let (Part::Contains(wanted) | Part::StartsWith(wanted) | Part::EndsWith(wanted)) = part;
            self.literal_text(wanted);
            let plain = pattern::literal(wanted);
            patterns.push(match part {
                Part::Contains(_) => plain,
                Part::StartsWith(_) => format!(r"\A{plain}"),
                Part::EndsWith(_) => format!(r"{plain}\z"),
            });
        }
        // What all of them begin with is written once.
        let starts: Option<Vec<String>> =
            patterns.iter().map(|pattern| pattern.strip_prefix(r"\A").map(str::to_owned)).collect();
        let whole = match starts {
            Some(starts) => format!(r"\A{}", pattern::alternatives(&starts)),
            None => pattern::alternatives(&patterns),
        };
        let flags = if folded { "(?i)" } else { "" };
        matches(text, Expr::Pattern(format!("{flags}{whole}")), negated)
    }

    /// One condition for all regular expressions; the empty text is a missing value, which none matches.
    fn expressions(&mut self, text: &Expr, expressions: &[&Regex], folded: bool, positive: bool) -> Expr {
        let patterns: Vec<String> = expressions.iter().map(|regex| self.pattern(regex)).collect();
        let flags = if folded { "(?i)" } else { "" };
        let pattern = Expr::Pattern(format!("{flags}{}", pattern::alternatives(&patterns)));
        let matched = matches(text, pattern, !positive);
        if !expressions.iter().any(|regex| regex.is_nullable()) {
            return matched;
        }
        if positive {
            Expr::all([Expr::call("isnotempty", text.clone()), matched])
        } else {
            Expr::any([Expr::call("isempty", text.clone()), matched])
        }
    }
}
