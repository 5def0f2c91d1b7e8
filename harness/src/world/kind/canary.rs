//! The canary: before the first scenario, what must be refused is asked for. Behind an AWS that lets everything through, every
//! scenario that expects keys would pass, and prove nothing.

use std::sync::Arc;

use rolecall_clock::Clock;
use rolecall_probe::{Outcome, Report, Task};
use rolecall_scenario::{Source, Vocabulary, load, model::Scenario};
use serde_json::{Value, json};

use super::{ground::KindGround, node_pods};
use crate::{
    check::Keys,
    serve::control::Reset,
    world::{
        WorldError,
        operator::{AwsAccess, AwsOperator, ClusterNames, Documents},
        random::{random_account, random_key},
        record::probe_keys,
    },
};

/// A role that may do nothing, and a user who may assume every role that lets it.
const GIVEN: &str = r#"
name: the canary is refused
given:
  users:
    rolecall-canary:
      access_key: canary
      inline: { assume: { Version: "2012-10-17", Statement: [{ Effect: Allow, Action: "sts:AssumeRole", Resource: "*" }] } }
  roles:
    rolecall-canary: { trust: "user:rolecall-canary" }
steps:
  - { using: canary, call: "sts:GetCallerIdentity", expect: allowed }
"#;

/// Sends the canary from a node, by the way that pods take.
///
/// # Errors
/// [`WorldError::Unable`] if it is let through; else it could not be sent.
pub(super) async fn sing(ground: &Arc<KindGround>) -> Result<(), WorldError> {
    let scenario = scenario()?;
    let names = ClusterNames::of(&scenario.given);
    let mut root = random_key();
    let account = random_account();
    if ground.options.without_front {
        // LocalStack takes twelve digits for an account.
        root.access_key_id.clone_from(&account);
    } else {
        let reset = Reset {
            account: Some(account.clone()),
            root_key: Some(super::ground::root_key(&root)),
            ..Reset::default()
        };
        let reset = ground.control.reset(&reset).await;
        reset.map_err(|error| WorldError::doing("steer the AWS front", &error))?;
    }
    let access = AwsAccess {
        endpoint: ground.operator.clone(),
        region: "us-east-1".to_owned(),
        keys: root,
        accounts: Default::default(),
        clock: Clock::new(),
    };
    let documents = Documents {
        account: account.clone(),
        accounts: Default::default(),
        node_role: names.node_role(),
        issuer: None,
        fixtures: Default::default(),
    };
    let aws = AwsOperator::new(&access, names, documents);
    aws.apply_users(&scenario.given.users).await?;
    aws.apply_roles(&scenario.given.roles).await?;
    let user = aws
        .user_keys("canary")
        .ok_or_else(|| WorldError::new("the canary's user has no key"))?;
    let arn = |name: &str| format!("arn:aws:iam::{account}:role/{name}");
    let assumed = aws.assume_role(&user, &arn("rolecall-canary")).await;
    let role = assumed.map_err(|error| WorldError::new(format!("the canary cannot assume its own role: {error}")))?;
    let missing = json!({"role_arn": arn("rolecall-missing")});
    let (lists, assumes) = tokio::try_join!(
        refused(ground, "s3:ListBuckets", Value::Null, &role),
        refused(ground, "sts:AssumeRole", missing, &user),
    )?;
    let through = [
        lists.map(|said| format!("a role without any policy listed buckets ({said})")),
        assumes.map(|said| format!("a role that does not exist was assumed ({said})")),
    ];
    let through: Vec<String> = through.into_iter().flatten().collect();
    if through.is_empty() {
        return Ok(());
    }
    Err(WorldError::Unable {
        reason: format!(
            "the canary came through: {}; the AWS at {} does not enforce IAM, so no scenario would prove anything, and none is run",
            through.join(", and "),
            ground.endpoint
        ),
    })
}

/// Asks from a node; what was answered where it was not refused.
async fn refused(ground: &KindGround, operation: &str, with: Value, keys: &Keys) -> Result<Option<String>, WorldError> {
    let task = Task::Call(rolecall_probe::Call {
        operation: operation.to_owned(),
        with: with.as_object().cloned().unwrap_or_default(),
        keys: Some(probe_keys(keys)),
        whole_ms: 15_000,
    });
    let container = node_pods::of_node(ground.cluster.node("node-1")?);
    let Report::Call(report) = container.probe(&ground.cluster.client, &task).await? else {
        return Err(WorldError::new("the probe answered another question"));
    };
    match report.outcome {
        Outcome::Ok { .. } => Ok(Some(format!(
            "{operation} answered {}",
            report.status.unwrap_or_default()
        ))),
        Outcome::Error { code, .. } if code == "AccessDenied" => Ok(None),
        Outcome::Error { code, message, .. } => Err(WorldError::new(format!(
            "the canary asked for {operation} and was told {code}: {}",
            message.unwrap_or_default()
        ))),
        Outcome::NoCredentials { reason } => Err(WorldError::new(format!("the canary has no keys: {reason}"))),
        Outcome::Silence(silence) => Err(WorldError::new(format!(
            "the canary asked for {operation} at {} and nobody answered: {}",
            ground.endpoint, silence.message
        ))),
    }
}

fn scenario() -> Result<Scenario, WorldError> {
    let vocabulary = Vocabulary {
        operations: &|_| None,
        managed_policies: &[],
    };
    load(
        Source::new("canary.yaml", GIVEN.to_owned()),
        "canary".to_owned(),
        &vocabulary,
    )
    .map_err(|errors| WorldError::new(errors.render(false)))
}

#[cfg(test)]
mod tests {
    #[test]
    fn the_canary_is_a_scenario_that_can_be_read() {
        super::scenario().expect("a scenario");
    }
}
