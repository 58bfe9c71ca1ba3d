-- What a station remembers. This file makes a new database; an old one is brought here by steps/.
-- A test holds the two equal, so every change here needs a step.
--
-- Conventions. The unit is the last word of a column: `_ns`, `_us`, `_px`, `_bytes`.
-- `_mono_ns` is the line's own clock: nanoseconds since the run started, and, in a replay, the
-- clock of the footage. `_wall_ns` is nanoseconds since 1970-01-01 UTC; it may jump.
-- `_json` holds a word of the `domain` crate in the form that its serde gives it.
-- Hashes are SHA-256, 64 lower-case hex digits. Rectangles are in pixels of the whole frame,
-- origin at the top left. Paths are relative to the folder that holds this database.

-- 'SLST': tells a station's database from any other SQLite file.
PRAGMA application_id = 1397510996;

-- How this database came to be as it is: a row per schema version that it was made at or brought
-- to.
CREATE TABLE version (
    -- The schema version that was reached.
    number INTEGER PRIMARY KEY CHECK (number >= 1),
    -- What reached it: `schema.sql` for a new database, else the name of the step.
    step TEXT NOT NULL CHECK (step <> ''),
    -- Version of this crate that did it.
    software TEXT NOT NULL CHECK (software <> '')
) STRICT;

-- One row per run of a line, from its start to its stop; part numbers start again at 1 in each.
CREATE TABLE run (
    -- Running number of the run, never used twice; also the name of its folder under images/.
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id >= 1),
    -- When it started.
    started_wall_ns INTEGER NOT NULL,
    -- When it stopped; NULL while it runs, and for ever when it was killed.
    ended_wall_ns INTEGER,
    -- Where the frames came from, as the configuration or the command line says it.
    source TEXT NOT NULL
) STRICT;

-- Each recipe that any part was inspected with, whole, so that the verdict can be made again.
CREATE TABLE recipe (
    -- Hash over the recipe's values, as provenance refers to it.
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    -- The product's name in the recipe.
    name TEXT NOT NULL CHECK (name <> ''),
    -- The recipe's values.
    recipe_json TEXT NOT NULL CHECK (json_valid(recipe_json))
) STRICT, WITHOUT ROWID;

-- What decided: one row per combination of recipe, model, calibration and software that occurred.
-- No foreign key to recipe on purpose: a part is written down even if its recipe was not.
CREATE TABLE provenance (
    -- Number of the combination in this database.
    id INTEGER PRIMARY KEY,
    -- Hash of the recipe.
    recipe_sha256 TEXT NOT NULL
        CHECK (length(recipe_sha256) = 64 AND recipe_sha256 NOT GLOB '*[^0-9a-f]*'),
    -- Hash of the model bundle; NULL when no model was asked.
    model_sha256 TEXT
        CHECK (length(model_sha256) = 64 AND model_sha256 NOT GLOB '*[^0-9a-f]*'),
    -- Hash of the calibration profile; NULL when the recipe needs none.
    calibration_sha256 TEXT
        CHECK (length(calibration_sha256) = 64 AND calibration_sha256 NOT GLOB '*[^0-9a-f]*'),
    -- Name and version of the software.
    software TEXT NOT NULL,
    -- 1 when the frames were replayed or simulated, 0 when they came from a live camera.
    is_simulated INTEGER NOT NULL CHECK (is_simulated IN (0, 1))
) STRICT;

-- A combination is there once; NULL counts as a value here.
CREATE UNIQUE INDEX provenance_once ON provenance (
    recipe_sha256, ifnull(model_sha256, ''), ifnull(calibration_sha256, ''), software, is_simulated
);

-- One row per part: the one verdict it got and what the gate was told. Never updated.
CREATE TABLE part (
    -- The run.
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    -- Running number of the part in the run, from 1, in the order in which parts were located.
    number INTEGER NOT NULL CHECK (number >= 1),
    -- What decided.
    provenance_id INTEGER NOT NULL REFERENCES provenance (id),
    -- When the deciding frame was exposed or the trigger came, on the line's clock.
    triggered_mono_ns INTEGER NOT NULL CHECK (triggered_mono_ns >= 0),
    -- The same moment on the wall clock.
    triggered_wall_ns INTEGER NOT NULL,
    -- The verdict.
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'reject', 'undecided')),
    -- Why it was rejected, strongest reason first; NULL unless it was. Nothing is rejected for
    -- nothing.
    reasons_json TEXT,
    -- Why there is no decision; NULL unless it is undecided.
    why_json TEXT,
    -- The highest score of any defect that the recipe looks at, 0 when there is none.
    score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    -- Whether it is one whole part.
    condition TEXT NOT NULL CHECK (condition IN ('whole', 'cut', 'merged')),
    -- How many parts there seem to be; NULL unless several touch.
    parts_estimated INTEGER CHECK (parts_estimated >= 0),
    -- Speed to the right in the picture; NULL for triggered sources.
    velocity_x_px_per_s REAL,
    -- Speed down in the picture; NULL for triggered sources.
    velocity_y_px_per_s REAL,
    -- Score of each of the model's labels, the highest over the views.
    classes_json TEXT NOT NULL CHECK (json_type(classes_json) IS 'array'),
    -- What the gate was told.
    gate TEXT NOT NULL CHECK (gate IN ('pass', 'reject')),
    -- When the gate was told, on the line's clock.
    told_mono_ns INTEGER NOT NULL CHECK (told_mono_ns >= 0),
    -- By when it had to be told, on the line's clock.
    due_mono_ns INTEGER NOT NULL CHECK (due_mono_ns >= 0),
    -- Who answered: an inspection in time, or the fail-safe at the deadline.
    answered_by TEXT NOT NULL CHECK (answered_by IN ('inspection', 'fail_safe')),
    -- What the PLC answered; 'logged' when there is no PLC, 'queued' when it was on its way.
    plc TEXT NOT NULL CHECK (plc IN ('logged', 'taken', 'queued', 'failed')),
    -- Why the PLC could not be told; NULL unless it failed.
    plc_message TEXT,
    -- Time spent in capture.
    capture_us INTEGER NOT NULL CHECK (capture_us >= 0),
    -- Time spent in locate.
    locate_us INTEGER NOT NULL CHECK (locate_us >= 0),
    -- Time spent in prepare.
    prepare_us INTEGER NOT NULL CHECK (prepare_us >= 0),
    -- Time spent in infer.
    infer_us INTEGER NOT NULL CHECK (infer_us >= 0),
    -- Time spent in decide.
    decide_us INTEGER NOT NULL CHECK (decide_us >= 0),
    -- Time spent in act. What comes after is not known when this row is written.
    act_us INTEGER NOT NULL CHECK (act_us >= 0),
    -- Every part gets exactly one verdict.
    PRIMARY KEY (run_id, number),
    CHECK ((verdict = 'reject') = (reasons_json IS NOT NULL)),
    CHECK (reasons_json IS NULL OR json_array_length(reasons_json) >= 1),
    CHECK ((verdict = 'undecided') = (why_json IS NOT NULL)),
    CHECK (why_json IS NULL OR json_type(why_json, '$.why') IS 'text'),
    CHECK ((condition = 'merged') = (parts_estimated IS NOT NULL)),
    CHECK ((velocity_x_px_per_s IS NULL) = (velocity_y_px_per_s IS NULL)),
    CHECK ((plc = 'failed') = (plc_message IS NOT NULL))
) STRICT;

-- For pages and counts by verdict.
CREATE INDEX part_by_verdict ON part (verdict, run_id, number);

-- Everything found on a part, also what is below the limits.
CREATE TABLE defect (
    -- The run.
    run_id INTEGER NOT NULL,
    -- The part.
    part_number INTEGER NOT NULL,
    -- Place in the part's list of defects, from 0.
    position INTEGER NOT NULL CHECK (position >= 0),
    -- The model's label.
    kind TEXT NOT NULL,
    -- In which of the part's views, from 0.
    view INTEGER NOT NULL CHECK (view >= 0),
    -- Left edge of its box.
    box_x_px INTEGER NOT NULL CHECK (box_x_px >= 0),
    -- Top edge of its box.
    box_y_px INTEGER NOT NULL CHECK (box_y_px >= 0),
    -- Columns of its box.
    box_width_px INTEGER NOT NULL CHECK (box_width_px >= 0),
    -- Rows of its box.
    box_height_px INTEGER NOT NULL CHECK (box_height_px >= 0),
    -- How many pixels of the frame it covers.
    area_px INTEGER NOT NULL CHECK (area_px >= 0),
    -- How sure the model is.
    score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    -- Which cells of the view's heatmap; NULL for kinds of model that give none.
    mask_json TEXT CHECK (mask_json IS NULL OR json_valid(mask_json)),
    -- Place and size in millimetres; NULL without a calibration.
    mm_json TEXT CHECK (mm_json IS NULL OR json_valid(mm_json)),
    PRIMARY KEY (run_id, part_number, position),
    FOREIGN KEY (run_id, part_number) REFERENCES part (run_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The pictures that a part was judged by, whether or not they were kept. A part that the fail-safe
-- answered has those of the inspection that came late, if one came.
CREATE TABLE view (
    -- The run.
    run_id INTEGER NOT NULL,
    -- The part.
    part_number INTEGER NOT NULL,
    -- Place in the part's list of views, from 0, in recipe order.
    position INTEGER NOT NULL CHECK (position >= 0),
    -- The recipe's name for the view.
    name TEXT NOT NULL,
    -- The camera, as the configuration names it.
    camera TEXT NOT NULL,
    -- The camera's running number of the frame, from 0.
    frame_number INTEGER NOT NULL CHECK (frame_number >= 0),
    -- The file the frame was read from, relative to the source; NULL for cameras and videos.
    origin TEXT,
    -- When the frame was exposed, on the line's clock.
    exposed_mono_ns INTEGER NOT NULL CHECK (exposed_mono_ns >= 0),
    -- The same moment on the wall clock.
    exposed_wall_ns INTEGER NOT NULL,
    -- Left edge of the part.
    box_x_px INTEGER NOT NULL CHECK (box_x_px >= 0),
    -- Top edge of the part.
    box_y_px INTEGER NOT NULL CHECK (box_y_px >= 0),
    -- Columns of the part.
    box_width_px INTEGER NOT NULL CHECK (box_width_px >= 0),
    -- Rows of the part.
    box_height_px INTEGER NOT NULL CHECK (box_height_px >= 0),
    -- Left edge of what the model looked at.
    crop_x_px INTEGER NOT NULL CHECK (crop_x_px >= 0),
    -- Top edge of what the model looked at.
    crop_y_px INTEGER NOT NULL CHECK (crop_y_px >= 0),
    -- Columns of what the model looked at.
    crop_width_px INTEGER NOT NULL CHECK (crop_width_px >= 0),
    -- Rows of what the model looked at.
    crop_height_px INTEGER NOT NULL CHECK (crop_height_px >= 0),
    -- How the part lay against the golden sample; NULL where it was not aligned.
    pose_json TEXT CHECK (pose_json IS NULL OR json_valid(pose_json)),
    PRIMARY KEY (run_id, part_number, position),
    FOREIGN KEY (run_id, part_number) REFERENCES part (run_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- The files kept of a view. A row is written only after its file is whole and in place.
CREATE TABLE image (
    -- The run.
    run_id INTEGER NOT NULL,
    -- The part.
    part_number INTEGER NOT NULL,
    -- The view, from 0.
    view INTEGER NOT NULL,
    -- The exact samples of the camera, or where the view looked defective.
    kind TEXT NOT NULL CHECK (kind IN ('picture', 'heatmap')),
    -- The file; its name is made by this crate, never taken from outside.
    path TEXT NOT NULL UNIQUE
        CHECK (path GLOB 'images/*' AND path NOT LIKE '%..%'),
    -- How the camera gave the pixels; the file holds them so that they come back bit by bit.
    pixel_format TEXT NOT NULL CHECK (pixel_format <> ''),
    -- Columns of the picture or heatmap.
    width_px INTEGER NOT NULL CHECK (width_px >= 1),
    -- Rows of the picture or heatmap.
    height_px INTEGER NOT NULL CHECK (height_px >= 1),
    -- Left edge of what it covers of the frame.
    covers_x_px INTEGER NOT NULL CHECK (covers_x_px >= 0),
    -- Top edge of what it covers of the frame.
    covers_y_px INTEGER NOT NULL CHECK (covers_y_px >= 0),
    -- Columns of the frame that it covers.
    covers_width_px INTEGER NOT NULL CHECK (covers_width_px >= 0),
    -- Rows of the frame that it covers.
    covers_height_px INTEGER NOT NULL CHECK (covers_height_px >= 0),
    -- Hash of the file.
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    -- Size of the file.
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 1),
    PRIMARY KEY (run_id, part_number, view, kind),
    FOREIGN KEY (run_id, part_number, view)
        REFERENCES view (run_id, part_number, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- Inspections that came after the fail-safe had answered for their part. They changed nothing;
-- they say what the verdict would have been.
CREATE TABLE late_inspection (
    -- The run.
    run_id INTEGER NOT NULL,
    -- The part.
    part_number INTEGER NOT NULL,
    -- What the verdict would have been.
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'reject', 'undecided')),
    -- As in part.
    reasons_json TEXT,
    -- As in part.
    why_json TEXT,
    -- As in part.
    score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    -- The whole inspection.
    inspection_json TEXT NOT NULL CHECK (json_type(inspection_json) IS 'object'),
    PRIMARY KEY (run_id, part_number),
    CHECK ((verdict = 'reject') = (reasons_json IS NOT NULL)),
    CHECK (reasons_json IS NULL OR json_array_length(reasons_json) >= 1),
    CHECK ((verdict = 'undecided') = (why_json IS NOT NULL)),
    CHECK (why_json IS NULL OR json_type(why_json, '$.why') IS 'text'),
    FOREIGN KEY (run_id, part_number) REFERENCES part (run_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

-- How often each kind of event happened in a run. Counted, not listed: a flood of them takes no
-- more room than one.
CREATE TABLE event (
    -- The run.
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    -- The event's name, as in its log lines and counters.
    name TEXT NOT NULL CHECK (name <> ''),
    -- How often it happened.
    count INTEGER NOT NULL CHECK (count >= 1),
    -- When it happened last, on the line's clock.
    last_mono_ns INTEGER NOT NULL CHECK (last_mono_ns >= 0),
    -- The same moment on the wall clock.
    last_wall_ns INTEGER NOT NULL,
    -- What it said when it happened last.
    last_event_json TEXT NOT NULL CHECK (json_type(last_event_json) IS 'object'),
    PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;

-- Clips: short films around parts, each a Matroska file under clips/ with its facts beside it
-- (`….json`). A row is written only after both files are whole and in place. It stays when the
-- files go.
CREATE TABLE clip (
    -- Running number of the clip, never used twice.
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id >= 1),
    -- The run whose parts it shows. A run that has clips cannot be deleted.
    run_id INTEGER NOT NULL REFERENCES run (id),
    -- The camera, as the configuration names it.
    camera TEXT NOT NULL CHECK (camera <> ''),
    -- The strongest reason it is kept for.
    class TEXT NOT NULL CHECK (class IN ('undecided', 'rejected', 'labelled')),
    -- How far it has come to where it is kept: quarantined when one of its fragments is, else as
    -- far as the one that is farthest back.
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'received', 'persisted', 'quarantined')),
    -- When its first picture was exposed, on the line's clock.
    started_mono_ns INTEGER NOT NULL CHECK (started_mono_ns >= 0),
    -- The same moment on the wall clock.
    started_wall_ns INTEGER NOT NULL,
    -- When its last picture was exposed, on the line's clock.
    ended_mono_ns INTEGER NOT NULL,
    -- The same moment on the wall clock.
    ended_wall_ns INTEGER NOT NULL,
    -- 1 while the wall times of this row are of a clock that was not right; such a clip is held.
    clock_is_wrong INTEGER NOT NULL CHECK (clock_is_wrong IN (0, 1)),
    -- The file; its name is made by this crate, never taken from outside.
    path TEXT NOT NULL UNIQUE CHECK (path GLOB 'clips/*.mkv' AND path NOT LIKE '%..%'),
    -- Size of the file.
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 1),
    -- Size of the file of facts beside it.
    sidecar_bytes INTEGER NOT NULL CHECK (sidecar_bytes >= 0),
    -- Hash of the file.
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    -- The Matroska header before the first fragment.
    header_bytes INTEGER NOT NULL CHECK (header_bytes >= 0),
    -- Pictures in it.
    pictures INTEGER NOT NULL CHECK (pictures >= 0),
    -- Pictures that should be in it and are not.
    pictures_missing INTEGER NOT NULL CHECK (pictures_missing >= 0),
    -- Why it is not sent for now; NULL unless it is held.
    held TEXT CHECK (held <> ''),
    -- Why it was quarantined, or what went wrong last.
    trouble TEXT,
    -- How often a connection ended before it was persisted.
    attempts INTEGER NOT NULL DEFAULT 0 CHECK (attempts >= 0),
    -- When its files were removed; NULL while they are there.
    gone_wall_ns INTEGER,
    CHECK (ended_mono_ns >= started_mono_ns),
    CHECK (header_bytes < size_bytes),
    CHECK (clock_is_wrong = 0 OR held IS NOT NULL)
) STRICT;

-- For the clips of a camera that are still to be sent.
CREATE INDEX clip_waiting ON clip (camera, started_wall_ns, id)
    WHERE state IN ('queued', 'sent', 'received');

-- For sums over what is on disk, however many have gone.
CREATE INDEX clip_here ON clip (state, started_wall_ns) WHERE gone_wall_ns IS NULL;

-- Those that were filmed by a clock that was not right: nearly always none.
CREATE INDEX clip_of_wrong_clock ON clip (run_id) WHERE clock_is_wrong = 1;

-- The parts that a clip was cut for.
CREATE TABLE clip_part (
    -- The clip.
    clip_id INTEGER NOT NULL REFERENCES clip (id) ON DELETE CASCADE,
    -- Place in the clip's list of parts, from 0.
    position INTEGER NOT NULL CHECK (position >= 0),
    -- The part, of the clip's run. No foreign key on purpose: its row may be written later.
    part_number INTEGER NOT NULL CHECK (part_number >= 1),
    -- Its verdict.
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'reject', 'undecided')),
    -- When the deciding picture was exposed or the trigger came, on the line's clock.
    at_mono_ns INTEGER NOT NULL CHECK (at_mono_ns >= 0),
    -- The same moment on the wall clock.
    at_wall_ns INTEGER NOT NULL,
    -- Which picture of the clip shows it, from 0; NULL when that picture is missing.
    picture INTEGER CHECK (picture >= 0),
    PRIMARY KEY (clip_id, position)
) STRICT, WITHOUT ROWID;

-- For the clips of a part.
CREATE INDEX clip_part_by_part ON clip_part (part_number, clip_id);

-- The pieces of a clip that the service takes or refuses as a whole.
CREATE TABLE fragment (
    -- The clip.
    clip_id INTEGER NOT NULL REFERENCES clip (id) ON DELETE CASCADE,
    -- Place in the clip, from 0.
    position INTEGER NOT NULL CHECK (position >= 0),
    -- Where its tags begin in the file.
    offset_bytes INTEGER NOT NULL CHECK (offset_bytes >= 0),
    -- Tags and cluster together.
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 1),
    -- Where in the file the eight bytes of the cluster's timecode are.
    timecode_at_bytes INTEGER NOT NULL CHECK (timecode_at_bytes >= offset_bytes),
    -- Milliseconds from the clip's start to its first picture.
    starts_ms INTEGER NOT NULL CHECK (starts_ms >= 0),
    -- Milliseconds from its first picture to the end of its last.
    lasts_ms INTEGER NOT NULL CHECK (lasts_ms >= 0),
    -- How far it has come.
    state TEXT NOT NULL CHECK (state IN ('queued', 'sent', 'received', 'persisted', 'quarantined')),
    -- What the service calls it; NULL until it said so.
    number TEXT CHECK (number <> ''),
    PRIMARY KEY (clip_id, position)
) STRICT, WITHOUT ROWID;

-- What people said of parts. Every label ever given stays; only `holds` and `withdrawn_wall_ns`
-- change.
CREATE TABLE label (
    -- Running number of the label, never used twice.
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id >= 1),
    -- The run. A part that has labels cannot be deleted.
    run_id INTEGER NOT NULL,
    -- The part.
    part_number INTEGER NOT NULL,
    -- When it was said.
    said_wall_ns INTEGER NOT NULL,
    -- Who said it: a pseudonym. Who that is stands nowhere in this database.
    person TEXT NOT NULL CHECK (person <> ''),
    -- What they were then.
    role TEXT NOT NULL CHECK (role IN ('operator', 'quality', 'engineer')),
    -- What they said of the whole part; also in label_json.
    judgement TEXT NOT NULL CHECK (judgement IN ('good', 'bad', 'doubt', 'skip')),
    -- All that they said.
    label_json TEXT NOT NULL CHECK (json_type(label_json) IS 'object'),
    -- 1 when it was asked for to compare it with another person's, which it does not replace.
    is_second INTEGER NOT NULL CHECK (is_second IN (0, 1)),
    -- 0 when the person said something else of the part later, or took it back.
    holds INTEGER NOT NULL CHECK (holds IN (0, 1)),
    -- When the person took it back; NULL unless they did.
    withdrawn_wall_ns INTEGER,
    CHECK (withdrawn_wall_ns IS NULL OR holds = 0),
    CHECK (judgement IS json_extract(label_json, '$.judgement')),
    FOREIGN KEY (run_id, part_number) REFERENCES part (run_id, number)
) STRICT;

-- For all that was said of a part.
CREATE INDEX label_by_part ON label (run_id, part_number, id);

-- Of one person only one label of a part holds.
CREATE UNIQUE INDEX label_of_person ON label (run_id, part_number, person) WHERE holds = 1;

-- For the label in force of a part: the last of these.
CREATE INDEX label_in_force ON label (run_id, part_number, id) WHERE holds = 1 AND is_second = 0;

-- What was said is not changed.
CREATE TRIGGER label_stays BEFORE UPDATE OF id, run_id, part_number, said_wall_ns, person, role,
    judgement, label_json, is_second ON label
BEGIN
    SELECT raise(ABORT, 'what was said of a part is not changed: add a label, or take one back');
END;

-- What was said is not removed.
CREATE TRIGGER label_is_kept BEFORE DELETE ON label
BEGIN
    SELECT raise(ABORT, 'what was said of a part is not removed: take it back instead');
END;

-- What was done at the station, by whom, in order. Each row is chained to the one before it by its
-- hash, so that one that was changed, removed or added later shows.
CREATE TABLE audit (
    -- Running number of the entry, from 1, without gaps.
    seq INTEGER PRIMARY KEY CHECK (seq >= 1),
    -- When it was done.
    at_wall_ns INTEGER NOT NULL,
    -- Who did it: a pseudonym; NULL when nobody was logged in or the station itself did.
    person TEXT CHECK (person <> ''),
    -- What they were then; NULL when nobody.
    role TEXT CHECK (role IN ('operator', 'quality', 'engineer')),
    -- What was done, in a word.
    action TEXT NOT NULL CHECK (action <> ''),
    -- What else there is to say of it. Never a person's name, never a PIN.
    detail_json TEXT NOT NULL CHECK (json_type(detail_json) IS 'object'),
    -- sha256 of the entry before; 64 zeros in the first.
    before_sha256 TEXT NOT NULL
        CHECK (length(before_sha256) = 64 AND before_sha256 NOT GLOB '*[^0-9a-f]*'),
    -- Hash over the JSON array of all columns before this one, in this order, without spaces.
    sha256 TEXT NOT NULL UNIQUE CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    CHECK ((person IS NULL) = (role IS NULL))
) STRICT;

-- What was done is not changed.
CREATE TRIGGER audit_stays BEFORE UPDATE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is not changed, only added to');
END;

-- What was done is not removed.
CREATE TRIGGER audit_is_kept BEFORE DELETE ON audit
BEGIN
    SELECT raise(ABORT, 'the audit log is not shortened, only added to');
END;

-- For parts and yield over a stretch of time.
CREATE INDEX part_by_time ON part (triggered_wall_ns, verdict, answered_by);
