//! What threads cost: reads the kernel's books of this process; gives CPU time, time spent ready
//! but waiting for a core, and context switches by thread name.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

/// What one thread, or all of one name, has used so far.
#[derive(Clone, Copy, Debug, Default)]
pub struct Used {
    /// On a core.
    pub cpu_s: f64,
    /// Ready to run while other threads, of this program or of others, had the cores.
    pub queued_s: f64,
    /// Times it waited for something.
    pub voluntary: u64,
    /// Times it was put off a core.
    pub involuntary: u64,
}

impl Used {
    /// Adds what was used between `before` and `after`.
    fn add(&mut self, before: Self, after: Self) {
        self.cpu_s += after.cpu_s - before.cpu_s;
        self.queued_s += after.queued_s - before.queued_s;
        self.voluntary += after.voluntary - before.voluntary;
        self.involuntary += after.involuntary - before.involuntary;
    }
}

/// The books of all threads that were ever seen, by number.
pub struct Threads {
    before: BTreeMap<u32, (String, Used)>,
    seen: BTreeMap<u32, (String, Used)>,
}

impl Threads {
    /// What is used from now on counts.
    pub fn start() -> Self {
        let mut threads = Self { before: BTreeMap::new(), seen: BTreeMap::new() };
        threads.look();
        threads.before = std::mem::take(&mut threads.seen);
        threads
    }

    /// Reads the books of the threads there are. A thread that has ended keeps what it last had.
    pub fn look(&mut self) {
        let Ok(tasks) = fs::read_dir("/proc/self/task") else { return };
        for task in tasks.flatten() {
            let number = task.file_name().to_str().and_then(|name| name.parse().ok());
            if let (Some(number), Some(used)) = (number, read(&task.path())) {
                self.seen.insert(number, used);
            }
        }
    }

    /// Sums by name.
    pub fn by_name(&self) -> BTreeMap<String, Used> {
        let mut sums = BTreeMap::<String, Used>::new();
        for (number, (name, used)) in &self.seen {
            let before = self.before.get(number).map(|(_, used)| *used).unwrap_or_default();
            sums.entry(name.clone()).or_default().add(before, *used);
        }
        sums
    }
}

/// `None` when the thread ended in the meantime.
fn read(task: &Path) -> Option<(String, Used)> {
    let name = fs::read_to_string(task.join("comm")).ok()?.trim().to_owned();
    let books = fs::read_to_string(task.join("schedstat")).ok()?;
    let mut ns = books.split_ascii_whitespace().map(|ns| ns.parse::<f64>().unwrap_or_default());
    let status = fs::read_to_string(task.join("status")).ok()?;
    let used = Used {
        cpu_s: ns.next()? / 1e9,
        queued_s: ns.next()? / 1e9,
        voluntary: field(&status, "voluntary_ctxt_switches:").unwrap_or_default(),
        involuntary: field(&status, "nonvoluntary_ctxt_switches:").unwrap_or_default(),
    };
    Some((name, used))
}

/// The number after `name` in a file of the kernel's.
fn field(text: &str, name: &str) -> Option<u64> {
    let line = text.lines().find_map(|line| line.strip_prefix(name))?;
    line.split_ascii_whitespace().next()?.parse().ok()
}

/// Forgets the most memory that this process ever had, so that the next look tells of what comes.
pub fn forget_peak() {
    // Where the kernel won't, the peak of the whole bench is told, which is not less.
    let _ = fs::write("/proc/self/clear_refs", "5");
}

/// The most memory that this process had, MiB.
#[expect(clippy::cast_precision_loss, reason = "a few million kilobytes")]
pub fn peak_mib() -> Option<f64> {
    let status = fs::read_to_string("/proc/self/status").ok()?;
    field(&status, "VmHWM:").map(|kib| kib as f64 / 1024.0)
}

/// Bytes that this process has had written to disk so far.
pub fn written_bytes() -> Option<u64> {
    field(&fs::read_to_string("/proc/self/io").ok()?, "write_bytes:")
}
