//! The store as the screen sees it: takes what pages want to look at, gives rows at once and
//! pictures when they are there. Pictures are read and coloured on a thread of their own, so that
//! no page waits for a disk.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::mpsc::{Receiver, Sender, channel};

use domain::{Heatmap, RectPx};
use egui::{ColorImage, Context, TextureHandle, TextureOptions};
use store::{ImageKind, ImageRow, Reader, StoreError};

use crate::RgbPicture;
use crate::station::Developer;
use crate::widgets::coloured;

/// Pictures that are kept in memory; the one that was not looked at longest goes first.
const KEPT: usize = 256;
/// A store that is not there yet is looked for this often, seconds.
const LOOK_AGAIN_S: f64 = 2.0;

/// A picture of the store.
#[derive(Clone)]
pub enum Shown {
    /// It is being read.
    Waiting,
    /// Here it is.
    Picture(TextureHandle),
    /// A heatmap; [`crate::widgets`] colours it.
    Heatmap(Heatmap),
    /// It can't be read, in English: why.
    Failed(String),
}

type Key = (String, u32);
type Wanted = (Key, PathBuf, ImageKind);

enum Read {
    Picture(RgbPicture),
    Heatmap(Heatmap),
    Failed(String),
}

/// The store, opened for looking.
pub struct Shelf {
    folder: Option<PathBuf>,
    reader: Option<Reader>,
    /// When it was looked for, on egui's clock.
    looked_at_s: f64,
    /// Heatmaps in colour.
    heats: HashMap<String, (u64, TextureHandle)>,
    developer: Developer,
    shown: HashMap<Key, (u64, Shown)>,
    /// Grows with every pass, to know what was not looked at longest.
    pass: u64,
    wants: Option<Sender<Wanted>>,
    reads: Receiver<(Key, Read)>,
    results: Sender<(Key, Read)>,
}

impl Shelf {
    /// The store in `folder`, which may come later: a line that has not run has none.
    #[must_use]
    pub fn open(folder: Option<&Path>, developer: Developer) -> Self {
        let (results, reads) = channel();
        let reader = folder.and_then(|folder| Reader::open(folder).ok());
        Self {
            folder: folder.map(Path::to_owned),
            reader,
            looked_at_s: 0.0,
            heats: HashMap::new(),
            developer,
            shown: HashMap::new(),
            pass: 0,
            wants: None,
            reads,
            results,
        }
    }

    /// The store; `None` while there is none.
    #[must_use]
    pub const fn reader(&self) -> Option<&Reader> {
        self.reader.as_ref()
    }

    /// Where the store is, for whoever reads it on a thread of their own; `None` as long as
    /// everything is read at once, as tests want.
    #[must_use]
    pub fn read_apart_from(&self) -> Option<&Path> {
        self.wants.as_ref().and(self.folder.as_deref())
    }

    /// Rows of the store, or what went wrong; nothing without a store.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn ask<T: Default>(
        &self,
        read: impl FnOnce(&Reader) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        self.reader.as_ref().map_or_else(|| Ok(T::default()), read)
    }

    /// Reads pictures on a thread of its own from now on; without this, at once, as tests want.
    ///
    /// # Errors
    /// When there can be no more threads.
    pub fn read_apart(&mut self, ctx: &Context) -> std::io::Result<()> {
        let (wants, wanted) = channel::<Wanted>();
        let (results, developer, ctx) = (self.results.clone(), self.developer.clone(), ctx.clone());
        let work = move || {
            for (key, path, kind) in wanted {
                let read = read(&path, kind, key.1, &developer);
                if results.send((key, read)).is_err() {
                    return;
                }
                ctx.request_repaint();
            }
        };
        std::thread::Builder::new().name("pictures".to_owned()).spawn(work)?;
        self.wants = Some(wants);
        Ok(())
    }

    /// Takes what was read; called once a pass by the screen.
    pub(crate) fn begin_pass(&mut self, ctx: &Context) {
        self.pass += 1;
        self.look_again(ctx.input(|input| input.time));
        while let Ok((key, read)) = self.reads.try_recv() {
            let shown = shown(ctx, &key, read);
            self.shown.insert(key, (self.pass, shown));
        }
        keep_newest(&mut self.shown);
        keep_newest(&mut self.heats);
    }

    /// A line that has never run has no store; it comes with the first part.
    fn look_again(&mut self, now_s: f64) {
        if self.reader.is_none() && now_s - self.looked_at_s >= LOOK_AGAIN_S {
            self.looked_at_s = now_s;
            self.reader = self.folder.as_deref().and_then(|folder| Reader::open(folder).ok());
        }
    }

    /// The heatmap in colour, and what it covers of the frame; `None` while it is being read, when
    /// it can't be, and when the image is none.
    pub fn heat(&mut self, ctx: &Context, image: &ImageRow) -> Option<(TextureHandle, RectPx)> {
        let pass = self.pass;
        if let Some((used, texture)) = self.heats.get_mut(&image.path) {
            *used = pass;
            return Some((texture.clone(), image.covers));
        }
        let Shown::Heatmap(heatmap) = self.image(ctx, image, u32::MAX) else { return None };
        let texture = ctx.load_texture(&image.path, coloured(&heatmap), TextureOptions::LINEAR);
        self.heats.insert(image.path.clone(), (pass, texture.clone()));
        Some((texture, heatmap.covers))
    }

    /// The picture or heatmap, neither side longer than `side_max_px`.
    pub fn image(&mut self, ctx: &Context, image: &ImageRow, side_max_px: u32) -> Shown {
        let key = (image.path.clone(), side_max_px);
        if let Some((pass, shown)) = self.shown.get_mut(&key) {
            *pass = self.pass;
            return shown.clone();
        }
        let path = self.reader.as_ref().and_then(|reader| reader.image_file(image));
        let now = match (path, &self.wants) {
            (None, _) => Shown::Failed(format!("{}: not in the store", image.path)),
            (Some(path), Some(wants))
                if wants.send((key.clone(), path.clone(), image.kind)).is_ok() =>
            {
                Shown::Waiting
            }
            (Some(path), _) => {
                shown(ctx, &key, read(&path, image.kind, side_max_px, &self.developer))
            }
        };
        self.shown.insert(key, (self.pass, now.clone()));
        now
    }
}

/// Removes what was not looked at longest, down to as many as are kept.
fn keep_newest<K, V>(entries: &mut HashMap<K, (u64, V)>) {
    if entries.len() > KEPT {
        let mut passes: Vec<u64> = entries.values().map(|(pass, _)| *pass).collect();
        passes.sort_unstable();
        let oldest = passes[entries.len() - KEPT];
        entries.retain(|_, (pass, _)| *pass >= oldest);
    }
}

fn read(path: &Path, kind: ImageKind, side_max_px: u32, developer: &Developer) -> Read {
    let failed = |error: store::PictureError| Read::Failed(error.to_string());
    match kind {
        ImageKind::Heatmap => store::read_heatmap(path).map_or_else(failed, Read::Heatmap),
        ImageKind::Picture => match store::read_picture(path) {
            Err(error) => failed(error),
            Ok(picture) => match developer(&picture.pixels, side_max_px) {
                Some(rgb) => Read::Picture(rgb),
                None => Read::Failed(format!("{}: pixels do not fit their format", path.display())),
            },
        },
    }
}

fn shown(ctx: &Context, key: &Key, read: Read) -> Shown {
    match read {
        Read::Failed(why) => Shown::Failed(why),
        Read::Heatmap(heatmap) => Shown::Heatmap(heatmap),
        Read::Picture(rgb) => {
            let size = [rgb.size.width as usize, rgb.size.height as usize];
            let image = ColorImage::from_rgb(size, &rgb.rgb);
            // Pixels are what a person zooms in for: they stay sharp.
            let options = TextureOptions {
                magnification: egui::TextureFilter::Nearest,
                ..TextureOptions::LINEAR
            };
            Shown::Picture(ctx.load_texture(&key.0, image, options))
        }
    }
}
