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

/// A text as an address of each family; null where it is none.
#[derive(Debug, Clone)]
pub(super) struct Families {
    four: EvalExpr,
    six: EvalExpr,
}

impl Context<'_> {
    /// A text as an address of each family; outside lists in helper columns, because the shapes are long.
    pub(super) fn families(&mut self, scope: Scope<'_>, text: &EvalExpr) -> Families {
        let shaped = |shape: String| {
            let fits = EvalExpr::Call(Function::Match, vec![text.clone(), EvalExpr::Regex(shape)]);
            EvalExpr::only_if(fits, text.clone())
        };
        let (four, six) = (shaped(shape_of_four()), shaped(shape_of_six()));
        if scope.element.is_some() {
            return Families { four, six };
        }
        Families { four: EvalExpr::derived(self.helper("four", four)), six: EvalExpr::derived(self.helper("six", six)) }
    }
}

impl Families {
    /// Whether the address lies in one of the blocks; null or false where there is none.
    pub(super) fn in_networks(&self, networks: &[Network]) -> EvalExpr {
        let block = |network: &Network| {
            let address = if network.0.addr().is_ipv4() { &self.four } else { &self.six };
            EvalExpr::Call(Function::CidrMatch, vec![EvalExpr::text(network.to_string()), address.clone()])
        };
        EvalExpr::any(networks.iter().map(block).collect())
    }

    /// Whether the address belongs to the set.
    pub(super) fn in_set(&self, set: AddressSet) -> EvalExpr {
        let private = self.in_networks(&AddressSet::private_networks());
        match set {
            AddressSet::Private => private,
            AddressSet::Public => {
                let is_address =
                    [&self.four, &self.six].map(|family| EvalExpr::call(Function::IsNotNull, family.clone()));
                EvalExpr::all(vec![EvalExpr::any(is_address.to_vec()), EvalExpr::unless(private)])
            }
        }
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
