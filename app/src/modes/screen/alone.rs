//! A screen without a line, in this process: takes a store and who calibrates, if anybody does;
//! shows them until the window is closed.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::mpsc::channel;
use std::thread::Builder;

use anyhow::Result;
use domain::{CameraId, PersonId, Role};
use pipeline::capture::peek::Peek;
use pipeline::clock::Clock;
use pipeline::stage::Counters;
use store::{People, Store, StoreError};
use ui::{Facts, Page, Person};

use super::calibrator::{self, AtWork};
use super::clerk::{Clerk, Inbox};
use super::door::Cameras;
use super::front::Front;
use super::hall::Hall;
use super::preview::Previewer;
use super::{child, door, setup};
use crate::modes::export;

/// What is shown.
pub struct Alone {
    /// The store's folder.
    pub folder: PathBuf,
    /// The store, or why it can only be looked at; held for as long as the screen is there.
    pub store: Result<Store, StoreError>,
    /// Says what does not change from part to part.
    pub facts: Box<dyn Fn() -> Result<Facts> + Send>,
    /// What everybody may where nobody logs in.
    pub role: Role,
    /// Cameras that can be calibrated,
    pub cameras: Vec<calibrator::Camera>,
    /// and where people look at their frames.
    pub peeks: Vec<Arc<Peek>>,
    /// The page that is shown first.
    pub page: Page,
    /// Whether it is over the whole display.
    pub is_kiosk: bool,
    /// The machine's clock.
    pub clock: Arc<dyn Clock>,
}

/// Shows it.
///
/// # Errors
/// When the store can't be read, or there is no display.
pub fn show(alone: Alone) -> Result<()> {
    let Alone { folder, store, facts, role, cameras, peeks, page, is_kiosk, clock } = alone;
    let store = store.map_err(|error| error.to_string());
    let labels = match &store {
        Ok(store) => store.labels().map_err(|error| error.to_string()),
        Err(why) => Err(format!("{why}; it can be looked at and not changed")),
    };
    let has_people = folder.join("people/people.json").exists();
    let people = has_people.then(|| People::of_store(&folder)).transpose()?;
    let hall = Arc::new(Hall::new(facts()?, None, Arc::clone(&clock)));
    if people.is_none() {
        let name = "local".to_owned();
        hall.set_who(Some(Person { id: PersonId::new("p-local"), name, role }));
    }
    let (answers, to_screen) = channel();
    let (inbox, asked) = channel();
    let has_cameras = !cameras.is_empty();
    let calibrates = if has_cameras {
        let (hall, to_clerk) = (Arc::clone(&hall), inbox.clone());
        let left = move |camera: &CameraId, why: &str| {
            // Nobody to hear it: the program ends.
            let _ = to_clerk.send(Inbox::CalibrationLeft(camera.clone(), why.to_owned()));
        };
        Some(AtWork::start(cameras, hall, Arc::clone(&clock), Box::new(left))?)
    } else {
        None
    };
    let (kept, exported) = (folder.clone(), folder.clone());
    let clerk = Clerk {
        hall: Arc::clone(&hall),
        labels,
        people,
        wishes: None,
        calibrator: calibrates.as_ref().map(AtWork::desk),
        answers,
        inbox: inbox.clone(),
        export: Arc::new(move |format, out| export::by_hand(&exported, format, out)),
        facts,
        keep: Box::new(move |settings| setup::write(&kept, settings)),
        clock: Arc::clone(&clock),
    };
    Builder::new().name("clerk".to_owned()).spawn(move || clerk.work(&asked))?;
    let mut cameras = Cameras {
        previewers: peeks.into_iter().map(Previewer::new).collect(),
        counters: Arc::new(Counters::default()),
        fps: setup::read(&folder).preview_fps,
        are_shown: Arc::default(),
    };
    let (ours, its) = UnixStream::pair()?;
    let heard = door::hear(ours.try_clone()?, inbox, Arc::clone(&cameras.are_shown))?;
    let tell = move || {
        let until = || heard.is_finished();
        // The screen is gone, and the program with it.
        let _ = door::tell(ours, &hall, &to_screen, Some(&mut cameras), &*clock, &until);
    };
    Builder::new().name("to-screen".to_owned()).spawn(tell)?;
    child::show(Front::connect(its, &folder, || {})?, &folder, Some(page), is_kiosk)
}
