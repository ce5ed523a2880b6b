//! Tests of texts: equality, parts, globs and regular expressions.
//!
//! The engine's operators without case fold ASCII letters only; other letters go through regular expressions.

use super::ast::{Expr, Kind, Membership, Operator};
use super::pattern;
use super::predicate::Condition;
use super::reader::Reader;
use super::value::compound;
use crate::ir::{CaseRule, GlobPart, TextTest, Value};

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
    let same = |mut other: std::iter::Take<std::vec::IntoIter<char>>| {
        other.next() == Some(character) && other.next().is_none()
    };
    let listed = |characters: Vec<char>| same(characters.into_iter().take(2));
    listed(character.to_lowercase().collect()) && listed(character.to_uppercase().collect())
}

fn matches(value: &Expr, pattern: Expr, negated: bool) -> Expr {
    let matches = Expr::infix(value.clone(), Operator::MatchesRegex, pattern);
    if negated { matches.not() } else { matches }
}

/// A test that the engine makes on the text itself.
enum Part<'a> {
    Equals(&'a str),
    Contains(&'a str),
    StartsWith(&'a str),
    EndsWith(&'a str),
    /// Any text that is present.
    Anything,
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
        let folded = case != CaseRule::Exact;
        let text = if scalar.spellings.is_empty() { scalar.expr.clone() } else { scalar.text() };
        let text = if scalar.kind == Kind::Text { text } else { scalar.text() };
        let (mut conditions, mut globs, mut expressions) = (Vec::new(), Vec::new(), Vec::new());
        // Lists and objects start with a bracket, which only some tests can be sure to miss.
        let mut exposed = false;
        for test in tests {
            let part = match test {
                TextTest::Contains(part) => Some(Part::Contains(part)),
                TextTest::StartsWith(part) => Some(Part::StartsWith(part)),
                TextTest::EndsWith(part) => Some(Part::EndsWith(part)),
                TextTest::Like(glob) => match glob.parts.as_slice() {
                    [GlobPart::Text(text)] => Some(Part::Equals(text)),
                    [GlobPart::Text(text), GlobPart::Any] => Some(Part::StartsWith(text)),
                    [GlobPart::Any, GlobPart::Text(text)] => Some(Part::EndsWith(text)),
                    [GlobPart::Any, GlobPart::Text(text), GlobPart::Any] => Some(Part::Contains(text)),
                    [GlobPart::Any] => Some(Part::Anything),
                    _ => None,
                },
                TextTest::Matches(_) => None,
            };
            match (part, test) {
                (Some(part), _) => {
                    exposed |= !part.starts_plainly();
                    conditions.push(self.part(&text, &part, folded, !positive));
                }
                (None, TextTest::Like(glob)) => {
                    exposed |=
                        !matches!(glob.parts.first(), Some(GlobPart::Text(text)) if !text.starts_with(['[', '{']));
                    globs.push(pattern::glob(glob));
                }
                (None, TextTest::Matches(regex)) => {
                    exposed = true;
                    let nullable = regex.is_nullable();
                    expressions.push((self.regex(regex, ""), nullable));
                }
                (None, TextTest::Contains(_) | TextTest::StartsWith(_) | TextTest::EndsWith(_)) => {}
            }
        }
        if !globs.is_empty() {
            // A glob without a character matches the empty text, which is a missing value; `?` and texts need one.
            let flags = if folded { "(?is)" } else { "(?s)" };
            let pattern = format!(r"{flags}\A{}\z", pattern::alternatives(&globs));
            conditions.push(matches(&text, Expr::Pattern(pattern), !positive));
        }
        conditions.extend(regular(&text, expressions, folded, positive));
        if exposed
            && let Some(leaf) = &scalar.leaf
            && scalar.kind == Kind::Text
        {
            let guard = compound(leaf, positive);
            let expr = if positive {
                Expr::all([guard, Expr::any(conditions)])
            } else {
                Expr::any([guard, Expr::all(conditions)])
            };
            return Condition::sure(expr);
        }
        Condition::sure(if positive { Expr::any(conditions) } else { Expr::all(conditions) })
    }

    fn part(&mut self, text: &Expr, part: &Part<'_>, folded: bool, negated: bool) -> Expr {
        let (Part::Equals(wanted) | Part::Contains(wanted) | Part::StartsWith(wanted) | Part::EndsWith(wanted)) = part
        else {
            return Expr::call(if negated { "isempty" } else { "isnotempty" }, text.clone());
        };
        let literal = self.literal_text(wanted);
        if folded && !folds_plainly(wanted) {
            let plain = pattern::literal(wanted);
            let pattern = match part {
                Part::Equals(_) => format!(r"(?i)\A{plain}\z"),
                Part::Contains(_) => format!("(?i){plain}"),
                Part::StartsWith(_) => format!(r"(?i)\A{plain}"),
                Part::EndsWith(_) => format!(r"(?i){plain}\z"),
                Part::Anything => String::new(),
            };
            return matches(text, Expr::Pattern(pattern), negated);
        }
        let cased = !folded;
        let operator = match part {
            Part::Contains(_) => Operator::Contains { cased, negated },
            Part::StartsWith(_) => Operator::StartsWith { cased, negated },
            Part::EndsWith(_) => Operator::EndsWith { cased, negated },
            Part::Equals(_) | Part::Anything => return equals(text, &[(*wanted).to_owned()], folded, negated),
        };
        Expr::infix(text.clone(), operator, literal)
    }
}

impl Part<'_> {
    /// Whether the test fails on any text that starts with a bracket.
    fn starts_plainly(&self) -> bool {
        match self {
            Self::Equals(text) | Self::StartsWith(text) => !text.starts_with(['[', '{']),
            Self::Contains(_) | Self::EndsWith(_) | Self::Anything => false,
        }
    }
}

/// One condition for all regular expressions, which hold on no empty text.
fn regular(text: &Expr, expressions: Vec<(Expr, bool)>, folded: bool, positive: bool) -> Option<Expr> {
    if expressions.is_empty() {
        return None;
    }
    let nullable = expressions.iter().any(|(_, nullable)| *nullable);
    let patterns: Vec<String> = expressions
        .into_iter()
        .filter_map(|(expr, _)| if let Expr::Pattern(pattern) = expr { Some(pattern) } else { None })
        .collect();
    let pattern = format!("{}{}", if folded { "(?i)" } else { "" }, pattern::alternatives(&patterns));
    let matched = matches(text, Expr::Pattern(pattern), !positive);
    if !nullable {
        return Some(matched);
    }
    Some(if positive {
        Expr::all([Expr::call("isnotempty", text.clone()), matched])
    } else {
        Expr::any([Expr::call("isempty", text.clone()), matched])
    })
}
