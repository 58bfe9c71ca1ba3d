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
use crate::screen::SOON;
use crate::station::Developer;
use crate::widgets::coloured;

/// Pictures in memory are not more than this together, unless more are looked at at once; the one
/// that was not looked at longest goes first.
const KEPT_BYTES: usize = 256 << 20;
/// What is kept besides a picture's pixels, about.
const BESIDE_BYTES: usize = 1 << 10;
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

impl Shown {
    /// What it takes in memory.
    fn bytes(&self) -> usize {
        match self {
            Self::Waiting => 0,
            Self::Picture(texture) => texture.byte_size(),
            Self::Heatmap(heatmap) => heatmap.values.len(),
            Self::Failed(why) => why.len(),
        }
    }
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
    /// [`KEPT_BYTES`], unless a test has less.
    kept_bytes: usize,
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
            kept_bytes: KEPT_BYTES,
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
                ctx.request_repaint_after(SOON);
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
        self.make_room();
    }

    /// Forgets what was not looked at longest, until the rest fits.
    fn make_room(&mut self) {
        let shown = self.shown.values().map(|(pass, shown)| (*pass, shown.bytes()));
        let heats = self.heats.values().map(|(pass, heat)| (*pass, heat.byte_size()));
        let mut all: Vec<(u64, usize)> = shown.chain(heats).collect();
        all.sort_unstable_by_key(|(pass, _)| std::cmp::Reverse(*pass));
        let mut bytes = 0;
        let first_out = all.iter().find(|(_, more)| {
            bytes += more + BESIDE_BYTES;
            bytes > self.kept_bytes
        });
        let Some(&(pass, _)) = first_out else { return };
        // What was shown on the last pass is looked at, and what has just been read will be.
        let oldest = (pass + 1).min(self.pass.saturating_sub(1));
        self.shown.retain(|_, (pass, _)| *pass >= oldest);
        self.heats.retain(|_, (pass, _)| *pass >= oldest);
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

#[cfg(test)]
mod tests {
    use super::*;

    /// Shows a picture of 100 x 100 px, 40 kB, on a pass of its own.
    fn look(shelf: &mut Shelf, ctx: &Context, name: &str) {
        shelf.begin_pass(ctx);
        let image = ColorImage::filled([100, 100], egui::Color32::RED);
        let texture = ctx.load_texture(name, image, TextureOptions::LINEAR);
        shelf.shown.insert((name.to_owned(), 100), (shelf.pass, Shown::Picture(texture)));
    }

    fn names(shelf: &Shelf) -> Vec<&str> {
        let mut names: Vec<&str> = shelf.shown.keys().map(|(name, _)| &**name).collect();
        names.sort_unstable();
        names
    }

    fn shelf(kept_bytes: usize) -> (Shelf, Context) {
        let mut shelf = Shelf::open(None, std::sync::Arc::new(|_, _| None));
        shelf.kept_bytes = kept_bytes;
        (shelf, Context::default())
    }

    #[test]
    fn memory_is_bounded_by_bytes_and_the_oldest_goes_first() {
        let (mut shelf, ctx) = shelf(130_000);
        for name in ["a", "b", "c"] {
            look(&mut shelf, &ctx, name);
        }
        assert_eq!(names(&shelf), ["a", "b", "c"]);
        // Looked at again: not the oldest any more.
        let pass = shelf.pass + 1;
        shelf.shown.get_mut(&("a".to_owned(), 100)).unwrap().0 = pass;
        shelf.pass = pass;
        look(&mut shelf, &ctx, "d");
        shelf.begin_pass(&ctx);
        assert_eq!(names(&shelf), ["a", "c", "d"]);
        // Heatmaps in colour count as well.
        let heat = ColorImage::filled([200, 150], egui::Color32::RED);
        let heat = ctx.load_texture("heat", heat, TextureOptions::LINEAR);
        shelf.heats.insert("heat".to_owned(), (shelf.pass, heat));
        shelf.begin_pass(&ctx);
        shelf.begin_pass(&ctx);
        assert_eq!((names(&shelf), shelf.heats.len()), (vec![], 1));
    }

    #[test]
    fn what_is_looked_at_stays_however_much_it_is() {
        let (mut shelf, ctx) = shelf(10_000);
        for name in ["a", "b"] {
            look(&mut shelf, &ctx, name);
        }
        let pass = shelf.pass;
        shelf.shown.values_mut().for_each(|(of, _)| *of = pass);
        shelf.begin_pass(&ctx);
        assert_eq!(names(&shelf), ["a", "b"]);
        shelf.begin_pass(&ctx);
        assert!(names(&shelf).is_empty());
    }

    #[test]
    fn what_never_becomes_a_picture_is_bounded_too() {
        let (mut shelf, ctx) = shelf(100 * BESIDE_BYTES);
        for number in 0..1_000_u32 {
            shelf.begin_pass(&ctx);
            shelf.shown.insert((number.to_string(), 1), (shelf.pass, Shown::Waiting));
        }
        assert!(shelf.shown.len() <= 102, "{}", shelf.shown.len());
    }
}
