//! `rolecall serve`: the services of a world as tools of their own, and the listener by which a world steers them from
//! outside.
//!
//! The embedded world keeps its services in its own process. Where they run elsewhere (as a container of a kind world, or
//! for somebody who wants an AWS that enforces IAM and no world at all), they are these programs. What no client of AWS may
//! do (move the clock, read the journal, let a service fail, begin anew) is the [`control`] listener's, which is another
//! socket and wants a token.

mod args;
pub(crate) mod control;
mod error;
mod front;
mod imds;
mod kubernetes;
mod listen;
mod nodes;
mod relay;
mod root_key;
mod services;
mod upstream;
mod vault;
mod watch;

pub(crate) use args::{ControlArgs, ServeArgs, control_token};
pub(crate) use error::ServeError;
pub(crate) use nodes::Node;

use args::Service;
use control::ControlClient;
use rolecall_aws::DecisionRecord;

/// Serves until Ctrl-C or SIGTERM.
///
/// # Errors
/// What is wrong with the command line, or why nothing can be served here.
pub(crate) fn serve(args: ServeArgs) -> Result<(), ServeError> {
    // Before an upstream, which is the slower of the two by far, further threads would only hand requests to each other.
    let mut builder = match &args.service {
        Service::Aws(args) if args.front.upstream.is_some() => tokio::runtime::Builder::new_current_thread(),
        Service::World(args) if args.front.upstream.is_some() => tokio::runtime::Builder::new_current_thread(),
        _ => tokio::runtime::Builder::new_multi_thread(),
    };
    let runtime = builder
        .enable_all()
        .build()
        .map_err(|error| ServeError::Unable(format!("cannot start threads: {error}")))?;
    runtime.block_on(async {
        match args.service {
            Service::Aws(args) => front::serve_aws(args).await,
            Service::Imds(args) => imds::serve_imds(args).await,
            Service::Kubernetes(args) => kubernetes::serve_kubernetes(args).await,
            Service::World(args) => front::serve_world(*args).await,
            Service::Vault(args) => vault::serve_vault(args).await,
            Service::Idle => {
                listen::stop_signal()?.cancelled().await;
                Ok(())
            }
        }
    })
}

/// What the AWS behind a control listener has decided, oldest first.
///
/// # Errors
/// The URL or the token is wrong, or nobody answers.
pub(crate) fn decisions_of(url: &str) -> Result<Vec<DecisionRecord>, ServeError> {
    let client =
        ControlClient::new(url, control_token()?).map_err(|error| ServeError::Usage(format!("--control: {error}")))?;
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .map_err(|error| ServeError::Unable(format!("cannot start: {error}")))?;
    let decided = runtime.block_on(client.decisions(0));
    decided.map_err(|error| ServeError::Unable(error.to_string()))
}
