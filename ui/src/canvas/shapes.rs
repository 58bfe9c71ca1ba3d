//! Shapes as a hand takes hold of them: where one is, where its handles are, what it becomes when
//! it is moved. All in pixels of the camera's frame, never beyond the picture.

use domain::{Mask, PointPx, RectPx, Shape};
use egui::{Pos2, Vec2, vec2};

use super::brush;
use super::lens::{Sight, clamped};

/// How far from a handle a finger still takes it, points: half of what is touched.
pub const REACH: f32 = 24.0;
/// How far outside its corner a handle of a box sits, points, so that small boxes can be moved.
const OUTSIDE: f32 = 14.0;

/// What a hand takes hold of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Grip {
    /// All of it.
    Body,
    /// Sides of a box: left or right, top or bottom, as -1, 0, 1.
    Side(i8, i8),
    /// A corner of a polygon.
    Corner(usize),
}

/// The box from one place to another, its sides on the nearest borders of pixels and at least a
/// pixel large.
#[must_use]
pub fn box_between(from: PointPx, to: PointPx, covers: RectPx) -> RectPx {
    let (x0, x1) = sides(from.x, to.x, covers.x, covers.right());
    let (y0, y1) = sides(from.y, to.y, covers.y, covers.bottom());
    RectPx::from_corners(x0, y0, x1, y1)
}

fn sides(a: f32, b: f32, first: u32, end: u32) -> (u32, u32) {
    let (low, high) = (a.min(b), a.max(b));
    let (from, to) = (border(low, first, end), border(high, first, end));
    if from < to {
        return (from, to);
    }
    // Within one pixel: that pixel.
    let pixel = pixel(low, first, end);
    (pixel, (pixel + 1).min(end))
}

/// The nearest border between pixels.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn border(at: f32, first: u32, end: u32) -> u32 {
    at.round().clamp(first as f32, end as f32) as u32
}

/// The pixel that a place lies in.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn pixel(at: f32, first: u32, end: u32) -> u32 {
    (at.floor().clamp(first as f32, end as f32) as u32).min(end.saturating_sub(1)).max(first)
}

/// The pixel of the frame that a place lies in.
#[must_use]
pub fn pixel_at(at: PointPx, covers: RectPx) -> (u32, u32) {
    (pixel(at.x, covers.x, covers.right()), pixel(at.y, covers.y, covers.bottom()))
}

/// The nearest corner or middle of a pixel: a polygon's corners are no finer.
#[must_use]
pub fn on_half(at: PointPx, covers: RectPx) -> PointPx {
    let half = |value: f32| (value * 2.0).round() / 2.0;
    clamped(PointPx { x: half(at.x), y: half(at.y) }, covers)
}

/// The least rectangle of whole pixels that holds a shape; `covers` when it is the whole part.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped before")]
pub fn bounds(shape: &Shape, covers: RectPx) -> RectPx {
    match shape {
        Shape::Whole => covers,
        Shape::Box { area } => *area,
        Shape::Mask { mask } => mask.area,
        Shape::Polygon { corners } => {
            let low = |axis: fn(&PointPx) -> f32| {
                corners.iter().map(axis).fold(f32::MAX, f32::min).floor().max(0.0) as u32
            };
            let high = |axis: fn(&PointPx) -> f32| {
                corners.iter().map(axis).fold(0.0, f32::max).ceil().max(0.0) as u32
            };
            let (left, top) = (low(|at| at.x), low(|at| at.y));
            RectPx::from_corners(left, top, high(|at| at.x), high(|at| at.y))
        }
    }
}

/// Whether a place is on a shape. Nothing is on the whole part: it has no place to be taken at.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
pub fn is_on(shape: &Shape, at: PointPx) -> bool {
    match shape {
        Shape::Whole => false,
        Shape::Box { area } => {
            (area.x as f32..=area.right() as f32).contains(&at.x)
                && (area.y as f32..=area.bottom() as f32).contains(&at.y)
        }
        Shape::Mask { mask } => brush::runs(mask).any(|(row, from, to)| {
            at.y.floor() == row as f32 && (from as f32..to as f32).contains(&at.x)
        }),
        Shape::Polygon { corners } => is_inside(corners, at),
    }
}

/// Even-odd, as the shape is filled.
fn is_inside(corners: &[PointPx], at: PointPx) -> bool {
    let next = corners.iter().cycle().skip(1);
    corners.iter().zip(next).fold(false, |inside, (a, b)| {
        let crosses = (a.y > at.y) != (b.y > at.y);
        inside ^ (crosses && at.x < (b.x - a.x) * (at.y - a.y) / (b.y - a.y) + a.x)
    })
}

/// The handles of a shape and where they are on the screen.
#[must_use]
pub fn handles(shape: &Shape, sight: &Sight) -> Vec<(Grip, Pos2)> {
    match shape {
        Shape::Whole | Shape::Mask { .. } => vec![],
        Shape::Polygon { corners } => corners
            .iter()
            .enumerate()
            .map(|(position, &at)| (Grip::Corner(position), sight.to_screen(at)))
            .collect(),
        Shape::Box { area } => {
            let on_screen = sight.rect(*area);
            let reaches = [-1_i8, 0, 1];
            let all = reaches.iter().flat_map(|&x| reaches.iter().map(move |&y| (x, y)));
            all.filter(|&side| side != (0, 0))
                .filter(|&(x, y)| {
                    // In the middle of a side only where that keeps clear of its corners.
                    (x != 0 || on_screen.width() > 3.0 * REACH)
                        && (y != 0 || on_screen.height() > 3.0 * REACH)
                })
                .map(|(x, y)| {
                    let out = vec2(f32::from(x), f32::from(y));
                    let at =
                        on_screen.center() + out * (on_screen.size() / 2.0 + Vec2::splat(OUTSIDE));
                    (Grip::Side(x, y), at)
                })
                .collect()
        }
    }
}

/// What of a shape is taken hold of there on the screen.
#[must_use]
pub fn grip(shape: &Shape, sight: &Sight, at: Pos2) -> Option<Grip> {
    let distance = |(_, handle): &(Grip, Pos2)| handle.distance(at);
    let nearest = handles(shape, sight)
        .into_iter()
        .min_by(|a, b| distance(a).total_cmp(&distance(b)))
        .filter(|handle| distance(handle) <= REACH);
    let is_body = is_on(shape, sight.to_frame(at));
    match nearest {
        // Inside a box it is the box that is meant, except right at the border.
        Some((Grip::Side(..), handle)) if is_body && handle.distance(at) > OUTSIDE + 6.0 => {
            Some(Grip::Body)
        }
        Some((grip, _)) => Some(grip),
        None => is_body.then_some(Grip::Body),
    }
}

/// `shape` after a hand took it at `grip` and moved from one place of the frame to another.
#[must_use]
pub fn moved(shape: &Shape, grip: Grip, from: PointPx, to: PointPx, covers: RectPx) -> Shape {
    match (shape, grip) {
        (Shape::Box { area }, Grip::Side(x, y)) => {
            let by = PointPx { x: to.x - from.x, y: to.y - from.y };
            Shape::Box { area: resized(*area, (x, y), by, covers) }
        }
        (Shape::Polygon { corners }, Grip::Corner(position)) => {
            let mut corners = corners.clone();
            if let Some(corner) = corners.get_mut(position) {
                *corner = on_half(to, covers);
            }
            Shape::Polygon { corners }
        }
        (shape, _) => shifted(shape, to.x - from.x, to.y - from.y, covers),
    }
}

#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn resized(area: RectPx, side: (i8, i8), by: PointPx, covers: RectPx) -> RectPx {
    let along = |low: u32, high: u32, side: i8, by: f32| match side {
        -1 => ((low as f32 + by).min(high as f32 - 1.0), high as f32),
        1 => (low as f32, (high as f32 + by).max(low as f32 + 1.0)),
        _ => (low as f32, high as f32),
    };
    let (x0, x1) = along(area.x, area.right(), side.0, by.x);
    let (y0, y1) = along(area.y, area.bottom(), side.1, by.y);
    box_between(PointPx { x: x0, y: y0 }, PointPx { x: x1, y: y1 }, covers)
}

/// `shape` moved by whole pixels, not beyond the picture.
#[must_use]
#[expect(clippy::cast_possible_truncation, reason = "clamped to the picture")]
fn shifted(shape: &Shape, dx: f32, dy: f32, covers: RectPx) -> Shape {
    let area = bounds(shape, covers);
    let along = |by: f32, low: u32, high: u32, first: u32, end: u32| {
        let (back, on) = (i64::from(first) - i64::from(low), i64::from(end) - i64::from(high));
        (by.round() as i64).clamp(back.min(0), on.max(0))
    };
    let dx = along(dx, area.x, area.right(), covers.x, covers.right());
    let dy = along(dy, area.y, area.bottom(), covers.y, covers.bottom());
    let put = |area: &RectPx| RectPx {
        x: u32::try_from(i64::from(area.x) + dx).unwrap_or(area.x),
        y: u32::try_from(i64::from(area.y) + dy).unwrap_or(area.y),
        ..*area
    };
    match shape {
        Shape::Whole => Shape::Whole,
        Shape::Box { area } => Shape::Box { area: put(area) },
        Shape::Mask { mask } => {
            Shape::Mask { mask: Mask { area: put(&mask.area), counts: mask.counts.clone() } }
        }
        Shape::Polygon { corners } => {
            let by = vec2(dx as f32, dy as f32);
            let put = |at: &PointPx| PointPx { x: at.x + by.x, y: at.y + by.y };
            Shape::Polygon { corners: corners.iter().map(put).collect() }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lens::Lens;
    use super::*;
    use egui::{Rect, pos2};
    use proptest::prelude::*;

    const COVERS: RectPx = RectPx::new(20, 20, 160, 120);

    fn at(x: f32, y: f32) -> PointPx {
        PointPx { x, y }
    }

    fn sight(zoom: f32) -> Sight {
        let place = Rect::from_min_size(pos2(0.0, 0.0), vec2(800.0, 600.0));
        Lens::Free { off: Vec2::ZERO, zoom }.sight(place, COVERS, 1.0)
    }

    fn place() -> impl Strategy<Value = PointPx> {
        (-50.0_f32..300.0, -50.0_f32..300.0).prop_map(|(x, y)| at(x, y))
    }

    proptest! {
        #[test]
        fn a_drawn_box_is_never_empty_nor_beyond_the_picture(a in place(), b in place()) {
            let area = box_between(a, b, COVERS);
            prop_assert!(!area.is_empty() && COVERS.contains(&area));
            prop_assert_eq!(area, box_between(b, a, COVERS));
        }

        #[test]
        fn moving_keeps_size_and_stays_inside(
            a in place(), b in place(), c in place(), d in place()
        ) {
            let area = box_between(a, b, COVERS);
            let shape = Shape::Box { area };
            let Shape::Box { area: after } = moved(&shape, Grip::Body, c, d, COVERS) else {
                unreachable!()
            };
            prop_assert_eq!((after.width, after.height), (area.width, area.height));
            prop_assert!(COVERS.contains(&after));
        }

        #[test]
        fn a_side_that_is_dragged_moves_alone(a in place(), b in place(), by in place()) {
            let area = box_between(a, b, COVERS);
            let shape = Shape::Box { area };
            let grip = Grip::Side(1, 0);
            let Shape::Box { area: after } = moved(&shape, grip, at(0.0, 0.0), by, COVERS) else {
                unreachable!()
            };
            prop_assert_eq!((after.x, after.y, after.height), (area.x, area.y, area.height));
            prop_assert!(!after.is_empty() && COVERS.contains(&after));
        }

        #[test]
        fn a_drag_from_border_to_border_on_the_screen_is_exact(
            (x, y, w, h) in (20_u32..170, 20_u32..130, 1_u32..10, 1_u32..10), zoom in 1.0_f32..32.0,
        ) {
            let wanted = RectPx::new(x, y, w, h);
            let sight = sight(zoom);
            let on_screen = sight.rect(wanted);
            let drawn = box_between(
                sight.on_picture(on_screen.min), sight.on_picture(on_screen.max), COVERS);
            prop_assert_eq!(drawn, wanted);
        }
    }

    #[test]
    fn handles_of_a_tiny_box_leave_room_to_move_it() {
        let shape = Shape::Box { area: RectPx::new(90, 70, 2, 2) };
        let sight = sight(4.0);
        let middle = sight.rect(RectPx::new(90, 70, 2, 2)).center();
        assert_eq!(grip(&shape, &sight, middle), Some(Grip::Body));
        assert_eq!(grip(&shape, &sight, middle + vec2(20.0, 20.0)), Some(Grip::Side(1, 1)));
        assert_eq!(grip(&shape, &sight, middle + vec2(80.0, 0.0)), None);
        assert_eq!(handles(&shape, &sight).len(), 4);
    }

    #[test]
    fn every_handle_of_a_large_box_is_a_finger_apart() {
        let shape = Shape::Box { area: RectPx::new(40, 40, 80, 60) };
        let all = handles(&shape, &sight(4.0));
        assert_eq!(all.len(), 8);
        for (position, (_, a)) in all.iter().enumerate() {
            assert!(all[position + 1..].iter().all(|(_, b)| a.distance(*b) >= 2.0 * REACH));
        }
    }

    #[test]
    fn a_polygon_is_taken_inside_and_at_its_corners() {
        let corners = vec![at(40.0, 40.0), at(140.0, 40.0), at(40.0, 120.0)];
        let shape = Shape::Polygon { corners };
        let sight = sight(4.0);
        assert_eq!(grip(&shape, &sight, sight.to_screen(at(60.0, 60.0))), Some(Grip::Body));
        assert_eq!(grip(&shape, &sight, sight.to_screen(at(130.0, 110.0))), None);
        let grip = grip(&shape, &sight, sight.to_screen(at(140.0, 40.0))).unwrap();
        let after = moved(&shape, grip, at(140.0, 40.0), at(500.0, 50.2), COVERS);
        let Shape::Polygon { corners } = after else { unreachable!() };
        assert_eq!(corners[1], at(180.0, 50.0));
    }

    #[test]
    fn a_picture_of_one_pixel_has_one_box() {
        let covers = RectPx::new(7, 9, 1, 1);
        assert_eq!(box_between(at(0.0, 0.0), at(99.0, 99.0), covers), covers);
        assert_eq!(box_between(at(7.2, 9.2), at(7.3, 9.4), covers), covers);
        assert_eq!(pixel_at(at(-3.0, 900.0), covers), (7, 9));
    }
}
