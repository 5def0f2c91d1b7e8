use std::collections::{BTreeMap, BTreeSet};

/// What a world can do, in the words of a scenario's `needs`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capabilities {
    /// What the world is called in a reason, such as `the embedded world`.
    pub(crate) world: String,
    /// Words that it can serve.
    pub(crate) has: BTreeSet<String>,
    /// Needs of which the part has a clock that cannot be moved, and why.
    fixed_clocks: BTreeMap<&'static str, String>,
}

// === impl Capabilities ===

impl Capabilities {
    /// A world with these capabilities.
    pub(crate) fn new<'a>(world: &str, has: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            world: world.to_owned(),
            has: has.into_iter().map(str::to_owned).collect(),
            fixed_clocks: BTreeMap::new(),
        }
    }

    /// The part that serves this need has a clock that cannot be moved.
    pub(crate) fn fix_clock(&mut self, need: &'static str, reason: String) {
        self.fixed_clocks.insert(need, reason);
    }

    /// Why a scenario with these needs cannot have its clock moved.
    pub(crate) fn fixed_clock(&self, needs: &BTreeSet<String>) -> Option<&str> {
        let mut fixed = self.fixed_clocks.iter();
        let (_, reason) = fixed.find(|(need, _)| needs.contains(**need))?;
        Some(reason)
    }

    /// The first need that is not served.
    pub(crate) fn missing<'a>(&self, needs: &'a BTreeSet<String>) -> Option<&'a str> {
        needs.iter().map(String::as_str).find(|need| !self.has.contains(*need))
    }
}
