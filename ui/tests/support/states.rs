//! What a station can be like, for tests that walk all pages.

use std::cell::RefCell;
use std::fs;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::{Arc, LazyLock};

use domain::{LineState, Role, VerdictKind, WallTime};
use sightline_ui::{Alarm, News, Page, Person, Screen, Settings};
use tempfile::TempDir;

use super::{Behind, NOW, idle, parts, people, running, screen_with};

/// What a station is like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Parts in the store, no line.
    Idle,
    /// The line runs and the newest part is good.
    Running,
    /// The newest part is bad.
    Reject,
    /// A camera and the PLC are gone, and nobody has acknowledged it.
    Fault,
    /// The line has just started; no part has come yet.
    Empty,
}

impl State {
    pub const ALL: [Self; 5] = [Self::Idle, Self::Running, Self::Reject, Self::Fault, Self::Empty];

    /// A screen of such a station.
    pub fn screen(self, page: Page, settings: Settings) -> (Screen, Rc<RefCell<Behind>>) {
        let folder = self.folder();
        let made = screen_with(self.news(), Some(folder.path()), page, settings);
        made.1.borrow_mut().folder = Some(folder);
        made
    }

    /// The store of such a station.
    pub fn folder(self) -> TempDir {
        // Made once: to write its files again is quicker than to make it anew.
        static FILLED: LazyLock<Vec<(PathBuf, Vec<u8>)>> = LazyLock::new(|| {
            let folder = TempDir::new().unwrap();
            parts::store_of(folder.path(), 48);
            files(folder.path(), Path::new(""))
        });
        let folder = TempDir::new().unwrap();
        for (name, bytes) in FILLED.iter().filter(|_| self != Self::Empty) {
            let path = folder.path().join(name);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, bytes).unwrap();
        }
        folder
    }

    /// What such a station tells.
    pub fn news(self) -> News {
        match self {
            Self::Idle => News { who: person(Role::Quality), ..idle() },
            Self::Running => News { who: person(Role::Engineer), ..running() },
            Self::Reject => rejecting(),
            Self::Fault => faulty(),
            Self::Empty => empty(),
        }
    }
}

/// Every file below `folder`, by its name from `top` on.
fn files(folder: &Path, top: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap() {
        let entry = entry.unwrap();
        let (path, name) = (entry.path(), top.join(entry.file_name()));
        if path.is_dir() {
            found.extend(files(&path, &name));
        } else {
            found.push((name, fs::read(path).unwrap()));
        }
    }
    found
}

fn person(role: Role) -> Option<Person> {
    people().into_iter().find(|person| person.role == role)
}

fn rejecting() -> News {
    let mut news = News { who: person(Role::Operator), ..running() };
    let line = news.line.as_mut().unwrap();
    let snapshot = Arc::make_mut(&mut line.snapshot);
    while snapshot.recent[0].verdict != VerdictKind::Reject {
        snapshot.recent.remove(0);
    }
    let preview = Arc::make_mut(&mut news.previews[0]);
    preview.parts[0].1 = VerdictKind::Reject;
    news
}

fn faulty() -> News {
    let mut news = running();
    let line = news.line.as_mut().unwrap();
    line.disk_free_bytes = Some(1_900_000_000);
    line.plc_holds = true;
    let snapshot = Arc::make_mut(&mut line.snapshot);
    snapshot.state = LineState::Degraded;
    snapshot.plc_is_up = false;
    snapshot.cameras[0].is_up = false;
    snapshot.cameras[0].lost = 3;
    snapshot.cameras[0].missing = 41;
    snapshot.deadline_misses = 4;
    snapshot.late = 2;
    snapshot.decision_ms.max = 61.3;
    snapshot.recent[0].is_fail_safe = true;
    snapshot.recent[0].verdict = VerdictKind::Undecided;
    snapshot.recent[0].is_thrown_out = true;
    snapshot.stages[3].dropped = 12;
    snapshot.stages[3].waiting = 9;
    snapshot.stages[3].restarts = 1;
    let alarm = |name: &str, said: &str, count, ago_s: i64| Alarm {
        name: name.to_owned(),
        said: said.to_owned(),
        count,
        last: WallTime { unix_ns: NOW.unix_ns - ago_s * 1_000_000_000 },
    };
    news.alarms = Arc::new([
        alarm("camera_lost", "top is gone: no frame for 2 s", 3, 12),
        alarm("plc_lost", "the PLC is gone: connection refused", 1, 95),
        alarm("deadline_missed", "P001204: no inspection in time", 4, 11),
    ]);
    news
}

fn empty() -> News {
    let mut news = running();
    let line = news.line.as_mut().unwrap();
    line.parts_per_min = None;
    line.uptime_s = 12.0;
    let snapshot = Arc::make_mut(&mut line.snapshot);
    snapshot.recent.clear();
    snapshot.parts = domain::Conservation::default();
    (snapshot.decision_ms, snapshot.plc_ms) = Default::default();
    (snapshot.told_reject, snapshot.recorded) = (0, 0);
    for stage in &mut snapshot.stages {
        stage.took_ms = domain::Tail::default();
        stage.waiting_most = 0;
    }
    Arc::make_mut(&mut news.previews[0]).parts.clear();
    news
}
