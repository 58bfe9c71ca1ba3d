//! Words of the Calibrate page.

/// The words.
pub struct Words {
    /// There is neither a line nor a camera.
    pub no_camera: &'static str,
    /// What to do then.
    pub no_camera_hint: &'static str,
    /// How a camera is, in the order of `cards::Stand`.
    pub stands: [&'static str; 5],
    /// Nothing was measured for a camera: what that means.
    pub none_hint: &'static str,
    /// The station file names no folder; `{}` is the camera.
    pub no_folder: &'static str,
    /// Figures of a profile: lens, scale, shading, belt, watch, size.
    pub facts: [&'static str; 6],
    /// No, yes.
    pub no_yes: [&'static str; 2],
    /// Who accepted it, and when; `{}` are both.
    pub accepted_by: &'static str,
    /// When it was measured; `{}` is the time.
    pub made_at: &'static str,
    /// Begins; `{}` is the camera.
    pub begin: &'static str,
    /// Who may begin.
    pub only_engineer: &'static str,
    /// Asks again while the line runs.
    pub really_begin: &'static str,
    /// What beginning does to the line.
    pub begin_hint: &'static str,

    /// What is calibrated; `{}` is the camera.
    pub of: &'static str,
    /// The steps, in the order of `Step::ALL`.
    pub steps: [&'static str; 7],
    /// How a step is, in the order of `Health`: good, care, bad, absent.
    pub healths: [&'static str; 4],
    /// It may be left out.
    pub optional: &'static str,
    /// It is better done.
    pub recommended: &'static str,
    /// It must be done.
    pub needed: &'static str,
    /// It takes frames now.
    pub at_work: &'static str,
    /// It is remembered.
    pub remembered: &'static str,
    /// So many views of so many needed; `{}` are these.
    pub views_of: &'static str,
    /// Below the number of views.
    pub views: &'static str,
    /// Below the number of pictures.
    pub pictures: &'static str,
    /// So many reasons against it; `{}` is the number.
    pub objections: &'static str,
    /// It may be accepted.
    pub may_accept: &'static str,
    /// Ends.
    pub end: &'static str,
    /// Asks again.
    pub really_end: &'static str,
    /// What is lost then.
    pub end_hint: &'static str,
    /// Does not end.
    pub go_on: &'static str,
    /// Something failed.
    pub refused: &'static str,
    /// Where the picture would be.
    pub no_picture: &'static str,
    /// What the picture is of; `{}` is the camera.
    pub picture: &'static str,
    /// The live picture.
    pub live: &'static str,
    /// The residual vectors.
    pub residuals: &'static str,
    /// How the strokes are drawn; `{}` is the factor.
    pub stroke_scale: &'static str,
    /// So many points, and the largest; `{}` are these.
    pub stroke_facts: &'static str,
    /// There are none yet.
    pub no_residuals: &'static str,
    /// So many points of so many; `{}` are these.
    pub points_of: &'static str,
    /// All of the picture.
    pub whole: &'static str,

    /// Guides: the target.
    pub guide_target: &'static str,
    /// More of that.
    pub guide_target_hint: &'static str,
    /// Shows the board somewhere; `{}` is one of `places`.
    pub guide_cover: &'static str,
    /// The ninths of the picture, rows from the top.
    pub places: [&'static str; 9],
    /// So many views are missing; `{}` is the number.
    pub guide_more: &'static str,
    /// Tilt it.
    pub guide_tilt: &'static str,
    /// Tilt it to other sides.
    pub guide_tilt_otherwise: &'static str,
    /// A view contradicts; `{}` is its number.
    pub guide_retake: &'static str,
    /// Enough views.
    pub guide_fit: &'static str,
    /// Begin to look.
    pub guide_look: &'static str,
    /// The lens is done.
    pub guide_lens_done: &'static str,
    /// A fit is computed.
    pub guide_computing: &'static str,
    /// Why a frame is not taken, in the order of `HoldsBack`.
    pub holds_back: [&'static str; 5],
    /// It is a good view and was taken by itself.
    pub good_taken: &'static str,
    /// It is a good view: press.
    pub good_press: &'static str,
    /// No frame has come.
    pub waiting: &'static str,
    /// What comes after that; `{}` is one of the guides.
    pub after: &'static str,
    /// Leads to the next step; `{}` is its name.
    pub next: &'static str,
    /// Lay the board on the belt.
    pub guide_plane: &'static str,
    /// More of that.
    pub guide_plane_hint: &'static str,
    /// The plane is measured; `{}` is the scale.
    pub guide_plane_done: &'static str,
    /// Tap the two ends.
    pub guide_ruler: &'static str,
    /// What a press then does.
    pub guide_ruler_hint: &'static str,
    /// A plain sheet.
    pub guide_flat: &'static str,
    /// More of that.
    pub guide_flat_hint: &'static str,
    /// While it is lit.
    pub guide_bright: &'static str,
    /// While it is dark.
    pub guide_dark: &'static str,
    /// Good pictures.
    pub guide_watch: &'static str,
    /// More of that.
    pub guide_watch_hint: &'static str,
    /// Tap something.
    pub guide_landmark: &'static str,
    /// The belt.
    pub guide_belt: &'static str,
    /// More of that.
    pub guide_belt_hint: &'static str,
    /// While pictures are taken.
    pub guide_taking: &'static str,
    /// A step is done and may be left.
    pub guide_done: &'static str,
    /// It may be accepted.
    pub guide_accept: &'static str,
    /// More of that.
    pub guide_accept_hint: &'static str,
    /// It may not be accepted yet.
    pub guide_not_yet: &'static str,
    /// It is accepted.
    pub guide_accepted: &'static str,
    /// From when on it is in force.
    pub guide_accepted_hint: &'static str,

    /// What is printed.
    pub kind: &'static str,
    /// Kinds of boards, in the order of `BoardKind::ALL`.
    pub kinds: [&'static str; 3],
    /// Columns and rows of each kind.
    pub columns_rows: [[&'static str; 2]; 3],
    /// Side of a square; half of what lies between two discs.
    pub square: [&'static str; 3],
    /// Side of a marker.
    pub marker: &'static str,
    /// The family of markers.
    pub family: &'static str,
    /// The one before, the one after.
    pub before_after: [&'static str; 2],
    /// Takes the board as typed.
    pub use_board: &'static str,
    /// It is what is looked for.
    pub board_in_use: &'static str,
    /// Which camera and lens.
    pub note: &'static str,
    /// The serial number.
    pub serial: &'static str,
    /// The lens.
    pub lens_note: &'static str,
    /// Keeps it.
    pub keep_note: &'static str,

    /// Takes views by itself, by hand.
    pub by_itself: [&'static str; 2],
    /// Begins to look for views.
    pub look: &'static str,
    /// Takes a view.
    pub take: &'static str,
    /// Stops.
    pub stop: &'static str,
    /// Fits the lens.
    pub fit: &'static str,
    /// Lists: the views, the figures.
    pub lists: [&'static str; 2],
    /// A view; `{}` is its number.
    pub view: &'static str,
    /// Its points; `{}` is the number.
    pub points: &'static str,
    /// It contradicts the others.
    pub left_out: &'static str,
    /// Forgets it; `{}` is its number.
    pub drop: &'static str,
    /// There are no views.
    pub no_views: &'static str,
    /// There is no fit.
    pub no_fit: &'static str,
    /// Names of the lens' figures: residual, focal lengths, centre, distortion.
    pub figures: [&'static str; 4],

    /// How high parts are.
    pub height: &'static str,
    /// No perspective.
    pub telecentric: &'static str,
    /// Measures.
    pub measure_plane: &'static str,
    /// Measures without a board.
    pub ruler: &'static str,
    /// Picks the two places.
    pub pick_two: &'static str,
    /// So many are picked; `{}` is the number.
    pub picked: &'static str,
    /// The length.
    pub length: &'static str,
    /// Measures by it.
    pub measure_ruler: &'static str,
    /// Figures of the plane: scale, residual, points, uncertainty of a length.
    pub plane_figures: [&'static str; 4],

    /// What the camera is set to: exposure, gain.
    pub settings: [&'static str; 2],
    /// The exposure is not typed yet.
    pub exposure_first: &'static str,
    /// Averages a plain sheet, darkness.
    pub flats: [&'static str; 2],
    /// Figures: what is left, exposure, gain, bad pixels.
    pub flat_figures: [&'static str; 4],
    /// The landmark: there is none, one is chosen; `{}` are x and y.
    pub landmarks: [&'static str; 2],
    /// Picks one.
    pub pick_landmark: &'static str,
    /// Does without.
    pub no_landmark: &'static str,
    /// Remembers.
    pub remember: &'static str,
    /// What is remembered is replaced.
    pub remember_anew: &'static str,
    /// Measures the belt.
    pub measure_belt: &'static str,
    /// Figures: speed, direction, a count.
    pub belt_figures: [&'static str; 3],

    /// Accepts.
    pub accept: &'static str,
    /// Who accepts; `{}` is the name.
    pub accept_as: &'static str,
    /// Nobody is logged in.
    pub accept_nobody: &'static str,
    /// There is nothing to measure with.
    pub no_plane: &'static str,
    /// Why not.
    pub against: &'static str,
}

pub const ENGLISH: Words = Words {
    no_camera: "No camera to calibrate here",
    no_camera_hint: "sightline calibrate live station.toml --camera top opens this page on a camera; with a running line it is here anyway",
    stands: ["In order", "Not accepted", "May not measure", "Not calibrated", "Lost now"],
    none_hint: "Parts are inspected, but nothing is measured in millimetres.",
    no_folder: "The station file names no folder. Under this camera, write: calibration = \"calibration/{}\"",
    facts: ["Lens error", "mm a pixel", "Shading left", "Belt speed", "Watched", "Picture, px"],
    no_yes: ["no", "yes"],
    accepted_by: "Accepted by {}, {}",
    made_at: "Measured {}",
    begin: "Calibrate {}",
    only_engineer: "An engineer has to log in for that.",
    really_begin: "Really calibrate now?",
    begin_hint: "Until the end, this camera's parts are undecided.",
    of: "Camera {}",
    steps: ["Target", "Lens", "Belt plane", "Flat field", "Watch", "Belt motion", "Accept"],
    healths: ["in order", "look at it", "not in order", "not yet"],
    optional: "optional",
    recommended: "recommended",
    needed: "needed",
    at_work: "taking pictures …",
    remembered: "remembered",
    views_of: "{} of {} views",
    views: "views",
    pictures: "pictures",
    objections: "Objections: {}",
    may_accept: "may be accepted",
    end: "End calibration",
    really_end: "Forget it and end",
    end_hint: "Not accepted: what was measured here is forgotten.",
    go_on: "Go on",
    refused: "Refused",
    no_picture: "No picture from this camera yet",
    picture: "Picture of {}",
    live: "Picture",
    residuals: "Residuals",
    stroke_scale: "Strokes {} times as long as the error",
    stroke_facts: "{} points, the largest {} px",
    no_residuals: "Residuals are here once the lens is computed",
    points_of: "{} of {} points",
    whole: "Whole picture",
    guide_target: "Measure the board",
    guide_target_hint: "Printed at 100 %, glued flat. Type the caliper's numbers.",
    guide_cover: "Hold the board {}",
    places: [
        "up left",
        "up in the middle",
        "up right",
        "at the left",
        "in the middle",
        "at the right",
        "down left",
        "down in the middle",
        "down right",
    ],
    guide_more: "Show {} more views",
    guide_tilt: "Tilt the board more",
    guide_tilt_otherwise: "Tilt it to another side",
    guide_retake: "Take view {} again",
    guide_fit: "Enough: compute the lens",
    guide_look: "Show the board",
    guide_lens_done: "The lens is measured",
    guide_computing: "Computing …",
    holds_back: [
        "No board seen",
        "Show more of it",
        "Blurred",
        "Hold still",
        "Good, but known: move on",
    ],
    good_taken: "Good: taken",
    good_press: "Good: take it",
    waiting: "Waiting for a picture",
    after: "Then: {}",
    next: "Next: {}",
    guide_plane: "Lay the board on the belt",
    guide_plane_hint: "Flat, where parts pass. Then measure.",
    guide_plane_done: "{} mm a pixel",
    guide_ruler: "Tap both ends of a length",
    guide_ruler_hint: "Then type the length between them.",
    guide_flat: "Fill the picture with a plain sheet",
    guide_flat_hint: "First the bright sheet, then darkness.",
    guide_bright: "Leave the sheet there",
    guide_dark: "Keep it dark",
    guide_watch: "Let good parts pass",
    guide_watch_hint: "How they look now is what later pictures are held against.",
    guide_landmark: "Tap something that never moves",
    guide_belt: "Let the belt run with parts",
    guide_belt_hint: "At its usual speed.",
    guide_taking: "Taking pictures …",
    guide_done: "Done: on to the next step",
    guide_accept: "Ready to be accepted",
    guide_accept_hint: "Look at the numbers: your name will stand on them.",
    guide_not_yet: "Not to be accepted yet",
    guide_accepted: "Accepted",
    guide_accepted_hint: "In force from the next time a recipe is armed.",
    kind: "Board",
    kinds: ["ChArUco", "Chessboard", "Circles"],
    columns_rows: [
        ["Squares across", "Squares down"],
        ["Corners across", "Corners down"],
        ["Discs across", "Discs down"],
    ],
    square: ["Square, mm", "Square, mm", "Half distance, mm"],
    marker: "Marker, mm",
    family: "Family of markers",
    before_after: ["Family before", "Family after"],
    use_board: "Use this board",
    board_in_use: "This board is looked for",
    note: "Camera and lens",
    serial: "Serial number",
    lens_note: "Lens and setting",
    keep_note: "Keep the note",
    by_itself: ["By itself", "By hand"],
    look: "Look for views",
    take: "Take this view",
    stop: "Stop",
    fit: "Compute the lens",
    lists: ["Views", "Figures"],
    view: "View {}",
    points: "{} points",
    left_out: "contradicts the others",
    drop: "Drop view {}",
    no_views: "No view was taken yet",
    no_fit: "The lens is not computed yet",
    figures: ["Error", "Focal length", "Centre", "Distortion"],
    height: "Parts' height, mm",
    telecentric: "Telecentric",
    measure_plane: "Measure with the board",
    ruler: "Without a board",
    pick_two: "Pick two places",
    picked: "{} of 2 places picked",
    length: "Length, mm",
    measure_ruler: "Measure by this length",
    plane_figures: ["Scale", "Error", "Points", "Length, ±"],
    settings: ["Exposure, µs", "Gain, dB"],
    exposure_first: "First type what the camera is set to.",
    flats: ["Bright sheet", "Darkness"],
    flat_figures: ["Shading left", "Exposure", "Gain", "Bad pixels"],
    landmarks: ["No landmark chosen", "Landmark at {}, {}"],
    pick_landmark: "Pick a landmark",
    no_landmark: "Without a landmark",
    remember: "Remember these pictures",
    remember_anew: "Remember anew",
    measure_belt: "Measure the belt",
    belt_figures: ["Speed", "Direction", "A count"],
    accept: "Accept",
    accept_as: "As {}",
    accept_nobody: "An engineer has to log in",
    no_plane: "The belt plane is not measured: without it nothing is in millimetres",
    against: "What is against it",
};

pub const GERMAN: Words = Words {
    no_camera: "Hier ist keine Kamera zum Kalibrieren",
    no_camera_hint: "sightline calibrate live station.toml --camera top öffnet diese Seite für eine Kamera; bei laufender Linie ist sie ohnehin da",
    stands: [
        "In Ordnung",
        "Nicht freigegeben",
        "Darf nicht messen",
        "Nicht kalibriert",
        "Gilt gerade nicht",
    ],
    none_hint: "Teile werden geprüft, aber nichts wird in Millimetern gemessen.",
    no_folder: "Die Stationsdatei nennt keinen Ordner. Bei dieser Kamera eintragen: calibration = \"calibration/{}\"",
    facts: ["Restfehler", "mm je Pixel", "Restschatten", "Band", "Überwacht", "Bildgröße, px"],
    no_yes: ["nein", "ja"],
    accepted_by: "Freigegeben von {}, {}",
    made_at: "Gemessen {}",
    begin: "{} kalibrieren",
    only_engineer: "Dafür muss sich ein Einrichter anmelden.",
    really_begin: "Wirklich jetzt kalibrieren?",
    begin_hint: "Bis zum Ende sind die Teile dieser Kamera unklar.",
    of: "Kamera {}",
    steps: [
        "Tafel",
        "Objektiv",
        "Bandebene",
        "Ausleuchtung",
        "Überwachung",
        "Bandlauf",
        "Freigabe",
    ],
    healths: ["in Ordnung", "ansehen", "nicht in Ordnung", "noch nicht"],
    optional: "kann entfallen",
    recommended: "empfohlen",
    needed: "nötig",
    at_work: "nimmt Bilder auf …",
    remembered: "gemerkt",
    views_of: "{} von {} Ansichten",
    views: "Ansichten",
    pictures: "Bilder",
    objections: "Einwände: {}",
    may_accept: "freigabereif",
    end: "Beenden",
    really_end: "Verwerfen, beenden",
    end_hint: "Nicht freigegeben: Was hier gemessen wurde, geht verloren.",
    go_on: "Weitermachen",
    refused: "Abgelehnt",
    no_picture: "Noch kein Bild von dieser Kamera",
    picture: "Bild von {}",
    live: "Livebild",
    residuals: "Restfehler",
    stroke_scale: "Striche {}-mal so lang wie der Fehler",
    stroke_facts: "{} Punkte, größter {} px",
    no_residuals: "Restfehler gibt es, sobald das Objektiv berechnet ist",
    points_of: "{} von {} Punkten",
    whole: "Ganzes Bild",
    guide_target: "Tafel nachmessen",
    guide_target_hint: "Zu 100 % gedruckt, plan geklebt. Messschieber-Werte eintippen.",
    guide_cover: "Tafel {} halten",
    places: [
        "oben links",
        "oben Mitte",
        "oben rechts",
        "links",
        "in der Mitte",
        "rechts",
        "unten links",
        "unten Mitte",
        "unten rechts",
    ],
    guide_more: "Noch {} Ansichten zeigen",
    guide_tilt: "Tafel stärker kippen",
    guide_tilt_otherwise: "Zu anderer Seite kippen",
    guide_retake: "Ansicht {} neu aufnehmen",
    guide_fit: "Genug: Objektiv berechnen",
    guide_look: "Tafel zeigen",
    guide_lens_done: "Objektiv ist vermessen",
    guide_computing: "Wird berechnet …",
    holds_back: [
        "Keine Tafel zu sehen",
        "Mehr davon zeigen",
        "Unscharf",
        "Stillhalten",
        "Gut, aber bekannt: weiter",
    ],
    good_taken: "Gut: aufgenommen",
    good_press: "Gut: aufnehmen",
    waiting: "Wartet auf ein Bild",
    after: "Danach: {}",
    next: "Weiter: {}",
    guide_plane: "Tafel aufs Band legen",
    guide_plane_hint: "Flach, wo Teile laufen. Dann messen.",
    guide_plane_done: "{} mm je Pixel",
    guide_ruler: "Beide Enden antippen",
    guide_ruler_hint: "Danach die Länge dazwischen eintippen.",
    guide_flat: "Weißes Blatt bildfüllend auflegen",
    guide_flat_hint: "Erst das helle Blatt, dann dunkel.",
    guide_bright: "Blatt liegen lassen",
    guide_dark: "Dunkel halten",
    guide_watch: "Gute Teile durchlaufen lassen",
    guide_watch_hint: "So, wie es jetzt aussieht, soll es bleiben.",
    guide_landmark: "Etwas antippen, das nie wandert",
    guide_belt: "Band mit Teilen laufen lassen",
    guide_belt_hint: "Mit üblicher Geschwindigkeit.",
    guide_taking: "Nimmt Bilder auf …",
    guide_done: "Fertig: weiter zum nächsten Schritt",
    guide_accept: "Bereit zur Freigabe",
    guide_accept_hint: "Zahlen prüfen: Ihr Name steht dann dafür.",
    guide_not_yet: "Noch keine Freigabe möglich",
    guide_accepted: "Freigegeben",
    guide_accepted_hint: "Gilt, sobald das nächste Mal ein Rezept scharf wird.",
    kind: "Tafel",
    kinds: ["ChArUco", "Schachbrett", "Kreise"],
    columns_rows: [
        ["Felder quer", "Felder hoch"],
        ["Ecken quer", "Ecken hoch"],
        ["Kreise quer", "Kreise hoch"],
    ],
    square: ["Feld, mm", "Feld, mm", "Halber Abstand, mm"],
    marker: "Marker, mm",
    family: "Marker-Familie",
    before_after: ["Vorige Familie", "Nächste Familie"],
    use_board: "Diese Tafel verwenden",
    board_in_use: "Diese Tafel wird gesucht",
    note: "Kamera und Objektiv",
    serial: "Seriennummer",
    lens_note: "Objektiv, Blende",
    keep_note: "Notiz übernehmen",
    by_itself: ["Von selbst", "Von Hand"],
    look: "Ansichten suchen",
    take: "Ansicht aufnehmen",
    stop: "Anhalten",
    fit: "Objektiv berechnen",
    lists: ["Ansichten", "Zahlen"],
    view: "Ansicht {}",
    points: "{} Punkte",
    left_out: "widerspricht den anderen",
    drop: "Ansicht {} verwerfen",
    no_views: "Noch keine Ansicht aufgenommen",
    no_fit: "Noch nicht berechnet",
    figures: ["Restfehler", "Brennweite", "Bildmitte", "Verzeichnung"],
    height: "Teilehöhe, mm",
    telecentric: "Telezentrisch",
    measure_plane: "Mit Tafel messen",
    ruler: "Ohne Tafel",
    pick_two: "Zwei Stellen wählen",
    picked: "{} von 2 Stellen gewählt",
    length: "Länge, mm",
    measure_ruler: "Mit dieser Länge messen",
    plane_figures: ["Maßstab", "Restfehler", "Punkte", "Länge, ±"],
    settings: ["Belichtung, µs", "Verstärkung, dB"],
    exposure_first: "Zuerst eintippen, wie die Kamera eingestellt ist.",
    flats: ["Helles Blatt", "Dunkelheit"],
    flat_figures: ["Restschatten", "Belichtung", "Verstärkung", "Defekte Pixel"],
    landmarks: ["Keine Landmarke gewählt", "Landmarke bei {}, {}"],
    pick_landmark: "Landmarke wählen",
    no_landmark: "Ohne Landmarke",
    remember: "So merken",
    remember_anew: "Neu merken",
    measure_belt: "Bandlauf messen",
    belt_figures: ["Geschwindigkeit", "Richtung", "Je Impuls"],
    accept: "Freigeben",
    accept_as: "Als {}",
    accept_nobody: "Ein Einrichter muss sich anmelden",
    no_plane: "Die Bandebene fehlt: Ohne sie gibt es keine Millimeter",
    against: "Was dagegen spricht",
};
