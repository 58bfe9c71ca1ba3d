//! What the program can be asked to do, a file a mode.

pub mod audit;
pub mod calibrate;
pub mod clips;
pub mod export;
pub mod import;
pub mod kiosk;
pub mod model;
pub mod people;
pub mod progress;
pub mod replay;
pub mod review;
pub mod run;
pub mod screen;
pub mod simulate;

use std::io::Write;
use std::sync::Arc;

use anyhow::Result;
use domain::PixelFormat;
use serde::Serialize;

/// How a mode ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// As asked.
    Done,
    /// Done, but what came out is outside the limits that were given.
    LimitsNotMet,
}

/// Writes `text` and a newline to stdout. A reader that has gone away (`| head`) is no error.
fn say(text: &str) -> Result<()> {
    match writeln!(std::io::stdout().lock(), "{text}") {
        Err(error) if error.kind() != std::io::ErrorKind::BrokenPipe => Err(error.into()),
        _ => Ok(()),
    }
}

/// Writes `value` to stdout as one JSON object.
fn say_json(value: &impl Serialize) -> Result<()> {
    say(&serde_json::to_string_pretty(value)?)
}

/// Reads the name of a pixel format.
fn parse_format(name: &str) -> Result<PixelFormat, String> {
    PixelFormat::from_name(name).ok_or_else(|| {
        let known = PixelFormat::ALL.map(PixelFormat::name).join(", ");
        format!("there is no such format; there are {known}")
    })
}

/// Name and version of this software, as it stands in the record.
fn software() -> Arc<str> {
    concat!("sightline ", env!("CARGO_PKG_VERSION")).into()
}
