//! Progress on stderr, for people: takes counts, shows a bar, or takes a line of text that is drawn
//! again and again in the same place. Silent when nobody watches or JSON was asked for.

use std::io::{Result, Write, stderr};
use std::sync::OnceLock;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar for `total` frames; a spinner when their number is not known.
pub fn bar(total: Option<u64>, quiet: bool) -> ProgressBar {
    bar_of("frames", total, quiet)
}

/// A bar for `total` things; a spinner when their number is not known.
pub fn bar_of(things: &str, total: Option<u64>, quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(total, target);
    let template = match total {
        Some(_) => "{bar:32} {percent:>3} %  {pos}/{len} THINGS  {msg}  {eta} left",
        None => "{spinner} {pos} THINGS  {msg}  {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(&template.replace("THINGS", things)) {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    }
    bar
}

/// The line at the bottom of the terminal, once there is one: the log makes way for it.
static AT_THE_BOTTOM: OnceLock<ProgressBar> = OnceLock::new();

/// One line at the bottom of a terminal.
pub struct StatusLine(ProgressBar);

impl StatusLine {
    /// An empty line.
    pub fn new(quiet: bool) -> Self {
        let target =
            if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
        let line = ProgressBar::with_draw_target(None, target);
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            line.set_style(style);
        }
        Self(AT_THE_BOTTOM.get_or_init(|| line).clone())
    }

    /// Whether somebody sees it.
    pub fn is_seen(&self) -> bool {
        !self.0.is_hidden()
    }

    /// Shows `text` instead of what was there.
    pub fn show(&self, text: &str) {
        self.0.set_message(text.to_owned());
        self.0.tick();
    }

    /// Takes it away.
    pub fn clear(&self) {
        self.0.finish_and_clear();
    }
}

/// stderr for the log: what is written goes above the line at the bottom.
pub struct AboveTheLine;

impl Write for AboveTheLine {
    fn write(&mut self, text: &[u8]) -> Result<usize> {
        match AT_THE_BOTTOM.get() {
            Some(line) => line.suspend(|| stderr().write(text)),
            None => stderr().write(text),
        }
    }

    fn flush(&mut self) -> Result<()> {
        stderr().flush()
    }
}
