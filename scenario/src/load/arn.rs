//! ARNs, and what they name: accounts and managed policies.

use super::walk::Walk;
use crate::{ScenarioError, Span, nearest::nearest, tree::Node, words::NameKind};

/// An ARN whose account is known.
pub(super) fn check(walk: &mut Walk<'_>, node: &Node, text: &str) {
    if !text.starts_with("arn:") || text.split(':').count() < 6 {
        walk.wrong(node, "expected an ARN such as `arn:aws:iam::self:role/`", None);
    }
    account_of(walk, text, &node.span);
}

/// The account of a text that is an ARN must be known; in a pattern it may be anything, and many services have none.
pub(super) fn account_of(walk: &mut Walk<'_>, text: &str, at: &Span) {
    let account = text.strip_prefix("arn:").and_then(|rest| rest.split(':').nth(3));
    if account.is_some_and(|account| !account.is_empty() && !account.contains(['*', '?', '$'])) {
        walk.refer(NameKind::Account, text, at);
    }
}

/// The name of a managed policy that the front has, or the ARN of one.
pub(super) fn managed_policy(walk: &mut Walk<'_>, node: &Node, text: &str) {
    let name = match text.strip_prefix("arn:aws:iam::aws:policy/") {
        Some(path) => path.rsplit('/').next().unwrap_or(path),
        // A policy of an account is named by its ARN and known only there.
        None if text.starts_with("arn:") => return account_of(walk, text, &node.span),
        None => text,
    };
    let known = walk.vocabulary.managed_policies;
    if known.contains(&name) {
        return;
    }
    let label = match nearest(name, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "not a managed policy that the AWS front has".to_owned(),
    };
    let title = format!("no managed policy named `{name}`");
    walk.report(ScenarioError::new(title, node.span.clone(), label));
}
