//! One line at the bottom of a terminal: how many of how many, and which are running.

use std::{
    collections::BTreeMap,
    io::{self, Write},
    sync::OnceLock,
};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

/// The line that is on the terminal now: whoever writes there must take it away first.
static SHOWN: OnceLock<ProgressBar> = OnceLock::new();

/// How far a run is. Nothing is shown where standard error is no terminal.
#[derive(Debug)]
pub(crate) struct Progress {
    bar: ProgressBar,
    of: usize,
    ended: usize,
    /// How many repetitions of each scenario are running.
    running: BTreeMap<String, usize>,
}

/// Standard error for the log: a line of it never tears the progress line.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LogWriter;

// === impl Progress ===

impl Progress {
    /// A run of `of` scenarios.
    pub(crate) fn new(of: usize) -> Self {
        let bar = ProgressBar::with_draw_target(None, ProgressDrawTarget::stderr());
        // The one template: it has no colours, and is cut to the terminal's width.
        if let Ok(style) = ProgressStyle::with_template("{wide_msg}") {
            bar.set_style(style);
        }
        Self {
            bar: SHOWN.get_or_init(|| bar).clone(),
            of,
            ended: 0,
            running: BTreeMap::new(),
        }
    }

    pub(crate) fn started(&mut self, id: &str) {
        *self.running.entry(id.to_owned()).or_default() += 1;
        self.bar.set_message(self.line());
    }

    pub(crate) fn ended(&mut self, id: &str) {
        self.ended += 1;
        if let Some(count) = self.running.get_mut(id) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(id);
            }
        }
        self.bar.set_message(self.line());
    }

    fn line(&self) -> String {
        let ids = self.running.iter().map(|(id, count)| match count {
            1 => id.clone(),
            count => format!("{id} ×{count}"),
        });
        let ids: Vec<_> = ids.collect();
        format!("{} of {}  {}", self.ended, self.of, ids.join(", "))
            .trim_end()
            .to_owned()
    }

    /// Writes something to the terminal while the line is away.
    pub(crate) fn aside<T>(&self, write: impl FnOnce() -> T) -> T {
        self.bar.suspend(write)
    }

    /// Takes the line away for good.
    pub(crate) fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

// === impl LogWriter ===

impl Write for LogWriter {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let write = || io::stderr().write(bytes);
        match SHOWN.get() {
            Some(bar) => bar.suspend(write),
            None => write(),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        io::stderr().flush()
    }
}

#[cfg(test)]
mod tests {
    use super::Progress;

    #[test]
    fn the_line_says_how_many_of_how_many_and_which_are_running() {
        let mut progress = Progress::new(4);
        for id in ["a/one", "a/two", "a/two", "b/three"] {
            progress.started(id);
        }
        progress.ended("a/one");
        assert_eq!(progress.line(), "1 of 4  a/two ×2, b/three");
        for id in ["a/two", "a/two", "b/three"] {
            progress.ended(id);
        }
        assert_eq!(progress.line(), "4 of 4");
    }
}
