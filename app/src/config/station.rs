//! A station file as written → checked: cameras, recipes, the PLC, the store, and what is told of
//! the line. Every error names file, line, key, and what would be right.

use std::collections::BTreeSet;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use anyhow::{Context, Result, anyhow};
use domain::CameraId;
use models::Trust;
use pipeline::act::reject::RejectConfig;
use pipeline::capture::{LiveRule, SourceConfig};
use pipeline::limits::INSPECTORS_MAX;
use pipeline::line::ThreadPlan;
use pipeline::plc::PlcConfig;
use pipeline::prepare::Still;
use pipeline::record::clip::ClipConfig;
use pipeline::record::film::FilmConfig;
use pipeline::upload::UploadConfig;
use serde::Deserialize;

use super::calibration::Calibrated;
use super::clips::Filming;
use super::place;

/// Where metrics are served when `[metrics]` says nothing else.
const METRICS_AT: &str = "127.0.0.1:9464";
/// What a camera's name may be as long as: it names threads, files and metrics.
const CAMERA_NAME_MOST: usize = 32;

/// A station file as written.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    name: String,
    store: PathBuf,
    inspectors: Option<usize>,
    #[serde(default)]
    camera: Vec<Camera>,
    #[serde(default)]
    recipe: Vec<RecipeFile>,
    #[serde(default)]
    plc: PlcConfig,
    reject: Option<RejectConfig>,
    #[serde(default)]
    threads: ThreadPlan,
    metrics: Option<WrittenMetrics>,
    #[serde(default)]
    models: WrittenModels,
    #[serde(default)]
    report: Report,
    film: Option<FilmConfig>,
    clips: Option<ClipConfig>,
    upload: Option<UploadConfig>,
}

/// One camera of a station.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Camera {
    /// Its name in the record, in metrics and in the names of threads.
    pub name: String,
    /// Where its frames come from.
    pub source: SourceConfig,
    /// How it is kept alive.
    #[serde(default)]
    pub rule: LiveRule,
    /// Its serial number, for one that does not say it itself; only compared with that of its
    /// calibration.
    pub serial: Option<String>,
    /// Folder of its calibration profile; it measures nothing when absent.
    pub calibration: Option<PathBuf>,
    /// Whether that still holds, while a line runs.
    #[serde(skip)]
    pub still: Arc<Still>,
}

/// One recipe of a station.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RecipeFile {
    /// The number by which the PLC selects it.
    pub number: u16,
    /// Its file.
    pub file: PathBuf,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMetrics {
    #[serde(default = "metrics_at")]
    listen: String,
}

/// Whose model bundles are armed.
#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct WrittenModels {
    require_signed: bool,
    keys: Vec<String>,
}

fn metrics_at() -> String {
    METRICS_AT.to_owned()
}

/// What is written about the line, besides the store.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Report {
    /// The numbers of the line; `latency.json` in the store's folder when absent.
    pub latency_json: Option<PathBuf>,
    /// Folder for verdict logs, a file a run; none are written when absent.
    pub verdict_log: Option<PathBuf>,
}

/// A station without contradictions. Paths are relative to where the program runs.
#[derive(Debug)]
pub struct Station {
    /// What people call it.
    pub name: String,
    /// The store's folder.
    pub store: PathBuf,
    /// Inspecting threads; as many as there are cores when absent.
    pub inspectors: Option<usize>,
    /// At least one.
    pub cameras: Vec<Camera>,
    /// At least one; the first is in force at the start.
    pub recipes: Vec<RecipeFile>,
    /// Who hears the verdicts.
    pub plc: PlcConfig,
    /// How parts are followed to the gate.
    pub reject: Option<RejectConfig>,
    /// Which cores threads run on.
    pub threads: ThreadPlan,
    /// Where metrics are served; nothing listens when absent.
    pub metrics: Option<SocketAddr>,
    /// Whose model bundles are armed.
    pub trust: Trust,
    /// The numbers of the line.
    pub latency_json: PathBuf,
    /// Folder for verdict logs.
    pub verdict_log: Option<PathBuf>,
    /// How parts are filmed; there are no clips when absent.
    pub filming: Option<Filming>,
    path: PathBuf,
    text: String,
}

/// What is wrong with a station.
#[derive(Debug)]
pub(super) struct Wrong {
    key: String,
    problem: String,
    right: String,
}

pub(super) fn wrong(key: impl Into<String>, problem: impl Into<String>, right: &str) -> Wrong {
    Wrong { key: key.into(), problem: problem.into(), right: right.to_owned() }
}

impl Station {
    /// Reads and checks the station file at `path`.
    pub fn from_file(path: &Path) -> Result<Self> {
        let text = fs::read_to_string(path)
            .with_context(|| format!("{}: the station can't be read", path.display()))?;
        let written: Written = toml::from_str(&text).map_err(|error| {
            let line = place::line_of_error(&text, &error);
            anyhow!("{}:{line}: {}", path.display(), place::one_line(error.message()))
        })?;
        let told = |Wrong { key, problem, right }| {
            let line = place::line_of_key(&text, &key);
            anyhow!("{}:{line}: `{key}`: {problem}; {right}", path.display())
        };
        let (metrics, trust) = check(&written).map_err(told)?;
        let base = path.parent().unwrap_or(Path::new("")).to_owned();
        let filming = Filming::check(written.film, written.clips, written.upload, &base);
        let filming = filming.map_err(told)?;
        let store = base.join(written.store);
        Ok(Self {
            name: written.name,
            inspectors: written.inspectors,
            cameras: written.camera.into_iter().map(|it| it.beside(&base)).collect(),
            recipes: written.recipe.into_iter().map(|it| it.beside(&base)).collect(),
            plc: written.plc,
            reject: written.reject,
            threads: written.threads,
            metrics,
            trust,
            latency_json: match written.report.latency_json {
                Some(file) => base.join(file),
                None => store.join("latency.json"),
            },
            verdict_log: written.report.verdict_log.map(|folder| base.join(folder)),
            store,
            filming,
            path: path.to_owned(),
            text,
        })
    }

    /// Reads the file again, which may have changed meanwhile.
    pub fn reread(&self) -> impl Fn() -> Result<Self> + Send + use<> {
        let path = self.path.clone();
        move || Self::from_file(&path)
    }

    /// The file that says all this.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The camera of this name, or the only one.
    ///
    /// # Errors
    /// When there is none, or there are several and none is named.
    pub fn camera(&self, name: Option<&str>) -> Result<&Camera> {
        let names: Vec<_> = self.cameras.iter().map(|camera| camera.name.as_str()).collect();
        let (path, names) = (self.path.display(), names.join(", "));
        match (name, &self.cameras[..]) {
            (None, [only]) => Ok(only),
            (None, _) => Err(anyhow!("{path}: which camera? It has {names}")),
            (Some(name), cameras) => cameras
                .iter()
                .find(|camera| camera.name == name)
                .ok_or_else(|| anyhow!("{path}: there is no camera `{name}`; it has {names}")),
        }
    }

    /// `error`, with file, line and `key`, which may be dotted.
    pub fn blame(&self, key: &str, error: impl Into<anyhow::Error>) -> anyhow::Error {
        let line = place::line_of_key(&self.text, key);
        error.into().context(format!("{}:{line}: `{key}`", self.path.display()))
    }
}

impl Camera {
    /// How it is calibrated.
    pub fn calibrated(&self) -> Calibrated {
        Calibrated {
            camera: CameraId::new(&self.name),
            serial: self.serial.clone(),
            folder: self.calibration.clone(),
            still: Arc::clone(&self.still),
        }
    }

    /// With the paths of recorded footage relative to the file in which they stand.
    fn beside(mut self, base: &Path) -> Self {
        if let SourceConfig::File { path, .. } | SourceConfig::Images { path, .. } =
            &mut self.source
        {
            *path = base.join(&*path);
        }
        self.calibration = self.calibration.map(|folder| base.join(folder));
        self
    }
}

impl RecipeFile {
    fn beside(self, base: &Path) -> Self {
        Self { file: base.join(self.file), ..self }
    }
}

/// Checks every value on its own and against the others; gives where metrics are served, and whose
/// bundles are armed.
fn check(written: &Written) -> Result<(Option<SocketAddr>, Trust), Wrong> {
    if written.name.trim().is_empty() || written.name.chars().any(char::is_control) {
        return Err(wrong("name", "is no name", "write what people call this station"));
    }
    if written.store.as_os_str().is_empty() {
        return Err(wrong("store", "is empty", "name a folder, for example \"store\""));
    }
    if written.inspectors.is_some_and(|threads| !(1..=INSPECTORS_MAX).contains(&threads)) {
        let right = format!("1..={INSPECTORS_MAX} threads inspect; leave it out for all cores");
        return Err(wrong("inspectors", "is no number of threads", &right));
    }
    check_cameras(&written.camera)?;
    check_recipes(&written.recipe)?;
    let metrics = written.metrics.as_ref().map(|metrics| address(&metrics.listen)).transpose()?;
    Ok((metrics, trust(&written.models)?))
}

fn trust(models: &WrittenModels) -> Result<Trust, Wrong> {
    if models.require_signed && models.keys.is_empty() {
        let right = "write the second line of minisign.pub, `RW…`, of everyone who may sign";
        return Err(wrong("models.keys", "is empty, so that no model could be armed", right));
    }
    Trust::from_keys(models.require_signed, &models.keys).map_err(|error| {
        let right = "write the second line of minisign.pub, `RW…`";
        wrong(format!("models.keys.{}", error.index), format!("{:?} is none", error.text), right)
    })
}

fn check_cameras(cameras: &[Camera]) -> Result<(), Wrong> {
    if cameras.is_empty() {
        return Err(wrong("camera", "there is none", "write [[camera]] with a name and a source"));
    }
    let mut names = BTreeSet::new();
    for (index, Camera { name, .. }) in cameras.iter().enumerate() {
        let key = format!("camera.{index}.name");
        let plain = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        if name.is_empty() || name.len() > CAMERA_NAME_MOST || !name.chars().all(plain) {
            let right = "it names threads, files and metrics: use 1 to 32 letters, digits, - and _";
            return Err(wrong(key, format!("{name:?} is no name for a camera"), right));
        }
        if !names.insert(name) {
            let problem = format!("there is another camera \"{name}\"");
            return Err(wrong(key, problem, "give each a name of its own"));
        }
    }
    Ok(())
}

fn check_recipes(recipes: &[RecipeFile]) -> Result<(), Wrong> {
    if recipes.is_empty() {
        return Err(wrong("recipe", "there is none", "write [[recipe]] with a number and a file"));
    }
    let mut numbers = BTreeSet::new();
    for (index, RecipeFile { number, .. }) in recipes.iter().enumerate() {
        let key = format!("recipe.{index}.number");
        if *number == 0 {
            return Err(wrong(key, "is 0, which PLCs read as none", "count from 1"));
        }
        if !numbers.insert(number) {
            let problem = format!("there is another recipe {number}");
            return Err(wrong(key, problem, "give each a number of its own"));
        }
    }
    Ok(())
}

fn address(listen: &str) -> Result<SocketAddr, Wrong> {
    let right = format!("write an IP address and a port, for example \"{METRICS_AT}\"");
    let problem = format!("{listen:?} is no address");
    listen.parse().map_err(|_| wrong("metrics.listen", problem, &right))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &str = r#"name = "s"
store = "store"

[[camera]]
name = "top"
source = { kind = "synthetic_live", scene = { fps = 30 } }

[[camera]]
name = "side"
source = { kind = "custom", pipeline = "videotestsrc is-live=true", live = true }

[[recipe]]
number = 1
file = "a.toml"

[[recipe]]
number = 2
file = "/etc/b.toml"

[metrics]
listen = "127.0.0.1:0"
"#;

    fn station(text: &str) -> Result<Station> {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("station.toml");
        fs::write(&path, text).unwrap();
        Station::from_file(&path).map_err(|error| {
            let folder = format!("{}/", dir.path().display());
            anyhow!(format!("{error:#}").replace(&folder, ""))
        })
    }

    #[test]
    fn paths_stand_beside_the_file() {
        let station = station(GOOD).unwrap();
        assert!(station.recipes[0].file.ends_with("a.toml"));
        assert!(station.recipes[0].file.is_absolute());
        assert_eq!(station.recipes[1].file, Path::new("/etc/b.toml"));
        assert_eq!(station.latency_json, station.store.join("latency.json"));
        assert_eq!(station.cameras[1].name, "side");
    }

    #[test]
    fn nothing_listens_unless_it_is_written_and_then_on_loopback() {
        let (before, _) = GOOD.split_once("[metrics]").unwrap();
        assert_eq!(station(before).unwrap().metrics, None);
        let default = station(&format!("{before}[metrics]\n")).unwrap().metrics.unwrap();
        assert!(default.ip().is_loopback());
        let wide = station(&GOOD.replace("127.0.0.1:0", "0.0.0.0:9464")).unwrap();
        assert!(wide.metrics.is_some_and(|address| !address.ip().is_loopback()));
    }

    #[test]
    fn mistakes_are_told_with_file_line_key_and_what_is_right() {
        for (from, to, told) in [
            ("name = \"s\"", "name = \" \"", "station.toml:1: `name`: is no name; write"),
            ("store = \"store\"", "store = \"\"", "station.toml:2: `store`: is empty; name a"),
            ("store =", "stroe =", "station.toml:2: unknown field `stroe`, expected one of"),
            ("\nstore", "\ninspectors = 0\nstore", "station.toml:2: `inspectors`: is no number"),
            ("\"side\"", "\"top\"", "station.toml:9: `camera.1.name`: there is another camera"),
            ("\"side\"", "\"a/b\"", "station.toml:9: `camera.1.name`: \"a/b\" is no name for"),
            ("fps = 30", "fsp = 30", "station.toml:6: unknown field `fsp`, expected one of `seed`"),
            ("kind = \"custom\"", "kind = \"usb\"", "station.toml:10: unknown variant `usb`"),
            ("number = 2", "number = 1", "station.toml:17: `recipe.1.number`: there is another"),
            ("number = 1", "number = 0", "station.toml:13: `recipe.0.number`: is 0, which PLCs"),
            ("number = 2", "number = -2", "station.toml:17: invalid value: integer `-2`"),
            ("file = \"a", "flie = \"a", "station.toml:14: unknown field `flie`, expected"),
            ("listen", "lisen", "station.toml:21: unknown field `lisen`, expected `listen`"),
            (
                "[metrics]",
                "[models]\nrequire_signed = true\n[metrics]",
                "station.toml:20: `models.keys`: is empty, so that no model could be armed",
            ),
            (
                "[metrics]",
                "[models]\nkeys = [\n\"RWnokey\",\n]\n[metrics]",
                "station.toml:22: `models.keys.0`: \"RWnokey\" is none; write the second line",
            ),
            ("[metrics]", "[models]\nsigned = 1\n[metrics]", "station.toml:21: unknown field"),
            ("127.0.0.1:0", "localhost", "station.toml:21: `metrics.listen`: \"localhost\" is no"),
            ("[metrics]", "[metrcs]", "station.toml:20: unknown field `metrcs`"),
            (
                "[metrics]",
                "[plc]\nkind = \"modbsu\"\n[metrics]",
                "station.toml:21: unknown variant",
            ),
            (
                "[metrics]",
                "[reject]\nby = \"time\"\nno_such = 1\n[metrics]",
                "station.toml:22: unknown field",
            ),
            (
                "[metrics]",
                "[clips]\nfragment_ms = 1000\n[metrics]",
                "station.toml:20: `clips`: needs a film to cut clips from; write [film]",
            ),
            (
                "[metrics]",
                "[film]\n[clips]\nfragment_ms = 900\n[metrics]",
                "station.toml:22: `clips.fragment_ms`: is 900; write 1000 to 10000",
            ),
            (
                "[metrics]",
                "[film]\n[upload]\nto = \"s3\"\n[metrics]",
                "station.toml:22: unknown variant `s3`, expected `kinesis_video` or `folder`",
            ),
            ("[metrics]", "[threads]\nrealtme = 1\n[metrics]", "station.toml:21: unknown field"),
            ("name = \"s\"", "name = ", "station.toml:1: "),
        ] {
            let text = GOOD.replacen(from, to, 1);
            let error = station(&text).unwrap_err().to_string();
            assert!(error.starts_with(told), "{to}: {error}");
        }
        let no_camera = "name = \"s\"\nstore = \"store\"\n";
        let error = station(no_camera).unwrap_err().to_string();
        assert!(error.contains("`camera`: there is none; write [[camera]]"), "{error}");
    }

    #[test]
    fn the_station_of_the_clone_is_right_with_all_that_is_commented_out() {
        let shipped = include_str!("../../../deploy/station.toml");
        let (head, rest) = shipped.split_once("\n\n").unwrap();
        assert!(head.lines().all(|line| line.starts_with('#')));
        let lines = rest.lines().map(|line| line.strip_prefix("# ").unwrap_or(line));
        let all = lines.filter(|line| line.contains(['=', '[', '#']) || line.is_empty());
        let station = station(&all.collect::<Vec<_>>().join("\n")).unwrap();
        assert_eq!(station.cameras.len(), 2);
        assert!(station.inspectors.is_some() && station.verdict_log.is_some());
    }
}
