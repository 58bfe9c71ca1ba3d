//! A program that runs: takes a command; gives the lines that it says on stderr as they come, and
//! how it ended. What is left running at a test's end is killed.

use std::io::{BufRead, BufReader, Read};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::thread::Builder;
use std::time::Duration;

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

/// More than anything here should take on a busy machine.
pub const PATIENCE: Duration = Duration::from_secs(120);

pub struct Started {
    child: Child,
    lines: Receiver<String>,
    said: Vec<String>,
}

/// How a program ended.
#[derive(Debug)]
pub struct Ended {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: Vec<String>,
}

impl Started {
    pub fn new(command: &mut Command) -> Self {
        let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let (sender, lines) = channel();
        let read =
            move || stderr.lines().map_while(Result::ok).all(|line| sender.send(line).is_ok());
        Builder::new().name("stderr".to_owned()).spawn(read).unwrap();
        Self { child, lines, said: Vec::new() }
    }

    /// Waits for the line that the mode says when everything runs.
    pub fn ready(command: &mut Command) -> Self {
        let mut started = Self::new(command);
        started.wait_for("run: ready");
        started
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// Waits for a line that holds `words`, and gives it.
    pub fn wait_for(&mut self, words: &str) -> String {
        loop {
            match self.lines.recv_timeout(PATIENCE) {
                Ok(line) => self.said.push(line),
                Err(error) => panic!("no line with `{words}`: {error}; {:#?}", self.said),
            }
            if let Some(line) = self.said.last().filter(|line| line.contains(words)) {
                return line.clone();
            }
        }
    }

    /// Waits for a line that holds `words`, unless it has come already; gives it.
    pub fn has_said(&mut self, words: &str) -> String {
        let said = self.said.iter().find(|line| line.contains(words)).cloned();
        said.unwrap_or_else(|| self.wait_for(words))
    }

    pub fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(i32::try_from(self.id()).unwrap()), signal).unwrap();
    }

    /// Has the numbers written so often that so many parts are in them. They add up every time,
    /// wherever a part may be.
    pub fn wait_for_parts(&mut self, station: &crate::station::Station, parts: u64) {
        for _ in 0..10_000 {
            self.signal(Signal::SIGUSR1);
            self.wait_for("latency.json written");
            let latency = station.latency();
            let counted = &latency["parts"];
            assert_eq!(counted["adds_up"], true, "at every moment: {counted}");
            if counted["triggered"].as_u64().unwrap() >= parts {
                return;
            }
        }
        panic!("{parts} parts did not come: {:#?}", self.said);
    }

    /// Waits for its end.
    pub fn end(self) -> Ended {
        let ended = self.end_with_its_screen();
        assert!(!ended.stderr.iter().any(|line| line.contains("panicked")), "{ended:#?}");
        ended
    }

    /// Waits for the end of a program whose screen, which says what it says on the same stderr, may
    /// have ended badly.
    pub fn end_with_its_screen(mut self) -> Ended {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.said.push(line);
        }
        let mut stdout = String::new();
        self.child.stdout.take().unwrap().read_to_string(&mut stdout).unwrap();
        let code = self.child.wait().unwrap().code();
        let stderr = std::mem::take(&mut self.said);
        Ended { code, stdout, stderr }
    }

    /// Stops it as a service manager does.
    pub fn stop(self) -> Ended {
        self.signal(Signal::SIGTERM);
        self.end()
    }
}

impl Drop for Started {
    fn drop(&mut self) {
        // It is over in most tests.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Ended {
    pub fn well(self) -> Self {
        assert_eq!(self.code, Some(0), "{self:#?}");
        self
    }

    /// Exit code 2, and the last line on stderr holds `words`.
    pub fn complained(&self, words: &[&str]) {
        assert_eq!(self.code, Some(2), "{self:#?}");
        let last = self.stderr.last().unwrap();
        assert!(last.starts_with("sightline: "), "{self:#?}");
        for word in words {
            assert!(last.contains(word), "`{word}` is not in: {last}");
        }
    }
}
