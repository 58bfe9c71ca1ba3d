//! Bounded links between stages. Each states what happens when it is full; nothing is lost in
//! silence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use crossbeam_channel::{
    Receiver, RecvTimeoutError, SendError, SendTimeoutError, Sender, TrySendError,
};
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

/// How full a link is, for people. Read while it is in use, it may be an item off.
#[derive(Debug)]
pub struct Gauge {
    bound: u64,
    waiting: AtomicU64,
    most: AtomicU64,
    dropped: AtomicU64,
}

impl Gauge {
    fn new(bound: usize) -> Self {
        let zero = || AtomicU64::new(0);
        Self { bound: bound as u64, waiting: zero(), most: zero(), dropped: zero() }
    }

    fn show(&self, waiting: usize) {
        self.waiting.store(waiting as u64, Ordering::Relaxed);
        self.most.fetch_max(waiting as u64, Ordering::Relaxed);
    }

    /// How many items may wait.
    #[must_use]
    pub const fn bound(&self) -> u64 {
        self.bound
    }

    /// How many items wait.
    #[must_use]
    pub fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// The most that ever waited.
    #[must_use]
    pub fn waiting_most(&self) -> u64 {
        self.most.load(Ordering::Relaxed)
    }

    /// How many were handed back because the link was full.
    #[must_use]
    pub fn dropped(&self) -> u64 {
        self.dropped.load(Ordering::Relaxed)
    }
}

/// The sending end.
pub struct LinkSender<T> {
    gauge: Arc<Gauge>,
    sender: Sender<T>,
    /// Only to take the oldest out; `receivers_gone` tells a closed link, as this end keeps the
    /// channel itself open.
    oldest: Option<Receiver<T>>,
    receivers_gone: Arc<AtomicBool>,
}

/// The receiving end.
pub struct LinkReceiver<T> {
    gauge: Arc<Gauge>,
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
    let gauge = Arc::new(Gauge::new(bound.max(1)));
    let sender = LinkSender { gauge: Arc::clone(&gauge), sender, oldest, receivers_gone };
    (sender, LinkReceiver { gauge, receiver, _open: open })
}

impl<T> LinkSender<T> {
    /// Sends `item`, as the link's policy says.
    ///
    /// # Errors
    /// [`Closed`] when nobody receives any more.
    pub fn send(&self, item: T) -> Result<Sent<T>, Closed> {
        let sent = match &self.oldest {
            Some(oldest) => self.send_over(item, oldest),
            None => match self.sender.send(item) {
                Ok(()) => Ok(Sent::Queued),
                Err(SendError(_)) => Err(Closed),
            },
        };
        self.gauge.show(self.sender.len());
        sent
    }

    /// Sends `item` unless the link is full; then it is handed back. Never waits.
    ///
    /// # Errors
    /// The item, when there is no room or nobody receives any more.
    pub fn try_send(&self, item: T) -> Result<(), T> {
        let sent = self.sender.try_send(item).map_err(TrySendError::into_inner);
        self.gauge.show(self.sender.len());
        sent
    }

    /// Sends `item`; waits at most `limit` for room.
    ///
    /// # Errors
    /// The item, when there was no room or nobody receives any more.
    pub fn send_within(&self, item: T, limit: Duration) -> Result<(), T> {
        let sent = self.sender.send_timeout(item, limit).map_err(SendTimeoutError::into_inner);
        self.gauge.show(self.sender.len());
        sent
    }

    /// How full the link is.
    #[must_use]
    pub const fn gauge(&self) -> &Arc<Gauge> {
        &self.gauge
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
                self.gauge.dropped.fetch_add(1, Ordering::Relaxed);
                dropped = Sent::Dropped(old);
            }
        }
    }
}

impl<T> Clone for LinkSender<T> {
    fn clone(&self) -> Self {
        Self {
            gauge: Arc::clone(&self.gauge),
            sender: self.sender.clone(),
            oldest: self.oldest.clone(),
            receivers_gone: Arc::clone(&self.receivers_gone),
        }
    }
}

impl<T> Clone for LinkReceiver<T> {
    fn clone(&self) -> Self {
        let gauge = Arc::clone(&self.gauge);
        Self { gauge, receiver: self.receiver.clone(), _open: Arc::clone(&self._open) }
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
        let item = self.receiver.recv().map_err(|_| Closed);
        self.gauge.show(self.receiver.len());
        item
    }

    /// Waits at most `limit` for the next item.
    #[must_use]
    pub fn recv_within(&self, limit: Duration) -> Received<T> {
        let received = self.receiver.recv_timeout(limit);
        self.gauge.show(self.receiver.len());
        match received {
            Ok(item) => Received::Item(item),
            Err(RecvTimeoutError::Timeout) => Received::Nothing,
            Err(RecvTimeoutError::Disconnected) => Received::Closed,
        }
    }

    /// The next item, if one waits.
    #[must_use]
    pub fn try_recv(&self) -> Option<T> {
        let item = self.receiver.try_recv().ok();
        self.gauge.show(self.receiver.len());
        item
    }

    /// Shows how full the link is, after an item was taken from the channel beneath.
    pub(crate) fn show(&self) {
        self.gauge.show(self.receiver.len());
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
        assert_eq!((sender.gauge().waiting(), sender.gauge().dropped()), (2, 1));
        assert_eq!((receiver.recv(), receiver.recv()), (Ok(2), Ok(3)));
        assert_eq!((sender.gauge().waiting(), sender.gauge().waiting_most()), (0, 2));
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
