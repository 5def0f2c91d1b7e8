//! `rolecall serve imds`.

use std::sync::Arc;

use futures::future::BoxFuture;
use rolecall_clock::Clock;
use rolecall_imds::{Credentials, Imds, Instance, InstanceCredentials};

use super::{
    ServeError,
    args::ImdsArgs,
    control::{ControlClient, ControlError},
    control_token,
    listen::{Listening, say, stop_signal},
    nodes::{Cloud, Nodes, nodes_of},
};

/// Keys of an instance, from a front in another process.
struct FromControl {
    client: ControlClient,
    nodes: Nodes,
}

/// Serves the metadata service of many nodes.
///
/// # Errors
/// What is wrong with the flags, or why it cannot be served here.
pub(crate) async fn serve_imds(args: ImdsArgs) -> Result<(), ServeError> {
    let given = nodes_of(&args.nodes)?;
    let client = ControlClient::new(&args.front, control_token()?).map_err(|error| usage("--front", &error))?;
    client.status().await.map_err(|error| match error {
        ControlError::Unreachable { .. } => {
            ServeError::Unable(format!("{error}; is `rolecall serve aws --control …` up?"))
        }
        error => ServeError::Unable(error.to_string()),
    })?;
    let clock = Clock::new();
    let nodes = Nodes::default();
    let cloud = Cloud {
        account: args.account,
        region: args.region,
        clock: clock.clone(),
    };
    nodes.put(given, &cloud).map_err(|error| usage("--nodes", &error))?;
    let source = FromControl {
        client,
        nodes: nodes.clone(),
    };
    let socket = Listening::on(args.listen, "--listen").await?;
    let ended = |error| ServeError::Ended {
        what: "the metadata service",
        error,
    };
    let listener = socket.listener().map_err(ended)?;
    let stop = stop_signal()?;
    let imds = Imds::new(clock, Arc::new(nodes.clone()), Arc::new(source));
    say(&format!(
        "serving the metadata service of {} instances on http://{}\nready; Ctrl-C ends it",
        nodes.given().len(),
        socket.address()
    ));
    imds.serve(listener, stop).await.map_err(ended)
}

fn usage(flag: &str, error: &dyn std::fmt::Display) -> ServeError {
    ServeError::Usage(format!("{flag}: {error}"))
}

// === impl FromControl ===

impl InstanceCredentials for FromControl {
    fn credentials<'a>(&'a self, instance: &'a Instance) -> BoxFuture<'a, Result<Credentials, String>> {
        let profile = self.nodes.profile_of(&instance.instance_id).unwrap_or_default();
        Box::pin(async move {
            let keys = self.client.instance_credentials(&profile, &instance.instance_id).await;
            let keys = keys.map_err(|error| error.to_string())?;
            Ok(Credentials {
                access_key_id: keys.access_key_id,
                secret_access_key: keys.secret_access_key,
                token: keys.session_token,
                expiration: keys.expiration,
                last_updated: keys.last_updated,
            })
        })
    }
}
