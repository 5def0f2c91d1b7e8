//! The report a person reads, a line or a block for each scenario as it ends.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{RunReport, ScenarioReport, StepReport, VerdictWord};

/// Writes to a stream that strips colours where they are not wanted (`anstream`).
#[derive(Debug)]
pub(crate) struct TextWriter<W> {
    out: W,
    /// How often each scenario is run.
    repeats: u32,
    /// Whether the last line written is empty.
    blank: bool,
}

const GOOD: Style = AnsiColor::Green.on_default().bold();
const BAD: Style = AnsiColor::Red.on_default().bold();
const DIM: Style = Style::new().dimmed();

// === impl TextWriter ===

impl<W: Write> TextWriter<W> {
    pub(crate) fn new(out: W, repeats: u32) -> Self {
        Self {
            out,
            repeats,
            blank: false,
        }
    }

    /// A scenario's name, and which repetition where there are several.
    fn named(&self, id: &str, repeat: u32) -> String {
        match self.repeats {
            0 | 1 => id.to_owned(),
            repeats => format!("{id} ({repeat} of {repeats})"),
        }
    }

    /// What a scenario ended as.
    pub(crate) fn scenario(&mut self, report: &ScenarioReport) -> io::Result<()> {
        self.blank = matches!(report.verdict, VerdictWord::Failed | VerdictWord::Error);
        let id = &self.named(&report.id, report.repeat);
        self.verdict(id, report)?;
        for note in &report.notes {
            writeln!(self.out, "   = note: {note}")?;
        }
        Ok(())
    }

    fn verdict(&mut self, id: &str, report: &ScenarioReport) -> io::Result<()> {
        match report.verdict {
            VerdictWord::Passed => self.line("PASS", GOOD, id, &report.name, report.seconds),
            VerdictWord::Skipped => {
                let reason = report.reason.as_deref().unwrap_or_default();
                writeln!(self.out, "{DIM}SKIP{DIM:#}  {}  {reason}", report.id)
            }
            VerdictWord::Interrupted => writeln!(self.out, "{DIM}STOP{DIM:#}  {id}  interrupted"),
            VerdictWord::Error => {
                writeln!(self.out, "{BAD}ERROR{BAD:#} {id}")?;
                writeln!(self.out, "{}", explain_failure(report))
            }
            VerdictWord::Failed => {
                let Some(failure) = &report.failure else { return Ok(()) };
                let step = format!("step {}: {}", failure.step, failure.step_name);
                self.line("FAIL", BAD, id, &step, report.seconds)?;
                writeln!(self.out, "{}", explain_failure(report))
            }
        }
    }

    /// A step that ended, for who wants to see each.
    pub(crate) fn step(&mut self, id: &str, repeat: u32, step: &StepReport) -> io::Result<()> {
        let asked = match step.asked {
            1 => "asked once".to_owned(),
            times => format!("asked {times} times"),
        };
        let held = match (step.held, step.held_seconds > 0.0) {
            (false, _) => ", did not hold".to_owned(),
            (true, true) => format!(", held for {:.1}s", step.held_seconds),
            (true, false) => String::new(),
        };
        self.blank = false;
        let id = self.named(id, repeat);
        writeln!(
            self.out,
            "{DIM}      {id}  step {}: {}  {:.1}s, {asked}{held}{DIM:#}",
            step.number, step.name, step.seconds
        )
    }

    /// A world that stands, and how one enters it.
    pub(crate) fn held(&mut self, id: &str, doors: &[String]) -> io::Result<()> {
        if !self.blank {
            writeln!(self.out)?;
        }
        writeln!(self.out, "The world of {id} stands until Ctrl-C. Its doors:\n")?;
        for door in doors {
            writeln!(self.out, "  {door}")?;
        }
        writeln!(self.out)?;
        self.blank = true;
        self.out.flush()
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
        if !report.unsteady.is_empty() && !self.blank {
            writeln!(self.out)?;
        }
        for of in &report.unsteady {
            let counts = [(of.passed, "passed"), (of.failed, "failed"), (of.error, "in error")];
            let counts = counts.iter().filter(|(count, _)| *count > 0);
            let counts: Vec<_> = counts.map(|(count, word)| format!("{count} {word}")).collect();
            writeln!(self.out, "{BAD}UNSTEADY{BAD:#}  {}  {}", of.id, counts.join(", "))?;
            self.blank = false;
        }
        if !self.blank {
            writeln!(self.out)?;
        }
        // Of one scenario its own line says more.
        let median = report
            .median_verdict_seconds
            .filter(|_| summary.passed + summary.failed > 1)
            .map(|seconds| format!("; median {seconds:.1}s from first apply to verdict"));
        writeln!(
            self.out,
            "{} in {:.1}s ({} world, {}{})",
            parts.join(", "),
            report.seconds,
            report.world,
            report.subject,
            median.unwrap_or_default()
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

/// What is known of a scenario that failed or met an error, below its first line; empty for any other. It ends with a
/// newline.
pub(super) fn explain_failure(report: &ScenarioReport) -> String {
    let mut lines = Vec::new();
    match (report.verdict, &report.failure) {
        (VerdictWord::Failed, Some(failure)) => {
            lines.push(failure.excerpt.trim_end().to_owned());
            // Under the excerpt's own gutter, which is as wide as its line numbers.
            let gutter = " ".repeat(failure.line.to_string().len() + 1);
            lines.push(format!("{gutter}|"));
            lines.extend(failure.notes.iter().map(|note| format!("{gutter}= {note}")));
        }
        (VerdictWord::Error, _) => {
            lines.push(format!("   = {}", report.reason.as_deref().unwrap_or_default()));
            lines.push("   = this says nothing of the proxy: the harness could not find out".to_owned());
        }
        _ => return String::new(),
    }
    if let Some(more) = &report.diagnostics {
        lines.push(format!("   = more: {}/ ({})", more.folder, more.files.join(", ")));
    }
    if let Some(again) = &report.again {
        lines.push(format!("   = again: {again}"));
    }
    lines.push(String::new());
    lines.join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::sample::sample;

    fn written(write: impl FnOnce(&mut TextWriter<&mut Vec<u8>>) -> io::Result<()>) -> String {
        let mut bytes = Vec::new();
        let mut plain = anstream::StripStream::new(&mut bytes);
        let mut coloured = Vec::new();
        write(&mut TextWriter::new(&mut coloured, 2)).expect("memory can be written");
        plain.write_all(&coloured).expect("memory can be written");
        String::from_utf8(bytes).expect("text")
    }

    #[test]
    fn each_scenario_is_a_line_or_a_block_and_the_last_lines_sum_up() {
        let report = sample();
        let text = written(|writer| {
            for scenario in &report.scenarios {
                writer.scenario(scenario)?;
            }
            writer.summary(&report)
        });
        insta::assert_snapshot!(text);
    }

    #[test]
    fn each_step_says_how_often_it_was_asked_and_how_long_it_held() {
        let report = sample();
        let text = written(|writer| {
            for scenario in report.scenarios.iter().take(2) {
                for step in &scenario.steps {
                    writer.step(&scenario.id, scenario.repeat, step)?;
                }
            }
            Ok(())
        });
        insta::assert_snapshot!(text);
    }

    #[test]
    fn a_world_that_stands_shows_its_doors() {
        let doors = [
            "AWS       http://127.0.0.1:1".to_owned(),
            "node-1    nsenter -t 1 -n".to_owned(),
        ];
        let text = written(|writer| writer.held("kube2iam/no-permission", &doors));
        insta::assert_snapshot!(text);
    }
}
