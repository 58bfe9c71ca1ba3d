//! What is kept of each track besides its place: takes where a part was seen, gives what is to
//! become its views. Its memory is used again for the next track.

use domain::{Frame, RectPx};

use super::LocatedView;
use crate::limits;

/// A part in one frame, kept in case it becomes a view.
pub struct Sighting {
    /// The frame.
    pub frame: Frame,
    /// Where in it the part is.
    pub box_in_frame: RectPx,
    /// How many cells of it show.
    pub cells: usize,
}

impl From<Sighting> for LocatedView {
    fn from(seen: Sighting) -> Self {
        Self { frame: seen.frame, box_in_frame: seen.box_in_frame }
    }
}

/// What is kept of one track.
#[derive(Default)]
pub struct File {
    /// What will be its views.
    pub views: Vec<Sighting>,
    /// Wholly inside, nearest to the next view's place so far.
    pub inside: Option<(f32, Sighting)>,
    /// The sighting with most of the part, for one that is never wholly inside.
    pub most: Option<(usize, Sighting)>,
    /// Whether the part was located.
    pub done: bool,
}

impl File {
    fn clear(&mut self) {
        self.views.clear();
        self.inside = None;
        self.most = None;
        self.done = false;
    }
}

/// What is kept of all tracks, by their numbers.
pub struct Files {
    open: Vec<(u64, File)>,
    spare: Vec<File>,
}

impl Default for Files {
    fn default() -> Self {
        let views = usize::from(limits::VIEWS_MAX);
        let file = || File { views: Vec::with_capacity(views), ..File::default() };
        Self {
            open: Vec::with_capacity(limits::TRACKS_MAX),
            spare: (0..limits::TRACKS_MAX).map(|_| file()).collect(),
        }
    }
}

impl Files {
    fn place(&self, track: u64) -> Option<usize> {
        self.open.iter().position(|(id, _)| *id == track)
    }

    /// The file of `track`, a new one where there is none.
    pub fn open(&mut self, track: u64) -> &mut File {
        let at = self.place(track).unwrap_or_else(|| {
            self.open.push((track, self.spare.pop().unwrap_or_default()));
            self.open.len() - 1
        });
        &mut self.open[at].1
    }

    /// The file of `track`.
    pub fn get(&mut self, track: u64) -> Option<&mut File> {
        self.place(track).map(|at| &mut self.open[at].1)
    }

    /// Whether the part that `track` follows was located.
    #[must_use]
    pub fn is_done(&self, track: u64) -> bool {
        self.place(track).is_some_and(|at| self.open[at].1.done)
    }

    /// Lets go of what is kept of `track`.
    pub fn close(&mut self, track: u64) {
        if let Some(at) = self.place(track) {
            let (_, mut file) = self.open.swap_remove(at);
            file.clear();
            self.spare.push(file);
        }
    }
}
