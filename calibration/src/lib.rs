//! FROM PIXELS TO MILLIMETRES: lens, scale, flat field, alignment, acceptance. Only the door so
//! far: nothing measures in millimetres yet, and no part carries a calibration.
