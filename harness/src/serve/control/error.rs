/// Why a control listener did not do what it was asked.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ControlError {
    /// The URL is none that can be asked.
    #[error("`{0}` is no URL of a control listener: write one such as http://127.0.0.1:4567")]
    Url(String),
    /// Nobody answered.
    #[error("nobody answers at {url}: {why}")]
    Unreachable { url: String, why: String },
    /// It refused; 401 is a wrong token.
    #[error("{message} (HTTP {status})")]
    Refused { status: u16, message: String },
    /// What answers there is no control listener, or one of another version.
    #[error("{url} answers what no control listener of this version answers: {why}")]
    Malformed { url: String, why: String },
}
