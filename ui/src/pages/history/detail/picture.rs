//! The pictures of a part: takes what was kept, gives a view with its boxes and its heatmap.

use egui::{Sense, Ui, vec2};
use store::{ImageKind, ImageRow, PartDetail};

use crate::charts;
use crate::page::Cx;
use crate::shelf::Shown;
use crate::theme::TOUCH;
use crate::widgets::{self, Outline, Picture};

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
        let of_view =
            |kind| part.images.iter().find(|image| image.view == self.view && image.kind == kind);
        let (picture, heat) = (of_view(ImageKind::Picture), of_view(ImageKind::Heatmap));
        let size = ui.available_size() - vec2(4.0, TOUCH + 16.0);
        self.picture(ui, cx, part, (picture, heat), size);
        ui.horizontal(|ui| {
            let (theme, words) = (cx.theme, &cx.words.history);
            for (text, is_on) in [(words.boxes, &mut self.boxes), (words.heatmap, &mut self.heat)] {
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

    fn picture(
        &self,
        ui: &mut Ui,
        cx: &mut Cx<'_>,
        part: &PartDetail,
        (picture, heat): (Option<&ImageRow>, Option<&ImageRow>),
        size: egui::Vec2,
    ) {
        let shown = picture.map(|row| (row, cx.shelf.image(ui.ctx(), row, SIDE_MAX_PX)));
        let text = match shown {
            Some((row, Shown::Picture(texture))) => {
                let heat = heat.filter(|_| self.heat).and_then(|row| cx.shelf.heat(ui.ctx(), row));
                let outlines = if self.boxes { self.outlines(cx, part) } else { vec![] };
                let view = part.views.get(self.view).map_or("", |view| &view.name);
                let picture = Picture {
                    texture: &texture,
                    covers: row.covers,
                    heat: heat.as_ref().map(|(texture, covers)| (texture, *covers)),
                    outlines: &outlines,
                    name: &format!("{} {view}", cx.words.history.part),
                };
                picture.show(ui, cx.theme, size);
                return;
            }
            Some((_, Shown::Waiting)) => String::new(),
            Some((_, Shown::Failed(why))) => why,
            Some((_, Shown::Heatmap(_))) | None => cx.words.history.no_picture.to_owned(),
        };
        let (rect, response) = ui.allocate_exact_size(size, Sense::hover());
        ui.painter().rect_filled(rect, 10.0, cx.theme.card);
        charts::named(&response, &text);
        charts::empty(ui, cx.theme, rect, &text);
    }

    fn outlines(&self, cx: &Cx<'_>, part: &PartDetail) -> Vec<Outline> {
        let of_view = part.defects.iter().filter(|defect| defect.view == self.view);
        let outline = |defect: &domain::Defect| Outline {
            area: defect.box_in_frame,
            ink: cx.theme.undecided,
            name: format!("{} {}", defect.kind, cx.words.score(defect.score.get())),
        };
        of_view.map(outline).collect()
    }
}
