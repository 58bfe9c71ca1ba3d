//! Takes what is not accepted of a run of the line (`misses=0,dropped=0`); gives what of it
//! happened.

use std::str::FromStr;

use super::look::Look;

/// A number that may be limited.
struct Limited {
    name: &'static str,
    of: fn(&Look) -> f64,
}

#[expect(clippy::cast_precision_loss, reason = "counts, held against limits")]
const LIMITED: [Limited; 8] = [
    Limited { name: "misses", of: |look| look.deadline_misses as f64 },
    Limited { name: "late", of: |look| look.late as f64 },
    Limited { name: "dropped", of: |look| look.frames_dropped as f64 },
    Limited { name: "missing", of: |look| look.frames_missing as f64 },
    Limited { name: "undecided", of: |look| look.parts.undecided as f64 },
    Limited { name: "alarms", of: |look| look.alarms as f64 },
    Limited { name: "decision-p99-ms", of: |look| look.decision().p99 },
    Limited { name: "decision-max-ms", of: |look| look.decision().max },
];

/// Limits that a run must keep: each number may be as high as its limit.
#[derive(Clone, Debug, PartialEq)]
pub struct FailOn(Vec<(usize, f64)>);

impl FromStr for FailOn {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let read = |item: &str| {
            let (name, limit) = item.split_once('=')?;
            let which = LIMITED.iter().position(|limited| limited.name == name.trim())?;
            let limit: f64 = limit.trim().parse().ok()?;
            (limit >= 0.0 && limit.is_finite()).then_some((which, limit))
        };
        let item_of = |item: &str| {
            let known = LIMITED.map(|limited| limited.name).join(", ");
            read(item).ok_or(format!("limit `{item}`: write misses=0,dropped=0; there are {known}"))
        };
        text.split(',').map(item_of).collect::<Result<_, _>>().map(Self)
    }
}

impl FailOn {
    /// The limits that were not kept, a sentence each.
    pub fn check(&self, look: &Look) -> Vec<String> {
        let broken = self.0.iter().filter_map(|(which, limit)| {
            let Limited { name, of } = &LIMITED[*which];
            let value = of(look);
            (value > *limit).then(|| format!("{name} is {value}, and may be {limit} at most"))
        });
        broken.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_held() {
        let limits: FailOn = "misses=0, dropped=3,decision-p99-ms=2.5".parse().unwrap();
        let mut look = Look::example();
        look.deadline_misses = 0;
        look.frames_dropped = 3;
        look.latency_ms.get_mut("decision").unwrap().p99 = 2.5;
        assert_eq!(limits.check(&look), [""; 0]);
        look.deadline_misses = 1;
        look.frames_dropped = 4;
        look.latency_ms.get_mut("decision").unwrap().p99 = 2.6;
        let broken = limits.check(&look);
        assert_eq!(broken.len(), 3);
        assert_eq!(broken[1], "dropped is 4, and may be 3 at most");
    }

    #[test]
    fn what_is_no_limit_is_refused_with_what_there_is() {
        for text in ["", "misses", "mises=0", "misses=-1", "misses=nan", "misses=0,"] {
            let error = text.parse::<FailOn>().unwrap_err();
            assert!(error.contains("decision-p99-ms"), "{error}");
        }
    }
}
