//! The parser that the grammar describes, and the translation of its failures.
//!
//! Never builds a tree: `expression` and `behavior` do that.

use std::ops::Range;

use pest::Parser as _;
use pest::error::{Error, ErrorVariant, InputLocation};
use pest::iterators::Pair;

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
        return Err(Diagnostic::new(Code::TooNested, place(offset..offset + 1), message));
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

/// Longest run of `not` and the like that is accepted; deeper trees are refused while they are built.
fn explain(code: Code, text: &str, error: &Error<Rule>, place: Place<'_>) -> Diagnostic {
    let offset = match error.location {
        InputLocation::Pos(offset) | InputLocation::Span((offset, _)) => offset,
    };
    let rest = text.get(offset..).unwrap_or("");
    let length = offending_length(rest);
    let span = place(offset..offset + length);
    let expected = match &error.variant {
        ErrorVariant::ParsingError { positives, .. } => describe(positives),
        ErrorVariant::CustomError { message } => message.clone(),
    };
    let found = match rest.get(..length) {
        None | Some("") => "the text ends here".to_owned(),
        Some(word) => format!("`{word}` does not belong here"),
    };
    let diagnostic = Diagnostic::new(code, span, found);
    let diagnostic = if expected.is_empty() { diagnostic } else { diagnostic.label(format!("expected {expected}")) };
    match hint(text, offset) {
        Some(help) => diagnostic.help(help),
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

/// Help for what people write in other languages.
fn hint(text: &str, offset: usize) -> Option<&'static str> {
    let rest = text.get(offset..).unwrap_or("");
    let before = text.get(..offset).unwrap_or("").trim_end();
    let word = rest.get(..offending_length(rest)).unwrap_or("");
    let starts = |prefix: &str| rest.starts_with(prefix);
    Some(match word.to_ascii_lowercase().as_str() {
        "and" | "or" | "not" | "in" if word != word.to_ascii_lowercase() => "operators are written in lower case",
        "is" => "write `exists(field)` or `not exists(field)`",
        "startswith" => "the operator is `starts_with`",
        "endswith" => "the operator is `ends_with`",
        "then" => "steps are joined by `->`",
        "has" | "icontains" => "the operator is `contains`; it ignores case",
        "regex" | "rlike" => "the operator is `matches`",
        "until" | "no" => "this behaviour is not part of the language yet",
        _ if starts("=~") => "write `==`, which ignores case, or `matches` for a regular expression",
        _ if starts("=>") => "steps are joined by `->`",
        _ if starts("=") => "write `==`",
        _ if starts("&&") => "write `and`",
        _ if starts("||") => "write `or`",
        _ if starts("!") => "write `not`, or `!=` between two values",
        _ if starts("#") => "an expression has no comments; put them into the YAML",
        _ if starts("&") => "this behaviour is not part of the language yet",
        _ if starts("\"") && before.matches('"').count() % 2 == 1 => {
            "a text between double quotes knows `\\\"` and `\\\\` only; use single quotes for a raw text"
        }
        _ if starts("\"") || starts("'") => "the text is not closed on its line",
        _ => return None,
    })
}

/// Words for what could stand at a place.
fn describe(rules: &[Rule]) -> String {
    let mut words: Vec<&str> = rules.iter().filter_map(|rule| name_of(*rule)).collect();
    words.sort_unstable();
    words.dedup();
    match words.as_slice() {
        [] => String::new(),
        [one] => (*one).to_owned(),
        [some @ .., last] => format!("{} or {last}", some.join(", ")),
    }
}

const fn name_of(rule: Rule) -> Option<&'static str> {
    Some(match rule {
        Rule::or => "`or`",
        Rule::and => "`and`",
        Rule::not => "`not`",
        Rule::r#in => "`in`",
        Rule::r#as => "`as`",
        Rule::r#where | Rule::step_condition => "`where`",
        Rule::word_operator
        | Rule::word_test
        | Rule::like
        | Rule::matches
        | Rule::contains
        | Rule::starts_with
        | Rule::ends_with => "a word such as `contains` or `like`",
        Rule::order_operator | Rule::order_test => "a comparison operator",
        Rule::membership => "`in`",
        Rule::cased => "`cased`",
        Rule::clause | Rule::by_clause | Rule::within_clause => "`by` or `within`",
        Rule::by => "`by`",
        Rule::within => "`within`",
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
        Rule::aggregate | Rule::count | Rule::distinct | Rule::body | Rule::behavior => "a behaviour",
        Rule::EOI => "the end",
        Rule::reserved | Rule::WHITESPACE | Rule::name_start | Rule::name_character => return None,
    })
}
