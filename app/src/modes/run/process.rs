//! What this process costs, and on what machine: takes `/proc`; gives memory, CPU time by thread,
//! and the host. What can't be read is absent.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::num::NonZero;
use std::path::Path;
use std::thread::available_parallelism;

use serde::Serialize;

/// The kernel counts CPU time in hundredths of a second for everybody.
const TICKS_PER_S: f64 = 100.0;

/// What this process costs.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Process {
    /// Memory that is resident, MiB.
    pub rss_mib: Option<f64>,
    /// The most that ever was, MiB.
    pub rss_peak_mib: Option<f64>,
    /// CPU time of all threads, also of those that are gone, seconds.
    pub cpu_s: Option<f64>,
    /// CPU time by the name of threads, seconds; names are cut to 15 characters by the kernel.
    pub thread_cpu_s: BTreeMap<String, f64>,
}

/// The machine.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Host {
    /// Cores that this process may use.
    pub cpus: usize,
    /// The kernel's release.
    pub kernel: Option<String>,
    /// Processes that want to run, over the last 1, 5 and 15 minutes.
    pub load: Vec<f64>,
}

/// Memory of this process that is resident, bytes.
pub fn rss_bytes() -> Option<u64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    Some(1024 * line.split_whitespace().next()?.parse::<u64>().ok()?)
}

impl Host {
    /// As it is now.
    pub fn now() -> Self {
        let load = fs::read_to_string("/proc/loadavg").unwrap_or_default();
        Self {
            cpus: available_parallelism().map_or(1, NonZero::get),
            kernel: fs::read_to_string("/proc/sys/kernel/osrelease").ok().map(|t| t.trim().into()),
            load: load.split_whitespace().take(3).filter_map(|n| n.parse().ok()).collect(),
        }
    }
}

/// CPU time of threads that come and go.
#[derive(Default)]
pub struct Threads {
    /// Name and ticks by number and moment of birth: numbers are used again.
    there: HashMap<(u64, u64), (String, u64)>,
    /// Ticks of those that are gone, as far as they were seen.
    gone: BTreeMap<String, u64>,
}

impl Threads {
    /// Looks at the threads that are there, and gives what everything costs.
    pub fn look(&mut self) -> Process {
        self.follow(threads_in(Path::new("/proc/self/task")));
        let status = fs::read_to_string("/proc/self/status").unwrap_or_default();
        let own = fs::read_to_string("/proc/self/stat").unwrap_or_default();
        Process {
            rss_mib: mib_of(&status, "VmRSS:"),
            rss_peak_mib: mib_of(&status, "VmHWM:"),
            cpu_s: Stat::parse(&own).map(|stat| seconds(stat.ticks)),
            thread_cpu_s: self.by_name(),
        }
    }

    fn follow(&mut self, seen: Vec<(u64, String, Stat)>) {
        let now: HashMap<_, _> = seen
            .into_iter()
            .map(|(id, name, stat)| ((id, stat.born), (name, stat.ticks)))
            .collect();
        for (key, (name, ticks)) in std::mem::take(&mut self.there) {
            if !now.contains_key(&key) {
                *self.gone.entry(name).or_default() += ticks;
            }
        }
        self.there = now;
    }

    fn by_name(&self) -> BTreeMap<String, f64> {
        let mut ticks = self.gone.clone();
        for (name, spent) in self.there.values() {
            *ticks.entry(name.clone()).or_default() += spent;
        }
        ticks.into_iter().map(|(name, ticks)| (name, seconds(ticks))).collect()
    }
}

/// What a line of `stat` tells.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Stat {
    ticks: u64,
    born: u64,
}

impl Stat {
    /// The name in brackets may hold blanks and brackets; the third field follows the last one.
    fn parse(line: &str) -> Option<Self> {
        let fields: Vec<&str> = line.rsplit_once(')')?.1.split_ascii_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<u64>().ok();
        Some(Self { ticks: number(11)? + number(12)?, born: number(19)? })
    }
}

fn threads_in(folder: &Path) -> Vec<(u64, String, Stat)> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    // A thread may end while it is looked at.
    let thread = |path: &Path| {
        let id = path.file_name()?.to_str()?.parse().ok()?;
        let name = fs::read_to_string(path.join("comm")).ok()?.trim_end().to_owned();
        Some((id, name, Stat::parse(&fs::read_to_string(path.join("stat")).ok()?)?))
    };
    entries.filter_map(|entry| thread(&entry.path())).collect()
}

#[expect(clippy::cast_precision_loss, reason = "centuries of CPU time are below 2^52 ticks")]
fn seconds(ticks: u64) -> f64 {
    ticks as f64 / TICKS_PER_S
}

fn mib_of(status: &str, key: &str) -> Option<f64> {
    let line = status.lines().find_map(|line| line.strip_prefix(key))?;
    let kib: f64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib / 1024.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thread_may_be_called_anything() {
        let line = "42 (a ) b (c)) S 1 2 3 4 5 6 7 8 9 10 700 77 0 0 20 0 5 0 123456 1 2";
        assert_eq!(Stat::parse(line), Some(Stat { ticks: 777, born: 123_456 }));
        assert_eq!(Stat::parse("42 (a) S 1 2"), None);
        assert_eq!(Stat::parse(""), None);
    }

    #[test]
    fn threads_that_are_gone_are_not_forgotten() {
        let mut threads = Threads::default();
        let seen = |id, name: &str, ticks, born| (id, name.to_owned(), Stat { ticks, born });
        threads.follow(vec![seen(1, "act", 100, 5), seen(2, "act", 50, 6)]);
        // Number 2 was used again.
        threads.follow(vec![seen(1, "act", 110, 5), seen(2, "record", 7, 9)]);
        threads.follow(vec![]);
        let by_name = threads.by_name();
        assert_eq!(by_name["act"], 1.6);
        assert_eq!(by_name["record"], 0.07);
    }

    #[test]
    fn this_process_is_seen() {
        let process = Threads::default().look();
        assert!(process.rss_mib > Some(0.0) && process.rss_peak_mib >= process.rss_mib);
        assert!(process.cpu_s.is_some() && !process.thread_cpu_s.is_empty());
        let host = Host::now();
        assert!(host.cpus > 0 && host.kernel.is_some() && host.load.len() == 3, "{host:?}");
    }
}
