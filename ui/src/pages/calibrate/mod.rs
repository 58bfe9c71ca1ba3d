//! How a camera becomes a measuring instrument: which cameras are calibrated, and, while one is
//! being calibrated, the steps at the left, its picture in the middle, what a step is done with at
//! the right. What to do next stands over the picture, in large letters.

mod cards;
mod controls;
mod fields;
mod guide;
mod overlay;
mod picture;
mod residuals;
mod steps;

use domain::{CalibrationStep, CameraId};
use egui::{Key, Rect, RichText, ScrollArea, Ui, UiBuilder};

use crate::calibrating::{Calibrating, Taking};
use crate::page::Cx;
use crate::pages::review::bench::hears;
use crate::pages::review::card;
use crate::theme::{GAP, TOUCH, plain};
use crate::widgets::{Health, digit_key, pressed, wide_button};
use crate::words::filled;
use guide::{Guide, Pick};
use steps::Step;

/// A page as wide has room for wide columns.
const WIDE: f32 = 1000.0;
/// A page as wide has room for three columns.
const NARROW: f32 = 700.0;
/// A page as high has room for how it is this moment.
const HIGH: f32 = 500.0;

/// What the page remembers.
#[derive(Default)]
pub struct Calibrate {
    cards: cards::Cards,
    session: Option<Session>,
}

/// A calibration that is under way, as it is seen here.
struct Session {
    camera: CameraId,
    step: Step,
    /// What took frames on the last pass.
    at_work: Option<Step>,
    asks_end: bool,
    forms: controls::Forms,
    picture: picture::Picture,
}

impl Session {
    fn of(calibrating: &Calibrating) -> Self {
        let at_work = Step::at_work(calibrating.taking);
        Self {
            camera: calibrating.camera.clone(),
            step: at_work.unwrap_or_else(|| Step::next(calibrating)),
            at_work,
            asks_end: false,
            forms: controls::Forms::of(calibrating),
            picture: picture::Picture::default(),
        }
    }
}

impl Calibrate {
    /// Shows the page.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>) {
        let Some(calibrating) = cx.news.calibrating.clone() else {
            self.session = None;
            self.cards.show(ui, cx);
            return;
        };
        let same = self.session.take().filter(|session| session.camera == calibrating.camera);
        let session = self.session.insert(same.unwrap_or_else(|| Session::of(&calibrating)));
        session.show(ui, cx, &calibrating);
    }
}

impl Session {
    fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating) {
        self.follow(ui, cx, of);
        let [left, middle, right] = columns(ui);
        if left.is_positive() {
            card(ui, cx, left, |ui, cx| self.left(ui, cx, of));
        }
        let mut centre = ui.new_child(UiBuilder::new().max_rect(middle).id_salt("centre"));
        self.centre(&mut centre, cx, of);
        let step = self.step;
        let parts = (&mut self.forms, &mut self.picture);
        let mut next = None;
        card(ui, cx, right, |ui, cx| {
            let room = ui.available_rect_before_wrap();
            let foot = if step == Step::Accept { 0.0 } else { TOUCH + 10.0 };
            let above = room.with_max_y(room.bottom() - foot);
            let mut above = ui.new_child(UiBuilder::new().max_rect(above).id_salt("controls"));
            controls::show(&mut above, cx, of, step, parts);
            let below = room.with_min_y(room.bottom() - TOUCH);
            let mut below = ui.new_child(UiBuilder::new().max_rect(below).id_salt("next"));
            next = self::next(&mut below, cx, of, step);
        });
        if let Some(step) = next {
            self.turn_to(step);
        }
    }

    /// Shows the step that has begun to take frames, or that a digit key means.
    fn follow(&mut self, ui: &Ui, cx: &Cx<'_>, of: &Calibrating) {
        let at_work = Step::at_work(of.taking);
        if at_work != self.at_work {
            self.at_work = at_work;
            if let Some(step) = at_work {
                self.turn_to(step);
                self.picture.forget_choice();
            }
        }
        if hears(ui, cx) {
            let digit =
                (1..=7).position(|digit| digit_key(digit).is_some_and(|key| pressed(ui, key)));
            if let Some(step) = digit.and_then(|at| Step::ALL.get(at)) {
                self.turn_to(*step);
            }
            if self.picture.pick != Pick::Nothing && pressed(ui, Key::Escape) {
                self.picture.pick(Pick::Nothing);
            }
        }
    }

    fn turn_to(&mut self, step: Step) {
        if step != self.step {
            self.step = step;
            self.picture.pick = Pick::Nothing;
        }
    }

    fn left(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating) {
        let room = ui.available_rect_before_wrap();
        let foot = if self.asks_end { 2.0 * TOUCH + 70.0 } else { TOUCH };
        let above = room.with_max_y(room.bottom() - foot - 8.0);
        let mut list = ui.new_child(UiBuilder::new().max_rect(above).id_salt("steps"));
        let area = ScrollArea::vertical().auto_shrink([false, false]);
        let touched = area.show(&mut list, |ui| {
            let height = ((above.height() - 42.0) / 7.0 - 4.0).clamp(TOUCH, 64.0);
            steps::list(ui, cx, (&of.camera, of), self.step, height)
        });
        if let Some(step) = touched.inner {
            self.turn_to(step);
        }
        let below = room.with_min_y(room.bottom() - foot);
        let mut below = ui.new_child(UiBuilder::new().max_rect(below).id_salt("end"));
        self.end(&mut below, cx, of);
    }

    fn end(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, of: &Calibrating) {
        let words = &cx.words.calibrate;
        ui.spacing_mut().item_spacing.y = 8.0;
        if !self.asks_end {
            let is_accepted = of.draft.accepted.is_some();
            if wide_button(ui, cx.theme, words.end, (is_accepted, true)).clicked() {
                if loses(of) {
                    self.asks_end = true;
                } else {
                    controls::ask(cx, of, CalibrationStep::End);
                }
            }
            return;
        }
        let hint = RichText::new(words.end_hint).font(plain(14.0)).color(cx.theme.undecided_ink);
        ui.label(hint);
        if wide_button(ui, cx.theme, words.go_on, (true, true)).clicked() {
            self.asks_end = false;
        }
        if wide_button(ui, cx.theme, words.really_end, (false, true)).clicked() {
            self.asks_end = false;
            controls::ask(cx, of, CalibrationStep::End);
        }
    }

    fn centre(&mut self, ui: &mut Ui, cx: &Cx<'_>, of: &Calibrating) {
        let room = ui.available_rect_before_wrap();
        let banner = if room.height() >= HIGH { 104.0 } else { 56.0 };
        let place = room.with_max_y(room.top() + banner);
        guide::show(ui, cx, &Guide::of(self.step, of, self.picture.pick, cx.words), place);
        let mut rest = room.with_min_y(place.bottom() + GAP);
        if let Some(why) = &of.refused {
            let most = rest.with_max_y(rest.top() + rest.height() * 0.4);
            *rest.top_mut() += guide::refused(ui, cx, why, most) + GAP;
        }
        if rest.height() > 40.0 {
            self.picture.show(ui, cx, of, self.step, rest);
        }
    }
}

/// The way to the step after `step`, which leads on once that is done.
fn next(ui: &mut Ui, cx: &Cx<'_>, of: &Calibrating, step: Step) -> Option<Step> {
    let after = *Step::ALL.get(step as usize + 1)?;
    let is_done = match step {
        Step::Target => true,
        _ => step.stand(of, cx.words).health == Health::Good,
    };
    let leads = is_done && of.taking == Taking::Nothing;
    let text = filled(cx.words.calibrate.next, after.name(cx.words));
    wide_button(ui, cx.theme, &text, (leads, true)).clicked().then_some(after)
}

/// Whether something was measured that nobody accepted.
fn loses(of: &Calibrating) -> bool {
    let draft = &of.draft;
    let holds = draft.lens.is_some()
        || draft.plane.is_some()
        || draft.flat.is_some()
        || draft.is_watched
        || draft.belt.is_some();
    let is_open = draft.accepted.is_none() && holds;
    is_open || !of.views.is_empty() && draft.accepted.is_none() || of.taking != Taking::Nothing
}

/// The page's three columns. Where somebody logs in on a small screen, there is no room for the
/// steps beside the picture.
fn columns(ui: &Ui) -> [Rect; 3] {
    let room = ui.available_rect_before_wrap();
    let (left, right) = match room.width() {
        WIDE.. => (236.0, 324.0),
        NARROW.. => (196.0, 296.0),
        _ => (-GAP, 296.0_f32.min(room.width() / 2.0)),
    };
    let left = room.with_max_x(room.left() + left);
    let right = room.with_min_x(room.right() - right);
    let middle = room.with_min_x(left.right() + GAP).with_max_x(right.left() - GAP);
    [left, middle, right]
}
