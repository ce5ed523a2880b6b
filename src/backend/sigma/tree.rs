//! Boolean trees of search items, with the few laws that make rules short.

use super::ast::{Item, Value};

/// A condition on one event, between the detection's predicate and Sigma's named searches.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Tree {
    /// Always this.
    Constant(bool),
    /// One item of a search.
    Leaf {
        /// The item.
        item: Item,
        /// Whether its field lies in a list, so that any element may fit.
        element: bool,
    },
    /// The opposite.
    Not(Box<Tree>),
    /// All of them.
    And(Vec<Tree>),
    /// Any of them.
    Or(Vec<Tree>),
}

impl Tree {
    /// All of the parts; parts that are constant or repeated vanish.
    pub(super) fn all(parts: Vec<Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for part in parts {
            let inner = match part {
                Self::Constant(true) => continue,
                Self::Constant(false) => return Self::Constant(false),
                Self::And(inner) => inner,
                other @ (Self::Leaf { .. } | Self::Not(_) | Self::Or(_)) => vec![other],
            };
            for part in inner {
                if !kept.contains(&part) {
                    kept.push(part);
                }
            }
        }
        if kept.is_empty() {
            return Self::Constant(true);
        }
        if kept.len() == 1 { kept.remove(0) } else { Self::And(kept) }
    }

    /// Any of the parts; items that differ in their values only become one.
    pub(super) fn any(parts: Vec<Self>) -> Self {
        let mut kept: Vec<Self> = Vec::new();
        for part in parts {
            let inner = match part {
                Self::Constant(false) => continue,
                Self::Constant(true) => return Self::Constant(true),
                Self::Or(inner) => inner,
                other @ (Self::Leaf { .. } | Self::Not(_) | Self::And(_)) => vec![other],
            };
            for part in inner {
                add_alternative(&mut kept, part);
            }
        }
        if kept.is_empty() {
            return Self::Constant(false);
        }
        if kept.len() == 1 { kept.remove(0) } else { Self::Or(kept) }
    }

    /// The opposite.
    pub(super) fn not(inner: Self) -> Self {
        match inner {
            Self::Constant(value) => Self::Constant(!value),
            Self::Not(inner) => *inner,
            other @ (Self::Leaf { .. } | Self::And(_) | Self::Or(_)) => Self::Not(Box::new(other)),
        }
    }

    /// The parts that all have to hold.
    pub(super) fn conjuncts(&self) -> &[Self] {
        match self {
            Self::And(parts) => parts,
            other @ (Self::Constant(_) | Self::Leaf { .. } | Self::Not(_) | Self::Or(_)) => std::slice::from_ref(other),
        }
    }

    /// Whether an event that passes has a value in the field, as far as a look at the conjuncts shows.
    pub(super) fn demands(&self, field: &str) -> bool {
        self.conjuncts().iter().any(|part| match part {
            Self::Leaf { item, .. } => {
                item.field == field && !item.values.iter().any(|value| matches!(value, Value::Null | Value::Empty))
            }
            Self::Constant(_) | Self::Not(_) | Self::And(_) | Self::Or(_) => false,
        })
    }

    /// Whether an item on a list's elements stands under a negation.
    pub(super) fn denies_element(&self) -> bool {
        self.has_element(true)
    }

    fn has_element(&self, denied: bool) -> bool {
        match self {
            Self::Constant(_) => false,
            Self::Leaf { element, .. } => *element && !denied,
            Self::Not(inner) => inner.has_element(!denied),
            Self::And(parts) | Self::Or(parts) => parts.iter().any(|part| part.has_element(denied)),
        }
    }

    /// The smallest and the largest number of items on a list's elements that hold together when the tree does.
    pub(super) fn elements(&self) -> (usize, usize) {
        match self {
            Self::Constant(_) | Self::Not(_) => (0, 0),
            Self::Leaf { element, .. } => (usize::from(*element), usize::from(*element)),
            Self::And(parts) => {
                parts.iter().map(Self::elements).fold((0, 0), |sum, part| (sum.0 + part.0, sum.1 + part.1))
            }
            Self::Or(parts) => {
                let counts: Vec<(usize, usize)> = parts.iter().map(Self::elements).collect();
                let least = counts.iter().map(|count| count.0).min().unwrap_or(0);
                let most = counts.iter().map(|count| count.1).max().unwrap_or(0);
                (least, most)
            }
        }
    }
}

fn add_alternative(kept: &mut Vec<Tree>, part: Tree) {
    if let Tree::Leaf { item, element } = &part {
        for other in kept.iter_mut() {
            if let Tree::Leaf { item: known, element: known_element } = other
                && known.field == item.field
                && known.comparison == item.comparison
                && known_element == element
            {
                for value in &item.values {
                    if !known.values.contains(value) {
                        known.values.push(value.clone());
                    }
                }
                return;
            }
        }
    }
    if !kept.contains(&part) {
        kept.push(part);
    }
}
