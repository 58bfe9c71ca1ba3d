//! Where on the part defects are: takes boxes as shares of the part's picture, gives how many
//! cover each place.

use egui::{Color32, Mesh, Rect, Stroke, StrokeKind, TextureHandle, Ui, pos2, vec2};

use super::area::small;
use crate::theme::Theme;

/// Cells across and down.
const ACROSS: usize = 48;
const DOWN: usize = 36;

/// How many defects cover each place.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Width of the part's picture by its height.
    pub aspect: f32,
    /// Defects.
    pub of: u64,
    cells: Vec<u32>,
}

impl Default for Places {
    fn default() -> Self {
        Self { aspect: 4.0 / 3.0, of: 0, cells: vec![0; ACROSS * DOWN] }
    }
}

impl Places {
    /// Counts a defect in `area`, whose sides are shares of the picture's.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "cells of the grid, held within it"
    )]
    pub fn add(&mut self, area: Rect) {
        let cell = |share: f32, of: usize| ((share.clamp(0.0, 1.0) * of as f32) as usize).min(of);
        let (x0, y0) = (cell(area.left(), ACROSS), cell(area.top(), DOWN));
        // However small, a defect is in one cell at least.
        let x1 = cell(area.right(), ACROSS).max(x0 + 1).min(ACROSS);
        let y1 = cell(area.bottom(), DOWN).max(y0 + 1).min(DOWN);
        for row in self.cells.chunks_mut(ACROSS).take(y1).skip(y0.min(DOWN - 1)) {
            for count in row.iter_mut().take(x1).skip(x0.min(ACROSS - 1)) {
                *count += 1;
            }
        }
        self.of += 1;
    }

    /// The most defects at one place.
    #[must_use]
    pub fn most(&self) -> u32 {
        self.cells.iter().copied().max().unwrap_or(0)
    }

    /// How many defects are at a place, given as shares of the picture.
    #[must_use]
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "cells of the grid, held within it"
    )]
    pub fn at(&self, x: f32, y: f32) -> u32 {
        let cell = |share: f32, of: usize| ((share * of as f32) as usize).min(of - 1);
        self.cells[cell(y, DOWN) * ACROSS + cell(x, ACROSS)]
    }

    /// Paints it into the middle of `whole`, over `picture` or an outline.
    pub(crate) fn paint(
        &self,
        ui: &Ui,
        theme: &Theme,
        whole: Rect,
        picture: Option<&TextureHandle>,
    ) {
        let rect = fitted(whole.with_max_x(whole.right() - 76.0), self.aspect);
        let painter = ui.painter();
        if let Some(picture) = picture {
            let all = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
            painter.image(picture.id(), rect, all, Color32::from_gray(150));
        }
        let most = self.most().max(1);
        let mut mesh = Mesh::default();
        for (index, &count) in self.cells.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (column, row) = (index % ACROSS, index / ACROSS);
            mesh.add_colored_rect(cell(rect, column, row), theme.heat(share(count, most)));
        }
        painter.add(mesh);
        painter.rect_stroke(rect, 4.0, Stroke::new(1.0, theme.line), StrokeKind::Outside);
        scale(ui, theme, Rect::from_min_size(rect.right_top() + vec2(16.0, 0.0), vec2(14.0, rect.height())), most);
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares")]
fn share(count: u32, most: u32) -> f32 {
    count as f32 / most as f32
}

#[expect(clippy::cast_precision_loss, reason = "cells of a small grid")]
fn cell(rect: Rect, column: usize, row: usize) -> Rect {
    let size = vec2(rect.width() / ACROSS as f32, rect.height() / DOWN as f32);
    Rect::from_min_size(rect.min + vec2(column as f32, row as f32) * size, size)
}

/// The largest rectangle of that shape in the middle of `whole`.
pub(crate) fn fitted(whole: Rect, aspect: f32) -> Rect {
    let width = whole.width().min(whole.height() * aspect);
    Rect::from_center_size(whole.center(), vec2(width, width / aspect.max(0.01)))
}

/// What the colours stand for.
fn scale(ui: &Ui, theme: &Theme, bar: Rect, most: u32) {
    let painter = ui.painter();
    const STEPS: u32 = 24;
    for step in 0..STEPS {
        let up = share(step + 1, STEPS);
        let height = bar.height() / 24.0;
        let top = pos2(bar.left(), bar.bottom() - up * bar.height());
        let piece = Rect::from_min_size(top, vec2(bar.width(), height + 0.5));
        painter.rect_filled(piece, 0.0, theme.heat(up));
    }
    for (count, at) in [(most, bar.right_top()), (0, bar.right_bottom())] {
        let align = egui::Align2::LEFT_CENTER;
        painter.text(at + vec2(6.0, 0.0), align, count.to_string(), small(ui), theme.weak);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn area(x: f32, y: f32, width: f32, height: f32) -> Rect {
        Rect::from_min_size(pos2(x, y), vec2(width, height))
    }

    #[test]
    fn defects_count_where_they_are() {
        let mut places = Places::default();
        places.add(area(0.25, 0.25, 0.25, 0.25));
        places.add(area(0.25, 0.25, 0.01, 0.01));
        assert_eq!((places.at(0.26, 0.26), places.at(0.45, 0.45), places.at(0.6, 0.3)), (2, 1, 0));
        assert_eq!((places.of, places.most()), (2, 2));
    }

    #[test]
    fn what_sticks_out_of_the_picture_is_cut() {
        let mut places = Places::default();
        for area in [area(-1.0, -1.0, 3.0, 3.0), area(1.0, 1.0, 1.0, 1.0), area(f32::NAN, 0.0, 0.1, 0.1)]
        {
            places.add(area);
        }
        assert_eq!(places.of, 3);
        assert!(places.at(0.99, 0.99) >= 2 && places.at(0.5, 0.5) == 1);
    }
}
