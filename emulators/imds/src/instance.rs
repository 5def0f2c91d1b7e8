use std::{
    fmt,
    net::{IpAddr, Ipv4Addr},
    sync::Arc,
};

use crate::Credentials;

/// Which instance an address belongs to.
pub trait Directory: Send + Sync + 'static {
    /// The instance that has this address or that a pod with this address runs on; none if nobody has it.
    fn instance_for(&self, address: IpAddr) -> Option<Arc<Instance>>;
}

/// What the service knows of a node's EC2 instance.
#[derive(Clone)]
pub struct Instance {
    /// The node's name, for the journal.
    pub node: String,
    /// `i-…`; tokens and credentials belong to it.
    pub instance_id: String,
    /// `ami-…`
    pub ami_id: String,
    /// For example `m5.large`.
    pub instance_type: String,
    /// For example `us-east-1`.
    pub region: String,
    /// For example `us-east-1a`.
    pub availability_zone: String,
    /// The private DNS name.
    pub hostname: String,
    /// The node's own address in the vpc. A peer with another address is one hop further away: a pod.
    pub local_ipv4: Ipv4Addr,
    /// The account's twelve digits.
    pub account: String,
    /// The name of the role in the instance profile; none if the instance has no profile.
    pub role: Option<String>,
    /// `arn:aws:iam::…:instance-profile/…`
    pub instance_profile_arn: String,
    /// `AIPA…`
    pub instance_profile_id: String,
    /// What the instance was started with; empty if nothing, which is answered 404.
    pub user_data: String,
    /// The keys of `identity-credentials/ec2`, which AWS has for its own use.
    pub identity_credentials: Credentials,
    /// `HttpTokens` of the instance's metadata options.
    pub tokens: Tokens,
    /// `HttpPutResponseHopLimit`: how many hops the answer to a token request may go. With 1 it reaches the node and no
    /// pod, which waits for it in vain.
    pub hop_limit: u8,
}

/// Whether a request must carry a session token (IMDSv2).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Tokens {
    /// Both versions are answered.
    #[default]
    Optional,
    /// A request without a token is answered 401.
    Required,
}

// === impl Instance ===

impl Instance {
    /// The partition of the region, as `services/partition` names it.
    pub(crate) fn partition(&self) -> &'static str {
        match &self.region {
            region if region.starts_with("cn-") => "aws-cn",
            region if region.starts_with("us-gov-") => "aws-us-gov",
            _ => "aws",
        }
    }

    /// The domain of the region's services.
    pub(crate) fn domain(&self) -> &'static str {
        match self.partition() {
            "aws-cn" => "amazonaws.com.cn",
            _ => "amazonaws.com",
        }
    }

    /// Whether a packet with the instance's hop limit gets to `peer`.
    pub(crate) fn within_hop_limit(&self, peer: IpAddr) -> bool {
        let hops = match peer.to_canonical() {
            IpAddr::V4(peer) if peer != self.local_ipv4 => 2,
            // Of IPv6 nothing is known that would tell a pod from its node.
            _ => 1,
        };
        hops <= self.hop_limit
    }
}

impl fmt::Debug for Instance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // User data holds secrets more often than not.
        f.debug_struct("Instance")
            .field("node", &self.node)
            .field("instance_id", &self.instance_id)
            .field("local_ipv4", &self.local_ipv4)
            .field("role", &self.role)
            .field("tokens", &self.tokens)
            .field("hop_limit", &self.hop_limit)
            .finish_non_exhaustive()
    }
}
