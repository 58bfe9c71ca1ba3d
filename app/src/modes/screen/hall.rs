//! What the screen is told: takes the line's numbers, who is logged in, what happened; gives the
//! latest of everything. Looking costs the line nothing but reads of its counters.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use domain::CameraId;
use nix::sys::statvfs::statvfs;
use pipeline::clock::Clock;
use pipeline::prepare::Still;
use ui::calibrating::{Calibrating, CameraCalibration};
use ui::{Facts, LineNews, News, Person};

use super::alarms::Alarms;
use crate::modes::run::{Rates, Watch, rss_bytes};

/// A line behind the screen.
pub struct LineBehind {
    /// Its numbers.
    pub watch: Arc<Watch>,
    /// Whether the PLC holds it.
    pub plc_holds: Arc<AtomicBool>,
    /// The store's folder.
    pub store: PathBuf,
    /// Whether each camera's calibration still holds.
    pub stills: Vec<(CameraId, Arc<Still>)>,
}

/// Everything that is told.
pub struct Hall {
    line: Option<LineBehind>,
    clock: Arc<dyn Clock>,
    facts: Mutex<Arc<Facts>>,
    who: Mutex<Option<Person>>,
    people: Mutex<Arc<[Person]>>,
    alarms: Mutex<Alarms>,
    rates: Mutex<Rates>,
    calibrations: Mutex<Arc<[CameraCalibration]>>,
    calibrating: Mutex<Option<Arc<Calibrating>>>,
}

/// Plain values: one who panicked with them left nothing half done that matters.
fn lock<T>(value: &Mutex<T>) -> MutexGuard<'_, T> {
    value.lock().unwrap_or_else(PoisonError::into_inner)
}

impl Hall {
    /// Of a station with a line, or of a store alone.
    pub fn new(facts: Facts, line: Option<LineBehind>, clock: Arc<dyn Clock>) -> Self {
        Self {
            line,
            clock,
            facts: Mutex::new(Arc::new(facts)),
            who: Mutex::default(),
            people: Mutex::new(Arc::new([])),
            alarms: Mutex::default(),
            rates: Mutex::default(),
            calibrations: Mutex::default(),
            calibrating: Mutex::default(),
        }
    }

    /// The latest of everything but pictures.
    pub fn news(&self) -> News {
        let now = self.clock.wall();
        let line = self.line.as_ref().map(|line| self.line_news(line));
        let mut facts = Arc::clone(&lock(&self.facts));
        if let Some(behind) = &self.line {
            let in_force = Some(behind.watch.recipe().number);
            if facts.in_force != in_force {
                facts = Arc::new(Facts { in_force, ..Facts::clone(&facts) });
                *lock(&self.facts) = Arc::clone(&facts);
            }
            let counters = behind.watch.counters();
            lock(&self.alarms).look(&counters.events(), &counters.last_events(), now);
        }
        News {
            now,
            facts,
            line,
            who: lock(&self.who).clone(),
            people: Arc::clone(&lock(&self.people)),
            alarms: lock(&self.alarms).open().into(),
            calibrations: self.calibrations(),
            calibrating: lock(&self.calibrating).clone(),
            previews: Vec::new(),
        }
    }

    /// How each camera is calibrated, and whether that holds now.
    fn calibrations(&self) -> Arc<[CameraCalibration]> {
        let mut told = lock(&self.calibrations);
        let stills = self.line.iter().flat_map(|line| &line.stills);
        for (camera, still) in stills {
            let lost = still.lost();
            let is_other = |it: &CameraCalibration| {
                it.camera == *camera && it.lost.as_deref() != lost.as_deref()
            };
            if let Some(at) = told.iter().position(is_other) {
                let mut changed = told.to_vec();
                changed[at].lost = lost.map(|cause| cause.to_string());
                *told = changed.into();
            }
        }
        Arc::clone(&told)
    }

    fn line_news(&self, line: &LineBehind) -> LineNews {
        let snapshot = line.watch.counters().snapshot();
        let mut rates = lock(&self.rates);
        rates.add(self.clock.now(), &snapshot);
        LineNews {
            snapshot: Arc::new(snapshot),
            uptime_s: line.watch.uptime_s(),
            parts_per_min: Some(rates.parts_per_min()),
            run: line.watch.run(),
            disk_free_bytes: disk_free_bytes(&line.store),
            rss_bytes: rss_bytes().unwrap_or(0),
            plc_holds: line.plc_holds.load(Ordering::Acquire),
        }
    }

    /// Whether the PLC lets nobody but itself change what the line does.
    pub fn plc_holds(&self) -> bool {
        self.line.as_ref().is_some_and(|line| line.plc_holds.load(Ordering::Acquire))
    }

    /// Which profiles there are.
    pub fn set_calibrations(&self, calibrations: Vec<CameraCalibration>) {
        *lock(&self.calibrations) = calibrations.into();
    }

    /// How far the calibration of a camera is; `None` when it is over.
    pub fn set_calibrating(&self, calibrating: Option<Calibrating>) {
        *lock(&self.calibrating) = calibrating.map(Arc::new);
    }

    /// Who stands at the screen.
    pub fn who(&self) -> Option<Person> {
        lock(&self.who).clone()
    }

    /// Somebody stands there now, or nobody.
    pub fn set_who(&self, who: Option<Person>) {
        *lock(&self.who) = who;
    }

    /// These may.
    pub fn set_people(&self, people: Vec<Person>) {
        *lock(&self.people) = people.into();
    }

    /// Everyone who may.
    pub fn people(&self) -> Arc<[Person]> {
        Arc::clone(&lock(&self.people))
    }

    /// What does not change from part to part has changed.
    pub fn set_facts(&self, facts: Facts) {
        *lock(&self.facts) = Arc::new(facts);
    }

    /// What does not change from part to part.
    pub fn facts(&self) -> Arc<Facts> {
        Arc::clone(&lock(&self.facts))
    }

    /// Somebody has seen this alarm; whether there was one.
    pub fn acknowledge(&self, alarm: &str) -> bool {
        lock(&self.alarms).acknowledge(alarm)
    }
}

fn disk_free_bytes(folder: &Path) -> Option<u64> {
    let disk = statvfs(folder).ok()?;
    Some(disk.blocks_available() * disk.fragment_size())
}
