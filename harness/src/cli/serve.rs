//! `rolecall serve`.

use super::main::complain;
use crate::{
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
