//! Work for a few threads: takes how many pieces there are and what to do with one, gives the
//! results in the pieces' order, whichever thread did them.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::mpsc;
use std::thread::{Builder, scope};

use super::FitError;

/// Does `work` on each of `0..count` on `threads` threads, each with a tool of its own; `done`
/// hears how many are finished.
///
/// # Errors
/// The first that a tool or a piece of work gives; what is left is not begun.
pub(super) fn each<T, R: Send>(
    count: usize,
    threads: usize,
    tool: impl Fn() -> Result<T, FitError> + Sync,
    work: impl Fn(&mut T, usize) -> Result<R, FitError> + Sync,
    mut done: impl FnMut(usize),
) -> Result<Vec<R>, FitError> {
    let next = AtomicUsize::new(0);
    let (send, receive) = mpsc::channel();
    let toil = |send: mpsc::Sender<Result<(usize, R), FitError>>| {
        let mut tool = match tool() {
            Ok(tool) => tool,
            Err(error) => {
                next.store(count, Ordering::Relaxed);
                // Nobody listens any more when another thread failed first.
                let _ = send.send(Err(error));
                return;
            }
        };
        while let Some(piece) = Some(next.fetch_add(1, Ordering::Relaxed)).filter(|at| *at < count)
        {
            let result = work(&mut tool, piece).map(|result| (piece, result));
            if result.is_err() {
                next.store(count, Ordering::Relaxed);
            }
            if send.send(result).is_err() {
                return;
            }
        }
    };
    scope(|threads_of| {
        for number in 0..threads.clamp(1, count.max(1)) {
            let (toil, send) = (&toil, send.clone());
            Builder::new()
                .name(format!("fit-{number}"))
                .spawn_scoped(threads_of, move || toil(send))
                .map_err(|error| FitError::Thread { message: error.to_string() })?;
        }
        drop(send);
        let mut results: Vec<_> = (0..count).map(|_| None).collect();
        for (finished, result) in receive.iter().enumerate() {
            let (piece, result) = result?;
            results[piece] = Some(result);
            done(finished + 1);
        }
        // A piece is missing only where its thread fell over, and then the scope panics with it.
        Ok(results.into_iter().flatten().collect())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_are_in_order_and_each_thread_has_its_tool() {
        let tools = AtomicUsize::new(0);
        let tool = || Ok(tools.fetch_add(1, Ordering::Relaxed));
        let mut seen = Vec::new();
        let results = each(50, 2, tool, |_, piece| Ok(piece * 2), |done| seen.push(done)).unwrap();
        assert_eq!(results, (0..50).map(|piece| piece * 2).collect::<Vec<_>>());
        assert_eq!(seen, (1..=50).collect::<Vec<_>>());
        assert_eq!(tools.into_inner(), 2);
    }

    #[test]
    fn an_error_ends_it() {
        let failed = |message: &str| FitError::Thread { message: message.into() };
        let begun = AtomicUsize::new(0);
        let work = |_: &mut (), piece: usize| {
            begun.fetch_add(1, Ordering::Relaxed);
            if piece == 3 { Err(failed("three")) } else { Ok(piece) }
        };
        let error = each(100_000, 2, || Ok(()), work, |_| {}).unwrap_err();
        assert!(error.to_string().contains("three"), "{error}");
        assert!(begun.into_inner() < 100_000);
        let none = each(2, 2, || Err::<(), _>(failed("no tool")), |(), at| Ok(at), |_| {});
        assert!(none.unwrap_err().to_string().contains("no tool"));
    }
}
