//! What a person at a terminal is told while a live camera is looked at: takes sentences, shows
//! them on stderr, in one place on a terminal and as lines where there is none.

use std::io::{Write, stderr};

use crate::modes::progress::StatusLine;

/// Tells a person what to do.
pub struct Guide {
    line: StatusLine,
    said: String,
}

impl Guide {
    /// Nothing said yet.
    pub fn new() -> Self {
        Self { line: StatusLine::new(false), said: String::new() }
    }

    /// Shows how it stands; a line of its own only when it is another than before.
    pub fn show(&mut self, text: &str) {
        if self.line.is_seen() {
            self.line.show(text);
        } else if text != self.said {
            self.write(text);
        }
        text.clone_into(&mut self.said);
    }

    /// Shows how many things of how many there are; lines only at each quarter.
    pub fn count(&mut self, things: &str, taken: u32, of: u32) {
        if self.line.is_seen() || taken.is_multiple_of(of.div_ceil(4).max(1)) || taken == of {
            self.show(&format!("{taken} of {of} {things}"));
        }
    }

    /// Says something that stays.
    pub fn say(&mut self, text: &str) {
        self.write(text);
    }

    fn write(&self, text: &str) {
        // When nobody reads stderr there is nobody to guide.
        let _ = writeln!(crate::modes::progress::AboveTheLine, "{text}");
        let _ = stderr().flush();
    }

    /// Takes the line away.
    pub fn end(&self) {
        self.line.clear();
    }
}
