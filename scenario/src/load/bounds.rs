//! Bounds that contradict each other.

use super::walk::Walk;
use crate::{ScenarioError, tree::Node};

/// Reports an `at_least` that is above the `at_most` beside it: in a journal's expectation, or in `valid_for`.
pub(super) fn check(walk: &mut Walk<'_>, expect: &Node) {
    let bounds = expect.get("valid_for");
    for map in [Some(expect), bounds].into_iter().flatten() {
        let (Some(least), Some(most)) = (map.entry("at_least"), map.entry("at_most")) else {
            continue;
        };
        let numbers = (least.value.integer(), most.value.integer());
        let durations = (least.value.duration(), most.value.duration());
        let above = match (numbers, durations) {
            ((Some(least), Some(most)), _) => least > most,
            (_, (Some(least), Some(most))) => least > most,
            _ => false,
        };
        if above {
            let error = ScenarioError::new("nothing is within these bounds", least.span(), "more than `at_most`");
            walk.report(error.other(most.span(), "less than `at_least`"));
        }
    }
    if let Some(bounds) = bounds.filter(|bounds| bounds.entries().is_empty()) {
        let label = "expected `at_least`, `at_most` or both";
        walk.report(ScenarioError::new("`valid_for` is empty", bounds.span.clone(), label));
    }
}
