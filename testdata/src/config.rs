//! What a scene is made from. Takes the user's wishes; gives them checked, or says which is wrong.

use domain::{PixelFormat, SizePx};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// Everything a scene follows from. Lengths not given here scale with the picture's height.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct SceneConfig {
    /// Same seed and same wishes, same bytes.
    pub seed: u64,
    /// How many parts pass; 0 is footage of an empty belt.
    pub parts: u32,
    /// Size of the picture, 64..=8192 each way.
    pub size: SizePx,
    /// Frames per second; only the record and the length of belt stops depend on it.
    pub fps: f64,
    /// How pixels lie.
    pub format: PixelFormat,
    /// Share of parts with something wrong, 0..=1.
    pub defect_rate: f32,
    /// Belt speed; 0.04 of the height when not given.
    pub speed_px_per_frame: Option<f32>,
    /// How parts follow each other.
    pub spacing: Spacing,
    /// Rows of parts side by side, 1..=4.
    pub lanes: u8,
    /// Share of parts that hang over the upper or lower border of the picture, 0..=1.
    pub edge_rate: f32,
    /// Share of parts that touch the one before them in their lane, 0..=1.
    pub touching_rate: f32,
    /// How often the belt halts for a while.
    pub stops: u32,
    /// Strength of the sensor's noise; 1 is a decent industrial camera, 0 is none. At most 10.
    pub noise: f32,
    /// Share of the frame period during which the shutter is open, 0..=1; more is more blur.
    pub exposure: f32,
}

impl Default for SceneConfig {
    fn default() -> Self {
        Self {
            seed: 0,
            parts: 200,
            size: SizePx::new(1920, 1080),
            fps: 60.0,
            format: PixelFormat::Gray8,
            defect_rate: 0.2,
            speed_px_per_frame: None,
            spacing: Spacing::Regular,
            lanes: 2,
            edge_rate: 0.0,
            touching_rate: 0.0,
            stops: 0,
            noise: 1.0,
            exposure: 0.05,
        }
    }
}

/// How parts follow each other in a lane.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Spacing {
    /// The same distance each time.
    #[default]
    Regular,
    /// Now close, now far apart.
    Irregular,
}

/// A scene that cannot be made.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("scene: {key} = {value}: it must be {right}")]
pub struct SceneError {
    /// Which wish.
    pub key: &'static str,
    /// What it was.
    pub value: String,
    /// What would have been right.
    pub right: String,
}

impl SceneConfig {
    /// How far the belt moves from one frame to the next.
    #[must_use]
    pub fn speed_px(&self) -> f32 {
        self.speed_px_per_frame.unwrap_or(0.04 * self.height_px())
    }

    /// The unit that everything scales with.
    #[expect(clippy::cast_precision_loss, reason = "at most 8192")]
    pub(crate) fn height_px(&self) -> f32 {
        self.size.height as f32
    }

    /// # Errors
    /// The first wish that cannot be met, and what would do.
    #[expect(clippy::cast_precision_loss, reason = "at most 8192")]
    pub(crate) fn check(&self) -> Result<(), SceneError> {
        for (key, side) in [("size.width", self.size.width), ("size.height", self.size.height)] {
            require((64..=8192).contains(&side), key, side, "64..=8192 pixels")?;
        }
        require(self.parts <= 100_000, "parts", self.parts, "at most 100000")?;
        require((1..=4).contains(&self.lanes), "lanes", self.lanes, "1..=4")?;
        require(self.stops <= 1000, "stops", self.stops, "at most 1000")?;
        let fps_fits = (0.1..=1000.0).contains(&self.fps);
        require(fps_fits, "fps", self.fps, "0.1..=1000 frames per second")?;
        for (key, rate) in [
            ("defect_rate", self.defect_rate),
            ("edge_rate", self.edge_rate),
            ("touching_rate", self.touching_rate),
            ("exposure", self.exposure),
        ] {
            require((0.0..=1.0).contains(&rate), key, rate, "0..=1")?;
        }
        require((0.0..=10.0).contains(&self.noise), "noise", self.noise, "0..=10")?;
        let fastest = self.size.width as f32 / 4.0;
        let speed = self.speed_px();
        let right = format!("0.5..={fastest} px, a quarter of the width, so that parts are seen");
        require((0.5..=fastest).contains(&speed), "speed_px_per_frame", speed, &right)
    }
}

fn require(
    holds: bool,
    key: &'static str,
    value: impl ToString,
    right: &str,
) -> Result<(), SceneError> {
    if holds {
        return Ok(());
    }
    Err(SceneError { key, value: value.to_string(), right: right.to_owned() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_defaults_are_fine_and_so_is_an_empty_belt() {
        assert_eq!(SceneConfig::default().check(), Ok(()));
        assert_eq!(SceneConfig { parts: 0, ..SceneConfig::default() }.check(), Ok(()));
    }

    #[test]
    fn what_cannot_be_rendered_is_refused_by_name() {
        type Spoil = fn(&mut SceneConfig);
        let hostile: [(&str, Spoil); 13] = [
            ("size.width", |c| c.size.width = 0),
            ("size.height", |c| c.size.height = u32::MAX),
            ("parts", |c| c.parts = u32::MAX),
            ("lanes", |c| c.lanes = 0),
            ("lanes", |c| c.lanes = 5),
            ("stops", |c| c.stops = u32::MAX),
            ("fps", |c| c.fps = f64::NAN),
            ("defect_rate", |c| c.defect_rate = f32::NAN),
            ("touching_rate", |c| c.touching_rate = -0.1),
            ("exposure", |c| c.exposure = 1.1),
            ("noise", |c| c.noise = f32::INFINITY),
            ("speed_px_per_frame", |c| c.speed_px_per_frame = Some(0.0)),
            ("speed_px_per_frame", |c| c.speed_px_per_frame = Some(481.0)),
        ];
        for (key, spoil) in hostile {
            let mut config = SceneConfig::default();
            spoil(&mut config);
            let error = config.check().unwrap_err();
            assert_eq!(error.key, key);
            assert!(error.to_string().contains(key) && error.to_string().contains("must be"));
        }
    }

    #[test]
    fn unknown_wishes_are_refused() {
        let error = serde_json::from_str::<SceneConfig>(r#"{"sed": 1}"#).unwrap_err();
        assert!(error.to_string().contains("sed"), "{error}");
    }
}
