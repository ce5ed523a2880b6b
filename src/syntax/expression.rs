//! Builds expressions from what the parser recognised.

use pest::iterators::Pair;

use super::ast::{Comparison, Constant, Expr, Path, QuantifierWord, Segment, Word};
use super::parser::{self, DEEPEST, Place, Rule};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::Duration;
use crate::source::{Span, Spanned};

/// Parses an expression; `place` finds the place of a byte range of `text` in its file.
///
/// The first of the two results is absent only when the text cannot be read at all.
#[must_use]
pub fn parse_expression(text: &str, place: Place<'_>) -> (Option<Spanned<Expr>>, Diagnostics) {
    let mut builder = Builder::new(place);
    match parser::parse(Rule::expression, text, place) {
        Ok(pair) => {
            let expression = pair.into_inner().next().and_then(|inner| builder.disjunction(inner));
            (expression, builder.diagnostics)
        }
        Err(diagnostic) => {
            builder.diagnostics.push(diagnostic);
            (None, builder.diagnostics)
        }
    }
}

/// Walks the parser's pairs; what is wrong with a literal is collected on the way.
pub(super) struct Builder<'p> {
    place: Place<'p>,
    depth: usize,
    /// What was found wrong so far.
    pub(super) diagnostics: Diagnostics,
}

impl<'p> Builder<'p> {
    /// Starts without findings.
    pub(super) fn new(place: Place<'p>) -> Self {
        Self { place, depth: 0, diagnostics: Diagnostics::default() }
    }

    /// The place of a pair.
    pub(super) fn span(&self, pair: &Pair<'_, Rule>) -> Span {
        (self.place)(trimmed(pair))
    }

    /// Reports something wrong.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// An expression.
    pub(super) fn disjunction(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Expr>> {
        let span = self.span(&pair);
        self.depth += 1;
        if self.depth > DEEPEST {
            let message = format!("more than {DEEPEST} levels of nesting");
            let help = "use fewer parentheses, or move a part into a `let`";
            self.report(Diagnostic::new(Code::TooNested, span, message).help(help));
            self.depth -= 1;
            return None;
        }
        let parts: Option<Vec<_>> =
            children(pair, Rule::conjunction).into_iter().map(|part| self.conjunction(part)).collect();
        self.depth -= 1;
        join(parts?, span, Expr::Or)
    }

    fn conjunction(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Expr>> {
        let span = self.span(&pair);
        let parts: Option<Vec<_>> =
            children(pair, Rule::negation).into_iter().map(|part| self.negation(part)).collect();
        join(parts?, span, Expr::And)
    }

    fn negation(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Expr>> {
        let end = self.span(&pair);
        let mut nots = Vec::new();
        let mut inner = None;
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::not => nots.push(self.span(&part)),
                _ => inner = self.comparison(part),
            }
        }
        let mut expression = inner?;
        // Two negations cancel out: the language has two values.
        let keep = nots.len() % 2;
        for span in nots.into_iter().rev().take(keep) {
            let whole = span.to(end);
            expression = Spanned::new(Expr::Not(Box::new(expression)), whole);
        }
        Some(expression)
    }

    fn comparison(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Expr>> {
        let span = self.span(&pair);
        let mut parts = pair.into_inner();
        let left = self.operand(parts.next()?)?;
        let Some(tail) = parts.next() else { return Some(left) };
        let left = Box::new(left);
        let rule = tail.as_rule();
        let (mut negated, mut cased, mut operator, mut right) = (false, false, None, None);
        for part in tail.into_inner() {
            match part.as_rule() {
                Rule::not => negated = true,
                Rule::cased => cased = true,
                Rule::word_operator | Rule::order_operator => operator = Some(part),
                Rule::operand => right = self.operand(part),
                _ => {}
            }
        }
        let right = Box::new(right?);
        let expression = match rule {
            Rule::membership => Expr::In { negated, left, right, cased },
            Rule::word_test => {
                let operator = operator?;
                let span = self.span(&operator);
                Expr::Word { operator: Spanned::new(word(operator.as_str()), span), negated, left, right, cased }
            }
            _ => {
                let operator = operator?;
                let span = self.span(&operator);
                Expr::Compare { operator: Spanned::new(comparison(operator.as_str()), span), left, right, cased }
            }
        };
        Some(Spanned::new(expression, span))
    }

    fn operand(&mut self, pair: Pair<'_, Rule>) -> Option<Spanned<Expr>> {
        let span = self.span(&pair);
        let inner = pair.into_inner().next()?;
        let node = match inner.as_rule() {
            Rule::group => {
                let body = inner.into_inner().find(|part| part.as_rule() == Rule::disjunction)?;
                return self.disjunction(body).map(|expression| Spanned::new(expression.node, span));
            }
            Rule::list => Expr::List(self.list(inner)),
            Rule::quantified => self.quantified(inner)?,
            Rule::call => self.call(inner)?,
            Rule::literal => Expr::Literal(self.literal(inner)?),
            Rule::reference => Expr::Reference(inner.as_str().trim_start_matches('$').to_owned()),
            _ => Expr::Path(self.path(inner).node),
        };
        Some(Spanned::new(node, span))
    }

    fn list(&mut self, pair: Pair<'_, Rule>) -> Vec<Spanned<Expr>> {
        let mut items = Vec::new();
        for item in children(pair, Rule::item) {
            let span = self.span(&item);
            let Some(inner) = item.into_inner().next() else { continue };
            let node = match inner.as_rule() {
                Rule::literal => self.literal(inner).map(Expr::Literal),
                _ => Some(Expr::Reference(inner.as_str().trim_start_matches('$').to_owned())),
            };
            items.extend(node.map(|node| Spanned::new(node, span)));
        }
        items
    }

    fn quantified(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let (mut quantifier, mut list, mut variable, mut predicate) = (None, None, None, None);
        let mut member = Vec::new();
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::quantifier => quantifier = Some(Spanned::new(quantifier_word(part.as_str()), span)),
                Rule::path => list = Some(self.path(part)),
                Rule::name => variable = Some(Spanned::new(part.as_str().to_owned(), span)),
                Rule::disjunction => predicate = Some(Box::new(self.disjunction(part)?)),
                Rule::member => {
                    for segment in part.into_inner() {
                        let segment = self.segment(segment);
                        if let Some(key) = &segment.key {
                            let message = "a key in brackets cannot follow `first(..)`";
                            let help = "name a member behind a dot";
                            self.report(Diagnostic::new(Code::InvalidExpression, key.span, message).help(help));
                        }
                        member.push(segment.name);
                    }
                }
                _ => {}
            }
        }
        Some(Expr::Quantified { quantifier: quantifier?, list: list?, variable: variable?, predicate, member })
    }

    fn call(&mut self, pair: Pair<'_, Rule>) -> Option<Expr> {
        let mut function = None;
        let mut arguments = Vec::new();
        for part in pair.into_inner() {
            match part.as_rule() {
                Rule::function => function = Some(Spanned::new(part.as_str().to_owned(), self.span(&part))),
                Rule::disjunction => arguments.push(self.disjunction(part)?),
                _ => {}
            }
        }
        Some(Expr::Call { function: function?, arguments })
    }

    /// A path with its segments.
    pub(super) fn path(&mut self, pair: Pair<'_, Rule>) -> Spanned<Path> {
        let span = self.span(&pair);
        let segments = pair.into_inner().map(|segment| self.segment(segment)).collect();
        Spanned::new(Path { segments }, span)
    }

    fn segment(&mut self, pair: Pair<'_, Rule>) -> Segment {
        let mut name = Spanned::new(String::new(), self.span(&pair));
        let mut key = None;
        let mut named = false;
        for part in pair.into_inner() {
            let span = self.span(&part);
            match part.as_rule() {
                Rule::quoted_name => {
                    let text = part.as_str().trim_matches('`').to_owned();
                    name = Spanned::new(text, span);
                    named = true;
                }
                Rule::name if !named => {
                    name = Spanned::new(part.as_str().to_owned(), span);
                    named = true;
                }
                Rule::string | Rule::raw_string => key = self.text(part).map(|text| Spanned::new(text, span)),
                _ => key = Some(Spanned::new(part.as_str().to_owned(), span)),
            }
        }
        Segment { name, key }
    }

    fn literal(&mut self, pair: Pair<'_, Rule>) -> Option<Constant> {
        let inner = pair.into_inner().next()?;
        let span = self.span(&inner);
        let written = inner.as_str();
        match inner.as_rule() {
            Rule::duration => self.duration(written, span).map(Constant::Duration),
            Rule::decimal => Some(Constant::Decimal(written.to_owned())),
            Rule::integer => self.integer(written, span).map(Constant::Int),
            Rule::boolean => Some(Constant::Bool(written == "true")),
            _ => self.text(inner).map(Constant::Text),
        }
    }

    /// A whole number of 64 bits.
    pub(super) fn integer(&mut self, written: &str, span: Span) -> Option<i64> {
        let number = written.parse().ok();
        if number.is_none() {
            let diagnostic = Diagnostic::new(Code::InvalidExpression, span, "the number does not fit into 64 bits");
            self.report(diagnostic.help(if written.starts_with('-') {
                format!("the smallest number is {}", i64::MIN)
            } else {
                format!("the largest number is {}", i64::MAX)
            }));
        }
        number
    }

    /// A span of time.
    pub(super) fn duration(&mut self, written: &str, span: Span) -> Option<Duration> {
        let duration = written.parse().ok();
        if duration.is_none() {
            let diagnostic = Diagnostic::new(Code::InvalidDuration, span, "the duration is too long");
            self.report(diagnostic.help("write a shorter one; logs are seldom kept for more than `400d`"));
        }
        duration
    }

    fn text(&mut self, pair: Pair<'_, Rule>) -> Option<String> {
        let raw = pair.as_rule() == Rule::raw_string;
        let inner = pair.into_inner().next()?;
        if raw {
            return Some(inner.as_str().to_owned());
        }
        let start = inner.as_span().start();
        let mut text = String::new();
        let mut characters = inner.as_str().char_indices();
        while let Some((offset, character)) = characters.next() {
            if character != '\\' {
                text.push(character);
                continue;
            }
            match characters.next() {
                Some((_, escaped @ ('"' | '\\'))) => text.push(escaped),
                Some((next, other)) => {
                    let place = (self.place)(start + offset..start + next + other.len_utf8());
                    let message = format!("`\\{other}` is no escape between double quotes");
                    let help = "only `\\\"` and `\\\\` are; single quotes take every character as it is: '..'";
                    self.report(Diagnostic::new(Code::InvalidString, place, message).help(help));
                    text.push(other);
                }
                None => text.push('\\'),
            }
        }
        Some(text)
    }
}

/// The pairs of one rule below a pair.
pub(super) fn children(pair: Pair<'_, Rule>, rule: Rule) -> Vec<Pair<'_, Rule>> {
    pair.into_inner().filter(|inner| inner.as_rule() == rule).collect()
}

/// Byte range of a pair without the blanks that a rule may have taken in at its end.
fn trimmed(pair: &Pair<'_, Rule>) -> std::ops::Range<usize> {
    let span = pair.as_span();
    span.start()..span.start() + span.as_str().trim_end().len()
}

fn join(
    mut parts: Vec<Spanned<Expr>>,
    span: Span,
    wrap: impl FnOnce(Vec<Spanned<Expr>>) -> Expr,
) -> Option<Spanned<Expr>> {
    if parts.len() > 1 { Some(Spanned::new(wrap(parts), span)) } else { parts.pop() }
}

/// The operator that a text stands for.
pub(super) fn comparison(text: &str) -> Comparison {
    match text {
        "!=" => Comparison::NotEqual,
        "<" => Comparison::Less,
        "<=" => Comparison::LessOrEqual,
        ">" => Comparison::Greater,
        ">=" => Comparison::GreaterOrEqual,
        _ => Comparison::Equal,
    }
}

fn word(text: &str) -> Word {
    match text {
        "starts_with" => Word::StartsWith,
        "ends_with" => Word::EndsWith,
        "like" => Word::Like,
        "matches" => Word::Matches,
        _ => Word::Contains,
    }
}

fn quantifier_word(text: &str) -> QuantifierWord {
    match text {
        "all" => QuantifierWord::All,
        "none" => QuantifierWord::None,
        "first" => QuantifierWord::First,
        _ => QuantifierWord::Any,
    }
}
