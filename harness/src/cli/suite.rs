//! Where scenarios and fixtures are. No path of the machine that built the program is known to it.

use std::path::{Path, PathBuf};

/// A folder with `scenarios/` and `fixtures/`.
#[derive(Clone, Debug)]
pub(crate) struct Suite {
    /// The folder, or `None` where none was found: files can still be run by their path.
    root: Option<PathBuf>,
    /// Whether somebody said so.
    given: bool,
}

// === impl Suite ===

impl Suite {
    /// The suite in `given`; else in the current folder or one above it; else beside the program or above it.
    pub(crate) fn find(given: Option<&Path>) -> Self {
        if let Some(root) = given {
            return Self {
                root: Some(root.to_owned()),
                given: true,
            };
        }
        let here = std::env::current_dir().ok();
        let program = std::env::current_exe()
            .ok()
            .and_then(|path| path.parent().map(Path::to_owned));
        let root = [here, program].into_iter().flatten().find_map(|start| {
            start
                .ancestors()
                .find(|folder| folder.join("scenarios").is_dir())
                .map(Path::to_owned)
        });
        Self { root, given: false }
    }

    /// The folder, if there is one.
    pub(crate) fn root(&self) -> Option<&Path> {
        self.root.as_deref()
    }

    /// The folder, if it was said where it is.
    pub(crate) fn given(&self) -> Option<&PathBuf> {
        self.root.as_ref().filter(|_| self.given)
    }

    /// The folder of scenarios, shown relative to the current folder where it lies below it.
    pub(crate) fn scenarios(&self) -> Option<PathBuf> {
        Some(relative(&self.root.as_ref()?.join("scenarios")))
    }

    /// The folder of fixtures.
    pub(crate) fn fixtures(&self) -> PathBuf {
        self.root.as_deref().unwrap_or(Path::new(".")).join("fixtures")
    }
}

/// A path as a person in the current folder would write it.
pub(crate) fn relative(path: &Path) -> PathBuf {
    let here = std::env::current_dir().ok();
    here.and_then(|here| path.strip_prefix(here).ok().map(Path::to_owned))
        .unwrap_or_else(|| path.to_owned())
}
