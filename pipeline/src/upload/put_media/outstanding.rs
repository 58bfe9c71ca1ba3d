//! What is on a connection and not yet kept. Takes what was sent and what the service says of it;
//! gives how far each fragment has come. Acknowledgements may be missing, doubled or out of order.

use store::{ClipId, ClipState};
use tokio::time::Instant;

use super::super::trouble::Trouble;
use super::acks::{Ack, AckEvent};
use super::answers::trouble_of_fragment;

/// Fragments of one connection that are not persisted, in the order in which they were sent.
#[derive(Default)]
pub struct Outstanding {
    fragments: Vec<OnTheWay>,
}

struct OnTheWay {
    clip: ClipId,
    position: usize,
    timecode_ms: i64,
    /// When its last byte was sent; until then no acknowledgement of the whole can be true.
    written: Option<Instant>,
    begun: bool,
    received: bool,
}

/// How far a fragment has come.
#[derive(Debug, PartialEq, Eq)]
pub struct Advance {
    /// The clip.
    pub clip: ClipId,
    /// The fragment's place in the clip.
    pub position: usize,
    /// `Received` or `Persisted`.
    pub state: ClipState,
    /// What the service calls it.
    pub number: Option<String>,
}

/// What an acknowledgement comes to.
#[derive(Debug)]
pub enum Heard {
    /// Nothing that we did not know.
    Nothing,
    /// The service is at it.
    Alive,
    /// It has come farther.
    Advance(Advance),
}

impl Outstanding {
    /// A fragment begins to be sent.
    pub fn begin(&mut self, clip: ClipId, position: usize, timecode_ms: i64) {
        let (written, begun, received) = (None, false, false);
        self.fragments.push(OnTheWay { clip, position, timecode_ms, written, begun, received });
    }

    /// All of the newest fragment was sent.
    pub fn written(&mut self, now: Instant) {
        if let Some(newest) = self.fragments.last_mut() {
            newest.written = Some(now);
        }
    }

    /// Whether everything is kept.
    pub fn is_empty(&self) -> bool {
        self.fragments.is_empty()
    }

    /// Whether something of `clip` is on its way.
    pub fn has(&self, clip: ClipId) -> bool {
        self.fragments.iter().any(|fragment| fragment.clip == clip)
    }

    /// Since when the oldest that was sent whole waits for its acknowledgement.
    pub fn waits_since(&self) -> Option<Instant> {
        self.fragments.first().and_then(|oldest| oldest.written)
    }

    /// What `ack` comes to.
    ///
    /// # Errors
    /// When the service says that something is wrong.
    pub fn hear(&mut self, ack: Ack) -> Result<Heard, Trouble> {
        let about = |fragment: &OnTheWay| Some(fragment.timecode_ms) == ack.timecode_ms;
        let found = self.fragments.iter().position(about);
        if let AckEvent::Error { id, code } = &ack.event {
            return Err(trouble_of_fragment(*id, code, self.blamed(found)));
        }
        let Some(index) = found else { return Ok(Heard::Nothing) };
        let fragment = &mut self.fragments[index];
        let (clip, position) = (fragment.clip, fragment.position);
        let advance = |state| Heard::Advance(Advance { clip, position, state, number: ack.number });
        Ok(match ack.event {
            AckEvent::Buffering if !std::mem::replace(&mut fragment.begun, true) => Heard::Alive,
            _ if fragment.written.is_none() => Heard::Nothing,
            AckEvent::Received if !std::mem::replace(&mut fragment.received, true) => {
                advance(ClipState::Received)
            }
            AckEvent::Persisted => {
                self.fragments.remove(index);
                advance(ClipState::Persisted)
            }
            _ => Heard::Nothing,
        })
    }

    /// The clip that an error is about: the fragment that it names; else the oldest that the
    /// service does not have yet, as it reads them in order.
    fn blamed(&self, named: Option<usize>) -> Option<ClipId> {
        let named = named.map(|index| &self.fragments[index]);
        let oldest = || self.fragments.iter().find(|fragment| !fragment.received);
        named.or_else(oldest).map(|fragment| fragment.clip)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn ack(event: AckEvent, timecode_ms: i64) -> Ack {
        Ack { event, timecode_ms: Some(timecode_ms), number: Some("7".to_owned()) }
    }

    fn two() -> Outstanding {
        let mut on = Outstanding::default();
        on.begin(ClipId(1), 0, 100);
        on.written(Instant::now());
        on.begin(ClipId(2), 0, 200);
        on
    }

    fn state(heard: &Heard) -> Option<ClipState> {
        if let Heard::Advance(advance) = heard { Some(advance.state) } else { None }
    }

    #[test]
    fn a_fragment_comes_farther_and_never_goes_back() {
        let mut on = two();
        assert!(matches!(on.hear(ack(AckEvent::Buffering, 100)), Ok(Heard::Alive)));
        assert!(matches!(on.hear(ack(AckEvent::Buffering, 100)), Ok(Heard::Nothing)));
        let received = on.hear(ack(AckEvent::Received, 100)).unwrap();
        assert_eq!(state(&received), Some(ClipState::Received));
        assert!(matches!(on.hear(ack(AckEvent::Received, 100)), Ok(Heard::Nothing)));
        let persisted = on.hear(ack(AckEvent::Persisted, 100)).unwrap();
        assert_eq!(state(&persisted), Some(ClipState::Persisted));
        for late in [AckEvent::Received, AckEvent::Persisted, AckEvent::Buffering] {
            assert!(matches!(on.hear(ack(late, 100)), Ok(Heard::Nothing)));
        }
        assert!(!on.has(ClipId(1)) && on.has(ClipId(2)));
    }

    #[test]
    fn what_is_not_sent_whole_is_not_kept() {
        let mut on = two();
        assert!(matches!(on.hear(ack(AckEvent::Persisted, 200)), Ok(Heard::Nothing)));
        on.written(Instant::now());
        let kept = on.hear(ack(AckEvent::Persisted, 200)).unwrap();
        assert_eq!(state(&kept), Some(ClipState::Persisted));
        assert!(matches!(on.hear(ack(AckEvent::Persisted, 300)), Ok(Heard::Nothing)));
    }

    #[test]
    fn an_error_is_put_down_to_the_clip_that_it_is_about() {
        let error = || AckEvent::Error { id: 4006, code: String::new() };
        assert_eq!(two().hear(ack(error(), 200)).unwrap_err().clip(), Some(ClipId(2)));
        assert_eq!(two().hear(ack(error(), 0)).unwrap_err().clip(), Some(ClipId(1)));
        let mut on = two();
        on.hear(ack(AckEvent::Received, 100)).unwrap();
        assert_eq!(on.hear(ack(error(), 0)).unwrap_err().clip(), Some(ClipId(2)));
        let nobody = Outstanding::default().hear(ack(error(), 0)).unwrap_err();
        assert_eq!(nobody.clip(), None);
    }

    proptest! {
        #[test]
        fn whatever_is_heard_each_fragment_is_kept_at_most_once(
            heard in prop::collection::vec((0_usize..4, 0_i64..6), 0..200),
        ) {
            let mut on = Outstanding::default();
            for clip in 0..5 {
                on.begin(ClipId(clip), 0, clip);
                on.written(Instant::now());
            }
            let mut kept = Vec::new();
            for (event, timecode) in heard {
                let event = [AckEvent::Buffering, AckEvent::Received, AckEvent::Persisted,
                    AckEvent::Idle][event].clone();
                if let Heard::Advance(advance) = on.hear(ack(event, timecode)).unwrap() {
                    prop_assert!(!kept.contains(&advance.clip));
                    if advance.state == ClipState::Persisted { kept.push(advance.clip) }
                }
            }
            prop_assert_eq!(on.is_empty(), kept.len() == 5);
        }
    }
}
