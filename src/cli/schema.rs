//! `detc schema`

use std::fmt::Write as _;

use clap::{Args, Subcommand};

use super::Outcome;
use super::classes;
use super::session::{Format, Session, Stream};
use crate::compiler::Project;
use crate::diagnostic::{Code, Diagnostic};
use crate::schema::mapping::Binding;
use crate::schema::{Case, Field, FieldPath, Source, Type, nearest};
use crate::source::Sources;

#[derive(Debug, Args)]
pub(super) struct Arguments {
    #[command(subcommand)]
    action: Action,
}

#[derive(Debug, Subcommand)]
enum Action {
    /// List the sources and the classes of sources.
    List,
    /// Show the fields of a source or class, their types, known values and what each target, or source, makes of them.
    Show {
        /// Name of the source or class, such as `aws.cloudtrail`.
        source: String,
        /// Show fields whose path holds this text only.
        #[arg(long, value_name = "TEXT")]
        field: Option<String>,
        /// Show what this target makes of each field; all targets without it.
        #[arg(short, long, value_name = "TARGET")]
        target: Option<String>,
    },
}

/// Prints the catalogue.
pub(super) fn run(session: &Session, arguments: &Arguments) -> Outcome {
    let mut sources = Sources::default();
    let project = match session.project(&mut sources) {
        Ok(project) => project,
        Err(outcome) => return outcome,
    };
    let text = match &arguments.action {
        Action::List => {
            let json = session.format == Format::Json;
            Ok(list(&project, json) + &classes::list(&project, json))
        }
        Action::Show { source, field, target } => show(session, &project, source, field.as_deref(), target.as_deref()),
    };
    match text {
        Ok(text) => session.print(&text),
        Err(outcome) => outcome,
    }
}

fn list(project: &Project, json: bool) -> String {
    let mut text = String::new();
    if json {
        for source in project.catalog.sources() {
            let record = serde_json::json!({
                "source": source.name,
                "title": source.title,
                "description": source.description,
                "fields": source.root.paths().len(),
                "lag": source.lag.to_string(),
            });
            let _ = writeln!(text, "{record}");
        }
        return text;
    }
    let width = project.catalog.sources().map(|source| source.name.len()).max().unwrap_or(0);
    for source in project.catalog.sources() {
        let fields = source.root.paths().len();
        let _ = writeln!(text, "{:width$}  {} ({fields} fields, lag {})", source.name, source.title, source.lag);
    }
    text
}

fn show(
    session: &Session,
    project: &Project,
    name: &str,
    wanted: Option<&str>,
    target: Option<&str>,
) -> Result<String, Outcome> {
    if let Some(page) = classes::show(project, name, wanted, session.format == Format::Json) {
        return Ok(page);
    }
    let Some(source) = project.catalog.source(name) else {
        let names = project.catalog.sources().map(|source| source.name.as_str());
        let names: Vec<&str> = names.chain(project.catalog.classes.names()).collect();
        let diagnostic = Diagnostic::without_place(Code::UnknownSource, format!("unknown source `{name}`"));
        let diagnostic = match nearest(name, names.iter().copied()) {
            Some(near) => diagnostic.help(format!("the nearest source is `{near}`")),
            None => diagnostic.help("`detc schema list` lists the sources"),
        };
        session.show(std::iter::once(diagnostic).collect(), &Sources::default(), Stream::Err);
        return Err(Outcome::Usage);
    };
    let targets = session.targets(&target.map(ToOwned::to_owned).into_iter().collect::<Vec<_>>(), project)?;
    let mut text = String::new();
    let json = session.format == Format::Json;
    if !json {
        let _ = writeln!(text, "{}: {}\n{}", source.name, source.title, source.description);
        let id = source.id.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string);
        let _ = writeln!(text, "time {}, lag {}, event id {id}", source.time, source.lag);
        for note in &source.notes {
            let _ = writeln!(text, "note: {note}");
        }
        text.push('\n');
    }
    for (path, field) in fields(source) {
        if wanted.is_some_and(|wanted| !path.to_lowercase().contains(&wanted.to_lowercase())) {
            continue;
        }
        let bindings: Vec<(&str, String)> = targets
            .iter()
            .filter_map(|name| {
                let target = project.targets.get(name)?;
                let map = target.maps.get(&source.name)?;
                Some((name.as_str(), binding(map.resolve(&FieldPath::parse(&path)))))
            })
            .collect();
        if json {
            let record = serde_json::json!({
                "field": path,
                "type": field.ty.to_string(),
                "canonical_case": field.case == Case::Canonical,
                "values": field.values.values,
                "values_complete": field.values.complete,
                "description": field.description,
                "targets": bindings.into_iter().map(|(name, text)| (name.to_owned(), text)).collect::<std::collections::BTreeMap<_, _>>(),
            });
            let _ = writeln!(text, "{record}");
            continue;
        }
        let _ = writeln!(text, "{path}  {}{}", field.ty, facts(field));
        if !field.description.is_empty() {
            let _ = writeln!(text, "    {}", field.description);
        }
        for (name, binding) in bindings {
            let _ = writeln!(text, "    {name}: {binding}");
        }
    }
    Ok(text)
}

/// Every field and every member of list elements, by path text.
fn fields(source: &Source) -> Vec<(String, &Field)> {
    let mut found = Vec::new();
    add(&source.root, "", &mut found);
    found
}

fn add<'a>(members: &'a crate::schema::Members, prefix: &str, found: &mut Vec<(String, &'a Field)>) {
    for (path, field) in members.paths() {
        let text = format!("{prefix}{path}");
        match &field.ty {
            Type::Object => {}
            Type::List(item) if **item == Type::Object => {
                found.push((text.clone(), field));
                add(&field.members, &format!("{text}[]."), found);
            }
            _ => found.push((text, field)),
        }
    }
}

fn facts(field: &Field) -> String {
    let mut facts = String::new();
    if field.case == Case::Canonical {
        facts.push_str(", canonical case");
    }
    let values = &field.values.values;
    if !values.is_empty() {
        let shown: Vec<&str> = values.iter().take(8).map(String::as_str).collect();
        let more = if values.len() > shown.len() {
            format!(" and {} more", values.len() - shown.len())
        } else {
            String::new()
        };
        let word = if field.values.complete { "always one of" } else { "known values" };
        let _ = write!(facts, ", {word}: {}{more}", shown.join(" "));
    }
    facts
}

fn binding(binding: Option<Binding>) -> String {
    match binding {
        None => "not mapped".to_owned(),
        Some(Binding::Missing(reason)) => format!("missing: {reason}"),
        Some(Binding::Column(column)) => {
            let mut text = column.path.clone();
            if !column.rest.is_empty() {
                let _ = write!(text, " -> {}", column.rest);
            }
            let ty = column.ty.as_ref().map(|ty| format!(" ({ty})")).unwrap_or_default();
            let lossy = column.lossy.as_ref().map(|reason| format!(", lossy: {reason}")).unwrap_or_default();
            format!("{text}{ty}{lossy}")
        }
    }
}
