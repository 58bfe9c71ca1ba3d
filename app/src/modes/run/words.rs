//! The line in one line of text, for a terminal, the log and the service manager. Takes a look at
//! it, and how fast it is just now.

use std::fmt::Write;

use domain::LineState;

use super::look::Look;

/// What the line is doing, in a word.
pub const fn state_word(state: LineState) -> &'static str {
    match state {
        LineState::Off => "off",
        LineState::Starting => "starting",
        LineState::Running => "running",
        LineState::Degraded => "degraded",
        LineState::Stopping => "stopping",
    }
}

/// One line: what an operator asks first comes first.
pub fn line(look: &Look, fps: &[f64], parts_per_min: f64) -> String {
    let mut text = format!("{}, recipe {}", state_word(look.state), look.recipe.number);
    // Writing to a text can't fail.
    for (index, camera) in look.cameras.iter().enumerate() {
        let fps = fps.get(index).copied().unwrap_or_default();
        let _ = if camera.is_up {
            write!(text, " | {} {fps:.1} fps", camera.camera)
        } else {
            write!(text, " | {} NO FRAMES", camera.camera)
        };
    }
    let parts = look.parts;
    let _ = write!(
        text,
        " | {parts_per_min:.0} parts/min, {} passed {} rejected {} undecided",
        parts.passed, parts.rejected, parts.undecided
    );
    let tail = look.decision();
    let _ =
        write!(text, " | decision p50 {:.1} p99 {:.1} max {:.1} ms", tail.p50, tail.p99, tail.max);
    let _ = write!(text, " | {} missed {} dropped", look.deadline_misses, look.frames_dropped);
    if look.frames_missing > 0 {
        let _ = write!(text, " {} lost", look.frames_missing);
    }
    if !look.plc_is_up {
        text.push_str(" | PLC DOWN");
    }
    if look.alarms > 0 {
        let _ = write!(text, " | {} alarms", look.alarms);
    }
    if !look.parts.adds_up {
        text.push_str(" | PARTS DO NOT ADD UP");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_what_is_wrong() {
        let mut look = Look::example();
        assert_eq!(
            line(&look, &[29.97], 60.0),
            "running, recipe 1 | top 30.0 fps | 60 parts/min, 10 passed 0 rejected 0 undecided \
             | decision p50 5.0 p99 10.0 max 10.0 ms | 1 missed 0 dropped 3 lost | 2 alarms"
        );
        look.plc_is_up = false;
        look.cameras[0].is_up = false;
        look.state = LineState::Degraded;
        let told = line(&look, &[], 0.0);
        assert!(told.starts_with("degraded") && told.contains("top NO FRAMES"), "{told}");
        assert!(told.contains("PLC DOWN"), "{told}");
    }
}
