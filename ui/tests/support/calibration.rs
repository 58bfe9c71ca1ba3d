//! What a station tells of its calibrations, made up for tests: cameras in every state, and a
//! calibration at each step.

#![allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "places within a picture that is made up"
)]

use std::sync::Arc;

use domain::{CameraId, PointPx, SizePx, WallTime};
use sightline_ui::calibrating::{
    Advice, BeltFacts, Calibrating, CameraCalibration, FlatFacts, HoldsBack, LensFacts, PlaneFacts,
    ProfileFacts, Seen, Taking, ViewFacts,
};
use sightline_ui::{News, Person, Preview, RgbPicture};

use super::{NOW, facts, idle, people, running};

/// Size of the camera's frames; its previews are a quarter of that.
pub const FRAME: SizePx = SizePx::new(2448, 2048);

/// How far calibrating is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scene {
    /// A camera in each state, beside a line that runs.
    Cards,
    /// One camera without a line, nothing measured.
    Alone,
    /// Just begun.
    Begun,
    /// Views are taken, some ninths are not covered.
    Collecting,
    /// The lens is fitted.
    Fitted,
    /// The board lies on the belt.
    Plane,
    /// A plain sheet is averaged.
    Flat,
    /// A step was refused.
    Refused,
    /// All is measured.
    Ready,
    /// It is accepted.
    Accepted,
    /// Something is against it.
    Objected,
}

impl Scene {
    pub const ALL: [Self; 11] = [
        Self::Cards,
        Self::Alone,
        Self::Begun,
        Self::Collecting,
        Self::Fitted,
        Self::Plane,
        Self::Flat,
        Self::Refused,
        Self::Ready,
        Self::Accepted,
        Self::Objected,
    ];

    /// What the station tells.
    pub fn news(self) -> News {
        let mut news = match self {
            Self::Cards => running(),
            _ => idle(),
        };
        news.who = engineer();
        match self {
            Self::Cards => cards(&mut news),
            Self::Alone => news.calibrations = Arc::new([bare("top")]),
            _ => {
                let calibrating = self.calibrating();
                news.previews = vec![preview(&calibrating)];
                news.calibrating = Some(Arc::new(calibrating));
                news.calibrations = Arc::new([bare("top")]);
            }
        }
        news
    }

    /// The calibration that is under way.
    pub fn calibrating(self) -> Calibrating {
        let mut it = begun();
        match self {
            Self::Cards | Self::Alone | Self::Begun => {}
            Self::Collecting => collecting(&mut it),
            Self::Fitted => fitted(&mut it),
            Self::Plane => {
                fitted(&mut it);
                it.taking = Taking::Plane;
                it.seen = Some(board(it.frame_size.unwrap(), (0.5, 0.52), 0.05, None));
            }
            Self::Flat => {
                fitted(&mut it);
                draft(&mut it).plane = Some(plane());
                it.taking = Taking::Flat { is_dark: false, taken: 17, of: 40 };
                it.seen = None;
            }
            Self::Refused => {
                fitted(&mut it);
                it.refused = Some(REFUSED.to_owned());
            }
            Self::Ready => ready(&mut it),
            Self::Accepted => {
                ready(&mut it);
                draft(&mut it).accepted = Some(("p-m2r6c5hd".to_owned(), NOW));
            }
            Self::Objected => {
                ready(&mut it);
                draft(&mut it).lens.as_mut().unwrap().rms_px = 0.71;
                draft(&mut it).objections = vec![TOO_LARGE.to_owned()];
            }
        }
        it
    }
}

/// As the calibration refuses.
pub const REFUSED: &str = "the target is 14 px wide on the belt, at least 100 are needed: bring it \
    nearer, or print a larger one";
/// As the calibration objects.
pub const TOO_LARGE: &str = "the lens' reprojection error is 0.710 px, at most 0.5 is accepted: \
    look at the views it names, leave blurred ones out, hold the board still";
const LOST: &str = "the landmark moved by 3.1 px: somebody touched the camera";
const NOBODY: &str = "nobody has accepted it: look at it, then run `sightline calibrate accept`";

pub fn engineer() -> Option<Person> {
    people().pop()
}

/// What is measured so far, to be changed.
pub fn draft(calibrating: &mut Calibrating) -> &mut ProfileFacts {
    Arc::make_mut(&mut calibrating.draft)
}

fn cards(news: &mut News) {
    let names = ["top", "left", "right", "back", "below"];
    facts(news).cameras = names.map(CameraId::new).into();
    let full = || {
        let mut it = begun();
        ready(&mut it);
        let mut profile = (*it.draft).clone();
        profile.accepted = Some(("p-m2r6c5hd".to_owned(), ago(41)));
        profile
    };
    let camera = |name: &str, profile, lost: Option<&str>| CameraCalibration {
        camera: CameraId::new(name),
        profile,
        lost: lost.map(str::to_owned),
    };
    let open = ProfileFacts {
        accepted: None,
        flat: None,
        belt: None,
        is_watched: false,
        objections: vec![NOBODY.to_owned()],
        ..full()
    };
    let mut worse = ProfileFacts { objections: vec![TOO_LARGE.to_owned()], ..full() };
    worse.lens.as_mut().unwrap().rms_px = 0.71;
    news.calibrations = Arc::new([
        camera("top", Some(full()), None),
        camera("left", Some(open), None),
        camera("right", Some(worse), None),
        camera("back", Some(full()), Some(LOST)),
        bare("below"),
    ]);
}

fn bare(name: &str) -> CameraCalibration {
    CameraCalibration { camera: CameraId::new(name), profile: None, lost: None }
}

fn ago(days: i64) -> WallTime {
    WallTime { unix_ns: NOW.unix_ns - days * 86_400 * 1_000_000_000 }
}

fn begun() -> Calibrating {
    Calibrating {
        camera: CameraId::new("top"),
        frame_size: Some(FRAME),
        board: domain::Board::default(),
        draft: Arc::new(ProfileFacts {
            folder: "calibration/top".to_owned(),
            ..Default::default()
        }),
        taking: Taking::Nothing,
        seen: Some(board(FRAME, (0.42, 0.46), 0.3, None)),
        views: Arc::new([]),
        coverage: [[0; 3]; 3],
        advice: vec![Advice::More(8)],
        residuals: Arc::new([]),
        refused: None,
    }
}

fn collecting(it: &mut Calibrating) {
    it.taking = Taking::Views { is_by_itself: true };
    let at = [(0.3, 0.3), (0.5, 0.32), (0.34, 0.55), (0.55, 0.5), (0.6, 0.36)];
    it.views = views(&at, None);
    it.coverage = [[2, 3, 1], [2, 4, 1], [1, 0, 0]];
    it.seen = Some(board(FRAME, (0.42, 0.42), 0.35, Some(HoldsBack::Moving)));
    it.advice = vec![Advice::Cover { row: 2, column: 2 }, Advice::More(3), Advice::Tilt];
}

fn fitted(it: &mut Calibrating) {
    let at = [
        (0.25, 0.25),
        (0.5, 0.25),
        (0.75, 0.25),
        (0.25, 0.5),
        (0.5, 0.5),
        (0.75, 0.5),
        (0.25, 0.75),
        (0.5, 0.75),
        (0.75, 0.75),
    ];
    it.views = views(&at, Some(0.18));
    it.coverage = [[2, 3, 2], [3, 4, 3], [2, 3, 2]];
    it.advice = vec![];
    it.residuals = residuals();
    let draft = draft(it);
    draft.size = Some(FRAME);
    draft.made_at = Some(NOW);
    draft.serial = Some("DA1234567".to_owned());
    draft.lens_note = Some("25 mm f/4".to_owned());
    draft.lens = Some(LensFacts {
        rms_px: 0.184,
        rms_limit_px: 0.5,
        focal_px: [(4_812.31, 1.42), (4_811.88, 1.39)],
        centre_px: [(1_226.4, 2.1), (1_019.7, 1.9)],
        distortion: [
            (-0.2187, 0.0011),
            (0.1432, 0.0084),
            (0.0002, 0.0001),
            (-0.0001, 0.0001),
            (0.0, 0.0),
        ],
    });
}

fn ready(it: &mut Calibrating) {
    fitted(it);
    let draft = draft(it);
    draft.plane = Some(plane());
    draft.flat = Some(FlatFacts {
        residual: 0.0012,
        residual_limit: 0.01,
        exposure_us: 400.0,
        gain_db: 0.0,
        bad_pixels: 7,
    });
    draft.is_watched = true;
    draft.belt = Some(BeltFacts {
        speed: (201.3, 0.2),
        is_mm: true,
        direction_deg: 1.4,
        mm_per_count: Some((0.012_51, 0.000_02)),
    });
}

fn plane() -> PlaneFacts {
    PlaneFacts {
        mm_per_px: 0.0842,
        rms_px: 0.21,
        rms_limit_px: 0.5,
        points: 48,
        length_sd_share: 0.000_31,
    }
}

fn views(at: &[(f64, f64)], rms_px: Option<f64>) -> Arc<[ViewFacts]> {
    let view = |(index, &at): (usize, &(f64, f64))| {
        let number = index as u32 + 1;
        let seen = board(FRAME, at, 0.1 * f64::from(number) - 0.4, None).points;
        let corner = |row: usize, column: usize| seen[row * 6 + column];
        let is_left_out = rms_px.is_some() && number == 4;
        ViewFacts {
            number,
            outline: vec![corner(0, 0), corner(0, 5), corner(7, 5), corner(7, 0)],
            points: 48 - number,
            rms_px: rms_px
                .map(|rms| rms + if is_left_out { 1.7 } else { 0.01 * f64::from(number) }),
            tilt_deg: rms_px.map(|_| 8.0 + 3.0 * f64::from(number)),
            is_left_out,
        }
    };
    at.iter().enumerate().map(view).collect()
}

/// A board of 6 x 8 inner corners, its middle at a share of the frame, turned by `angle`.
fn board(frame: SizePx, (x, y): (f64, f64), angle: f64, holds_back: Option<HoldsBack>) -> Seen {
    let side = f64::from(frame.height) * 0.055;
    let (sin, cos) = angle.sin_cos();
    let place = |row: u32, column: u32| {
        let (u, v) = (side * (f64::from(column) - 2.5), side * (f64::from(row) - 3.5));
        // Farther away at its upper end.
        let near = 1.0 + 0.00025 * v;
        let (px, py) = ((u * cos - v * sin) * near, (u * sin + v * cos) * near);
        let (px, py) = (f64::from(frame.width) * x + px, f64::from(frame.height) * y + py);
        PointPx { x: px as f32, y: py as f32 }
    };
    let points = (0..8).flat_map(|row| (0..6).map(move |column| place(row, column)));
    Seen { points: points.collect(), of: 48, holds_back, why: None }
}

/// Errors that grow to the corners, with some scatter.
fn residuals() -> Arc<[(PointPx, PointPx)]> {
    let mut all = vec![];
    for row in 0_u16..16 {
        for column in 0_u16..20 {
            let x = 122.0 * (f32::from(column) + 0.5);
            let y = 128.0 * (f32::from(row) + 0.5);
            let (u, v) = ((x - 1224.0) / 1224.0, (y - 1024.0) / 1024.0);
            let wave = 0.06 * (f32::from(row * 7 + column * 13)).sin();
            let error = PointPx { x: 0.09 * u * u.abs() + wave, y: 0.09 * v * v.abs() - wave };
            all.push((PointPx { x, y }, error));
        }
    }
    all.into()
}

/// What the camera sees: a belt, with a board where its points are.
fn preview(of: &Calibrating) -> Arc<Preview> {
    let size = SizePx::new(FRAME.width / 4, FRAME.height / 4);
    let mut picture = RgbPicture { size, rgb: vec![] };
    for _ in 0..size.height {
        for x in 0..size.width {
            // The belt, and what it runs between.
            let gray = if (48..size.width - 48).contains(&x) { 92 } else { 44 };
            picture.rgb.extend([gray, gray, gray]);
        }
    }
    if let Some(seen) = &of.seen {
        squares(&mut picture, seen);
    }
    Arc::new(Preview {
        camera: of.camera.clone(),
        number: 1,
        picture,
        frame_size: FRAME,
        parts: vec![],
    })
}

/// Squares between the points, and one more around them.
fn squares(picture: &mut RgbPicture, seen: &Seen) {
    let at = |row: f32, column: f32| {
        let corner = |row: usize, column: usize| seen.points[row * 6 + column];
        let (a, b, c) = (corner(0, 0), corner(0, 5), corner(7, 0));
        let across = ((b.x - a.x) / 5.0, (b.y - a.y) / 5.0);
        let down = ((c.x - a.x) / 7.0, (c.y - a.y) / 7.0);
        let x = a.x + across.0 * column + down.0 * row;
        let y = a.y + across.1 * column + down.1 * row;
        (x / 4.0, y / 4.0)
    };
    for row in 0_i16..900 {
        for column in 0_i16..700 {
            let (r, c) = (f32::from(row) / 100.0 - 1.0, f32::from(column) / 100.0 - 1.0);
            let (x, y) = at(r, c);
            let is_dark = (row / 100 + column / 100) % 2 == 0;
            let (x, y) = (x as i64, y as i64);
            let (w, h) = (i64::from(picture.size.width), i64::from(picture.size.height));
            if (0..w).contains(&x) && (0..h).contains(&y) {
                let from = 3 * (y * w + x) as usize;
                picture.rgb[from..from + 3].fill(if is_dark { 28 } else { 226 });
            }
        }
    }
}
