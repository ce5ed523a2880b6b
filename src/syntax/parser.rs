//! The parser that the grammar describes, and the translation of its failures.
//!
//! Never builds a tree: `expression` and `behavior` do that.

use std::ops::Range;

use pest::Parser as _;
use pest::error::{Error, ErrorVariant, InputLocation};
use pest::iterators::Pair;

use super::mistake::{Failure, Mistake};
use crate::diagnostic::{Code, Diagnostic};
use crate::source::Span;

mod grammar {
    #[derive(pest_derive::Parser)]
    #[grammar = "syntax/grammar.pest"]
    pub struct Grammar;
}

pub(super) use grammar::Rule;

/// Deepest nesting of parentheses and calls that is accepted.
pub(super) const DEEPEST: usize = 64;

/// Finds the place in the file of a byte range of the text that is parsed.
pub type Place<'a> = &'a dyn Fn(Range<usize>) -> Span;

/// Parses a whole text as one rule.
///
/// # Errors
/// One diagnostic at the first place where the text cannot go on.
pub(super) fn parse<'t>(rule: Rule, text: &'t str, place: Place<'_>) -> Result<Pair<'t, Rule>, Diagnostic> {
    let code = if rule == Rule::behavior { Code::InvalidBehavior } else { Code::InvalidExpression };
    if let Some(offset) = too_deep(text) {
        let message = format!("more than {DEEPEST} levels of parentheses");
        return Err(Diagnostic::new(Code::TooNested, place(offset..offset + 1), message)
            .help("use fewer parentheses, or move a part into a `let`"));
    }
    match grammar::Grammar::parse(rule, text) {
        Ok(mut pairs) => {
            pairs.next().ok_or_else(|| Diagnostic::new(code, place(0..text.len()), "nothing to read here"))
        }
        Err(error) => Err(explain(code, text, &error, place)),
    }
}

/// Offset of the parenthesis that nests too deep, strings left aside.
fn too_deep(text: &str) -> Option<usize> {
    let mut depth = 0_usize;
    let mut quote = None;
    let mut escaped = false;
    for (offset, character) in text.char_indices() {
        match (quote, character) {
            (Some('"'), '\\') if !escaped => {
                escaped = true;
                continue;
            }
            (Some(open), _) if open == character && !escaped => quote = None,
            (Some(_), _) => {}
            (None, '"' | '\'' | '`') => quote = Some(character),
            (None, '(' | '[') => depth += 1,
            (None, ')' | ']') => depth = depth.saturating_sub(1),
            (None, _) => {}
        }
        escaped = false;
        if depth > DEEPEST {
            return Some(offset);
        }
    }
    None
}

/// One diagnostic for the place where the text cannot go on.
fn explain(code: Code, text: &str, error: &Error<Rule>, place: Place<'_>) -> Diagnostic {
    let offset = match error.location {
        InputLocation::Pos(offset) | InputLocation::Span((offset, _)) => offset,
    };
    let rest = text.get(offset..).unwrap_or("");
    let expected = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => positives.as_slice(),
        ErrorVariant::CustomError { .. } => &[],
    };
    let is_behavior = code == Code::InvalidBehavior;
    let Mistake { code: exact, range, message, help, note } =
        Failure { text, offset, expected, is_behavior }.recognise();
    let here = offset..offset + offending_length(rest);
    let message = message.unwrap_or_else(|| match text.get(here.clone()) {
        None | Some("") => "the text ends here".to_owned(),
        Some(word) => format!("`{word}` does not belong here"),
    });
    let words = describe(expected);
    // What could stand at the parser's place says nothing about another one.
    let label = exact.is_none() && !words.is_empty() && range.as_ref().is_none_or(|range| range.start == offset);
    let mut diagnostic = Diagnostic::new(exact.unwrap_or(code), place(range.unwrap_or(here)), message);
    if label {
        diagnostic = diagnostic.label(format!("expected {words}"));
    }
    if let Some(help) = help {
        diagnostic = diagnostic.help(help);
    }
    match note {
        Some((range, words)) => diagnostic.note(place(range), words),
        None => diagnostic,
    }
}

/// Bytes of the word, or of the one character, at the start of a text.
fn offending_length(rest: &str) -> usize {
    let word: usize = rest
        .chars()
        .take_while(|character| character.is_ascii_alphanumeric() || matches!(character, '_' | '@' | '$'))
        .map(char::len_utf8)
        .sum();
    if word > 0 { word } else { rest.chars().next().map_or(0, char::len_utf8) }
}

/// Words for what could stand at a place.
fn describe(rules: &[Rule]) -> String {
    let mut words: Vec<&str> = rules.iter().filter_map(|rule| name_of(*rule)).collect();
    words.sort_unstable();
    words.dedup();
    // What may stand nearly everywhere is worth a word only where nothing else can stand.
    let seldom = |word: &&str| !matches!(*word, "`(`" | "`{`" | "`as`" | "`cased`");
    if words.iter().any(seldom) {
        words.retain(seldom);
    }
    if words.contains(&AN_OPERATOR) {
        words.retain(|word| *word != A_COMPARISON);
    }
    words.sort_by_key(|word| (*word == "the end", *word == AN_OPERATOR));
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., last] => format!("{} or {last}", some.join(", ")),
    }
}

const AN_OPERATOR: &str = "an operator such as `==` or `contains`";
const A_COMPARISON: &str = "a comparison operator";

const fn name_of(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::or => "`or`",
        Rule::and => "`and`",
        Rule::not => "`not`",
        Rule::r#as => "`as`",
        Rule::r#where | Rule::step_condition => "`where`",
        Rule::r#in
        | Rule::membership
        | Rule::word_operator
        | Rule::word_test
        | Rule::like
        | Rule::matches
        | Rule::contains
        | Rule::starts_with
        | Rule::ends_with
        | Rule::order_test => AN_OPERATOR,
        Rule::order_operator => A_COMPARISON,
        Rule::cased => "`cased`",
        Rule::by | Rule::by_clause => "`by`",
        Rule::within | Rule::within_clause => "`within`",
        Rule::clause => "`by`, `within`",
        Rule::over | Rule::over_clause => "`over`",
        Rule::learning | Rule::learning_clause => "`learning`",
        Rule::per | Rule::per_clause => "`per`",
        Rule::above | Rule::above_clause => "`above`",
        Rule::floor | Rule::floor_clause => "`floor`",
        Rule::faster | Rule::faster_clause => "`faster than`",
        Rule::than => "`than`",
        Rule::beyond | Rule::beyond_clause => "`beyond`",
        Rule::until | Rule::until_clause => "`until`",
        Rule::fixed => "`fixed`",
        Rule::sigma => "`sigma`",
        Rule::speed_unit => "`km/h`",
        Rule::length_unit => "`km`",
        Rule::of => "`of`",
        Rule::no => "`no`",
        Rule::ampersand => "`&`",
        Rule::equals => "`=`",
        Rule::sum_operator | Rule::product_operator => "`+`, `-`, `*`, `/`",
        Rule::operand
        | Rule::group
        | Rule::quantified
        | Rule::call
        | Rule::literal
        | Rule::comparison
        | Rule::negation
        | Rule::conjunction
        | Rule::disjunction
        | Rule::expression
        | Rule::function
        | Rule::quantifier => "a field or value",
        Rule::path | Rule::path_segment | Rule::name | Rule::quoted_name | Rule::quoted_text | Rule::member => "a name",
        Rule::reference => "a `$parameter`",
        Rule::list | Rule::open_list => "a list",
        Rule::item => "a value",
        Rule::duration => "a duration such as `15m`",
        Rule::integer | Rule::decimal | Rule::amount => "a number",
        Rule::boolean => "`true` or `false`",
        Rule::string | Rule::raw_string | Rule::string_text | Rule::raw_text => "a text",
        Rule::open => "`(`",
        Rule::close => "`)`",
        Rule::close_list => "`]`",
        Rule::open_times => "`{`",
        Rule::close_times => "`}`",
        Rule::comma => "`,`",
        Rule::arrow => "`->`",
        Rule::signal | Rule::step | Rule::sequence => "a signal",
        Rule::weight => "a signal with its weight",
        Rule::aggregate
        | Rule::aggregate_word
        | Rule::aggregate_start
        | Rule::aggregate_comparison
        | Rule::aggregate_negation
        | Rule::aggregate_conjunction
        | Rule::aggregate_disjunction
        | Rule::aggregate_group
        | Rule::sum_of
        | Rule::product_of
        | Rule::term
        | Rule::sum_group => "an aggregate",
        Rule::aggregation
        | Rule::novelty
        | Rule::new
        | Rule::rarity
        | Rule::rare
        | Rule::baseline
        | Rule::outlier
        | Rule::spike
        | Rule::travel
        | Rule::travel_word
        | Rule::score
        | Rule::score_word
        | Rule::some_of
        | Rule::together
        | Rule::union
        | Rule::body
        | Rule::behavior => "a behaviour",
        Rule::EOI => "the end",
        Rule::reserved | Rule::WHITESPACE | Rule::name_start | Rule::name_character => return None,
    })
}
