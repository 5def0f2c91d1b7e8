use std::{io, path::PathBuf, time::Duration};

use crate::report::ExitStatus;

/// Why there is no image, or why it is not where it should be.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ImageError {
    /// The program's file cannot be read.
    #[error("cannot read {}: {error}", path.display())]
    Read { path: PathBuf, error: io::Error },
    /// The file is no program that an empty file system can run.
    #[error("{}: {why}", path.display())]
    Program { path: PathBuf, why: &'static str },
    /// The archive cannot be written.
    #[error("cannot write {}: {error}", path.display())]
    Write { path: PathBuf, error: io::Error },
    /// The image's own documents cannot be put together.
    #[error("cannot put the image together: {0}")]
    Assemble(String),
    /// One program was given for several images.
    #[error("--program is for one image: name `proxy` or `tools`")]
    WhichImage,
    /// No checkout of the project is here or above.
    #[error("{} is in no checkout of Rolecall, and only there its programs can be built: go there, or give a static program", .0.display())]
    NoCheckout(PathBuf),
    /// A program that is needed is not there.
    #[error("there is no `{program}` here: install it, or put it on PATH")]
    NoProgram { program: String },
    /// It did not end well.
    #[error("`{command}` {how}{}", indented(output))]
    Failed {
        command: String,
        how: String,
        /// Its last lines.
        output: String,
    },
    /// It did not end.
    #[error("`{command}` has not ended after {} s{}", patience.as_secs(), indented(output))]
    Late {
        command: String,
        patience: Duration,
        /// What it had said until then.
        output: String,
    },
}

fn indented(output: &str) -> String {
    output.lines().map(|line| format!("\n   | {line}")).collect()
}

// === impl ImageError ===

impl ImageError {
    /// What the program ends with.
    pub(crate) fn status(&self) -> ExitStatus {
        match self {
            Self::Read { .. } | Self::Program { .. } | Self::WhichImage | Self::NoCheckout(_) => ExitStatus::Usage,
            Self::Assemble(_) => ExitStatus::HarnessError,
            Self::Write { .. } | Self::NoProgram { .. } | Self::Failed { .. } | Self::Late { .. } => {
                ExitStatus::NoWorld
            }
        }
    }
}
