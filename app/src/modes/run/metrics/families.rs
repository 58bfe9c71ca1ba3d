//! Which metrics there are: takes a look at the line; gives the page that Prometheus reads.

use domain::{LineState, Stage, Tail, UploadSnapshot};

use super::super::look::{CalibrationLook, Look};
use super::super::words::state_word;
use super::page::{Kind, Labels, Page, as_f64};

const STATES: [LineState; 5] = [
    LineState::Off,
    LineState::Starting,
    LineState::Running,
    LineState::Degraded,
    LineState::Stopping,
];

/// The page.
pub fn page(look: &Look) -> String {
    let mut page = Page::default();
    station(&mut page, look);
    parts(&mut page, look);
    cameras(&mut page, look);
    calibrations(&mut page, look);
    tails(&mut page, look);
    queues(&mut page, look);
    clips(&mut page, look);
    uploads(&mut page, look);
    events(&mut page, look);
    process(&mut page, look);
    page.finish()
}

fn flag(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn station(page: &mut Page, look: &Look) {
    let help = "The software that runs, and the station's name";
    let labels = [("software", &*look.software), ("station", &*look.station)];
    page.family("sightline_build_info", Kind::Gauge, help).add(&labels, 1.0);
    let recipe = &look.recipe;
    let (number, hash) = (recipe.number.to_string(), recipe.sha256.to_string());
    let model = recipe.model_sha256.to_string();
    let labels = [("number", &*number), ("name", &*recipe.name), ("sha256", &*hash)];
    let labels = [&labels[..], &[("model_sha256", &*model)]].concat();
    page.family("sightline_recipe_info", Kind::Gauge, "The recipe in force").add(&labels, 1.0);
    let help = "Time that this program runs";
    page.number("sightline_uptime_seconds", Kind::Gauge, help, look.uptime_s);
    let mut states = page.family("sightline_line_state", Kind::Gauge, "1 for what the line does");
    for state in STATES {
        states.add(&[("state", state_word(state))], flag(state == look.state));
    }
    let help = "Whether the PLC may rely on the line";
    page.number("sightline_ready", Kind::Gauge, help, flag(look.state.is_ready()));
    let help = "Whether the PLC can be reached";
    page.number("sightline_plc_up", Kind::Gauge, help, flag(look.plc_is_up));
}

fn parts(page: &mut Page, look: &Look) {
    let sum = look.parts;
    let help = "Parts answered, by verdict";
    let mut verdicts = page.family("sightline_parts_total", Kind::Counter, help);
    for (verdict, count) in
        [("pass", sum.passed), ("reject", sum.rejected), ("undecided", sum.undecided)]
    {
        verdicts.add(&[("verdict", verdict)], as_f64(count));
    }
    let help = "Parts located and not yet answered";
    page.number("sightline_parts_in_line", Kind::Gauge, help, as_f64(sum.in_line));
    for (name, help, count) in [
        ("sightline_parts_triggered_total", "Parts located", sum.triggered),
        ("sightline_parts_told_reject_total", "Parts thrown out at the gate", sum.told_reject),
        ("sightline_parts_recorded_total", "Parts written down", sum.recorded),
        (
            "sightline_deadline_misses_total",
            "Parts answered by the fail-safe because no inspection came in time",
            look.deadline_misses,
        ),
        ("sightline_late_inspections_total", "Inspections that came after the deadline", look.late),
    ] {
        page.number(name, Kind::Counter, help, as_f64(count));
    }
}

fn cameras(page: &mut Page, look: &Look) {
    let mut up = page.family("sightline_camera_up", Kind::Gauge, "Whether it gives frames");
    for camera in &look.cameras {
        up.add(&[("camera", camera.camera.as_str())], flag(camera.is_up));
    }
    let help = "How often a camera was lost";
    let mut lost = page.family("sightline_camera_lost_total", Kind::Counter, help);
    for camera in &look.cameras {
        lost.add(&[("camera", camera.camera.as_str())], as_f64(camera.lost));
    }
    let help = "Frames taken from the cameras";
    let mut frames = page.family("sightline_frames_total", Kind::Counter, help);
    for camera in &look.cameras {
        frames.add(&[("camera", camera.camera.as_str())], as_f64(camera.frames));
    }
    let help = "Frames that were not looked at, by reason";
    let mut dropped = page.family("sightline_frames_dropped_total", Kind::Counter, help);
    for row in &look.cameras {
        let camera = row.camera.as_str();
        for (reason, count) in [("line_busy", row.dropped), ("never_arrived", row.missing)] {
            dropped.add(&[("camera", camera), ("reason", reason)], as_f64(count));
        }
    }
}

fn calibrations(page: &mut Page, look: &Look) {
    type Of = fn(&CalibrationLook) -> Option<f64>;
    let families: [(&str, &str, Of); 5] = [
        ("sightline_calibration_holds", "Whether the camera's calibration holds", |it| {
            Some(flag(it.holds))
        }),
        ("sightline_calibration_age_days", "Since it was last measured", |it| Some(it.age_days)),
        (
            "sightline_calibration_sharpness_ratio",
            "Sharpness of the camera's pictures against commissioning's",
            |it| it.measures.sharpness,
        ),
        (
            "sightline_calibration_brightness_ratio",
            "Brightness of the belt against commissioning's",
            |it| it.measures.brightness,
        ),
        (
            "sightline_calibration_drift_pixels",
            "How far the landmark is from where it was at commissioning",
            |it| it.measures.drift_px.map(|(dx, dy)| dx.hypot(dy)),
        ),
    ];
    for (name, help, of) in families {
        let mut family = page.family(name, Kind::Gauge, help);
        for row in &look.calibrations {
            if let Some(value) = of(row) {
                family.add(&[("camera", row.camera.as_str())], value);
            }
        }
    }
}

fn tails(page: &mut Page, look: &Look) {
    let of = |name: &str| look.latency_ms.get(name).copied().unwrap_or_default();
    let labels: Vec<[(&str, &str); 1]> =
        Stage::ALL.iter().map(|stage| [("stage", stage.name())]).collect();
    let stages: Vec<(Labels<'_>, Tail)> =
        labels.iter().map(|labels| (&labels[..], of(labels[0].1))).collect();
    page.tails("sightline_stage_duration", "Time in a stage on each frame or part", &stages);
    for (name, help, tail) in [
        ("sightline_decision_duration", "From trigger to signal", of("decision")),
        ("sightline_plc_write_duration", "From signal to the PLC having taken it", of("plc")),
        (
            "sightline_trigger_error",
            "From a trigger to the exposure that was chosen for it",
            of("trigger_error"),
        ),
    ] {
        page.tails(name, help, &[(&[], tail)]);
    }
    let help = "Time allowed from trigger to signal, by the recipe in force";
    let budget = f64::from(look.recipe.budget_ms) / 1e3;
    page.number("sightline_decision_budget_seconds", Kind::Gauge, help, budget);
}

fn queues(page: &mut Page, look: &Look) {
    type Of = fn(&super::super::look::Queue) -> u64;
    let families: [(&str, Kind, &str, Of); 5] = [
        ("sightline_queue_waiting", Kind::Gauge, "What waits before a stage", |q| q.waiting),
        ("sightline_queue_waiting_max", Kind::Gauge, "The most that ever waited", |q| {
            q.waiting_most
        }),
        ("sightline_queue_bound", Kind::Gauge, "How many may wait", |q| q.bound),
        ("sightline_queue_dropped_total", Kind::Counter, "Dropped because it was full", |q| {
            q.dropped
        }),
        ("sightline_stage_restarts_total", Kind::Counter, "How often it was restarted", |q| {
            q.restarts
        }),
    ];
    for (name, kind, help, of) in families {
        let mut family = page.family(name, kind, help);
        for (stage, queue) in &look.queues {
            family.add(&[("stage", stage)], as_f64(of(queue)));
        }
    }
}

fn clips(page: &mut Page, look: &Look) {
    let clips = look.clips.sum;
    for (name, kind, help, count) in [
        ("sightline_film_pictures_total", Kind::Counter, "Pictures filmed", clips.pictures),
        (
            "sightline_film_pictures_dropped_total",
            Kind::Counter,
            "Frames that were to be filmed and were not",
            clips.pictures_dropped,
        ),
        ("sightline_clips_total", Kind::Counter, "Clips on disk since the start", clips.made),
        ("sightline_clip_bytes_total", Kind::Counter, "Bytes of them", clips.bytes_made),
        (
            "sightline_clip_pictures_missing_total",
            Kind::Counter,
            "Pictures that should be in a clip and are not",
            clips.pictures_missing,
        ),
        (
            "sightline_clip_parts_dropped_total",
            Kind::Counter,
            "Parts that should be in a clip and were given up",
            clips.wants_dropped,
        ),
        ("sightline_clips_waiting", Kind::Gauge, "Clips that only this machine has", clips.waiting),
        ("sightline_clip_bytes_waiting", Kind::Gauge, "Bytes of them", clips.bytes_waiting),
        (
            "sightline_upload_bytes_saved",
            Kind::Gauge,
            "What sending all of the film would have taken besides, an estimate",
            look.clips.bytes_saved,
        ),
    ] {
        page.number(name, kind, help, as_f64(count));
    }
}

fn uploads(page: &mut Page, look: &Look) {
    type Of = fn(&UploadSnapshot) -> u64;
    let families: [(&str, Kind, &str, Of); 7] = [
        ("sightline_upload_up", Kind::Gauge, "Whether clips can be brought there", |row| {
            u64::from(row.trouble.is_none())
        }),
        ("sightline_upload_connections_total", Kind::Counter, "Connections made", |row| {
            row.connections
        }),
        ("sightline_upload_fragments_sent_total", Kind::Counter, "Fragments sent", |row| {
            row.fragments_sent
        }),
        ("sightline_upload_bytes_sent_total", Kind::Counter, "Bytes sent", |row| row.bytes_sent),
        ("sightline_upload_fragments_kept_total", Kind::Counter, "Fragments kept there", |row| {
            row.fragments_kept
        }),
        ("sightline_upload_clips_kept_total", Kind::Counter, "Clips kept there", |row| {
            row.clips_kept
        }),
        ("sightline_upload_clips_refused_total", Kind::Counter, "Clips never taken", |row| {
            row.clips_quarantined
        }),
    ];
    for (name, kind, help, of) in families {
        let mut family = page.family(name, kind, help);
        for row in &look.uploads {
            family.add(&[("camera", row.camera.as_str())], as_f64(of(row)));
        }
    }
}

fn events(page: &mut Page, look: &Look) {
    let help = "Things that happened on the line besides parts passing";
    let mut events = page.family("sightline_events_total", Kind::Counter, help);
    for (event, count) in &look.events {
        events.add(&[("event", event)], as_f64(*count));
    }
    let help = "Events that somebody has to look after, since the start or the last reset";
    page.number("sightline_alarms", Kind::Gauge, help, as_f64(look.alarms));
}

fn process(page: &mut Page, look: &Look) {
    let help = "CPU time by the name of threads";
    let mut threads = page.family("sightline_thread_cpu_seconds_total", Kind::Counter, help);
    for (thread, seconds) in &look.process.thread_cpu_s {
        threads.add(&[("thread", thread)], *seconds);
    }
    if let Some(seconds) = look.process.cpu_s {
        let help = "CPU time of the whole program";
        page.number("process_cpu_seconds_total", Kind::Counter, help, seconds);
    }
    if let Some(mib) = look.process.rss_mib {
        let help = "Memory that is resident";
        page.number("process_resident_memory_bytes", Kind::Gauge, help, mib * 1_048_576.0);
    }
}

#[cfg(test)]
mod tests {
    use super::super::strict;
    use super::*;

    #[test]
    fn every_line_of_the_page_is_right() {
        let look = Look::example();
        let samples = strict::parse(&page(&look)).unwrap();
        let value = |name: &str, labels: &[(&str, &str)]| {
            let fits = |sample: &&strict::Sample| {
                sample.name == name && labels.iter().all(|(k, v)| sample.labels[*k] == *v)
            };
            samples.iter().find(fits).unwrap_or_else(|| panic!("{name} {labels:?}")).value
        };
        assert_eq!(value("sightline_parts_total", &[("verdict", "pass")]), 10.0);
        assert_eq!(value("sightline_decision_duration_seconds_count", &[]), 10.0);
        assert_eq!(value("sightline_decision_duration_max_seconds", &[]), 0.01);
        let sum = value("sightline_decision_duration_seconds_sum", &[]);
        assert!((sum - 0.055).abs() < 1e-9, "{sum}");
        let missing = [("camera", "top"), ("reason", "never_arrived")];
        assert_eq!(value("sightline_frames_dropped_total", &missing), 3.0);
        assert_eq!(value("sightline_events_total", &[("event", "deadline_missed")]), 1.0);
        assert_eq!(value("sightline_line_state", &[("state", "running")]), 1.0);
        assert_eq!(value("sightline_line_state", &[("state", "off")]), 0.0);
        assert_eq!(value("sightline_build_info", &[("station", "station \"1\"")]), 1.0);
        assert_eq!(value("sightline_decision_budget_seconds", &[]), 0.05);
        let top = [("camera", "top")];
        for (name, is) in
            [("holds", 0.0), ("age_days", 1.5), ("sharpness_ratio", 0.7), ("drift_pixels", 5.0)]
        {
            assert_eq!(value(&format!("sightline_calibration_{name}"), &top), is, "{name}");
        }
        let brightness = |it: &strict::Sample| it.name == "sightline_calibration_brightness_ratio";
        assert!(!samples.iter().any(brightness), "it was not measured");
    }
}
