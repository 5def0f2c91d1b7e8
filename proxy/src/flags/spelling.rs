//! Go's single-dash spelling of long flags.

use std::ffi::OsString;

/// Gives each argument that is `-long-flag` or `-long-flag=value`, for a flag that `command` has, its second dash. What
/// follows `--` is left alone.
pub(super) fn double_dashed(args: Vec<OsString>, command: &clap::Command) -> Vec<OsString> {
    let mut only_values = false;
    args.into_iter()
        .map(|arg| {
            only_values |= arg == "--";
            let single = match arg.to_str().and_then(|text| text.strip_prefix('-')) {
                Some(rest) if !only_values && !rest.starts_with('-') => rest.to_owned(),
                _ => return arg,
            };
            let name = single.split('=').next().unwrap_or_default();
            let known = name == "version" || command.get_arguments().any(|flag| flag.get_long() == Some(name));
            if known {
                OsString::from(format!("--{single}"))
            } else {
                arg
            }
        })
        .collect()
}
