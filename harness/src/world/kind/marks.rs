//! What marks a thing outside this process as a run's: labels, and names made of the run's.

use std::collections::BTreeMap;

/// The run that made it. `sweep` touches nothing without it.
pub(super) const RUN: &str = "rolecall.dev/run";
/// The process that made it: what belongs to a process that lives is not swept.
pub(super) const OWNER: &str = "rolecall.dev/owner";
/// The namespace of all that is ours in a cluster and no scenario's.
pub(super) const NAMESPACE: &str = "rolecall";

/// The marks of one run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Marks {
    /// The run's name, in the letters that a label and a container's name may have.
    pub(super) run: String,
    pub(super) owner: u32,
}

// === impl Marks ===

impl Marks {
    /// The marks of this process's run.
    pub(crate) fn of(run: &str) -> Self {
        Self {
            run: run.to_ascii_lowercase(),
            owner: std::process::id(),
        }
    }

    /// The run's name.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// As labels of containers, volumes and Kubernetes objects.
    pub(super) fn labels(&self) -> BTreeMap<String, String> {
        BTreeMap::from([
            (RUN.to_owned(), self.run.clone()),
            (OWNER.to_owned(), self.owner.to_string()),
        ])
    }

    /// The name of a cluster that is made for this run alone.
    pub(super) fn cluster(&self) -> String {
        format!("rolecall-{}", self.run)
    }

    /// The name of a container of this run.
    pub(super) fn container(&self, what: &str) -> String {
        format!("rolecall-{}-{what}", self.run)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_have_only_what_a_host_name_may_have_and_fit_into_one() {
        let marks = Marks::of("20261124T171345Z-0a1f");
        // The longest that kind makes of a cluster's name.
        let node = format!("{}-control-plane", marks.cluster());
        assert!(node.len() <= 63, "{node}");
        assert!(
            node.bytes()
                .all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'-')
        );
    }
}
