//! Words of the Live page.

/// The words.
pub struct Words {
    /// There is only a store.
    pub no_line: &'static str,
    /// What to do then.
    pub no_line_hint: &'static str,
    /// The camera gives no pictures.
    pub no_picture: &'static str,
    /// No picture has come from the camera yet.
    pub no_picture_yet: &'static str,
    /// The last parts.
    pub last_parts: &'static str,
    /// Which of them is the newest.
    pub newest: &'static str,
    /// No part has come yet.
    pub no_parts: &'static str,
    /// The last part that was rejected.
    pub last_reject: &'static str,
    /// The last part that was undecided.
    pub last_undecided: &'static str,
    /// No part was rejected yet.
    pub no_reject: &'static str,
    /// Shows the part on the Review page.
    pub look: &'static str,
    /// Its picture was not kept.
    pub not_kept: &'static str,
    /// A score; `{}` is it.
    pub score: &'static str,
    /// A limit; `{}` is it.
    pub limit: &'static str,
    /// Further reasons; `{}` is how many.
    pub more_reasons: &'static str,
    /// This run.
    pub counts: &'static str,
    /// Passed of all answered.
    pub rate: &'static str,
    /// Parts a minute.
    pub per_minute: &'static str,
    /// Passed.
    pub passed: &'static str,
    /// Rejected.
    pub rejected: &'static str,
    /// Undecided.
    pub undecided: &'static str,
    /// Told to be thrown out.
    pub thrown_out: &'static str,
    /// From trigger to signal.
    pub time: &'static str,
    /// The median; `{}` is it.
    pub typical: &'static str,
    /// The 99th percentile; `{}` is it.
    pub nearly_all: &'static str,
    /// The longest; `{}` is it.
    pub longest: &'static str,
    /// By when a part must be answered; `{}` is it.
    pub deadline: &'static str,
    /// How things are.
    pub health: &'static str,
    /// A camera; `{}` is its name.
    pub camera: &'static str,
    /// The PLC.
    pub plc: &'static str,
    /// Where clips are brought.
    pub cloud: &'static str,
    /// The disk.
    pub disk: &'static str,
    /// Answered by the fail-safe.
    pub late: &'static str,
    /// It works.
    pub up: &'static str,
    /// It does not.
    pub down: &'static str,
    /// There is none.
    pub none: &'static str,
    /// What is free; `{}` is how much.
    pub free: &'static str,
}

pub const ENGLISH: Words = Words {
    no_line: "NO LINE",
    no_line_hint: "This screen shows what a store has kept",
    no_picture: "No pictures from {}",
    no_picture_yet: "No picture yet",
    last_parts: "Last parts",
    newest: "newest at the left",
    no_parts: "No part has come yet",
    last_reject: "Last reject",
    last_undecided: "Last undecided part",
    no_reject: "No rejects yet",
    look: "Look at it",
    not_kept: "Picture not kept",
    score: "Score {}",
    limit: "Limit {}",
    more_reasons: "and {} more",
    counts: "This run",
    rate: "Yield",
    per_minute: "Parts per min",
    passed: "Passed",
    rejected: "Rejected",
    undecided: "Undecided",
    thrown_out: "Thrown out",
    time: "Time to verdict, ms",
    typical: "typical {}",
    nearly_all: "99 %: {}",
    longest: "longest {}",
    deadline: "deadline {}",
    health: "Equipment",
    camera: "Camera {}",
    plc: "PLC",
    cloud: "Cloud",
    disk: "Disk",
    late: "Answered too late",
    up: "works",
    down: "down",
    none: "off",
    free: "{} free",
};

pub const GERMAN: Words = Words {
    no_line: "KEINE LINIE",
    no_line_hint: "Hier ist zu sehen, was gespeichert wurde",
    no_picture: "Keine Bilder von {}",
    no_picture_yet: "Noch kein Bild",
    last_parts: "Letzte Teile",
    newest: "neuestes links",
    no_parts: "Noch kein Teil gekommen",
    last_reject: "Letzter Ausschuss",
    last_undecided: "Letztes unklares Teil",
    no_reject: "Noch kein Ausschuss",
    look: "Ansehen",
    not_kept: "Bild nicht gespeichert",
    score: "Wert {}",
    limit: "Grenze {}",
    more_reasons: "und {} weitere",
    counts: "Dieser Lauf",
    rate: "Gutanteil",
    per_minute: "Teile je Minute",
    passed: "Gut",
    rejected: "Schlecht",
    undecided: "Unklar",
    thrown_out: "Ausgeschleust",
    time: "Zeit bis zum Urteil, ms",
    typical: "üblich {}",
    nearly_all: "99 %: {}",
    longest: "längste {}",
    deadline: "Frist {}",
    health: "Anlage",
    camera: "Kamera {}",
    plc: "SPS",
    cloud: "Cloud",
    disk: "Platte",
    late: "Zu spät beantwortet",
    up: "läuft",
    down: "gestört",
    none: "aus",
    free: "{} frei",
};
