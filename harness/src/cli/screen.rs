//! What a run says while it goes on.

use std::sync::atomic::Ordering;

use super::{interrupt::Interrupt, main::complain, progress::Progress};
use crate::{
    report::{Added, DiagnosticsReport, Fold, RunFolder, RunReport, TextWriter},
    run::{Event, Happened},
};

/// Takes the events of a run in, one after the other: into the report, onto the screen, and into the files of what
/// failed.
pub(crate) struct Screen {
    fold: Fold,
    writer: TextWriter<anstream::AutoStream<std::io::Stdout>>,
    progress: Progress,
    folder: RunFolder,
    /// Whether each step is said.
    verbose: bool,
    repeats: u32,
    interrupt: Interrupt,
    /// Whether some file could not be written.
    incomplete: bool,
}

/// A run that is over.
pub(crate) struct Over {
    pub(crate) report: RunReport,
    /// Whether some file of what failed could not be written.
    pub(crate) incomplete: bool,
    writer: TextWriter<anstream::AutoStream<std::io::Stdout>>,
}

/// How a run is shown.
pub(crate) struct ScreenOptions {
    pub(crate) verbose: bool,
    pub(crate) repeats: u32,
    /// How many endings there will be.
    pub(crate) of: usize,
    pub(crate) interrupt: Interrupt,
}

// === impl Screen ===

impl Screen {
    pub(crate) fn new(fold: Fold, folder: RunFolder, options: ScreenOptions) -> Self {
        Self {
            fold,
            writer: TextWriter::new(anstream::stdout(), options.repeats),
            progress: Progress::new(options.of),
            folder,
            verbose: options.verbose,
            repeats: options.repeats,
            interrupt: options.interrupt,
            incomplete: false,
        }
    }

    pub(crate) fn take(&mut self, happened: &Happened) {
        match &happened.event {
            Event::ScenarioStarted { scenario } => self.progress.started(&scenario.id),
            Event::ScenarioEnded { scenario, .. } => self.progress.ended(&scenario.id),
            Event::WorldHeld { scenario, doors } => {
                self.progress.finish();
                self.interrupt.held.store(true, Ordering::SeqCst);
                let _ = self.writer.held(&scenario.id, doors);
            }
            Event::StepEnded { .. } | Event::Noted { .. } => {}
        }
        let diagnostics = self.keep(happened);
        let writer = &mut self.writer;
        // A reader that went away (`| head`) does not end the run: its reports are still due.
        let _ = match self.fold.take(happened, diagnostics) {
            Added::Scenario(report) => self.progress.aside(|| writer.scenario(report)),
            Added::Step { id, repeat, step } if self.verbose => self.progress.aside(|| writer.step(id, repeat, step)),
            Added::Step { .. } | Added::Nothing => Ok(()),
        };
    }

    /// Writes what was collected of a scenario, if anything was.
    fn keep(&mut self, happened: &Happened) -> Option<DiagnosticsReport> {
        let Event::ScenarioEnded {
            scenario, diagnostics, ..
        } = &happened.event
        else {
            return None;
        };
        if diagnostics.0.is_empty() {
            return None;
        }
        let repeat = Some(happened.repeat).filter(|_| self.repeats > 1);
        match self.folder.keep(&scenario.id, repeat, diagnostics) {
            Ok(kept) => Some(kept),
            Err(error) => {
                let id = &scenario.id;
                self.progress
                    .aside(|| complain(format_args!("the files of {id} cannot be written: {error}")));
                self.incomplete = true;
                None
            }
        }
    }

    pub(crate) fn finish(self) -> Over {
        self.progress.finish();
        let mut incomplete = self.incomplete;
        if let Err(error) = self.folder.finish() {
            complain(format_args!("the output folder cannot be written any more: {error}"));
            incomplete = true;
        }
        Over {
            report: self.fold.finish(),
            incomplete,
            writer: self.writer,
        }
    }
}

// === impl Over ===

impl Over {
    /// Says the last lines of the run.
    pub(crate) fn summary(&mut self) {
        let _ = self.writer.summary(&self.report);
    }
}
