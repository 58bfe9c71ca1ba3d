//! Where on the part defects are: takes how many there are in each cell of a grid over the
//! part's picture, gives the cells in colour.

use egui::{Color32, Mesh, Rect, Stroke, StrokeKind, TextureHandle, Ui, pos2, vec2};

use super::area::small;
use crate::theme::Theme;

/// How many defects are in each place.
#[derive(Clone, Debug, PartialEq)]
pub struct Places {
    /// Width of the part's picture by its height.
    pub aspect: f32,
    /// Defects in each cell of a grid over the picture, row by row.
    pub counts: Vec<u64>,
}

impl Default for Places {
    fn default() -> Self {
        Self { aspect: 4.0 / 3.0, counts: vec![0; Self::COLS * Self::ROWS] }
    }
}

impl Places {
    /// Cells across.
    pub const COLS: usize = 24;
    /// Cells down.
    pub const ROWS: usize = 18;

    /// All defects.
    #[must_use]
    pub fn of(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The most defects at one place.
    #[must_use]
    pub fn most(&self) -> u64 {
        self.counts.iter().copied().max().unwrap_or(0)
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
        for (index, &count) in self.counts.iter().enumerate().filter(|(_, count)| **count > 0) {
            let (column, row) = (index % Self::COLS, index / Self::COLS);
            mesh.add_colored_rect(cell(rect, column, row), theme.heat(share(count, most)));
        }
        painter.add(mesh);
        painter.rect_stroke(rect, 4.0, Stroke::new(1.0, theme.line), StrokeKind::Outside);
        let beside = vec2(14.0, rect.height());
        scale(ui, theme, Rect::from_min_size(rect.right_top() + vec2(16.0, 0.0), beside), most);
    }
}

#[expect(clippy::cast_precision_loss, reason = "shares")]
fn share(count: u64, most: u64) -> f32 {
    count as f32 / most as f32
}

#[expect(clippy::cast_precision_loss, reason = "cells of a small grid")]
fn cell(rect: Rect, column: usize, row: usize) -> Rect {
    let size = vec2(rect.width() / Places::COLS as f32, rect.height() / Places::ROWS as f32);
    Rect::from_min_size(rect.min + vec2(column as f32, row as f32) * size, size)
}

/// The largest rectangle of that shape in the middle of `whole`.
pub(crate) fn fitted(whole: Rect, aspect: f32) -> Rect {
    let width = whole.width().min(whole.height() * aspect);
    Rect::from_center_size(whole.center(), vec2(width, width / aspect.max(0.01)))
}

/// What the colours stand for.
fn scale(ui: &Ui, theme: &Theme, bar: Rect, most: u64) {
    let painter = ui.painter();
    const STEPS: u64 = 24;
    for step in 0..STEPS {
        let up = share(step + 1, STEPS);
        let height = bar.height() / 24.0;
        let top = pos2(bar.left(), bar.bottom() - up * bar.height());
        let piece = Rect::from_min_size(top, vec2(bar.width(), height));
        painter.rect_filled(piece, 0.0, theme.heat(up));
    }
    for (count, at) in [(most, bar.right_top()), (0, bar.right_bottom())] {
        let align = egui::Align2::LEFT_CENTER;
        painter.text(at + vec2(6.0, 0.0), align, count.to_string(), small(ui), theme.weak);
    }
}
