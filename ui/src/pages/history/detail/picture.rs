//! The pictures of a part: takes what was kept, gives a view with its boxes and its heatmap.

use domain::{Heatmap, RectPx};
use egui::{Align2, Color32, Mesh, Rect, Role, Sense, Stroke, StrokeKind, Ui, WidgetInfo};
use egui::{pos2, vec2};
use store::{ImageKind, ImageRow, PartDetail};

use crate::charts::{self, fitted, small};
use crate::page::Cx;
use crate::shelf::Shown;
use crate::theme::TOUCH;
use crate::widgets;

/// Of the picture.
const SIDE_MAX_PX: u32 = 1_600;

/// How it is looked at.
pub struct Look {
    view: usize,
    boxes: bool,
    heat: bool,
}

impl Default for Look {
    fn default() -> Self {
        Self { view: 0, boxes: true, heat: false }
    }
}

impl Look {
    /// Shows the view, with what to show on it below.
    pub fn show(&mut self, ui: &mut Ui, cx: &mut Cx<'_>, part: &PartDetail) {
        let room = ui.available_size() - vec2(8.0, TOUCH + 16.0);
        let (rect, response) = ui.allocate_exact_size(room, Sense::hover());
        let theme = cx.theme;
        ui.painter().rect_filled(rect, 10.0, theme.card);
        let of_view = |kind| {
            part.images.iter().find(|image| image.view == self.view && image.kind == kind)
        };
        let view = part.views.get(self.view).map_or("", |view| &view.name);
        let name = format!("{} {view}", cx.words.history.part);
        response.widget_info(|| WidgetInfo::labeled(Role::Image, true, &name));
        match of_view(ImageKind::Picture) {
            None => charts::empty(ui, theme, rect, cx.words.history.no_picture),
            Some(row) => {
                let heat = if self.heat { of_view(ImageKind::Heatmap) } else { None };
                self.paint(ui, cx, part, row, heat, rect.shrink(8.0));
            }
        }
        ui.horizontal(|ui| {
            let words = &cx.words.history;
            for (text, is_on) in
                [(words.boxes, &mut self.boxes), (words.heatmap, &mut self.heat)]
            {
                if widgets::toggle(ui, theme, text, *is_on).clicked() {
                    *is_on = !*is_on;
                }
            }
            if part.views.len() > 1 {
                for (index, view) in part.views.iter().enumerate() {
                    if widgets::toggle(ui, theme, &view.name, self.view == index).clicked() {
                        self.view = index;
                    }
                }
            }
        });
    }

    fn paint(
        &self,
        ui: &Ui,
        cx: &mut Cx<'_>,
        part: &PartDetail,
        row: &ImageRow,
        heat: Option<&ImageRow>,
        rect: Rect,
    ) {
        let theme = cx.theme;
        let texture = match cx.shelf.image(ui.ctx(), row, SIDE_MAX_PX) {
            Shown::Picture(texture) => texture,
            Shown::Waiting => return,
            Shown::Heatmap(_) => return,
            Shown::Failed(why) => return charts::empty(ui, theme, rect, &why),
        };
        let place = fitted(rect, texture.aspect_ratio());
        let all = Rect::from_min_max(pos2(0.0, 0.0), pos2(1.0, 1.0));
        ui.painter().image(texture.id(), place, all, Color32::WHITE);
        if let Some(heat) = heat
            && let Shown::Heatmap(map) = cx.shelf.image(ui.ctx(), heat, SIDE_MAX_PX)
        {
            let area = on_screen(place, row.covers, map.covers);
            ui.painter().with_clip_rect(place).add(heat_mesh(theme, area, &map));
        }
        if !self.boxes {
            return;
        }
        for defect in part.defects.iter().filter(|defect| defect.view == self.view) {
            let area = on_screen(place, row.covers, defect.box_in_frame);
            ui.painter().rect_stroke(area, 3.0, Stroke::new(4.0, theme.ground), StrokeKind::Middle);
            ui.painter().rect_stroke(area, 3.0, Stroke::new(2.0, theme.undecided), StrokeKind::Middle);
            let score = cx.words.numbers.real(f64::from(defect.score.get()), 2);
            let text = format!("{} {score}", defect.kind);
            let at = area.left_top() - vec2(0.0, 5.0);
            let galley = ui.painter().layout_no_wrap(text, small(ui), theme.on_undecided);
            let words = Align2::LEFT_BOTTOM.anchor_size(at, galley.size());
            ui.painter().rect_filled(words.expand(3.0), 3.0, theme.undecided);
            ui.painter().galley(words.min, galley, theme.on_undecided);
        }
    }
}

/// Where a piece of the frame is, of which `covers` is shown in `place`.
#[expect(clippy::cast_precision_loss, reason = "places in a picture")]
fn on_screen(place: Rect, covers: RectPx, area: RectPx) -> Rect {
    let scale = vec2(
        place.width() / covers.width.max(1) as f32,
        place.height() / covers.height.max(1) as f32,
    );
    let from = vec2(area.x as f32 - covers.x as f32, area.y as f32 - covers.y as f32);
    Rect::from_min_size(
        place.min + from * scale,
        vec2(area.width as f32, area.height as f32) * scale,
    )
}

#[expect(clippy::cast_precision_loss, reason = "cells of a heatmap")]
fn heat_mesh(theme: &crate::theme::Theme, area: Rect, map: &Heatmap) -> Mesh {
    let size = vec2(
        area.width() / map.width.max(1) as f32,
        area.height() / map.height.max(1) as f32,
    );
    let mut mesh = Mesh::default();
    for (index, &value) in map.values.iter().enumerate().filter(|(_, value)| **value > 12) {
        let (x, y) = (index % map.width as usize, index / map.width as usize);
        let at = area.min + vec2(x as f32, y as f32) * size;
        let colour = theme.heat(f32::from(value) / 255.0);
        mesh.add_colored_rect(Rect::from_min_size(at, size), colour);
    }
    mesh
}
