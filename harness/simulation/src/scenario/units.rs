//! Lengths of time, ranges of them, and chances, as scenario files write them.
//!
//! Owns the exact conversion to whole microseconds and parts per million. Refuses rounding: what cannot be
//! said exactly is a mistake.

use std::fmt;
use std::time::Duration;

use super::model::Latency;

/// Units and the microseconds in one of them. The first that a text ends with wins, so that "ms" stands
/// before "s".
const UNITS: [(&str, u64); 5] = [
    ("us", 1),
    ("ms", 1_000),
    ("min", 60_000_000),
    ("s", 1_000_000),
    ("h", 3_600_000_000),
];

/// What is wrong with the text of a quantity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum UnitError {
    /// A number and nothing else.
    NoUnit(String),
    /// A number and a unit that there is not.
    UnknownUnit(String),
    /// No number.
    NoNumber(String),
    /// More decimals than microseconds, or parts per million, can hold.
    TooFine(String),
    /// More microseconds than the type holds.
    TooLarge(String),
    /// A chance of more than 100%.
    Above100(String),
    /// A range whose end comes before its beginning.
    Backwards(String),
    /// A chance without "%".
    NoPercent(String),
}

/// Reads "500us", "500ms", "1.5s", "2min", "1h".
pub(super) fn duration(text: &str) -> Result<Duration, UnitError> {
    let own = || text.to_owned();
    let Some((number, scale)) = UNITS
        .iter()
        .find_map(|(unit, scale)| Some((text.strip_suffix(unit)?.trim_end(), *scale)))
        .filter(|(number, _)| {
            number.ends_with(|c: char| c.is_ascii_digit() || c == '.') || number.is_empty()
        })
    else {
        let unit = text
            .trim_start_matches(|c: char| c.is_ascii_digit() || c == '.')
            .trim();
        return Err(match unit {
            "" if text.is_empty() => UnitError::NoNumber(own()),
            "" => UnitError::NoUnit(own()),
            unit if unit.len() < text.len() => UnitError::UnknownUnit(unit.to_owned()),
            _ => UnitError::NoNumber(own()),
        });
    };
    scaled(number, scale, text).map(Duration::from_micros)
}

/// Reads "5ms", which is a range of one length, or "2ms..8ms".
pub(super) fn latency(text: &str) -> Result<Latency, UnitError> {
    let (min, max) = match text.split_once("..") {
        Some((min, max)) => (duration(min.trim())?, duration(max.trim())?),
        None => (duration(text)?, duration(text)?),
    };
    if min > max {
        return Err(UnitError::Backwards(text.to_owned()));
    }
    Ok(Latency { min, max })
}

/// Reads "5%" or "0.5%", to parts per million.
pub(super) fn ratio(text: &str) -> Result<u32, UnitError> {
    let number = text
        .strip_suffix('%')
        .ok_or_else(|| UnitError::NoPercent(text.to_owned()))?;
    let parts = scaled(number.trim_end(), 10_000, text)?;
    match u32::try_from(parts) {
        Ok(parts @ 0..=1_000_000) => Ok(parts),
        _ => Err(UnitError::Above100(text.to_owned())),
    }
}

/// A decimal number times `scale`, exactly.
fn scaled(number: &str, scale: u64, text: &str) -> Result<u64, UnitError> {
    let own = || text.to_owned();
    let (whole, decimals) = number.split_once('.').unwrap_or((number, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return Err(UnitError::NoNumber(own()));
    }
    let whole: u64 = whole.parse().map_err(|_| UnitError::TooLarge(own()))?;
    let decimals = decimals.trim_end_matches('0');
    let places = u32::try_from(decimals.len()).unwrap_or(u32::MAX);
    let one = 10u64
        .checked_pow(places)
        .ok_or_else(|| UnitError::TooFine(own()))?;
    let part: u64 = if decimals.is_empty() {
        0
    } else {
        decimals.parse().map_err(|_| UnitError::TooFine(own()))?
    };
    let part = u128::from(part) * u128::from(scale);
    if !part.is_multiple_of(u128::from(one)) {
        return Err(UnitError::TooFine(own()));
    }
    let total = u128::from(whole) * u128::from(scale) + part / u128::from(one);
    u64::try_from(total).map_err(|_| UnitError::TooLarge(own()))
}

impl fmt::Display for UnitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoUnit(text) => write!(f, "`{text}` has no unit"),
            Self::UnknownUnit(unit) => write!(f, "there is no unit `{unit}`"),
            Self::NoNumber(text) => write!(f, "`{text}` is no quantity"),
            Self::TooFine(text) => write!(f, "`{text}` has too many decimals"),
            Self::TooLarge(text) => write!(f, "`{text}` is too large"),
            Self::Above100(text) => write!(f, "`{text}` is more than certain"),
            Self::Backwards(text) => write!(f, "`{text}` ends before it begins"),
            Self::NoPercent(text) => write!(f, "`{text}` is no percentage"),
        }
    }
}

impl UnitError {
    /// What is allowed instead.
    pub(super) const fn allowed(&self) -> &'static str {
        match self {
            Self::NoUnit(_) | Self::UnknownUnit(_) => "the units are us, ms, s, min and h",
            Self::NoNumber(_) => "a number and a unit, like \"500ms\", \"1.5s\" or \"2min\"",
            Self::TooFine(_) => "the finest step is 1us, of a chance 0.0001%",
            Self::TooLarge(_) => "expected at most 584542 years",
            Self::Above100(_) => "expected at most \"100%\"",
            Self::Backwards(_) => "the shortest first, like \"2ms..8ms\"",
            Self::NoPercent(_) => "a number and a percent sign, like \"5%\" or \"0.5%\"",
        }
    }
}

impl UnitError {
    /// The way out.
    pub(super) fn help(&self, text: &str) -> Option<String> {
        match self {
            Self::NoUnit(number) => Some(format!("write \"{number}s\" or \"{number}ms\"")),
            Self::UnknownUnit(unit) => {
                let number = text.strip_suffix(unit.as_str())?.trim_end();
                let near = match unit.as_str() {
                    "m" | "minute" | "minutes" | "mins" => "min",
                    "sec" | "secs" | "second" | "seconds" => "s",
                    "msec" | "millis" => "ms",
                    "µs" | "usec" => "us",
                    "hour" | "hours" => "h",
                    _ => return None,
                };
                Some(format!("did you mean `{number}{near}`?"))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_unit_converts_exactly() {
        let rows = [
            ("500us", 500),
            ("500ms", 500_000),
            ("30s", 30_000_000),
            ("2min", 120_000_000),
            ("1h", 3_600_000_000),
            ("1.5s", 1_500_000),
            ("0.000001s", 1),
            ("1.50000000000000000000s", 1_500_000),
            ("0s", 0),
            ("2 min", 120_000_000),
        ];
        for (text, micros) in rows {
            assert_eq!(duration(text), Ok(Duration::from_micros(micros)), "{text}");
        }
    }

    #[test]
    fn what_is_no_duration_says_why() {
        use UnitError::{NoNumber, NoUnit, TooFine, TooLarge, UnknownUnit};
        let rows = [
            ("500", NoUnit("500".into())),
            ("500m", UnknownUnit("m".into())),
            ("2 days", UnknownUnit("days".into())),
            ("soon", NoNumber("soon".into())),
            ("s", NoNumber("s".into())),
            ("", NoNumber(String::new())),
            ("-1s", NoNumber("-1s".into())),
            ("1.s", NoNumber("1.s".into())),
            ("1e3s", NoNumber("1e3s".into())),
            ("0.5us", TooFine("0.5us".into())),
            (
                "0.00000000000000000000001s",
                TooFine("0.00000000000000000000001s".into()),
            ),
            (
                "99999999999999999999s",
                TooLarge("99999999999999999999s".into()),
            ),
            ("9999999999999999h", TooLarge("9999999999999999h".into())),
        ];
        for (text, error) in rows {
            assert_eq!(duration(text), Err(error), "{text}");
        }
    }

    #[test]
    fn a_range_is_two_durations_in_order() {
        let ms = Duration::from_millis;
        assert_eq!(
            latency("2ms..8ms"),
            Ok(Latency {
                min: ms(2),
                max: ms(8)
            })
        );
        assert_eq!(
            latency("5ms"),
            Ok(Latency {
                min: ms(5),
                max: ms(5)
            })
        );
        assert_eq!(
            latency("8ms..2ms"),
            Err(UnitError::Backwards("8ms..2ms".into()))
        );
        assert_eq!(latency("2..8ms"), Err(UnitError::NoUnit("2".into())));
    }

    #[test]
    fn a_chance_is_a_percentage_to_the_millionth() {
        assert_eq!(ratio("5%"), Ok(50_000));
        assert_eq!(ratio("0.5%"), Ok(5_000));
        assert_eq!(ratio("100%"), Ok(1_000_000));
        assert_eq!(ratio("0.0001%"), Ok(1));
        assert_eq!(
            ratio("0.00001%"),
            Err(UnitError::TooFine("0.00001%".into()))
        );
        assert_eq!(ratio("101%"), Err(UnitError::Above100("101%".into())));
        assert_eq!(ratio("0.5"), Err(UnitError::NoPercent("0.5".into())));
    }
}
