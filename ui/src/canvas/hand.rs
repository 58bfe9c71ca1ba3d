//! What a hand, or the keyboard's crosshair, is in the middle of: takes presses, moves and keys;
//! gives what was drawn or changed once it is finished.

use domain::{Mark, PointPx, RectPx, Shape};
use egui::Pos2;

use super::brush::Paint;
use super::lens::Sight;
use super::shapes::{self, Grip, REACH};

/// What is drawn with.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tool {
    /// Takes hold of what is there.
    Select,
    /// From corner to corner.
    #[default]
    Box,
    /// Corner by corner.
    Polygon,
    /// Pixel by pixel.
    Brush,
    /// Takes pixels away.
    Erase,
}

/// Where a hand is at work.
pub struct Board<'a> {
    /// How the picture is seen.
    pub sight: Sight,
    /// What there is, with its place in the label; only what is in this view.
    pub marks: Vec<(usize, &'a Mark)>,
    /// The place of the selected one.
    pub selected: Option<usize>,
    /// What is drawn with.
    pub tool: Tool,
    /// Radius of the brush, pixels of the frame.
    pub radius_px: f32,
}

/// What a hand did.
#[derive(Clone, Debug, PartialEq)]
pub enum Deed {
    /// A new shape.
    Drawn(Shape),
    /// The mark in that place has another shape.
    Changed(usize, Shape),
    /// Nothing is left of the mark in that place.
    Removed(usize),
    /// Another mark is selected, or none.
    Selected(Option<usize>),
}

/// What a hand is in the middle of.
#[derive(Clone, Debug, Default)]
pub struct Hand {
    doing: Doing,
    /// The pixel under the keyboard's crosshair, once it is used.
    pub cursor: Option<(u32, u32)>,
}

#[derive(Clone, Debug, Default)]
enum Doing {
    #[default]
    Nothing,
    /// A box between two places.
    Box { from: PointPx, to: PointPx },
    /// A box from one pixel to the crosshair's, both in it.
    KeyBox { from: (u32, u32) },
    /// A polygon of so many corners, so far.
    Polygon { corners: Vec<PointPx> },
    /// A stroke of the brush, for a new mask or one that is there.
    Stroke { of: Option<usize>, paint: Paint, last: PointPx },
    /// A mark in hand.
    Hold { mark: usize, shape: Shape, grip: Grip, from: PointPx, to: PointPx },
}

impl Board<'_> {
    fn covers(&self) -> RectPx {
        self.sight.covers
    }

    fn shape(&self, mark: usize) -> Option<&Shape> {
        self.marks.iter().find(|(place, _)| *place == mark).map(|(_, mark)| &mark.shape)
    }

    /// The mark there, the smallest when several are.
    fn mark_at(&self, at: Pos2) -> Option<usize> {
        let place = self.sight.to_frame(at);
        let on = self.marks.iter().filter(|(_, mark)| shapes::is_on(&mark.shape, place));
        on.min_by_key(|(_, mark)| shapes::bounds(&mark.shape, self.covers()).area())
            .map(|(place, _)| *place)
    }

    /// The mask that the brush works on, if one is selected.
    fn canvas_of(&self) -> (Option<usize>, Paint) {
        let selected = self.selected.and_then(|mark| Some((mark, self.shape(mark)?)));
        match selected {
            Some((mark, Shape::Mask { mask })) => (Some(mark), Paint::of(self.covers(), mask)),
            _ => (None, Paint::new(self.covers())),
        }
    }

    /// Where the middle of a pixel is.
    #[expect(clippy::cast_precision_loss, reason = "pictures are far below 2^24 pixels wide")]
    fn middle(pixel: (u32, u32)) -> PointPx {
        PointPx { x: pixel.0 as f32 + 0.5, y: pixel.1 as f32 + 0.5 }
    }
}

impl Hand {
    /// Whether something has been begun.
    #[must_use]
    pub const fn is_busy(&self) -> bool {
        !matches!(self.doing, Doing::Nothing)
    }

    /// Leaves what was begun as it was before.
    pub fn cancel(&mut self) {
        self.doing = Doing::Nothing;
    }

    /// A second finger came: what the first dragged stays as it was. Corners that were tapped stay.
    pub fn let_go(&mut self) {
        if !matches!(self.doing, Doing::Polygon { .. } | Doing::KeyBox { .. }) {
            self.doing = Doing::Nothing;
        }
    }

    /// The corners of a polygon that is not closed yet.
    #[must_use]
    pub fn corners(&self) -> &[PointPx] {
        if let Doing::Polygon { corners } = &self.doing { corners } else { &[] }
    }

    /// A finger or button goes down there and begins to move.
    pub fn press(&mut self, board: &Board<'_>, at: Pos2) -> Option<Deed> {
        let place = board.sight.on_picture(at);
        let held = match board.tool {
            Tool::Brush | Tool::Erase => None,
            _ => self.take(board, at),
        };
        let (doing, deed) = match (held, board.tool) {
            (Some((mark, doing)), _) => {
                (doing, (board.selected != Some(mark)).then_some(Deed::Selected(Some(mark))))
            }
            (None, Tool::Box) => (Doing::Box { from: place, to: place }, None),
            (None, Tool::Brush | Tool::Erase) => (Self::stroke(board, place), None),
            // A polygon's corners are taps; a finger that slips a little does not undo them.
            (None, Tool::Select | Tool::Polygon) => return None,
        };
        self.doing = doing;
        deed
    }

    /// What there is to take hold of there: the selected mark with any tool, others with `Select`.
    fn take(&self, board: &Board<'_>, at: Pos2) -> Option<(usize, Doing)> {
        if matches!(self.doing, Doing::Polygon { .. }) {
            return None;
        }
        let selected = board.selected.and_then(|mark| {
            let grip = shapes::grip(board.shape(mark)?, &board.sight, at)?;
            (grip != Grip::Body || board.tool == Tool::Select).then_some((mark, grip))
        });
        let other = || board.mark_at(at).map(|mark| (mark, Grip::Body));
        let other = || if board.tool == Tool::Select { other() } else { None };
        let (mark, grip) = selected.or_else(other)?;
        let (from, shape) = (board.sight.to_frame(at), board.shape(mark)?.clone());
        Some((mark, Doing::Hold { mark, shape, grip, from, to: from }))
    }

    fn stroke(board: &Board<'_>, place: PointPx) -> Doing {
        let (of, mut paint) = board.canvas_of();
        paint.stroke(place, place, board.radius_px, board.tool == Tool::Erase);
        Doing::Stroke { of, paint, last: place }
    }

    /// It moves there, still down.
    pub fn drag(&mut self, board: &Board<'_>, at: Pos2) {
        let place = board.sight.on_picture(at);
        match &mut self.doing {
            Doing::Box { to, .. } => *to = place,
            Doing::Hold { to, .. } => *to = board.sight.to_frame(at),
            Doing::Stroke { paint, last, .. } => {
                paint.stroke(*last, place, board.radius_px, board.tool == Tool::Erase);
                *last = place;
            }
            Doing::Nothing | Doing::KeyBox { .. } | Doing::Polygon { .. } => {}
        }
    }

    /// It goes up.
    pub fn release(&mut self, board: &Board<'_>) -> Option<Deed> {
        if matches!(self.doing, Doing::Polygon { .. } | Doing::KeyBox { .. }) {
            return None;
        }
        self.finish(board)
    }

    /// A finger or button goes down and up there.
    pub fn tap(&mut self, board: &Board<'_>, at: Pos2) -> Option<Deed> {
        let place = board.sight.on_picture(at);
        match board.tool {
            Tool::Select | Tool::Box => {
                let there = board.mark_at(at);
                (there != board.selected).then_some(Deed::Selected(there))
            }
            Tool::Polygon => self.corner(board, shapes::on_half(place, board.covers()), at),
            Tool::Brush | Tool::Erase => {
                self.doing = Self::stroke(board, place);
                self.finish(board)
            }
        }
    }

    /// A further corner, or, on the first, the end.
    fn corner(&mut self, board: &Board<'_>, place: PointPx, at: Pos2) -> Option<Deed> {
        let Doing::Polygon { corners } = &mut self.doing else {
            self.doing = Doing::Polygon { corners: vec![place] };
            return None;
        };
        let first = corners.first().map(|&first| board.sight.to_screen(first));
        let is_first = first.is_some_and(|first| first.distance(at) <= REACH);
        if is_first && corners.len() >= 3 {
            return self.finish(board);
        }
        if corners.last() != Some(&place) {
            corners.push(place);
        }
        None
    }

    /// The crosshair goes so many pixels.
    pub fn step(&mut self, board: &Board<'_>, by: (i32, i32)) {
        let covers = board.covers();
        let middle = shapes::pixel_at(covers.centre(), covers);
        let (x, y) = self.cursor.unwrap_or(middle);
        let along = |at: u32, by: i32, first: u32, end: u32| {
            at.saturating_add_signed(by).clamp(first, end.saturating_sub(1).max(first))
        };
        self.cursor = Some((
            along(x, by.0, covers.x, covers.right()),
            along(y, by.1, covers.y, covers.bottom()),
        ));
    }

    /// Enter: begins or ends at the crosshair, or closes a polygon that fingers set.
    pub fn enter(&mut self, board: &Board<'_>) -> Option<Deed> {
        let cursor = self.cursor;
        if let Doing::Polygon { corners } = &self.doing {
            let is_new = cursor.is_some_and(|at| corners.last() != Some(&Board::middle(at)));
            if !is_new {
                return if corners.len() >= 3 { self.finish(board) } else { None };
            }
        }
        let at = cursor?;
        let place = Board::middle(at);
        match board.tool {
            Tool::Select => {
                let there = board.mark_at(board.sight.to_screen(place));
                Some(Deed::Selected(there))
            }
            Tool::Polygon => self.corner(board, place, board.sight.to_screen(place)),
            Tool::Box => {
                if matches!(self.doing, Doing::KeyBox { .. }) {
                    return self.finish(board);
                }
                self.doing = Doing::KeyBox { from: at };
                None
            }
            Tool::Brush | Tool::Erase => match &mut self.doing {
                Doing::Stroke { paint, last, .. } => {
                    paint.stroke(*last, place, board.radius_px, board.tool == Tool::Erase);
                    self.finish(board)
                }
                _ => {
                    self.doing = Self::stroke(board, place);
                    None
                }
            },
        }
    }

    /// What was begun is done.
    fn finish(&mut self, board: &Board<'_>) -> Option<Deed> {
        let shape = self.begun(board);
        match std::mem::take(&mut self.doing) {
            Doing::Nothing => None,
            Doing::Hold { mark, shape: before, .. } => {
                let (_, shape) = shape?;
                (shape != before).then_some(Deed::Changed(mark, shape))
            }
            Doing::Stroke { of: Some(mark), paint, .. } => match paint.mask() {
                None => Some(Deed::Removed(mark)),
                Some(mask) => {
                    let is_new = board.shape(mark) != Some(&Shape::Mask { mask: mask.clone() });
                    is_new.then_some(Deed::Changed(mark, Shape::Mask { mask }))
                }
            },
            Doing::Polygon { corners } if corners.len() < 3 => None,
            _ => shape.map(|(_, shape)| Deed::Drawn(shape)),
        }
    }

    /// What would be there if it ended now, and which mark it would take the place of.
    #[must_use]
    pub fn begun(&self, board: &Board<'_>) -> Option<(Option<usize>, Shape)> {
        let covers = board.covers();
        match &self.doing {
            Doing::Nothing => None,
            Doing::Box { from, to } => {
                Some((None, Shape::Box { area: shapes::box_between(*from, *to, covers) }))
            }
            Doing::KeyBox { from } => {
                let to = self.cursor.unwrap_or(*from);
                let one = |pixel: (u32, u32)| RectPx::new(pixel.0, pixel.1, 1, 1);
                Some((None, Shape::Box { area: one(*from).union(&one(to)) }))
            }
            Doing::Polygon { corners } => Some((None, Shape::Polygon { corners: corners.clone() })),
            Doing::Stroke { of, paint, .. } => Some((*of, Shape::Mask { mask: paint.mask()? })),
            Doing::Hold { mark, shape, grip, from, to } => {
                Some((Some(*mark), shapes::moved(shape, *grip, *from, *to, covers)))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::lens::Lens;
    use super::*;
    use domain::MarkedBy;
    use egui::{Rect, Vec2, pos2, vec2};

    const COVERS: RectPx = RectPx::new(20, 20, 160, 120);

    fn board(tool: Tool, marks: &[Mark], selected: Option<usize>) -> Board<'_> {
        let place = Rect::from_min_size(pos2(0.0, 0.0), vec2(800.0, 600.0));
        let sight = Lens::Free { off: Vec2::ZERO, zoom: 4.0 }.sight(place, COVERS, 1.0);
        let marks = marks.iter().enumerate().collect();
        Board { sight, marks, selected, tool, radius_px: 3.0 }
    }

    fn mark(area: RectPx) -> Mark {
        Mark { class: "dent".into(), view: 0, shape: Shape::Box { area }, by: MarkedBy::Hand }
    }

    fn at(board: &Board<'_>, x: f32, y: f32) -> Pos2 {
        board.sight.to_screen(PointPx { x, y })
    }

    #[test]
    fn a_box_by_dragging_and_by_keys_is_the_same() {
        let board = board(Tool::Box, &[], None);
        let mut hand = Hand::default();
        assert_eq!(hand.press(&board, at(&board, 50.0, 60.0)), None);
        hand.drag(&board, at(&board, 61.0, 66.0));
        let drawn = Some(Deed::Drawn(Shape::Box { area: RectPx::new(50, 60, 11, 6) }));
        assert_eq!(hand.release(&board), drawn);
        hand.step(&board, (0, 0));
        let (x, y) = hand.cursor.unwrap();
        hand.step(&board, (50 - x as i32, 60 - y as i32));
        assert_eq!(hand.enter(&board), None);
        hand.step(&board, (10, 5));
        assert_eq!(hand.enter(&board), drawn);
        assert!(!hand.is_busy());
    }

    #[test]
    fn a_polygon_closes_at_its_first_corner_and_by_enter() {
        let board = board(Tool::Polygon, &[], None);
        let mut hand = Hand::default();
        for (x, y) in [(40.0, 40.0), (90.0, 40.2), (90.0, 90.0)] {
            assert_eq!(hand.tap(&board, at(&board, x, y)), None);
        }
        let mut by_enter = hand.clone();
        let place = |x, y| PointPx { x, y };
        let corners = vec![place(40.0, 40.0), place(90.0, 40.0), place(90.0, 90.0)];
        let drawn = Some(Deed::Drawn(Shape::Polygon { corners }));
        assert_eq!(hand.tap(&board, at(&board, 41.0, 39.0)), drawn);
        assert_eq!(by_enter.enter(&board), drawn);
        let mut early = Hand::default();
        early.tap(&board, at(&board, 40.0, 40.0));
        assert_eq!(early.enter(&board), None);
        assert!(early.is_busy());
    }

    #[test]
    fn strokes_add_to_the_selected_mask_until_nothing_is_left() {
        let plain = board(Tool::Brush, &[], None);
        let mut hand = Hand::default();
        let Some(Deed::Drawn(Shape::Mask { mask })) = hand.tap(&plain, at(&plain, 60.0, 60.0))
        else {
            panic!("no mask")
        };
        let before = mask.count();
        let masked =
            Mark { class: "dent".into(), view: 0, shape: Shape::Mask { mask }, by: MarkedBy::Hand };
        let marks = [masked];
        let more = board(Tool::Brush, &marks, Some(0));
        hand.press(&more, at(&more, 60.0, 60.0));
        hand.drag(&more, at(&more, 80.0, 60.0));
        let Some(Deed::Changed(0, Shape::Mask { mask })) = hand.release(&more) else {
            panic!("not changed")
        };
        assert!(mask.count() > before);
        let erase = board(Tool::Erase, &marks, Some(0));
        hand.press(&erase, at(&erase, 50.0, 60.0));
        hand.drag(&erase, at(&erase, 90.0, 60.0));
        assert_eq!(hand.release(&erase), Some(Deed::Removed(0)));
    }

    #[test]
    fn a_mark_is_taken_moved_and_put_back_by_escape() {
        let marks = [mark(RectPx::new(50, 50, 30, 20)), mark(RectPx::new(40, 40, 80, 80))];
        let select = board(Tool::Select, &marks, None);
        let mut hand = Hand::default();
        let deed = hand.press(&select, at(&select, 60.0, 60.0));
        assert_eq!(deed, Some(Deed::Selected(Some(0))), "the smaller of two");
        hand.drag(&select, at(&select, 64.4, 57.6));
        let area = RectPx::new(54, 48, 30, 20);
        assert_eq!(hand.begun(&select), Some((Some(0), Shape::Box { area })));
        let mut escaped = hand.clone();
        assert_eq!(hand.release(&select), Some(Deed::Changed(0, Shape::Box { area })));
        escaped.cancel();
        assert_eq!(escaped.release(&select), None);
    }

    #[test]
    fn a_hand_that_only_touches_changes_nothing() {
        let marks = [mark(RectPx::new(50, 50, 30, 20))];
        let select = board(Tool::Select, &marks, Some(0));
        let mut hand = Hand::default();
        assert_eq!(hand.press(&select, at(&select, 60.0, 60.0)), None);
        assert_eq!(hand.release(&select), None);
        assert_eq!(hand.tap(&select, at(&select, 170.0, 130.0)), Some(Deed::Selected(None)));
    }
}
