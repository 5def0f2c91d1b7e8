//! `rolecall compare`: what became better or worse between two runs.

use std::path::Path;

use super::{args::CompareArgs, main::complain};
use crate::report::{Comparison, ExitStatus, OldReport, SideBySide, write_file};

/// Says what differs: 0 if nothing became worse (or no two worlds contradict each other), else 1.
pub(crate) fn compare(args: &CompareArgs) -> ExitStatus {
    let (old, new) = match (read(&args.old), read(&args.new)) {
        (Ok(old), Ok(new)) => (old, new),
        (Err(error), _) | (_, Err(error)) => {
            complain(error);
            return ExitStatus::Usage;
        }
    };
    let (text, markdown, is_bad) = if args.side_by_side {
        let beside = SideBySide::new(&old, &new);
        (beside.text(), beside.markdown(), beside.differ())
    } else {
        let compared = Comparison::new(old, new);
        (compared.text(), compared.markdown(), compared.is_worse())
    };
    anstream::print!("{text}");
    if let Some(path) = &args.markdown
        && let Err(error) = write_file(path, &markdown)
    {
        complain(format_args!("cannot write {}: {error}", path.display()));
        return ExitStatus::HarnessError;
    }
    if is_bad {
        ExitStatus::Failed
    } else {
        ExitStatus::AsExpected
    }
}

fn read(path: &Path) -> Result<OldReport, String> {
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let text = std::fs::read_to_string(path).map_err(|error| named(&error))?;
    OldReport::read(&text).map_err(|error| named(&error))
}
