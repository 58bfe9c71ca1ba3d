//! A station's folder, small enough for a busy machine: a camera that films 64 x 64 pixels, two
//! recipes by which each picture is a part, the fixture `classifier`. Gives the command line that
//! runs it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::Value;
use tempfile::TempDir;

/// Lines are counted in the tests of mistakes.
pub const STATION: &str = r#"name = "test"
store = "store"
inspectors = 1

[[camera]]
name = "top"
source = { kind = "synthetic_live", scene = { fps = 20, parts = 9, size = { width=64, height=64 } }}

[[recipe]]
number = 1
file = "one.toml"

[[recipe]]
number = 2
file = "two.toml"
"#;

/// Where metrics are asked for, on a port that is free.
pub const METRICS: &str = "\n[metrics]\nlisten = \"127.0.0.1:0\"\n";

/// A recipe by which each picture is a part.
pub fn recipe(name: &str) -> String {
    let model = repository("models/tests/data/classifier");
    format!(
        "name = {name:?}\nmodel = {model:?}\n\n[locate]\nkind = \"every-frame\"\n\n\
         [limits]\nreject_at = 0.5\n\n[record]\nkeep_passed = 1.0\n"
    )
}

/// A path in this clone.
pub fn repository(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path)
}

pub struct Station {
    folder: TempDir,
}

impl Station {
    pub fn new(text: &str) -> Self {
        let station = Self { folder: tempfile::tempdir().unwrap() };
        station.write("station.toml", text);
        for name in ["one", "two"] {
            station.write(&format!("{name}.toml"), &recipe(name));
        }
        station
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub fn write(&self, name: &str, text: &str) {
        fs::write(self.path(name), text).unwrap();
    }

    /// The command line that runs it.
    pub fn run(&self, args: &[&str]) -> Command {
        self.mode("run", args)
    }

    /// The command line of another mode that takes a station.
    pub fn mode(&self, mode: &str, args: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sightline"));
        command.arg(mode).arg(self.path("station.toml")).args(args).stdin(Stdio::null());
        for name in ["SIGHTLINE_LOG", "NOTIFY_SOCKET", "WATCHDOG_USEC", "WATCHDOG_PID"] {
            command.env_remove(name);
        }
        command
    }

    /// `latency.json`, which must be whole.
    pub fn latency(&self) -> Value {
        serde_json::from_slice(&fs::read(self.path("store/latency.json")).unwrap()).unwrap()
    }

    /// The newest run in the store, which must be sound, has the parts that `latency` tells of.
    pub fn store_holds(&self, latency: &Value) {
        adds_up(latency);
        assert_eq!(latency["parts"]["in_line"], 0, "{latency}");
        let check = store::check(&self.path("store")).unwrap();
        assert!(check.is_clean(), "{check:?}");
        let runs = store::Reader::open(&self.path("store")).unwrap().runs().unwrap();
        let newest = &runs[0];
        assert!(newest.ended_at.is_some());
        assert_eq!(newest.counts.total(), latency["parts"]["triggered"].as_u64().unwrap());
        assert_eq!(latency["runs"].as_array().unwrap().last().unwrap(), newest.id.0);
    }
}

/// Conservation: what was triggered was answered, or is on the line.
pub fn adds_up(latency: &Value) {
    let of = |name: &str| latency["parts"][name].as_u64().unwrap();
    let answered = of("passed") + of("rejected") + of("undecided");
    assert_eq!(of("triggered"), answered + of("in_line"), "{latency}");
    assert_eq!(latency["parts"]["adds_up"], true);
}
