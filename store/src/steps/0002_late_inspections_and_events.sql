-- Inspections that came too late are kept, and events are counted.

CREATE TABLE late_inspection (
    run_id INTEGER NOT NULL,
    part_number INTEGER NOT NULL,
    verdict TEXT NOT NULL CHECK (verdict IN ('pass', 'reject', 'undecided')),
    reasons_json TEXT,
    why_json TEXT,
    score REAL NOT NULL CHECK (score BETWEEN 0 AND 1),
    inspection_json TEXT NOT NULL CHECK (json_type(inspection_json) IS 'object'),
    PRIMARY KEY (run_id, part_number),
    CHECK ((verdict = 'reject') = (reasons_json IS NOT NULL)),
    CHECK (reasons_json IS NULL OR json_array_length(reasons_json) >= 1),
    CHECK ((verdict = 'undecided') = (why_json IS NOT NULL)),
    CHECK (why_json IS NULL OR json_type(why_json, '$.why') IS 'text'),
    FOREIGN KEY (run_id, part_number) REFERENCES part (run_id, number) ON DELETE CASCADE
) STRICT, WITHOUT ROWID;

CREATE TABLE event (
    run_id INTEGER NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    name TEXT NOT NULL CHECK (name <> ''),
    count INTEGER NOT NULL CHECK (count >= 1),
    last_mono_ns INTEGER NOT NULL CHECK (last_mono_ns >= 0),
    last_wall_ns INTEGER NOT NULL,
    last_event_json TEXT NOT NULL CHECK (json_type(last_event_json) IS 'object'),
    PRIMARY KEY (run_id, name)
) STRICT, WITHOUT ROWID;
