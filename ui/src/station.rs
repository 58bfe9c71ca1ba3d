//! The boundary: what the screen is told and what it may ask for. Whoever implements [`Station`]
//! gives plain values and executes commands; the screen knows nothing else of the world.

use std::sync::Arc;

use serde::{Deserialize, Serialize};

use domain::{
    CameraId, Command, PartKey, PersonId, Pixels, Recipe, RectPx, Role, Sha256, SizePx, Snapshot,
    VerdictKind, WallTime,
};

use crate::calibrating::{Calibrating, CameraCalibration};
use crate::{Answer, Ask, Settings};

/// What stands behind the screen: a line at work, or a store alone.
pub trait Station {
    /// The latest of everything; asked for at every repaint, so it must be cheap.
    fn news(&mut self) -> News;
    /// Has `command` executed, or refused; the answer comes later. Never waits.
    fn ask(&mut self, command: Command) -> Ask;
    /// The answers that have come since this was called last.
    fn answers(&mut self) -> Vec<(Ask, Answer)>;
    /// The picture in colour, neither side longer than `side_max_px`, as the model sees it. `None`
    /// when the pixels do not fit their format. Called from a thread of the screen's own.
    fn developer(&self) -> Developer;
    /// A picture of the clip that shows `part`: the one with `number`, from 0, or the last when
    /// there are fewer. Asked for at every repaint while a clip is looked at, so it never waits:
    /// what has to be decoded first is [`ClipView::Waiting`], and a repaint is woken when it is
    /// there.
    fn clip(&mut self, _part: PartKey, _number: u32) -> ClipView {
        ClipView::None
    }
    /// Keeps how the screen is set up, for its next start.
    fn keep(&mut self, settings: &Settings);
    /// Whether cameras' pictures are shown now: nobody need make [`News::previews`] otherwise. Told
    /// at every repaint.
    fn look(&mut self, _is_looking: bool) {}
    /// Has `wake` called when there is news worth a repaint.
    fn wake_by(&mut self, wake: Box<dyn Fn() + Send + Sync>);
}

/// Turns a camera's pixels into colour; see [`Station::developer`].
pub type Developer = Arc<dyn Fn(&dyn Pixels, u32) -> Option<RgbPicture> + Send + Sync>;

/// A picture in colour.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RgbPicture {
    /// Its size.
    pub size: SizePx,
    /// Rows from the top, three bytes a pixel.
    pub rgb: Vec<u8>,
}

/// A picture of a part's clip, if there is one.
#[derive(Clone, Debug)]
pub enum ClipView {
    /// No clip shows the part.
    None,
    /// It is being read.
    Waiting,
    /// It can't be read, in English: why.
    Failed(String),
    /// Here it is.
    Frame(Arc<ClipFrame>),
}

/// A picture of a clip.
#[derive(Clone, Debug)]
pub struct ClipFrame {
    /// In colour, at most as large as a screen.
    pub picture: RgbPicture,
    /// Which it is, from 0.
    pub number: u32,
    /// How many the clip has.
    pub of: u32,
    /// Since the clip's first picture, milliseconds.
    pub at_ms: u64,
    /// Until the next picture, milliseconds.
    pub lasts_ms: u64,
    /// The picture that the part was judged by, when the clip has it.
    pub judged: Option<u32>,
}

/// The latest of everything.
#[derive(Clone, Serialize, Deserialize)]
pub struct News {
    /// The wall clock.
    pub now: WallTime,
    /// What does not change from part to part.
    pub facts: Arc<Facts>,
    /// The line; `None` when there is only a store.
    pub line: Option<LineNews>,
    /// Who stands at the screen.
    pub who: Option<Person>,
    /// Everyone who may.
    pub people: Arc<[Person]>,
    /// What somebody has to look after, the newest first.
    pub alarms: Arc<[Alarm]>,
    /// How each camera is calibrated.
    pub calibrations: Arc<[CameraCalibration]>,
    /// The calibration that is under way.
    pub calibrating: Option<Arc<Calibrating>>,
    /// The newest picture of each camera, for a person to look at; empty without a line.
    #[serde(skip)]
    pub previews: Vec<Arc<Preview>>,
}

impl News {
    /// Who has this pseudonym, as people call them; the pseudonym itself where nobody has it.
    #[must_use]
    pub fn name_of<'a>(&'a self, id: &'a str) -> &'a str {
        let mut people = self.people.iter().chain(&self.who);
        let person = people.find(|person| person.id.as_str() == id);
        person.map_or(id, |person| &person.name)
    }
}

/// A line at work.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct LineNews {
    /// Its numbers.
    pub snapshot: Arc<Snapshot>,
    /// Since the program started, seconds.
    pub uptime_s: f64,
    /// Parts a minute over the last seconds; absent before there are any.
    pub parts_per_min: Option<f64>,
    /// The run in the store that is being written.
    pub run: Option<i64>,
    /// Bytes free where the store is; absent when it can't be told.
    pub disk_free_bytes: Option<u64>,
    /// Memory of this program, bytes.
    pub rss_bytes: u64,
    /// Whether the PLC holds the line in execution, so that recipes may not be changed here.
    pub plc_holds: bool,
}

/// What does not change from part to part.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Facts {
    /// What people call the station.
    pub station: String,
    /// Name and version of this software.
    pub software: String,
    /// All recipes that may be selected; for a store, those it has kept.
    pub recipes: Vec<RecipeFacts>,
    /// Which of them is in force; `None` without a line.
    pub in_force: Option<u16>,
    /// The cameras.
    pub cameras: Vec<CameraId>,
}

/// A recipe, and what its model can say.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RecipeFacts {
    /// The number by which it is selected.
    pub number: u16,
    /// All of it.
    pub recipe: Recipe,
    /// Over its values.
    pub sha256: Sha256,
    /// Over the model's bundle, when it is armed.
    pub model_sha256: Option<Sha256>,
    /// The classes a person may give, in the model's order, without the good one.
    pub classes: Vec<Arc<str>>,
}

/// A person who may use the station. The name is for this screen only.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Person {
    /// In everything that is written down.
    pub id: PersonId,
    /// As people call them.
    pub name: String,
    /// What they may do.
    pub role: Role,
}

/// Something that somebody has to look after.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Alarm {
    /// The event's name.
    pub name: String,
    /// What it said last, in English.
    pub said: String,
    /// How often since somebody acknowledged it.
    pub count: u64,
    /// When it happened last.
    pub last: WallTime,
}

/// A camera's newest picture.
#[derive(Clone, Debug)]
pub struct Preview {
    /// The camera.
    pub camera: CameraId,
    /// Grows with every picture.
    pub number: u64,
    /// In colour, at most as large as a screen.
    pub picture: RgbPicture,
    /// Size of the camera's frame.
    pub frame_size: SizePx,
    /// Parts in it that were answered: where, and what they are.
    pub parts: Vec<(RectPx, VerdictKind)>,
}
