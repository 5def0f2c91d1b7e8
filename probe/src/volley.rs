//! The same request many times at the same moment.

use std::sync::Arc;

use tokio::sync::Barrier;

use crate::{
    Patience, Silence,
    wire::{Line, RAW_LIMIT},
};

/// Descriptors are bounded, and what a hundred requests do not show, four thousand do not either.
const AT_ONCE_LIMIT: usize = 4096;

/// Opens `at_once` connections to `to`, waits until each is open or has failed, and only then does `then` on every one.
/// The results are in the order in which the connections were begun.
///
/// # Errors
///
/// If `at_once` is 0 or more than 4096.
pub(crate) async fn volley<T, F>(at_once: usize, to: &str, patience: Patience, then: F) -> Result<Vec<T>, String>
where
    T: Send + 'static,
    F: AsyncThen<T>,
{
    if !(1..=AT_ONCE_LIMIT).contains(&at_once) {
        return Err(format!(
            "at_once is {at_once}; it must be between 1 and {AT_ONCE_LIMIT}"
        ));
    }
    let all_open = Arc::new(Barrier::new(at_once));
    let shots: Vec<_> = (0..at_once)
        .map(|_| {
            let (all_open, then) = (Arc::clone(&all_open), then.clone());
            let mut line = Line::new(to, patience, RAW_LIMIT);
            tokio::spawn(async move {
                let opened = line.open().await;
                all_open.wait().await;
                then.run(line, opened.err()).await
            })
        })
        .collect();
    let mut results = Vec::with_capacity(at_once);
    for shot in shots {
        results.push(
            shot.await
                .map_err(|err| format!("one of {at_once} requests at once ended early: {err}"))?,
        );
    }
    Ok(results)
}

/// What to do on an open line, or with the silence that answered the attempt to open it.
pub(crate) trait AsyncThen<T>: Clone + Send + 'static {
    /// Does it.
    fn run(self, line: Line, silence: Option<Silence>) -> impl Future<Output = T> + Send;
}
