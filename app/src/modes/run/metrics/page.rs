//! Prometheus' text format, version 0.0.4: takes families of metrics and their samples; gives a
//! page.

use std::fmt::Write;

use domain::Tail;

/// What kind of number a family holds.
#[derive(Clone, Copy)]
pub enum Kind {
    /// Only goes up while the program runs.
    Counter,
    /// Goes up and down.
    Gauge,
}

/// A page under construction. Families are written one after another, each once.
#[derive(Default)]
pub struct Page {
    text: String,
}

/// Names and values.
pub type Labels<'a> = &'a [(&'a str, &'a str)];

impl Page {
    /// Begins a family.
    pub fn family(&mut self, name: &str, kind: Kind, help: &str) -> Family<'_> {
        let kind = match kind {
            Kind::Counter => "counter",
            Kind::Gauge => "gauge",
        };
        self.head(name, kind, help);
        Family { page: self, name: name.to_owned() }
    }

    /// A family with one sample that has no labels.
    pub fn number(&mut self, name: &str, kind: Kind, help: &str, value: f64) {
        self.family(name, kind, help).add(&[], value);
    }

    /// A family of tails, in seconds, and beside it the longest ones.
    pub fn tails(&mut self, name: &str, help: &str, tails: &[(Labels<'_>, Tail)]) {
        let seconds = format!("{name}_seconds");
        self.head(&seconds, "summary", &format!("{help}, since the start"));
        for (labels, tail) in tails {
            if tail.count > 0 {
                for (quantile, ms) in [("0.5", tail.p50), ("0.99", tail.p99), ("0.999", tail.p999)]
                {
                    let with = [*labels, &[("quantile", quantile)]].concat();
                    self.sample(&seconds, &with, ms / 1e3);
                }
            }
            let count = as_f64(tail.count);
            self.sample(&format!("{seconds}_sum"), labels, tail.mean * count / 1e3);
            self.sample(&format!("{seconds}_count"), labels, count);
        }
        let help = format!("{help}, the longest since the start");
        let mut longest = self.family(&format!("{name}_max_seconds"), Kind::Gauge, &help);
        for (labels, tail) in tails {
            longest.add(labels, tail.max / 1e3);
        }
    }

    /// The page.
    pub fn finish(self) -> String {
        self.text
    }

    fn head(&mut self, name: &str, kind: &str, help: &str) {
        let help = help.replace('\\', "\\\\").replace('\n', "\\n");
        // Writing to a text can't fail, here and below.
        let _ = write!(self.text, "# HELP {name} {help}\n# TYPE {name} {kind}\n");
    }

    fn sample(&mut self, name: &str, labels: Labels<'_>, value: f64) {
        self.text.push_str(name);
        for (index, (label, is)) in labels.iter().enumerate() {
            let open = if index == 0 { '{' } else { ',' };
            let _ = write!(self.text, "{open}{label}=\"{}\"", escaped(is));
        }
        if !labels.is_empty() {
            self.text.push('}');
        }
        let _ = writeln!(self.text, " {}", number(value));
    }
}

/// A family under construction.
pub struct Family<'a> {
    page: &'a mut Page,
    name: String,
}

impl Family<'_> {
    /// Adds a sample.
    pub fn add(&mut self, labels: Labels<'_>, value: f64) {
        self.page.sample(&self.name, labels, value);
    }
}

/// A count as the format has it: all numbers are floats there.
#[expect(clippy::cast_precision_loss, reason = "the format knows floats only")]
pub const fn as_f64(count: u64) -> f64 {
    count as f64
}

fn number(value: f64) -> String {
    if value.is_nan() {
        "NaN".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "+Inf" } else { "-Inf" }.to_owned()
    } else {
        value.to_string()
    }
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

#[cfg(test)]
mod tests {
    use super::super::strict;
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn any_label_comes_back(one in ".*", other in "[\\\\\"\n{},= a]*", value in any::<f64>()) {
            let mut page = Page::default();
            let labels = [("one", &*one), ("other", &*other)];
            page.family("a_total", Kind::Counter, "line\nline \\ \"").add(&labels, value);
            let text = page.finish();
            let samples = strict::parse(&text).unwrap();
            prop_assert_eq!(samples.len(), 1);
            prop_assert_eq!(&samples[0].labels["one"], &one);
            prop_assert_eq!(&samples[0].labels["other"], &other);
            prop_assert!(samples[0].value == value || value.is_nan());
        }
    }

    #[test]
    fn a_tail_without_values_has_no_quantiles() {
        let mut page = Page::default();
        page.tails("a", "b", &[(&[("stage", "act")], Tail::default())]);
        let text = page.finish();
        assert!(!text.contains("quantile"), "{text}");
        assert!(text.contains("a_seconds_count{stage=\"act\"} 0\n"), "{text}");
    }
}
