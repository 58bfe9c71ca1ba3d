//! Takes the bytes that the service sends back, split anywhere; gives its acknowledgements.

use serde::Deserialize;

use super::super::trouble::Trouble;
use crate::limits;

/// What the service says, of one fragment or of the connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ack {
    /// What happened.
    pub event: AckEvent,
    /// The fragment, by the timecode that it was sent with.
    pub timecode_ms: Option<i64>,
    /// What the service calls the fragment: decimal digits.
    pub number: Option<String>,
}

/// What happened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AckEvent {
    /// The fragment has begun.
    Buffering,
    /// The service has all of it.
    Received,
    /// The service keeps it.
    Persisted,
    /// Something is wrong with it, or with the connection.
    Error {
        /// Its number; 0 when there is none.
        id: u32,
        /// Its name.
        code: String,
    },
    /// Nothing comes. Also everything that we do not know.
    Idle,
}

/// An acknowledgement as it is written. The service's pages call the first `AckEventType`, the
/// service calls it `EventType`.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Written {
    event_type: Option<String>,
    ack_event_type: Option<String>,
    fragment_timecode: Option<i64>,
    fragment_number: Option<serde_json::Value>,
    error_id: Option<u32>,
    error_code: Option<String>,
}

impl From<Written> for Ack {
    fn from(written: Written) -> Self {
        let error = || AckEvent::Error {
            id: written.error_id.unwrap_or_default(),
            code: written.error_code.clone().unwrap_or_default(),
        };
        let event = match written.event_type.or(written.ack_event_type.clone()).as_deref() {
            Some("BUFFERING") => AckEvent::Buffering,
            Some("RECEIVED") => AckEvent::Received,
            Some("PERSISTED") => AckEvent::Persisted,
            Some("ERROR") => error(),
            _ => AckEvent::Idle,
        };
        let number = written.fragment_number.as_ref().and_then(|number| number.as_str());
        let is_number = |n: &&str| n.len() <= 128 && n.bytes().all(|byte| byte.is_ascii_digit());
        let number = number.filter(is_number).map(str::to_owned);
        Self { event, timecode_ms: written.fragment_timecode, number }
    }
}

/// Puts acknowledgements together. They are JSON objects, one a line; anything between two of
/// them that is white is passed over.
#[derive(Default)]
pub struct Acks {
    /// Of the object that has begun.
    bytes: Vec<u8>,
    depth: u32,
    in_text: bool,
    after_backslash: bool,
}

impl Acks {
    /// The acknowledgements that end within `bytes`, in order.
    ///
    /// # Errors
    /// When something else comes than objects, or one without end. What comes after is not read.
    pub fn read(&mut self, bytes: &[u8]) -> Result<Vec<Ack>, Trouble> {
        let mut found = Vec::new();
        for &byte in bytes {
            if self.depth == 0 {
                match byte {
                    b'{' => self.depth = 1,
                    b' ' | b'\t' | b'\r' | b'\n' => continue,
                    _ => return Err(garbage(&[byte])),
                }
                self.bytes.push(byte);
            } else if self.is_last(byte)? {
                let written: Written =
                    serde_json::from_slice(&self.bytes).map_err(|_| garbage(&self.bytes))?;
                found.push(written.into());
                self.bytes.clear();
            }
        }
        Ok(found)
    }

    /// Takes the next byte of an object; whether it is its last.
    fn is_last(&mut self, byte: u8) -> Result<bool, Trouble> {
        if self.bytes.len() >= limits::ACK_BYTES_MAX {
            return Err(garbage(&self.bytes));
        }
        self.bytes.push(byte);
        if self.in_text {
            let ends = byte == b'"' && !self.after_backslash;
            self.after_backslash = byte == b'\\' && !self.after_backslash;
            self.in_text = !ends;
            return Ok(false);
        }
        match byte {
            b'"' => self.in_text = true,
            b'{' => self.depth += 1,
            b'}' => self.depth -= 1,
            _ => {}
        }
        Ok(self.depth == 0)
    }
}

fn garbage(bytes: &[u8]) -> Trouble {
    let some = &bytes[..bytes.len().min(80)];
    Trouble::Garbage { excerpt: format!("`{}`", some.escape_ascii()) }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const REAL: &str = "{\"EventType\":\"ERROR\",\"FragmentTimecode\":0,\"FragmentNumber\":\
        \"91343852333181570000\",\"ErrorCode\":\"FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS\",\
        \"ErrorId\":4004}\r\n";

    fn read(text: &str) -> Result<Vec<Ack>, Trouble> {
        Acks::default().read(text.as_bytes())
    }

    #[test]
    fn a_line_of_the_service_is_understood() {
        let code = "FRAGMENT_TIMECODE_LESSER_THAN_PREVIOUS".to_owned();
        let expected = Ack {
            event: AckEvent::Error { id: 4004, code },
            timecode_ms: Some(0),
            number: Some("91343852333181570000".to_owned()),
        };
        assert_eq!(read(REAL).unwrap(), [expected]);
    }

    #[test]
    fn what_we_do_not_know_is_passed_over() {
        let text = "\n{\"AckEventType\":\"PERSISTED\",\"New\":{\"a\":[\"}\\\"\"]},\
            \"FragmentTimecode\":7}{\"EventType\":\"SOON\"}\n{\"EventType\":\"IDLE\"}";
        let events: Vec<_> = read(text).unwrap().into_iter().map(|ack| ack.event).collect();
        assert_eq!(events, [AckEvent::Persisted, AckEvent::Idle, AckEvent::Idle]);
    }

    #[test]
    fn a_number_that_is_none_is_not_taken() {
        let many = "9".repeat(129);
        for number in ["12", "\"twelve\"", &format!("\"{many}\""), "null"] {
            let text = format!("{{\"EventType\":\"RECEIVED\",\"FragmentNumber\":{number}}}");
            assert_eq!(read(&text).unwrap()[0].number, None, "{number}");
        }
    }

    #[test]
    fn garbage_is_refused_with_its_beginning_and_takes_no_memory() {
        assert!(read("<html>").unwrap_err().to_string().contains('<'));
        assert!(read("{\"EventType\":5}").is_err());
        let mut acks = Acks::default();
        acks.read(b"{\"").unwrap();
        let endless = vec![b'x'; limits::ACK_BYTES_MAX];
        assert!(acks.read(&endless).is_err());
        assert!(acks.bytes.len() <= limits::ACK_BYTES_MAX);
    }

    fn line(event: &str, timecode: i64, blank: &str) -> String {
        format!("{{\"EventType\":\"{event}\",{blank}\"FragmentTimecode\":{timecode}}}{blank}\n")
    }

    proptest! {
        #[test]
        fn it_does_not_matter_where_the_bytes_are_split(
            lines in prop::collection::vec(
                (prop::sample::select(vec!["BUFFERING", "RECEIVED", "PERSISTED", "IDLE"]),
                 any::<i64>(), prop::sample::select(vec!["", " ", "\r", "\n"])), 0..12),
            cuts in prop::collection::vec(1_usize..40, 1..40),
        ) {
            let text: String = lines.iter().map(|(e, t, b)| line(e, *t, b)).collect();
            let whole = read(&text).unwrap();
            prop_assert_eq!(whole.len(), lines.len());
            for (ack, (_, timecode, _)) in whole.iter().zip(&lines) {
                prop_assert_eq!(ack.timecode_ms, Some(*timecode));
            }
            let (mut acks, mut rest, mut split) = (Acks::default(), text.as_bytes(), Vec::new());
            for cut in cuts.iter().cycle() {
                let (piece, after) = rest.split_at(rest.len().min(*cut));
                split.extend(acks.read(piece).unwrap());
                rest = after;
                if rest.is_empty() { break }
            }
            prop_assert_eq!(whole, split);
        }

        #[test]
        fn no_bytes_at_all_make_it_fail_otherwise(
            bytes in prop::collection::vec(any::<u8>(), 0..400),
        ) {
            let _ = Acks::default().read(&bytes);
            let mut acks = Acks::default();
            let _ = acks.read(b"{");
            let _ = acks.read(&bytes);
        }
    }
}
