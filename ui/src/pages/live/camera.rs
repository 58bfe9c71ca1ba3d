//! A camera's newest picture with the parts seen in it. A new picture is taken only as often as the
//! settings say: every one costs a repaint.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use domain::CameraId;
use egui::{Align2, ColorImage, CornerRadius, Rect, TextureHandle, TextureOptions, Ui, Vec2, vec2};

use crate::page::Cx;
use crate::theme::{GAP, ROUND, TOUCH, heavy};
use crate::widgets::{Outline, Picture, toggle};
use crate::words::filled;
use crate::{LineNews, Preview};

/// A picture that comes a little early is painted with the news it came with, not by itself later:
/// after this share of the time between two.
const SOONER: f64 = 0.75;

/// The cameras' pictures.
#[derive(Default)]
pub(super) struct CameraView {
    chosen: Option<CameraId>,
    painted: HashMap<CameraId, Painted>,
}

/// What is on the screen.
struct Painted {
    preview: Arc<Preview>,
    texture: TextureHandle,
    at_s: f64,
}

impl CameraView {
    /// Shows one camera, and which others there are.
    pub(super) fn show(&mut self, ui: &mut Ui, cx: &Cx<'_>, line: &LineNews, size: Vec2) {
        ui.vertical(|ui| {
            let previews = &cx.news.previews;
            let chosen = previews
                .iter()
                .find(|preview| Some(&preview.camera) == self.chosen.as_ref())
                .or_else(|| previews.first());
            let Some(preview) = chosen else {
                nothing(ui, cx, cx.words.live.no_picture_yet, size);
                return;
            };
            let mut size = size;
            if previews.len() > 1 {
                size.y -= TOUCH + GAP;
                let camera = preview.camera.clone();
                ui.horizontal(|ui| self.cameras(ui, cx, &camera));
            }
            let camera = &preview.camera;
            let is_down = line.snapshot.cameras.iter().any(|it| &it.camera == camera && !it.is_up);
            self.picture(ui, cx, preview, is_down, size);
        });
    }

    fn cameras(&mut self, ui: &mut Ui, cx: &Cx<'_>, shown: &CameraId) {
        for preview in &cx.news.previews {
            let is_on = &preview.camera == shown;
            if toggle(ui, cx.theme, preview.camera.as_str(), is_on).clicked() {
                self.chosen = Some(preview.camera.clone());
            }
        }
    }

    fn picture(
        &mut self,
        ui: &mut Ui,
        cx: &Cx<'_>,
        preview: &Arc<Preview>,
        is_down: bool,
        size: Vec2,
    ) {
        self.paint_when_due(ui.ctx(), preview, cx.settings.preview_fps);
        let Some(painted) = self.painted.get(&preview.camera) else { return };
        let outlines: Vec<Outline> = painted
            .preview
            .parts
            .iter()
            .map(|&(area, verdict)| Outline {
                area,
                ink: cx.theme.mark(Some(verdict)),
                name: cx.words.verdict_word(verdict).into(),
            })
            .collect();
        let name = filled(cx.words.live.camera, preview.camera.as_str());
        let picture = Picture {
            texture: &painted.texture,
            covers: painted.preview.frame_size.rect(),
            heat: None,
            outlines: &outlines,
            name: &name,
        };
        let (response, _) = picture.show(ui, cx.theme, size);
        if is_down {
            let what = filled(cx.words.live.no_picture, preview.camera.as_str());
            dimmed(ui, cx, response.rect, &what);
        }
    }

    fn paint_when_due(&mut self, ctx: &egui::Context, preview: &Arc<Preview>, fps: f32) {
        let now_s = ctx.input(|input| input.time);
        let every_s = 1.0 / f64::from(fps.clamp(0.1, 30.0));
        let painted = self.painted.get(&preview.camera);
        if let Some(painted) = painted {
            let left_s = painted.at_s + SOONER * every_s - now_s;
            if painted.preview.number == preview.number {
                return;
            }
            if left_s > 0.0 {
                ctx.request_repaint_after(Duration::from_secs_f64(left_s));
                return;
            }
        }
        let picture = &preview.picture;
        let size = [picture.size.width as usize, picture.size.height as usize];
        let image = ColorImage::from_rgb(size, &picture.rgb);
        let texture = match self.painted.remove(&preview.camera) {
            Some(mut painted) => {
                painted.texture.set(image, TextureOptions::LINEAR);
                painted.texture
            }
            None => ctx.load_texture(preview.camera.as_str(), image, TextureOptions::LINEAR),
        };
        let painted = Painted { preview: Arc::clone(preview), texture, at_s: now_s };
        self.painted.insert(preview.camera.clone(), painted);
    }
}

/// Where a picture would be: why there is none.
fn nothing(ui: &mut Ui, cx: &Cx<'_>, what: &str, size: Vec2) {
    let (rect, _) = ui.allocate_exact_size(size, egui::Sense::hover());
    ui.painter().rect_filled(rect, CornerRadius::same(ROUND), cx.theme.card);
    let (font, ink) = (heavy(20.0), cx.theme.weak);
    ui.painter().text(rect.center(), Align2::CENTER_CENTER, what, font, ink);
}

/// The picture is old: it is dimmed, and says so.
fn dimmed(ui: &Ui, cx: &Cx<'_>, rect: Rect, what: &str) {
    let painter = ui.painter_at(rect);
    painter.rect_filled(rect, CornerRadius::same(6), egui::Color32::from_black_alpha(150));
    let galley = painter.layout_no_wrap(what.to_owned(), heavy(22.0), cx.theme.on_accent);
    let plate = Rect::from_center_size(rect.center(), galley.size() + vec2(48.0, 28.0));
    painter.rect_filled(plate, CornerRadius::same(8), cx.theme.reject);
    let corner = plate.min + vec2(24.0, 14.0);
    painter.galley(corner, galley, cx.theme.on_accent);
}
