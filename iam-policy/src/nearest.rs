//! Which of the statements that do not apply come nearest.

use crate::reading::Found;

/// How many near misses a [`crate::Decision`] holds.
pub(crate) const NEAR_MISSES: usize = 8;

/// The statements that came nearest to a question.
#[derive(Debug, Default)]
pub(crate) struct Nearest<'a> {
    misses: Vec<(usize, Found<'a>)>,
    /// How many of them differ in one thing alone.
    next: usize,
}

// === impl Nearest ===

impl<'a> Nearest<'a> {
    /// Takes them in with their distances, which are measured as they come: none can be nearer than one difference, so
    /// that it ends when there are enough of those.
    pub(crate) fn add(&mut self, misses: impl Iterator<Item = (usize, Found<'a>)>) {
        let mut misses = misses;
        while self.next < NEAR_MISSES
            && let Some((distance, found)) = misses.next()
        {
            self.next += usize::from(distance == 1);
            self.misses.push((distance, found));
        }
    }

    /// The nearest first; of those equally near the first that came.
    pub(crate) fn found(mut self) -> Vec<Found<'a>> {
        self.misses.sort_by_key(|(distance, _)| *distance);
        self.misses
            .into_iter()
            .take(NEAR_MISSES)
            .map(|(_, found)| found)
            .collect()
    }
}
