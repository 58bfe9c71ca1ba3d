//! HOW FAST. What the benches share: the footage they look at, and their reports. A report is a
//! table on stdout and the same rows in `target/bench/<name>.json`.
//!
//! Nothing here is a test: machines differ and are busy. What is to be compared is measured in
//! turns within one run, so that both meet the same noise; then compare ratios, not milliseconds.

pub mod report;
pub mod spread;
pub mod subject;

use std::error::Error;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use report::Report;

/// Anything that keeps a bench from measuring.
pub type Failure = Box<dyn Error + Send + Sync>;

/// Where reports go, given cargo's `CARGO_TARGET_TMPDIR`.
#[must_use]
pub fn folder_of_reports(tmpdir: &str) -> PathBuf {
    let tmpdir = Path::new(tmpdir);
    tmpdir.parent().unwrap_or(tmpdir).join("bench")
}

/// Runs the bench `name`, prints its report and keeps it. `tmpdir` is cargo's
/// `CARGO_TARGET_TMPDIR`, which lies in the target folder.
#[expect(clippy::print_stderr, reason = "where a bench says why there is no report")]
pub fn bench(
    name: &'static str,
    tmpdir: &str,
    measure: impl FnOnce(&mut Report) -> Result<(), Failure>,
) -> ExitCode {
    let mut report = Report::new(name);
    let done = measure(&mut report).and_then(|()| Ok(report.finish(&folder_of_reports(tmpdir))?));
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => {
            eprintln!("bench {name}: {failure}");
            ExitCode::FAILURE
        }
    }
}
