//! How parts are found: as written in a recipe, and what is refused.

use serde::{Deserialize, Serialize};

use super::{GateRule, RecipeError};

/// How parts are found.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "kebab-case", deny_unknown_fields)]
pub enum Locate {
    /// A triggered camera: every frame shows one part.
    EveryFrame,
    /// A free-running camera over a belt: parts are found in the picture.
    Motion(Motion),
    /// A free-running camera and a trigger from the PLC or an encoder: the frame exposed nearest
    /// to the trigger shows the part. On a line of several cameras each is an inspection position
    /// of its own: a trigger makes one part for each camera.
    Trigger(Trigger),
}

/// How the frame for a trigger is chosen.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Trigger {
    /// What triggers.
    pub by: TriggerBy,
    /// From the trigger to the wanted exposure, milliseconds; negative when the part was in
    /// front of the camera before the trigger.
    #[serde(default)]
    pub delay_ms: f64,
    /// How far from the wanted moment the exposure may be, milliseconds either way.
    #[serde(default = "Trigger::default_window_ms")]
    pub window_ms: f64,
}

/// What triggers.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum TriggerBy {
    /// The PLC's trigger input of this number.
    Plc {
        /// From 0.
        input: u8,
    },
    /// A distance on the belt.
    Encoder {
        /// Encoder counts from one part to the next.
        every_counts: u32,
    },
}

impl Trigger {
    const fn default_window_ms() -> f64 {
        10.0
    }
}

/// How parts are found in the picture of a free-running camera.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Motion {
    /// Smallest part, in pixels of the frame; anything smaller is ignored.
    pub min_area_px: u64,
    /// Largest single part; anything larger is several parts that touch.
    pub max_area_px: u64,
    /// How far from the belt's usual brightness a part must be, in grey levels of 255.
    #[serde(default = "Motion::default_contrast")]
    pub contrast: u8,
    /// How many views of each part, evenly spread along its way.
    #[serde(default = "Motion::default_views")]
    pub views: u8,
    /// By what parts differ from the belt.
    #[serde(default)]
    pub differ_in: DifferIn,
    /// Whether parts are brighter or darker than the belt. Saying so ignores shadows, and lets
    /// the belt be learnt while more parts than belt are in view.
    #[serde(default)]
    pub parts_are: PartsAre,
    /// What is done about parts that touch.
    #[serde(default)]
    pub touching: Touching,
    /// How many frames at the start are used to learn the empty belt.
    #[serde(default = "Motion::default_learn_frames")]
    pub learn_frames: u16,
}

/// By what parts differ from the belt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum DifferIn {
    /// Brightness; works for every camera.
    #[default]
    Brightness,
    /// Colour, whatever the brightness: for belts with holes or strong shadows.
    Colour,
    /// One or the other.
    Either,
}

/// How bright parts are, next to the belt.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum PartsAre {
    /// Brighter or darker.
    #[default]
    Either,
    /// Always brighter than the belt.
    Brighter,
    /// Always darker than the belt.
    Darker,
}

/// What is done about parts that touch.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Touching {
    /// They are one part that is undecided, with an estimate of how many it is.
    #[default]
    Report,
    /// They are told apart by their shape; for parts about as long as they are wide.
    Split,
}

impl Motion {
    const fn default_contrast() -> u8 {
        24
    }
    const fn default_views() -> u8 {
        1
    }
    const fn default_learn_frames() -> u16 {
        24
    }
}

impl Locate {
    pub(super) fn check(&self, gate: &GateRule) -> Result<(), RecipeError> {
        match self {
            Self::EveryFrame => Ok(()),
            Self::Motion(motion) => check_motion(motion),
            Self::Trigger(trigger) => check_trigger(trigger, gate),
        }
    }
}

fn check_trigger(trigger: &Trigger, gate: &GateRule) -> Result<(), RecipeError> {
    if trigger.by == (TriggerBy::Encoder { every_counts: 0 }) {
        return Err(RecipeError::new(
            "locate.by.encoder.every_counts",
            "is 0, so every count would be a part",
            "give the encoder counts from one part to the next",
        ));
    }
    if !(trigger.window_ms > 0.0 && trigger.window_ms <= 1000.0) {
        return Err(RecipeError::new(
            "locate.window_ms",
            format!("{} is no window", trigger.window_ms),
            "it must be above 0 and at most 1000; half the time from frame to frame is usual",
        ));
    }
    let latest_ms = trigger.delay_ms + trigger.window_ms;
    if !(latest_ms.abs() <= 10_000.0 && latest_ms < f64::from(gate.budget_ms)) {
        return Err(RecipeError::new(
            "locate.delay_ms",
            format!(
                "{}: with window_ms the frame may come {latest_ms} ms after the trigger, and \
                 gate.budget_ms is {}",
                trigger.delay_ms, gate.budget_ms
            ),
            "the frame must be exposed well within the budget, which counts from the trigger",
        ));
    }
    Ok(())
}

fn check_motion(motion: &Motion) -> Result<(), RecipeError> {
    if motion.min_area_px == 0 {
        return Err(RecipeError::new(
            "locate.min_area_px",
            "is 0, so every speck of dust would be a part",
            "give the area of about half the smallest part in pixels",
        ));
    }
    if motion.differ_in == DifferIn::Colour && motion.parts_are != PartsAre::Either {
        return Err(RecipeError::new(
            "locate.parts_are",
            "says how bright parts are, but differ_in = \"colour\" does not look at brightness",
            "leave parts_are out, or use differ_in = \"brightness\"",
        ));
    }
    if motion.max_area_px <= motion.min_area_px {
        return Err(RecipeError::new(
            "locate.max_area_px",
            format!("{} is not above min_area_px {}", motion.max_area_px, motion.min_area_px),
            "give the area of the largest single part in pixels",
        ));
    }
    for (key, value) in [
        ("locate.contrast", u16::from(motion.contrast)),
        ("locate.views", u16::from(motion.views)),
        ("locate.learn_frames", motion.learn_frames),
    ] {
        if value == 0 {
            return Err(RecipeError::new(key, "is 0", "it must be at least 1"));
        }
    }
    Ok(())
}
