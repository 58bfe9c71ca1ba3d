//! A length of time on the command line: takes `90s`, `500ms`, `5m`, `8h`; gives a duration.

use std::time::Duration;

/// Reads a number and its unit.
pub fn parse(text: &str) -> Result<Duration, String> {
    let right = || format!("`{text}` is no length of time; write for example 500ms, 20s, 5m or 8h");
    let digits = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let unit_s = match unit {
        "ms" => 1e-3,
        "s" => 1.0,
        "m" | "min" => 60.0,
        "h" => 3600.0,
        _ => return Err(right()),
    };
    let number: f64 = number.parse().map_err(|_| right())?;
    Duration::try_from_secs_f64(number * unit_s)
        .ok()
        .filter(|span| !span.is_zero())
        .ok_or_else(right)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_units() {
        for (text, ms) in [("500ms", 500), ("1.5s", 1500), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(parse(text), Ok(Duration::from_millis(ms)));
        }
        for text in ["", "5", "s", "-1s", "1d", "0s", "1e9s", "..s", "9999999999999999999999h"] {
            let error = parse(text).unwrap_err();
            assert!(error.contains("write for example"), "{error}");
        }
    }
}
