//! Finds a chessboard: takes luma; gives all its inner corners.

use opencv::calib3d::{CALIB_CB_EXHAUSTIVE, CALIB_CB_LARGER, find_chessboard_corners_sb_with_meta};
use opencv::core::{Mat, Point2f, Size, Vector};
use opencv::prelude::MatTraitConst;

use super::detect::{Found, px_from, reduced};
use super::saddle::{Corner, refined};
use super::{NotFound, Px, Target};

/// All inner corners of the board, in its order.
pub(super) fn find(target: &Target, luma: &Mat, columns: u32, rows: u32) -> Found {
    let name = target.to_string();
    // What is there instead is looked for where the board is not.
    let found = match board(luma, columns, rows, 0)? {
        Some(board) => Some(board),
        None => board(luma, 3, 3, CALIB_CB_LARGER)?,
    };
    let Some(board) = found else {
        return Err(NotFound::Nothing { target: name });
    };
    let mut seen = [board.columns, board.rows];
    let mut corners = board.corners;
    if seen == [rows, columns] && columns != rows {
        corners = transposed(&corners, board.columns as usize);
        seen = [columns, rows];
    }
    if seen != [columns, rows] {
        return Err(other(&name, [columns, rows], seen));
    }
    let corners = oriented(corners, luma, columns as usize, rows as usize)
        .ok_or(NotFound::Mirrored { target: name })?;
    let falling_black = first_is_black(&corners, luma, columns as usize);
    let mut found = Vec::with_capacity(corners.len());
    for (index, at) in corners.iter().enumerate() {
        let (column, row) = (index % columns as usize, index / columns as usize);
        let corner = Corner {
            at: *at,
            along: square_at(&corners, columns as usize, column, row),
            // Squares on the falling diagonal of the first corner are those of the first square.
            falling_black: falling_black == ((column + row) % 2 == 0),
            plain: 1.0,
        };
        found.push(refined(luma, &corner)?);
    }
    Ok((0..).zip(found).filter_map(|(id, px)| Some((id, px?))).collect())
}

/// How the board lies at a corner, by its neighbours: pixels a square along columns and rows.
fn square_at(corners: &[Px], columns: usize, column: usize, row: usize) -> [[f64; 2]; 2] {
    let rows = corners.len() / columns;
    let apart = |low: usize, high: usize, steps: usize| {
        #[expect(clippy::cast_precision_loss, reason = "one or two")]
        let steps = steps as f64;
        let (a, b) = (corners[low], corners[high]);
        [(b.x - a.x) / steps, (b.y - a.y) / steps]
    };
    let (left, right) = (column.saturating_sub(1), (column + 1).min(columns - 1));
    let (up, down) = (row.saturating_sub(1), (row + 1).min(rows - 1));
    let [ax, ay] = apart(row * columns + left, row * columns + right, right - left);
    let [bx, by] = apart(up * columns + column, down * columns + column, down - up);
    [[ax, bx], [ay, by]]
}

struct Board {
    columns: u32,
    rows: u32,
    corners: Vec<Px>,
}

/// A board of so many corners; of at least so many with `CALIB_CB_LARGER`, which now and then takes
/// the paper's edge for another row.
fn board(luma: &Mat, columns: u32, rows: u32, larger: i32) -> Result<Option<Board>, NotFound> {
    let side = |count: u32| i32::try_from(count).unwrap_or(i32::MAX);
    let small = reduced(luma)?;
    let mut corners = Vector::<Point2f>::new();
    let mut meta = Mat::default();
    let found = find_chessboard_corners_sb_with_meta(
        &small,
        Size::new(side(columns), side(rows)),
        &mut corners,
        CALIB_CB_EXHAUSTIVE | larger,
        &mut meta,
    )?;
    if !found {
        return Ok(None);
    }
    let (columns, rows) = (meta.cols().unsigned_abs(), meta.rows().unsigned_abs());
    // The small picture has whole pixels.
    let times = [
        f64::from(luma.cols()) / f64::from(small.cols()),
        f64::from(luma.rows()) / f64::from(small.rows()),
    ];
    let whole = |at: Px| Px::new((at.x + 0.5) * times[0] - 0.5, (at.y + 0.5) * times[1] - 0.5);
    let corners: Vec<Px> = corners.iter().map(px_from).map(whole).collect();
    let complete = corners.len() == columns as usize * rows as usize;
    Ok(complete.then_some(Board { columns, rows, corners }))
}

/// What is said where a board of other counts is seen: part of the one expected, or another.
fn other(target: &str, expected: [u32; 2], seen: [u32; 2]) -> NotFound {
    let fits = |a: [u32; 2]| a[0] <= expected[0] && a[1] <= expected[1];
    let target = target.to_owned();
    if fits(seen) || fits([seen[1], seen[0]]) {
        let count = |[columns, rows]: [u32; 2]| columns as usize * rows as usize;
        let (seen, of) = (count(seen), count(expected));
        return NotFound::Partial { target, seen, of, needed: of };
    }
    // How it lies in the picture says nothing: named as the expected one is.
    let (long, short) = (seen[0].max(seen[1]), seen[0].min(seen[1]));
    let [columns, rows] = if expected[0] < expected[1] { [short, long] } else { [long, short] };
    let seen = format!("a chessboard of {columns} x {rows} inner corners");
    NotFound::OtherTarget { target, seen }
}

fn transposed(corners: &[Px], columns: usize) -> Vec<Px> {
    let rows = corners.len() / columns;
    (0..columns).flat_map(|c| (0..rows).map(move |r| corners[r * columns + c])).collect()
}

/// The corners so that the first square is black, and columns run right where rows run down; none
/// where a mirrored board alone would look so.
///
/// A board of which one count is even looks the same in a mirror: a mirror does it no harm.
fn oriented(mut corners: Vec<Px>, luma: &Mat, columns: usize, rows: usize) -> Option<Vec<Px>> {
    let (first, right, down) = (corners[0], corners[1], corners[columns]);
    let turn = (right.x - first.x) * (down.y - first.y) - (right.y - first.y) * (down.x - first.x);
    if turn < 0.0 {
        corners.chunks_mut(columns).for_each(<[Px]>::reverse);
    }
    if first_is_black(&corners, luma, columns) {
        return Some(corners);
    }
    if (columns + rows) % 2 == 1 {
        corners.reverse();
        return Some(corners);
    }
    if columns == rows {
        // A quarter turn changes the colour of the first square.
        let turned = transposed(&corners, columns);
        let rows = turned.chunks(columns).rev();
        return Some(rows.flatten().copied().collect());
    }
    columns.is_multiple_of(2).then_some(corners)
}

/// Whether the square between the first four corners is darker than its neighbour.
fn first_is_black(corners: &[Px], luma: &Mat, columns: usize) -> bool {
    let middle = |column: usize| {
        let four = [column, column + 1, columns + column, columns + column + 1].map(|i| corners[i]);
        let sum = four.iter().fold(Px::default(), |s, p| Px::new(s.x + p.x, s.y + p.y));
        #[expect(clippy::cast_possible_truncation, reason = "places in a picture")]
        let [x, y] = [sum.x / 4.0, sum.y / 4.0].map(|v| v.round() as i32);
        luma.at_2d::<u8>(y, x).copied().unwrap_or_default()
    };
    middle(0) < middle(1)
}
