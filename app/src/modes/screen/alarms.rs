//! What somebody has to look after: takes how often each event happened; gives those that nobody
//! has acknowledged, the newest first.

use std::collections::BTreeMap;

use domain::{Event, WallTime};
use ui::Alarm;

/// An event that happened.
struct Seen {
    count: u64,
    acknowledged: u64,
    last: WallTime,
    said: String,
}

/// The alarms of a station.
#[derive(Default)]
pub struct Alarms {
    seen: BTreeMap<String, Seen>,
}

impl Alarms {
    /// Takes in the counts so far, and what each event said last; `now` is when those that
    /// happened since the last look did.
    pub fn look(
        &mut self,
        counts: &BTreeMap<&'static str, u64>,
        said: &BTreeMap<&'static str, Event>,
        now: WallTime,
    ) {
        for (&name, &count) in counts.iter().filter(|(name, _)| Event::name_is_alarm(name)) {
            let seen = self.seen.entry(name.to_owned()).or_insert_with(|| Seen {
                count: 0,
                acknowledged: 0,
                last: now,
                said: String::new(),
            });
            if seen.count != count {
                seen.count = count;
                seen.last = now;
                seen.said = said.get(name).map(ToString::to_string).unwrap_or_default();
            }
        }
    }

    /// Somebody has seen this one; whether there was one.
    pub fn acknowledge(&mut self, name: &str) -> bool {
        match self.seen.get_mut(name) {
            Some(seen) if seen.count > seen.acknowledged => {
                seen.acknowledged = seen.count;
                true
            }
            _ => false,
        }
    }

    /// Those that nobody has acknowledged, the newest first.
    pub fn open(&self) -> Vec<Alarm> {
        let open = self.seen.iter().filter(|(_, seen)| seen.count > seen.acknowledged);
        let mut open: Vec<Alarm> = open
            .map(|(name, seen)| Alarm {
                name: name.clone(),
                said: seen.said.clone(),
                count: seen.count - seen.acknowledged,
                last: seen.last,
            })
            .collect();
        open.sort_by_key(|alarm| std::cmp::Reverse(alarm.last));
        open
    }
}

#[cfg(test)]
mod tests {
    use domain::PartId;

    use super::*;

    #[test]
    fn an_alarm_stays_until_it_is_acknowledged_and_comes_back() {
        let mut alarms = Alarms::default();
        let at = |unix_ns| WallTime { unix_ns };
        let missed = Event::DeadlineMissed { part: PartId(7) };
        let said = BTreeMap::from([("deadline_missed", missed.clone())]);
        let counts = |missed| BTreeMap::from([("deadline_missed", missed), ("plc_back", 3)]);
        alarms.look(&counts(2), &said, at(5));
        alarms.look(&counts(2), &said, at(6));
        let open = alarms.open();
        assert_eq!((open.len(), open[0].count, open[0].last), (1, 2, at(5)), "quiet ones are none");
        assert_eq!(open[0].said, missed.to_string());
        assert!(alarms.acknowledge("deadline_missed") && alarms.open().is_empty());
        assert!(!alarms.acknowledge("deadline_missed") && !alarms.acknowledge("nothing"));
        alarms.look(&counts(3), &said, at(9));
        assert_eq!(alarms.open()[0].count, 1);
    }
}
