//! What is to be measured, and for how long. Takes the command line.

use sightline_benches::Failure;

/// As asked for.
pub struct Wishes {
    /// How long the line runs for its tail; the rest is measured for a share of it.
    pub seconds: f64,
    /// How often; numbers are medians over runs.
    pub runs: usize,
    only: String,
}

impl Wishes {
    /// Reads the command line without the program's name.
    pub fn from_args(mut args: impl Iterator<Item = String>) -> Result<Self, Failure> {
        let mut wishes = Self { seconds: 60.0, runs: 1, only: "a,b,c,d,e,f".to_owned() };
        while let Some(arg) = args.next() {
            // Cargo says this to every bench.
            if arg == "--bench" {
                continue;
            }
            let value = args.next().ok_or_else(|| format!("{arg} needs a value"))?;
            match arg.as_str() {
                "--seconds" => wishes.seconds = value.parse()?,
                "--runs" => wishes.runs = value.parse()?,
                "--only" => wishes.only = value,
                _ => return Err(format!("{arg}: there are --seconds, --runs and --only").into()),
            }
        }
        if !(wishes.seconds > 0.0 && wishes.seconds <= 86_400.0 && wishes.runs > 0) {
            return Err("--seconds and --runs must be above 0, --seconds at most a day".into());
        }
        Ok(wishes)
    }

    /// Whether a section is asked for.
    pub fn wants(&self, section: char) -> bool {
        self.only.split(',').any(|only| only.trim().starts_with(section))
    }
}
