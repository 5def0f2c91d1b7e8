use std::net::Ipv4Addr;

/// An EC2 instance, as DescribeInstances shows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ec2Instance {
    /// `i-0123456789abcdef0`.
    pub instance_id: String,
    /// Such as `t3.medium`.
    pub instance_type: String,
    /// The image, `ami-…`.
    pub ami_id: String,
    /// Its address in the VPC.
    pub private_ip: Ipv4Addr,
    /// Its name in the VPC, such as `ip-10-0-1-2.ec2.internal`.
    pub private_dns_name: String,
    /// Such as `us-east-1a`. The region is the zone without its letter.
    pub availability_zone: String,
    /// The ARN of its instance profile, if it has one.
    pub instance_profile_arn: Option<String>,
    /// The profile's unique id, `AIPA…`. If none is given the front looks the profile up in its own IAM.
    pub instance_profile_id: Option<String>,
    /// Keys and values, such as `Name` and `KubernetesCluster`.
    pub tags: Vec<(String, String)>,
}

// === impl Ec2Instance ===

impl Ec2Instance {
    pub(crate) fn region(&self) -> &str {
        self.availability_zone
            .trim_end_matches(|c: char| c.is_ascii_lowercase())
    }
}
