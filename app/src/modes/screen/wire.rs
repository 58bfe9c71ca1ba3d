//! What goes between the station's process and its screen's. Takes messages; gives them on the
//! other end, whole. Each is two lengths (four bytes each, little end first), JSON, and bytes that
//! are no JSON.

use std::io::{self, Read, Write};
use std::sync::Arc;

use domain::{CameraId, Command, RectPx, SizePx, VerdictKind};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};
use ui::{Answer, Ask, News, Preview, RgbPicture, Settings};

/// No message of ours is longer; one that says so is none.
const JSON_MOST: u32 = 16 << 20;
const BYTES_MOST: u32 = 64 << 20;

/// What the station tells its screen.
#[derive(Serialize, Deserialize)]
pub enum ToScreen {
    /// The latest of everything but pictures.
    News(Box<News>),
    /// A camera's newest picture; its bytes follow.
    Preview {
        /// The camera.
        camera: CameraId,
        /// Grows with every picture.
        number: u64,
        /// Size of the picture.
        size: SizePx,
        /// Size of the camera's frame.
        frame_size: SizePx,
        /// Parts in it.
        parts: Vec<(RectPx, VerdictKind)>,
    },
    /// What became of a command.
    Answer(Ask, Answer),
}

/// What the screen asks of its station.
#[derive(Debug, PartialEq, Serialize, Deserialize)]
pub enum ToStation {
    /// Execute this.
    Ask(Ask, Command),
    /// Keep this for the next start.
    Keep(Settings),
    /// Whether it shows cameras' pictures now.
    Look(bool),
    /// It is on the display.
    Shown,
}

/// Sends one message.
///
/// # Errors
/// When the other end is gone, or takes nothing for longer than the stream allows.
pub fn send(stream: &mut impl Write, message: &impl Serialize, bytes: &[u8]) -> io::Result<()> {
    let json = serde_json::to_vec(message)?;
    let too_long = || io::Error::other("a message too long to be sent");
    let lengths = [(json.len(), JSON_MOST), (bytes.len(), BYTES_MOST)].map(|(length, most)| {
        u32::try_from(length).ok().filter(|length| *length <= most).ok_or_else(too_long)
    });
    let [json_length, byte_length] = lengths;
    let mut head = [0; 8];
    head[..4].copy_from_slice(&json_length?.to_le_bytes());
    head[4..].copy_from_slice(&byte_length?.to_le_bytes());
    stream.write_all(&head)?;
    stream.write_all(&json)?;
    stream.write_all(bytes)?;
    stream.flush()
}

/// Waits for one message; `None` when the other end has closed between two.
///
/// # Errors
/// When the other end is gone within one, or sends what is none.
pub fn receive<T: DeserializeOwned>(stream: &mut impl Read) -> io::Result<Option<(T, Vec<u8>)>> {
    let mut head = [0; 8];
    match stream.read(&mut head[..1])? {
        0 => return Ok(None),
        _ => stream.read_exact(&mut head[1..])?,
    }
    let [a, b, c, d, e, f, g, h] = head;
    let (json, bytes) = (u32::from_le_bytes([a, b, c, d]), u32::from_le_bytes([e, f, g, h]));
    if json > JSON_MOST || bytes > BYTES_MOST {
        return Err(io::Error::new(io::ErrorKind::InvalidData, "no message of this program"));
    }
    let mut piece = |length: u32| {
        let mut piece = vec![0; length as usize];
        stream.read_exact(&mut piece).map(|()| piece)
    };
    let (json, bytes) = (piece(json)?, piece(bytes)?);
    Ok(Some((serde_json::from_slice(&json)?, bytes)))
}

/// Sends a camera's picture.
///
/// # Errors
/// As [`send`].
pub fn send_preview(stream: &mut impl Write, preview: &Preview) -> io::Result<()> {
    let head = ToScreen::Preview {
        camera: preview.camera.clone(),
        number: preview.number,
        size: preview.picture.size,
        frame_size: preview.frame_size,
        parts: preview.parts.clone(),
    };
    send(stream, &head, &preview.picture.rgb)
}

/// The picture of a [`ToScreen::Preview`] and the bytes that came with it; `None` when they are not
/// as many as it says.
pub fn preview_of(message: ToScreen, rgb: Vec<u8>) -> Option<Arc<Preview>> {
    let ToScreen::Preview { camera, number, size, frame_size, parts } = message else {
        return None;
    };
    let is_whole = rgb.len() as u64 == 3 * size.area();
    let picture = RgbPicture { size, rgb };
    is_whole.then(|| Arc::new(Preview { camera, number, picture, frame_size, parts }))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn messages_arrive_as_they_were_sent() {
        let mut sent = Vec::new();
        let ask = ToStation::Ask(Ask(7), Command::SelectRecipe { number: 3 });
        send(&mut sent, &ask, b"").unwrap();
        send(&mut sent, &ToStation::Keep(Settings::default()), b"more").unwrap();
        let mut stream = sent.as_slice();
        let (first, none) = receive::<ToStation>(&mut stream).unwrap().unwrap();
        assert_eq!((first, none), (ask, vec![]));
        let (_, more) = receive::<ToStation>(&mut stream).unwrap().unwrap();
        assert_eq!(more, b"more");
        assert!(receive::<ToStation>(&mut stream).unwrap().is_none(), "closed");
    }

    #[test]
    fn a_picture_that_is_cut_is_none() {
        let size = SizePx::new(2, 2);
        let picture = RgbPicture { size, rgb: vec![7; 12] };
        let preview = Preview {
            camera: CameraId::new("top"),
            number: 4,
            picture,
            frame_size: size,
            parts: vec![(RectPx::new(0, 1, 1, 1), VerdictKind::Reject)],
        };
        let mut sent = Vec::new();
        send_preview(&mut sent, &preview).unwrap();
        let (message, rgb) = receive::<ToScreen>(&mut sent.as_slice()).unwrap().unwrap();
        let got = preview_of(message, rgb).unwrap();
        assert_eq!((got.number, &got.parts, &got.picture), (4, &preview.parts, &preview.picture));
        let (message, _) = receive::<ToScreen>(&mut sent.as_slice()).unwrap().unwrap();
        assert!(preview_of(message, vec![7; 11]).is_none());
        assert!(receive::<ToScreen>(&mut &sent[..sent.len() - 1]).is_err(), "cut within");
    }

    proptest! {
        #[test]
        fn what_is_no_message_is_refused_and_takes_no_memory(noise: Vec<u8>) {
            let _ = receive::<ToStation>(&mut noise.as_slice());
        }
    }
}
