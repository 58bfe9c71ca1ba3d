//! A station made up for tests: takes what a test wants it to be like, gives a screen over it and
//! what the screen asked for.

#![allow(dead_code, reason = "each test uses some of it")]
#![allow(clippy::unwrap_used, reason = "all of this is a test")]

pub mod calibration;
pub mod parts;
pub mod scenes;
pub mod states;

use std::cell::RefCell;
use std::path::Path;
use std::rc::Rc;
use std::sync::Arc;

use domain::{
    CameraId, CameraSnapshot, Command, Conservation, LineState, MonoTime, PartId, PersonId,
    PixelFormat, Pixels, PointPx, RecentPart, RectPx, Role, Sha256, SizePx, Snapshot, Stage,
    StageSnapshot, Tail, VerdictKind, WallTime,
};
use sightline_ui::{
    Answer, Ask, Facts, LineNews, News, Page, Person, Preview, RecipeFacts, RgbPicture, Screen,
    Settings, Shelf, Station,
};

/// 2026-11-20 08:00 UTC.
pub const NOW: WallTime = WallTime { unix_ns: 1_795_161_600_000_000_000 };

/// What a test sees of the station behind the screen.
pub struct Behind {
    pub news: News,
    pub asked: Vec<Command>,
    pub answer: Answer,
    answers: Vec<(Ask, Answer)>,
    pub kept: Vec<Settings>,
    /// Whether the cameras' pictures are looked at.
    pub looks: bool,
    /// The store lies here as long as this does.
    pub folder: Option<tempfile::TempDir>,
}

pub struct Fake(pub Rc<RefCell<Behind>>);

impl Station for Fake {
    fn news(&mut self) -> News {
        self.0.borrow().news.clone()
    }

    fn ask(&mut self, command: Command) -> Ask {
        let mut behind = self.0.borrow_mut();
        let ask = Ask(behind.asked.len() as u64);
        if let Command::LogIn { person, .. } = &command
            && behind.answer == Answer::Done
        {
            behind.news.who = behind.news.people.iter().find(|it| it.id == *person).cloned();
        }
        if command == Command::LogOut {
            behind.news.who = None;
        }
        behind.asked.push(command);
        let answer = behind.answer.clone();
        behind.answers.push((ask, answer));
        ask
    }

    fn answers(&mut self) -> Vec<(Ask, Answer)> {
        std::mem::take(&mut self.0.borrow_mut().answers)
    }

    fn developer(&self) -> sightline_ui::station::Developer {
        Arc::new(developed)
    }

    fn keep(&mut self, settings: &Settings) {
        self.0.borrow_mut().kept.push(settings.clone());
    }

    fn look(&mut self, looks: bool) {
        self.0.borrow_mut().looks = looks;
    }

    fn wake_by(&mut self, _: Box<dyn Fn() + Send + Sync>) {}
}

/// Gray and colour only, never shrunk: what the tests' parts are filmed in.
fn developed(pixels: &dyn Pixels, _: u32) -> Option<RgbPicture> {
    let (size, plane) = (pixels.size(), pixels.plane(0));
    let rows = (0..size.height as usize).flat_map(|y| plane.row(y));
    let rgb = match pixels.format() {
        PixelFormat::Gray8 => rows.flat_map(|&gray| [gray; 3]).collect(),
        PixelFormat::Rgb8 => rows.copied().collect(),
        _ => return None,
    };
    Some(RgbPicture { size, rgb })
}

/// Shows `screen` on all of the display, without the edge that the harness leaves.
pub fn show(screen: &mut Screen, ui: &mut egui::Ui) {
    let all = egui::UiBuilder::new().max_rect(ui.ctx().content_rect());
    screen.show(&mut ui.new_child(all));
}

/// The people of the station.
pub fn people() -> Vec<Person> {
    let person =
        |id: &str, name: &str, role| Person { id: PersonId::new(id), name: name.to_owned(), role };
    vec![
        person("p-7kq2m9xa", "Jörg Weiß", Role::Operator),
        person("p-b4t8w1zc", "Ana Silva", Role::Quality),
        person("p-m2r6c5hd", "Kim Lee", Role::Engineer),
    ]
}

/// News of a station without a line.
pub fn idle() -> News {
    let recipe = parts::recipe();
    let facts = Facts {
        station: "Line 3 · brackets".to_owned(),
        software: "sightline 0.1.0".to_owned(),
        recipes: vec![RecipeFacts {
            number: 1,
            sha256: recipe.hash(),
            recipe: recipe.as_written().clone(),
            model_sha256: Some(Sha256::of(b"model")),
            classes: ["scratch", "dent", "missing hole"].map(Arc::from).to_vec(),
        }],
        in_force: None,
        cameras: vec![CameraId::new("top")],
    };
    News {
        now: NOW,
        facts: Arc::new(facts),
        line: None,
        who: None,
        people: people().into(),
        alarms: Arc::new([]),
        calibrations: Arc::new([]),
        calibrating: None,
        previews: vec![],
    }
}

fn tail(p50: f64) -> Tail {
    Tail {
        count: 18_000,
        mean: p50,
        min: p50 * 0.6,
        p50,
        p99: p50 * 1.7,
        p999: p50 * 2.4,
        max: p50 * 4.0,
    }
}

fn stage(stage: Stage, p50: f64) -> StageSnapshot {
    StageSnapshot {
        stage,
        took_ms: tail(p50),
        waiting: 0,
        waiting_most: 3,
        bound: 12,
        dropped: 0,
        restarts: 0,
    }
}

/// The parts that were answered last.
fn recent(top: &CameraId) -> Vec<RecentPart> {
    let recent = (0..24_u64).map(|back| {
        let part = 1_204 - back;
        let verdict = match part % 9 {
            0 => VerdictKind::Reject,
            5 => VerdictKind::Undecided,
            _ => VerdictKind::Pass,
        };
        RecentPart {
            part: PartId(part),
            verdict,
            is_fail_safe: false,
            is_thrown_out: verdict != VerdictKind::Pass,
            told_at: MonoTime::from_ns(part * 200_000_000),
            took_us: 8_700,
            camera: Some(top.clone()),
            seen_at: MonoTime::from_ns(part * 200_000_000 - 8_700_000),
            box_in_frame: RectPx::new(300, 120, 128, 96),
            velocity_px_per_s: PointPx { x: 240.0, y: 0.0 },
        }
    });
    recent.collect()
}

/// News of a line at work.
pub fn running() -> News {
    let mut news = idle();
    let top = CameraId::new("top");
    let snapshot = Snapshot {
        state: LineState::Running,
        frames: 14_448,
        parts: Conservation {
            triggered: 1_205,
            passed: 1_061,
            rejected: 112,
            undecided: 31,
            in_line: 1,
        },
        told_reject: 143,
        recorded: 1_204,
        decision_ms: tail(8.7),
        plc_ms: tail(0.4),
        plc_is_up: true,
        cameras: vec![CameraSnapshot {
            camera: top.clone(),
            is_up: true,
            frames: 14_448,
            dropped: 0,
            missing: 0,
            lost: 0,
        }],
        stages: vec![
            stage(Stage::Capture, 0.1),
            stage(Stage::Locate, 0.3),
            stage(Stage::Prepare, 0.8),
            stage(Stage::Infer, 6.4),
            stage(Stage::Decide, 0.05),
            stage(Stage::Act, 0.1),
            stage(Stage::Record, 2.2),
        ],
        recent: recent(&top),
        ..Snapshot::default()
    };
    news.line = Some(LineNews {
        snapshot: Arc::new(snapshot),
        uptime_s: 7_265.0,
        parts_per_min: Some(298.4),
        run: Some(1),
        disk_free_bytes: Some(412_000_000_000),
        rss_bytes: 210_000_000,
        plc_holds: false,
    });
    let size = SizePx::new(640, 360);
    news.previews = vec![Arc::new(Preview {
        camera: top,
        number: 14_448,
        picture: parts::belt(size),
        frame_size: size,
        parts: vec![(RectPx::new(300, 120, 128, 96), VerdictKind::Reject)],
    })];
    facts(&mut news).in_force = Some(1);
    news
}

/// The facts of `news`, to be changed.
pub fn facts(news: &mut News) -> &mut Facts {
    Arc::make_mut(&mut news.facts)
}

/// A screen that shows `page` of a station with `news`, over the store in `folder`.
pub fn screen(news: News, folder: Option<&Path>, page: Page) -> (Screen, Rc<RefCell<Behind>>) {
    screen_with(news, folder, page, Settings::default())
}

/// As [`screen`], set up by `settings`.
pub fn screen_with(
    news: News,
    folder: Option<&Path>,
    page: Page,
    settings: Settings,
) -> (Screen, Rc<RefCell<Behind>>) {
    let behind = Rc::new(RefCell::new(Behind {
        news,
        asked: vec![],
        answer: Answer::Done,
        answers: vec![],
        kept: vec![],
        looks: false,
        folder: None,
    }));
    let station = Fake(Rc::clone(&behind));
    let shelf = Shelf::open(folder, station.developer());
    let screen = Screen::new(Box::new(station), shelf, settings);
    let mut screen = screen.in_zone(jiff::tz::TimeZone::UTC);
    screen.go(page);
    (screen, behind)
}
