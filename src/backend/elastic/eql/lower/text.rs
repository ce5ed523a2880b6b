//! Lowers tests of texts: parts, globs and regular expressions.

use super::value::{Choice, Letters, Source};
use super::{Bound, Lowering, Purpose, Test};
use crate::backend::ReasonCode;
use crate::backend::elastic::eql::ast::{Expression, Function, PatternKind};
use crate::backend::elastic::eql::regex;
use crate::ir::{CaseRule, Glob, GlobPart, TextTest, Value};
use crate::schema::Type;

/// What a text has to satisfy, collected so that tests of one kind share one operator.
#[derive(Default)]
struct Patterns {
    like: Vec<String>,
    regex: Vec<String>,
    functions: Vec<(Function, String)>,
    /// Whether some pattern matches the empty text.
    takes_empty: bool,
    /// Whether every text passes.
    takes_all: bool,
}

impl Lowering<'_> {
    /// The test that a text passes any of the tests.
    pub(super) fn text(&mut self, value: &Value, tests: &[TextTest], case: CaseRule) -> Test {
        self.over(value, |lowering, choice| match &choice.source {
            Source::Field(bound) => lowering.text_of_field(bound, tests, case, choice),
            Source::Length(_) | Source::Literal(_) => lowering
                .unsupported(format!("{} tests the text of fields only; test the field itself", lowering.language())),
        })
    }

    fn text_of_field(&mut self, bound: &Bound, tests: &[TextTest], case: CaseRule, choice: &Choice) -> Test {
        if bound.stored != Type::Text {
            return self.unsupported(format!(
                "`{}` has the type {} in the index, which {language} cannot search as text; compare whole values",
                bound.name,
                bound.stored,
                language = self.language()
            ));
        }
        if bound.respells() {
            return self.unsupported(format!(
                "the index spells the values of `{}` in its own way, so parts of them cannot be searched; compare whole \
                 values",
                bound.name
            ));
        }
        let tests = match (choice.letters, case) {
            (Some(letters), CaseRule::Exact) => match written_in(tests, letters) {
                Some(tests) => tests,
                None => {
                    return self.unsupported(format!(
                        "{} cannot change the case of a text; drop `lower`, `upper` or `cased`",
                        self.language()
                    ));
                }
            },
            (Some(_) | None, CaseRule::Ignore | CaseRule::Canonical) | (None, CaseRule::Exact) => tests.to_vec(),
        };
        let folded = case != CaseRule::Exact || choice.letters.is_some();
        let mut patterns = Patterns::default();
        for test in &tests {
            if let Err(message) = patterns.add(test, folded) {
                self.reason(ReasonCode::UnsupportedRegex, message);
            }
        }
        if folded && self.purpose == Purpose::Eql {
            self.verdict.assume(super::ASCII_FOLDING);
            if tests.iter().any(folds_beyond_ascii) {
                self.folds_ascii_only();
            }
        }
        let has_letters = |test: &TextTest| matches!(test, TextTest::Matches(_)) && folds_beyond_ascii(test);
        if folded && self.purpose == Purpose::Esql && tests.iter().any(has_letters) {
            let message = "ES|QL compares classes of letters beyond ASCII with their case";
            self.reason(ReasonCode::UnicodeFolding, message);
        }
        if patterns.takes_all {
            return self.exists_field(bound);
        }
        patterns.test(bound, folded)
    }

    /// Records that a literal has letters which EQL does not fold.
    pub(super) fn folds_ascii_only(&mut self) {
        self.reason(
            ReasonCode::UnicodeFolding,
            "EQL folds ASCII letters only, so values that differ in the case of other letters are missed",
        );
    }
}

impl Patterns {
    fn add(&mut self, test: &TextTest, folded: bool) -> Result<(), String> {
        match test {
            TextTest::Contains(text) => self.add_part(text, folded, Function::StringContains)?,
            TextTest::StartsWith(text) => self.add_part(text, folded, Function::StartsWith)?,
            TextTest::EndsWith(text) => self.add_part(text, folded, Function::EndsWith)?,
            TextTest::Like(glob) if glob.matches_empty() => self.takes_all = true,
            TextTest::Like(glob) if is_like(glob) => self.like.push(like(glob)),
            TextTest::Like(glob) => self.regex.push(regex::glob(glob)?),
            TextTest::Matches(expression) => {
                self.takes_empty |= expression.is_nullable();
                self.regex.extend(regex::patterns(expression, folded)?);
            }
        }
        Ok(())
    }

    /// Adds a text that stands somewhere, at the start or at the end.
    fn add_part(&mut self, text: &str, folded: bool, function: Function) -> Result<(), String> {
        if !folded {
            self.functions.push((function, text.to_owned()));
            return Ok(());
        }
        let (open_start, open_end) = match function {
            Function::StartsWith => (false, true),
            Function::EndsWith => (true, false),
            Function::StringContains | Function::CidrMatch => (true, true),
        };
        if is_plain(text) {
            let star = |open: bool| if open { "*" } else { "" };
            self.like.push(format!("{}{text}{}", star(open_start), star(open_end)));
        } else {
            self.regex.push(regex::around(text, open_start, open_end)?);
        }
        Ok(())
    }

    fn test(self, bound: &Bound, folded: bool) -> Test {
        let field = &bound.field;
        let mut parts = Vec::new();
        for (pattern, patterns) in [(PatternKind::Like, self.like), (PatternKind::Regex, self.regex)] {
            if !patterns.is_empty() {
                let expression = Expression::Match { field: field.clone(), pattern, folded, patterns };
                parts.push(if pattern == PatternKind::Regex && self.takes_empty {
                    Test::guarded_against_empty(expression, field)
                } else {
                    Test::guarded(expression, field)
                });
            }
        }
        for (function, text) in self.functions {
            let expression = Expression::Function { function, field: field.clone(), arguments: vec![text] };
            parts.push(Test::guarded(expression, field));
        }
        Test::any(parts)
    }
}

impl Bound {
    /// Whether the index spells values in another way than the source, apart from their case.
    fn respells(&self) -> bool {
        self.column
            .literals
            .iter()
            .any(|(native, target)| target.as_str().is_none_or(|target| !target.eq_ignore_ascii_case(native)))
    }
}

/// Whether a text holds nothing that `like` takes for something else: wildcards have no escape there, and the engine marks
/// its own escapes with U+0001.
pub(super) fn is_plain(text: &str) -> bool {
    !text.contains(['*', '?', '\u{1}'])
}

fn is_like(glob: &Glob) -> bool {
    glob.parts.iter().all(|part| match part {
        GlobPart::Text(text) => is_plain(text),
        GlobPart::Any | GlobPart::One => true,
    })
}

fn like(glob: &Glob) -> String {
    glob.parts
        .iter()
        .map(|part| match part {
            GlobPart::Text(text) => text.as_str(),
            GlobPart::Any => "*",
            GlobPart::One => "?",
        })
        .collect()
}

/// The tests that a text in these letters can pass with exact case; `None` where a test is a regular expression.
fn written_in(tests: &[TextTest], letters: Letters) -> Option<Vec<TextTest>> {
    let mut kept = Vec::new();
    for test in tests {
        let fits = match test {
            TextTest::Contains(text) | TextTest::StartsWith(text) | TextTest::EndsWith(text) => letters.fits(text),
            TextTest::Like(glob) => glob.parts.iter().all(|part| match part {
                GlobPart::Text(text) => letters.fits(text),
                GlobPart::Any | GlobPart::One => true,
            }),
            TextTest::Matches(_) => return None,
        };
        if fits {
            kept.push(test.clone());
        }
    }
    Some(kept)
}

fn folds_beyond_ascii(test: &TextTest) -> bool {
    match test {
        TextTest::Contains(text) | TextTest::StartsWith(text) | TextTest::EndsWith(text) => {
            text.chars().any(regex::is_cased_beyond_ascii)
        }
        TextTest::Like(glob) => glob.parts.iter().any(|part| match part {
            GlobPart::Text(text) => text.chars().any(regex::is_cased_beyond_ascii),
            GlobPart::Any | GlobPart::One => false,
        }),
        TextTest::Matches(expression) => regex::folds_beyond_ascii(expression),
    }
}
