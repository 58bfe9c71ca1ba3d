//! The clip of a part, played: takes where a person wants to be in it; gives its pictures, one
//! after the other, each as long as it lasted.

use domain::PartKey;
use egui::{Color32, CornerRadius, Key, Rect, Role, Sense, Slider, Ui, WidgetInfo, pos2, vec2};

use crate::canvas::draw;
use crate::film::Shot;
use crate::page::Cx;
use crate::theme::plain;
use crate::widgets::{Action, Glyph, pressed};
use crate::words::filled;

/// How a clip is played.
#[derive(Default)]
pub struct Player {
    number: u32,
    /// The first picture that is shown is the one that the part was judged by.
    is_set: bool,
    plays: bool,
    /// When the picture that is shown came up, on egui's clock.
    since_s: f64,
    of: u32,
}

impl Player {
    /// Shows the clip in `place`, and the buttons it is played by below.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, place: Rect, part: PartKey) {
        let shot = cx.film.look(part, self.number);
        self.go_on(ui, &shot);
        let words = &cx.words.review;
        let painter = ui.painter_at(place);
        painter.rect_filled(place, CornerRadius::same(6), Color32::BLACK);
        let response = ui.interact(place, ui.scope_id().with("clip"), Sense::hover());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, words.clip));
        match &shot {
            Shot::None => draw::note(&painter, cx.theme, place, words.no_clip),
            Shot::Waiting => draw::note(&painter, cx.theme, place, cx.words.shell.reading),
            Shot::Failed(why) => {
                draw::note(&painter, cx.theme, place, &filled(words.clip_failed, why));
            }
            Shot::Frame(frame, texture) => {
                let size = texture.size_vec2();
                let zoom = (place.width() / size.x).min(place.height() / size.y);
                let on_screen = Rect::from_center_size(place.center(), size * zoom);
                let all = Rect::from_min_max(egui::Pos2::ZERO, pos2(1.0, 1.0));
                painter.image(texture.id(), on_screen, all, Color32::WHITE);
                self.of = frame.of;
                if frame.judged == Some(frame.number) {
                    let at = on_screen.left_top() + vec2(10.0, 8.0);
                    let ink = cx.theme.undecided;
                    let galley =
                        painter.layout_no_wrap(words.judged_here.to_owned(), plain(15.0), ink);
                    let ground = Rect::from_min_size(at, galley.size()).expand(5.0);
                    painter.rect_filled(
                        ground,
                        CornerRadius::same(4),
                        Color32::from_black_alpha(170),
                    );
                    painter.galley(at, galley, ink);
                }
            }
        }
    }

    /// Goes to the next picture when this one has been up as long as it lasted.
    fn go_on(&mut self, ui: &Ui, shot: &Shot) {
        let Shot::Frame(frame, _) = shot else { return };
        if !self.is_set {
            self.is_set = true;
            self.number = frame.judged.unwrap_or(frame.number);
        }
        if !self.plays || frame.number != self.number {
            return;
        }
        let now_s = ui.input(|input| input.time);
        #[expect(clippy::cast_precision_loss, reason = "a picture lasts less than a day")]
        let lasts_s = frame.lasts_ms as f64 / 1000.0;
        if now_s - self.since_s >= lasts_s {
            self.since_s = now_s;
            self.number = if self.number + 1 < frame.of { self.number + 1 } else { 0 };
            self.plays = self.number != 0;
        }
        ui.ctx().request_repaint_after(std::time::Duration::from_millis(10));
    }

    /// The buttons it is played by; `true` when it is to be closed.
    pub fn buttons(&mut self, ui: &mut Ui, cx: &Cx<'_>) -> bool {
        let (words, theme) = (&cx.words.review, cx.theme);
        let (name, glyph) =
            if self.plays { (words.pause, Glyph::Pause) } else { (words.play, Glyph::Play) };
        let last = self.of.saturating_sub(1);
        let hears = super::bench::hears(ui, cx);
        let key = |key: Key| hears && pressed(ui, key);
        let (turn, back, on) = (key(Key::K), key(Key::Comma), key(Key::Period));
        if Action::new(name).sign(glyph).key("K").show(ui, theme).clicked() || turn {
            self.plays = !self.plays;
            self.since_s = ui.input(|input| input.time);
        }
        if Action::new(words.step_back).sign(Glyph::Back).key(",").show(ui, theme).clicked() || back
        {
            (self.plays, self.number) = (false, self.number.saturating_sub(1));
        }
        if Action::new(words.step_on).sign(Glyph::On).key(".").show(ui, theme).clicked() || on {
            (self.plays, self.number) = (false, (self.number + 1).min(last));
        }
        ui.spacing_mut().slider_width = (ui.available_width() - 150.0).max(60.0);
        let slider = ui.add(Slider::new(&mut self.number, 0..=last.max(1)).show_value(false));
        slider.widget_info(|| WidgetInfo::slider(true, f64::from(self.number), words.scrub));
        self.plays &= !slider.dragged();
        ui.label(format!("{}/{}", self.number.min(last) + 1, last + 1));
        Action::new(words.close).sign(Glyph::Cross).show(ui, theme).clicked()
    }
}
