//! What the verdict lamp says. Takes a line's news; gives the newest part's verdict, or why the
//! lamp is out.

use domain::LineState;

use crate::LineNews;
use crate::widgets::Lamp;
use crate::words::{Words, filled};

/// The lamp of a line.
pub(crate) fn lamp_of(line: &LineNews, words: &Words) -> Lamp {
    let snapshot = &line.snapshot;
    let is_on =
        matches!(snapshot.state, LineState::Running | LineState::Degraded | LineState::Stopping);
    match snapshot.recent.first().filter(|_| is_on) {
        Some(newest) => {
            let took_ms = words.numbers.real(f64::from(newest.took_us) / 1000.0, 1);
            let remark = if newest.is_fail_safe {
                words.shell.fail_safe.to_owned()
            } else {
                filled(words.shell.ms, &took_ms)
            };
            Lamp {
                verdict: Some(newest.verdict),
                word: words.verdict_word(newest.verdict).to_owned(),
                part: newest.part.to_string(),
                remark,
            }
        }
        None => {
            let word = if is_on {
                words.shell.waiting
            } else {
                words.shell.states[snapshot.state as usize]
            };
            let (part, remark) = (String::new(), String::new());
            Lamp { verdict: None, word: word.to_uppercase(), part, remark }
        }
    }
}
