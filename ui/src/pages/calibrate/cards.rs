//! How each camera is calibrated, a card each: what its profile holds, whether it may be measured
//! by, and if not, why.

use domain::{CalibrationStep, CameraId, Command, LineState, Role};
use egui::{CornerRadius, Rect, RichText, ScrollArea, Ui, UiBuilder, pos2, vec2};

use super::fields::{filled_twice, hint, told};
use super::steps;
use crate::calibrating::{CameraCalibration, ProfileFacts};
use crate::page::Cx;
use crate::theme::{GAP, ROUND, TOUCH, heavy};
use crate::widgets::{Health, empty, figure, pill, wide_button};
use crate::words::filled;

/// A card is at least so wide.
const LEAST: f32 = 420.0;
/// A card as wide has room for three figures beside each other.
const ROOMY: f32 = 480.0;
/// Between a card's edge and what it holds.
const EDGE: f32 = 16.0;

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
            let place = Rect::from_min_size(pos2(left, room.top()), vec2(wide, high));
            highest = highest.max(self.card(ui, cx, camera, place));
        }
        if (highest - high).abs() > 0.5 {
            ui.data_mut(|data| data.insert_temp(key, highest));
            ui.ctx().request_repaint();
        }
        ui.advance_cursor_after_rect(room.with_max_y(room.top() + high.max(highest)));
    }

    /// One card; gives how high it has to be.
    fn card(
        &mut self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        camera: &CameraCalibration,
        place: Rect,
    ) -> f32 {
        ui.painter().rect_filled(place, CornerRadius::same(ROUND), cx.theme.card);
        let inner = place.shrink(EDGE);
        let (name, standing) = (&camera.camera, Standing::of(camera));
        let mut above =
            ui.new_child(UiBuilder::new().max_rect(inner).id_salt((name.as_str(), "card")));
        above.spacing_mut().item_spacing.y = 8.0;
        about(&mut above, cx, camera, standing);
        let told = above.min_rect().height();
        // What is done stands at the lower edge of each card.
        let key = ui.scope_id().with((name.as_str(), "foot"));
        let foot = ui.data(|data| data.get_temp::<f32>(key)).unwrap_or(TOUCH);
        let below = inner.with_min_y(inner.bottom() - foot);
        let mut below =
            ui.new_child(UiBuilder::new().max_rect(below).id_salt((name.as_str(), "begin")));
        below.spacing_mut().item_spacing.y = 8.0;
        self.begin(&mut below, cx, name, standing);
        let needed = below.min_rect().height();
        if (needed - foot).abs() > 0.5 {
            ui.data_mut(|data| data.insert_temp(key, needed));
            ui.ctx().request_repaint();
        }
        told + 16.0 + needed + 2.0 * EDGE
    }

    fn begin(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, camera: &CameraId, standing: Standing) {
        let words = &cx.words.calibrate;
        let runs = cx.news.line.as_ref().is_some_and(|line| line.snapshot.state != LineState::Off);
        let is_asked = runs && self.asked.as_ref() == Some(camera);
        let may = cx.news.who.as_ref().is_some_and(|who| who.role >= Role::Engineer);
        if is_asked {
            told(ui, cx, Health::Care, words.begin_hint);
        } else if !may {
            hint(ui, cx, words.only_engineer);
        }
        let (name, leads) = match is_asked {
            true => (words.really_begin.to_owned(), true),
            // Who came to look is not led on where all is well.
            false => (filled(words.begin, camera.as_str()), may && standing != Standing::InOrder),
        };
        if wide_button(ui, cx.theme, &name, (leads, true)).clicked() {
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

/// Who it is, how it stands, and what its profile holds.
fn about(ui: &mut Ui, cx: &Cx<'_>, camera: &CameraCalibration, standing: Standing) {
    let words = &cx.words.calibrate;
    ui.horizontal_wrapped(|ui| {
        ui.spacing_mut().item_spacing.x = 12.0;
        ui.label(RichText::new(camera.camera.as_str()).font(heavy(26.0)));
        pill(ui, cx.theme, standing.health(), words.stands[standing as usize]);
    });
    if let Some(cause) = camera.lost.as_ref().filter(|_| standing == Standing::Lost) {
        told(ui, cx, Health::Bad, cause);
    }
    match camera.profile.as_ref() {
        Some(profile) if profile.size.is_some() => self::profile(ui, cx, profile, standing),
        told => {
            hint(ui, cx, words.none_hint);
            if told.is_none() {
                hint(ui, cx, &filled(words.no_folder, camera.camera.as_str()));
            }
        }
    }
}

fn profile(ui: &mut Ui, cx: &Cx<'_>, profile: &ProfileFacts, standing: Standing) {
    let health = if standing == Standing::NotAccepted { Health::Care } else { Health::Bad };
    for objection in &profile.objections {
        told(ui, cx, health, objection);
    }
    ui.add_space(2.0);
    let columns: u8 = if ui.available_width() >= ROOMY { 3 } else { 2 };
    let width = (ui.available_width() + GAP) / f32::from(columns) - GAP;
    for row in figures(cx, profile).chunks(usize::from(columns)) {
        ui.horizontal(|ui| {
            ui.spacing_mut().item_spacing.x = GAP;
            for (name, value) in row {
                figure(ui, cx.theme, name, value, width);
            }
        });
    }
    ui.add_space(4.0);
    ui.spacing_mut().item_spacing.y = 4.0;
    for text in words_of(cx, profile) {
        hint(ui, cx, &text);
    }
}

/// The figures of a profile: names, with their limits, and values.
fn figures(cx: &Cx<'_>, profile: &ProfileFacts) -> [(String, String); 6] {
    let (words, numbers) = (&cx.words.calibrate, &cx.words.numbers);
    let [lens, scale, shading, belt, watched, picture] = words.facts.map(str::to_owned);
    let none = || "–".to_owned();
    let of_lens = profile.lens.as_ref().map_or((lens.clone(), none()), |it| {
        let limit = steps::in_pixels(it.rms_limit_px, cx.words);
        let sign = steps::sign(it.rms_px, it.rms_limit_px);
        (format!("{lens} {sign} {limit}"), steps::in_pixels(it.rms_px, cx.words))
    });
    let of_flat = profile.flat.map_or((shading.clone(), none()), |it| {
        let limit = numbers.percent(it.residual_limit, steps::percents(it.residual_limit));
        let sign = steps::sign(it.residual, it.residual_limit);
        (format!("{shading} {sign} {limit}"), numbers.percent(it.residual, 2))
    });
    let of_plane = profile.plane.map_or_else(none, |it| numbers.real(it.mm_per_px, 4));
    let of_belt = profile.belt.map_or_else(none, |it| {
        format!("{} {}", numbers.real(it.speed.0, 1), steps::speed_unit(it.is_mm))
    });
    let is_watched = words.no_yes[usize::from(profile.is_watched)].to_owned();
    let size = profile.size.map_or_else(none, |size| format!("{} × {}", size.width, size.height));
    [of_lens, (scale, of_plane), of_flat, (belt, of_belt), (watched, is_watched), (picture, size)]
}

/// What is known of a profile in words: which camera it is of, when it was measured, and who
/// accepted it.
fn words_of(cx: &Cx<'_>, profile: &ProfileFacts) -> Vec<String> {
    let words = &cx.words.calibrate;
    let day = |at| cx.words.numbers.day_and_minute(at, cx.zone);
    let note = [&profile.serial, &profile.lens_note].into_iter().flatten().cloned();
    let note = note.collect::<Vec<_>>().join(" · ");
    let accepted = profile
        .accepted
        .as_ref()
        .map(|(who, at)| filled_twice(words.accepted_by, cx.news.name_of(who), &day(*at)));
    let made = profile.made_at.map(|at| filled(words.made_at, &day(at)));
    let note = (!note.is_empty()).then_some(note);
    [note, made, accepted].into_iter().flatten().collect()
}
