//! Reads Prometheus' text format, version 0.0.4, and refuses whatever a strict reader would:
//! takes a page; gives its samples, or the line that is wrong and why.

use std::collections::{BTreeMap, BTreeSet};

/// One number.
#[derive(Clone, Debug)]
pub struct Sample {
    pub name: String,
    pub labels: BTreeMap<String, String>,
    pub value: f64,
}

/// The family that lines belong to.
#[derive(Default)]
struct Family {
    name: String,
    kind: String,
}

impl Family {
    fn has(&self, sample: &Sample) -> bool {
        let quantile = sample.labels.contains_key("quantile");
        match (&*self.kind, sample.name.strip_prefix(&*self.name)) {
            ("summary", Some("")) => quantile,
            ("summary", Some("_sum" | "_count")) | ("counter" | "gauge", Some("")) => !quantile,
            _ => false,
        }
    }
}

/// The samples of `page`.
pub fn parse(page: &str) -> Result<Vec<Sample>, String> {
    if !page.ends_with('\n') {
        return Err("the last line does not end".to_owned());
    }
    let mut samples: Vec<Sample> = Vec::new();
    let (mut names, mut seen) = (BTreeSet::new(), BTreeSet::new());
    let mut family = Family::default();
    let mut helped = String::new();
    for line in page[..page.len() - 1].split('\n') {
        let wrong = |why: &str| format!("{why}: {line:?}");
        if let Some(help) = line.strip_prefix("# HELP ") {
            let (name, text) = help.split_once(' ').ok_or(wrong("no help"))?;
            unescaped(text, "\\n").ok_or(wrong("a help that is not escaped"))?;
            if !is_name(name, true) || !names.insert(name.to_owned()) {
                return Err(wrong("no name, or one that was there before"));
            }
            name.clone_into(&mut helped);
        } else if let Some(kind) = line.strip_prefix("# TYPE ") {
            let (name, kind) = kind.split_once(' ').ok_or(wrong("no type"))?;
            if name != helped || !matches!(kind, "counter" | "gauge" | "summary") {
                return Err(wrong("a type that follows no help, or is none"));
            }
            if (kind == "counter") != name.ends_with("_total") {
                return Err(wrong("counters, and only they, end in _total"));
            }
            family = Family { name: name.to_owned(), kind: kind.to_owned() };
        } else {
            let sample = sample(line).ok_or(wrong("no sample"))?;
            if !family.has(&sample) {
                return Err(wrong("not of the family above"));
            }
            if !seen.insert((sample.name.clone(), sample.labels.clone())) {
                return Err(wrong("the same sample twice"));
            }
            samples.push(sample);
        }
    }
    Ok(samples)
}

/// The names of all families in `page`, and of what summaries add to theirs.
#[allow(dead_code, reason = "one of two that read this way")]
pub fn names(page: &str) -> BTreeSet<String> {
    let types = page.lines().filter_map(|line| line.strip_prefix("# TYPE ")?.split_once(' '));
    let with = |(name, kind): (&str, &str)| {
        let more: &[&str] = if kind == "summary" { &["", "_sum", "_count"] } else { &[""] };
        more.iter().map(|end| format!("{name}{end}")).collect::<Vec<_>>()
    };
    types.flat_map(with).collect()
}

fn is_name(name: &str, colon: bool) -> bool {
    let fits = |c: char| c.is_ascii_alphanumeric() || c == '_' || (colon && c == ':');
    !name.is_empty() && !name.starts_with(|c: char| c.is_ascii_digit()) && name.chars().all(fits)
}

fn sample(line: &str) -> Option<Sample> {
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at(end);
    let mut labels = BTreeMap::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        loop {
            let (label, after) = rest.split_once("=\"")?;
            let close = closing_quote(after)?;
            let value = unescaped(&after[..close], "\\n\"")?;
            if !is_name(label, false) || labels.insert(label.to_owned(), value).is_some() {
                return None;
            }
            rest = &after[close + 1..];
            match rest.strip_prefix(',') {
                Some(more) => rest = more,
                None => break,
            }
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = rest.strip_prefix(' ')?;
    let value = match value {
        "NaN" => f64::NAN,
        "+Inf" => f64::INFINITY,
        "-Inf" => f64::NEG_INFINITY,
        number if number.contains(|c: char| !"0123456789.eE+-".contains(c)) => return None,
        number => number.parse().ok()?,
    };
    is_name(name, true).then(|| Sample { name: name.to_owned(), labels, value })
}

/// Where the value ends: the first quote that is not escaped.
fn closing_quote(text: &str) -> Option<usize> {
    let mut escaped = false;
    text.char_indices().find_map(|(at, c)| {
        let closes = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        closes.then_some(at)
    })
}

/// Undoes escapes of `of`, where `n` stands for the end of a line; nothing else may be escaped.
fn unescaped(text: &str, of: &str) -> Option<String> {
    let mut out = String::new();
    let mut chars = text.chars();
    while let Some(c) = chars.next() {
        match c {
            '\\' => match chars.next()? {
                'n' => out.push('\n'),
                other if of.contains(other) && other != 'n' => out.push(other),
                _ => return None,
            },
            other => out.push(other),
        }
    }
    Some(out)
}

#[test]
fn what_is_wrong_is_refused() {
    let good = "# HELP a_total b\n# TYPE a_total counter\na_total{x=\"1\",y=\"\"} 2\n";
    assert_eq!(parse(good).unwrap()[0].labels["x"], "1");
    for (from, to) in [
        ("2\n", "2"),
        ("2\n", "two\n"),
        ("2\n", "inf\n"),
        ("{x=\"1\"", "{x=\"1\\\""),
        ("{x=\"1\"", "{x=\"\\t\""),
        ("{x=\"1\"", "{1x=\"1\""),
        ("{x=\"1\"", "{y=\"1\""),
        ("a_total{", "b_total{"),
        ("a_total{", "a-total{"),
        ("# TYPE a_total counter\n", ""),
        ("# HELP a_total b\n", ""),
        ("counter", "gauge"),
        ("counter", "contour"),
        ("\"\"} 2\n", "\"\"} 2\n\n"),
        ("\"\"} 2\n", "\"\"} 2\na_total{y=\"\",x=\"1\"} 3\n"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert!(parse(&bad).is_err(), "{bad}");
    }
}
