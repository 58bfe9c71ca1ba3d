//! What every stage has in common: how it counts, how it times itself, how it is asked to stop.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use domain::{Conservation, Event, GateSignal, MonoTime, Snapshot, Verdict};
use hdrhistogram::Histogram;

/// The line's counters. Written by the stages without waiting, read by anyone.
#[derive(Default)]
pub struct Counters {
    frames: AtomicU64,
    frames_dropped: AtomicU64,
    frames_total: AtomicU64,
    footage_ns: AtomicU64,
    triggered: AtomicU64,
    passed: AtomicU64,
    rejected: AtomicU64,
    undecided: AtomicU64,
    in_line: AtomicU64,
    told_reject: AtomicU64,
    deadline_misses: AtomicU64,
    late: AtomicU64,
    recorded: AtomicU64,
    stop: AtomicBool,
    /// Events are rare, so a lock that is held for an insertion does no harm.
    events: Mutex<Events>,
}

#[derive(Default)]
struct Events {
    counts: BTreeMap<&'static str, u64>,
    /// Not yet written down; bounded, the counts go on beyond it.
    unwritten: Vec<Event>,
}

fn bump(counter: &AtomicU64) {
    counter.fetch_add(1, Ordering::Relaxed);
}

impl Counters {
    /// A frame was taken from the source at `at` on its clock.
    pub fn frame(&self, at: MonoTime) {
        bump(&self.frames);
        self.footage_ns.fetch_max(at.ns, Ordering::Relaxed);
    }

    /// The source says how many frames there will be; 0 when it does not know.
    pub fn frames_expected(&self, total: u64) {
        self.frames_total.store(total, Ordering::Relaxed);
    }

    /// A part was located.
    pub fn triggered(&self) {
        bump(&self.triggered);
    }

    /// The gate was told of a part.
    pub fn answered(&self, verdict: &Verdict, gate: GateSignal) {
        bump(match verdict {
            Verdict::Pass => &self.passed,
            Verdict::Reject { .. } => &self.rejected,
            Verdict::Undecided { .. } => &self.undecided,
        });
        if gate == GateSignal::Reject {
            bump(&self.told_reject);
        }
    }

    /// How many parts the ledger still owes an answer.
    pub fn set_in_line(&self, open: usize) {
        self.in_line.store(open as u64, Ordering::Relaxed);
    }

    /// An outcome was written down.
    pub fn recorded(&self) {
        bump(&self.recorded);
    }

    /// Something worth telling happened: one log line, one count.
    pub fn event(&self, event: &Event) {
        tracing::info!(target: "line", event = event.name(), "{event}");
        match event {
            Event::FrameDropped { .. } => bump(&self.frames_dropped),
            Event::DeadlineMissed { .. } => bump(&self.deadline_misses),
            Event::LateInspection { .. } => bump(&self.late),
            _ => {}
        }
        if let Ok(mut events) = self.events.lock() {
            *events.counts.entry(event.name()).or_default() += 1;
            if events.unwritten.len() < crate::limits::EVENTS_WAITING {
                events.unwritten.push(event.clone());
            }
        }
    }

    /// How often each event happened.
    #[must_use]
    pub fn events(&self) -> BTreeMap<&'static str, u64> {
        self.events.lock().map(|events| events.counts.clone()).unwrap_or_default()
    }

    /// Takes the events that record has not written down yet.
    #[must_use]
    pub fn take_unwritten(&self) -> Vec<Event> {
        self.events.lock().map(|mut e| std::mem::take(&mut e.unwritten)).unwrap_or_default()
    }

    /// The newest time on the source's clock.
    #[must_use]
    pub fn footage_time(&self) -> MonoTime {
        MonoTime::from_ns(self.footage_ns.load(Ordering::Relaxed))
    }

    /// Asks the head of the line to take no more frames.
    pub fn ask_to_stop(&self) {
        self.stop.store(true, Ordering::Release);
    }

    /// Whether the line was asked to stop.
    #[must_use]
    pub fn asked_to_stop(&self) -> bool {
        self.stop.load(Ordering::Acquire)
    }

    /// The latest values.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        let get = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        Snapshot {
            frames: get(&self.frames),
            frames_dropped: get(&self.frames_dropped),
            frames_total: Some(get(&self.frames_total)).filter(|total| *total > 0),
            footage_s: MonoTime::from_ns(get(&self.footage_ns)).as_secs(),
            parts: Conservation {
                triggered: get(&self.triggered),
                passed: get(&self.passed),
                rejected: get(&self.rejected),
                undecided: get(&self.undecided),
                in_line: get(&self.in_line),
            },
            recorded: get(&self.recorded),
        }
    }
}

/// How long something took, over many times. Nanoseconds, three digits.
#[derive(Clone)]
pub struct Timing(Histogram<u64>);

/// The tail of a [`Timing`], in milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, serde::Serialize)]
pub struct Tail {
    /// How often.
    pub count: u64,
    /// Median.
    pub p50: f64,
    /// 99th percentile.
    pub p99: f64,
    /// 99.9th percentile.
    pub p999: f64,
    /// Longest.
    pub max: f64,
}

impl Default for Timing {
    fn default() -> Self {
        // Room for ten minutes from the start, so that measuring never allocates.
        match Histogram::new_with_bounds(1, 600_000_000_000, 3) {
            Ok(histogram) => Self(histogram),
            Err(_) => unreachable!("1..=600e9 at three digits are valid bounds"),
        }
    }
}

impl Timing {
    /// Adds one duration.
    pub fn add(&mut self, took: Duration) {
        self.0.saturating_record(u64::try_from(took.as_nanos()).unwrap_or(u64::MAX));
    }

    /// Adds all of `other`.
    pub fn merge(&mut self, other: &Self) {
        // Both grow by themselves, so adding never fails.
        let _ = self.0.add(&other.0);
    }

    /// The tail; `None` when nothing was measured.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "milliseconds for people")]
    pub fn tail(&self) -> Option<Tail> {
        let ms = |ns: u64| ns as f64 / 1e6;
        (!self.0.is_empty()).then(|| Tail {
            count: self.0.len(),
            p50: ms(self.0.value_at_quantile(0.5)),
            p99: ms(self.0.value_at_quantile(0.99)),
            p999: ms(self.0.value_at_quantile(0.999)),
            max: ms(self.0.max()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tails_are_ordered() {
        let mut timing = Timing::default();
        assert_eq!(timing.tail(), None);
        (1..=1000).for_each(|ms| timing.add(Duration::from_millis(ms)));
        let tail = timing.tail().unwrap();
        assert!(tail.p50 < tail.p99 && tail.p99 < tail.p999 && tail.p999 <= tail.max);
        assert!((tail.p50 - 500.0).abs() < 2.0);
    }

    #[test]
    fn conservation_is_what_was_counted_not_what_was_derived() {
        let counters = Counters::default();
        counters.triggered();
        assert!(!counters.snapshot().parts.holds(), "a part nobody answers for must show");
        counters.set_in_line(1);
        assert!(counters.snapshot().parts.holds());
        counters.set_in_line(0);
        counters.answered(&Verdict::Pass, GateSignal::Pass);
        assert!(counters.snapshot().parts.holds());
    }
}
