//! Constants inside expressions.

use serde::Serialize;

use std::fmt;

use ipnet::IpNet;

use crate::schema::Type;

/// A constant.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Literal {
    /// Text; never empty where it is compared with a field.
    Text(String),
    /// Whole number.
    Int(i64),
    /// Decimal number, exact.
    Float(Decimal),
    /// Truth value.
    Bool(bool),
}

impl Literal {
    /// The constant's type.
    #[must_use]
    pub const fn ty(&self) -> Type {
        match self {
            Self::Text(_) => Type::Text,
            Self::Int(_) => Type::Int,
            Self::Float(_) => Type::Float,
            Self::Bool(_) => Type::Bool,
        }
    }
}

impl fmt::Display for Literal {
    /// Writes the constant's text, without quotes.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => f.write_str(text),
            Self::Int(number) => number.fmt(f),
            Self::Float(number) => number.fmt(f),
            Self::Bool(value) => value.fmt(f),
        }
    }
}

/// A decimal number kept as its shortest text, so that it is exact and comparable.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Decimal {
    text: String,
}

impl Decimal {
    /// Reads `-?digits.digits`; trailing zeros of the fraction are dropped. `None` for any other text.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = unsigned.split_once('.')?;
        let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
        if !digits(whole) || !digits(fraction) {
            return None;
        }
        let whole = whole.trim_start_matches('0');
        let fraction = fraction.trim_end_matches('0');
        let whole = if whole.is_empty() { "0" } else { whole };
        let sign = if text.starts_with('-') && (whole != "0" || !fraction.is_empty()) { "-" } else { "" };
        let fraction = if fraction.is_empty() { "0" } else { fraction };
        Some(Self { text: format!("{sign}{whole}.{fraction}") })
    }

    /// Reads `-?digits` or `-?digits.digits`; a whole number keeps no fraction. `None` for any other text.
    #[must_use]
    pub fn parse_number(text: &str) -> Option<Self> {
        if text.contains('.') {
            let decimal = Self::parse(text)?;
            let whole = decimal.text.strip_suffix(".0").map(|whole| if whole == "-0" { "0" } else { whole });
            return Some(whole.map(|whole| Self { text: whole.to_owned() }).unwrap_or(decimal));
        }
        let mut decimal = Self::parse(&format!("{text}.0"))?;
        decimal.text.truncate(decimal.text.len() - 2);
        Some(decimal)
    }

    /// Whether the text has no fraction.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        !self.text.contains('.')
    }

    /// Whether the number is below zero.
    #[must_use]
    pub fn is_negative(&self) -> bool {
        self.text.starts_with('-')
    }

    /// Whether the number is zero.
    #[must_use]
    pub fn is_zero(&self) -> bool {
        self.text.bytes().all(|byte| matches!(byte, b'0' | b'.' | b'-'))
    }

    /// The number's text, such as `-0.5`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }
}

impl fmt::Display for Decimal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// A block of addresses with its host bits cleared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Network(pub IpNet);

impl Network {
    /// Reads `10.0.0.0/8`, `2001:db8::/32` or a single address; host bits are cleared.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let net = match text.parse::<IpNet>() {
            Ok(net) => net,
            Err(_) => IpNet::from(text.parse::<std::net::IpAddr>().ok()?),
        };
        Some(Self(net.trunc()))
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A named set of addresses; both are false where the text is no address.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum AddressSet {
    /// 10/8, 172.16/12, 192.168/16, 127/8, 169.254/16, 100.64/10, `fc00::/7`, `fe80::/10`, `::1`.
    Private,
    /// Any address that is not private.
    Public,
}

impl AddressSet {
    /// The blocks that make up the private addresses.
    pub const PRIVATE_BLOCKS: [&'static str; 9] = [
        "10.0.0.0/8",
        "172.16.0.0/12",
        "192.168.0.0/16",
        "127.0.0.0/8",
        "169.254.0.0/16",
        "100.64.0.0/10",
        "fc00::/7",
        "fe80::/10",
        "::1/128",
    ];

    /// The private blocks as networks.
    #[must_use]
    pub fn private_networks() -> Vec<Network> {
        Self::PRIVATE_BLOCKS.iter().filter_map(|block| Network::parse(block)).collect()
    }
}

/// Day of the week; the number is that of ISO 8601, Monday being 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct Weekday(pub u8);

/// Opening hours at a fixed offset from UTC; a time on an opening day inside `[start, end)` is inside.
///
/// With `end <= start` the hours run over midnight and belong to the local day on which the instant lies.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize)]
pub struct OpeningHours {
    /// Opening days, sorted.
    pub days: Vec<Weekday>,
    /// First minute of the day, 0 to 1439.
    pub start_minute: u16,
    /// Minute of the day that no longer counts, 1 to 1440.
    pub end_minute: u16,
    /// Minutes to add to UTC for the local time, -840 to 840.
    pub offset_minutes: i16,
}

impl Serialize for Decimal {
    /// As text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl Serialize for Network {
    /// As text.
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}
