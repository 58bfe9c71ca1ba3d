//! A heatmap over a picture: takes one from the store, gives its colours where the picture is.

use domain::RectPx;
use egui::{Color32, Context, Painter, Pos2, Rect, TextureHandle, TextureOptions, pos2};
use store::ImageRow;

use super::lens::Sight;
use crate::Shelf;
use crate::shelf::Shown;
use crate::widgets::coloured;

/// The heatmap that was painted last.
#[derive(Default)]
pub struct Heat {
    last: Option<(String, TextureHandle, RectPx)>,
}

impl Heat {
    /// Paints the heatmap of `image`, `strength` of 0..=1 strong.
    pub fn paint(
        &mut self,
        (ctx, shelf): (&Context, &mut Shelf),
        painter: &Painter,
        sight: &Sight,
        (image, strength): (&ImageRow, f32),
    ) {
        if self.last.as_ref().is_none_or(|(path, ..)| *path != image.path) {
            let Shown::Heatmap(heatmap) = shelf.image(ctx, image, u32::MAX) else { return };
            let (wide, high) = (heatmap.width as usize, heatmap.height as usize);
            if wide * high == 0 || heatmap.values.len() != wide * high {
                return;
            }
            let options = TextureOptions::LINEAR;
            let texture = ctx.load_texture("heat", coloured(&heatmap), options);
            self.last = Some((image.path.clone(), texture, heatmap.covers));
        }
        if let Some((_, texture, covers)) = &self.last {
            let all = Rect::from_min_max(Pos2::ZERO, pos2(1.0, 1.0));
            let tint = Color32::WHITE.gamma_multiply(strength.clamp(0.0, 1.0));
            painter.image(texture.id(), sight.rect(*covers), all, tint);
        }
    }
}
