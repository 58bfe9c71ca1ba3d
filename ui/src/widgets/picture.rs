//! A picture with what was found on it: heat, boxes and their names. Takes a texture and what it
//! covers of the camera's frame; gives where the frame lies on the screen, for who draws on it.

use domain::{Heatmap, PointPx, RectPx};
use egui::{
    Color32, ColorImage, CornerRadius, Pos2, Rect, Response, Role, Sense, Stroke, StrokeKind,
    TextureHandle, Ui, Vec2, WidgetInfo, pos2, vec2,
};

use crate::theme::{Theme, heavy};

/// Where a piece of the camera's frame lies on the screen.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Placed {
    /// On the screen.
    pub on_screen: Rect,
    /// Of the frame, in its pixels.
    pub covers: RectPx,
}

impl Placed {
    /// As large as it fits into the middle of `room`, with its proportions kept.
    #[must_use]
    pub fn within(room: Rect, covers: RectPx) -> Self {
        let wanted = size_of(covers);
        let scale = (room.width() / wanted.x).min(room.height() / wanted.y);
        Self { on_screen: Rect::from_center_size(room.center(), wanted * scale), covers }
    }

    /// Points of the screen for each pixel of the frame.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.on_screen.width() / size_of(self.covers).x
    }

    /// Where a place of the frame is on the screen.
    #[must_use]
    pub fn screen_from_frame(&self, at: PointPx) -> Pos2 {
        let from_corner = vec2(at.x, at.y) - corner_of(self.covers);
        self.on_screen.min + from_corner * self.scale()
    }

    /// Where a place on the screen is in the frame.
    #[must_use]
    pub fn frame_from_screen(&self, at: Pos2) -> PointPx {
        let in_frame = (at - self.on_screen.min) / self.scale() + corner_of(self.covers);
        PointPx { x: in_frame.x, y: in_frame.y }
    }

    /// Where a rectangle of the frame is on the screen.
    #[must_use]
    pub fn rect(&self, rect: RectPx) -> Rect {
        let corner = corner_of(rect);
        let min = self.screen_from_frame(PointPx { x: corner.x, y: corner.y });
        Rect::from_min_size(min, size_of(rect) * self.scale())
    }
}

#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn size_of(rect: RectPx) -> Vec2 {
    vec2(rect.width.max(1) as f32, rect.height.max(1) as f32)
}

#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn corner_of(rect: RectPx) -> Vec2 {
    vec2(rect.x as f32, rect.y as f32)
}

/// A box on a picture.
#[derive(Clone, Debug, PartialEq)]
pub struct Outline {
    /// Where, in pixels of the frame.
    pub area: RectPx,
    /// Its colour.
    pub ink: Color32,
    /// What stands on it; nothing when empty.
    pub name: String,
}

/// A picture and what is on it.
pub struct Picture<'a> {
    /// The picture.
    pub texture: &'a TextureHandle,
    /// What it covers of the frame.
    pub covers: RectPx,
    /// Heat over it, and what that covers of the frame.
    pub heat: Option<(&'a TextureHandle, RectPx)>,
    /// Boxes on it.
    pub outlines: &'a [Outline],
    /// What it is of, as it is read out.
    pub name: &'a str,
}

impl Picture<'_> {
    /// Shows it in the middle of `size`.
    pub fn show(&self, ui: &mut Ui, theme: &Theme, size: Vec2) -> (Response, Placed) {
        let (room, response) = ui.allocate_exact_size(size, Sense::hover());
        let placed = Placed::within(room, self.covers);
        self.paint(ui, theme, room, &placed);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, self.name));
        (response, placed)
    }

    /// Paints it where it is `placed`, and nothing outside of `room`.
    pub fn paint(&self, ui: &Ui, theme: &Theme, room: Rect, placed: &Placed) {
        let painter = ui.painter_at(room);
        painter.rect_filled(room, CornerRadius::same(6), theme.card);
        let all = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
        painter.image(self.texture.id(), placed.on_screen, all, Color32::WHITE);
        if let Some((heat, covers)) = self.heat {
            painter.image(heat.id(), placed.rect(covers), all, Color32::WHITE);
        }
        for outline in self.outlines {
            outline.paint(&painter, theme, placed.rect(outline.area));
        }
    }
}

impl Outline {
    fn paint(&self, painter: &egui::Painter, theme: &Theme, rect: Rect) {
        // Seen on light and on dark parts alike: the colour, with dark around it.
        let around = Stroke::new(5.0, Color32::from_black_alpha(150));
        painter.rect_stroke(rect, 2.0, around, StrokeKind::Middle);
        painter.rect_stroke(rect, 2.0, Stroke::new(2.5, self.ink), StrokeKind::Middle);
        if self.name.is_empty() {
            return;
        }
        let galley = painter.layout_no_wrap(self.name.clone(), heavy(14.0), theme.on_undecided);
        let size = galley.size() + vec2(10.0, 4.0);
        let over = rect.left_top() - vec2(0.0, size.y + 2.0);
        let fits = over.y >= painter.clip_rect().top();
        let corner = if fits { over } else { rect.left_bottom() + vec2(0.0, 2.0) };
        let plate = Rect::from_min_size(corner, size);
        painter.rect_filled(plate, 3.0, self.ink);
        let ink = readable_on(self.ink);
        painter.galley_with_override_text_color(corner + vec2(5.0, 2.0), galley, ink);
    }
}

/// Black or white, whichever is read better on `ground`.
#[must_use]
pub fn readable_on(ground: Color32) -> Color32 {
    if ground.intensity() > 0.4 { Color32::BLACK } else { Color32::WHITE }
}

/// A heatmap in colour, to lie over a picture: what is cold is clear, what is hot is red to yellow.
#[must_use]
pub fn coloured(heatmap: &Heatmap) -> ColorImage {
    let size = [heatmap.width as usize, heatmap.height as usize];
    let pixels = heatmap.values.iter().map(|&heat| heat_colour(heat)).collect();
    ColorImage::new(size, pixels)
}

fn heat_colour(heat: u8) -> Color32 {
    // Below a fifth it is the model's noise, which would only tint the picture.
    let over = heat.saturating_sub(50);
    let alpha = over.saturating_mul(2).min(190);
    let green = heat.saturating_sub(110).saturating_mul(2);
    Color32::from_rgba_unmultiplied(255, green, 0, alpha)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_go_to_the_screen_and_back() {
        let room = Rect::from_min_size(pos2(10.0, 20.0), vec2(400.0, 400.0));
        let placed = Placed::within(room, RectPx::new(100, 50, 200, 100));
        assert_eq!(placed.scale(), 2.0);
        assert_eq!(placed.on_screen, Rect::from_min_size(pos2(10.0, 120.0), vec2(400.0, 200.0)));
        let at = PointPx { x: 150.5, y: 75.25 };
        assert_eq!(placed.frame_from_screen(placed.screen_from_frame(at)), at);
        let corner = placed.rect(RectPx::new(100, 50, 10, 10));
        assert_eq!(corner, Rect::from_min_size(pos2(10.0, 120.0), vec2(20.0, 20.0)));
    }

    #[test]
    fn cold_is_clear_and_hot_is_not() {
        assert_eq!(heat_colour(40).a(), 0);
        assert!(heat_colour(255).a() > 150);
        assert!(heat_colour(250).g() > heat_colour(120).g());
    }
}
