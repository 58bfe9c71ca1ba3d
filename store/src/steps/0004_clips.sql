-- Clips and how far they have come.

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
