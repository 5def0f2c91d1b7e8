//! Whether an upstream is there, asked before anything is served.

use std::time::Duration;

use tokio::net::TcpStream;

use super::ServeError;

/// Time for a connection.
const PATIENCE: Duration = Duration::from_secs(5);

/// Tries whether something accepts connections at the upstream. `instead` is what else can be done where nothing does.
///
/// # Errors
/// Nothing does: why, and what to do.
pub(crate) async fn try_upstream(url: &str, instead: &str) -> Result<(), ServeError> {
    let authority = url.trim_start_matches("http://");
    // The port of HTTP is 80 where none is named; the colons of an IPv6 address stand in brackets.
    let has_port = authority.rsplit(']').next().is_some_and(|rest| rest.contains(':'));
    let address = if has_port {
        authority.to_owned()
    } else {
        format!("{authority}:80")
    };
    let why = match tokio::time::timeout(PATIENCE, TcpStream::connect(&address)).await {
        Ok(Ok(_)) => return Ok(()),
        Ok(Err(error)) => error.to_string(),
        Err(_) => format!("no connection within {} s", PATIENCE.as_secs()),
    };
    Err(ServeError::Unable(format!(
        "the upstream {url} cannot be reached: {why}; start it first, or {instead}"
    )))
}
