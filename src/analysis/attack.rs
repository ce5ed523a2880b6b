//! Checks ATT&CK identifiers against the shipped extract.

use crate::diagnostic::{Code, Diagnostic, Diagnostics};
use crate::schema::{AttackCatalog, nearest};
use crate::syntax::DetectionFile;

/// Reports analytics that a known strategy does not have, and identifiers that the extract does not list.
pub(super) fn check(file: &DetectionFile, catalog: &AttackCatalog, diagnostics: &mut Diagnostics) {
    let unlisted =
        |id: &str| format!("`{id}` is not among the cloud identifiers of ATT&CK {} that are shipped", catalog.release);
    let strategy = file.document.attack.strategy.as_deref();
    let known = strategy.and_then(|id| catalog.strategies.get(id));
    if let Some(id) = strategy.filter(|_| known.is_none()) {
        let diagnostic = Diagnostic::new(Code::UnlistedAttackId, file.span("/attack/strategy"), unlisted(id));
        diagnostics.push(with_nearest(diagnostic, id, catalog.strategies.keys()));
    }
    // What is malformed has been left out of the document, and reported.
    let attack = &file.document.attack;
    let analytics = file.texts("/attack/analytics").into_iter().filter(|text| attack.analytics.contains(&text.node));
    for analytic in analytics {
        let id = analytic.node.as_str();
        match known {
            Some(strategy) if strategy.analytics.iter().any(|known| known == id) => {}
            Some(strategy) => {
                let message = format!(
                    "the strategy `{}` has no analytic `{id}`",
                    file.document.attack.strategy.as_deref().unwrap_or("")
                );
                let diagnostic = Diagnostic::new(Code::UnknownAttackId, analytic.span, message);
                let all: Vec<_> = strategy.analytics.iter().map(|id| format!("`{id}`")).collect();
                diagnostics.push(diagnostic.help(format!("its analytics are {}", all.join(", "))));
            }
            None if catalog.strategies.values().any(|strategy| strategy.analytics.iter().any(|known| known == id)) => {}
            None => {
                let diagnostic = Diagnostic::new(Code::UnlistedAttackId, analytic.span, unlisted(id));
                let all = catalog.strategies.values().flat_map(|strategy| &strategy.analytics);
                diagnostics.push(with_nearest(diagnostic, id, all));
            }
        }
    }
    let techniques = file.texts("/attack/techniques").into_iter().filter(|text| attack.techniques.contains(&text.node));
    for technique in techniques {
        if !catalog.techniques.contains_key(&technique.node) {
            let diagnostic = Diagnostic::new(Code::UnlistedAttackId, technique.span, unlisted(&technique.node));
            diagnostics.push(with_nearest(diagnostic, &technique.node, catalog.techniques.keys()));
        }
    }
}

fn with_nearest<'a>(diagnostic: Diagnostic, id: &str, known: impl Iterator<Item = &'a String>) -> Diagnostic {
    match nearest(id, known.map(String::as_str)) {
        Some(near) => diagnostic.help(format!("the nearest is `{near}`")),
        None => diagnostic.help("look it up; only what cloud strategies detect is shipped"),
    }
}
