//! The whole film as one stream, by the encoder that makes clips, with the same settings, in
//! fragments as the cloud takes them. Takes frames; gives how many bytes that are.

use std::io::{Sink, sink};

use domain::{Frame, WallTime};
use pipeline::record::clip::ClipConfig;
use pipeline::record::clip::encoder::{Coded, Encoder, Encoders};
use pipeline::record::clip::matroska::Header;
use pipeline::record::clip::writer::{ClipWriter, Pace};
use pipeline::record::film::FilmConfig;
use pipeline::record::film::shrink::{Shrinker, bytes_of};
use pipeline::record::reel::{FilmBytes, FilmPicture};
use sightline_benches::Failure;

use crate::footage::{FPS, SIZE, at};

/// A stream that is being sent to nowhere.
pub struct Stream {
    shrinker: Shrinker,
    encoder: Encoder,
    pace: Pace,
    key_ms: Option<u64>,
    coded: Vec<Coded>,
    writer: Option<ClipWriter<Sink>>,
}

impl Stream {
    pub fn open() -> Result<Self, Failure> {
        let config = ClipConfig::default();
        Ok(Self {
            shrinker: Shrinker::new(FilmConfig::default().longer_side_px),
            encoder: Encoders::new(&config, FPS)?.begin(SIZE)?,
            pace: Pace {
                fragment_ms: config.fragment_ms.into(),
                frame_ms: 1000_u64.div_ceil(FPS.into()),
            },
            key_ms: None,
            coded: Vec::new(),
            writer: None,
        })
    }

    /// The next frame.
    pub fn see(&mut self, frame: &Frame) -> Result<(), Failure> {
        let mut bytes = vec![0; bytes_of(SIZE)];
        self.shrinker.shrink(&*frame.pixels, &mut bytes);
        let bytes = FilmBytes { bytes, back: None };
        let picture = FilmPicture { size: SIZE, bytes, at: frame.at, sequence: frame.sequence };
        let at_ms = (ms(frame.at.wall) - ms(at(0).wall)).unsigned_abs();
        let is_key = self.key_ms.is_none_or(|began| self.pace.begins_anew(began, at_ms));
        if is_key {
            self.key_ms = Some(at_ms);
        }
        self.encoder.push(picture, at_ms, is_key, &mut self.coded)?;
        self.write()
    }

    /// Bytes of the whole stream.
    pub fn end(mut self) -> Result<u64, Failure> {
        self.encoder.finish(&mut self.coded)?;
        self.write()?;
        let writer = self.writer.ok_or("the stream has no picture")?;
        let (_, written) = writer.finish(&|_, _| Vec::new())?;
        Ok(written.bytes)
    }

    fn write(&mut self) -> Result<(), Failure> {
        if self.coded.is_empty() {
            return Ok(());
        }
        let writer = match &mut self.writer {
            Some(writer) => writer,
            None => {
                let header = Header {
                    title: "bench",
                    software: "bench",
                    size: SIZE,
                    frame_ns: Some(1_000_000_000 / u64::from(FPS)),
                    avcc: self.encoder.avcc().unwrap_or_default(),
                };
                let begun = ClipWriter::begin(sink(), &header.bytes(), ms(at(0).wall), self.pace)?;
                self.writer.insert(begun)
            }
        };
        for coded in self.coded.drain(..) {
            writer.push(coded, &|_, _| Vec::new())?;
        }
        Ok(())
    }
}

/// Milliseconds since 1970.
const fn ms(wall: WallTime) -> i64 {
    wall.unix_ns.div_euclid(1_000_000)
}
