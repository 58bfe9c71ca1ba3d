//! The camera's picture while it is calibrated: takes what the station sees in it; gives it with
//! points, views and what is still missing drawn over it, or the residuals, and the places that a
//! person picks.

use domain::{PointPx, RectPx, SizePx};
use egui::text::LayoutJob;
use egui::{
    Align, Color32, CornerRadius, CursorIcon, Key, Painter, Rect, Ui, UiBuilder, Vec2, pos2,
};

use super::guide::{self, Pick};
use super::overlay;
use super::residuals::Strokes;
use super::steps::Step;
use crate::calibrating::{Calibrating, Taking, landmark_at};
use crate::canvas::draw;
use crate::canvas::lens::{Lens, Sight};
use crate::canvas::pane::{Pane, arrows};
use crate::page::Cx;
use crate::pages::live::CameraView;
use crate::pages::review::bench::{hears, hears_arrows};
use crate::theme::{ROUND, TOUCH, Theme, plain};
use crate::widgets::{Action, Glyph, pressed, toggle};
use crate::words::filled;

/// The board is moved by what is seen here: never slower than this, pictures a second.
const FPS: f32 = 5.0;
/// So high a place has room for the buttons below the picture.
const ROOMY: f32 = 260.0;

/// The picture, and what was picked in it.
#[derive(Default)]
pub struct Picture {
    view: CameraView,
    pane: Pane,
    /// Whether the residuals are looked at; by itself they are once a lens is fitted.
    shows_residuals: Option<bool>,
    /// What is picked.
    pub pick: Pick,
    /// The ends of a known length.
    pub ends: Vec<PointPx>,
    /// What must not move.
    pub landmark: Option<RectPx>,
    /// Where the keyboard's crosshair is, once it is used.
    cursor: Option<(u32, u32)>,
}

impl Picture {
    /// Shows it in `place`.
    pub fn show(&mut self, ui: &mut Ui, cx: &Cx<'_>, of: &Calibrating, step: Step, place: Rect) {
        let is_roomy = place.height() >= ROOMY;
        let below = if is_roomy { TOUCH + 8.0 } else { 0.0 };
        let image = place.with_max_y(place.bottom() - below);
        let sight = self.image(ui, cx, of, step, image);
        if is_roomy {
            let bar = place.with_min_y(image.bottom() + 8.0);
            self.bar(ui, cx, of, step, (bar, sight));
        }
    }

    fn image(
        &mut self,
        ui: &Ui,
        cx: &Cx<'_>,
        of: &Calibrating,
        step: Step,
        place: Rect,
    ) -> Option<Sight> {
        let words = &cx.words.calibrate;
        let preview = cx.news.previews.iter().find(|preview| preview.camera == of.camera);
        let size = of.frame_size.or_else(|| preview.map(|preview| preview.frame_size));
        let painter = ui.painter_at(place);
        painter.rect_filled(place, CornerRadius::same(ROUND), Color32::BLACK);
        let Some(size) = size.filter(|size| size.area() > 0) else {
            draw::note(&painter, Theme::on_picture(), place, words.no_picture);
            return None;
        };
        let name = filled(words.picture, of.camera.as_str());
        let pans = (self.pick == Pick::Nothing, name.as_str());
        let (response, sight, is_panned) = self.pane.look(ui, place, size.rect(), pans);
        if self.shows_residuals_of(of, step) {
            residuals(&painter, words.no_residuals, &sight, &Strokes::of(&of.residuals, size));
            return Some(sight);
        }
        let fps = cx.settings.preview_fps.max(FPS);
        let texture = preview.and_then(|it| self.view.texture(ui.ctx(), it, fps));
        let Some(texture) = texture else {
            draw::note(&painter, Theme::on_picture(), place, words.no_picture);
            return Some(sight);
        };
        let all = Rect::from_min_max(egui::Pos2::ZERO, pos2(1.0, 1.0));
        painter.image(texture.id(), sight.rect(size.rect()), all, Color32::WHITE);
        overlay::paint(&painter, of, step, &sight);
        self.take(ui, cx, (&response, &sight, is_panned), size);
        self.picked(&painter, cx, step, &sight);
        Some(sight)
    }

    fn shows_residuals_of(&self, of: &Calibrating, step: Step) -> bool {
        let is_at_rest = of.taking == Taking::Nothing && !of.residuals.is_empty();
        step == Step::Lens && of.draft.lens.is_some() && self.shows_residuals.unwrap_or(is_at_rest)
    }

    /// A finger, or crosshair and Enter, pick a place.
    fn take(
        &mut self,
        ui: &Ui,
        cx: &Cx<'_>,
        (response, sight, is_panned): (&egui::Response, &Sight, bool),
        size: SizePx,
    ) {
        if self.pick == Pick::Nothing {
            self.cursor = None;
            return;
        }
        response.clone().on_hover_cursor(CursorIcon::Crosshair);
        let tapped = response.clicked() && !is_panned;
        let at = response.interact_pointer_pos().filter(|_| tapped);
        if let Some(at) = at {
            self.place(sight.on_picture(at), size);
            return;
        }
        if !hears(ui, cx) || !(hears_arrows(ui) || response.has_focus()) {
            return;
        }
        let by = arrows(ui) * if ui.input(|input| input.modifiers.shift) { 10.0 } else { 1.0 };
        if by != Vec2::ZERO {
            let from = self.cursor.unwrap_or((size.width / 2, size.height / 2));
            let to = (moved(from.0, by.x, size.width), moved(from.1, by.y, size.height));
            self.cursor = Some(to);
            self.pane.follow(sight, to);
        }
        if let Some((x, y)) = self.cursor.filter(|_| pressed(ui, Key::Enter)) {
            #[expect(clippy::cast_precision_loss, reason = "below 2^24 pixels wide")]
            self.place(PointPx { x: x as f32 + 0.5, y: y as f32 + 0.5 }, size);
        }
    }

    fn place(&mut self, at: PointPx, size: SizePx) {
        match self.pick {
            Pick::Nothing => {}
            Pick::Ruler => {
                self.ends.push(at);
                if self.ends.len() >= 2 {
                    self.pick = Pick::Nothing;
                }
            }
            Pick::Landmark => {
                self.landmark = Some(landmark_at(at, size));
                self.pick = Pick::Nothing;
            }
        }
    }

    /// Picks anew.
    pub fn pick(&mut self, what: Pick) {
        self.pick = what;
        if what == Pick::Ruler {
            self.ends.clear();
        }
    }

    fn picked(&self, painter: &Painter, cx: &Cx<'_>, step: Step, sight: &Sight) {
        if step == Step::Plane {
            let ends: Vec<_> = self.ends.iter().map(|&at| sight.to_screen(at)).collect();
            overlay::ruler(painter, &ends);
        }
        if let Some(landmark) = self.landmark.filter(|_| step == Step::Watch) {
            overlay::landmark(painter, sight.rect(landmark));
        }
        if let Some(cursor) = self.cursor {
            draw::crosshair(painter, cx.theme, sight, cursor);
        }
    }

    /// Which picture, all of it, and what it shows.
    fn bar(
        &mut self,
        ui: &mut Ui,
        cx: &Cx<'_>,
        of: &Calibrating,
        step: Step,
        (place, sight): (Rect, Option<Sight>),
    ) {
        let (theme, words) = (cx.theme, &cx.words.calibrate);
        let mut ui = ui.new_child(UiBuilder::new().max_rect(place).id_salt("picture bar"));
        ui.horizontal_centered(|ui| {
            ui.spacing_mut().item_spacing.x = 6.0;
            if step == Step::Lens && of.draft.lens.is_some() {
                let shows = self.shows_residuals_of(of, step);
                for (is_on, name) in [(false, words.live), (true, words.residuals)] {
                    if toggle(ui, theme, name, shows == is_on).clicked() {
                        self.shows_residuals = Some(is_on);
                    }
                }
            }
            if self.pane.lens != Lens::Fit
                && Action::new(words.whole).glyph(Glyph::Fit).show(ui, theme).clicked()
            {
                self.pane.lens = Lens::Fit;
            }
            let text = self.said(cx, of, step, sight);
            let room = ui.available_width();
            let lay = |size| {
                let mut job = LayoutJob::simple(text.clone(), plain(size), theme.weak, room);
                job.halign = Align::RIGHT;
                ui.painter().layout_job(job)
            };
            let sizes = [15.0, 14.0, 13.0, 12.0, 11.0].into_iter();
            let mut galleys = sizes.map(lay);
            let galley = galleys.find(|galley| galley.size().y <= TOUCH + 4.0);
            let galley = galley.unwrap_or_else(|| lay(10.0));
            let (rect, response) =
                ui.allocate_exact_size(egui::vec2(room, TOUCH), egui::Sense::hover());
            let at = rect.right_center() - egui::vec2(0.0, galley.size().y / 2.0);
            ui.painter_at(rect).galley(at, galley, theme.weak);
            response.widget_info(|| egui::WidgetInfo::labeled(egui::Role::Label, true, &text));
        });
    }

    fn said(&self, cx: &Cx<'_>, of: &Calibrating, step: Step, sight: Option<Sight>) -> String {
        let (words, numbers) = (&cx.words.calibrate, &cx.words.numbers);
        if self.shows_residuals_of(of, step) {
            let size = of.frame_size.unwrap_or(SizePx::new(0, 0));
            let strokes = Strokes::of(&of.residuals, size);
            if strokes.all.is_empty() {
                return words.no_residuals.to_owned();
            }
            #[expect(
                clippy::cast_possible_truncation,
                clippy::cast_sign_loss,
                reason = "1 to 10^6"
            )]
            let scale = numbers.count(strokes.scale as u64);
            let count = numbers.count(strokes.all.len() as u64);
            let largest = numbers.real(f64::from(strokes.largest_px), 2);
            let facts = filled(&filled(words.stroke_facts, &count), &largest);
            return format!("{}\n{facts}", filled(words.stroke_scale, &scale));
        }
        let seen = of.seen.as_ref().filter(|_| overlay::has_points(step));
        let Some((seen, _)) = seen.zip(sight) else {
            let size = of.frame_size.map(|size| format!("{} × {} px", size.width, size.height));
            return size.unwrap_or_default();
        };
        let points = filled(words.points_of, &seen.points.len().to_string());
        let points = filled(&points, &seen.of.to_string());
        if let Some(why) = seen.why.clone().filter(|_| seen.points.is_empty()) {
            return why;
        }
        let after = guide::after(of, cx.words).filter(|_| step == Step::Lens);
        after.into_iter().chain([points]).collect::<Vec<_>>().join("\n")
    }

    /// The residuals are shown by themselves again once there are others.
    pub const fn forget_choice(&mut self) {
        self.shows_residuals = None;
    }
}

/// In place of the picture, and in its colours.
fn residuals(painter: &Painter, none: &str, sight: &Sight, strokes: &Strokes) {
    let theme = Theme::on_picture();
    let frame = sight.rect(sight.covers);
    painter.rect_filled(frame, CornerRadius::ZERO, theme.card);
    overlay::thirds(painter, theme, sight, theme.line);
    strokes.paint(painter, theme, sight);
    if strokes.all.is_empty() {
        draw::note(painter, theme, frame, none);
    }
}

/// A pixel so far from another, within a side of `length`.
fn moved(from: u32, by: f32, length: u32) -> u32 {
    #[expect(clippy::cast_possible_truncation, reason = "some tens of pixels")]
    let by = by as i32;
    from.saturating_add_signed(by).min(length.saturating_sub(1))
}
