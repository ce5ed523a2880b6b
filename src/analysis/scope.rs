//! What names mean at a place: fields, columns, list elements, parameters, lists.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use indexmap::IndexMap;

use super::lists::{List, Lists};
use super::parameters::Parameter;
use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::ir::{ParameterUse, Value};
use crate::schema::{Field, FieldPath, Members, Source, Type, nearest};
use crate::source::{Span, Spanned};
use crate::syntax::ast::Expr;

/// Parameters and lists of a detection, with a note of which were used.
pub(super) struct Environment<'a> {
    parameters: IndexMap<String, Parameter>,
    /// Parameters whose declaration has a mistake, which is reported there.
    mistaken: BTreeSet<String>,
    lists: &'a Lists,
    used: RefCell<BTreeSet<String>>,
    used_lists: RefCell<BTreeMap<String, usize>>,
}

/// What `$name` stands for.
pub(super) enum Reference<'a> {
    /// A parameter of the detection.
    Parameter(&'a Parameter),
    /// A shared list.
    List(&'a List),
}

impl<'a> Environment<'a> {
    /// Starts with nothing used.
    pub(super) fn new(parameters: IndexMap<String, Parameter>, mistaken: BTreeSet<String>, lists: &'a Lists) -> Self {
        Self { parameters, mistaken, lists, used: RefCell::default(), used_lists: RefCell::default() }
    }

    /// Finds what `$name` stands for.
    pub(super) fn reference(&self, name: &str, span: Span, diagnostics: &mut Diagnostics) -> Option<Reference<'_>> {
        if self.mistaken.contains(name) {
            return None;
        }
        let parameter = self.parameters.get(name);
        let list = self.lists.get(name);
        match (parameter, list) {
            (Some(parameter), Some(list)) => {
                let message = format!("`${name}` is both a parameter and a list");
                let diagnostic = Diagnostic::new(Code::DuplicateName, span, message);
                let diagnostic = diagnostic.note(parameter.span, "the parameter").note(list.name.span, "the list");
                diagnostics.push(diagnostic.help("rename the parameter"));
                None
            }
            (Some(parameter), None) => {
                self.used.borrow_mut().insert(name.to_owned());
                Some(Reference::Parameter(parameter))
            }
            (None, Some(list)) if list.malformed => {
                let diagnostic = Diagnostic::new(Code::UnknownList, span, format!("the list `{name}` has mistakes"));
                diagnostics.push(diagnostic.note(list.name.span, "the list").help("mend the list first"));
                None
            }
            (None, Some(list)) => {
                self.used_lists.borrow_mut().insert(name.to_owned(), list.entries.len());
                Some(Reference::List(list))
            }
            (None, None) => {
                let message = format!("there is no parameter and no list `{name}`");
                let diagnostic = Diagnostic::new(Code::UnknownList, span, message);
                let names = self.parameters.keys().map(String::as_str).chain(self.lists.names());
                diagnostics.push(match nearest(name, names) {
                    Some(near) => diagnostic.help(format!("the nearest is `${near}`")),
                    None => diagnostic.help(format!("declare it under `parameters`, or add `lists/{name}.yml`")),
                });
                None
            }
        }
    }

    /// Notes that a parameter is used elsewhere than in an expression.
    pub(super) fn warn_of_unused_parameters(&self, diagnostics: &mut Diagnostics) {
        let used = self.used.borrow();
        for (name, parameter) in &self.parameters {
            if !used.contains(name) {
                let message = format!("the parameter `{name}` is not used");
                let help = format!("write `${name}` where it is wanted, or remove it");
                diagnostics.push(Diagnostic::new(Code::UnusedParameter, parameter.span, message).help(help));
            }
        }
    }

    /// Every parameter with its value.
    pub(super) fn parameter_uses(&self) -> Vec<ParameterUse> {
        self.parameters
            .iter()
            .map(|(name, parameter)| ParameterUse {
                name: name.clone(),
                value: parameter.text.clone(),
                overridden: parameter.overridden,
                mutable_element: parameter.mutable_element.clone(),
            })
            .collect()
    }

    /// Every list that was used, with the number of its entries in force.
    pub(super) fn list_uses(&self) -> BTreeMap<String, usize> {
        self.used_lists.borrow().clone()
    }
}

/// Gives expressions their types in the scope of one signal.
pub(super) struct Typer<'a> {
    /// The signal's source.
    pub(super) source: &'a Arc<Source>,
    /// Columns that are in scope, in the order of the text.
    pub(super) columns: Vec<(String, Value)>,
    /// Elements of the quantifiers around the place, outermost first.
    pub(super) elements: Vec<ElementScope<'a>>,
    /// Names of columns that come further down and are not in scope yet.
    pub(super) later: Vec<String>,
    /// Whether a field that some sources of a class lack may stand here: what holds it says what is then meant.
    pub(super) may_lack: bool,
    /// Parameters and lists.
    pub(super) environment: &'a Environment<'a>,
    /// What was found wrong so far.
    pub(super) diagnostics: Diagnostics,
}

/// The element of a quantified list.
#[derive(Clone)]
pub(super) struct ElementScope<'a> {
    /// Name that the quantifier gave it.
    pub(super) name: String,
    /// The list.
    pub(super) list: FieldPath,
    /// Type of an element.
    pub(super) ty: Type,
    /// The list's field, which describes the elements too.
    pub(super) field: &'a Field,
    /// Members of an element.
    pub(super) members: &'a Members,
}

impl<'a> Typer<'a> {
    /// Starts in the scope of a source, without columns.
    pub(super) fn new(source: &'a Arc<Source>, environment: &'a Environment<'a>) -> Self {
        let diagnostics = Diagnostics::default();
        let (columns, elements, later) = (Vec::new(), Vec::new(), Vec::new());
        Self { source, columns, elements, later, may_lack: false, environment, diagnostics }
    }

    /// The value of an expression that may be a field which some sources of a class lack.
    pub(super) fn value_or_nothing(&mut self, expression: &Spanned<Expr>) -> Option<Spanned<Value>> {
        let outer = std::mem::replace(&mut self.may_lack, matches!(expression.node, Expr::Path(_)));
        let value = self.value(expression);
        self.may_lack = outer;
        value
    }

    /// Reports something wrong.
    pub(super) fn report(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Finds what `$name` stands for.
    pub(super) fn reference(&mut self, name: &str, span: Span) -> Option<Reference<'a>> {
        self.environment.reference(name, span, &mut self.diagnostics)
    }
}
