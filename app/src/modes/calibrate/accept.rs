//! `sightline calibrate show|accept|check`: takes a profile, gives what is in it, accepts it, or
//! says why a line may not measure by it.

use std::path::PathBuf;

use anyhow::Result;
use calibration::{AcceptLimits, CameraFacts, Objection, Profile};
use jiff::Timestamp;
use serde_json::json;

use crate::Ended;
use crate::modes::{say, say_json};

/// What a profile holds.
#[derive(clap::Args)]
pub struct Show {
    /// The profile's folder.
    profile: PathBuf,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// Accept a profile: a line may measure by it from now on, until it is too old or changed.
///
/// Exit codes: 0 accepted; 1 it is not good enough, and why.
#[derive(clap::Args)]
pub struct Args {
    /// The profile's folder.
    profile: PathBuf,
    /// Who accepts it.
    #[arg(long, value_name = "NAME")]
    by: String,
    /// The lens' reprojection error may be so large, pixels.
    #[arg(long, value_name = "PX", default_value_t = AcceptLimits::default().lens_rms_px)]
    lens_rms_px: f64,
    /// The plane's residual may be so large, pixels.
    #[arg(long, value_name = "PX", default_value_t = AcceptLimits::default().plane_rms_px)]
    plane_rms_px: f64,
    /// So much of the shading may be left, relative.
    #[arg(long, value_name = "SHARE", default_value_t = AcceptLimits::default().flat_residual)]
    flat_residual: f64,
    /// It may become so old.
    #[arg(long, value_name = "DAYS", default_value_t = AcceptLimits::default().age_days)]
    age_days: u32,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

/// Whether a line may measure by a profile now. Exit codes: 0 it may; 1 it may not, and why.
#[derive(clap::Args)]
pub struct Check {
    /// The profile's folder.
    profile: PathBuf,
    /// The serial number that the camera says.
    #[arg(long)]
    serial: Option<String>,
    /// One JSON object on stdout.
    #[arg(long)]
    json: bool,
}

pub fn show(args: &Show) -> Result<Ended> {
    let profile = Profile::read(&args.profile)?;
    if args.json {
        say_json(&profile)?;
        return Ok(Ended::Done);
    }
    let none = || "none".to_owned();
    let camera = &profile.camera;
    let rows = [
        ("pictures", profile.size.to_string()),
        ("made", profile.made_at.to_string()),
        ("camera", camera.serial.clone().unwrap_or_else(none)),
        ("lens note", camera.lens_note.clone().unwrap_or_else(none)),
        ("lens", profile.lens_rms_px.map_or_else(none, |rms| format!("{rms:.3} px rms"))),
        (
            "plane",
            profile.plane.as_ref().map_or_else(none, |plane| {
                format!("{:.3} px, {:.4} mm rms", plane.residual.rms_px, plane.residual.rms_mm)
            }),
        ),
        (
            "flat field",
            profile
                .flat_field
                .as_ref()
                .map_or_else(none, |flat| format!("{:.2} % left", 100.0 * flat.residual)),
        ),
        ("watched", profile.baseline.as_ref().map_or_else(none, |_| "yes".to_owned())),
        (
            "belt",
            profile.belt.as_ref().map_or_else(none, |belt| {
                belt.mm_per_count.or(belt.mm_per_s).map_or_else(
                    || format!("{:.1} px/s", belt.px_per_s.value),
                    |measured| format!("{:.5} mm a count or second", measured.value),
                )
            }),
        ),
        (
            "accepted",
            profile.accepted.as_ref().map_or_else(
                || "by nobody".to_owned(),
                |accepted| format!("by {} at {}", accepted.by, accepted.at),
            ),
        ),
        ("hash", profile.content_hash().to_string()),
    ];
    let lines: Vec<_> = rows.iter().map(|(name, value)| format!("{name:<11} {value}")).collect();
    say(&lines.join("\n"))?;
    Ok(Ended::Done)
}

pub fn run(args: &Args) -> Result<Ended> {
    let mut profile = Profile::read(&args.profile)?;
    // The maps must be there and be what was measured.
    profile.flat_field(&args.profile)?;
    profile.baseline(&args.profile)?;
    let limits = AcceptLimits {
        lens_rms_px: args.lens_rms_px,
        plane_rms_px: args.plane_rms_px,
        flat_residual: args.flat_residual,
        age_days: args.age_days,
    };
    match profile.accept(&args.by, limits, Timestamp::now()) {
        Ok(()) => {
            profile.write(&args.profile)?;
            tell(args.json, "accepted", &[])
        }
        Err(objections) => tell(args.json, "accepted", &objections),
    }
}

pub fn check(args: &Check) -> Result<Ended> {
    let profile = Profile::read(&args.profile)?;
    profile.flat_field(&args.profile)?;
    profile.baseline(&args.profile)?;
    let facts = CameraFacts { serial: args.serial.clone(), ..CameraFacts::default() };
    let objections = profile.arm(&facts, Timestamp::now()).err().unwrap_or_default();
    tell(args.json, "holds", &objections)
}

fn tell(json: bool, what: &str, objections: &[Objection]) -> Result<Ended> {
    let said: Vec<_> = objections.iter().map(ToString::to_string).collect();
    if json {
        say_json(&json!({what: said.is_empty(), "objections": said}))?;
    } else if said.is_empty() {
        say(what)?;
    } else {
        say(&said.join("\n"))?;
    }
    Ok(if said.is_empty() { Ended::Done } else { Ended::LimitsNotMet })
}
