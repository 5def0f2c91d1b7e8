//! `rolecall serve vault`.

use std::sync::Arc;

use rolecall_clock::Clock;
use rolecall_vault::{Direct, Door, Settings, Start, Vault};

use super::{
    ServeError,
    args::{VaultArgs, vault_root_token},
    listen::{Listening, say, stop_signal},
};

/// Serves a dev Vault.
///
/// # Errors
/// What is wrong with the flags, or why it cannot be served here.
pub(crate) async fn serve_vault(args: VaultArgs) -> Result<(), ServeError> {
    let root_token = vault_root_token()?;
    let socket = Listening::on(args.listen, "--listen").await?;
    let vault = Vault::new(Settings {
        clock: Clock::new(),
        start: Start::Dev { root_token },
        dial: Arc::new(Direct),
        region: args.region,
        authorities: None,
    });
    let ended = |error| ServeError::Ended {
        what: "the Vault server",
        error,
    };
    let listener = socket.listener().map_err(ended)?;
    let stop = stop_signal()?;
    say(&format!(
        "serving Vault, unsealed, on http://{}\nready; Ctrl-C ends it",
        socket.address()
    ));
    vault.serve(listener, Door::World, stop).await.map_err(ended)
}
