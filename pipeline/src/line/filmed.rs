//! The films of a line: takes how it is filmed and where the reels go; gives each camera's tap,
//! who tells the films what is wanted, and their threads.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::thread::JoinHandle;

use domain::{CameraId, CheckedRecipe, Stage};

use super::{Ground, LineError};
use crate::capture::feed;
use crate::capture::tap::Tap;
use crate::limits;
use crate::link::{WhenFull, link};
use crate::record::film::wants::{Recipes, Wants};
use crate::record::film::{Film, FilmSetup, Tapped};
use crate::record::reel::Note;

/// What the films give to the rest of the line.
#[derive(Default)]
pub(super) struct Filmed {
    pub taps: BTreeMap<CameraId, Tap>,
    pub wants: Option<Wants>,
    pub threads: Vec<JoinHandle<()>>,
}

impl Ground {
    /// A thread for each camera that is filmed; without a setup none.
    pub(super) fn start_films(
        &self,
        setup: Option<FilmSetup>,
        recipe: &CheckedRecipe,
        recipes: &Recipes,
    ) -> Result<Filmed, LineError> {
        let Some(FilmSetup { config, reels }) = setup else { return Ok(Filmed::default()) };
        let measures = config.check(recipe.budget())?;
        recipes.add(recipe);
        let mut filmed = Filmed::default();
        let mut films = Vec::new();
        for (index, (camera, reels)) in reels.into_iter().enumerate() {
            // A buffer that waits for the film is one that the camera lacks.
            let when_full = feed::when_full(self.live);
            let (to_film, frames) = link::<Tapped>(limits::FILM_FRAMES_WAITING, when_full);
            let (wanted, wants) = link::<Arc<Note>>(limits::NOTES_WAITING, WhenFull::DropOldest);
            let (live, counters) = (self.live, Arc::clone(&self.counters));
            let tap = Tap::new(to_film, measures.windows.period, Arc::clone(&counters));
            filmed.taps.insert(camera.clone(), tap);
            films.push((camera.clone(), wanted));
            let name = format!("film-{camera}");
            let clock = Arc::clone(&self.clock);
            let film = Film { camera, measures, live, frames, wants, reels, counters, clock };
            let thread = self.threads.spawn(Stage::Record, index, &name, move || film.run())?;
            filmed.threads.push(thread);
        }
        let (recipes, counters) = (recipes.clone(), Arc::clone(&self.counters));
        filmed.wants = Some(Wants { films, recipes, counters });
        Ok(filmed)
    }
}
