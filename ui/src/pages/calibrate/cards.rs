//! How each camera is calibrated, a card each: what its profile holds, whether it may be measured
//! by, and if not, why.

use domain::{CalibrationStep, CameraId, Command, LineState};
use egui::{RichText, ScrollArea, Ui, UiBuilder, vec2};

use super::fields::{filled_twice, hint, told};
use super::steps;
use crate::calibrating::{CameraCalibration, ProfileFacts};
use crate::page::Cx;
use crate::theme::{GAP, heavy, plain};
use crate::widgets::{Health, empty, fact, pill, wide_button};
use crate::words::filled;

/// A card is at least so wide.
const LEAST: f32 = 420.0;

/// How a camera stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// It may be measured by.
    InOrder,
    /// Nobody accepted it.
    NotAccepted,
    /// Something is against it.
    Objected,
    /// Nothing was measured.
    None,
    /// It does not hold at the moment.
    Lost,
}

impl Standing {
    /// How `camera` stands.
    pub fn of(camera: &CameraCalibration) -> Self {
        let Some(profile) = camera.profile.as_ref().filter(|profile| profile.size.is_some()) else {
            return Self::None;
        };
        match () {
            () if camera.lost.is_some() => Self::Lost,
            () if profile.accepted.is_none() => Self::NotAccepted,
            () if !profile.objections.is_empty() => Self::Objected,
            () => Self::InOrder,
        }
    }

    const fn health(self) -> Health {
        match self {
            Self::InOrder => Health::Good,
            Self::NotAccepted => Health::Care,
            Self::Objected | Self::Lost => Health::Bad,
            Self::None => Health::Absent,
        }
    }
}

/// The cards.
#[derive(Default)]
pub struct Cards {
    /// Of which camera it is asked whether it is really meant.
    asked: Option<CameraId>,
}

impl Cards {
    /// Shows them.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let cameras = cameras(cx);
        if cameras.is_empty() {
            let words = &cx.words.calibrate;
            empty(ui, cx.theme, words.no_camera, words.no_camera_hint);
            return;
        }
        ScrollArea::vertical().auto_shrink([false, false]).show(ui, |ui| {
            let width = ui.available_width();
            let is_double = cameras.len() > 1 && width >= 2.0 * LEAST + GAP;
            let wide = if is_double { (width - GAP) / 2.0 } else { width.min(760.0) };
            for pair in cameras.chunks(if is_double { 2 } else { 1 }) {
                self.line(ui, cx, pair, wide);
            }
        });
    }

    /// Cards side by side, all as high as the highest.
    fn line(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, cameras: &[CameraCalibration], wide: f32) {
        let room = ui.available_rect_before_wrap();
        let key = ui.scope_id().with(("line", cameras.first().map(|camera| &camera.camera)));
        let high = ui.data(|data| data.get_temp::<f32>(key)).unwrap_or(0.0);
        let mut highest = 0.0_f32;
        for (camera, left) in cameras.iter().zip([room.left(), room.left() + wide + GAP]) {
            let place = egui::Rect::from_min_size(egui::pos2(left, room.top()), vec2(wide, high));
            let salt = (camera.camera.as_str(), "card");
            let mut ui = ui.new_child(UiBuilder::new().max_rect(place).id_salt(salt));
            let shown = cx.theme.card().show(&mut ui, |ui| {
                let inner = wide - 28.0;
                ui.set_min_width(inner);
                ui.set_max_width(inner);
                ui.set_min_height(high - 28.0);
                ui.vertical(|ui| self.card(ui, cx, camera)).response.rect.height()
            });
            highest = highest.max(shown.inner + 28.0);
        }
        if (highest - high).abs() > 0.5 {
            ui.data_mut(|data| data.insert_temp(key, highest));
            ui.ctx().request_repaint();
        }
        ui.advance_cursor_after_rect(room.with_max_y(room.top() + high.max(highest)));
    }

    fn card(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, camera: &CameraCalibration) {
        let words = &cx.words.calibrate;
        let standing = Standing::of(camera);
        ui.spacing_mut().item_spacing.y = 8.0;
        ui.horizontal_wrapped(|ui| {
            ui.label(RichText::new(camera.camera.as_str()).font(heavy(26.0)));
            pill(ui, cx.theme, standing.health(), words.stands[standing as usize]);
        });
        if let Some(cause) = camera.lost.as_ref().filter(|_| standing == Standing::Lost) {
            told(ui, cx, Health::Bad, cause);
        }
        match camera.profile.as_ref() {
            Some(profile) if profile.size.is_some() => self::profile(ui, cx, profile),
            Some(_) => hint(ui, cx, words.none_hint),
            None => {
                hint(ui, cx, words.none_hint);
                hint(ui, cx, &filled(words.no_folder, camera.camera.as_str()));
            }
        }
        ui.add_space(4.0);
        self.begin(ui, cx, &camera.camera);
    }

    fn begin(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, camera: &CameraId) {
        let words = &cx.words.calibrate;
        let runs = cx.news.line.as_ref().is_some_and(|line| line.snapshot.state != LineState::Off);
        let is_asked = runs && self.asked.as_ref() == Some(camera);
        if is_asked {
            told(ui, cx, Health::Care, words.begin_hint);
        }
        let text = if is_asked { words.really_begin } else { words.begin };
        if wide_button(ui, cx.theme, text, (true, true)).clicked() {
            if runs && !is_asked {
                self.asked = Some(camera.clone());
            } else {
                self.asked = None;
                let (camera, step) = (camera.clone(), CalibrationStep::Begin);
                cx.ask(Command::Calibrate { camera, step });
            }
        }
        if is_asked && wide_button(ui, cx.theme, cx.words.shell.cancel, (false, true)).clicked() {
            self.asked = None;
        }
    }
}

/// How each camera is calibrated; where a line has cameras that nothing is told of, these have no
/// profile.
fn cameras(cx: &Cx<'_>) -> Vec<CameraCalibration> {
    let mut cameras = cx.news.calibrations.to_vec();
    if cx.news.line.is_some() {
        for camera in &cx.news.facts.cameras {
            if cameras.iter().all(|told| told.camera != *camera) {
                let camera = camera.clone();
                cameras.push(CameraCalibration { camera, profile: None, lost: None });
            }
        }
    }
    cameras
}

fn profile(ui: &mut Ui, cx: &Cx<'_>, profile: &ProfileFacts) {
    let (theme, words) = (cx.theme, &cx.words.calibrate);
    for objection in &profile.objections {
        told(ui, cx, Health::Bad, objection);
    }
    ui.spacing_mut().item_spacing.y = 2.0;
    for (name, value) in facts(cx, profile) {
        fact(ui, theme, name, &value);
    }
    ui.spacing_mut().item_spacing.y = 8.0;
    let day = |at| cx.words.numbers.day_and_time(at, cx.zone);
    let made = profile.made_at.map(|at| filled(words.made_at, &day(at)));
    let accepted =
        profile.accepted.as_ref().map(|(who, at)| filled_twice(words.accepted_by, who, &day(*at)));
    for text in [made, accepted].into_iter().flatten() {
        ui.label(RichText::new(text).font(plain(15.0)).color(theme.weak));
    }
}

/// What a profile holds: names and values.
fn facts(cx: &Cx<'_>, profile: &ProfileFacts) -> Vec<(&'static str, String)> {
    let (words, numbers) = (&cx.words.calibrate, &cx.words.numbers);
    let [lens, scale, shading, belt, watched, picture, serial, note, _] = words.facts;
    let none = || words.none.to_owned();
    let mut facts = vec![
        (
            lens,
            profile.lens.as_ref().map_or_else(none, |lens| {
                steps::pixels(lens.rms_px, lens.rms_limit_px, cx.words).figure
            }),
        ),
        (
            scale,
            profile
                .plane
                .as_ref()
                .map_or_else(none, |plane| format!("{} mm/px", numbers.real(plane.mm_per_px, 4))),
        ),
        (
            shading,
            profile.flat.as_ref().map_or_else(none, |flat| numbers.percent(flat.residual, 2)),
        ),
        (
            belt,
            profile
                .belt
                .as_ref()
                .map_or_else(none, |belt| steps::speed(belt.speed, belt.is_mm, cx.words)),
        ),
        (watched, words.no_yes[usize::from(profile.is_watched)].to_owned()),
    ];
    let size = profile.size.map(|size| format!("{} × {} px", size.width, size.height));
    facts.extend(size.map(|size| (picture, size)));
    facts.extend(profile.serial.clone().map(|text| (serial, text)));
    facts.extend(profile.lens_note.clone().map(|text| (note, text)));
    facts
}
