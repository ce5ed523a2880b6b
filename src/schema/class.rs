//! Reads the files of classes: the fields of a class, and what each of its sources has for them.
//!
//! Never reads an expression: those are texts with places here, and `analysis` gives them a meaning.

use std::collections::BTreeMap;
use std::sync::Arc;

use indexmap::IndexMap;

use super::{Case, Field, FieldPath, KnownValues, Members, Presence, Type, nearest};
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::source::{FileId, Span, Spanned};
use crate::yaml::{self, Node};

/// The files of classes, which are read when a detection names a class.
#[derive(Debug, Clone, Default)]
pub struct ClassFiles {
    /// By name of the class.
    classes: BTreeMap<String, Document>,
    /// By name of the class and of the source.
    members: BTreeMap<(String, String), Document>,
    /// By name of the patterns.
    patterns: BTreeMap<String, Document>,
}

/// A file.
#[derive(Debug, Clone)]
struct Document {
    file: FileId,
    text: Arc<str>,
}

/// A class as its files describe it.
#[derive(Debug, Clone)]
pub struct ClassText {
    /// Name for people.
    pub title: String,
    /// What its events are.
    pub description: String,
    /// Its fields, each with the attribute of OCSF that it is.
    pub fields: IndexMap<FieldPath, ClassField>,
    /// Its sources.
    pub members: Vec<MemberText>,
}

/// A field of a class.
#[derive(Debug, Clone)]
pub struct ClassField {
    /// Type, meaning and known values.
    pub field: Field,
    /// The attribute of OCSF that it is, where there is one.
    pub ocsf: Option<String>,
}

/// What a source has for the fields of a class.
#[derive(Debug, Clone)]
pub struct MemberText {
    /// Name of the source.
    pub source: Spanned<String>,
    /// Which of its events belong to the class; all of them without it.
    pub condition: Option<Node>,
    /// What it has for each field.
    pub fields: IndexMap<FieldPath, Spanned<Entry>>,
}

/// What a source has for a field of a class.
#[derive(Debug, Clone)]
pub enum Entry {
    /// The value of an expression.
    Expression(Node),
    /// A word, by the first condition that holds.
    Case {
        /// The conditions with their words.
        branches: Vec<Branch>,
        /// The word where none holds; nothing where the value is then missing.
        otherwise: Option<Spanned<String>>,
    },
    /// Nothing, for this reason.
    Missing(String),
}

/// A condition with its word, or several that are kept in a file of their own.
#[derive(Debug, Clone)]
pub enum Branch {
    /// One condition.
    When {
        /// The condition.
        when: Node,
        /// The word.
        is: Spanned<String>,
    },
    /// Conditions on a text, which they call `it`.
    Patterns {
        /// The text.
        of: Node,
        /// The conditions with their words.
        cases: Vec<(Node, Spanned<String>)>,
    },
}

impl ClassFiles {
    /// Takes a file by its path below `schemas/classes/`; `false` where the path says nothing.
    pub fn add(&mut self, path: &str, file: FileId, text: &str) -> bool {
        let document = Document { file, text: Arc::from(text) };
        let path = path.strip_suffix(".yml").or_else(|| path.strip_suffix(".yaml")).unwrap_or(path);
        match path.split('/').collect::<Vec<_>>().as_slice() {
            [class] => self.classes.insert((*class).to_owned(), document),
            ["patterns", name] => self.patterns.insert((*name).to_owned(), document),
            [class, source] => self.members.insert(((*class).to_owned(), (*source).to_owned()), document),
            _ => return false,
        };
        true
    }

    /// Names of the classes.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.classes.keys().map(String::as_str)
    }

    /// Whether there is a class of that name.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.classes.contains_key(name)
    }

    /// Names of the sources of a class.
    #[must_use]
    pub fn sources_of(&self, class: &str) -> Vec<&str> {
        self.members.keys().filter(|(of, _)| of == class).map(|(_, source)| source.as_str()).collect()
    }

    /// Reads a class with all of its sources; `None` where there is none, or its files are malformed, which the
    /// diagnostics explain.
    #[must_use]
    pub fn read(&self, name: &str) -> (Option<ClassText>, Diagnostics) {
        let mut diagnostics = Diagnostics::default();
        let Some(document) = self.classes.get(name) else { return (None, diagnostics) };
        let mut reader = Reader { files: self, diagnostics: &mut diagnostics };
        let class = reader.class(document, name).map(|mut class| {
            for ((_, source), member) in self.members.iter().filter(|((of, _), _)| of == name) {
                class.members.extend(reader.member(member, name, source, &class.fields));
            }
            class
        });
        let class = class.filter(|_| !diagnostics.has_errors());
        (class, diagnostics)
    }
}

/// Reads files; what is wrong with them is collected on the way.
struct Reader<'a> {
    files: &'a ClassFiles,
    diagnostics: &'a mut Diagnostics,
}

impl Reader<'_> {
    fn flaw<T>(&mut self, span: Span, message: impl Into<String>) -> Option<T> {
        self.diagnostics.push(Diagnostic::new(Code::InvalidSchema, span, message));
        None
    }

    fn tree(&mut self, document: &Document, keys: &[&str]) -> Option<Node> {
        let (tree, found) = yaml::parse(document.file, &document.text);
        self.diagnostics.extend(found);
        let tree = tree?;
        self.keys(&tree, keys)?;
        Some(tree)
    }

    /// Refuses keys that are not among these.
    fn keys(&mut self, node: &Node, known: &[&str]) -> Option<()> {
        let Some(entries) = node.as_mapping() else {
            return self.flaw(node.span, format!("a mapping is wanted, not {}", node.kind_name()));
        };
        for entry in entries.iter().filter(|entry| !known.contains(&entry.key.node.as_str())) {
            let message = format!("unknown key `{}`", entry.key.node);
            let diagnostic = Diagnostic::new(Code::InvalidSchema, entry.key.span, message);
            self.diagnostics.push(match nearest(&entry.key.node, known.iter().copied()) {
                Some(near) => diagnostic.help(format!("the nearest key is `{near}`")),
                None => diagnostic,
            });
        }
        Some(())
    }

    fn text(&mut self, node: &Node, key: &str) -> Option<Spanned<String>> {
        match node.get(key).and_then(|value| Some((value.as_scalar()?, value.span))) {
            Some((scalar, span)) if !scalar.text.is_empty() => Some(Spanned::new(scalar.text.clone(), span)),
            _ => self.flaw(node.get(key).map_or(node.span, |value| value.span), format!("the text `{key}` is missing")),
        }
    }

    /// The name in a file, which is that of the file too.
    fn name(&mut self, node: &Node, key: &str, wanted: &str) -> Option<Spanned<String>> {
        let name = self.text(node, key)?;
        if name.node == wanted {
            return Some(name);
        }
        self.flaw(name.span, format!("the file speaks of `{}`, but its path of `{wanted}`", name.node))
    }

    fn class(&mut self, document: &Document, name: &str) -> Option<ClassText> {
        let tree = self.tree(document, &["class", "title", "description", "fields"])?;
        self.name(&tree, "class", name)?;
        let (title, description) = (self.text(&tree, "title")?, self.text(&tree, "description")?);
        let entries = tree.get("fields").and_then(Node::as_mapping).unwrap_or_default();
        let mut fields = IndexMap::new();
        for entry in entries {
            if let Some(field) = self.class_field(&entry.value) {
                fields.insert(FieldPath::parse(&entry.key.node), field);
            }
        }
        let (title, description) = (title.node, description.node.trim().to_owned());
        Some(ClassText { title, description, fields, members: Vec::new() })
    }

    fn class_field(&mut self, node: &Node) -> Option<ClassField> {
        self.keys(node, &["type", "description", "values", "ocsf"])?;
        let (kind, description) = (self.text(node, "type")?, self.text(node, "description")?);
        let ty = match kind.node.as_str() {
            "string" => Type::Text,
            "ip" => Type::Ip,
            "int" => Type::Int,
            "float" => Type::Float,
            "bool" => Type::Bool,
            "time" => Type::Time,
            other => return self.flaw(kind.span, format!("`{other}` is no type of a class's field")),
        };
        let values = node.get("values").and_then(Node::as_sequence).unwrap_or_default();
        let values: Vec<String> = values.iter().filter_map(|value| Some(value.as_scalar()?.text.clone())).collect();
        let complete = !values.is_empty();
        let ocsf = node.get("ocsf").and_then(|value| Some(value.as_scalar()?.text.clone()));
        let field = Field {
            ty,
            description: description.node,
            case: Case::Any,
            values: KnownValues::new(values, complete, BTreeMap::new(), BTreeMap::new()),
            presence: Presence::Optional,
            epoch: None,
            members: Members::default(),
            name_value: None,
        };
        Some(ClassField { field, ocsf })
    }

    fn member(
        &mut self,
        document: &Document,
        class: &str,
        source: &str,
        known: &IndexMap<FieldPath, ClassField>,
    ) -> Option<MemberText> {
        let tree = self.tree(document, &["class", "source", "where", "fields"])?;
        self.name(&tree, "class", class)?;
        let source = self.name(&tree, "source", source)?;
        let mut fields = IndexMap::new();
        for entry in tree.get("fields").and_then(Node::as_mapping).unwrap_or_default() {
            let path = FieldPath::parse(&entry.key.node);
            let Some(field) = known.get(&path) else {
                let message = format!("the class `{class}` has no field `{path}`");
                let diagnostic = Diagnostic::new(Code::InvalidSchema, entry.key.span, message);
                let names: Vec<String> = known.keys().map(FieldPath::to_string).collect();
                self.diagnostics.push(match nearest(&entry.key.node, names.iter().map(String::as_str)) {
                    Some(near) => diagnostic.help(format!("the nearest field is `{near}`")),
                    None => diagnostic,
                });
                continue;
            };
            if let Some(found) = self.entry(&entry.value, &field.field.values) {
                fields.insert(path, Spanned::new(found, entry.value.span));
            }
        }
        for path in
            known.keys().filter(|path| tree.get("fields").and_then(|all| all.entry(&path.to_string())).is_none())
        {
            let message = format!("nothing is said of the field `{path}`");
            let diagnostic = Diagnostic::new(Code::InvalidSchema, source.span, message);
            self.diagnostics.push(diagnostic.help("write `{ missing: .. }` with the reason where there is none"));
        }
        Some(MemberText { source, condition: tree.get("where").cloned(), fields })
    }

    fn entry(&mut self, node: &Node, values: &KnownValues) -> Option<Entry> {
        if node.as_scalar().is_some() {
            return Some(Entry::Expression(node.clone()));
        }
        if node.get("missing").is_some() {
            self.keys(node, &["missing"])?;
            return self.text(node, "missing").map(|reason| Entry::Missing(reason.node));
        }
        self.keys(node, &["case", "otherwise"])?;
        let mut branches = Vec::new();
        for branch in node.get("case").and_then(Node::as_sequence).unwrap_or_default() {
            branches.push(if branch.get("patterns").is_some() {
                self.keys(branch, &["patterns", "of"])?;
                let name = self.text(branch, "patterns")?;
                self.text(branch, "of")?;
                Branch::Patterns { of: branch.get("of")?.clone(), cases: self.patterns(&name, values)? }
            } else {
                self.keys(branch, &["when", "is"])?;
                self.text(branch, "when")?;
                Branch::When { when: branch.get("when")?.clone(), is: self.word(branch, "is", values)? }
            });
        }
        if branches.is_empty() {
            return self.flaw(node.span, "an expression, `case` or `missing` is wanted");
        }
        let otherwise = match node.get("otherwise") {
            Some(_) => Some(self.word(node, "otherwise", values)?),
            None => None,
        };
        Some(Entry::Case { branches, otherwise })
    }

    /// A word, which is one of the field's.
    fn word(&mut self, node: &Node, key: &str, values: &KnownValues) -> Option<Spanned<String>> {
        let word = self.text(node, key)?;
        if values.values.contains(&word.node) {
            return Some(word);
        }
        self.flaw(word.span, format!("`{}` is none of the field's values", word.node))
    }

    /// The conditions of a file of patterns.
    fn patterns(&mut self, name: &Spanned<String>, values: &KnownValues) -> Option<Vec<(Node, Spanned<String>)>> {
        let Some(document) = self.files.patterns.get(&name.node) else {
            return self.flaw(name.span, format!("there is no file schemas/classes/patterns/{}.yml", name.node));
        };
        let tree = self.tree(document, &["patterns", "title", "cases"])?;
        self.name(&tree, "patterns", &name.node)?;
        let mut cases = Vec::new();
        for case in tree.get("cases").and_then(Node::as_sequence).unwrap_or_default() {
            self.keys(case, &["when", "is", "from"])?;
            self.text(case, "from")?;
            self.text(case, "when")?;
            cases.push((case.get("when")?.clone(), self.word(case, "is", values)?));
        }
        Some(cases)
    }
}
