//! Where the clips of one camera lie ready. Takes from the store what may be sent now; gives the
//! store how far each clip has come, and tells of what a person should know.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use domain::{CameraId, CaptureTime, Event, WallTime};
use store::{Clip, ClipId, ClipState, Clips, RunId, StoreError};
use tokio::sync::watch;

use super::Waits;
use super::progress::Progress;
use super::trouble::Trouble;
use crate::clock::Clock;
use crate::limits;
use crate::stage::Counters;

/// The clips of one camera.
pub struct Desk {
    /// The camera.
    pub camera: CameraId,
    /// The camera's clips, and all others.
    pub clips: Clips,
    /// The first run of this process.
    pub first_run: RunId,
    /// How it goes.
    pub progress: Arc<Progress>,
    /// Where is told what a person should know.
    pub counters: Arc<Counters>,
    /// The machine's clocks.
    pub clock: Arc<dyn Clock>,
    /// How long is waited for what.
    pub waits: Waits,
    /// How long a stop may take, once it is asked for.
    pub stop: watch::Receiver<Option<Duration>>,
    /// Clips that connections ended on: all others go before them.
    pub put_off: BTreeSet<ClipId>,
}

impl Desk {
    /// Whether a stop was asked for: nothing new is begun.
    pub fn stops(&self) -> bool {
        self.stop.borrow().is_some()
    }

    /// The clip to be sent next, by its start; `is_taken` says which are on their way. Clips from
    /// the future are held back: the service refuses them, and the clock may be wrong.
    pub fn next(&mut self, is_taken: impl Fn(ClipId) -> bool) -> Result<Option<Clip>, Trouble> {
        if self.stops() {
            return Ok(None);
        }
        let now = self.clock.wall();
        for clip in self.waiting()? {
            if is_taken(clip.id) {
                continue;
            }
            if clip.ended.wall <= now {
                return Ok(Some(clip));
            }
            if clip.ended.wall > now.plus(limits::CLIP_AHEAD_MAX) {
                self.hold(clip.id, &from_the_future(clip.ended.wall, now))?;
            }
        }
        Ok(None)
    }

    /// The clip that an attempt begins with.
    pub fn head(&self) -> Result<Option<ClipId>, Trouble> {
        Ok(self.waiting()?.first().map(|clip| clip.id))
    }

    /// What waits, in the order in which it is to be sent.
    fn waiting(&self) -> Result<Vec<Clip>, Trouble> {
        let most = limits::CLIPS_ON_THE_WAY + self.put_off.len();
        let mut waiting = self.clips.waiting(&self.camera, most)?;
        waiting.sort_by_key(|clip| self.put_off.contains(&clip.id));
        Ok(waiting)
    }

    /// The file of `clip`; `None` when the clip has just gone to make room.
    pub fn open(&mut self, clip: &Clip) -> Result<Option<std::fs::File>, Trouble> {
        match self.clips.open(clip) {
            Ok(file) => Ok(Some(file)),
            Err(error @ StoreError::ClipGone { .. }) => {
                let waiting = self.clips.waiting(&self.camera, limits::CLIPS_ON_THE_WAY)?;
                if waiting.iter().any(|other| other.id == clip.id) {
                    self.quarantine(clip.id, &error.to_string())?;
                }
                Ok(None)
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Fragment `position` of `clip` has come to `state`; whether the clip is all kept now.
    pub fn advance(
        &mut self,
        clip: ClipId,
        position: usize,
        state: ClipState,
        number: Option<&str>,
    ) -> Result<bool, Trouble> {
        self.clips.advance(clip, position, state, number)?;
        if state != ClipState::Persisted {
            return Ok(false);
        }
        let is_kept = self.clips.clip(clip)?.state == ClipState::Persisted;
        if is_kept {
            self.put_off.remove(&clip);
        }
        self.progress.kept(is_kept);
        Ok(is_kept)
    }

    /// Shows how much is on this machine alone. Looks at every clip there is: not for each of them.
    pub fn show_waiting(&self) {
        if let Ok(tally) = self.clips.tally() {
            let unsaved = tally.unsaved();
            self.counters.clips.set_waiting(unsaved.clips, unsaved.bytes);
        }
    }

    /// `clip` is never sent again.
    pub fn quarantine(&mut self, clip: ClipId, cause: &str) -> Result<(), Trouble> {
        self.clips.quarantine(clip, cause)?;
        self.put_off.remove(&clip);
        self.progress.quarantined();
        let (camera, cause) = (self.camera.clone(), cause.to_owned());
        self.counters.event(&Event::ClipQuarantined { camera, clip: clip.0, cause });
        Ok(())
    }

    /// `clip` is not sent until it is released.
    pub fn hold(&mut self, clip: ClipId, cause: &str) -> Result<(), Trouble> {
        self.clips.hold(clip, cause)?;
        let (camera, cause) = (self.camera.clone(), cause.to_owned());
        self.counters.event(&Event::ClipsHeld { camera, cause });
        Ok(())
    }

    /// Clips of this process that were filmed by a wrong clock get their right times.
    pub fn clock_is_right(&mut self) -> Result<u64, Trouble> {
        let now = CaptureTime { mono: self.clock.now(), wall: self.clock.wall() };
        Ok(self.clips.clock_is_right(self.first_run, now)?)
    }
}

fn from_the_future(ended: WallTime, now: WallTime) -> String {
    let ahead_s = ended.unix_ns.saturating_sub(now.unix_ns) / 1_000_000_000;
    format!("it ends {ahead_s} s from now; set the clock, then release it")
}
