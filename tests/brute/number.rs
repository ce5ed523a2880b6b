//! Exact numbers, so that the brute force rounds nowhere.

use std::cmp::Ordering;
use std::fmt;

/// A fraction in lowest terms; the denominator is above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Ratio {
    top: i128,
    bottom: i128,
}

impl Ratio {
    pub const ZERO: Self = Self { top: 0, bottom: 1 };

    pub fn new(top: i128, bottom: i128) -> Self {
        let divisor = gcd(top.abs(), bottom.abs()).max(1) * bottom.signum();
        Self { top: top / divisor, bottom: bottom / divisor }
    }

    pub fn whole(number: i128) -> Self {
        Self { top: number, bottom: 1 }
    }

    pub fn count(number: usize) -> Self {
        Self::whole(number as i128)
    }

    /// Reads `-?digits(.digits)?`.
    pub fn parse(text: &str) -> Option<Self> {
        let (sign, digits) = text.strip_prefix('-').map_or((1, text), |rest| (-1, rest));
        let (whole, fraction) = digits.split_once('.').unwrap_or((digits, "0"));
        let number: i128 = format!("{whole}{fraction}").parse().ok()?;
        Some(Self::new(sign * number, 10_i128.pow(u32::try_from(fraction.len()).ok()?)))
    }

    pub fn is_whole(self) -> bool {
        self.bottom == 1
    }

    pub fn plus(self, other: Self) -> Self {
        Self::new(self.top * other.bottom + other.top * self.bottom, self.bottom * other.bottom)
    }

    pub fn minus(self, other: Self) -> Self {
        Self::new(self.top * other.bottom - other.top * self.bottom, self.bottom * other.bottom)
    }

    pub fn times(self, other: Self) -> Self {
        Self::new(self.top * other.top, self.bottom * other.bottom)
    }

    pub fn over(self, other: Self) -> Option<Self> {
        (other.top != 0).then(|| Self::new(self.top * other.bottom, self.bottom * other.top))
    }

    /// The smallest whole number that is not below.
    pub fn ceiling(self) -> i128 {
        self.top.div_euclid(self.bottom) + i128::from(self.top.rem_euclid(self.bottom) > 0)
    }

    #[expect(clippy::cast_precision_loss, reason = "used where the page speaks of kilometres")]
    pub fn float(self) -> f64 {
        self.top as f64 / self.bottom as f64
    }
}

fn gcd(one: i128, other: i128) -> i128 {
    if other == 0 { one } else { gcd(other, one % other) }
}

impl PartialOrd for Ratio {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Ratio {
    fn cmp(&self, other: &Self) -> Ordering {
        (self.top * other.bottom).cmp(&(other.top * self.bottom))
    }
}

/// As a decimal; a number without end has twelve digits behind the point, the last one rounded.
impl fmt::Display for Ratio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let scale = 10_i128.pow(12);
        let scaled = (self.top.abs() * scale * 2 + self.bottom) / (self.bottom * 2);
        let sign = if self.top < 0 { "-" } else { "" };
        let digits = format!("{sign}{}.{:012}", scaled / scale, scaled % scale);
        f.write_str(digits.trim_end_matches('0').trim_end_matches('.'))
    }
}
