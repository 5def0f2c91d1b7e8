//! Lines to standard error.

use tracing::level_filters::LevelFilter;
use tracing_subscriber::{
    filter::Targets,
    layer::{Layer as _, SubscriberExt as _},
    registry::Registry,
    util::SubscriberInitExt as _,
};

use crate::flags::{Flags, LogFormat, LogLevel};

/// Starts logging as the flags say. A second call in the same process changes nothing.
pub(crate) fn start(flags: &Flags) {
    let level = match flags.log_level {
        _ if flags.verbose || flags.debug => LevelFilter::DEBUG.max(level(flags.log_level)),
        other => level(other),
    };
    // Libraries speak only when something is wrong; the finer lines of the HTTP clients could show what is secret.
    let targets = Targets::new()
        .with_target("rolecall_proxy", level)
        .with_target("rolecall_accept", level)
        .with_default(level.min(LevelFilter::WARN));
    let lines = tracing_subscriber::fmt::layer().with_writer(std::io::stderr);
    let _ = match flags.log_format {
        LogFormat::Text => Registry::default()
            .with(lines.with_ansi(false).with_filter(targets))
            .try_init(),
        LogFormat::Json => Registry::default().with(lines.json().with_filter(targets)).try_init(),
    };
}

fn level(level: LogLevel) -> LevelFilter {
    match level {
        LogLevel::Trace => LevelFilter::TRACE,
        LogLevel::Debug => LevelFilter::DEBUG,
        LogLevel::Info => LevelFilter::INFO,
        LogLevel::Warning => LevelFilter::WARN,
        LogLevel::Error => LevelFilter::ERROR,
    }
}
