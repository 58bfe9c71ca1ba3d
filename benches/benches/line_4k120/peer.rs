//! The peer, a Python program of the usual make: takes a film; gives what came of it there.

use std::fs::File;
use std::io::{BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde::Deserialize;
use sightline_benches::Failure;
use sightline_benches::report::cores;
use sightline_benches::subject::zoo;

use crate::belt::Film;

/// What the peer says of itself.
#[derive(Deserialize)]
pub struct PeerRun {
    pub name: String,
    pub frames_offered: u64,
    pub frames_dropped: u64,
    pub fps: f64,
    pub parts: u64,
    pub rejected: u64,
    pub decision_ms: Vec<f64>,
    pub cpu_percent: f64,
    pub rss_peak_mib: f64,
}

/// A Python that has what the peer needs, and the film as a file.
pub struct Peer {
    python: PathBuf,
    frames: PathBuf,
    size: String,
}

/// The first Python with numpy, OpenCV and ONNX Runtime; `PEER_PYTHON` is asked first.
fn python() -> Option<PathBuf> {
    let asked = std::env::var_os("PEER_PYTHON").map(PathBuf::from);
    let usual = ["python3", "/usr/bin/python3"].map(PathBuf::from);
    asked.into_iter().chain(usual).find(|python| {
        let done =
            Command::new(python).args(["-c", "import numpy, cv2, onnxruntime, tomllib"]).output();
        done.is_ok_and(|done| done.status.success())
    })
}

impl Peer {
    /// Writes `film` (gray) into `folder` for it; `None` where no Python has what it needs.
    pub fn new(film: &Film, folder: &Path) -> Result<Option<Self>, Failure> {
        let Some(python) = python() else { return Ok(None) };
        let frames = folder.join("frames.raw");
        let mut file = BufWriter::new(File::create(&frames)?);
        for frame in &film.frames {
            let plane = frame.plane(0);
            (0..plane.rows).try_for_each(|y| file.write_all(plane.row(y)))?;
        }
        file.into_inner()?.sync_all()?;
        let size = film.scene.size;
        Ok(Some(Self { python, frames, size: format!("{}x{}", size.width, size.height) }))
    }

    /// Shows it `total` frames at `fps`; without `live` as fast as it can.
    pub fn run(&self, total: u64, fps: f64, live: bool) -> Result<PeerRun, Failure> {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR"));
        let bundle = zoo().join("simulated-parts");
        let mut command = Command::new(&self.python);
        command.arg(folder.join("peer/peer.py")).arg("--frames").arg(&self.frames);
        command.args(["--size", &self.size, "--fps", &fps.to_string()]);
        command.args(["--total", &total.to_string(), "--workers", &cores().to_string()]);
        command.arg("--recipe").arg(bundle.join("recipe-2160p.toml")).arg("--model").arg(bundle);
        let done = command.args((!live).then_some("--unpaced")).output()?;
        if !done.status.success() {
            return Err(format!("the peer: {}", String::from_utf8_lossy(&done.stderr)).into());
        }
        Ok(serde_json::from_slice(&done.stdout)?)
    }
}
