//! Takes the clone; gives its files (less what `.gitignore` names), and where a rule is broken.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use crate::code;

/// One text file.
pub struct Source {
    /// From the root of the clone, with `/`.
    pub path: String,
    pub text: String,
    /// Of a Rust file: the text with comments and the insides of literals blanked; else empty.
    pub code: String,
}

impl Source {
    pub fn new(path: &str, text: &str) -> Self {
        let code = if path.ends_with(".rs") { code::blanked(text) } else { String::new() };
        Self { path: path.to_owned(), text: text.to_owned(), code }
    }

    pub fn breach(&self, line: usize, what: impl Into<String>) -> Breach {
        Breach { path: self.path.clone(), line, what: what.into() }
    }

    /// The code down to the module of its tests.
    pub fn code_before_tests(&self) -> &str {
        const MARK: &str = "#[cfg(test)]\n";
        let is_module = |after: &str| {
            after
                .trim_start_matches("pub(crate) ")
                .trim_start_matches("pub(super) ")
                .starts_with("mod ")
        };
        let mut marks = self.code.match_indices(MARK);
        let tests = marks.find(|(at, _)| is_module(&self.code[at + MARK.len()..]));
        tests.map_or(&self.code, |(at, _)| &self.code[..at])
    }
}

/// A broken rule and where.
#[derive(Clone, Debug)]
pub struct Breach {
    pub path: String,
    pub line: usize,
    pub what: String,
}

impl fmt::Display for Breach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}: {}", self.path, self.line, self.what)
    }
}

/// All that is, or would be, under version control.
pub struct Tree {
    root: PathBuf,
    pub paths: Vec<String>,
    pub sources: Vec<Source>,
}

pub fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().to_owned()
}

impl Tree {
    pub fn read() -> Self {
        let root = root();
        let ignored = Ignored::new(&fs::read_to_string(root.join(".gitignore")).unwrap());
        let mut paths = Vec::new();
        walk(&root, "", &ignored, &mut paths);
        paths.sort();
        let sources = paths.iter().filter(|path| is_text(path)).map(|path| {
            let text =
                fs::read_to_string(root.join(path)).unwrap_or_else(|e| panic!("{path}: {e}"));
            Source::new(path, &text)
        });
        Self { sources: sources.collect(), root, paths }
    }

    pub fn rust(&self) -> impl Iterator<Item = &Source> {
        self.sources.iter().filter(|source| source.path.ends_with(".rs"))
    }

    /// A file that the house must have.
    pub fn file(&self, path: &str) -> Source {
        let text = fs::read_to_string(self.root.join(path));
        Source::new(path, &text.unwrap_or_else(|e| panic!("{path} is missing: {e}")))
    }

    pub fn sizes(&self) -> impl Iterator<Item = (&str, u64)> {
        self.paths.iter().map(|path| (&**path, fs::metadata(self.root.join(path)).unwrap().len()))
    }
}

fn is_text(path: &str) -> bool {
    let ends = [".rs", ".toml", ".md", ".sh", ".sql", ".py", ".txt", ".service", ".yml", ".yaml"];
    ends.iter().any(|end| path.ends_with(end)) || path == "Makefile" || path.starts_with(".ci/")
}

fn walk(root: &Path, folder: &str, ignored: &Ignored, found: &mut Vec<String>) {
    for entry in fs::read_dir(root.join(folder)).unwrap() {
        let entry = entry.unwrap();
        let name = entry.file_name().into_string().unwrap();
        let path = if folder.is_empty() { name.clone() } else { format!("{folder}/{name}") };
        let is_folder = entry.file_type().unwrap().is_dir();
        if name == ".git" || ignored.has(&path, &name, is_folder) {
            continue;
        }
        if is_folder {
            walk(root, &path, ignored, found);
        } else {
            found.push(path);
        }
    }
}

/// The few forms that our `.gitignore` uses: `name/`, `/path/`, `*ending`. It refuses others rather
/// than misreading them.
struct Ignored(Vec<String>);

impl Ignored {
    fn new(text: &str) -> Self {
        let lines = text.lines().map(str::trim);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with('#'));
        let known = |line: &str| line.ends_with('/') || line.starts_with('*');
        lines
            .clone()
            .for_each(|line| assert!(known(line), ".gitignore: tidy cannot read `{line}`"));
        Self(lines.map(str::to_owned).collect())
    }

    fn has(&self, path: &str, name: &str, is_folder: bool) -> bool {
        self.0.iter().any(|line| match (line.strip_suffix('/'), line.strip_prefix('*')) {
            (Some(folder), _) => {
                is_folder
                    && folder.strip_prefix('/').map_or(name == folder, |rooted| path == rooted)
            }
            (None, Some(ending)) => name.ends_with(ending),
            (None, None) => false,
        })
    }
}

#[test]
fn ignored_is_what_git_ignores() {
    let ignored = Ignored::new("# built\ntarget/\n/out/\n*.onnx.data\n");
    assert!(ignored.has("target", "target", true) && ignored.has("a/target", "target", true));
    assert!(!ignored.has("target", "target", false));
    assert!(ignored.has("out", "out", true) && !ignored.has("a/out", "out", true));
    assert!(ignored.has("models/m.onnx.data", "m.onnx.data", false));
    assert!(!ignored.has("models/m.onnx", "m.onnx", false));
}

#[test]
fn code_before_tests_ends_at_the_tests() {
    for module in ["mod tests", "pub(crate) mod tests"] {
        let text =
            format!("#[cfg(test)]\nuse a;\n#[cfg(test)]\n{module} {{\n    fn b() {{}}\n}}\n");
        let source = Source::new("a.rs", &text);
        assert_eq!(source.code_before_tests(), "#[cfg(test)]\nuse a;\n");
    }
}
