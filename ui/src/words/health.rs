//! Words of the Health page.

/// The words.
pub struct Words {
    /// There is only a store.
    pub no_line: &'static str,
    /// What to do then.
    pub no_line_hint: &'static str,
    /// The sum of parts.
    pub sum: &'static str,
    /// Its terms: triggered, passed, rejected, undecided, in the line.
    pub terms: [&'static str; 5],
    /// The sum holds.
    pub holds: &'static str,
    /// It does not.
    pub broken: &'static str,
    /// The stages.
    pub stages: &'static str,
    /// Columns of the stages: stage, a second, waiting, median, 99th percentile, longest, dropped,
    /// restarted.
    pub columns: [&'static str; 8],
    /// What waits, of how many may; `{}` are these.
    pub waiting: &'static str,
    /// What did not go as it should.
    pub troubles: &'static str,
    /// Frames dropped because the line was busy.
    pub frames_dropped: &'static str,
    /// Frames that never arrived.
    pub frames_missing: &'static str,
    /// How often cameras were lost.
    pub cameras_lost: &'static str,
    /// Answered by the fail-safe.
    pub fail_safe: &'static str,
    /// Inspections too late.
    pub late: &'static str,
    /// Parts not written down.
    pub unrecorded: &'static str,
    /// Dropped because a stage was full.
    pub stage_full: &'static str,
    /// Pictures missing in clips.
    pub clip_pictures: &'static str,
    /// The machine.
    pub machine: &'static str,
    /// Free on the disk.
    pub disk: &'static str,
    /// Memory of this program.
    pub memory: &'static str,
    /// Since the start.
    pub uptime: &'static str,
    /// Time the PLC takes.
    pub plc: &'static str,
    /// From a trigger to the exposure.
    pub trigger: &'static str,
    /// Clips and cloud.
    pub clips: &'static str,
    /// Clips made.
    pub clips_made: &'static str,
    /// Clips that only this machine has.
    pub clips_waiting: &'static str,
    /// Bytes not sent because only clips are.
    pub saved: &'static str,
    /// Clips kept in the cloud, of a camera; `{}` is it.
    pub kept: &'static str,
    /// Clips stay here.
    pub stay_here: &'static str,
    /// Versions.
    pub versions: &'static str,
    /// This software.
    pub software: &'static str,
    /// The recipe.
    pub recipe: &'static str,
    /// The model.
    pub model: &'static str,
    /// The run in the store.
    pub run: &'static str,
    /// There is none.
    pub none: &'static str,
    /// What somebody has to look after.
    pub alarms: &'static str,
    /// Begins.
    pub start: &'static str,
    /// Ends.
    pub stop: &'static str,
    /// Asks again before it ends.
    pub really_stop: &'static str,
}

pub const ENGLISH: Words = Words {
    no_line: "No line runs here",
    no_line_hint: "This screen shows what a store has kept",
    sum: "Every part has exactly one answer",
    terms: ["triggered", "passed", "rejected", "undecided", "in the line"],
    holds: "The sum is right",
    broken: "The sum is wrong: stop and call for help",
    stages: "Steps of the inspection, times in ms",
    columns: ["Step", "per second", "waiting", "median", "99 %", "longest", "dropped", "restarts"],
    waiting: "{} of {}",
    troubles: "Lost, late, dropped",
    frames_dropped: "Frames dropped: line busy",
    frames_missing: "Frames lost on the way here",
    cameras_lost: "Camera disconnects",
    fail_safe: "Parts answered by the fail-safe",
    late: "Results after the deadline",
    unrecorded: "Parts not written down",
    stage_full: "Dropped: a step was full",
    clip_pictures: "Pictures missing in clips",
    machine: "Computer",
    disk: "Disk free",
    memory: "Memory",
    uptime: "Running for",
    plc: "PLC takes it in",
    trigger: "Trigger to exposure",
    clips: "Clips and cloud",
    clips_made: "Clips made",
    clips_waiting: "Only on this disk",
    saved: "Not sent, thanks to clips",
    kept: "Kept of {}",
    stay_here: "Clips stay on this disk",
    versions: "Versions",
    software: "Software",
    recipe: "Recipe",
    model: "Model",
    run: "Run",
    none: "none",
    alarms: "Alarms",
    start: "Start the line",
    stop: "Stop the line",
    really_stop: "Really stop?",
};

pub const GERMAN: Words = Words {
    no_line: "Hier läuft keine Linie",
    no_line_hint: "Hier ist zu sehen, was gespeichert wurde",
    sum: "Jedes Teil hat genau eine Antwort",
    terms: ["ausgelöst", "gut", "schlecht", "unklar", "in der Linie"],
    holds: "Die Summe stimmt",
    broken: "Die Summe stimmt nicht: anhalten und Hilfe rufen",
    stages: "Schritte der Prüfung, Zeiten in ms",
    columns: [
        "Schritt",
        "je Sekunde",
        "wartend",
        "mittlere",
        "99 % bis",
        "längste",
        "verworfen",
        "Neustarts",
    ],
    waiting: "{} von {}",
    troubles: "Verloren, verspätet, verworfen",
    frames_dropped: "Bilder verworfen: überlastet",
    frames_missing: "Bilder unterwegs verloren",
    cameras_lost: "Kamera-Ausfälle",
    fail_safe: "Teile mit Notentscheid",
    late: "Ergebnisse nach der Frist",
    unrecorded: "Teile nicht gespeichert",
    stage_full: "Verworfen: Schritt war voll",
    clip_pictures: "In Clips fehlende Bilder",
    machine: "Rechner",
    disk: "Platte frei",
    memory: "Arbeitsspeicher",
    uptime: "In Betrieb seit",
    plc: "SPS übernimmt in",
    trigger: "Auslöser bis Belichtung",
    clips: "Clips und Cloud",
    clips_made: "Clips erstellt",
    clips_waiting: "Nur auf dieser Platte",
    saved: "Dank Clips nicht gesendet",
    kept: "Gesichert von {}",
    stay_here: "Clips bleiben auf dieser Platte",
    versions: "Versionen",
    software: "Programm",
    recipe: "Rezept",
    model: "Modell",
    run: "Lauf",
    none: "keins",
    alarms: "Meldungen",
    start: "Linie starten",
    stop: "Linie anhalten",
    really_stop: "Wirklich anhalten?",
};
