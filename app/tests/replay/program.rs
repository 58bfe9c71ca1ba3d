//! The program: takes a command line, runs it to its end, gives what it said and its exit code.

use std::ffi::OsStr;
use std::process::{Command, Output, Stdio};

/// The built binary, without what a developer's shell would change about it.
pub fn sightline<A: AsRef<OsStr>>(args: impl IntoIterator<Item = A>) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
    command.args(args).env_remove("SIGHTLINE_LOG").stdin(Stdio::null());
    command
}

/// How a run ended.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl From<Output> for Ran {
    fn from(output: Output) -> Self {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let (stdout, stderr) = (text(&output.stdout), text(&output.stderr));
        let ran = Self { code: output.status.code(), stdout, stderr };
        assert!(!ran.stderr.contains("panicked"), "{ran:?}");
        ran
    }
}

pub fn run(command: &mut Command) -> Ran {
    command.output().unwrap().into()
}

/// Runs what must succeed.
pub fn run_well(command: &mut Command) -> Ran {
    let ran = run(command);
    assert_eq!(ran.code, Some(0), "{command:?}\n{ran:?}");
    ran
}

impl Ran {
    /// The program refused to begin: exit code 2 and one line on stderr with each of `words`.
    pub fn refused(&self, words: &[&str]) {
        assert_eq!(self.stderr.lines().count(), 1, "one line: {self:?}");
        assert_eq!(self.stdout, "", "{self:?}");
        self.complained(words);
    }

    /// Exit code 2, and the last line on stderr has each of `words`. Lines before it are the log.
    pub fn complained(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:?}");
        let last = self.stderr.lines().last().unwrap_or_default();
        assert!(last.starts_with("sightline: "), "{self:?}");
        for word in words {
            assert!(last.contains(word), "`{word}` is not in: {last}");
        }
    }
}
