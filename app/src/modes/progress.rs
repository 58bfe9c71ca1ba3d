//! Progress on stderr, for people: takes counts, shows a bar. Silent when nobody watches or JSON
//! was asked for.

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// A bar for `total` things; a spinner when their number is not known.
pub fn bar(total: Option<u64>, quiet: bool) -> ProgressBar {
    let target = if quiet { ProgressDrawTarget::hidden() } else { ProgressDrawTarget::stderr() };
    let bar = ProgressBar::with_draw_target(total, target);
    let template = match total {
        Some(_) => "{bar:32} {percent:>3} %  {pos}/{len} frames  {msg}  {eta} left",
        None => "{spinner} {pos} frames  {msg}  {elapsed}",
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
    }
    bar
}
