//! The parts of a [`Truth`](super::Truth) as a CSV table: one line a part, without masks.

use std::io::{Read, Write};
use std::str::FromStr;

use csv::StringRecord;

use super::{TruthError, TruthPart};

const COLUMNS: [&str; 12] = [
    "part",
    "type",
    "entry_frame",
    "exit_frame",
    "centre_frame",
    "x",
    "y",
    "width",
    "height",
    "label",
    "whole",
    "track",
];

pub(super) fn write(parts: &[TruthPart], to: impl Write) -> Result<(), TruthError> {
    let mut table = csv::Writer::from_writer(to);
    table.write_record(COLUMNS).map_err(csv_error)?;
    for part in parts {
        let track: Vec<_> = part.track.iter().map(|(f, x, y)| format!("{f}:{x}:{y}")).collect();
        let row = [
            part.part.to_string(),
            part.type_name.clone(),
            part.entry_frame.to_string(),
            part.exit_frame.to_string(),
            part.centre_frame.to_string(),
            part.x.to_string(),
            part.y.to_string(),
            part.width.to_string(),
            part.height.to_string(),
            part.label.clone(),
            part.whole.to_string(),
            track.join(";"),
        ];
        table.write_record(row).map_err(csv_error)?;
    }
    Ok(table.flush()?)
}

pub(super) fn read(from: impl Read) -> Result<Vec<TruthPart>, TruthError> {
    let mut table = csv::Reader::from_reader(from);
    let places = places_from_header(table.headers().map_err(csv_error)?)?;
    let mut parts = Vec::new();
    for record in table.records() {
        parts.push(part_from_row(&Row { record: record.map_err(csv_error)?, places })?);
    }
    Ok(parts)
}

/// Where each of [`COLUMNS`] is; more columns are let be.
fn places_from_header(header: &StringRecord) -> Result<[usize; 12], TruthError> {
    let mut places = [0; 12];
    for (place, column) in places.iter_mut().zip(COLUMNS) {
        *place = header
            .iter()
            .position(|name| name.trim() == column)
            .ok_or_else(|| TruthError::Header { column, expected: COLUMNS.join(",") })?;
    }
    Ok(places)
}

struct Row {
    record: StringRecord,
    places: [usize; 12],
}

impl Row {
    fn text(&self, column: usize) -> &str {
        self.record.get(self.places[column]).unwrap_or_default()
    }

    fn read<T: FromStr>(&self, column: usize, right: &'static str) -> Result<T, TruthError> {
        self.text(column).trim().parse().map_err(|_| self.wrong(column, right))
    }

    fn wrong(&self, column: usize, right: &'static str) -> TruthError {
        TruthError::Cell {
            line: self.record.position().map_or(0, csv::Position::line),
            column: COLUMNS[column],
            value: self.text(column).to_owned(),
            right,
        }
    }
}

fn part_from_row(row: &Row) -> Result<TruthPart, TruthError> {
    let part = TruthPart {
        part: row.read(0, "a part's number, from 1")?,
        type_name: row.text(1).to_owned(),
        entry_frame: row.read(2, "a frame's number")?,
        exit_frame: row.read(3, "a frame's number")?,
        centre_frame: row.read(4, "a frame's number")?,
        x: row.read(5, "a whole number of pixels")?,
        y: row.read(6, "a whole number of pixels")?,
        width: row.read(7, "a whole number of pixels, not below 0")?,
        height: row.read(8, "a whole number of pixels, not below 0")?,
        label: row.text(9).to_owned(),
        whole: row.read(10, "`true` or `false`")?,
        track: track_from(row.text(11))
            .ok_or_else(|| row.wrong(11, "`frame:x:y` joined with `;`, frames rising"))?,
        defects: Vec::new(),
    };
    if part.label.is_empty() {
        return Err(row.wrong(9, "`ok` or kinds of defects joined with `|`"));
    }
    if !(part.entry_frame..=part.exit_frame).contains(&part.centre_frame) {
        return Err(row.wrong(4, "in entry_frame..=exit_frame"));
    }
    Ok(part)
}

fn track_from(text: &str) -> Option<Vec<(u64, f64, f64)>> {
    if text.trim().is_empty() {
        return Some(Vec::new());
    }
    let track: Vec<_> = text.split(';').map(point_from).collect::<Option<_>>()?;
    track.windows(2).all(|pair| pair[0].0 < pair[1].0).then_some(track)
}

fn point_from(text: &str) -> Option<(u64, f64, f64)> {
    let mut fields = text.trim().split(':');
    let frame = fields.next()?.parse().ok()?;
    let x = fields.next()?.parse().ok().filter(|x: &f64| x.is_finite())?;
    let y = fields.next()?.parse().ok().filter(|y: &f64| y.is_finite())?;
    fields.next().is_none().then_some((frame, x, y))
}

fn csv_error(source: csv::Error) -> TruthError {
    let line = source.position().map_or(0, csv::Position::line);
    TruthError::Csv { line, source }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::truth::tests::part;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn csv_round_trips_all_but_the_masks(
            mut parts in prop::collection::vec(part(), 0..4),
        ) {
            let mut bytes = Vec::new();
            write(&parts, &mut bytes).unwrap();
            parts.iter_mut().for_each(|part| part.defects.clear());
            prop_assert_eq!(read(bytes.as_slice()).unwrap(), parts);
        }

        #[test]
        fn csv_with_any_byte_changed_is_read_or_refused_but_never_panics(
            part in part(), at in any::<prop::sample::Index>(), byte in any::<u8>(),
        ) {
            let mut bytes = Vec::new();
            write(&[part], &mut bytes).unwrap();
            let at = at.index(bytes.len());
            bytes[at] = byte;
            let _ = read(bytes.as_slice());
        }
    }

    const HEADER: &str = "part,type,entry_frame,exit_frame,centre_frame,x,y,width,height,label,\
                          whole,track";

    #[test]
    fn errors_name_the_line_and_the_column() {
        let good = "1,flange,0,9,5,-3,4,20,10,scratch|dent,true,0:-20:4;9:30.5:4";
        let wrong = [
            ("2,flange,0,9,5,-3,4,20,10,ok,yes,", "whole"),
            ("2,flange,0,9,5,-3,4,-20,10,ok,true,", "width"),
            ("2,flange,0,9,5,0.5,4,20,10,ok,true,", "\"x\""),
            ("2,flange,0,9,10,0,4,20,10,ok,true,", "centre_frame"),
            ("2,flange,0,9,5,0,4,20,10,,true,", "label"),
            ("2,flange,0,9,5,0,4,20,10,ok,true,0:1", "track"),
            ("2,flange,0,9,5,0,4,20,10,ok,true,5:1:1;5:2:2", "track"),
            ("2,flange,0,9,5,0,4,20,10,ok,true,5:NaN:1", "track"),
        ];
        assert_eq!(read(format!("{HEADER}\n{good}\n").as_bytes()).unwrap()[0].x, -3);
        for (row, column) in wrong {
            let error = read(format!("{HEADER}\n{good}\n{row}\n").as_bytes()).unwrap_err();
            let said = error.to_string();
            assert!(said.contains("line 3") && said.contains(column), "{said}");
        }
    }

    #[test]
    fn a_missing_column_is_named_and_the_order_is_free() {
        let error = read(HEADER.replace("label,", "").as_bytes()).unwrap_err();
        assert!(error.to_string().contains("\"label\""), "{error}");
        let turned = "type,part,entry_frame,exit_frame,centre_frame,x,y,width,height,label,whole,\
                      track,remark\nbracket,7,0,9,5,0,4,20,10,ok,false,,seen\n";
        assert_eq!(read(turned.as_bytes()).unwrap()[0].part, 7);
    }
}
