//! What is painted over the camera's picture: which ninths lack a view, where to hold the board,
//! the points that are seen, the views that were taken, which way the belt moves.

use domain::PointPx;
use egui::epaint::{PathShape, PathStroke};
use egui::{Color32, CornerRadius, Painter, Pos2, Rect, Shape, Stroke, StrokeKind, Vec2};
use egui::{pos2, vec2};

use super::steps::Step;
use crate::calibrating::{Advice, Calibrating, Taking, ViewFacts};
use crate::canvas::lens::Sight;
use crate::theme::{Theme, heavy};
use crate::widgets::{Health, health_sign};

/// Whether the target's points are of interest in `step`.
pub const fn has_points(step: Step) -> bool {
    matches!(step, Step::Target | Step::Lens | Step::Plane)
}

/// Paints all that `step` is about.
pub fn paint(painter: &Painter, of: &Calibrating, step: Step, sight: &Sight) {
    let theme = Theme::on_picture();
    let shows_views = step == Step::Lens;
    if shows_views {
        coverage(painter, theme, of, sight);
        for view in of.views.iter() {
            outline(painter, theme, view, sight);
        }
    }
    if has_points(step)
        && let Some(seen) = &of.seen
    {
        points(painter, theme, sight, &seen.points);
    }
    if shows_views {
        if let Some((row, column)) = wanted(of) {
            target(painter, theme, of, sight, ninth(sight, row, column));
        }
        badges(painter, theme, of, sight);
        for view in of.views.iter().filter(|view| view.is_left_out) {
            number(painter, theme, view, sight);
        }
    }
    if step == Step::Belt
        && let Some(belt) = &of.draft.belt
    {
        arrow_across(painter, theme, sight.seen(), belt.direction_deg);
    }
}

/// Where the target is wanted next: row and column.
fn wanted(of: &Calibrating) -> Option<(usize, usize)> {
    of.advice.iter().find_map(|advice| match *advice {
        Advice::Cover { row, column } if row < 3 && column < 3 => {
            Some((usize::from(row), usize::from(column)))
        }
        _ => None,
    })
}

#[expect(clippy::cast_precision_loss, reason = "0 to 3, and pictures far below 2^24 wide")]
fn ninth(sight: &Sight, row: usize, column: usize) -> Rect {
    let (width, height) = (sight.covers.width as f32, sight.covers.height as f32);
    let at = |row: usize, column: usize| {
        let (x, y) = (width * column as f32 / 3.0, height * row as f32 / 3.0);
        sight.to_screen(PointPx { x, y })
    };
    Rect::from_min_max(at(row, column), at(row + 1, column + 1))
}

/// The lines between the ninths.
pub fn thirds(painter: &Painter, theme: &Theme, sight: &Sight, ink: Color32) {
    let frame = sight.rect(sight.covers);
    for at in [1, 2] {
        let corner = ninth(sight, at, at).min;
        for (width, ink) in [(3.0, theme.ground.gamma_multiply(0.5)), (1.0, ink)] {
            painter.hline(frame.x_range(), corner.y, Stroke::new(width, ink));
            painter.vline(corner.x, frame.y_range(), Stroke::new(width, ink));
        }
    }
}

/// Whether the ninths are told apart: a lens that is fitted needs no more views.
fn has_coverage(of: &Calibrating) -> bool {
    let is_begun = !of.views.is_empty() || matches!(of.taking, Taking::Views { .. });
    is_begun || of.draft.lens.is_none()
}

/// A ninth without a view is hatched.
fn coverage(painter: &Painter, theme: &Theme, of: &Calibrating, sight: &Sight) {
    thirds(painter, theme, sight, theme.on_accent.gamma_multiply(0.7));
    for (place, views) in ninths(of, sight) {
        if views == 0 && has_coverage(of) {
            hatch(painter, theme, place);
        }
    }
}

/// How many views each ninth has.
fn badges(painter: &Painter, theme: &Theme, of: &Calibrating, sight: &Sight) {
    for (place, views) in ninths(of, sight).filter(|_| has_coverage(of)) {
        badge(painter, theme, place, views);
    }
}

fn ninths<'a>(of: &'a Calibrating, sight: &'a Sight) -> impl Iterator<Item = (Rect, u32)> + 'a {
    let rows = of.coverage.iter().enumerate();
    rows.flat_map(move |(row, columns)| {
        let columns = columns.iter().enumerate();
        columns.map(move |(column, &views)| (ninth(sight, row, column), views))
    })
}

fn hatch(painter: &Painter, theme: &Theme, place: Rect) {
    let inner = place.shrink(3.0);
    let painter = painter.with_clip_rect(inner.intersect(painter.clip_rect()));
    painter.rect_filled(inner, CornerRadius::ZERO, theme.undecided.gamma_multiply(0.16));
    let stroke = Stroke::new(2.0, theme.undecided.gamma_multiply(0.55));
    let mut left = inner.left() - inner.height();
    // No more lines than a screen has room for, however far somebody has zoomed.
    let step = 18.0_f32.max(inner.width() / 60.0);
    while left < inner.right() {
        let to = pos2(left + inner.height(), inner.top());
        painter.line_segment([pos2(left, inner.bottom()), to], stroke);
        left += step;
    }
    let edge = Stroke::new(2.5, theme.undecided);
    painter.rect_stroke(inner, CornerRadius::ZERO, edge, StrokeKind::Inside);
}

fn badge(painter: &Painter, theme: &Theme, place: Rect, views: u32) {
    let text = views.min(99).to_string();
    let galley = painter.layout_no_wrap(text, heavy(15.0), theme.text);
    let size = vec2(galley.size().x + 34.0, 26.0);
    if place.width() < size.x + 16.0 || place.height() < size.y + 16.0 {
        return;
    }
    let plate = Rect::from_min_size(place.min + Vec2::splat(10.0), size);
    painter.rect_filled(plate, CornerRadius::same(13), theme.card);
    let sign = Rect::from_center_size(plate.left_center() + vec2(14.0, 0.0), Vec2::splat(14.0));
    let health = if views == 0 { Health::Care } else { Health::Good };
    health_sign(painter, sign, health, theme);
    let at = pos2(plate.left() + 25.0, plate.center().y - galley.size().y / 2.0);
    painter.galley(at, galley, theme.text);
}

/// Where to hold the board: a frame, and an arrow to it from where the board is.
fn target(painter: &Painter, theme: &Theme, of: &Calibrating, sight: &Sight, place: Rect) {
    let inner = place.shrink(6.0);
    for (width, ink) in [(9.0, theme.ground.gamma_multiply(0.8)), (5.0, theme.series)] {
        let stroke = Stroke::new(width, ink);
        painter.rect_stroke(inner, CornerRadius::same(6), stroke, StrokeKind::Middle);
    }
    let seen = of.seen.as_ref().map_or(&[][..], |seen| &seen.points);
    let Some(from) = middle(seen).map(|at| sight.to_screen(at)) else {
        board(painter, theme, inner);
        return;
    };
    if inner.contains(from) {
        return;
    }
    let way = inner.center() - from;
    let to = inner.center() - way.normalized() * (0.1 * inner.size().min_elem());
    arrow(painter, theme, from, to);
}

/// A chessboard as a sign, in the middle of `place`.
fn board(painter: &Painter, theme: &Theme, place: Rect) {
    let side = place.size().min_elem() * 0.5;
    let whole = Rect::from_center_size(place.center(), Vec2::splat(side));
    painter.rect_filled(whole.expand(4.0), CornerRadius::same(3), theme.on_accent);
    for at in 0_u8..16 {
        let (row, column) = (f32::from(at / 4), f32::from(at % 4));
        if (at / 4 + at % 4).is_multiple_of(2) {
            let corner = whole.min + vec2(column, row) * side / 4.0;
            let square = Rect::from_min_size(corner, Vec2::splat(side / 4.0));
            painter.rect_filled(square, CornerRadius::ZERO, theme.accent);
        }
    }
}

/// The middle of those that are numbers.
fn middle(points: &[PointPx]) -> Option<PointPx> {
    let there = points.iter().filter(|at| at.x.is_finite() && at.y.is_finite());
    let (mut sum, mut count) = (PointPx::default(), 0.0);
    for at in there {
        sum = PointPx { x: sum.x + at.x, y: sum.y + at.y };
        count += 1.0;
    }
    (count > 0.0).then(|| PointPx { x: sum.x / count, y: sum.y / count })
}

fn points(painter: &Painter, theme: &Theme, sight: &Sight, points: &[PointPx]) {
    for &at in points.iter().filter(|at| at.x.is_finite() && at.y.is_finite()) {
        let at = sight.to_screen(at);
        painter.circle_filled(at, 5.0, theme.ground);
        painter.circle_filled(at, 3.5, theme.lamp_pass);
    }
}

/// The corners of a view that was taken; dashed when it contradicts the others.
fn outline(painter: &Painter, theme: &Theme, view: &ViewFacts, sight: &Sight) {
    let corners: Vec<Pos2> = view
        .outline
        .iter()
        .filter(|at| at.x.is_finite() && at.y.is_finite())
        .map(|&at| sight.to_screen(at))
        .collect();
    if corners.len() < 2 {
        return;
    }
    if view.is_left_out {
        let around: Vec<Pos2> = corners.iter().chain(corners.first()).copied().collect();
        painter
            .add(Shape::line(around.clone(), Stroke::new(4.0, theme.ground.gamma_multiply(0.6))));
        let stroke = Stroke::new(2.5, theme.reject_ink);
        painter.extend(Shape::dashed_line(&around, stroke, 9.0, 6.0));
        return;
    }
    for (width, ink) in
        [(3.5, theme.ground.gamma_multiply(0.45)), (1.5, theme.lamp_pass.gamma_multiply(0.85))]
    {
        let stroke = PathStroke::from(Stroke::new(width, ink));
        let (points, fill) = (corners.clone(), Color32::TRANSPARENT);
        painter.add(PathShape { points, closed: true, fill, stroke });
    }
}

/// The number of a view that contradicts the others, in its middle.
fn number(painter: &Painter, theme: &Theme, view: &ViewFacts, sight: &Sight) {
    let Some(middle) = middle(&view.outline) else { return };
    let middle = sight.to_screen(middle);
    let text = view.number.to_string();
    let galley = painter.layout_no_wrap(text, heavy(15.0), theme.on_accent);
    let size = vec2(galley.size().x + 18.0, 26.0);
    painter.rect_filled(Rect::from_center_size(middle, size), CornerRadius::same(13), theme.reject);
    painter.galley(middle - galley.size() / 2.0, galley, theme.on_accent);
}

/// The ends of a known length, and the line between them.
pub fn ruler(painter: &Painter, ends: &[Pos2]) {
    let theme = Theme::on_picture();
    if let [from, to] = *ends {
        painter.line_segment([from, to], Stroke::new(5.0, theme.ground.gamma_multiply(0.7)));
        painter.line_segment([from, to], Stroke::new(2.5, theme.series));
    }
    for &at in ends {
        for (width, ink) in [(5.0, theme.ground.gamma_multiply(0.7)), (2.5, theme.series)] {
            painter.circle_stroke(at, 11.0, Stroke::new(width, ink));
        }
        painter.circle_filled(at, 2.5, theme.series);
    }
}

/// What must not move.
pub fn landmark(painter: &Painter, place: Rect) {
    let theme = Theme::on_picture();
    for (width, ink) in [(6.0, theme.ground.gamma_multiply(0.7)), (3.0, theme.series)] {
        let stroke = Stroke::new(width, ink);
        painter.rect_stroke(place, CornerRadius::same(2), stroke, StrokeKind::Outside);
    }
}

/// Which way the belt moves.
fn arrow_across(painter: &Painter, theme: &Theme, place: Rect, direction_deg: f64) {
    if !direction_deg.is_finite() || !place.is_positive() {
        return;
    }
    #[expect(clippy::cast_possible_truncation, reason = "an angle")]
    let way = Vec2::angled((direction_deg % 360.0).to_radians() as f32);
    let half = way * 0.3 * place.size().min_elem();
    arrow(painter, theme, place.center() - half, place.center() + half);
}

fn arrow(painter: &Painter, theme: &Theme, from: Pos2, to: Pos2) {
    let way = (to - from).normalized();
    if !way.is_finite() {
        return;
    }
    let side = way.rot90();
    let neck = to - way * 26.0;
    let head = |by: f32| {
        vec![
            to + way * by,
            neck + side * (15.0 + by) - way * by,
            neck - side * (15.0 + by) - way * by,
        ]
    };
    let under = theme.ground.gamma_multiply(0.8);
    painter.line_segment([from, neck], Stroke::new(11.0, under));
    painter.add(Shape::convex_polygon(head(4.0), under, Stroke::NONE));
    painter.line_segment([from, neck], Stroke::new(6.0, theme.series));
    painter.add(Shape::convex_polygon(head(0.0), theme.series, Stroke::NONE));
    // Where the board is.
    painter.circle_filled(from, 9.0, under);
    painter.circle_filled(from, 6.0, theme.series);
}
