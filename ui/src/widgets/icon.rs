//! The pages' icons, drawn with a pen of one width.

use std::f32::consts::{PI, TAU};

use egui::{Color32, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2, vec2};

use super::sign::{angles, ring, stroke};
use crate::Page;

/// Draws the icon of `page` in `rect`.
pub fn page_icon(painter: &Painter, rect: Rect, page: Page, ink: Color32) {
    let (middle, unit) = (rect.center(), rect.width() / 2.0);
    let draw = Draw { painter, middle, unit, pen: Stroke::new(2.2, ink) };
    match page {
        Page::Live => draw.live(),
        Page::Review => draw.review(),
        Page::Label => draw.label(),
        Page::History => draw.history(),
        Page::Recipe => draw.recipe(),
        Page::Calibrate => draw.calibrate(),
        Page::Health => draw.health(),
        Page::Settings => draw.settings(),
    }
}

struct Draw<'a> {
    painter: &'a Painter,
    middle: Pos2,
    unit: f32,
    pen: Stroke,
}

impl Draw<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.middle + vec2(x, y) * self.unit
    }

    fn line(&self, points: &[(f32, f32)]) {
        let points: Vec<Pos2> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        stroke(self.painter, &points, self.pen);
    }

    fn frame(&self, from: (f32, f32), to: (f32, f32)) {
        let rect = Rect::from_min_max(self.at(from.0, from.1), self.at(to.0, to.1));
        self.painter.rect_stroke(rect, 3.0, self.pen, StrokeKind::Middle);
    }

    fn circle(&self, at: (f32, f32), radius: f32) {
        self.painter.circle_stroke(self.at(at.0, at.1), radius * self.unit, self.pen);
    }

    /// A camera.
    fn live(&self) {
        self.frame((-0.95, -0.55), (0.95, 0.75));
        self.line(&[(-0.45, -0.58), (-0.25, -0.85), (0.25, -0.85), (0.45, -0.58)]);
        self.circle((0.0, 0.1), 0.36);
    }

    /// An eye.
    fn review(&self) {
        let lid = |from: f32, to: f32, y: f32| -> Vec<Pos2> {
            angles(from, to, 16)
                .map(|angle| self.at(0.0, y) + Vec2::angled(angle) * self.unit * 1.18)
                .collect()
        };
        stroke(self.painter, &lid(-PI * 0.81, -PI * 0.19, 0.66), self.pen);
        stroke(self.painter, &lid(PI * 0.19, PI * 0.81, -0.66), self.pen);
        self.circle((0.0, 0.0), 0.28);
    }

    /// A box with handles.
    fn label(&self) {
        self.frame((-0.7, -0.6), (0.7, 0.6));
        for (x, y) in [(-0.7, -0.6), (0.7, -0.6), (-0.7, 0.6), (0.7, 0.6)] {
            let handle = Rect::from_center_size(self.at(x, y), Vec2::splat(self.unit * 0.36));
            self.painter.rect_filled(handle, 1.0, self.pen.color);
        }
    }

    /// A clock.
    fn history(&self) {
        self.circle((0.0, 0.0), 0.86);
        self.line(&[(0.0, -0.5), (0.0, 0.05), (0.4, 0.3)]);
    }

    /// Three sliders.
    fn recipe(&self) {
        for (y, knob) in [(-0.6, 0.35), (0.0, -0.35), (0.6, 0.1)] {
            self.line(&[(-0.85, y), (0.85, y)]);
            self.painter.circle_filled(self.at(knob, y), self.unit * 0.22, self.pen.color);
        }
    }

    /// A chessboard.
    fn calibrate(&self) {
        let side = 0.6;
        let corners = [(0, 0), (2, 0), (1, 1), (0, 2), (2, 2)];
        for (column, row) in corners {
            let at = |by: i8| -0.9 + side * f32::from(by);
            let from = self.at(at(column), at(row));
            let square = Rect::from_min_max(from, self.at(at(column + 1), at(row + 1)));
            self.painter.rect_filled(square, 1.0, self.pen.color);
        }
        self.frame((-0.9, -0.9), (0.9, 0.9));
    }

    /// A pulse.
    fn health(&self) {
        self.line(&[
            (-0.95, 0.1),
            (-0.45, 0.1),
            (-0.2, -0.65),
            (0.2, 0.7),
            (0.42, 0.1),
            (0.95, 0.1),
        ]);
    }

    /// A wheel.
    fn settings(&self) {
        let outer = ring(self.middle, self.unit * 0.98, 8, TAU / 16.0);
        let inner = ring(self.middle, self.unit * 0.7, 8, TAU / 16.0);
        for (from, to) in inner.iter().zip(&outer) {
            self.painter.line_segment([*from, *to], Stroke::new(4.5, self.pen.color));
        }
        self.painter.add(Shape::circle_stroke(self.middle, self.unit * 0.6, self.pen));
        self.circle((0.0, 0.0), 0.22);
    }
}
