//! The screen's process. The station starts it, and starts it again when it ends: a display that is
//! unplugged, a graphics driver that crashes, a defect in the screen cost the line nothing.

use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use anyhow::{Context, Result, anyhow};
use ui::window::{self, Window};
use ui::{Page, Screen, Shelf, Station};

use super::front::Front;
use super::setup;

/// Starts the screen over the store in `folder`; gives the process and the station's end of the
/// socket. The other end is its standard input.
///
/// # Errors
/// When this program can't be started a second time.
pub fn start(folder: &Path, is_windowed: bool) -> Result<(Child, UnixStream)> {
    let (ours, its) = UnixStream::pair()?;
    let mut command = Command::new(std::env::current_exe()?);
    command.arg("screen").arg(folder).stdin(Stdio::from(OwnedFd::from(its)));
    if is_windowed {
        command.arg("--windowed");
    }
    let child = command.spawn().context("the screen's process can't be started")?;
    Ok((child, ours))
}

/// The screen of a station, on a display. Started by the station.
#[derive(clap::Args)]
pub struct Args {
    /// The store's folder.
    store: std::path::PathBuf,
    /// In a window, not over the whole display.
    #[arg(long)]
    windowed: bool,
}

/// Is the screen of the station at the other end of standard input.
pub fn run(args: &Args) -> Result<crate::Ended> {
    // Before any other thread is there: all of them come after the line's.
    pipeline::priority::come_last();
    let stream = std::io::stdin().as_fd().try_clone_to_owned()?;
    let front = Front::connect(UnixStream::from(stream), &args.store, || std::process::exit(0))?;
    show(front, &args.store, None, !args.windowed)?;
    Ok(crate::Ended::Done)
}

/// Shows the screen, `page` first, until its window is closed.
///
/// # Errors
/// When there is no display, or it is lost.
pub fn show(front: Front, store: &Path, page: Option<Page>, is_kiosk: bool) -> Result<()> {
    let news = front.first_news()?;
    let title = format!("Sightline · {}", news.facts.station);
    let shelf = Shelf::open(Some(store), front.developer());
    let mut screen = Screen::new(Box::new(front), shelf, setup::read(store));
    if let Some(page) = page {
        screen.go(page);
    }
    window::run(&Window { title, is_kiosk }, screen).map_err(|error| {
        // What stands before the last colon is where in a library it was said.
        let said = error.to_string();
        let cause = said.rsplit(": ").next().unwrap_or(&said);
        anyhow!(
            "no screen can be shown: {cause}; DISPLAY or WAYLAND_DISPLAY must name a display that \
             this user may use, and it needs OpenGL (libgl1, libegl1)"
        )
    })
}
