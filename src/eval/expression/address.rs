//! Addresses against blocks of addresses.
//!
//! Never takes a host name, leading zeros or a zone for an address.

use std::net::IpAddr;

use crate::ir::{AddressSet, Network};

/// Whether a text is an address in one of the blocks.
pub(super) fn is_in(text: &str, networks: &[Network]) -> bool {
    text.parse::<IpAddr>().is_ok_and(|address| contains(networks, address))
}

/// Whether a text is an address of a set, given the blocks that are private.
pub(super) fn is_of(text: &str, set: AddressSet, private: &[Network]) -> bool {
    let Ok(address) = text.parse::<IpAddr>() else { return false };
    let is_private = contains(private, address);
    match set {
        AddressSet::Private => is_private,
        AddressSet::Public => !is_private,
    }
}

fn contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.0.contains(&address))
}
