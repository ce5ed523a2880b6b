//! The base search: conditions that the index can use and that every event that counts satisfies.
//!
//! Never exact: case, escapes and wildcards of the base search are of no interest, the condition in `where` decides.

use super::ast::{Pattern, SearchExpr};
use super::context::{Context, Scope};
use super::list::inner_path;
use crate::ir::{Call, Glob, GlobPart, Literal, Order, Predicate, Quantifier, TextTest, Value};
use crate::schema::Type;
use crate::schema::mapping::{Access, Binding, Column};
use crate::source::Spanned;

/// What a value is called in the base search.
struct Searched {
    /// Names of the fields, any of which may hold it.
    names: Vec<String>,
    /// The target's column, for its spellings.
    column: Column,
    /// Declared type.
    ty: Type,
}

impl Context<'_> {
    /// A condition that holds wherever the predicate does; `None` where the base search can say nothing.
    pub(super) fn prefilter(&self, scope: Scope<'_>, predicate: &Spanned<Predicate>) -> Option<SearchExpr> {
        match &predicate.node {
            Predicate::And(parts) => {
                let known: Vec<SearchExpr> = parts.iter().filter_map(|part| self.prefilter(scope, part)).collect();
                combine(known, SearchExpr::All)
            }
            Predicate::Or(parts) => {
                let known: Option<Vec<SearchExpr>> = parts.iter().map(|part| self.prefilter(scope, part)).collect();
                any_of(known?)
            }
            // a list of objects has no field of its own name, and one of empty texts no value
            Predicate::Exists(value) if matches!(value.ty(), Type::List(_)) => None,
            Predicate::Exists(value) => present(&searched(scope, value)?),
            Predicate::IsTrue(value) => terms(&searched(scope, value)?, &["true".to_owned()]),
            Predicate::Equal { left, right, .. } => {
                let text = right.as_literal()?.to_string();
                terms(&searched(scope, left)?, &[text])
            }
            Predicate::In { value, items, .. } => {
                let texts: Vec<String> = items.iter().map(Literal::to_string).collect();
                terms(&searched(scope, value)?, &texts)
            }
            Predicate::Text { value, tests, .. } => {
                let searched = searched(scope, value)?;
                if searched.column.literals.keys().any(|native| !native.is_empty()) {
                    return present(&searched);
                }
                let patterns: Option<Vec<Pattern>> = tests.iter().map(test_pattern).collect();
                match patterns {
                    Some(patterns) => {
                        any_name(&searched, |field| SearchExpr::Term { field, patterns: patterns.clone() })
                    }
                    None => present(&searched),
                }
            }
            Predicate::Ordered { left, order, right } => ordered(&searched(scope, left)?, *order, right.as_literal()?),
            Predicate::InNetwork { value, .. } | Predicate::IsAddress { value, .. } => {
                present(&searched(scope, value)?)
            }
            Predicate::Quantified { quantifier: Quantifier::Any, predicate, .. } => self.prefilter(scope, predicate),
            Predicate::Quantified { quantifier: Quantifier::All | Quantifier::None, .. } => None,
            Predicate::OfSource(name) => self.place_of(scope.map.members.get(name)?),
            Predicate::Constant(_) | Predicate::Not(_) | Predicate::OutsideHours { .. } => None,
        }
    }
}

/// All or any of several conditions.
pub(super) fn combine(mut parts: Vec<SearchExpr>, join: fn(Vec<SearchExpr>) -> SearchExpr) -> Option<SearchExpr> {
    let mut unique: Vec<SearchExpr> = Vec::new();
    for part in parts.drain(..) {
        if !unique.contains(&part) {
            unique.push(part);
        }
    }
    if unique.len() < 2 { unique.pop() } else { Some(join(unique)) }
}

/// Any of several conditions; one that asks for more than another adds nothing.
pub(super) fn any_of(parts: Vec<SearchExpr>) -> Option<SearchExpr> {
    let terms = |part: &SearchExpr| match part {
        SearchExpr::All(terms) => terms.clone(),
        other => vec![other.clone()],
    };
    let asked: Vec<Vec<SearchExpr>> = parts.iter().map(terms).collect();
    let adds_nothing = |index: usize| {
        asked.get(index).is_some_and(|mine| {
            asked.iter().enumerate().any(|(other, theirs)| {
                let covers = theirs.iter().all(|term| mine.contains(term));
                covers && (theirs.len() < mine.len() || other < index) && other != index
            })
        })
    };
    let kept = parts.into_iter().enumerate().filter(|(index, _)| !adds_nothing(*index)).map(|(_, part)| part).collect();
    combine(kept, SearchExpr::Any)
}

fn searched(scope: Scope<'_>, value: &Value) -> Option<Searched> {
    if let Value::Call(call) = value
        && let Call::Lower(inner) | Call::Upper(inner) = &**call
    {
        // the base search ignores case anyway
        return searched(scope, inner);
    }
    let (binding, ty, list) = match value {
        Value::Field(field) => (scope.map.resolve(&field.path)?, field.ty.clone(), None),
        Value::Element(element) => {
            let binding = scope.map.resolve_member(&element.list, &element.member)?;
            (binding, element.ty.clone(), Some(element.list.clone()))
        }
        Value::First(first) => {
            let list = match &first.list {
                Value::Field(field) => field.path.clone(),
                Value::Element(outer) => outer.as_list(),
                Value::First(_) | Value::NameValue(_) | Value::Time | Value::Literal(_) | Value::Call(_) => {
                    return None;
                }
            };
            (scope.map.resolve_member(&list, &first.member)?, first.ty.clone(), Some(list))
        }
        Value::NameValue(named) => {
            let list = named.list.path.clone();
            if scope.map.resolve_named(&list, &named.key, &named.member).is_some() {
                return None;
            }
            (scope.map.resolve_member(&list, &named.member)?, named.ty.clone(), Some(list))
        }
        Value::Time | Value::Literal(_) | Value::Call(_) => return None,
    };
    let Binding::Column(column) = binding else { return None };
    if column.path == scope.map.time || matches!(ty, Type::Object | Type::Time) {
        return None;
    }
    let name = searchable(&column)?;
    let names = match list {
        None if matches!(ty, Type::List(_)) => both(name.strip_suffix("{}").unwrap_or(&name), None),
        None => vec![name],
        Some(list) => {
            let Binding::Column(whole) = scope.map.resolve(&list)? else { return None };
            let list = searchable(&whole)?;
            let bare = list.strip_suffix("{}").unwrap_or(&list);
            both(bare, inner_path(&name, &list))
        }
    };
    Some(Searched { names, column, ty })
}

/// Names of a list's elements, or of a member of them: as an array, and as the single element that a scalar is.
fn both(list: &str, member: Option<&str>) -> Vec<String> {
    let member = member.map_or_else(String::new, |member| format!(".{member}"));
    vec![format!("{list}{{}}{member}"), format!("{list}{member}").replace("{}", "")]
}

/// The name of a field that the base search can look at.
fn searchable(column: &Column) -> Option<String> {
    if !matches!(column.access, Access::Direct | Access::Dynamic | Access::Flattened) {
        return None;
    }
    let mut name = column.path.clone();
    for segment in column.rest.segments() {
        name.push('.');
        name.push_str(segment);
    }
    let refused = |character: char| matches!(character, '\'' | '"' | '\\' | '`' | '*') || character.is_control();
    (!name.contains(refused)).then_some(name)
}

fn any_name(searched: &Searched, make: impl Fn(String) -> SearchExpr) -> Option<SearchExpr> {
    combine(searched.names.iter().cloned().map(make).collect(), SearchExpr::Any)
}

fn present(searched: &Searched) -> Option<SearchExpr> {
    any_name(searched, SearchExpr::Present)
}

fn terms(searched: &Searched, texts: &[String]) -> Option<SearchExpr> {
    let mut patterns = Vec::new();
    for text in texts {
        let spelled = searched
            .column
            .spelling(text)
            .map_or_else(|| text.clone(), |value| value.as_str().map_or_else(|| value.to_string(), str::to_owned));
        if !searched.ty.is_number() {
            patterns.push(pattern([Some(spelled.as_str())]));
            continue;
        }
        // a number may be written with more or fewer zeros behind the point, and zero with a sign
        let shortest =
            if spelled.contains('.') { spelled.trim_end_matches('0').trim_end_matches('.') } else { &spelled };
        let signed = format!("-{shortest}");
        for number in [Some(shortest), (shortest == "0").then_some(signed.as_str())].into_iter().flatten() {
            let longer = if number.contains('.') { number.to_owned() } else { format!("{number}.") };
            patterns.extend([pattern([Some(number)]), pattern([Some(longer.as_str()), None])]);
        }
    }
    any_name(searched, |field| SearchExpr::Term { field, patterns: patterns.clone() })
}

fn ordered(searched: &Searched, order: Order, literal: &Literal) -> Option<SearchExpr> {
    if !searched.ty.is_number() || searched.column.literals.keys().any(|native| !native.is_empty()) {
        return None;
    }
    let number = literal.to_string();
    any_name(searched, |field| SearchExpr::Number { field, order: order.symbol(), number: number.clone() })
}

fn test_pattern(test: &TextTest) -> Option<Pattern> {
    match test {
        TextTest::Contains(part) => Some(pattern([None, Some(part.as_str()), None])),
        TextTest::StartsWith(part) => Some(pattern([Some(part.as_str()), None])),
        TextTest::EndsWith(part) => Some(pattern([None, Some(part.as_str())])),
        TextTest::Like(glob) => Some(glob_pattern(glob)),
        TextTest::Matches(_) => None,
    }
}

fn glob_pattern(glob: &Glob) -> Pattern {
    pattern(glob.parts.iter().map(|part| match part {
        GlobPart::Text(text) => Some(text.as_str()),
        GlobPart::Any | GlobPart::One => None,
    }))
}

/// Whatever the raw text may hold in another form (escaped, encoded) becomes a wildcard.
fn pattern<'p>(parts: impl IntoIterator<Item = Option<&'p str>>) -> Pattern {
    let mut found: Vec<Option<String>> = Vec::new();
    let mut push = |piece: Option<char>| match (piece, found.last_mut()) {
        (Some(character), Some(Some(text))) => text.push(character),
        (Some(character), _) => found.push(Some(character.to_string())),
        (None, Some(None)) => {}
        (None, _) => found.push(None),
    };
    for part in parts {
        let Some(text) = part else {
            push(None);
            continue;
        };
        for character in text.chars() {
            let plain = character.is_ascii() && !character.is_ascii_control();
            let safe = plain && !matches!(character, '"' | '\\' | '`' | '*' | '<' | '>' | '&' | '\'' | '=');
            push(safe.then_some(character));
        }
    }
    Pattern(found)
}
