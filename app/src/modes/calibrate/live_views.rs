//! Views for the lens of a live camera, without a screen: takes the camera and the target; gives
//! views that cover the picture, as a session at a screen takes them by itself. What to show next
//! is said on stderr.

use std::cell::Cell;
use std::time::Duration;

use anyhow::{Context, Result};
use calibration::Target;
use domain::{MonoTime, SizePx};
use ui::calibrating::{Advice, HoldsBack};

use super::camera;
use super::guide::Guide;
use super::lens::Found;
use super::session::{Eye, Look, Views};
use super::shots::Shot;
use crate::config::Camera;
use crate::modes::run::{self, Wish};

/// A target that is as it was so long ago is still.
const LOOK_EVERY: Duration = Duration::from_millis(100);

/// Takes views until they cover the picture, there are `most`, or somebody presses Ctrl-C; gives
/// also the camera's serial number, where it says one.
///
/// # Errors
/// When the camera can't be opened, or gives pictures of different sizes.
pub fn take(camera: &Camera, target: Target, most: u32) -> Result<(Found, Option<String>)> {
    // Before any thread is there.
    let (_signals, wishes) = run::watch_signals()?;
    let is_stopped = Cell::new(false);
    let stops = || {
        is_stopped.set(is_stopped.get() || wishes.try_iter().any(|it| matches!(it, Wish::Stop)));
        is_stopped.get()
    };
    let mut taking = Taking {
        eye: Eye::new(target),
        views: Views::default(),
        size: None,
        serial: None,
        at: None,
    };
    let mut guide = Guide::new();
    camera::follow(camera, &mut guide, &stops, |shot, guide| taking.see(&shot, most, guide))?;
    guide.end();
    let size =
        taking.size.with_context(|| format!("the camera `{}` gave no frame", camera.name))?;
    let views = taking.views.for_fit();
    Ok((Found { views, unseen: Vec::new(), size }, taking.serial))
}

struct Taking {
    eye: Eye,
    views: Views,
    size: Option<SizePx>,
    serial: Option<String>,
    at: Option<MonoTime>,
}

impl Taking {
    /// Looks at a frame; whether more are needed.
    fn see(&mut self, shot: &Shot, most: u32, guide: &mut Guide) -> Result<bool> {
        if self.at.is_some_and(|last| shot.at.since(last) < LOOK_EVERY) {
            return Ok(true);
        }
        self.at = Some(shot.at);
        self.size = Some(shot.size);
        self.serial.clone_from(&shot.says.serial);
        let look = self.eye.look(&shot.picture()?);
        let holds_back = self.views.holds_back(&look);
        let Look { found, .. } = look;
        match found {
            Ok(observation) if holds_back.is_none() => {
                let points = observation.points.len();
                let number = self.views.take(observation, None)?;
                guide.say(&format!("view {number}: {points} points; {}", self.covered()));
            }
            Ok(_) => guide.show(&self.words(holds_back)),
            Err(why) => guide.show(&why.to_string()),
        }
        let is_good = self.views.advice() == [Advice::Fit];
        Ok(!is_good && self.views.count() < most as usize)
    }

    /// What is shown of the picture, row by row: a digit a ninth.
    fn covered(&self) -> String {
        let digits = |row: &[u32; 3]| row.map(|views| views.to_string()).join(" ");
        format!(
            "views by ninths of the picture: {}",
            self.views.coverage().map(|row| digits(&row)).join(" | ")
        )
    }

    fn words(&self, holds_back: Option<HoldsBack>) -> String {
        let next = self.views.advice().first().map_or_else(String::new, advice);
        match holds_back {
            Some(HoldsBack::Moving) => format!("hold it still; {next}"),
            Some(HoldsBack::AlreadyTaken) => format!("this view is taken; {next}"),
            _ => next,
        }
    }
}

fn advice(advice: &Advice) -> String {
    const ROWS: [&str; 3] = ["top", "middle", "bottom"];
    const COLUMNS: [&str; 3] = ["left", "middle", "right"];
    match *advice {
        Advice::More(views) => format!("show it in {views} more views"),
        Advice::Cover { row, column } => {
            let (row, column) = (ROWS[usize::from(row)], COLUMNS[usize::from(column)]);
            format!("no view covers the {row} {column}; hold it there")
        }
        Advice::Tilt => "tilt it by 15 to 40 degrees".to_owned(),
        Advice::TiltOtherwise => "tilt it to another side".to_owned(),
        Advice::Retake(number) => format!("view {number} contradicts the others"),
        Advice::Fit => "the views are enough".to_owned(),
    }
}
