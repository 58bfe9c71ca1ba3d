//! Measures what something costs: takes when it starts; gives wall time and CPU time.

use std::fs;

use pipeline::clock::{Clock, RealClock};
use sightline_benches::Failure;

/// What one run cost.
#[derive(Clone, Copy)]
pub struct Spent {
    /// On the clock.
    pub wall_s: f64,
    /// Of all threads.
    pub cpu_s: f64,
}

/// Whose CPU time counts.
#[derive(Clone, Copy)]
pub enum Of {
    /// This process's.
    Us,
    /// That of the processes it started, once they are over.
    Children,
}

/// A running measurement.
pub struct Meter {
    clock: RealClock,
    of: Of,
    cpu_before_s: f64,
}

impl Meter {
    pub fn start(of: Of) -> Result<Self, Failure> {
        Ok(Self { cpu_before_s: cpu_s(of)?, clock: RealClock::start(), of })
    }

    pub fn read(&self) -> Result<Spent, Failure> {
        let wall_s = self.clock.now().as_secs();
        Ok(Spent { wall_s, cpu_s: cpu_s(self.of)? - self.cpu_before_s })
    }
}

/// CPU time so far, of all threads, ended ones too; to a hundredth, as the kernel counts for us.
fn cpu_s(of: Of) -> Result<f64, Failure> {
    let text = fs::read_to_string("/proc/self/stat")?;
    // The program's name may hold blanks; what follows it starts with the third field.
    let (_, fields) = text.rsplit_once(')').ok_or("/proc/self/stat is not as expected")?;
    let first = match of {
        Of::Us => 11,
        Of::Children => 13,
    };
    let ticks = fields.split_ascii_whitespace().skip(first).take(2).map(str::parse::<f64>);
    Ok(ticks.sum::<Result<f64, _>>()? / 100.0)
}
