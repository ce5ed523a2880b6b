//! Envelopes: templates of a target around finished texts.
//!
//! Never makes query text: a query enters as a whole, and every other text passes a filter that keeps it in its place.

use minijinja::value::Serde;
use minijinja::{AutoEscape, Environment, Error, ErrorKind, UndefinedBehavior, Value};
use serde::Serialize;

/// The template around a query: `targets/<name>/query.j2`.
#[derive(Debug, Clone)]
pub struct Envelope {
    environment: Environment<'static>,
}

/// Name of the one template of an environment.
const TEMPLATE: &str = "query.j2";

/// What the template of a query is given.
#[derive(Debug, Clone, Serialize)]
pub struct QueryFacts {
    /// Name of the detection.
    pub detection: String,
    /// Its UUID.
    pub id: String,
    /// Its title.
    pub title: String,
    /// Version of its meaning.
    pub version: u32,
    /// Name of the target.
    pub target: String,
    /// `exact` or `approximate`.
    pub fidelity: &'static str,
    /// Why it is not exact.
    pub reasons: Vec<ReasonFacts>,
    /// What has to be true of the deployment.
    pub assumptions: Vec<String>,
    /// Time between two runs.
    pub interval: String,
    /// How long events may take to arrive.
    pub lag: String,
    /// How far a hit can reach back.
    pub lookback: String,
    /// How far back a run reads.
    pub range: String,
    /// Settings of the deployment, by name.
    pub deployment: Vec<(String, String)>,
    /// Columns of the alert that the result lacks, with the reason.
    pub missing_columns: Vec<(String, String)>,
}

/// A reason with its place.
#[derive(Debug, Clone, Serialize)]
pub struct ReasonFacts {
    /// Permanent code.
    pub code: &'static str,
    /// `file:line:column` of the clause.
    pub at: String,
    /// What is missed or added.
    pub message: String,
}

impl Envelope {
    /// Reads a template and tries it out on facts that fill every part of it.
    ///
    /// # Errors
    /// Says what is wrong with the template: its syntax, a name that does not exist, a text that passes no filter.
    pub fn new(template: &str) -> Result<Self, String> {
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::None);
        environment.remove_filter("safe");
        environment.add_filter("comment", comment);
        environment.set_formatter(|out, state, value| {
            // Numbers have no characters that could leave their place; every other text says how it is kept there.
            if value.is_safe() || value.is_number() {
                return minijinja::escape_formatter(out, state, value);
            }
            Err(Error::new(ErrorKind::InvalidOperation, format!("`{value}` passes no filter, such as `comment`")))
        });
        environment
            .add_template_owned(TEMPLATE, template.to_owned())
            .map_err(|error| error.detail().unwrap_or("malformed").to_owned())?;
        let envelope = Self { environment };
        envelope.render(&sample(), "query\n")?;
        Ok(envelope)
    }

    /// Puts a finished query into the template.
    ///
    /// # Errors
    /// Says what the template did not find.
    pub fn render(&self, facts: &QueryFacts, query: &str) -> Result<String, String> {
        let describe = |error: Error| error.detail().map_or_else(|| error.to_string(), ToOwned::to_owned);
        let template = self.environment.get_template(TEMPLATE).map_err(describe)?;
        let query = query.trim_end_matches('\n');
        let safe = Value::from_safe_string(query.to_owned());
        let context = minijinja::context! { query => safe, ..Value::from(Serde(facts)) };
        let text = template.render(context).map_err(describe)?;
        // Texts may be blank at their end; the query's own lines are left alone.
        let head = text.strip_suffix(query).unwrap_or("");
        let body = text.get(head.len()..).unwrap_or("");
        let mut tidy: String = head.lines().flat_map(|line| [line.trim_end(), "\n"]).collect();
        tidy.push_str(body);
        tidy.push('\n');
        Ok(tidy)
    }
}

/// Keeps a text inside one line of comment: control characters become blanks, and characters that end the comment,
/// which the second argument lists, become apostrophes.
fn comment(value: &Value, ending: Option<&str>) -> Result<Value, Error> {
    let Some(text) = value.as_str() else {
        return Err(Error::new(ErrorKind::InvalidOperation, "`comment` takes a text, and this name stands for none"));
    };
    let ends = |character: char| ending.is_some_and(|ending| ending.contains(character));
    let kept: String = text
        .chars()
        .map(|character| match character {
            // Some engines end a line at the Unicode separators too.
            '\u{2028}' | '\u{2029}' => ' ',
            character if character.is_control() => ' ',
            character if ends(character) => '\'',
            character => character,
        })
        .collect();
    Ok(Value::from_safe_string(kept.trim_end().to_owned()))
}

/// Facts in which no list is empty.
fn sample() -> QueryFacts {
    let text = || "x".to_owned();
    QueryFacts {
        detection: text(),
        id: text(),
        title: text(),
        version: 1,
        target: text(),
        fidelity: "approximate",
        reasons: vec![ReasonFacts { code: "x", at: text(), message: text() }],
        assumptions: vec![text()],
        interval: text(),
        lag: text(),
        lookback: text(),
        range: text(),
        deployment: vec![(text(), text())],
        missing_columns: vec![(text(), text())],
    }
}
