//! A store as a station leaves it, made up: takes parts with pictures and what people said of them.

use std::path::Path;
use std::sync::{Arc, LazyLock};

use domain::{
    ActedInspection, AnsweredBy, CameraId, CaptureTime, Defect, DefectMm, Frame, GateSignal,
    Inspection, Judgement, Label, Mark, MarkedBy, Mask, MonoTime, Outcome, OwnedPixels,
    PartCondition, PartId, PartKey, PersonId, PixelFormat, PlcAnswer, PointPx, Provenance, Reason,
    RectPx, Role, Score, Sha256, Shape, SizePx, StageTimes, Verdict, View, ViewRecord, WallTime,
};
use store::export::{Format, Options, SplitRule};
use store::{NewLabel, Reader, RunStart, Store};
use tempfile::TempDir;

/// What the model looks at, of every frame.
pub const CROP: RectPx = RectPx::new(8, 6, 32, 24);
const FRAME: SizePx = SizePx::new(48, 36);

/// A store that is being filled.
pub struct Station {
    pub store: Store,
    labels: store::Labels,
}

impl Station {
    pub fn open(folder: &Path) -> Self {
        let store = Store::create_or_open(folder).unwrap();
        let labels = store.labels().unwrap();
        Self { store, labels }
    }

    /// A run of parts, numbered from 1; each with a picture in every format given.
    pub fn run(&self, parts: u64, views: &[PixelFormat]) -> i64 {
        self.run_looking_at(CROP, parts, views)
    }

    /// The same with another crop.
    pub fn run_looking_at(&self, crop: RectPx, parts: u64, views: &[PixelFormat]) -> i64 {
        let start = RunStart { started_at: WallTime { unix_ns: 1 }, source: "belt" };
        let mut writer = self.store.start_run(&start).unwrap();
        let run = writer.run().0;
        for part in 1..=parts {
            let keep = part != 13;
            writer.record(&outcome(run, part, views, crop, keep), &mut |_| keep).unwrap();
        }
        writer.finish(WallTime { unix_ns: 2 }).unwrap();
        run
    }

    pub fn say(&mut self, run: i64, part: u64, label: &Label) {
        let key = PartKey { run, part: PartId(part) };
        self.say_as("p-07", key, label);
    }

    pub fn say_as(&mut self, by: &str, key: PartKey, label: &Label) {
        let (at, by) = (WallTime { unix_ns: 1_700_000_000_000_000_000 }, &PersonId::new(by));
        let (role, is_second) = (Role::Quality, false);
        self.labels.add(&NewLabel { key, at, by, role, label, is_second }).unwrap();
    }

    pub fn labels(&mut self) -> &mut store::Labels {
        &mut self.labels
    }
}

fn outcome(
    run: i64,
    part: u64,
    formats: &[PixelFormat],
    crop: RectPx,
    is_rejected: bool,
) -> Outcome {
    let view = |(at, format): (usize, &PixelFormat)| View {
        name: format!("../view {at}").into(),
        frame: frame(*format, run.unsigned_abs() * 1_000 + part * 10 + at as u64),
        box_in_frame: RectPx::new(10, 8, 20, 20),
        crop_in_frame: crop,
        pose: None,
    };
    let pictures: Vec<View> = formats.iter().enumerate().map(view).collect();
    let reason = Reason {
        kind: "scratch".into(),
        score: Score::ONE,
        limit: Score::ONE,
        box_in_frame: CROP,
        view: 0,
    };
    let rejected = Verdict::reject(vec![reason]).unwrap();
    let inspection = Inspection {
        part: PartId(part),
        triggered_at: CaptureTime::default(),
        // Passed parts keep no pictures.
        verdict: if is_rejected { rejected } else { Verdict::Pass },
        score: 0.5,
        condition: PartCondition::Whole,
        motion: None,
        classes: vec![],
        defects: vec![defect(0, Some(part)), defect(1, None)],
        views: pictures.iter().map(ViewRecord::from).collect(),
        provenance: Provenance {
            recipe: Sha256::of(b"recipe"),
            model: Some(Sha256::of(b"model")),
            calibration: None,
            software: "sightline".into(),
            is_simulated: true,
        },
        heatmaps: vec![],
        pictures,
        times: StageTimes::default(),
    };
    Outcome::Acted(Box::new(ActedInspection {
        gate: GateSignal::Reject,
        told_at: MonoTime::from_ns(1),
        due: MonoTime::from_ns(2),
        answered_by: AnsweredBy::Inspection,
        plc: PlcAnswer::Logged,
        inspection,
    }))
}

/// What was found in a view, where it was measured so many millimetres long.
fn defect(view: usize, length_mm: Option<u64>) -> Defect {
    let mm = length_mm.map(|length_mm| DefectMm {
        x_mm: 1.0,
        y_mm: 2.0,
        length_mm: f32::from(u16::try_from(length_mm).unwrap()),
        area_mm2: 0.5,
        uncertainty_mm: 0.25,
    });
    let box_in_frame = RectPx::new(10, 8, 4, 4);
    Defect {
        kind: "dent".into(),
        view,
        box_in_frame,
        area_px: 16,
        score: Score::ONE,
        mask: None,
        mm,
    }
}

/// A frame of samples that look like nothing; no two are the same.
fn frame(format: PixelFormat, seed: u64) -> Frame {
    let mut state = seed;
    let mut byte = || {
        state =
            state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        state.to_be_bytes()[0]
    };
    let planes = format.planes(FRAME).into_iter();
    let planes = planes.map(|(row, rows)| (0..row * rows).map(|_| byte()).collect()).collect();
    Frame {
        camera: CameraId::new("top"),
        sequence: seed,
        at: CaptureTime::default(),
        origin: None,
        pixels: Arc::new(OwnedPixels::new(format, FRAME, planes).unwrap()),
    }
}

pub fn good() -> Label {
    Label::unmarked(Judgement::Good, true)
}

pub fn bad(marks: &[(&str, usize, Shape)]) -> Label {
    let mark = |(class, view, shape): &(&str, usize, Shape)| Mark {
        class: (*class).into(),
        view: *view,
        shape: shape.clone(),
        by: MarkedBy::Corrected,
    };
    Label { judgement: Judgement::Bad, marks: marks.iter().map(mark).collect(), is_blind: false }
}

pub fn area(x: u32, y: u32, width: u32, height: u32) -> Shape {
    Shape::Box { area: RectPx::new(x, y, width, height) }
}

pub fn polygon(corners: &[(f32, f32)]) -> Shape {
    Shape::Polygon { corners: corners.iter().map(|&(x, y)| PointPx { x, y }).collect() }
}

pub fn mask(x: u32, y: u32, rows: &[&str]) -> Shape {
    let width = u32::try_from(rows[0].len()).unwrap();
    let height = u32::try_from(rows.len()).unwrap();
    let bits = rows.iter().flat_map(|row| row.bytes().map(|byte| byte == b'#'));
    Shape::Mask { mask: Mask::from_bits(RectPx::new(x, y, width, height), bits) }
}

/// Names that mean something to a shell, a file system, a table, XML or YAML.
pub const HOSTILE: [&str; 9] =
    ["../x", "/etc/x", "a b", "Öl, \"Fett\"", "ok", "good", "a|b;c", "<b>&", "line\nbreak"];

/// A store with a part of every kind: good and bad ones, of all shapes, of two views, without a
/// picture, in doubt, put off, and with hostile names. Gives its only run's number.
pub fn mixed(folder: &Path) -> i64 {
    static MADE: LazyLock<(TempDir, i64)> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let run = make_mixed(&dir.path().join("s"));
        (dir, run)
    });
    copy(&MADE.0.path().join("s"), folder);
    MADE.1
}

/// The same before anybody said anything.
pub fn unlabelled(folder: &Path) -> Station {
    static MADE: LazyLock<TempDir> = LazyLock::new(|| {
        let dir = tempfile::tempdir().unwrap();
        let station = Station::open(&dir.path().join("s"));
        station.run(40, &[PixelFormat::Gray8, PixelFormat::Rgb8]);
        dir
    });
    copy(&MADE.path().join("s"), folder);
    Station::open(folder)
}

fn copy(from: &Path, to: &Path) {
    std::fs::create_dir_all(to).unwrap();
    for entry in std::fs::read_dir(from).unwrap() {
        let entry = entry.unwrap();
        let to = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &to);
        } else {
            std::fs::copy(entry.path(), to).unwrap();
        }
    }
}

fn make_mixed(folder: &Path) -> i64 {
    let mut station = Station::open(folder);
    let run = station.run(40, &[PixelFormat::Gray8, PixelFormat::Rgb8]);
    for part in 1..=12 {
        station.say(run, part, &good());
    }
    // Part 13 has no picture.
    station.say(run, 13, &good());
    station.say(run, 14, &Label::unmarked(Judgement::Doubt, false));
    station.say(run, 15, &Label::unmarked(Judgement::Skip, false));
    let shapes = [
        Shape::Whole,
        area(10, 8, 5, 4),
        polygon(&[(12.5, 8.25), (20.0, 9.0), (15.125, 20.0)]),
        mask(20, 10, &["#.#", "###", ".#."]),
    ];
    for (part, shape) in (16..).zip(&shapes) {
        station.say(
            run,
            part,
            &bad(&[("scratch", 0, shape.clone()), ("dent", 1, area(9, 9, 3, 3))]),
        );
    }
    for (part, name) in (20..).zip(HOSTILE) {
        station.say(run, part, &bad(&[(name, 0, area(10, 10, 4, 4)), (name, 1, Shape::Whole)]));
    }
    // In one view only; two classes in one picture.
    station.say(run, 29, &bad(&[("scratch", 0, area(9, 9, 2, 2)), ("dent", 0, area(20, 9, 2, 2))]));
    // Reaches out of the picture, and lies beside it.
    station.say(
        run,
        30,
        &bad(&[("scratch", 0, area(0, 0, 10, 10)), ("dent", 1, area(0, 0, 3, 3))]),
    );
    run
}

pub fn options<'a>(format: Format, out: &'a Path) -> Options<'a> {
    Options {
        format,
        out,
        split: SplitRule::default(),
        only_classes: vec![],
        unmarked_is_good: false,
        link: false,
        uri: None,
        at: WallTime { unix_ns: 1_700_000_001_000_000_000 },
        software: "sightline test",
        rgb: &|pixels| {
            let size = pixels.size();
            Some(vec![9; size.width as usize * size.height as usize * 3])
        },
    }
}

pub fn exported(folder: &Path, options: &Options<'_>) -> store::export::Manifest {
    let reader = Reader::open(folder).unwrap();
    store::export::export(&reader, options, &mut |_| {}).unwrap()
}
