//! A pane of the screen in which a picture is looked at: zoomed by wheel, pinch and keys, panned
//! by two fingers, the middle button, or one finger where nothing is drawn.

use domain::PointPx;
use egui::{
    Color32, Context, Key, Painter, PointerButton, Pos2, Rect, Response, Role, Sense, Ui, Vec2,
    WidgetInfo, pos2, vec2,
};
use store::ImageRow;

use super::draw;
use super::lens::{Lens, Sight};
use crate::Shelf;
use crate::shelf::Shown;
use crate::theme::Theme;

/// How much of the picture a key zooms.
const KEY_STEP: f32 = 1.5;
/// All of a texture.
const ALL: Rect = Rect { min: Pos2::ZERO, max: pos2(1.0, 1.0) };
/// How far a key pans, points.
const KEY_PAN: f32 = 80.0;

/// A pane, and how a person looks through it.
#[derive(Default)]
pub struct Pane {
    /// How.
    pub lens: Lens,
    /// The file of the picture that was shown last.
    last: String,
    /// Two fingers are down, or were until all went up: nothing is drawn meanwhile.
    is_pinched: bool,
}

/// What is shown in a pane.
#[derive(Clone, Copy)]
pub struct Shot<'a> {
    /// The picture.
    pub picture: &'a ImageRow,
    /// Heat over it, and how strong, 0..=1.
    pub heat: Option<(&'a ImageRow, f32)>,
    /// One finger pans.
    pub pans: bool,
    /// What it is of, as it is read out.
    pub name: &'a str,
}

/// Where it was painted.
pub struct Painted {
    /// What the pointer did in it.
    pub response: Response,
    /// Where each pixel is.
    pub sight: Sight,
    /// For painting more over it.
    pub painter: Painter,
    /// The pointer is panning or pinching, not drawing.
    pub is_panned: bool,
    /// There are pixels: neither waiting nor failed.
    pub is_there: bool,
    /// Why not, in English.
    pub trouble: Option<String>,
}

impl Pane {
    /// Paints a picture in `place` and takes what pointer and wheel do there.
    pub fn show(
        &mut self,
        ui: &Ui,
        shelf: &mut Shelf,
        theme: &Theme,
        place: Rect,
        shot: &Shot<'_>,
    ) -> Painted {
        if self.last != shot.picture.path {
            self.last.clone_from(&shot.picture.path);
            self.lens = Lens::Fit;
        }
        let scale = ui.ctx().pixels_per_point();
        let (response, sight, is_panned) =
            self.look(ui, place, shot.picture.covers, (shot.pans, shot.name));
        let painter = ui.painter_at(place);
        painter.rect_filled(place, egui::CornerRadius::same(6), Color32::BLACK);
        let found = paint(ui.ctx(), shelf, &painter, &sight, shot.picture, scale);
        if found.is_ok()
            && let Some((image, strength)) = shot.heat
            && let Some((texture, covers)) = shelf.heat(ui.ctx(), image)
        {
            let tint = Color32::WHITE.gamma_multiply(strength.clamp(0.0, 1.0));
            painter.image(texture.id(), sight.rect(covers), ALL, tint);
        }
        if found.is_ok() {
            draw::grid(&painter, theme, &sight);
        }
        let is_there = found.is_ok();
        let trouble = found.err().flatten();
        Painted { response, sight, painter, is_panned, is_there, trouble }
    }

    /// Takes what pointer and wheel do in `place`, where `covers` of a frame is shown: gives that,
    /// where each pixel is then, and whether the pointer is panning or pinching. One finger `pans`.
    pub fn look(
        &mut self,
        ui: &Ui,
        place: Rect,
        covers: domain::RectPx,
        (pans, name): (bool, &str),
    ) -> (Response, Sight, bool) {
        let scale = ui.ctx().pixels_per_point();
        let response = ui.interact(place, ui.scope_id().with("pane"), Sense::click_and_drag());
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, name));
        let sight = self.lens.sight(place, covers, scale);
        let is_panned = self.take(ui, &response, &sight, pans, scale);
        (response, self.lens.sight(place, covers, scale), is_panned)
    }

    /// Takes wheel, pinch and drags; gives whether the pointer is at that.
    fn take(
        &mut self,
        ui: &Ui,
        response: &Response,
        sight: &Sight,
        pans: bool,
        scale: f32,
    ) -> bool {
        let is_over = response.contains_pointer() || response.dragged();
        let (touch, wheel, pinch, space) = ui.input(|input| {
            let wheel = input.smooth_scroll_delta().y;
            (input.multi_touch(), wheel, input.zoom_delta(), input.key_down(Key::Space))
        });
        let is_down = ui.input(|input| input.any_touches() || input.pointer.any_down());
        self.is_pinched = touch.is_some() || (self.is_pinched && is_down);
        let about = touch.map(|touch| touch.center_pos).or_else(|| response.hover_pos());
        let is_in = touch.is_some_and(|touch| response.rect.contains(touch.center_pos));
        if is_over || is_in {
            let by = pinch * (wheel / 200.0).exp();
            let about = about.unwrap_or_else(|| sight.place.center());
            if (by - 1.0).abs() > 1e-4 {
                self.lens.zoom(sight, by, about, scale);
            }
            if let Some(touch) = touch {
                let sight = self.lens.sight(sight.place, sight.covers, scale);
                self.lens.pan(&sight, touch.translation_delta);
            }
        }
        let one = (pans || space) && response.dragged_by(PointerButton::Primary);
        let drags = !self.is_pinched && (one || response.dragged_by(PointerButton::Middle));
        if drags {
            self.lens.pan(sight, response.drag_delta());
        }
        if pans && response.double_clicked() {
            self.turn(sight, response.interact_pointer_pos(), scale);
        }
        drags || self.is_pinched || space
    }

    /// All of it, or a pixel a pixel where the finger is.
    fn turn(&mut self, sight: &Sight, about: Option<Pos2>, scale: f32) {
        if self.lens == Lens::Fit {
            let by = (1.0 / scale / sight.zoom).max(3.0);
            self.lens.zoom(sight, by, about.unwrap_or_else(|| sight.place.center()), scale);
        } else {
            self.lens = Lens::Fit;
        }
    }

    /// Zooms by steps of a key or button: `1` closer, `-1` away.
    pub fn step(&mut self, sight: &Sight, steps: i32, scale: f32) {
        self.lens.zoom(sight, KEY_STEP.powi(steps), sight.place.center(), scale);
    }

    /// Keeps a pixel in sight that the crosshair went to.
    #[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
    pub fn follow(&mut self, sight: &Sight, pixel: (u32, u32)) {
        if self.lens != Lens::Fit {
            let at = PointPx { x: pixel.0 as f32 + 0.5, y: pixel.1 as f32 + 0.5 };
            self.lens.reveal(sight, at);
        }
    }

    /// Takes the keys that zoom and pan: + and -, 0 for a pixel a pixel, F for all, and the arrows
    /// with Ctrl.
    pub fn keys(&mut self, ui: &Ui, sight: &Sight) {
        let scale = ui.ctx().pixels_per_point();
        let pressed = |key: Key| ui.input(|input| input.key_pressed(key));
        if pressed(Key::Plus) || pressed(Key::Equals) {
            self.step(sight, 1, scale);
        }
        if pressed(Key::Minus) {
            self.step(sight, -1, scale);
        }
        if pressed(Key::Num0) {
            self.lens.one_to_one(sight, scale);
        }
        if pressed(Key::F) {
            self.lens = Lens::Fit;
        }
        if ui.input(|input| input.modifiers.command || input.modifiers.ctrl) {
            let by = arrows(ui) * KEY_PAN;
            if by != Vec2::ZERO {
                self.lens.pan(sight, -by);
            }
        }
    }
}

/// Which way the arrow keys that were pressed now point.
#[must_use]
pub fn arrows(ui: &Ui) -> Vec2 {
    let ways = [
        (Key::ArrowLeft, vec2(-1.0, 0.0)),
        (Key::ArrowRight, vec2(1.0, 0.0)),
        (Key::ArrowUp, vec2(0.0, -1.0)),
        (Key::ArrowDown, vec2(0.0, 1.0)),
    ];
    ways.into_iter().fold(Vec2::ZERO, |by, (key, way)| {
        let times = ui.input(|input| input.num_presses(key));
        #[expect(clippy::cast_precision_loss, reason = "presses in one frame")]
        let times = times as f32;
        by + way * times
    })
}

/// Paints the pixels of a picture as sharp as the screen shows them; `Err(None)` while they are
/// read, `Err(Some(why))` when they can't be.
pub fn paint(
    ctx: &Context,
    shelf: &mut Shelf,
    painter: &Painter,
    sight: &Sight,
    picture: &ImageRow,
    scale: f32,
) -> Result<(), Option<String>> {
    let texture = match texture(ctx, shelf, picture, sight.zoom * scale) {
        Shown::Picture(texture) => texture,
        Shown::Waiting => return Err(None),
        Shown::Failed(why) => return Err(Some(why)),
        Shown::Heatmap(_) => return Err(Some(format!("{}: a heatmap, no picture", picture.path))),
    };
    painter.image(texture.id(), sight.rect(picture.covers), ALL, Color32::WHITE);
    Ok(())
}

/// The picture as large as it is needed, or, while that is read, as it was before.
fn texture(ctx: &Context, shelf: &mut Shelf, picture: &ImageRow, zoom: f32) -> Shown {
    let most = u32::try_from(ctx.input(|input| input.max_texture_side)).unwrap_or(u32::MAX);
    let full = picture.size.width.max(picture.size.height);
    let steps = sides(full, most);
    let at = steps.iter().position(|&side| covers(side, full, zoom)).unwrap_or(steps.len() - 1);
    let wanted = shelf.image(ctx, picture, steps[at]);
    let (Shown::Waiting, Some(&less)) = (&wanted, at.checked_sub(1).and_then(|at| steps.get(at)))
    else {
        return wanted;
    };
    match shelf.image(ctx, picture, less) {
        Shown::Picture(texture) => Shown::Picture(texture),
        _ => wanted,
    }
}

/// Whether a picture of which the longer side is `side` is sharp enough.
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn covers(side: u32, full: u32, zoom: f32) -> bool {
    side as f32 >= full as f32 * zoom.min(1.0)
}

/// The sizes in which a picture is asked for: few, so that zooming does not read it again and
/// again; none larger than the display can hold.
fn sides(full: u32, most: u32) -> Vec<u32> {
    let most = most.min(full).max(1);
    let mut sides: Vec<u32> = [1024, 2048].into_iter().filter(|&side| side < most).collect();
    sides.push(most);
    sides
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_sizes_are_asked_for_and_never_more_than_the_display_holds() {
        assert_eq!(sides(160, 2048), [160]);
        assert_eq!(sides(3840, 16_384), [1024, 2048, 3840]);
        assert_eq!(sides(12_000, 8192), [1024, 2048, 8192]);
        assert_eq!(sides(0, 0), [1]);
        assert!(covers(1024, 3840, 0.2) && !covers(1024, 3840, 0.5) && covers(3840, 3840, 32.0));
    }
}
