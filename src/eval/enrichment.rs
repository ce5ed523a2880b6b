//! What is known of addresses: country, city, autonomous system and place, from a file.
//!
//! Never asks a service, and never guesses: an address in no network is unknown.

use std::collections::{BTreeMap, HashMap};
use std::net::IpAddr;

use ipnet::IpNet;

use super::Number;
use crate::ir::Network;

/// Networks with what is known of their addresses; the longest prefix wins.
#[derive(Debug, Clone, Default)]
pub struct Enrichment {
    /// By whether it is version 6, then by prefix length, then by network.
    networks: BTreeMap<(bool, u8), HashMap<IpNet, Location>>,
}

/// What is known of a network.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Location {
    /// Country, as the file has it.
    pub country: Option<String>,
    /// City.
    pub city: Option<String>,
    /// Number of the autonomous system.
    pub asn: Option<i64>,
    /// Organisation of the autonomous system.
    pub organisation: Option<String>,
    /// Latitude and longitude in degrees.
    pub coordinates: Option<(f64, f64)>,
}

/// The columns that a file may have; `network` it must have.
const COLUMNS: [&str; 7] = ["network", "country", "city", "asn", "organisation", "latitude", "longitude"];

impl Enrichment {
    /// Reads CSV with a heading; of its columns `network`, `country`, `city`, `asn`, `organisation`, `latitude` and
    /// `longitude` all but the first may be missing. An empty field is unknown; of equal networks the last row counts.
    ///
    /// # Errors
    /// Says in which line what is wrong.
    pub fn from_csv(text: &str) -> Result<Self, String> {
        let mut records = records(text)?.into_iter();
        let (_, heading) = records.next().ok_or("the file is empty")?;
        if let Some(unknown) = heading.iter().find(|name| !COLUMNS.contains(&name.as_str())) {
            return Err(format!("line 1: unknown column `{unknown}`; the columns are {}", COLUMNS.join(", ")));
        }
        if !heading.iter().any(|name| name == "network") {
            return Err("line 1: there is no column `network`".to_owned());
        }
        let mut enrichment = Self::default();
        for (line, record) in records {
            if record.len() != heading.len() {
                return Err(format!("line {line}: {} fields, the heading has {}", record.len(), heading.len()));
            }
            let fields: HashMap<&str, &str> =
                heading.iter().map(String::as_str).zip(record.iter().map(String::as_str)).collect();
            let (network, location) = location(&fields).map_err(|why| format!("line {line}: {why}"))?;
            enrichment.add(network, location);
        }
        Ok(enrichment)
    }

    /// Says what is known of the addresses of a network.
    pub fn add(&mut self, network: Network, location: Location) {
        let network = network.0;
        let place = (network.addr().is_ipv6(), network.prefix_len());
        self.networks.entry(place).or_default().insert(network, location);
    }

    /// What is known of an address; leading zeros and zones make no address.
    #[must_use]
    pub fn of(&self, address: &str) -> Option<&Location> {
        if self.networks.is_empty() {
            return None;
        }
        let address: IpAddr = address.parse().ok()?;
        let lengths = self.networks.range((address.is_ipv6(), 0)..=(address.is_ipv6(), 128)).rev();
        let mut found =
            lengths.filter_map(|((_, length), networks)| networks.get(&IpNet::new(address, *length).ok()?.trunc()));
        found.next()
    }
}

fn location(fields: &HashMap<&str, &str>) -> Result<(Network, Location), String> {
    let field = |name: &str| fields.get(name).copied().filter(|text| !text.is_empty());
    let text = field("network").unwrap_or_default();
    let network = Network::parse(text).ok_or_else(|| format!("`{text}` is no network such as `198.51.100.0/24`"))?;
    let degrees = |name: &str, most: i64| -> Result<Option<f64>, String> {
        let Some(text) = field(name) else { return Ok(None) };
        let inside =
            Number::parse(text).is_some_and(|number| number <= Number::from(most) && number >= Number::from(-most));
        let number = text.parse().ok().filter(|_| inside);
        number.map(Some).ok_or_else(|| format!("`{text}` is no {name}"))
    };
    let asn = field("asn").map(|text| {
        let digits = text.strip_prefix("AS").unwrap_or(text);
        digits.parse::<u32>().map(i64::from).map_err(|_| format!("`{text}` is no number of an autonomous system"))
    });
    let coordinates = match (degrees("latitude", 90)?, degrees("longitude", 180)?) {
        (Some(latitude), Some(longitude)) => Some((latitude, longitude)),
        (None, None) => None,
        (Some(_), None) | (None, Some(_)) => return Err("latitude and longitude belong together".to_owned()),
    };
    let owned = |name: &str| field(name).map(str::to_owned);
    let location = Location {
        country: owned("country"),
        city: owned("city"),
        asn: asn.transpose()?,
        organisation: owned("organisation"),
        coordinates,
    };
    Ok((network, location))
}

/// The records of a CSV text with the lines on which they start; empty lines are skipped.
fn records(text: &str) -> Result<Vec<(usize, Vec<String>)>, String> {
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    let mut records = Vec::new();
    let (mut line, mut start) = (1, 1);
    let mut record: Vec<String> = Vec::new();
    let mut field = String::new();
    let mut quoted = false;
    let mut characters = text.chars().peekable();
    while let Some(character) = characters.next() {
        line += usize::from(character == '\n');
        match character {
            '"' if quoted && characters.peek() == Some(&'"') => {
                characters.next();
                field.push('"');
            }
            '"' if quoted || field.is_empty() => quoted = !quoted,
            other if quoted => field.push(other),
            ',' => record.push(std::mem::take(&mut field)),
            '\r' if characters.peek() == Some(&'\n') => {}
            '\n' => {
                if !record.is_empty() || !field.is_empty() {
                    record.push(std::mem::take(&mut field));
                    records.push((start, std::mem::take(&mut record)));
                }
                start = line;
            }
            other => field.push(other),
        }
    }
    if quoted {
        return Err(format!("line {start}: a quoted field has no end"));
    }
    if !record.is_empty() || !field.is_empty() {
        record.push(field);
        records.push((start, record));
    }
    Ok(records)
}
