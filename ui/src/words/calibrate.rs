//! Words of the Calibrate page.

mod english;
mod german;

pub use english::ENGLISH;
pub use german::GERMAN;

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
