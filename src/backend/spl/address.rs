//! Addresses, and the shapes of texts that count as numbers or addresses.

use super::ast::{EvalExpr, Function};
use super::context::{Context, Scope};
use crate::ir::{AddressSet, Network};

/// A whole number in its shortest text; a fraction of zeros does not change it.
pub(super) const WHOLE: &str = "(?s)^-?(?:0|[1-9][0-9]*)(?:[.]0+)?(?!.)";
/// A number in its shortest decimal text.
pub(super) const DECIMAL: &str = "(?s)^-?(?:0|[1-9][0-9]*)(?:[.][0-9]+)?(?!.)";
/// What `int()` reads.
pub(super) const INTEGER_TEXT: &str = "(?s)^[+-]?[0-9]+(?!.)";
/// What `float()` reads.
pub(super) const DECIMAL_TEXT: &str = "(?s)^[+-]?[0-9]+(?:[.][0-9]+)?(?!.)";

/// Four octets without leading zeros.
const OCTETS: &str =
    "(?:(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])[.]){3}(?:25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])";
/// A group of an IPv6 address.
const GROUP: &str = "[0-9a-f]{1,4}";

impl Context<'_> {
    /// Whether a text is an address in one of the blocks; null or false where it is none.
    pub(super) fn in_networks(&mut self, scope: Scope<'_>, text: &EvalExpr, networks: &[Network]) -> EvalExpr {
        let mut parts = Vec::new();
        for network in networks {
            let address = self.address(scope, text, network.0.addr().is_ipv4());
            parts.push(EvalExpr::Call(Function::CidrMatch, vec![EvalExpr::text(network.to_string()), address]));
        }
        EvalExpr::any(parts)
    }

    /// Whether a text is an address of the set.
    pub(super) fn in_set(&mut self, scope: Scope<'_>, text: &EvalExpr, set: AddressSet) -> EvalExpr {
        let private = self.in_networks(scope, text, &AddressSet::private_networks());
        match set {
            AddressSet::Private => private,
            AddressSet::Public => {
                let families = [true, false].map(|four| self.address(scope, text, four));
                let is_address = families.map(|address| EvalExpr::call(Function::IsNotNull, address));
                EvalExpr::all(vec![EvalExpr::any(is_address.to_vec()), EvalExpr::unless(private)])
            }
        }
    }

    /// A text as an address of one family, null where it is none; outside lists a helper column, because the shapes are long.
    fn address(&mut self, scope: Scope<'_>, text: &EvalExpr, four: bool) -> EvalExpr {
        let (kind, shape) = if four { ("four", shape_of_four()) } else { ("six", shape_of_six()) };
        let fits = EvalExpr::Call(Function::Match, vec![text.clone(), EvalExpr::Regex(shape)]);
        let address = EvalExpr::only_if(fits, text.clone());
        if scope.element.is_some() { address } else { EvalExpr::derived(self.helper(kind, address)) }
    }
}

fn shape_of_four() -> String {
    format!("(?s)^{OCTETS}(?!.)")
}

/// Eight groups, or fewer around one `::`; the last two may be written as four octets.
fn shape_of_six() -> String {
    let left = format!("(?:{GROUP}(?::{GROUP})*)?::");
    let fewer_than = |groups: u32| format!("(?!:*(?:[0-9a-f]+:+){{{}}}[0-9a-f])", groups - 1);
    format!(
        "(?is)^(?:{GROUP}(?::{GROUP}){{7}}|{}{left}(?:{GROUP}(?::{GROUP})*)?|(?:{GROUP}:){{6}}{OCTETS}|{}{left}(?:{GROUP}:)*{OCTETS})(?!.)",
        fewer_than(8),
        fewer_than(7),
    )
}
