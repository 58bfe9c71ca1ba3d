//! Rows of a table: a head and lines of cells, at the left or the right of their columns.

use egui::{Align2, Response, Role, Sense, Ui, Vec2, WidgetInfo, pos2, vec2};

use super::card::elided;
use crate::theme::{Theme, heavy, plain};

/// A column of a table.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Column<'a> {
    /// What stands over it.
    pub name: &'a str,
    /// Its width, as a share of the table's.
    pub share: f32,
    /// Whether its cells are numbers, which stand at the right.
    pub is_number: bool,
}

/// The line of the columns' names.
pub fn table_head(ui: &mut Ui, theme: &Theme, columns: &[Column<'_>]) -> Response {
    let cells: Vec<String> = columns.iter().map(|column| column.name.to_owned()).collect();
    row(ui, theme, columns, &cells, 30.0, true)
}

/// A line of cells, one a column.
pub fn table_row(ui: &mut Ui, theme: &Theme, columns: &[Column<'_>], cells: &[String]) -> Response {
    row(ui, theme, columns, cells, 32.0, false)
}

fn row(
    ui: &mut Ui,
    theme: &Theme,
    columns: &[Column<'_>],
    cells: &[String],
    height: f32,
    is_head: bool,
) -> Response {
    let size: Vec2 = vec2(ui.available_width(), height);
    let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
    let painter = ui.painter_at(rect);
    painter.hline(rect.x_range(), rect.bottom() - 0.5, (1.0, theme.line));
    let total: f32 = columns.iter().map(|column| column.share).sum();
    let mut left = rect.left();
    for (column, cell) in columns.iter().zip(cells) {
        let width = rect.width() * column.share / total;
        let (font, ink) =
            if is_head { (plain(14.0), theme.weak) } else { (plain(16.0), theme.text) };
        let font = if !is_head && left == rect.left() { heavy(16.0) } else { font };
        let galley = elided(ui, cell, font, ink, width - 12.0);
        let align = if column.is_number { Align2::RIGHT_CENTER } else { Align2::LEFT_CENTER };
        let at = if column.is_number { left + width - 6.0 } else { left };
        let place = align.anchor_size(pos2(at, rect.center().y), galley.size());
        painter.galley(place.min, galley, ink);
        left += width;
    }
    response.widget_info(|| WidgetInfo::labeled(Role::Label, true, cells.join(" · ")));
    response
}
