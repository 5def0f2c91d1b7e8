//! AWS's own names inside the nodes, for a subject that heeds no `AWS_ENDPOINT_URL` (kube2iam asks
//! `https://sts.<region>.amazonaws.com` whatever its environment says).

use std::{fs, io};

use nix::mount::{MsFlags, mount};
use rolecall_accept::Transport;
use rolecall_aws::Door;
use rolecall_certificates::Certificates;
use rolecall_namespaces::Namespace;

use super::{
    cloud::Cloud,
    network::{VPC, vpc},
};
use crate::world::WorldError;

/// Seen in a node's own mounts only.
const HOSTS: &str = "/run/hosts";
const AUTHORITY: &str = "/run/aws-authority.pem";

/// What a node needs to take the front for AWS.
#[derive(Clone, Debug)]
pub(super) struct AwsNames {
    hosts: String,
    authority: String,
}

// === impl AwsNames ===

impl AwsNames {
    /// Serves the front over TLS under AWS's names in the vpc.
    ///
    /// # Errors
    /// No certificate can be made, or the port is taken.
    pub(super) async fn serve(cloud: &Cloud, host: &Namespace, region: &str) -> Result<Self, WorldError> {
        let mut names = vec!["sts.amazonaws.com".to_owned(), "iam.amazonaws.com".to_owned()];
        names.extend(["sts", "ec2", "s3"].map(|service| format!("{service}.{region}.amazonaws.com")));
        let failed = |error: &dyn std::error::Error| WorldError::doing("serve AWS's own names", error);
        let certificates =
            Certificates::issue("Rolecall's AWS", "amazonaws.com", &names).map_err(|error| failed(&error))?;
        let listener = host.listen_tcp(vpc(443)).await.map_err(|error| failed(&error))?;
        let (front, stop) = (cloud.front.clone(), cloud.stop.clone());
        let transport = Transport::Tls(certificates.server);
        tokio::spawn(async move {
            if let Err(error) = front.serve_over(transport, listener, Door::World, stop).await {
                tracing::error!(%error, "the AWS front under AWS's own names ended");
            }
        });
        Ok(Self {
            hosts: format!("127.0.0.1 localhost\n{VPC} {}\n", names.join(" ")),
            authority: certificates.ca_pem,
        })
    }

    /// Lets a node find those names, in its own mounts.
    ///
    /// # Errors
    /// The node's files cannot be written or mounted.
    pub(super) async fn install(&self, node: &Namespace) -> Result<(), WorldError> {
        let names = self.clone();
        let installed = node.run_async(move |_| {
            fs::write(AUTHORITY, names.authority)?;
            // A second start finds the first one's mount.
            if fs::read_to_string("/etc/hosts").is_ok_and(|hosts| hosts == names.hosts) {
                return Ok(());
            }
            fs::write(HOSTS, names.hosts)?;
            mount(Some(HOSTS), "/etc/hosts", None::<&str>, MsFlags::MS_BIND, None::<&str>).map_err(io::Error::from)
        });
        let failed = |error: &dyn std::error::Error| WorldError::doing(format_args!("name AWS in {node}"), error);
        installed
            .await
            .map_err(|error| failed(&error))?
            .map_err(|error| failed(&error))
    }

    /// What a program needs to trust the front: for Go and rustls, and for AWS's SDKs.
    pub(super) fn environment(&self) -> [(&'static str, &'static str); 2] {
        [("SSL_CERT_FILE", AUTHORITY), ("AWS_CA_BUNDLE", AUTHORITY)]
    }
}
