//! Takes counts of parts in videos, gives how many pass in one of them.
//!
//! A line of the table is something that passes: `video` names the file and `count` says how
//! many parts it is. Only the sum for a video is used, for times are set down by eye.

use std::collections::BTreeMap;
use std::path::Path;

use super::{Table, TruthError};

/// Parts counted in each video, by the video's file name.
#[derive(Debug)]
pub(super) struct Counts(BTreeMap<String, u64>);

impl Counts {
    pub(super) fn from_table(mut table: Table<'_>) -> Result<Self, TruthError> {
        let mut counts = BTreeMap::<String, u64>::new();
        while let Some(line) = table.next()? {
            let video = table.cell(&line, "video");
            if video.is_empty() {
                return Err(table.wrong(&line, "video", "the file name of a video"));
            }
            let count: u32 = table
                .cell(&line, "count")
                .trim()
                .parse()
                .map_err(|_| table.wrong(&line, "count", "a number of parts, 0 or more"))?;
            *counts.entry(video.to_owned()).or_default() += u64::from(count);
        }
        Ok(Self(counts))
    }

    /// How many parts pass in the video at `source`; `table` is named in the error.
    pub(super) fn of(&self, source: &str, table: &Path) -> Result<u64, TruthError> {
        let name = source.rsplit(['/', '\\']).next().unwrap_or(source);
        self.0.get(name).copied().ok_or_else(|| TruthError::Video {
            path: table.to_owned(),
            video: name.to_owned(),
            known: self.0.keys().map(String::as_str).collect::<Vec<_>>().join(", "),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> Result<Counts, TruthError> {
        let text = format!("video,event,t_center_s,line,direction,class,count,note\n{lines}");
        Counts::from_table(Table::open(Path::new("c.csv"), text.as_bytes())?)
    }

    #[test]
    fn counts_add_up_by_video() {
        let counts = read(
            "eggs.mp4,1,5.4,x=2,lr,egg,1,y=3\nbags.mp4,1,0.1,y=4,bt,bag,1,\n\
             eggs.mp4,2,5.8,x=2,lr,egg,2,\n",
        )
        .unwrap();
        assert_eq!(counts.of("/data/videos/eggs.mp4", Path::new("c.csv")).unwrap(), 3);
        let error = counts.of("nuts.mp4", Path::new("c.csv")).unwrap_err().to_string();
        assert!(error.contains("`nuts.mp4`") && error.contains("bags.mp4, eggs.mp4"), "{error}");
    }

    #[test]
    fn what_is_no_count_is_named() {
        for (line, column) in [("a.mp4,1,,,,,-1,", "`count`"), (",1,,,,,1,", "`video`")] {
            let error = read(&format!("a.mp4,1,,,,,1,\n{line}\n")).unwrap_err().to_string();
            assert!(error.contains("line 3") && error.contains(column), "{error}");
        }
    }
}
