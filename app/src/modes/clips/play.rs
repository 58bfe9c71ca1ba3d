//! `sightline clips play`: takes a clip's number, opens it in the player of this desktop.

use std::path::PathBuf;
use std::process::{Command, Stdio};

use anyhow::{Context, Result, anyhow, ensure};

use super::{look_up, moment};
use crate::Ended;
use crate::modes::say;

/// Open a clip in this desktop's video player.
///
/// The file is asked of xdg-open. On a machine without a desktop, take its path and copy it.
#[derive(clap::Args)]
pub struct Args {
    /// The station's store: the folder that holds station.db.
    store: PathBuf,
    /// The clip's number, as `list` shows it.
    id: i64,
    /// Only say where the file is.
    #[arg(long)]
    print_path: bool,
}

/// Runs the command.
pub fn run(args: &Args) -> Result<Ended> {
    let clip = look_up(&args.store, args.id)?;
    let path = clip.path.display();
    if let Some(at) = clip.gone_at {
        let state = clip.state.name();
        return Err(anyhow!("{path}: removed {} UTC to make room, when {state}", moment(at)));
    }
    ensure!(
        clip.path.is_file(),
        "{path}: not there; `sightline clips verify {}` says what else is amiss",
        args.store.display()
    );
    if args.print_path {
        say(&path.to_string())?;
        return Ok(Ended::Done);
    }
    let mut player = Command::new("xdg-open");
    player.arg(&clip.path).stdin(Stdio::null()).stdout(Stdio::null());
    let opened = player.status().with_context(|| {
        format!("xdg-open can't be run; play {path} with any player, `--print-path` gives it alone")
    })?;
    ensure!(opened.success(), "xdg-open found no player for {path}; `--print-path` gives it alone");
    Ok(Ended::Done)
}
