//! Finds the names to group by, and the aliases of what rules call differently.

use indexmap::IndexMap;

use super::ast::Text;
use super::heading;
use crate::ir::Key;

/// A rule that a correlation refers to, and what it calls the correlation's keys.
pub(super) struct Named {
    /// Its name.
    pub(super) rule: String,
    /// Its field for each key, in order; `None` where it was refused.
    pub(super) keys: Vec<Option<String>>,
}

/// What a correlation groups by.
pub(super) struct Grouping {
    /// What each rule calls a name of `group_by`, by that name and the rule's.
    pub(super) aliases: IndexMap<Text, IndexMap<Text, Text>>,
    /// The names, each once.
    pub(super) group_by: Vec<Text>,
    /// The name of each key.
    pub(super) names: Vec<Option<String>>,
}

/// The grouping of events of these rules by keys.
pub(super) fn by_keys(keys: &[Key], rules: &[&Named]) -> Grouping {
    let mut grouping = Grouping { aliases: IndexMap::new(), group_by: Vec::new(), names: Vec::new() };
    for (index, key) in keys.iter().enumerate() {
        let names: Vec<(&str, &str)> =
            rules.iter().filter_map(|rule| Some((rule.rule.as_str(), rule.keys.get(index)?.as_deref()?))).collect();
        let Some((_, first)) = names.first() else {
            grouping.names.push(None);
            continue;
        };
        let name = if names.iter().all(|(_, name)| name == first) {
            Text((*first).to_owned())
        } else {
            let mut alias = Text(heading::identifier(&key.name));
            while grouping.group_by.contains(&alias) {
                alias.0.push('_');
            }
            let fields = names.iter().map(|(rule, name)| (Text((*rule).to_owned()), Text((*name).to_owned())));
            grouping.aliases.insert(alias.clone(), fields.collect());
            alias
        };
        grouping.names.push(Some(name.0.clone()));
        if !grouping.group_by.contains(&name) {
            grouping.group_by.push(name);
        }
    }
    grouping
}
