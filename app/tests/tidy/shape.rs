//! Takes one file; gives what in it is too long, badly named, undone, huge, or of one machine only.

use crate::code::{closing, reads, tokens};
use crate::tree::{Breach, Source};

const FILE_LINES: usize = 500;
const MAIN_LINES: usize = 99;
const FUNCTION_LINES: usize = 70;
const COLUMNS: usize = 100;
const FILE_BYTES: u64 = 4 << 20;
const VAGUE: [&str; 8] =
    ["util", "utils", "common", "helper", "helpers", "manager", "managers", "misc"];

/// More than 500 lines before the tests, or a `main.rs` of 100 or more.
pub fn long_file(source: &Source) -> Vec<Breach> {
    let allowed = if source.path.ends_with("/main.rs") { MAIN_LINES } else { FILE_LINES };
    let lines = source.code_before_tests().lines().count();
    let what = format!("{lines} lines before its tests; at most {allowed}");
    if lines > allowed { vec![source.breach(lines, what)] } else { Vec::new() }
}

/// Functions of more than 70 lines, from `fn` to the closing brace.
pub fn long_functions(source: &Source) -> Vec<Breach> {
    let code = tokens(&source.code);
    let mut found = Vec::new();
    for at in (0..code.len()).filter(|&at| code[at].text == "fn" && !reads(&code, at + 1, &["("])) {
        let mut open = at;
        while open < code.len() && !matches!(code[open].text, "{" | ";") {
            let nested = matches!(code[open].text, "(" | "[");
            open = if nested { closing(&code, open) + 1 } else { open + 1 };
        }
        if reads(&code, open, &["{"]) {
            let lines = code[closing(&code, open)].line - code[at].line + 1;
            let what = format!("fn {} is {lines} lines; at most 70", code[at + 1].text);
            found.extend((lines > FUNCTION_LINES).then(|| source.breach(code[at].line, what)));
        }
    }
    found
}

/// Lines of more than 100 columns in what is code.
pub fn long_lines(source: &Source) -> Vec<Breach> {
    let is_code =
        [".rs", ".sh", "Makefile", ".ci/run"].iter().any(|end| source.path.ends_with(end));
    let lines = source.text.lines().enumerate().filter(|_| is_code);
    let long = lines.filter(|(_, line)| line.chars().count() > COLUMNS);
    long.map(|(index, _)| source.breach(index + 1, "more than 100 columns")).collect()
}

/// A Rust file that does not open with what it takes and gives.
pub fn no_opening(source: &Source) -> Vec<Breach> {
    let opens = source.text.starts_with("//! ");
    if opens { Vec::new() } else { vec![source.breach(1, "opens without `//! ` and what it is")] }
}

/// A folder or file whose name says nothing.
pub fn vague_name(path: &str) -> Option<Breach> {
    let mut words = path.split(['/', '_', '-', '.']);
    let vague = words.find(|word| VAGUE.contains(&&*word.to_lowercase()))?;
    let what = format!("`{vague}` says nothing: name the file for what is in it");
    Some(Breach { path: path.to_owned(), line: 1, what })
}

/// Macros and attributes that leave code undone or a test unrun.
pub fn undone(source: &Source) -> Vec<Breach> {
    let code = tokens(&source.code);
    let marks: [&[&str]; 4] =
        [&["todo", "!"], &["unimplemented", "!"], &["dbg", "!"], &["#", "[", "ignore"]];
    let mark_at = |at: usize| marks.iter().find(|mark| reads(&code, at, mark));
    let found = (0..code.len()).filter_map(|at| Some((at, mark_at(at)?.concat())));
    found.map(|(at, mark)| source.breach(code[at].line, format!("`{mark}` is left"))).collect()
}

/// Marks in any text that something is left to do.
pub fn left_marks(source: &Source) -> Vec<Breach> {
    let marks = [concat!("FIX", "ME"), concat!("TO", "DO"), concat!("```", "ignore")];
    let in_line = |line: &str| marks.into_iter().find(|mark| line.contains(mark));
    let lines = source.text.lines().enumerate();
    let found = lines.filter_map(|(index, line)| Some((index + 1, in_line(line)?)));
    found.map(|(line, mark)| source.breach(line, format!("`{mark}` is left"))).collect()
}

/// A file that does not belong in a clone.
pub fn huge(path: &str, bytes: u64) -> Option<Breach> {
    let what = format!("{bytes} bytes; at most 4 MiB");
    (bytes > FILE_BYTES).then(|| Breach { path: path.to_owned(), line: 1, what })
}

/// Paths that are right on somebody's machine only.
pub fn machine_paths(source: &Source) -> Vec<Breach> {
    let places = ["root", "home", "work", "Users"].map(|place| format!("/{place}/"));
    let starts = |line: &str, at: usize| {
        let before = line[..at].chars().next_back().unwrap_or(' ');
        !before.is_alphanumeric() && !"_-.~})*$".contains(before)
    };
    let on_line = |line: &str| {
        places.iter().any(|place| line.match_indices(&**place).any(|(at, _)| starts(line, at)))
    };
    let lines = source.text.lines().enumerate().filter(|(_, line)| on_line(line));
    lines.map(|(index, _)| source.breach(index + 1, "a path of one machine")).collect()
}

/// A manifest that does not take the lints of the workspace.
pub fn own_lints(manifest: &Source) -> Option<Breach> {
    let table: toml::Table = manifest.text.parse().unwrap();
    let taken = table.get("lints").and_then(|lints| lints.get("workspace")?.as_bool());
    (taken != Some(true)).then(|| manifest.breach(1, "lacks `[lints] workspace = true`"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rust(text: &str) -> Source {
        Source::new("a/src/b.rs", text)
    }

    fn lines(breaches: &[Breach]) -> Vec<usize> {
        breaches.iter().map(|breach| breach.line).collect()
    }

    #[test]
    fn a_long_file_is_found() {
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", "\n".repeat(600));
        assert_eq!(long_file(&rust(&("a\n".repeat(500) + &tests))).len(), 0);
        assert_eq!(long_file(&rust(&("a\n".repeat(501) + &tests))).len(), 1);
        assert_eq!(long_file(&Source::new("app/src/main.rs", &"a\n".repeat(100))).len(), 1);
        assert_eq!(long_file(&Source::new("app/src/main.rs", &"a\n".repeat(99))).len(), 0);
    }

    #[test]
    fn a_long_function_is_found() {
        let function =
            |body: usize| rust(&format!("\nfn f(a: [u8; 4]) {{\n{}}}", "\n".repeat(body)));
        assert_eq!(lines(&long_functions(&function(69))), [2]);
        assert_eq!(lines(&long_functions(&function(68))), [0; 0]);
        let many = "trait T { fn a(); }\nstruct S { f: fn(u8) }\n".repeat(80);
        assert_eq!(lines(&long_functions(&rust(&many))), [0; 0]);
    }

    #[test]
    fn a_long_line_is_found() {
        let text = format!("a\n{}\n{}\n", "é".repeat(100), "x".repeat(101));
        assert_eq!(lines(&long_lines(&rust(&text))), [3]);
        assert_eq!(lines(&long_lines(&Source::new("README.md", &text))), [0; 0]);
    }

    #[test]
    fn a_file_without_an_opening_is_found() {
        assert_eq!(no_opening(&rust("// a\n")).len(), 1);
        assert_eq!(no_opening(&rust("//! Takes a, gives b.\n")).len(), 0);
    }

    #[test]
    fn a_vague_name_is_found() {
        for path in ["store/src/util.rs", "ui/common/a.rs", "app/src/model_manager.rs"] {
            assert!(vague_name(path).is_some(), "{path}");
        }
        assert!(vague_name("store/src/uncommon.rs").is_none());
    }

    #[test]
    fn what_is_undone_is_found() {
        let text =
            "// todo!()\nfn f() { todo!() }\n#[ignore = \"slow\"]\nlet a = \"dbg!\"; dbg!(a);";
        assert_eq!(lines(&undone(&rust(text))), [2, 3, 4]);
        let text = format!("a\n// {}: b\n", concat!("FIX", "ME"));
        assert_eq!(lines(&left_marks(&rust(&text))), [2]);
    }

    #[test]
    fn a_huge_file_is_found() {
        assert!(huge("a.onnx", (4 << 20) + 1).is_some());
        assert!(huge("a.onnx", 4 << 20).is_none());
    }

    #[test]
    fn a_machine_path_is_found() {
        let bad = ["root", "home", "work"].map(|place| format!("a = \"/{place}/x\"\n")).concat();
        assert_eq!(lines(&machine_paths(&rust(&bad))), [1, 2, 3]);
        let url = format!("file:///{}/x", "home");
        assert_eq!(lines(&machine_paths(&rust(&url))), [1]);
        assert_eq!(lines(&machine_paths(&rust("net/work/x out/root/ ~/home/"))), [0; 0]);
    }

    #[test]
    fn own_lints_are_found() {
        let manifest = |text| Source::new("a/Cargo.toml", text);
        assert!(own_lints(&manifest("[package]\nname = \"a\"\n")).is_some());
        assert!(own_lints(&manifest("[lints]\nworkspace = false\n")).is_some());
        assert!(own_lints(&manifest("[lints]\nworkspace = true\n")).is_none());
    }
}
