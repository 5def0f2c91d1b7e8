//! The report a person reads, a line or a block for each scenario as it ends.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{RunReport, ScenarioReport, VerdictWord};

/// Writes to a stream that strips colours where they are not wanted (`anstream`).
#[derive(Debug)]
pub(crate) struct TextWriter<W> {
    out: W,
    /// Whether the last line written is empty.
    blank: bool,
}

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

// === impl TextWriter ===

impl<W: Write> TextWriter<W> {
    pub(crate) fn new(out: W) -> Self {
        Self { out, blank: false }
    }

    /// What a scenario ended as.
    pub(crate) fn scenario(&mut self, report: &ScenarioReport) -> io::Result<()> {
        self.blank = matches!(report.verdict, VerdictWord::Failed | VerdictWord::Error);
        match report.verdict {
            VerdictWord::Passed => self.line("PASS", GOOD, &report.id, &report.name, report.seconds),
            VerdictWord::Skipped => {
                let reason = report.reason.as_deref().unwrap_or_default();
                writeln!(self.out, "{DIM}SKIP{DIM:#}  {}  {reason}", report.id)
            }
            VerdictWord::Interrupted => writeln!(self.out, "{DIM}STOP{DIM:#}  {}  interrupted", report.id),
            VerdictWord::Error => {
                let reason = report.reason.as_deref().unwrap_or_default();
                writeln!(self.out, "{BAD}ERROR{BAD:#} {}", report.id)?;
                writeln!(self.out, "   = {reason}")?;
                writeln!(
                    self.out,
                    "   = this says nothing of the proxy: the harness could not find out\n"
                )
            }
            VerdictWord::Failed => self.failure(report),
        }
    }

    fn failure(&mut self, report: &ScenarioReport) -> io::Result<()> {
        let Some(failure) = &report.failure else { return Ok(()) };
        let step = format!("step {}: {}", failure.step, failure.step_name);
        self.line("FAIL", BAD, &report.id, &step, report.seconds)?;
        writeln!(self.out, "{}", failure.excerpt.trim_end())?;
        writeln!(self.out, "   |")?;
        for note in &failure.notes {
            writeln!(self.out, "   = {note}")?;
        }
        writeln!(self.out)
    }

    /// `WORD  id  text … 1.3s`, the time ending at the 79th column where there is room.
    fn line(&mut self, word: &str, style: Style, id: &str, text: &str, seconds: f64) -> io::Result<()> {
        let time = format!("{seconds:.1}s");
        let width = |text: &str| text.chars().count();
        let used = width(word) + 2 + width(id) + 2 + width(text);
        let gap = 79_usize.saturating_sub(used + time.len()).max(2);
        writeln!(self.out, "{style}{word}{style:#}  {id}  {text}{:gap$}{time}", "")
    }

    /// The last lines of a run.
    pub(crate) fn summary(&mut self, report: &RunReport) -> io::Result<()> {
        let summary = report.summary;
        let mut parts = Vec::new();
        for (count, word) in [
            (summary.passed, "passed"),
            (summary.failed, "failed"),
            (summary.error, "in error"),
            (summary.skipped, "skipped"),
            (summary.interrupted, "interrupted"),
        ] {
            if count > 0 || word == "passed" {
                parts.push(format!("{count} {word}"));
            }
        }
        if !self.blank {
            writeln!(self.out)?;
        }
        writeln!(
            self.out,
            "{} in {:.1}s ({} world, {})",
            parts.join(", "),
            report.seconds,
            report.world,
            report.subject
        )?;
        if !report.enforcement {
            writeln!(
                self.out,
                "The AWS front let everything pass: this run tests the suite, and proves nothing of a proxy."
            )?;
        }
        Ok(())
    }
}
