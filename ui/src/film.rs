//! The clip that is looked at: takes which picture of which part's clip a page wants to see, gives
//! it once the station has it.

use std::sync::Arc;

use domain::PartKey;
use egui::{ColorImage, Context, TextureHandle, TextureOptions};

use crate::{ClipFrame, ClipView, Station};

/// The clip that is looked at.
#[derive(Default)]
pub struct Film {
    wanted: Option<(PartKey, u32)>,
    shown: Option<(PartKey, Shot)>,
}

/// What there is to be seen of a clip.
#[derive(Clone)]
pub enum Shot {
    /// No clip shows the part.
    None,
    /// It is being read.
    Waiting,
    /// It can't be read, in English: why.
    Failed(String),
    /// A picture, and its pixels on the display.
    Frame(Arc<ClipFrame>, TextureHandle),
}

impl Film {
    /// Asks for a picture of the clip of `part`; gives the one that is there, which may still be
    /// the one before.
    pub fn look(&mut self, part: PartKey, number: u32) -> Shot {
        self.wanted = Some((part, number));
        match &self.shown {
            Some((of, shot)) if *of == part => shot.clone(),
            _ => Shot::Waiting,
        }
    }

    /// Asks the station for what was wanted on this pass; called once a pass by the screen.
    pub(crate) fn turn(&mut self, ctx: &Context, station: &mut dyn Station) {
        let Some((part, number)) = self.wanted.take() else {
            // Nobody looks any more: the pixels are given back.
            self.shown = None;
            return;
        };
        let before = self.shown.take().filter(|(of, _)| *of == part).map(|(_, shot)| shot);
        let is_first = before.is_none();
        let shot = match (station.clip(part, number), before) {
            (ClipView::None, _) => Shot::None,
            (ClipView::Failed(why), _) => Shot::Failed(why),
            // The picture before stays until the next is there.
            (ClipView::Waiting, before) => before.unwrap_or(Shot::Waiting),
            (ClipView::Frame(frame), before) => texture(ctx, frame, before),
        };
        if is_first && !matches!(shot, Shot::Waiting) {
            ctx.request_repaint();
        }
        self.shown = Some((part, shot));
    }
}

fn texture(ctx: &Context, frame: Arc<ClipFrame>, before: Option<Shot>) -> Shot {
    let picture = &frame.picture;
    let size = [picture.size.width as usize, picture.size.height as usize];
    if picture.rgb.len() != size[0] * size[1] * 3 || picture.rgb.is_empty() {
        return Shot::Failed(format!("picture {} of the clip: wrong size", frame.number));
    }
    match before {
        Some(Shot::Frame(last, texture)) if last.number == frame.number => {
            Shot::Frame(frame, texture)
        }
        Some(Shot::Frame(_, mut texture)) => {
            texture.set(ColorImage::from_rgb(size, &picture.rgb), TextureOptions::LINEAR);
            ctx.request_repaint();
            Shot::Frame(frame, texture)
        }
        _ => {
            let image = ColorImage::from_rgb(size, &picture.rgb);
            Shot::Frame(frame, ctx.load_texture("clip", image, TextureOptions::LINEAR))
        }
    }
}
