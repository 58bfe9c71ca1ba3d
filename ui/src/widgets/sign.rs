//! Signs drawn as shapes, so that a verdict is told without its colour: a tick in a circle, a cross
//! in an octagon, a question mark in a triangle.

use std::f32::consts::{PI, TAU};

use domain::VerdictKind;
use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, Vec2, pos2, vec2};

/// Draws the sign of `verdict` in the middle of `rect`: its outline filled with `fill`, what is in
/// it with `ink`.
pub fn verdict_sign(
    painter: &Painter,
    rect: Rect,
    verdict: VerdictKind,
    fill: Color32,
    ink: Color32,
) {
    let (middle, radius) = (rect.center(), rect.width().min(rect.height()) / 2.0);
    let pen = Stroke::new(radius * 0.24, ink);
    let at = |x: f32, y: f32| middle + vec2(x, y) * radius;
    match verdict {
        VerdictKind::Pass => {
            painter.circle_filled(middle, radius, fill);
            stroke(painter, &[at(-0.46, 0.04), at(-0.12, 0.38), at(0.48, -0.34)], pen);
        }
        VerdictKind::Reject => {
            let corners = ring(middle, radius, 8, PI / 8.0);
            painter.add(Shape::convex_polygon(corners, fill, Stroke::NONE));
            stroke(painter, &[at(-0.36, -0.36), at(0.36, 0.36)], pen);
            stroke(painter, &[at(0.36, -0.36), at(-0.36, 0.36)], pen);
        }
        VerdictKind::Undecided => {
            let corners = vec![at(0.0, -0.98), at(1.08, 0.88), at(-1.08, 0.88)];
            let round = Stroke::new(radius * 0.12, fill);
            painter.add(Shape::convex_polygon(corners, fill, round));
            question_mark(painter, at(0.0, 0.2), radius * 0.62, ink);
        }
    }
}

/// A question mark of half the height `size` around `middle`.
fn question_mark(painter: &Painter, middle: Pos2, size: f32, ink: Color32) {
    let pen = Stroke::new(size * 0.3, ink);
    let (hook, radius) = (middle - vec2(0.0, 0.42 * size), 0.36 * size);
    // From the left, over the top, to below the hook's middle.
    let mut points: Vec<Pos2> =
        angles(-PI, PI * 0.42, 20).map(|angle| hook + Vec2::angled(angle) * radius).collect();
    points.push(middle + vec2(0.0, 0.28 * size));
    points.push(middle + vec2(0.0, 0.4 * size));
    stroke(painter, &points, pen);
    painter.circle_filled(middle + vec2(0.0, 0.8 * size), size * 0.18, ink);
}

/// A triangle that points up with an exclamation mark in it: look after this.
pub fn alarm_sign(painter: &Painter, rect: Rect, fill: Color32, ink: Color32) {
    let (middle, radius) = (rect.center(), rect.width().min(rect.height()) / 2.0);
    let at = |x: f32, y: f32| middle + vec2(x, y) * radius;
    let corners = vec![at(0.0, -0.9), at(1.0, 0.84), at(-1.0, 0.84)];
    painter.add(Shape::convex_polygon(corners, fill, Stroke::new(radius * 0.12, fill)));
    stroke(painter, &[at(0.0, -0.3), at(0.0, 0.3)], Stroke::new(radius * 0.2, ink));
    painter.circle_filled(at(0.0, 0.6), radius * 0.13, ink);
}

/// How something is, besides a verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Health {
    /// It works.
    Good,
    /// It works, and somebody should look.
    Care,
    /// It does not work.
    Bad,
    /// There is none.
    Absent,
}

/// Draws a small sign of how something is: disc, triangle, square, ring.
pub fn health_sign(painter: &Painter, rect: Rect, health: Health, theme: &crate::theme::Theme) {
    let (middle, radius) = (rect.center(), rect.width().min(rect.height()) / 2.0);
    match health {
        Health::Good => {
            painter.circle_filled(middle, radius * 0.8, theme.pass_ink);
        }
        Health::Care => alarm_sign(painter, rect, theme.undecided_ink, theme.card),
        Health::Bad => {
            let corners = ring(middle, radius, 8, PI / 8.0);
            painter.add(Shape::convex_polygon(corners, theme.reject_ink, Stroke::NONE));
            let pen = Stroke::new(radius * 0.24, theme.card);
            let at = |x: f32, y: f32| middle + vec2(x, y) * radius;
            stroke(painter, &[at(-0.4, -0.4), at(0.4, 0.4)], pen);
            stroke(painter, &[at(0.4, -0.4), at(-0.4, 0.4)], pen);
        }
        Health::Absent => {
            painter.circle_stroke(middle, radius * 0.7, Stroke::new(2.0, theme.weak));
        }
    }
}

/// Corners of a polygon in a circle.
pub(super) fn ring(middle: Pos2, radius: f32, corners: u8, from: f32) -> Vec<Pos2> {
    let step = TAU / f32::from(corners);
    (0..corners).map(|at| middle + Vec2::angled(from + step * f32::from(at)) * radius).collect()
}

pub(super) fn angles(from: f32, to: f32, steps: u8) -> impl Iterator<Item = f32> {
    (0..=steps).map(move |step| from + (to - from) * f32::from(step) / f32::from(steps))
}

/// A line with round ends and corners.
pub(super) fn stroke(painter: &Painter, points: &[Pos2], pen: Stroke) {
    painter.add(Shape::line(points.to_vec(), pen));
    for &point in points {
        painter.circle_filled(point, pen.width / 2.0, pen.color);
    }
}

/// The square of side `side` in the middle of `rect`'s left end.
#[must_use]
pub fn left_square(rect: Rect, side: f32) -> Rect {
    Rect::from_center_size(pos2(rect.left() + side / 2.0, rect.center().y), Vec2::splat(side))
}
