//! Signs, drawn with lines: no font has to have them, and they are sharp at any scale.

use egui::epaint::PathShape;
use egui::{Color32, CornerRadius, Painter, Pos2, Rect, Stroke, StrokeKind, pos2, vec2};

/// A sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Glyph {
    /// Good, done.
    Tick,
    /// Bad, away with it.
    Cross,
    /// In doubt.
    Question,
    /// Not now.
    Skip,
    /// The one before.
    Back,
    /// The one after.
    On,
    /// As it was before.
    Undo,
    /// Again.
    Again,
    /// All of a picture.
    Fit,
    /// Larger.
    Plus,
    /// Smaller.
    Minus,
    /// Two beside each other.
    Beside,
    /// A clip.
    Film,
    /// Goes on.
    Play,
    /// Stands.
    Pause,
    /// A hand that takes.
    Arrow,
    /// A box.
    Box,
    /// A polygon.
    Polygon,
    /// A brush.
    Brush,
    /// An eraser.
    Eraser,
    /// All of a part.
    Whole,
    /// Where it is hot.
    Heat,
    /// A capital.
    Shift,
    /// The letter before goes.
    Backspace,
    /// It is on its way.
    Dots,
    /// Something is wrong.
    Alert,
}

/// Draws `glyph` into the middle of `within`.
pub fn glyph(painter: &Painter, within: Rect, glyph: Glyph, ink: Color32) {
    let side = within.size().min_elem();
    let place = Rect::from_center_size(within.center(), vec2(side, side));
    let pen = Pen { painter, origin: place.min, unit: side / 20.0, ink };
    pen.judge(glyph);
    pen.go(glyph);
    pen.mark(glyph);
}

/// Draws on a square of 20.
struct Pen<'a> {
    painter: &'a Painter,
    origin: Pos2,
    unit: f32,
    ink: Color32,
}

impl Pen<'_> {
    fn at(&self, x: f32, y: f32) -> Pos2 {
        self.origin + vec2(x, y) * self.unit
    }

    fn thick(&self) -> Stroke {
        Stroke::new((self.unit * 20.0 / 9.0).max(1.5), self.ink)
    }

    fn thin(&self) -> Stroke {
        Stroke::new((self.unit * 20.0 / 13.0).max(1.2), self.ink)
    }

    fn line(&self, points: &[(f32, f32)], stroke: Stroke) {
        let points: Vec<Pos2> = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.painter.add(PathShape::line(points, stroke));
    }

    fn solid(&self, points: &[(f32, f32)]) {
        let points = points.iter().map(|&(x, y)| self.at(x, y)).collect();
        self.painter.add(PathShape::convex_polygon(points, self.ink, Stroke::NONE));
    }

    fn dot(&self, x: f32, y: f32, radius: f32) {
        self.painter.circle_filled(self.at(x, y), radius * self.unit, self.ink);
    }

    fn square(&self, x0: f32, y0: f32, x1: f32, y1: f32) {
        let rect = Rect::from_min_max(self.at(x0, y0), self.at(x1, y1));
        let (corners, stroke) = (CornerRadius::same(2), self.thin());
        self.painter.rect_stroke(rect, corners, stroke, StrokeKind::Middle);
    }

    /// Signs of what is said of a part, and of how things are.
    fn judge(&self, glyph: Glyph) {
        match glyph {
            Glyph::Tick => self.line(&[(3.5, 10.5), (8.0, 15.0), (16.5, 5.5)], self.thick()),
            Glyph::Cross => {
                self.line(&[(4.5, 4.5), (15.5, 15.5)], self.thick());
                self.line(&[(15.5, 4.5), (4.5, 15.5)], self.thick());
            }
            Glyph::Question => {
                let hook =
                    [(6.0, 7.0), (6.6, 4.6), (8.6, 3.2), (11.2, 3.2), (13.4, 4.8), (13.8, 7.2)];
                self.line(&hook, self.thick());
                self.line(&[(13.8, 7.2), (12.6, 9.2), (10.4, 10.6), (10.0, 12.8)], self.thick());
                self.dot(10.0, 16.6, 1.5);
            }
            Glyph::Skip => {
                self.line(&[(4.0, 4.5), (9.5, 10.0), (4.0, 15.5)], self.thick());
                self.line(&[(10.5, 4.5), (16.0, 10.0), (10.5, 15.5)], self.thick());
            }
            Glyph::Heat => {
                for (radius, strength) in [(8.0, 0.35), (5.4, 0.6), (2.8, 1.0)] {
                    let middle = self.at(10.0, 10.0);
                    let ink = self.ink.gamma_multiply(strength);
                    self.painter.circle_filled(middle, radius * self.unit, ink);
                }
            }
            Glyph::Dots => [4.0, 10.0, 16.0].into_iter().for_each(|x| self.dot(x, 10.0, 1.8)),
            Glyph::Alert => {
                let round = [pos2(10.0, 2.5), pos2(18.5, 17.0), pos2(1.5, 17.0), pos2(10.0, 2.5)];
                self.line(&round.map(|at| (at.x, at.y)), self.thin());
                self.line(&[(10.0, 7.5), (10.0, 12.0)], self.thick());
                self.dot(10.0, 14.6, 1.2);
            }
            _ => {}
        }
    }

    /// Signs of going on, and of looking.
    fn go(&self, glyph: Glyph) {
        match glyph {
            Glyph::Back => self.line(&[(12.5, 4.0), (6.5, 10.0), (12.5, 16.0)], self.thick()),
            Glyph::On => self.line(&[(7.5, 4.0), (13.5, 10.0), (7.5, 16.0)], self.thick()),
            Glyph::Undo | Glyph::Again => {
                let mirror = |x: f32| if glyph == Glyph::Undo { x } else { 20.0 - x };
                let round = [
                    (4.0, 7.5),
                    (12.0, 7.5),
                    (15.2, 9.0),
                    (16.4, 11.8),
                    (15.2, 14.6),
                    (12.0, 16.0),
                    (7.0, 16.0),
                ];
                let tip = [(7.6, 3.6), (3.6, 7.5), (7.6, 11.4)];
                self.line(&round.map(|(x, y)| (mirror(x), y)), self.thin());
                self.line(&tip.map(|(x, y)| (mirror(x), y)), self.thin());
            }
            Glyph::Fit => {
                for (x, y) in [(3.5_f32, 3.5_f32), (16.5, 3.5), (3.5, 16.5), (16.5, 16.5)] {
                    let toward = |at: f32| if at < 10.0 { at + 4.5 } else { at - 4.5 };
                    self.line(&[(toward(x), y), (x, y), (x, toward(y))], self.thick());
                }
            }
            Glyph::Plus | Glyph::Minus => {
                self.line(&[(4.0, 10.0), (16.0, 10.0)], self.thick());
                if glyph == Glyph::Plus {
                    self.line(&[(10.0, 4.0), (10.0, 16.0)], self.thick());
                }
            }
            Glyph::Beside => {
                self.square(2.5, 4.0, 9.0, 16.0);
                self.square(11.0, 4.0, 17.5, 16.0);
            }
            Glyph::Film => {
                self.square(2.5, 4.0, 17.5, 16.0);
                self.solid(&[(8.0, 7.0), (13.5, 10.0), (8.0, 13.0)]);
            }
            Glyph::Play => self.solid(&[(5.5, 3.5), (16.5, 10.0), (5.5, 16.5)]),
            Glyph::Pause => {
                self.solid(&[(5.0, 4.0), (8.4, 4.0), (8.4, 16.0), (5.0, 16.0)]);
                self.solid(&[(11.6, 4.0), (15.0, 4.0), (15.0, 16.0), (11.6, 16.0)]);
            }
            _ => {}
        }
    }

    /// Signs of drawing.
    fn mark(&self, glyph: Glyph) {
        match glyph {
            Glyph::Arrow => {
                let arrow = [(5.0, 2.5), (5.0, 15.5), (8.6, 12.4), (11.0, 17.6), (13.2, 16.6)];
                self.line(&arrow, self.thin());
                self.line(&[(13.2, 16.6), (10.8, 11.6), (15.4, 11.2), (5.0, 2.5)], self.thin());
            }
            Glyph::Shift => {
                let up = [(10.0, 3.0), (17.0, 10.0), (13.0, 10.0), (13.0, 16.5), (7.0, 16.5)];
                self.line(&up, self.thin());
                self.line(&[(7.0, 16.5), (7.0, 10.0), (3.0, 10.0), (10.0, 3.0)], self.thin());
            }
            Glyph::Backspace => {
                let tag = [(1.5, 10.0), (7.0, 4.0), (18.5, 4.0), (18.5, 16.0), (7.0, 16.0)];
                self.line(&tag, self.thin());
                self.line(&[(7.0, 16.0), (1.5, 10.0)], self.thin());
                self.line(&[(9.5, 7.5), (14.5, 12.5)], self.thin());
                self.line(&[(14.5, 7.5), (9.5, 12.5)], self.thin());
            }
            Glyph::Box => self.square(3.5, 5.0, 16.5, 15.0),
            Glyph::Polygon => {
                self.line(
                    &[(4.0, 8.0), (10.5, 3.5), (16.5, 9.0), (13.0, 16.5), (5.5, 15.0), (4.0, 8.0)],
                    self.thin(),
                );
            }
            Glyph::Brush => {
                self.line(&[(16.5, 3.5), (9.0, 11.5)], self.thick());
                self.dot(6.4, 14.0, 3.2);
            }
            Glyph::Eraser => {
                self.line(
                    &[
                        (3.5, 12.0),
                        (11.0, 4.5),
                        (16.5, 10.0),
                        (10.5, 16.0),
                        (7.5, 16.0),
                        (3.5, 12.0),
                    ],
                    self.thin(),
                );
                self.line(&[(7.2, 8.4), (12.8, 13.8)], self.thin());
            }
            Glyph::Whole => {
                self.square(3.0, 3.0, 17.0, 17.0);
                self.dot(10.0, 10.0, 2.6);
            }
            _ => {}
        }
    }
}
