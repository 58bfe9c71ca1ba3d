//! Marks as they are painted over a picture: outlines that are seen on any ground, handles as
//! large as a finger, the model's suggestions dashed.

use domain::{Mask, PointPx, Shape};
use egui::epaint::{Mesh, PathShape, PathStroke};
use egui::{Align2, Color32, CornerRadius, Painter, Pos2, Rect, Stroke, StrokeKind, vec2};

use super::brush;
use super::lens::Sight;
use super::shapes::{self, Grip};
use crate::theme::{Theme, plain};

/// How a mark is painted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Look {
    /// It is there.
    Plain,
    /// It is in hand, with its handles.
    Selected,
    /// The model suggests it.
    Suggested,
}

/// Paints a shape, and its name beside it.
pub fn shape(painter: &Painter, theme: &Theme, sight: &Sight, shape: &Shape, look: Look) {
    let ink = ink(theme, look);
    match shape {
        Shape::Whole => {}
        Shape::Box { area } => {
            let rect = sight.rect(*area);
            let corners =
                [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()];
            outline(painter, theme, &corners, ink, look);
        }
        Shape::Polygon { corners } => {
            let on_screen: Vec<Pos2> = corners.iter().map(|&at| sight.to_screen(at)).collect();
            outline(painter, theme, &on_screen, ink, look);
        }
        Shape::Mask { mask } => {
            fill(painter, sight, mask, ink.gamma_multiply(0.45));
            let (Look::Selected | Look::Suggested) = look else { return };
            let rect = sight.rect(mask.area).expand(3.0);
            let corners =
                [rect.left_top(), rect.right_top(), rect.right_bottom(), rect.left_bottom()];
            dashes(painter, theme, &corners, ink);
        }
    }
    if look == Look::Selected {
        for (grip, at) in shapes::handles(shape, sight) {
            handle(painter, theme, grip, at);
        }
    }
}

/// The name of a mark, above it.
pub fn name(painter: &Painter, theme: &Theme, sight: &Sight, shape: &Shape, text: (&str, Look)) {
    let (text, look) = text;
    let (ink, paper) = match look {
        Look::Suggested => (theme.on_undecided, theme.undecided),
        _ => (theme.on_accent, theme.accent),
    };
    let around = sight.rect(shapes::bounds(shape, sight.covers)).intersect(sight.place);
    let galley = painter.layout_no_wrap(text.to_owned(), plain(14.0), ink);
    let size = galley.size() + vec2(12.0, 6.0);
    let low = sight.place.max - size;
    let gap = if look == Look::Selected { 24.0 } else { 4.0 };
    let at = around.left_top() - vec2(0.0, size.y + gap);
    let at = at.clamp(sight.place.min, low.max(sight.place.min));
    painter.rect_filled(Rect::from_min_size(at, size), CornerRadius::same(4), paper);
    painter.galley(at + vec2(6.0, 3.0), galley, ink);
}

const fn ink(theme: &Theme, look: Look) -> Color32 {
    match look {
        Look::Plain | Look::Selected => theme.accent,
        Look::Suggested => theme.undecided,
    }
}

fn outline(painter: &Painter, theme: &Theme, corners: &[Pos2], ink: Color32, look: Look) {
    if look == Look::Suggested {
        dashes(painter, theme, corners, ink);
        return;
    }
    let width = if look == Look::Selected { 3.0 } else { 2.0 };
    let line = |stroke: Stroke| {
        let (points, stroke) = (corners.to_vec(), PathStroke::from(stroke));
        let shape = PathShape { points, closed: true, fill: Color32::TRANSPARENT, stroke };
        painter.add(shape);
    };
    line(Stroke::new(width + 2.0, theme.ground.gamma_multiply(0.7)));
    line(Stroke::new(width, ink));
}

fn dashes(painter: &Painter, theme: &Theme, corners: &[Pos2], ink: Color32) {
    let mut around = corners.to_vec();
    around.extend(corners.first());
    let under = Stroke::new(4.0, theme.ground.gamma_multiply(0.6));
    painter.add(PathShape::line(around.clone(), under));
    painter.extend(egui::Shape::dashed_line(&around, Stroke::new(2.5, ink), 9.0, 6.0));
}

fn handle(painter: &Painter, theme: &Theme, grip: Grip, at: Pos2) {
    let is_corner = !matches!(grip, Grip::Side(0, _) | Grip::Side(_, 0));
    let radius = if is_corner { 8.0 } else { 6.0 };
    painter.circle_filled(at, radius + 2.0, theme.ground.gamma_multiply(0.7));
    painter.circle_filled(at, radius, theme.on_accent);
    painter.circle_stroke(at, radius, Stroke::new(2.5, theme.accent));
}

/// The pixels of a mask that are seen, a rectangle a run.
pub fn fill(painter: &Painter, sight: &Sight, mask: &Mask, ink: Color32) {
    let mut mesh = Mesh::default();
    for (row, from, to) in brush::runs(mask) {
        let run = domain::RectPx::from_corners(from, row, to, row.saturating_add(1));
        let rect = sight.rect(run).intersect(sight.place);
        if rect.is_positive() {
            mesh.add_colored_rect(rect, ink);
        }
    }
    painter.add(mesh);
}

/// A polygon that is not closed yet: its corners so far, and a line to where the hand is.
pub fn open(
    painter: &Painter,
    theme: &Theme,
    sight: &Sight,
    corners: &[PointPx],
    to: Option<Pos2>,
) {
    let mut on_screen: Vec<Pos2> = corners.iter().map(|&at| sight.to_screen(at)).collect();
    let set = on_screen.clone();
    on_screen.extend(to);
    painter.add(PathShape::line(
        on_screen.clone(),
        Stroke::new(5.0, theme.ground.gamma_multiply(0.7)),
    ));
    painter.add(PathShape::line(on_screen, Stroke::new(2.5, theme.accent)));
    for (position, at) in set.into_iter().enumerate() {
        handle(painter, theme, Grip::Corner(position), at);
    }
}

/// The keyboard's crosshair: the pixel, and a line to each side of the picture.
pub fn crosshair(painter: &Painter, theme: &Theme, sight: &Sight, pixel: (u32, u32)) {
    let square = sight.rect(domain::RectPx::new(pixel.0, pixel.1, 1, 1));
    let (seen, at) = (sight.seen(), square.center());
    for (width, ink) in [(3.0, theme.ground.gamma_multiply(0.6)), (1.0, theme.accent)] {
        let stroke = Stroke::new(width, ink);
        painter.hline(seen.left()..=(square.left() - 6.0), at.y, stroke);
        painter.hline((square.right() + 6.0)..=seen.right(), at.y, stroke);
        painter.vline(at.x, seen.top()..=(square.top() - 6.0), stroke);
        painter.vline(at.x, (square.bottom() + 6.0)..=seen.bottom(), stroke);
    }
    let stroke = Stroke::new(1.5, theme.accent);
    painter.rect_stroke(square.expand(1.0), CornerRadius::ZERO, stroke, StrokeKind::Outside);
}

/// The brush where the hand is.
pub fn tip(painter: &Painter, theme: &Theme, sight: &Sight, at: Pos2, radius_px: f32) {
    let radius = radius_px * sight.zoom;
    painter.circle_stroke(at, radius, Stroke::new(3.0, theme.ground.gamma_multiply(0.6)));
    painter.circle_stroke(at, radius, Stroke::new(1.5, theme.accent));
}

/// Lines between pixels, once they are large enough to be told apart.
pub fn grid(painter: &Painter, theme: &Theme, sight: &Sight) {
    const FROM: f32 = 10.0;
    if sight.zoom < FROM {
        return;
    }
    let seen = sight.seen();
    let (first, last) = (sight.to_frame(seen.min), sight.to_frame(seen.max));
    let strength = ((sight.zoom - FROM) / FROM).clamp(0.15, 0.6);
    let stroke = Stroke::new(1.0, theme.line.gamma_multiply(strength));
    let steps = |from: f32, to: f32| {
        std::iter::successors(Some(from.ceil()), |at| Some(at + 1.0))
            .take_while(move |&at| at <= to)
    };
    for x in steps(first.x, last.x) {
        let at = sight.to_screen(PointPx { x, y: first.y });
        painter.vline(at.x, seen.y_range(), stroke);
    }
    for y in steps(first.y, last.y) {
        let at = sight.to_screen(PointPx { x: first.x, y });
        painter.hline(seen.x_range(), at.y, stroke);
    }
}

/// A few words in the middle of a place that has no picture.
pub fn note(painter: &Painter, theme: &Theme, place: Rect, text: &str) {
    let wide = (place.width() - 48.0).max(40.0);
    let font = plain(18.0);
    let galley = painter.layout(text.to_owned(), font, theme.weak, wide);
    let at = Align2::CENTER_CENTER.anchor_size(place.center(), galley.size());
    painter.galley(at.min, galley, theme.weak);
}
