//! The differences that are known, each with the rule of AWS that settles it.

use iam_policy::Principal;
use serde_json::Value;

use crate::question::Question;

/// Something on which the other evaluator is known to decide otherwise.
struct Difference {
    /// What it does, and the page whose rule says otherwise.
    reason: &'static str,
    /// Whether the question has it.
    present: fn(&Question) -> bool,
}

const DIFFERENCES: [Difference; 7] = [
    Difference {
        reason: "ministack has no policy variables and no escapes (IAM policy elements: Variables and tags)",
        present: |question| {
            question
                .statements()
                .any(|statement| statement.to_string().contains("${"))
        },
    },
    Difference {
        reason: "ministack lets nobody assume a role without an identity-based policy, whoever is named in the trust policy \
                 (Granting a user permissions to switch roles; AWS JSON policy elements: Principal)",
        present: |question| {
            let same = question.principal.account() == Some(question.owner.as_str());
            let arn =
                |text: &str| text.contains(":role/") || text.contains(":user/") || text.contains(":assumed-role/");
            let named = |statement: &Value| {
                let by = statement["Principal"].to_string();
                by.contains("\"*\"") || arn(&by)
            };
            same && question.decide()
                && question.trust.as_ref().is_some_and(|trust| {
                    trust["Statement"]
                        .as_array()
                        .is_some_and(|statements| statements.iter().any(named))
                })
        },
    },
    Difference {
        reason: "ministack lets a wildcard inside an ARN segment go beyond the colon (IAM JSON policy elements: Resource)",
        present: |question| mentions(question, "arn:aws:ec2:eu*3:instance"),
    },
    Difference {
        reason: "ministack compares ARN conditions as text, not segment by segment (IAM JSON policy elements: Condition operators)",
        present: |question| {
            conditions(question).any(|(operator, _)| operator.contains("Arn"))
                && question
                    .context
                    .iter()
                    .any(|(_, values)| values.iter().any(|value| value == "arn:aws:sns:eu:1:x:topic"))
        },
    },
    Difference {
        reason: "ministack gives aws:PrincipalArn the ARN of the session and not of its role (AWS global condition context keys)",
        present: |question| {
            matches!(question.principal, Principal::AssumedRole { .. })
                && conditions(question).any(|(_, keys)| keys.get("aws:PrincipalArn").is_some())
        },
    },
    Difference {
        reason: "ministack limits a wildcard principal with a condition on aws:PrincipalArn by boundary and session policies \
                 (AWS JSON policy elements: Principal)",
        present: |question| {
            question.bucket.is_some()
                && (question.boundary.is_some() || !question.session.is_empty())
                && conditions(question).any(|(_, keys)| keys.get("aws:PrincipalArn").is_some())
        },
    },
    Difference {
        reason: "ministack does not take nothing but empty text for a null data set (Creating a condition with multiple keys or values)",
        present: |question| {
            question
                .context
                .iter()
                .any(|(_, values)| values.iter().all(String::is_empty))
        },
    },
];

/// The reasons why the other evaluator may decide a question otherwise; none: it must not.
pub(crate) fn reasons(question: &Question) -> Vec<&'static str> {
    let present = DIFFERENCES.iter().filter(|difference| (difference.present)(question));
    present.map(|difference| difference.reason).collect()
}

fn mentions(question: &Question, text: &str) -> bool {
    question
        .statements()
        .any(|statement| statement.to_string().contains(text))
}

/// Every operator of every statement with its keys.
fn conditions(question: &Question) -> impl Iterator<Item = (&str, &Value)> {
    let conditions = question
        .statements()
        .filter_map(|statement| statement["Condition"].as_object());
    conditions.flatten().map(|(operator, keys)| (operator.as_str(), keys))
}
