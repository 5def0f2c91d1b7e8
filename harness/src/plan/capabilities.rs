use std::collections::BTreeSet;

/// What a world can do, in the words of a scenario's `needs`.
#[derive(Clone, Debug, Default)]
pub(crate) struct Capabilities {
    /// What the world is called in a reason, such as `the embedded world`.
    pub(crate) world: String,
    /// Words that it can serve.
    pub(crate) has: BTreeSet<String>,
}

// === impl Capabilities ===

impl Capabilities {
    /// A world with these capabilities.
    pub(crate) fn new<'a>(world: &str, has: impl IntoIterator<Item = &'a str>) -> Self {
        Self {
            world: world.to_owned(),
            has: has.into_iter().map(str::to_owned).collect(),
        }
    }

    /// The first need that is not served.
    pub(crate) fn missing<'a>(&self, needs: &'a BTreeSet<String>) -> Option<&'a str> {
        needs.iter().map(String::as_str).find(|need| !self.has.contains(*need))
    }
}
