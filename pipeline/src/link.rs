//! Bounded links between stages. Each states what happens when it is full; nothing is lost in
//! silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use crossbeam_channel::{Receiver, RecvTimeoutError, SendError, Sender, TrySendError};
use thiserror::Error;

/// What a full link does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenFull {
    /// The sender waits: replay, where nothing may be dropped.
    Wait,
    /// The oldest item is handed back to the sender, who accounts for it: live cameras.
    DropOldest,
}

/// The other end is gone.
#[derive(Clone, Copy, Debug, Error, PartialEq, Eq)]
#[error("the link's other end is closed")]
pub struct Closed;

/// What became of an item that was sent.
#[derive(Debug, PartialEq, Eq)]
pub enum Sent<T> {
    /// It waits in the link.
    Queued,
    /// It waits in the link, and this older one had to go for it.
    Dropped(T),
}

/// The sending end.
pub struct LinkSender<T> {
    sender: Sender<T>,
    /// Only to take the oldest out; `receivers_gone` tells a closed link, as this end keeps the
    /// channel itself open.
    oldest: Option<Receiver<T>>,
    receivers_gone: Arc<AtomicBool>,
}

/// The receiving end.
pub struct LinkReceiver<T> {
    receiver: Receiver<T>,
    _open: Arc<OpenWhileHeld>,
}

struct OpenWhileHeld(Arc<AtomicBool>);

impl Drop for OpenWhileHeld {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A link that holds at most `bound` items.
#[must_use]
pub fn link<T>(bound: usize, when_full: WhenFull) -> (LinkSender<T>, LinkReceiver<T>) {
    let (sender, receiver) = crossbeam_channel::bounded(bound.max(1));
    let receivers_gone = Arc::new(AtomicBool::new(false));
    let oldest = (when_full == WhenFull::DropOldest).then(|| receiver.clone());
    let open = Arc::new(OpenWhileHeld(Arc::clone(&receivers_gone)));
    (LinkSender { sender, oldest, receivers_gone }, LinkReceiver { receiver, _open: open })
}

impl<T> LinkSender<T> {
    /// Sends `item`, as the link's policy says.
    ///
    /// # Errors
    /// [`Closed`] when nobody receives any more.
    pub fn send(&self, item: T) -> Result<Sent<T>, Closed> {
        let Some(oldest) = &self.oldest else {
            return match self.sender.send(item) {
                Ok(()) => Ok(Sent::Queued),
                Err(SendError(_)) => Err(Closed),
            };
        };
        self.send_over(item, oldest)
    }

    fn send_over(&self, mut item: T, oldest: &Receiver<T>) -> Result<Sent<T>, Closed> {
        let mut dropped = Sent::Queued;
        loop {
            if self.receivers_gone.load(Ordering::Acquire) {
                return Err(Closed);
            }
            match self.sender.try_send(item) {
                Ok(()) => return Ok(dropped),
                Err(TrySendError::Disconnected(_)) => return Err(Closed),
                Err(TrySendError::Full(back)) => item = back,
            }
            // The receiver may empty the link between the two calls; then nothing is dropped.
            if let Ok(old) = oldest.try_recv() {
                dropped = Sent::Dropped(old);
            }
        }
    }
}

impl<T> Clone for LinkSender<T> {
    fn clone(&self) -> Self {
        Self {
            sender: self.sender.clone(),
            oldest: self.oldest.clone(),
            receivers_gone: Arc::clone(&self.receivers_gone),
        }
    }
}

impl<T> Clone for LinkReceiver<T> {
    fn clone(&self) -> Self {
        Self { receiver: self.receiver.clone(), _open: Arc::clone(&self._open) }
    }
}

/// What a wait with a limit gave.
#[derive(Debug, PartialEq, Eq)]
pub enum Received<T> {
    /// An item.
    Item(T),
    /// Nothing in that time.
    Nothing,
    /// Nothing, and nothing will come any more.
    Closed,
}

impl<T> LinkReceiver<T> {
    /// Waits for the next item.
    ///
    /// # Errors
    /// [`Closed`] when the link is empty and nobody sends any more.
    pub fn recv(&self) -> Result<T, Closed> {
        self.receiver.recv().map_err(|_| Closed)
    }

    /// Waits at most `limit` for the next item.
    #[must_use]
    pub fn recv_within(&self, limit: Duration) -> Received<T> {
        match self.receiver.recv_timeout(limit) {
            Ok(item) => Received::Item(item),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Closed,
        }
    }

    /// The channel beneath, to wait on several at once.
    #[must_use]
    pub(crate) const fn channel(&self) -> &Receiver<T> {
        &self.receiver
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn drop_oldest_hands_the_oldest_back() {
        let (sender, receiver) = link(2, WhenFull::DropOldest);
        assert_eq!(sender.send(1), Ok(Sent::Queued));
        assert_eq!(sender.send(2), Ok(Sent::Queued));
        assert_eq!(sender.send(3), Ok(Sent::Dropped(1)));
        assert_eq!((receiver.recv(), receiver.recv()), (Ok(2), Ok(3)));
    }

    #[test]
    fn both_policies_tell_when_the_receiver_is_gone() {
        for when_full in [WhenFull::Wait, WhenFull::DropOldest] {
            let (sender, receiver) = link(2, when_full);
            drop(receiver.clone());
            assert_eq!(sender.send(1), Ok(Sent::Queued), "one receiver is still there");
            drop(receiver);
            assert_eq!(sender.send(2), Err(Closed));
        }
    }

    #[test]
    fn a_waiting_link_loses_nothing() {
        let (sender, receiver) = link(1, WhenFull::Wait);
        let sending = std::thread::Builder::new()
            .spawn(move || (0..1000).try_for_each(|i| sender.send(i).map(|_| ())))
            .unwrap();
        let mut got = Vec::new();
        while let Ok(item) = receiver.recv() {
            got.push(item);
        }
        assert_eq!(sending.join().unwrap(), Ok(()));
        assert_eq!(got, (0..1000).collect::<Vec<_>>());
    }
}
