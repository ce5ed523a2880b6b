//! Addresses against blocks of addresses.

use std::net::IpAddr;

use crate::ir::{AddressSet, Network};

/// Whether a text is an address in one of the blocks; leading zeros and zones make no address.
pub(super) fn is_in(text: &str, networks: &[Network]) -> bool {
    text.parse::<IpAddr>().is_ok_and(|address| contains(networks, address))
}

/// Whether a text is an address of a set.
pub(super) fn is_of(text: &str, set: AddressSet) -> bool {
    let Ok(address) = text.parse::<IpAddr>() else { return false };
    let private = contains(&AddressSet::private_networks(), address);
    match set {
        AddressSet::Private => private,
        AddressSet::Public => !private,
    }
}

fn contains(networks: &[Network], address: IpAddr) -> bool {
    networks.iter().any(|network| network.0.contains(&address))
}
