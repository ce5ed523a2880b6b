//! Exact numbers: whole ones of 64 bits without ceremony, all others as fractions of any length.
//!
//! Never rounds but where a number without end is written as text.

use std::cmp::Ordering;
use std::fmt;

use num_bigint::{BigInt, Sign};
use num_rational::BigRational;

/// An exact number; equal numbers are equal however they came about.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Number(Form);

/// Whole numbers of 64 bits are always `Whole`.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Form {
    Whole(i64),
    Fraction(Box<BigRational>),
}

/// How many digits stand behind the point of a number without end.
const DIGITS_WITHOUT_END: u32 = 12;

impl Number {
    /// Zero.
    pub const ZERO: Self = Self(Form::Whole(0));

    /// Reads an optional minus, digits, and perhaps a point with digits; leading zeros are dropped.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let (whole, fraction) = match unsigned.split_once('.') {
            Some((whole, fraction)) if is_digits(fraction) => (whole, fraction.trim_end_matches('0')),
            Some(_) => return None,
            None => (unsigned, ""),
        };
        if !is_digits(whole) {
            return None;
        }
        if fraction.is_empty()
            && let Ok(number) = whole.parse::<i64>()
        {
            return Some(Self(Form::Whole(if text.starts_with('-') { -number } else { number })));
        }
        let digits = BigInt::parse_bytes(format!("{whole}{fraction}").as_bytes(), 10)?;
        let digits = if text.starts_with('-') { -digits } else { digits };
        Some(Self::from_ratio(BigRational::new(digits, power_of_ten(u32::try_from(fraction.len()).ok()?))))
    }

    /// Reads the text that a number has in an event: no plus, no leading zeros, no exponent.
    pub(super) fn from_shortest(text: &str) -> Option<Self> {
        let unsigned = text.strip_prefix('-').unwrap_or(text);
        let whole = unsigned.split('.').next().unwrap_or_default();
        if whole.len() > 1 && whole.starts_with('0') {
            return None;
        }
        Self::parse(text)
    }

    /// A number of JSON; `None` where it is beyond what JSON readers hold.
    pub(super) fn from_json(number: &serde_json::Number) -> Option<Self> {
        match (number.as_i64(), number.as_u64(), number.as_f64()) {
            (Some(whole), _, _) => Some(Self::from(whole)),
            (None, Some(whole), _) => Some(Self::from(whole)),
            // Rust writes a float's shortest digits without exponent.
            (None, None, Some(float)) => Self::parse(&float.to_string()),
            (None, None, None) => None,
        }
    }

    /// The number as a whole one of 64 bits, where it is one.
    #[must_use]
    pub const fn as_int(&self) -> Option<i64> {
        match &self.0 {
            Form::Whole(whole) => Some(*whole),
            Form::Fraction(_) => None,
        }
    }

    /// The sum.
    pub(super) fn plus(&self, other: &Self) -> Self {
        let whole = self.as_int().zip(other.as_int()).and_then(|(one, two)| one.checked_add(two));
        whole.map_or_else(|| Self::from_ratio(self.ratio() + other.ratio()), Self::from)
    }

    /// The difference.
    pub(super) fn minus(&self, other: &Self) -> Self {
        let whole = self.as_int().zip(other.as_int()).and_then(|(one, two)| one.checked_sub(two));
        whole.map_or_else(|| Self::from_ratio(self.ratio() - other.ratio()), Self::from)
    }

    /// The product.
    pub(super) fn times(&self, other: &Self) -> Self {
        let whole = self.as_int().zip(other.as_int()).and_then(|(one, two)| one.checked_mul(two));
        whole.map_or_else(|| Self::from_ratio(self.ratio() * other.ratio()), Self::from)
    }

    /// The quotient; `None` where the divisor is zero.
    pub(super) fn divided_by(&self, other: &Self) -> Option<Self> {
        (*other != Self::ZERO).then(|| Self::from_ratio(self.ratio() / other.ratio()))
    }

    /// The smallest whole number that is not below this one.
    pub(super) fn rounded_up(&self) -> Self {
        Self::from_ratio(self.ratio().ceil())
    }

    fn ratio(&self) -> BigRational {
        match &self.0 {
            Form::Whole(whole) => BigRational::from_integer(BigInt::from(*whole)),
            Form::Fraction(ratio) => (**ratio).clone(),
        }
    }

    fn from_ratio(ratio: BigRational) -> Self {
        if ratio.is_integer()
            && let Ok(whole) = i64::try_from(ratio.numer())
        {
            return Self::from(whole);
        }
        Self(Form::Fraction(Box::new(ratio)))
    }
}

impl From<i64> for Number {
    fn from(whole: i64) -> Self {
        Self(Form::Whole(whole))
    }
}

impl From<u64> for Number {
    fn from(whole: u64) -> Self {
        Self::from_ratio(BigRational::from_integer(BigInt::from(whole)))
    }
}

impl Ord for Number {
    fn cmp(&self, other: &Self) -> Ordering {
        match (&self.0, &other.0) {
            (Form::Whole(one), Form::Whole(two)) => one.cmp(two),
            _ => self.ratio().cmp(&other.ratio()),
        }
    }
}

impl PartialOrd for Number {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl fmt::Display for Number {
    /// Writes the shortest decimal; a number without end has twelve digits behind the point, the last one rounded.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let ratio = match &self.0 {
            Form::Whole(whole) => return whole.fmt(f),
            Form::Fraction(ratio) => ratio,
        };
        let scale = decimals(ratio.denom()).unwrap_or(DIGITS_WITHOUT_END);
        let scaled = (ratio.as_ref() * BigRational::from_integer(power_of_ten(scale))).round().to_integer();
        let digits = scaled.magnitude().to_string();
        let width = usize::try_from(scale).unwrap_or(0) + 1;
        let digits = format!("{digits:0>width$}");
        let (whole, fraction) = digits.split_at_checked(digits.len() + 1 - width).unwrap_or((&digits, ""));
        if scaled.sign() == Sign::Minus {
            f.write_str("-")?;
        }
        f.write_str(whole)?;
        let fraction = fraction.trim_end_matches('0');
        if fraction.is_empty() { Ok(()) } else { write!(f, ".{fraction}") }
    }
}

/// How many decimals a fraction with this denominator has; `None` where it has no end.
fn decimals(denominator: &BigInt) -> Option<u32> {
    let mut rest = denominator.clone();
    let mut count = |factor: u32| {
        let mut times = 0;
        while (&rest % factor).sign() == Sign::NoSign {
            rest /= factor;
            times += 1;
        }
        times
    };
    let places = count(2).max(count(5));
    (rest == BigInt::from(1)).then_some(places)
}

fn power_of_ten(exponent: u32) -> BigInt {
    BigInt::from(10).pow(exponent)
}

fn is_digits(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit())
}
