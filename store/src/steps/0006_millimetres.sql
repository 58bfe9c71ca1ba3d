-- What was measured on the belt, and how parts lay.

-- Place and size in millimetres; NULL without a calibration.
ALTER TABLE defect ADD COLUMN mm_json TEXT CHECK (mm_json IS NULL OR json_valid(mm_json));

-- How the part lay against the golden sample; NULL where it was not aligned.
ALTER TABLE view ADD COLUMN pose_json TEXT CHECK (pose_json IS NULL OR json_valid(pose_json));
