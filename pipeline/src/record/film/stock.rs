//! The film's memory: as many pictures as it is granted, taken from the system once. Gives empty
//! ones; takes them back when whoever has them lets go.

use crossbeam_channel::{Receiver, Sender, bounded};

use super::super::reel::FilmBytes;

/// A fixed number of buffers.
pub struct Stock {
    /// The one that was given back last is given out first: what is never needed is never touched,
    /// and takes no memory but in name.
    free: Vec<Vec<u8>>,
    back: (Sender<Vec<u8>>, Receiver<Vec<u8>>),
}

impl Stock {
    /// Memory for `pictures` of `bytes` each.
    #[must_use]
    pub fn new(pictures: usize, bytes: usize) -> Self {
        Self {
            free: (0..pictures).map(|_| vec![0; bytes]).collect(),
            back: bounded(pictures.max(1)),
        }
    }

    /// A buffer, if one is there.
    pub fn take(&mut self) -> Option<FilmBytes> {
        self.free.extend(self.back.1.try_iter());
        let bytes = self.free.pop()?;
        Some(FilmBytes { bytes, back: Some(self.back.0.clone()) })
    }

    /// Where buffers come back to, to wait for one.
    pub(super) const fn given_back(&self) -> &Receiver<Vec<u8>> {
        &self.back.1
    }

    /// Takes one in that was waited for.
    pub(super) fn put(&mut self, bytes: Vec<u8>) {
        self.free.push(bytes);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_never_more_than_there_were() {
        let mut stock = Stock::new(2, 10);
        let first = stock.take().unwrap();
        let second = stock.take().unwrap();
        assert!(stock.take().is_none());
        let place = second.bytes.as_ptr();
        drop(second);
        assert_eq!(stock.take().unwrap().bytes.as_ptr(), place, "the same memory again");
        drop(first);
        drop(stock);
    }
}
