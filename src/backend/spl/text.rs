//! Comparisons of texts: with constants, with patterns, with or without regard to case.

use super::ast::{Comparison, EvalExpr, Function};
use super::context::Context;
use super::regex::{self, Dialect};
use super::subject::{Subject, looks_numeric, text_equals};
use crate::backend::ReasonCode;
use crate::ir::{CaseRule, Glob, GlobPart, TextTest};
use crate::source::Span;

impl Context<'_> {
    /// Accepts a constant text, or records why a search cannot hold it.
    pub(super) fn literal(&mut self, text: &str, span: Span) {
        if let Some(character) = text.chars().find(|character| *character == '`' || character.is_control()) {
            let name = character.escape_default();
            let message =
                format!("a search cannot hold the character `{name}` in a text; use another part of the text");
            self.refuse(ReasonCode::UnsupportedLiteral, span, message);
        }
    }

    /// Whether a text equals one of the constants; null where it is missing.
    pub(super) fn equals_any(&mut self, subject: &Subject, items: &[String], case: CaseRule, span: Span) -> EvalExpr {
        let spelled: Vec<String> = items.iter().map(|item| subject.spelling(item).to_owned()).collect();
        spelled.iter().for_each(|item| self.literal(item, span));
        let fold = folds(case, subject);
        let real = subject.tested(|blank| spelled.iter().any(|item| item.eq_ignore_ascii_case(blank)));
        let (wide, narrow): (Vec<&String>, Vec<&String>) =
            spelled.iter().partition(|item| fold && regex::has_wide_case(item));
        let mut parts = Vec::new();
        let lowered = fold && narrow.iter().any(|item| has_case(item));
        let text = if lowered { EvalExpr::lowered(real.expression.clone()) } else { real.expression.clone() };
        let narrow: Vec<String> =
            narrow.into_iter().map(|item| if lowered { item.to_ascii_lowercase() } else { item.clone() }).collect();
        match narrow.as_slice() {
            [] => {}
            [only] => parts.push(text_equals(text, Comparison::Equal, only)),
            several => {
                let marked = several.iter().any(|item| looks_numeric(item));
                let mark = if marked { "=" } else { "" };
                let text = if marked { EvalExpr::Join(vec![EvalExpr::text("="), text]) } else { text };
                let mut arguments = vec![text];
                arguments.extend(several.iter().map(|item| EvalExpr::Text(format!("{mark}{item}"))));
                parts.push(EvalExpr::Call(Function::In, arguments));
            }
        }
        for item in wide {
            let pattern = format!("(?is)^{}(?!.)", regex::quote(item, true));
            parts.push(matches(real.expression.clone(), pattern));
        }
        EvalExpr::any(parts)
    }

    /// Whether a text passes one of the tests; null where it is missing.
    pub(super) fn passes_any(&mut self, subject: &Subject, tests: &[TextTest], case: CaseRule, span: Span) -> EvalExpr {
        let native = if subject.spellings.is_empty() { subject.clone() } else { subject.native() };
        let real = native.tested(|blank| tests.iter().any(|test| may_pass(test, blank)));
        let fold = case != CaseRule::Exact;
        let parts = tests.iter().map(|test| self.passes(&real.expression, test, fold, span)).collect();
        EvalExpr::any(parts)
    }

    fn passes(&mut self, text: &EvalExpr, test: &TextTest, fold: bool, span: Span) -> EvalExpr {
        match test {
            TextTest::Contains(part) => self.passes_glob(text, &[None, Some(part), None], fold, span),
            TextTest::StartsWith(part) => self.passes_glob(text, &[Some(part), None], fold, span),
            TextTest::EndsWith(part) => self.passes_glob(text, &[None, Some(part)], fold, span),
            TextTest::Like(glob) if glob.parts.contains(&GlobPart::One) => {
                glob_texts(glob).for_each(|part| self.literal(part, span));
                let pattern: String = glob.parts.iter().map(|part| glob_regex(part, fold)).collect();
                let flags = if fold { "(?is)" } else { "(?s)" };
                matches(text.clone(), format!("{flags}^{pattern}(?!.)"))
            }
            TextTest::Like(glob) => {
                let parts: Vec<Option<&str>> = glob
                    .parts
                    .iter()
                    .map(|part| match part {
                        GlobPart::Text(text) => Some(text.as_str()),
                        GlobPart::Any | GlobPart::One => None,
                    })
                    .collect();
                self.passes_glob(text, &parts, fold, span)
            }
            TextTest::Matches(pattern) => match regex::render(pattern, Dialect { fold, captures: false }) {
                Ok(pattern) => matches(text.clone(), pattern),
                Err(message) => {
                    self.refuse(ReasonCode::UnsupportedRegex, span, message);
                    EvalExpr::constant(false)
                }
            },
        }
    }

    /// Texts with anything (`None`) around them: `like()` where it can say so, else a regular expression.
    fn passes_glob(&mut self, text: &EvalExpr, parts: &[Option<impl AsRef<str>>], fold: bool, span: Span) -> EvalExpr {
        let texts: Vec<Option<&str>> = parts.iter().map(|part| part.as_ref().map(AsRef::as_ref)).collect();
        texts.iter().flatten().for_each(|part| self.literal(part, span));
        let is_plain = |part: &str| !part.contains(['%', '_', '\\']) && !regex::has_wide_case(part);
        if fold && texts.iter().flatten().all(|part| is_plain(part)) {
            let pattern: String =
                texts.iter().map(|part| part.map_or("%".to_owned(), str::to_ascii_lowercase)).collect();
            let lowered = EvalExpr::lowered(text.clone());
            return EvalExpr::Call(Function::Like, vec![lowered, EvalExpr::Text(pattern)]);
        }
        let mut pattern = String::from(if fold { "(?is)" } else { "(?s)" });
        let (open_start, open_end) = (texts.first() == Some(&None), texts.last() == Some(&None));
        pattern.push_str(if open_start { "" } else { "^" });
        let inner: Vec<Option<&str>> = {
            let from = usize::from(open_start);
            let until = texts.len().saturating_sub(usize::from(open_end));
            texts.iter().copied().take(until).skip(from).collect()
        };
        for part in inner {
            pattern.push_str(&part.map_or(".*".to_owned(), |part| regex::quote(part, fold)));
        }
        pattern.push_str(if open_end { "" } else { "(?!.)" });
        matches(text.clone(), pattern)
    }
}

/// Whether a comparison has to ignore case.
pub(super) const fn folds(case: CaseRule, subject: &Subject) -> bool {
    match case {
        CaseRule::Ignore => true,
        CaseRule::Canonical => !subject.keeps_case,
        CaseRule::Exact => false,
    }
}

fn matches(text: EvalExpr, pattern: String) -> EvalExpr {
    EvalExpr::Call(Function::Match, vec![text, EvalExpr::Regex(pattern)])
}

fn has_case(text: &str) -> bool {
    text.bytes().any(|byte| byte.is_ascii_alphabetic())
}

fn glob_texts(glob: &Glob) -> impl Iterator<Item = &str> {
    glob.parts.iter().filter_map(|part| match part {
        GlobPart::Text(text) => Some(text.as_str()),
        GlobPart::Any | GlobPart::One => None,
    })
}

fn glob_regex(part: &GlobPart, fold: bool) -> String {
    match part {
        GlobPart::Text(text) => regex::quote(text, fold),
        GlobPart::Any => ".*".to_owned(),
        GlobPart::One => ".".to_owned(),
    }
}

/// Whether a text that stands for a missing value could pass a test.
fn may_pass(test: &TextTest, blank: &str) -> bool {
    let (blank, fold) = (blank.to_lowercase(), str::to_lowercase);
    match test {
        TextTest::Contains(part) => blank.contains(&fold(part)),
        TextTest::StartsWith(part) => blank.starts_with(&fold(part)),
        TextTest::EndsWith(part) => blank.ends_with(&fold(part)),
        TextTest::Like(glob) => may_be_like(&glob.parts, &blank),
        TextTest::Matches(pattern) => regex::may_match(pattern, &blank),
    }
}

fn may_be_like(parts: &[GlobPart], text: &str) -> bool {
    match parts.split_first() {
        None => text.is_empty(),
        Some((GlobPart::Text(part), rest)) => {
            text.strip_prefix(&part.to_lowercase()).is_some_and(|left| may_be_like(rest, left))
        }
        Some((GlobPart::One, rest)) => {
            let mut characters = text.chars();
            characters.next().is_some() && may_be_like(rest, characters.as_str())
        }
        Some((GlobPart::Any, rest)) => {
            let ends = text.char_indices().map(|(index, _)| index).chain([text.len()]);
            ends.filter_map(|index| text.get(index..)).any(|left| may_be_like(rest, left))
        }
    }
}
