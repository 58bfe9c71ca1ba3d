//! Brings the clips of one camera to where they are kept, one attempt after another. Takes what
//! lies on its desk; decides by each trouble's remedy what becomes of the clip and how long it
//! pauses; tells a trouble once, until it works again.

use std::any::Any;
use std::collections::HashMap;
use std::future::poll_fn;
use std::hash::{BuildHasher, RandomState};
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;
use std::time::Duration;

use domain::{Event, Stage};
use store::ClipId;
use tokio::time::sleep;

use super::desk::Desk;
use super::folder::Folder;
use super::kinesis_video::Stream;
use super::trouble::{Remedy, Trouble};
use crate::limits;

/// Where clips go: the members of the family.
pub enum Way {
    /// A stream.
    KinesisVideo(Box<Stream>),
    /// A folder.
    Folder(Folder),
}

impl Way {
    async fn deliver(&mut self, desk: &mut Desk) -> Result<(), Trouble> {
        match self {
            Self::KinesisVideo(stream) => stream.deliver(desk).await,
            Self::Folder(folder) => folder.deliver(desk).await,
        }
    }

    fn forget(&mut self) {
        if let Self::KinesisVideo(stream) = self {
            stream.forget();
        }
    }
}

/// Brings the clips of one camera.
pub struct Courier {
    desk: Desk,
    way: Way,
    /// Attempts that failed since a fragment was kept last.
    failures: u32,
    /// Fragments that were kept when it was looked last.
    kept: u64,
    /// Whether the trouble of now was told.
    is_told: bool,
    /// Whether it was told that the clock is not right.
    is_clock_told: bool,
    /// How often a clip was answered by an error that we do not know.
    unknown: HashMap<ClipId, u32>,
    /// Clips that connections ended on.
    drops: HashMap<ClipId, Drops>,
}

/// How a clip fares that connections end on.
#[derive(Clone, Copy, Default)]
struct Drops {
    /// In a row, nothing being kept meanwhile.
    count: u32,
    /// How often there were too many.
    rounds: u32,
    /// Fragments that were kept by then.
    kept: u64,
}

impl Courier {
    /// A courier from `desk` by `way`.
    pub fn new(desk: Desk, way: Way) -> Self {
        let (is_told, is_clock_told) = (false, false);
        let (unknown, drops) = (HashMap::new(), HashMap::new());
        Self { desk, way, failures: 0, kept: 0, is_told, is_clock_told, unknown, drops }
    }

    /// Brings clips until it is asked to stop.
    pub async fn run(mut self) {
        let mut stop = self.desk.stop.clone();
        while !self.desk.stops() {
            let pause = match unharmed(self.turn()).await {
                Ok(pause) => pause,
                Err(said) => self.begin_anew(&said),
            };
            tokio::select! {
                () = sleep(pause) => {}
                // An uploader that is gone wants nothing more.
                asked = stop.changed() => if asked.is_err() { return },
            }
        }
    }

    /// A defect of ours ended the attempt: nothing of it is relied on. Gives how long to pause.
    fn begin_anew(&mut self, said: &str) -> Duration {
        let camera = &self.desk.camera;
        let message = format!("{camera}: a defect in this software ended an attempt: {said}");
        self.desk.counters.event(&Event::StageFailed { stage: Stage::Upload, message });
        self.way.forget();
        self.failures = self.failures.saturating_add(1);
        if let Err(error) = self.desk.clips.again(&self.desk.camera, said) {
            self.tell(error.to_string());
        }
        self.desk.waits.back_off(self.failures, random())
    }

    /// One attempt; gives how long to pause after it.
    async fn turn(&mut self) -> Duration {
        if !self.desk.clock.wall_is_synced() {
            self.tell_clock();
            return self.desk.waits.look_every;
        }
        self.is_clock_told = false;
        let attempt = match self.desk.clock_is_right() {
            Ok(_) => self.way.deliver(&mut self.desk).await,
            Err(trouble) => Err(trouble),
        };
        let kept = self.desk.progress.fragments_kept();
        let moved = std::mem::replace(&mut self.kept, kept) != kept;
        if moved {
            self.failures = 0;
            self.desk.show_waiting();
        }
        match attempt {
            Ok(()) => {
                self.works();
                self.desk.waits.look_every
            }
            Err(trouble) => {
                let blamed = if moved { Ok(()) } else { self.blame(&trouble) };
                // A store that does not answer is the greater trouble.
                self.suffer(&blamed.err().unwrap_or(trouble))
            }
        }
    }

    /// A connection that ended and brought nothing may have ended on its first clip. After a few
    /// of them the others go first; where those go through, and it ends on this one again and
    /// again, the clip is set aside.
    fn blame(&mut self, trouble: &Trouble) -> Result<(), Trouble> {
        if !matches!(trouble, Trouble::Broken { .. } | Trouble::Stalled { .. }) {
            return Ok(());
        }
        let Some(clip) = self.desk.head()? else { return Ok(()) };
        let kept = self.kept;
        let drops = self.drops.entry(clip).or_default();
        drops.count += 1;
        if drops.count < limits::DROPS_MAX {
            return Ok(());
        }
        drops.count = 0;
        if drops.rounds > 0 && drops.kept == kept {
            return Ok(());
        }
        (drops.rounds, drops.kept) = (drops.rounds + 1, kept);
        let rounds = drops.rounds;
        if rounds <= limits::DROP_ROUNDS_MAX {
            let camera = &self.desk.camera;
            tracing::warn!(target: "upload", %camera, clip = clip.0, "goes last: {trouble}");
            self.desk.put_off.insert(clip);
            return Ok(());
        }
        self.drops.remove(&clip);
        let times = rounds * limits::DROPS_MAX;
        let cause = format!("{times} connections ended on it while others were kept: {trouble}");
        self.desk.quarantine(clip, &cause)
    }

    /// Clips that wait, wait for the clock.
    fn tell_clock(&mut self) {
        let waits = self.desk.clips.waiting(&self.desk.camera, 1).is_ok_and(|c| !c.is_empty());
        if waits && !std::mem::replace(&mut self.is_clock_told, true) {
            let cause = "the wall clock follows no time server; see to NTP or PTP".to_owned();
            let camera = self.desk.camera.clone();
            self.desk.counters.event(&Event::ClipsHeld { camera, cause });
        }
    }

    /// Everything that waited is kept.
    fn works(&mut self) {
        self.failures = 0;
        self.unknown.clear();
        self.drops.clear();
        self.desk.progress.set_trouble(None);
        if std::mem::take(&mut self.is_told) {
            self.desk.counters.event(&Event::UploadWorks { camera: self.desk.camera.clone() });
        }
    }

    /// Does what the remedy says; gives how long to pause.
    fn suffer(&mut self, trouble: &Trouble) -> Duration {
        let remedy = trouble.remedy();
        let said = trouble.to_string();
        self.failures = self.failures.saturating_add(1);
        // A store that does not answer now is asked again with the next attempt.
        let done = self.put_back(trouble, &said);
        if matches!(remedy, Remedy::AskAnew | Remedy::Wait) {
            self.way.forget();
        }
        let is_usual = remedy == Remedy::Reconnect && self.failures < 3;
        // A clip that is quarantined was told of, and the others go on.
        let is_one_clip = remedy == Remedy::Quarantine && trouble.clip().is_some();
        if done.is_err() || !(is_usual || is_one_clip) {
            self.tell(done.err().map_or(said, |error| error.to_string()));
        }
        let waits = &self.desk.waits;
        let pause = waits.back_off(self.failures, random());
        match remedy {
            _ if is_usual || is_one_clip => waits.back_off.0,
            Remedy::Yield => waits.yield_for + pause,
            Remedy::Wait | Remedy::CheckClock => waits.wait_for + pause,
            _ => pause,
        }
    }

    /// What is to become of the clips.
    fn put_back(&mut self, trouble: &Trouble, said: &str) -> Result<(), Trouble> {
        if let Some(clip) = trouble.clip() {
            match trouble.remedy() {
                Remedy::Quarantine => self.desk.quarantine(clip, said)?,
                Remedy::CheckClock => self.desk.hold(clip, said)?,
                Remedy::Unknown => {
                    let count = self.unknown.entry(clip).or_default();
                    *count += 1;
                    if *count >= limits::UNKNOWN_ERRORS_MAX {
                        self.unknown.remove(&clip);
                        self.desk.quarantine(clip, said)?;
                    }
                }
                _ => {}
            }
        }
        self.desk.clips.again(&self.desk.camera, said)?;
        Ok(())
    }

    fn tell(&mut self, cause: String) {
        self.desk.progress.set_trouble(Some(cause.clone()));
        let camera = self.desk.camera.clone();
        if std::mem::replace(&mut self.is_told, true) {
            tracing::debug!(target: "upload", %camera, "still: {cause}");
        } else {
            self.desk.counters.event(&Event::UploadTrouble { camera, cause });
        }
    }
}

/// What `attempt` comes to; what a panic in it said.
async fn unharmed<T>(attempt: impl Future<Output = T>) -> Result<T, String> {
    let mut attempt = std::pin::pin!(attempt);
    poll_fn(|context| {
        // Whoever polls begins anew after a panic.
        let polled = catch_unwind(AssertUnwindSafe(|| attempt.as_mut().poll(context)));
        match polled {
            Ok(polled) => polled.map(Ok),
            Err(panic) => Poll::Ready(Err(words_of(&*panic))),
        }
    })
    .await
}

fn words_of(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(ToString::to_string);
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_default()
}

/// In 0..1, from the keys that the standard library takes from the system for its hash maps.
fn random() -> f64 {
    let bits = RandomState::new().hash_one(0_u8) >> 32;
    f64::from(u32::try_from(bits).unwrap_or_default()) / f64::from(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chance_is_between_none_and_one_and_not_the_same() {
        let drawn: Vec<_> = (0..100).map(|_| random()).collect();
        assert!(drawn.iter().all(|value| (0.0..=1.0).contains(value)));
        assert!(drawn.iter().any(|value| *value < 0.5) && drawn.iter().any(|value| *value > 0.5));
    }
}
