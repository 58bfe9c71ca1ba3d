-- The first schema. What each table and column means is said in ../schema.sql.

PRAGMA application_id = 1397510996;

CREATE TABLE version (
    number INTEGER PRIMARY KEY CHECK (number >= 1),
    step TEXT NOT NULL CHECK (step <> ''),
    software TEXT NOT NULL CHECK (software <> '')
) STRICT;

CREATE TABLE run (
    id INTEGER PRIMARY KEY AUTOINCREMENT CHECK (id >= 1),
    started_wall_ns INTEGER NOT NULL,
    ended_wall_ns INTEGER,
    source TEXT NOT NULL
) STRICT;

CREATE TABLE recipe (
    sha256 TEXT PRIMARY KEY CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    name TEXT NOT NULL CHECK (name <> ''),
    recipe_json TEXT NOT NULL CHECK (json_valid(recipe_json))
) STRICT, WITHOUT ROWID;

CREATE TABLE provenance (
    id INTEGER PRIMARY KEY,
    recipe_sha256 TEXT NOT NULL
        CHECK (length(recipe_sha256) = 64 AND recipe_sha256 NOT GLOB '*[^0-9a-f]*'),
    model_sha256 TEXT
        CHECK (length(model_sha256) = 64 AND model_sha256 NOT GLOB '*[^0-9a-f]*'),
    calibration_sha256 TEXT
        CHECK (length(calibration_sha256) = 64 AND calibration_sha256 NOT GLOB '*[^0-9a-f]*'),
    software TEXT NOT NULL,
    is_simulated INTEGER NOT NULL CHECK (is_simulated IN (0, 1))
) STRICT;

CREATE UNIQUE INDEX provenance_once ON provenance (
    recipe_sha256, ifnull(model_sha256, ''), ifnull(calibration_sha256, ''), software, is_simulated
);

CREATE TABLE part (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    number INTEGER NOT NULL CHECK (number >= 1),
    provenance_id INTEGER NOT NULL REFERENCES provenance (id),
    triggered_mono_ns INTEGER NOT NULL CHECK (triggered_mono_ns >= 0),
    triggered_wall_ns INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'reject', 'undecided')),
    reasons_json TEXT,
    why_json TEXT,
    score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    condition TEXT NOT NULL CHECK (condition IN ('whole', 'cut', 'merged')),
    parts_estimated INTEGER CHECK (parts_estimated >= 0),
    velocity_x_px_per_s REAL,
    velocity_y_px_per_s REAL,
    classes_json TEXT NOT NULL CHECK (json_type(classes_json) IS 'array'),
    gate TEXT NOT NULL CHECK (gate IN ('pass', 'reject')),
    told_mono_ns INTEGER NOT NULL CHECK (told_mono_ns >= 0),
    due_mono_ns INTEGER NOT NULL CHECK (due_mono_ns >= 0),
    answered_by TEXT NOT NULL CHECK (answered_by IN ('inspection', 'fail_safe')),
    plc TEXT NOT NULL CHECK (plc IN ('logged', 'taken', 'failed')),
    plc_message TEXT,
    capture_us INTEGER NOT NULL CHECK (capture_us >= 0),
    locate_us INTEGER NOT NULL CHECK (locate_us >= 0),
    prepare_us INTEGER NOT NULL CHECK (prepare_us >= 0),
    infer_us INTEGER NOT NULL CHECK (infer_us >= 0),
    decide_us INTEGER NOT NULL CHECK (decide_us >= 0),
    act_us INTEGER NOT NULL CHECK (act_us >= 0),
    PRIMARY KEY (run_id, number),
    CHECK ((verdict = 'reject') = (reasons_json IS NOT NULL)),
    CHECK (reasons_json IS NULL OR json_array_length(reasons_json) >= 1),
    CHECK ((verdict = 'undecided') = (why_json IS NOT NULL)),
    CHECK (why_json IS NULL OR json_type(why_json, '$.why') IS 'text'),
    CHECK ((condition = 'merged') = (parts_estimated IS NOT NULL)),
    CHECK ((velocity_x_px_per_s IS NULL) = (velocity_y_px_per_s IS NULL)),
    CHECK ((plc = 'failed') = (plc_message IS NOT NULL))
) STRICT;

CREATE INDEX part_by_verdict ON part (verdict, run_id, number);

CREATE TABLE defect (
    run_id INTEGER NOT NULL,
    part_number INTEGER NOT NULL,
    position INTEGER NOT NULL CHECK (position >= 0),
    kind TEXT NOT NULL,
    view INTEGER NOT NULL CHECK (view >= 0),
    box_x_px INTEGER NOT NULL CHECK (box_x_px >= 0),
    box_y_px INTEGER NOT NULL CHECK (box_y_px >= 0),
    box_width_px INTEGER NOT NULL CHECK (box_width_px >= 0),
    box_height_px INTEGER NOT NULL CHECK (box_height_px >= 0),
    area_px INTEGER NOT NULL CHECK (area_px >= 0),
    score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    mask_json TEXT CHECK (mask_json IS NULL OR json_valid(mask_json)),
    PRIMARY KEY (run_id, part_number, position),
    FOREIGN KEY (run_id, part_number) REFERENCES part (run_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE view (
    run_id INTEGER NOT NULL,
    part_number INTEGER NOT NULL,
    position INTEGER NOT NULL CHECK (position >= 0),
    name TEXT NOT NULL,
    camera TEXT NOT NULL,
    frame_number INTEGER NOT NULL CHECK (frame_number >= 0),
    origin TEXT,
    exposed_mono_ns INTEGER NOT NULL CHECK (exposed_mono_ns >= 0),
    exposed_wall_ns INTEGER NOT NULL,
    box_x_px INTEGER NOT NULL CHECK (box_x_px >= 0),
    box_y_px INTEGER NOT NULL CHECK (box_y_px >= 0),
    box_width_px INTEGER NOT NULL CHECK (box_width_px >= 0),
    box_height_px INTEGER NOT NULL CHECK (box_height_px >= 0),
    crop_x_px INTEGER NOT NULL CHECK (crop_x_px >= 0),
    crop_y_px INTEGER NOT NULL CHECK (crop_y_px >= 0),
    crop_width_px INTEGER NOT NULL CHECK (crop_width_px >= 0),
    crop_height_px INTEGER NOT NULL CHECK (crop_height_px >= 0),
    PRIMARY KEY (run_id, part_number, position),
    FOREIGN KEY (run_id, part_number) REFERENCES part (run_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE image (
    run_id INTEGER NOT NULL,
    part_number INTEGER NOT NULL,
    view INTEGER NOT NULL,
    kind TEXT NOT NULL CHECK (kind IN ('picture', 'heatmap')),
    path TEXT NOT NULL UNIQUE
        CHECK (path GLOB 'images/*' AND path NOT LIKE '%..%'),
    pixel_format TEXT NOT NULL CHECK (pixel_format <> ''),
    width_px INTEGER NOT NULL CHECK (width_px >= 1),
    height_px INTEGER NOT NULL CHECK (height_px >= 1),
    covers_x_px INTEGER NOT NULL CHECK (covers_x_px >= 0),
    covers_y_px INTEGER NOT NULL CHECK (covers_y_px >= 0),
    covers_width_px INTEGER NOT NULL CHECK (covers_width_px >= 0),
    covers_height_px INTEGER NOT NULL CHECK (covers_height_px >= 0),
    sha256 TEXT NOT NULL CHECK (length(sha256) = 64 AND sha256 NOT GLOB '*[^0-9a-f]*'),
    size_bytes INTEGER NOT NULL CHECK (size_bytes >= 1),
    PRIMARY KEY (run_id, part_number, view, kind),
    FOREIGN KEY (run_id, part_number, view)
        REFERENCES view (run_id, part_number, position) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;
