-- What people said of parts, and what anybody did.

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
