//! Named lists of values, with expired entries left out.

use std::collections::BTreeMap;

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{Glob, Literal, Network};
use crate::source::Spanned;
use crate::syntax::ListFile;
use crate::syntax::document::{ListType, Matching};

/// All lists of a run, by name.
#[derive(Debug, Clone, Default)]
pub struct Lists {
    lists: BTreeMap<String, List>,
}

/// A named list.
#[derive(Debug, Clone)]
pub struct List {
    /// Name.
    pub name: Spanned<String>,
    /// One line on what it holds.
    pub title: String,
    /// The entries in force.
    pub entries: ListEntries,
    /// Whether mistakes were found in its file, so that entries may be missing.
    pub malformed: bool,
}

/// The entries of a list, by how a value is compared with them.
#[derive(Debug, Clone)]
pub enum ListEntries {
    /// Whole texts.
    Exact(Vec<Literal>),
    /// Globs over the whole text.
    Globs(Vec<Glob>),
    /// Blocks of addresses.
    Networks(Vec<Network>),
}

impl ListEntries {
    /// Number of entries.
    #[must_use]
    pub const fn len(&self) -> usize {
        match self {
            Self::Exact(entries) => entries.len(),
            Self::Globs(entries) => entries.len(),
            Self::Networks(entries) => entries.len(),
        }
    }

    /// Whether there is no entry.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len() == 0
    }
}

impl Lists {
    /// Adds a list file; `today` (`YYYY-MM-DD`) decides which entries are in force.
    ///
    /// A malformed list, or one that turns out to be, is known by name but cannot be used.
    pub fn add(&mut self, file: &ListFile, today: &str, malformed: bool) -> Diagnostics {
        let mut diagnostics = Diagnostics::default();
        let document = &file.document;
        let span = file.tree.pointer("/list").map_or(file.tree.span, |node| node.span);
        let entry_span = |index: usize, key: &str| {
            let pointer = format!("/entries/{index}/{key}");
            file.tree.pointer(&pointer).map_or(file.tree.span, |node| node.span)
        };
        let mut in_force = Vec::new();
        for (index, entry) in document.entries.iter().enumerate() {
            let expired = entry.expires.as_deref().is_some_and(|day| day < today);
            if expired {
                let message = format!("the entry `{}` has expired and no longer applies", entry.value);
                let diagnostic = Diagnostic::new(Code::Expired, entry_span(index, "expires"), message);
                diagnostics.push(diagnostic.help("remove the entry, or move its date"));
            } else if !entry.value.is_empty() {
                in_force.push((index, entry.value.as_str()));
            }
        }
        let entries = match document.matching {
            Matching::Exact => {
                ListEntries::Exact(in_force.iter().map(|(_, value)| Literal::Text((*value).to_owned())).collect())
            }
            Matching::Glob => ListEntries::Globs(in_force.iter().map(|(_, value)| Glob::parse(value)).collect()),
            Matching::Cidr => {
                let mut networks = Vec::new();
                for (index, value) in in_force {
                    match Network::parse(value) {
                        Some(network) => networks.push(network),
                        None => {
                            let message = format!("`{value}` is no block of addresses");
                            let diagnostic = Diagnostic::new(Code::InvalidValue, entry_span(index, "value"), message);
                            diagnostics.push(diagnostic.help("write `10.0.0.0/8`, `2001:db8::/32` or one address"));
                        }
                    }
                }
                ListEntries::Networks(networks)
            }
        };
        if document.matching == Matching::Cidr && document.ty != ListType::Ip {
            let place = file.tree.pointer("/match").map_or(file.tree.span, |node| node.span);
            let message = "`match: cidr` needs `type: ip`";
            diagnostics.push(Diagnostic::new(Code::TypeMismatch, place, message).help("write `type: ip`"));
        }
        let name = Spanned::new(document.list.clone(), span);
        if let Some(earlier) = self.lists.get(&document.list) {
            let message = format!("a second list `{}`", document.list);
            let diagnostic = Diagnostic::new(Code::DuplicateName, span, message).note(earlier.name.span, "first here");
            diagnostics.push(diagnostic.help("names are unique in a project; rename one of the two"));
            return diagnostics;
        }
        if !document.list.is_empty() {
            let malformed = malformed || diagnostics.has_errors();
            let list = List { name, title: document.title.clone(), entries, malformed };
            self.lists.insert(document.list.clone(), list);
        }
        diagnostics
    }

    /// The list of that name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&List> {
        self.lists.get(name)
    }

    /// Names of all lists.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.lists.keys().map(String::as_str)
    }
}
