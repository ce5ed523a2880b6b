//! Addresses: the engine's functions behind a test of the text's shape, so that host names, prefixes,
//! zones and leading zeros are no addresses.

use ipnet::IpNet;

use super::ast::{Expr, Operator};
use crate::ir::{AddressSet, Network};

/// Four numbers without leading zeros; the engine's function checks that they are small enough.
const FOUR: &str = r"\A(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})\z";
/// Groups and colons, the last group possibly four numbers; the engine's function checks the rest.
const SIX: &str = r"\A[0-9A-Fa-f:]*:(?:[0-9A-Fa-f]{0,4}|(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2}))\z";

/// The condition that the text is an address in one of the blocks, or that it is not.
pub(super) fn in_networks(text: &Expr, networks: &[Network], positive: bool) -> Expr {
    let (four, six) = blocks(networks);
    let conditions = [(FOUR, four, "ipv4"), (SIX, six, "ipv6")].into_iter().filter_map(|(shape, blocks, version)| {
        if blocks.is_empty() {
            return None;
        }
        let inside = Expr::all([has_shape(text, shape), in_blocks(text, &blocks, version)]);
        Some(if positive { inside } else { inside.not() })
    });
    if positive { Expr::any(conditions) } else { Expr::all(conditions) }
}

/// The condition that the text is an address of the set, or that it is not.
pub(super) fn in_set(text: &Expr, set: AddressSet, positive: bool) -> Expr {
    let private = AddressSet::private_networks();
    match set {
        AddressSet::Private => in_networks(text, &private, positive),
        AddressSet::Public => {
            let (four, six) = blocks(&private);
            let outside = |shape: &str, valid: Expr, blocks: &[String], version: &str| {
                Expr::all([has_shape(text, shape), valid, in_blocks(text, blocks, version).not()])
            };
            let four_valid = Expr::call("isnotnull", Expr::call("parse_ipv4", text.clone()));
            let six_valid = Expr::call("isnotempty", Expr::call("parse_ipv6", text.clone()));
            let public = Expr::any([outside(FOUR, four_valid, &four, "ipv4"), outside(SIX, six_valid, &six, "ipv6")]);
            if positive { public } else { public.not() }
        }
    }
}

/// The condition that the text has the shape of an address, for functions that read other texts as one too.
pub(super) fn looks_like_address(text: &Expr) -> Expr {
    Expr::any([has_shape(text, FOUR), has_shape(text, SIX)])
}

fn blocks(networks: &[Network]) -> (Vec<String>, Vec<String>) {
    let (mut four, mut six) = (Vec::new(), Vec::new());
    for network in networks {
        match network.0 {
            IpNet::V4(_) => four.push(network.to_string()),
            IpNet::V6(_) => six.push(network.to_string()),
        }
    }
    (four, six)
}

fn has_shape(text: &Expr, shape: &str) -> Expr {
    Expr::infix(text.clone(), Operator::MatchesRegex, Expr::Pattern(shape.to_owned()))
}

/// Whether the address is in one of the blocks; false where the text is none.
fn in_blocks(text: &Expr, blocks: &[String], version: &str) -> Expr {
    let function = match (version, blocks.len()) {
        ("ipv4", 1) => "ipv4_is_in_range",
        ("ipv4", _) => "ipv4_is_in_any_range",
        (_, 1) => "ipv6_is_in_range",
        (_, _) => "ipv6_is_in_any_range",
    };
    let mut arguments = vec![text.clone()];
    arguments.extend(blocks.iter().map(Expr::text));
    Expr::Call(function, arguments).or_else(Expr::Bool(false))
}
