//! `rolecall serve` and `rolecall image`, which are rooms of their own.

use super::main::complain;
use crate::{
    image::{self, ImageArgs},
    report::ExitStatus,
    serve::{self, ServeArgs},
};

/// Serves until it is ended.
pub(crate) fn serve(args: ServeArgs) -> ExitStatus {
    match serve::serve(args) {
        Ok(()) => ExitStatus::AsExpected,
        Err(error) => {
            complain(&error);
            error.status()
        }
    }
}

/// Builds or loads images.
pub(crate) fn image(args: ImageArgs) -> ExitStatus {
    match image::image(args) {
        Ok(()) => ExitStatus::AsExpected,
        Err(error) => {
            complain(&error);
            error.status()
        }
    }
}
