//! Views of a target for the lens: takes looks; gives those worth a fit, how much of the picture
//! they cover, and what to show next.

use std::sync::Arc;

use calibration::lens::{FitOptions, LensError, LensSd, View, fit};
use calibration::target::{Observation, Seen};
use calibration::{Lens, LensFit, Plane, Px};
use domain::{PointPx, SizePx};
use thiserror::Error;
use ui::calibrating::{Advice, HoldsBack, ViewFacts};

use super::alike::is_alike;
use super::eye::{Look, frame_px};

/// So many views make a good fit, if they are good ones.
const WANTED: usize = 12;
/// More are not kept: the lens is known long before.
const MOST: usize = 60;
/// Views are nearly flat when none is tilted by more, degrees.
const TILTED_DEG: f64 = 10.0;
/// Tilts must vary by so much about their mean, root mean square degrees: a little more than what
/// the fit asks for, as they are estimated here.
const TILT_SPREAD_DEG: f64 = 7.0;
/// A view that is left out by so many times what is usual is to be taken anew.
const ODD_RATIO: f64 = 3.0;
/// A focal length known worse, relative standard deviation, wants views that are tilted more.
const FOCAL_SD_MOST: f64 = 0.003;
/// So many residuals are shown at most.
const RESIDUALS_MOST: usize = 4000;

/// The views that were taken.
#[derive(Default)]
pub struct Views {
    held: Vec<Held>,
    last_number: u32,
    fitted: Option<Fitted>,
}

struct Held {
    number: u32,
    observation: Observation,
    /// Degrees, as far as is known without the fit's lens.
    tilt: [f64; 3],
    in_fit: Option<InFit>,
}

/// What the last fit said of a view.
#[derive(Clone, Copy)]
struct InFit {
    rms_px: f64,
    tilt_deg: f64,
    is_left_out: bool,
}

/// The last fit, for as long as there are the views it was made of.
struct Fitted {
    is_of_all: bool,
    focal_sd: f64,
    residuals: Arc<[(PointPx, PointPx)]>,
}

/// Why a view can't be taken by hand, or be dropped.
#[derive(Debug, Error)]
pub enum NotTaken {
    /// No target.
    #[error("{0}")]
    Unseen(String),
    /// Too many.
    #[error("{MOST} views are enough: fit the lens, or drop one first")]
    Enough,
    /// There is none.
    #[error("there is no view {0}")]
    NoView(u32),
}

impl Views {
    /// What keeps a look from being taken without being asked for; `None`: it is worth taking.
    pub fn holds_back(&self, look: &Look) -> Option<HoldsBack> {
        let Ok(observation) = &look.found else { return Some(HoldsBack::NoTarget) };
        let is_known = |held: &Held| is_alike(&held.observation, observation, observation.size);
        if self.held.iter().any(is_known) || self.held.len() >= MOST {
            return Some(HoldsBack::AlreadyTaken);
        }
        (!look.is_still).then_some(HoldsBack::Moving)
    }

    /// Takes a view; gives its number. `lens` is the best that is known of it.
    ///
    /// # Errors
    /// When there are too many.
    pub fn take(&mut self, observation: Observation, lens: Option<&Lens>) -> Result<u32, NotTaken> {
        if self.held.len() >= MOST {
            return Err(NotTaken::Enough);
        }
        self.last_number += 1;
        let tilt = normal(&observation, lens);
        self.held.push(Held { number: self.last_number, observation, tilt, in_fit: None });
        self.changed();
        Ok(self.last_number)
    }

    /// Forgets a view.
    ///
    /// # Errors
    /// When there is none with this number.
    pub fn forget(&mut self, number: u32) -> Result<(), NotTaken> {
        let at = self.held.iter().position(|held| held.number == number);
        self.held.remove(at.ok_or(NotTaken::NoView(number))?);
        self.changed();
        Ok(())
    }

    /// Forgets all; numbers go on.
    pub fn forget_all(&mut self) {
        self.held.clear();
        self.fitted = None;
    }

    fn changed(&mut self) {
        if let Some(fitted) = &mut self.fitted {
            fitted.is_of_all = false;
        }
    }

    /// How many there are.
    pub const fn count(&self) -> usize {
        self.held.len()
    }

    /// For the fit.
    pub fn for_fit(&self) -> Vec<View> {
        let view = |held: &Held| View {
            name: format!("view {}", held.number),
            observation: held.observation.clone(),
        };
        self.held.iter().map(view).collect()
    }

    /// Fits the lens of a camera with pictures of `size`.
    ///
    /// # Errors
    /// When the views make none, with what to do.
    pub fn fit(&mut self, size: SizePx) -> Result<LensFit, LensError> {
        let found = fit(&self.for_fit(), size, &FitOptions::default());
        match &found {
            Ok(found) => self.keep(found),
            Err(LensError::TooFewAgree { left_out, .. }) => {
                for held in &mut self.held {
                    let is_left_out = left_out.contains(&format!("view {}", held.number));
                    held.in_fit = is_left_out.then_some(InFit {
                        rms_px: f64::NAN,
                        tilt_deg: f64::NAN,
                        is_left_out,
                    });
                }
                self.fitted = None;
            }
            Err(_) => self.fitted = None,
        }
        found
    }

    fn keep(&mut self, found: &LensFit) {
        for (held, view) in self.held.iter_mut().zip(&found.views) {
            let (rms_px, tilt_deg, is_left_out) = (view.rms_px, view.tilt_deg, view.left_out);
            held.in_fit = Some(InFit { rms_px, tilt_deg, is_left_out });
            held.tilt = normal(&held.observation, Some(&found.lens));
        }
        let used = found.views.iter().filter(|view| !view.left_out);
        let all: Vec<_> = used.flat_map(|view| &view.residuals).collect();
        let shown = all.iter().step_by(all.len().div_ceil(RESIDUALS_MOST).max(1));
        let single = |off: Px| PointPx { x: short(off.x), y: short(off.y) };
        let focal_sd = found.lens.sd.focal_px[0] / found.lens.focal_px[0];
        let residuals = shown.map(|point| (frame_px(point.px), single(point.off))).collect();
        self.fitted = Some(Fitted { is_of_all: true, focal_sd, residuals });
    }

    /// What is left of each point of the last fit.
    pub fn residuals(&self) -> Arc<[(PointPx, PointPx)]> {
        self.fitted.as_ref().map(|fitted| Arc::clone(&fitted.residuals)).unwrap_or_default()
    }

    /// The views as the screen lists them.
    pub fn facts(&self) -> Arc<[ViewFacts]> {
        let known = |value: f64| Some(value).filter(|value| value.is_finite());
        let facts = |held: &Held| ViewFacts {
            number: held.number,
            outline: outline(&held.observation),
            points: u32::try_from(held.observation.points.len()).unwrap_or(u32::MAX),
            rms_px: held.in_fit.and_then(|fit| known(fit.rms_px)),
            tilt_deg: held.in_fit.and_then(|fit| known(fit.tilt_deg)),
            is_left_out: held.in_fit.is_some_and(|fit| fit.is_left_out),
        };
        self.held.iter().map(facts).collect()
    }

    /// How many views show something of each ninth of the picture.
    pub fn coverage(&self) -> [[u32; 3]; 3] {
        let mut cells = [[0; 3]; 3];
        for Held { observation, .. } in &self.held {
            let points = observation.points.iter().map(|seen| seen.px);
            let reached = calibration::lens::Coverage::new(observation.size, points).points;
            for (cells, reached) in cells.iter_mut().flatten().zip(reached.iter().flatten()) {
                *cells += u32::from(*reached > 0);
            }
        }
        cells
    }

    /// What to do next, the most urgent first; empty when a fit of all of them is good.
    pub fn advice(&self) -> Vec<Advice> {
        let mut advice: Vec<Advice> = self.odd().map(Advice::Retake).collect();
        if self.count() < WANTED {
            advice.push(Advice::More(u32::try_from(WANTED - self.count()).unwrap_or(u32::MAX)));
        }
        if self.count() > 0 {
            advice.extend(self.uncovered());
            advice.extend(self.tilt_advice());
        }
        let is_fitted = self.fitted.as_ref().is_some_and(|fitted| fitted.is_of_all);
        if advice.is_empty() && !is_fitted {
            advice.push(Advice::Fit);
        }
        advice
    }

    /// Views that contradict the others.
    fn odd(&self) -> impl Iterator<Item = u32> {
        let mut rms: Vec<f64> =
            self.held.iter().filter_map(|held| Some(held.in_fit?.rms_px)).collect();
        rms.sort_unstable_by(f64::total_cmp);
        let usual = rms.get(rms.len() / 2).copied().unwrap_or(f64::INFINITY);
        // Far below a pixel nothing contradicts anything.
        let most = ODD_RATIO * usual.max(0.1);
        let is_odd = move |fit: InFit| fit.is_left_out || fit.rms_px > most;
        let odd = self.held.iter().filter(move |held| held.in_fit.is_some_and(is_odd));
        odd.map(|held| held.number).collect::<Vec<_>>().into_iter()
    }

    fn uncovered(&self) -> impl Iterator<Item = Advice> + use<> {
        let coverage = self.coverage();
        let cells = (0_u8..3).flat_map(|row| (0_u8..3).map(move |column| (row, column)));
        cells
            .filter(move |(row, column)| coverage[usize::from(*row)][usize::from(*column)] == 0)
            .map(|(row, column)| Advice::Cover { row, column })
    }

    fn tilt_advice(&self) -> Option<Advice> {
        if self.fitted.as_ref().is_some_and(|fitted| fitted.focal_sd > FOCAL_SD_MOST) {
            return Some(Advice::Tilt);
        }
        let degrees = |a: [f64; 3], b: [f64; 3]| {
            let dot: f64 = a.iter().zip(b).map(|(a, b)| a * b).sum();
            dot.clamp(-1.0, 1.0).acos().to_degrees()
        };
        let tilts = || self.held.iter().map(|held| held.tilt);
        if tilts().all(|tilt| degrees(tilt, [0.0, 0.0, 1.0]) < TILTED_DEG) {
            return Some(Advice::Tilt);
        }
        let sum = tilts().fold([0.0; 3], |sum, tilt| [0, 1, 2].map(|i| sum[i] + tilt[i]));
        let length = sum.iter().map(|v: &f64| v * v).sum::<f64>().sqrt().max(f64::MIN_POSITIVE);
        let mean = sum.map(|v| v / length);
        let squares: f64 = tilts().map(|tilt| degrees(tilt, mean).powi(2)).sum();
        #[expect(clippy::cast_precision_loss, reason = "a count of views")]
        let spread = (squares / self.count() as f64).sqrt();
        (self.count() > 1 && spread < TILT_SPREAD_DEG).then_some(Advice::TiltOtherwise)
    }
}

/// The direction in which a target faces, away from the camera; through `lens`, or a usual one. How
/// far it is tilted is then known to some degrees, which way exactly.
fn normal(observation: &Observation, lens: Option<&Lens>) -> [f64; 3] {
    let usual = usual_lens(observation.size);
    let plane = Plane::from_view(observation, Some(lens.unwrap_or(&usual)));
    let pose = plane.ok().and_then(|plane| plane.pose);
    pose.map_or([0.0, 0.0, 1.0], |pose| pose.rotation.map(|row| row[2]))
}

fn usual_lens(size: SizePx) -> Lens {
    let (width, height) = (f64::from(size.width), f64::from(size.height));
    Lens {
        size,
        focal_px: [1.2 * width; 2],
        centre_px: Px::new((width - 1.0) / 2.0, (height - 1.0) / 2.0),
        distortion: [0.0; 5],
        sd: LensSd::default(),
    }
}

/// The corners of what is seen of the target, in order: its outermost points by the diagonals of
/// the target itself.
fn outline(observation: &Observation) -> Vec<PointPx> {
    let outermost = |x: f64, y: f64| {
        let along = |seen: &&Seen| x * seen.mm.x + y * seen.mm.y;
        observation.points.iter().max_by(|a, b| along(a).total_cmp(&along(b)))
    };
    let corners = [(-1.0, -1.0), (1.0, -1.0), (1.0, 1.0), (-1.0, 1.0)];
    corners.iter().filter_map(|(x, y)| Some(frame_px(outermost(*x, *y)?.px))).collect()
}

#[expect(clippy::cast_possible_truncation, reason = "a distance in a picture")]
const fn short(value: f64) -> f32 {
    value as f32
}
