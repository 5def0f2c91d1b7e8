//! Finding out in which account the node is.

use std::time::Duration;

use serde::Deserialize;
use tracing::{info, warn};

use super::NodeAccount;
use crate::which::{BaseArn, Discovery};

/// Pauses between attempts; the last is repeated.
const PAUSES: [Duration; 6] = [
    Duration::from_millis(100),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(5),
    Duration::from_secs(15),
];

/// What the metadata service says of the instance's profile.
#[derive(Debug, Deserialize)]
struct IamInfo {
    #[serde(rename = "InstanceProfileArn")]
    instance_profile_arn: String,
}

impl NodeAccount {
    /// Asks the metadata service for the base ARN until it has one: that of all roles in the account of the instance's
    /// profile.
    pub async fn discover(&self, discovery: &Discovery) {
        let mut pauses = PAUSES.iter();
        let mut pause = PAUSES[0];
        loop {
            let reason = match self.iam_info().await.and_then(|text| read(&text)) {
                Ok(base) => {
                    info!(%base, "discovered the base ARN");
                    discovery.found(base);
                    return;
                }
                Err(reason) => reason,
            };
            warn!(reason, "cannot discover the base ARN; trying again");
            discovery.failed(reason);
            pause = pauses.next().copied().unwrap_or(pause);
            tokio::time::sleep(pause).await;
        }
    }
}

fn read(text: &str) -> Result<BaseArn, String> {
    let info: IamInfo = serde_json::from_str(text)
        .map_err(|error| format!("the metadata service's iam/info is not readable: {error}"))?;
    BaseArn::of_instance_profile(&info.instance_profile_arn)
        .ok_or_else(|| format!("`{}` is no instance profile's ARN", info.instance_profile_arn))
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(
        r#"{"Code":"Success","InstanceProfileArn":"arn:aws-cn:iam::123456789012:instance-profile/n","InstanceProfileId":"A"}"#,
        Ok("arn:aws-cn:iam::123456789012:role/")
    )]
    #[case(r#"{"Code":"Failed"}"#, Err("iam/info"))]
    #[case("<html>", Err("iam/info"))]
    #[case(r#"{"InstanceProfileArn":"arn:aws:iam::1:role/x"}"#, Err("no instance profile"))]
    fn the_profile_says_the_account(#[case] text: &str, #[case] base: Result<&str, &str>) {
        match (read(text), base) {
            (Ok(found), Ok(base)) => assert_eq!(found.as_str(), base),
            (Err(reason), Err(part)) => assert!(reason.contains(part), "{reason}"),
            (found, _) => panic!("{found:?}"),
        }
    }
}
