//! The place of a source: search text of the target, also as a condition that tells two sources apart.

use super::ast::Comparison;
use super::ast::{EvalExpr, Function, SearchExpr};
use super::context::Context;
use super::regex;
use super::subject::text_equals;
use crate::backend::ReasonCode;
use crate::schema::mapping::FieldMap;
use crate::source::Span;

impl Context<'_> {
    /// The base search that reads a source; a reason where the target does not say.
    pub(super) fn location(&mut self, map: &FieldMap, span: Span) -> Option<SearchExpr> {
        if let Some(place) = self.place_of(map) {
            return Some(place);
        }
        let message = format!("the target does not say where `{}` is searched", map.source);
        self.refuse(ReasonCode::MissingSource, span, message);
        None
    }

    /// The base search that reads a source, where the target says.
    pub(super) fn place_of(&self, map: &FieldMap) -> Option<SearchExpr> {
        if self.options.macros
            && let Some(name) = map.place("macro")
        {
            return Some(SearchExpr::Macro(name.to_owned()));
        }
        map.place("search").map(|text| SearchExpr::Location(text.to_owned()))
    }

    /// The condition that an event comes from a source, in a search over several.
    pub(super) fn is_from(&mut self, map: &FieldMap, span: Span) -> EvalExpr {
        let condition = map.place("search").and_then(|text| Reader::new(text).whole());
        condition.unwrap_or_else(|| {
            let message = format!(
                "events of `{}` cannot be told from those of another source; \
                 give its place as `search` with plain `field=\"value\"` terms",
                map.source
            );
            self.refuse(ReasonCode::UnsupportedExpression, span, message);
            EvalExpr::constant(false)
        })
    }
}

/// Reads search text of the form `field="value"`, with `IN`, `AND`, `OR`, parentheses and wildcards.
struct Reader<'t> {
    tokens: Vec<Token<'t>>,
    next: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Token<'t> {
    Open,
    Close,
    Equals,
    Comma,
    Word(&'t str),
    Quoted(&'t str),
    Unknown,
}

impl<'t> Reader<'t> {
    fn new(text: &'t str) -> Self {
        let mut tokens = Vec::new();
        let mut rest = text.trim_start();
        while let Some(first) = rest.chars().next() {
            let (token, length) = match first {
                '(' => (Token::Open, 1),
                ')' => (Token::Close, 1),
                '=' => (Token::Equals, 1),
                ',' => (Token::Comma, 1),
                '"' => {
                    let inside = rest.get(1..).unwrap_or_default();
                    match inside.find('"').and_then(|end| inside.get(..end)) {
                        Some(text) if !text.contains('\\') => (Token::Quoted(text), text.len() + 2),
                        _ => (Token::Unknown, rest.len()),
                    }
                }
                _ => {
                    let word = |character: char| character.is_ascii_alphanumeric() || "_.:*{}-/".contains(character);
                    let end = rest.find(|character| !word(character)).unwrap_or(rest.len());
                    match rest.get(..end).filter(|text| !text.is_empty()) {
                        Some(text) => (Token::Word(text), end),
                        None => (Token::Unknown, rest.len()),
                    }
                }
            };
            tokens.push(token);
            rest = rest.get(length..).unwrap_or_default().trim_start();
        }
        Self { tokens, next: 0 }
    }

    fn whole(mut self) -> Option<EvalExpr> {
        let condition = self.all()?;
        (self.next == self.tokens.len()).then_some(condition)
    }

    /// In the base search `OR` binds more tightly than `AND`, which may be left out.
    fn all(&mut self) -> Option<EvalExpr> {
        let mut parts = vec![self.any()?];
        while !matches!(self.peek(), None | Some(Token::Close)) {
            if self.peek() == Some(Token::Word("AND")) {
                self.next += 1;
            }
            parts.push(self.any()?);
        }
        Some(EvalExpr::all(parts))
    }

    fn any(&mut self) -> Option<EvalExpr> {
        let mut parts = vec![self.term()?];
        while self.peek() == Some(Token::Word("OR")) {
            self.next += 1;
            parts.push(self.term()?);
        }
        Some(EvalExpr::any(parts))
    }

    fn term(&mut self) -> Option<EvalExpr> {
        match self.take()? {
            Token::Open => {
                let inner = self.all()?;
                (self.take()? == Token::Close).then_some(inner)
            }
            Token::Word("AND" | "OR" | "NOT") => None,
            Token::Word(field) | Token::Quoted(field) => match self.take()? {
                Token::Equals => Some(equals(field, self.value()?)),
                Token::Word("IN") => self.items(field),
                Token::Open | Token::Close | Token::Comma | Token::Word(_) | Token::Quoted(_) | Token::Unknown => None,
            },
            Token::Close | Token::Equals | Token::Comma | Token::Unknown => None,
        }
    }

    fn items(&mut self, field: &str) -> Option<EvalExpr> {
        if self.take()? != Token::Open {
            return None;
        }
        let mut parts = vec![equals(field, self.value()?)];
        loop {
            match self.take()? {
                Token::Comma => parts.push(equals(field, self.value()?)),
                Token::Close => return Some(EvalExpr::any(parts)),
                Token::Open | Token::Equals | Token::Word(_) | Token::Quoted(_) | Token::Unknown => return None,
            }
        }
    }

    fn value(&mut self) -> Option<&'t str> {
        match self.take()? {
            Token::Word(value) | Token::Quoted(value) => Some(value),
            Token::Open | Token::Close | Token::Equals | Token::Comma | Token::Unknown => None,
        }
    }

    fn peek(&self) -> Option<Token<'t>> {
        self.tokens.get(self.next).copied()
    }

    fn take(&mut self) -> Option<Token<'t>> {
        let token = self.peek()?;
        self.next += 1;
        Some(token)
    }
}

/// The base search compares without case, and a star stands for anything.
fn equals(field: &str, value: &str) -> EvalExpr {
    let name = EvalExpr::source(field);
    if value.contains('*') {
        let pattern: Vec<String> = value.split('*').map(|part| regex::quote(part, true)).collect();
        let pattern = format!("(?is)^{}(?!.)", pattern.join(".*"));
        return EvalExpr::Call(Function::Match, vec![name, EvalExpr::Regex(pattern)]);
    }
    let lowered = EvalExpr::lowered(name);
    text_equals(lowered, Comparison::Equal, &value.to_lowercase())
}
