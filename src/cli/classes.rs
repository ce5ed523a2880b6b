//! What `detc schema` says of classes: their fields, and what each source has for them.
//!
//! Never resolves an expression: it shows what the files of a class say.

use std::fmt::Write as _;

use crate::compiler::Project;
use crate::schema::{Branch, ClassText, Entry};
use crate::yaml::Node;

/// The classes, one a line.
pub(super) fn list(project: &Project, json: bool) -> String {
    let classes = &project.catalog.classes;
    let mut text = String::new();
    let width = classes.names().map(str::len).max().unwrap_or(0);
    for name in classes.names() {
        let Some(class) = classes.read(name).0 else { continue };
        let sources = classes.sources_of(name);
        if json {
            let record = serde_json::json!({
                "class": name,
                "title": class.title,
                "description": class.description,
                "fields": class.fields.len(),
                "sources": sources,
            });
            let _ = writeln!(text, "{record}");
        } else {
            let _ = writeln!(
                text,
                "{name:width$}  {} ({} fields, of {})",
                class.title,
                class.fields.len(),
                sources.join(", ")
            );
        }
    }
    text
}

/// The fields of a class whose paths hold `wanted`, and what each source has for them; `None` where there is no such class,
/// or its files have mistakes.
pub(super) fn show(project: &Project, name: &str, wanted: Option<&str>, json: bool) -> Option<String> {
    let class = project.catalog.classes.read(name).0?;
    let mut text = String::new();
    if !json {
        let _ = writeln!(text, "{name}: {}\n{}\n", class.title, class.description);
    }
    for (path, field) in &class.fields {
        let path = path.to_string();
        if wanted.is_some_and(|wanted| !path.to_lowercase().contains(&wanted.to_lowercase())) {
            continue;
        }
        let of_sources = entries(&class, &path);
        if json {
            let record = serde_json::json!({
                "field": path,
                "type": field.field.ty.to_string(),
                "description": field.field.description,
                "values": field.field.values.values,
                "ocsf": field.ocsf,
                "sources": of_sources.into_iter().collect::<serde_json::Map<_, _>>(),
            });
            let _ = writeln!(text, "{record}");
            continue;
        }
        let values = &field.field.values.values;
        let values = if values.is_empty() { String::new() } else { format!(": {}", values.join(", ")) };
        let description = field.field.description.trim_end_matches('.');
        let _ = writeln!(text, "{path}  {}  {description}{values}", field.field.ty);
        for (source, entry) in of_sources {
            let _ = writeln!(text, "    {source}: {}", entry.as_str().unwrap_or_default());
        }
    }
    Some(text)
}

/// What each source has for a field.
fn entries(class: &ClassText, path: &str) -> Vec<(String, serde_json::Value)> {
    let of_member = class.members.iter().filter_map(|member| {
        let (_, entry) = member.fields.iter().find(|(known, _)| known.to_string() == path)?;
        Some((member.source.node.clone(), written(&entry.node).into()))
    });
    of_member.collect()
}

fn written(entry: &Entry) -> String {
    match entry {
        Entry::Expression(node) => text_of(node),
        Entry::Missing(reason) => format!("missing: {reason}"),
        Entry::Case { branches, otherwise } => {
            let mut parts: Vec<String> = branches.iter().map(branch).collect();
            parts.extend(otherwise.as_ref().map(|word| format!("otherwise {}", word.node)));
            parts.join("; ")
        }
    }
}

fn branch(branch: &Branch) -> String {
    match branch {
        Branch::When { when, is } => format!("{} where {}", is.node, text_of(when)),
        Branch::Patterns { of, cases } => {
            let mut words: Vec<&str> = cases.iter().map(|(_, word)| word.node.as_str()).collect();
            words.dedup();
            format!("{} by the patterns of {}", words.join(", "), text_of(of))
        }
    }
}

/// An expression on one line.
fn text_of(node: &Node) -> String {
    let text = node.as_scalar().map_or("", |scalar| scalar.text.as_str());
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}
