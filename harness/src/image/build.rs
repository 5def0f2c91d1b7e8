//! Static programs, built by cargo from a checkout.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use serde_json::Value;

use super::{Contents, ImageError, command};

/// A build from nothing takes some minutes on two cores.
const PATIENCE: Duration = Duration::from_secs(60 * 60);

/// The checkout of the project that a folder is in.
///
/// # Errors
/// It is in none.
pub(crate) fn find_checkout(from: &Path) -> Result<PathBuf, ImageError> {
    let is_checkout = |folder: &&Path| {
        ["Cargo.toml", "proxy/Cargo.toml", "harness/Cargo.toml"]
            .iter()
            .all(|file| folder.join(file).is_file())
    };
    let checkout = from.ancestors().find(is_checkout).map(Path::to_owned);
    checkout.ok_or_else(|| ImageError::NoCheckout(from.to_owned()))
}

/// Builds the static program of an image, small rather than fast, and tells where it is. What cargo built before it does
/// not build again. `say` is told cargo's own lines.
///
/// # Errors
/// There is no cargo, or it fails: its output is in the error.
pub(crate) async fn build_static(
    contents: Contents,
    checkout: &Path,
    say: &mut (dyn FnMut(&str) + Send),
) -> Result<PathBuf, ImageError> {
    // The target must be named: without one, the flags would be those of build scripts and procedural macros too, which
    // cannot be static.
    let target = format!("{}-unknown-linux-gnu", std::env::consts::ARCH);
    let program = contents.program();
    let words = [
        "cargo",
        "build",
        "--profile",
        "image",
        "--target",
        &target,
        "--package",
        program,
        "--bin",
        program,
        "--message-format",
        "json-render-diagnostics",
    ];
    let flags = std::env::var("RUSTFLAGS").unwrap_or_default();
    let flags = format!("{flags} -C target-feature=+crt-static");
    let change = |command: &mut tokio::process::Command| {
        // Set by cargo for what it runs, this program included; they would be the other build's.
        command
            .current_dir(checkout)
            .env_remove("CARGO_ENCODED_RUSTFLAGS")
            .env("RUSTFLAGS", flags.trim_start());
    };
    let said = command::run(&words, change, None, PATIENCE, say).await?;
    executable(&said.out, program).ok_or_else(|| ImageError::Failed {
        command: words.join(" "),
        how: format!("has not said where the program {program} is"),
        output: said.err,
    })
}

/// The file of the program, among cargo's messages.
fn executable(messages: &str, program: &str) -> Option<PathBuf> {
    let messages = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok());
    let mut found = messages.filter(|message| {
        message["reason"] == "compiler-artifact"
            && message["target"]["name"] == program
            && message["target"]["kind"][0] == "bin"
    });
    found
        .next_back()
        .and_then(|message| message["executable"].as_str().map(PathBuf::from))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_program_is_found_among_cargos_messages() {
        let messages = r#"
            {"reason":"compiler-artifact","target":{"name":"rolecall","kind":["lib"]},"executable":null}
            {"reason":"compiler-artifact","target":{"name":"rolecall","kind":["bin"]},"executable":"/t/rolecall"}
            {"reason":"build-finished","success":true}"#;
        assert_eq!(executable(messages, "rolecall"), Some("/t/rolecall".into()));
        assert_eq!(executable(messages, "rolecall-proxy"), None);
    }

    #[test]
    fn a_checkout_is_found_from_any_folder_in_it() {
        let folder = tempfile::tempdir().expect("a folder");
        for file in ["Cargo.toml", "proxy/Cargo.toml", "harness/Cargo.toml"] {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().expect("a folder")).expect("made");
            std::fs::write(path, "").expect("written");
        }
        let found = find_checkout(&folder.path().join("proxy")).expect("a checkout");
        assert_eq!(found, folder.path());
        find_checkout(Path::new("/")).expect_err("no checkout");
    }
}
