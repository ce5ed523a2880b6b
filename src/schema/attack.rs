//! ATT&CK identifiers and their relations, as far as the shipped extract goes.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::source::FileId;
use crate::yaml;

/// An extract of one ATT&CK release: cloud strategies, their analytics, the techniques that they detect.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct AttackCatalog {
    /// Number of the release.
    pub release: String,
    /// Detection strategies by identifier.
    pub strategies: BTreeMap<String, Strategy>,
    /// Tactics of each technique, by the technique's identifier.
    pub techniques: BTreeMap<String, Vec<String>>,
}

/// A detection strategy.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct Strategy {
    /// Identifiers of its analytics.
    pub analytics: Vec<String>,
    /// Identifiers of the techniques that it detects.
    pub techniques: Vec<String>,
}

impl AttackCatalog {
    /// Reads the extract; `None` where the text is malformed.
    #[must_use]
    pub fn read(text: &str) -> Option<Self> {
        let (tree, _) = yaml::parse(FileId::default(), text);
        serde_yaml::from_value(yaml::to_yaml(&tree?)).ok()
    }

    /// The tactics of techniques, each once, in the order of the techniques.
    #[must_use]
    pub fn tactics(&self, techniques: &[String]) -> Vec<String> {
        let mut tactics: Vec<String> = Vec::new();
        for tactic in techniques.iter().filter_map(|technique| self.techniques.get(technique)).flatten() {
            if !tactics.contains(tactic) {
                tactics.push(tactic.clone());
            }
        }
        tactics
    }
}
