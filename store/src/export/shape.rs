//! Where marks are in a picture: takes shapes in pixels of the frame, gives them in pixels of the
//! picture that was cut out of it, as boxes, as polygons or as masks; and back.

use domain::{Mask, PointPx, RectPx, Shape, SizePx};

use super::outline::outlines;

/// `shape` in pixels of the picture that shows `covers` of the frame, and whether something of it
/// was cut off. `None` when nothing of it is in the picture.
pub(crate) fn in_picture(shape: &Shape, covers: RectPx) -> Option<(Shape, bool)> {
    match shape {
        Shape::Whole => Some((Shape::Whole, false)),
        Shape::Box { area } => {
            let inside = area.intersection(&covers)?;
            Some((Shape::Box { area: moved(inside, covers) }, inside != *area))
        }
        Shape::Polygon { corners } => {
            let inside = |at: &PointPx| inside(at, covers);
            let is_inside = corners.iter().all(inside);
            let kept = if is_inside { corners.clone() } else { clipped(corners, covers) };
            let has_area = is_inside || (kept.len() >= 3 && area(&kept) > 0.0);
            let (left, top) = origin(covers);
            let kept = kept.iter().map(|at| PointPx { x: at.x - left, y: at.y - top }).collect();
            has_area.then_some((Shape::Polygon { corners: kept }, !is_inside))
        }
        Shape::Mask { mask } => {
            let kept = cut(mask, covers)?;
            let is_clipped = kept.count() != mask.count();
            let mask = Mask { area: moved(kept.area, covers), counts: kept.counts };
            Some((Shape::Mask { mask }, is_clipped))
        }
    }
}

/// The opposite of [`in_picture`], for shapes of which nothing was cut off.
pub(crate) fn in_frame(shape: &Shape, covers: RectPx) -> Shape {
    let back = |area: RectPx| {
        let (x, y) = (area.x.saturating_add(covers.x), area.y.saturating_add(covers.y));
        RectPx::new(x, y, area.width, area.height)
    };
    let (left, top) = origin(covers);
    match shape {
        Shape::Whole => Shape::Whole,
        Shape::Box { area } => Shape::Box { area: back(*area) },
        Shape::Polygon { corners } => {
            let back = |at: &PointPx| PointPx { x: at.x + left, y: at.y + top };
            Shape::Polygon { corners: corners.iter().map(back).collect() }
        }
        Shape::Mask { mask } => {
            Shape::Mask { mask: Mask { area: back(mask.area), counts: mask.counts.clone() } }
        }
    }
}

/// The smallest box of whole pixels around `shape`, in a picture of size `picture`.
pub(crate) fn box_of(shape: &Shape, picture: SizePx) -> RectPx {
    match shape {
        Shape::Whole => picture.rect(),
        Shape::Box { area } => *area,
        Shape::Polygon { corners } => box_of_corners(corners, picture),
        Shape::Mask { mask } => tight(mask).map_or(mask.area, |mask| mask.area),
    }
}

/// The pixels of `shape`, in as small a mask as holds them.
pub(crate) fn mask_of(shape: &Shape, picture: SizePx) -> Mask {
    let full = |area: RectPx| {
        let pixels = u32::try_from(area.area()).unwrap_or(u32::MAX);
        Mask { area, counts: vec![0, pixels] }
    };
    match shape {
        Shape::Whole => full(picture.rect()),
        Shape::Box { area } => full(*area),
        Shape::Polygon { corners } => filled(corners, picture),
        Shape::Mask { mask } => tight(mask).unwrap_or_else(|| mask.clone()),
    }
}

/// `shape` as polygons: one, or one for each piece of a mask, whose holes are filled.
pub(crate) fn polygons_of(shape: &Shape, picture: SizePx) -> Vec<Vec<PointPx>> {
    match shape {
        Shape::Whole => vec![corners_of(picture.rect())],
        Shape::Box { area } => vec![corners_of(*area)],
        Shape::Polygon { corners } => vec![corners.clone()],
        Shape::Mask { mask } => outlines(mask),
    }
}

/// The corners of a box, clockwise from the top left.
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
pub(crate) fn corners_of(area: RectPx) -> Vec<PointPx> {
    let (left, top) = (area.x as f32, area.y as f32);
    let (right, bottom) = (area.right() as f32, area.bottom() as f32);
    [(left, top), (right, top), (right, bottom), (left, bottom)]
        .map(|(x, y)| PointPx { x, y })
        .into()
}

/// The area of a polygon, by its corners.
pub(crate) fn area(corners: &[PointPx]) -> f64 {
    let next = corners.iter().cycle().skip(1);
    let each = corners
        .iter()
        .zip(next)
        .map(|(a, b)| f64::from(a.x) * f64::from(b.y) - f64::from(b.x) * f64::from(a.y));
    (each.sum::<f64>() / 2.0).abs()
}

/// `mask` over no more than the rectangle that its pixels fill; `None` when it has none.
pub(crate) fn tight(mask: &Mask) -> Option<Mask> {
    let RectPx { x, y, .. } = mask.area;
    let (mut left, mut top, mut right, mut bottom) = (u32::MAX, u32::MAX, 0, 0);
    for (column, row) in pixels(mask) {
        (left, right) = (left.min(column), right.max(column + 1));
        (top, bottom) = (top.min(row), bottom.max(row + 1));
    }
    if left == u32::MAX {
        return None;
    }
    let area = RectPx::from_corners(left, top, right, bottom);
    if area == mask.area && mask.counts.len() != 1 {
        return Some(mask.clone());
    }
    let bits: Vec<bool> = mask.bits().collect();
    let (wide, columns) = (mask.area.width as usize, area.width as usize);
    let start = |row: u32| (row - y) as usize * wide + (left - x) as usize;
    let rows = (top..bottom).map(|row| &bits[start(row)..start(row) + columns]);
    Some(Mask::from_bits(area, rows.flatten().copied()))
}

/// The pixels of a mask, row by row; what its runs say beyond its area is none.
pub(crate) fn pixels(mask: &Mask) -> impl Iterator<Item = (u32, u32)> + '_ {
    let RectPx { x, y, width, .. } = mask.area;
    let places = (0..mask.area.height).flat_map(move |row| (0..width).map(move |at| (at, row)));
    let set = places.zip(mask.bits()).filter(|(_, is_set)| *is_set);
    set.map(move |((column, row), _)| (x + column, y + row))
}

/// What of a mask lies in `window`.
fn cut(mask: &Mask, window: RectPx) -> Option<Mask> {
    let area = mask.area.intersection(&window)?;
    let places =
        (0..mask.area.height).flat_map(|row| (0..mask.area.width).map(move |at| (at, row)));
    let (x, y) = (mask.area.x, mask.area.y);
    let is_kept = |&((column, row), _): &((u32, u32), bool)| {
        area.contains(&RectPx::new(x + column, y + row, 1, 1))
    };
    let kept = places.zip(mask.bits()).filter(is_kept).map(|(_, is_set)| is_set);
    tight(&Mask::from_bits(area, kept))
}

fn moved(area: RectPx, covers: RectPx) -> RectPx {
    RectPx::new(area.x - covers.x, area.y - covers.y, area.width, area.height)
}

#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn origin(covers: RectPx) -> (f32, f32) {
    (covers.x as f32, covers.y as f32)
}

#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn inside(at: &PointPx, window: RectPx) -> bool {
    let (left, top) = (window.x as f32, window.y as f32);
    let (right, bottom) = (window.right() as f32, window.bottom() as f32);
    (left..=right).contains(&at.x) && (top..=bottom).contains(&at.y)
}

/// What of a polygon lies in `window`: Sutherland and Hodgman, side by side.
#[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
fn clipped(corners: &[PointPx], window: RectPx) -> Vec<PointPx> {
    type Side = (fn(&PointPx) -> f32, f32, f32);
    let sides: [Side; 4] = [
        (|at| at.x, window.x as f32, 1.0),
        (|at| at.x, window.right() as f32, -1.0),
        (|at| at.y, window.y as f32, 1.0),
        (|at| at.y, window.bottom() as f32, -1.0),
    ];
    let mut kept = corners.to_vec();
    for (along, edge, sign) in sides {
        let is_in = |at: &PointPx| (along(at) - edge) * sign >= 0.0;
        let before = std::mem::take(&mut kept);
        for (at, corner) in before.iter().enumerate() {
            let previous = &before[(at + before.len() - 1) % before.len()];
            if is_in(previous) != is_in(corner) {
                let share = (edge - along(previous)) / (along(corner) - along(previous));
                let on = |a: f32, b: f32| a + (b - a) * share;
                kept.push(PointPx { x: on(previous.x, corner.x), y: on(previous.y, corner.y) });
            }
            if is_in(corner) {
                kept.push(*corner);
            }
        }
    }
    // What was cut lies on the edge, not a rounding error beside it.
    let onto = |at: f32, from: u32, to: u32| at.clamp(from as f32, to as f32);
    for corner in &mut kept {
        corner.x = onto(corner.x, window.x, window.right());
        corner.y = onto(corner.y, window.y, window.bottom());
    }
    kept
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to a picture")]
fn box_of_corners(corners: &[PointPx], picture: SizePx) -> RectPx {
    let span = |along: fn(&PointPx) -> f32, end: u32| {
        let (mut low, mut high) = (f64::from(end), 0.0_f64);
        for at in corners {
            let at = f64::from(along(at)).clamp(0.0, f64::from(end));
            (low, high) = (low.min(at.floor()), high.max(at.ceil()));
        }
        let low = (low as u32).min(end.saturating_sub(1));
        (low, (high as u32).max(low + 1))
    };
    let (left, right) = span(|at| at.x, picture.width);
    let (top, bottom) = span(|at| at.y, picture.height);
    RectPx::from_corners(left, top, right, bottom)
}

/// The pixels whose middle a polygon holds, counted even-odd; all of its box when it is too thin to
/// hold any.
fn filled(corners: &[PointPx], picture: SizePx) -> Mask {
    let area = box_of_corners(corners, picture);
    let mut bits = Vec::with_capacity(area.width as usize * area.height as usize);
    let mut crossings = Vec::new();
    for row in area.y..area.bottom() {
        let middle = f64::from(row) + 0.5;
        crossings.clear();
        for (at, to) in corners.iter().enumerate() {
            let from = &corners[(at + corners.len() - 1) % corners.len()];
            let [x0, y0, x1, y1] = [from.x, from.y, to.x, to.y].map(f64::from);
            if (y0 <= middle) != (y1 <= middle) {
                crossings.push(x0 + (middle - y0) / (y1 - y0) * (x1 - x0));
            }
        }
        crossings.sort_by(f64::total_cmp);
        let holds = |column: u32| {
            let middle = f64::from(column) + 0.5;
            crossings.partition_point(|at| *at <= middle) % 2 == 1
        };
        bits.extend((area.x..area.right()).map(holds));
    }
    let thin = || {
        let pixels = u32::try_from(area.area()).unwrap_or(u32::MAX);
        Mask { area, counts: vec![0, pixels] }
    };
    tight(&Mask::from_bits(area, bits)).unwrap_or_else(thin)
}
