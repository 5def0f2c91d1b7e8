//! From a policy's text, HCL or JSON, to its rules.

use std::collections::BTreeSet;

use serde_json::{Map, Value};

use super::{hcl, path::Pattern};
use crate::reply::several;

/// The capabilities that a rule may give, in the order of Vault's answers.
const CAPABILITIES: [&str; 10] = [
    "create", "delete", "deny", "list", "patch", "read", "recover", "root", "sudo", "update",
];

/// A policy, as it was written and as it is understood.
#[derive(Clone, Debug)]
pub(crate) struct Policy {
    pub(crate) text: String,
    pub(super) rules: Vec<(Pattern, BTreeSet<&'static str>)>,
}

/// Understands a policy.
///
/// # Errors
/// Vault's words for what is no policy. A rule that is not implemented (parameters, wrapping times, templates) is refused
/// too, never ignored.
pub(crate) fn parse(text: &str) -> Result<Policy, String> {
    understand(text).map_err(|error| format!("failed to parse policy: {error}"))
}

fn understand(text: &str) -> Result<Policy, String> {
    let json = text.trim_start().starts_with('{');
    let root = if json {
        let map: Map<String, Value> = serde_json::from_str(text).map_err(|error| error.to_string())?;
        map
    } else {
        hcl::parse(text)?
    };
    let mut rules = Vec::new();
    for (key, value) in &root {
        match key.as_str() {
            "name" => {}
            "path" => read_paths(value, &mut rules)?,
            other => {
                return Err(several(&[&format!("invalid key {other:?} on line 0")]));
            }
        }
    }
    Ok(Policy {
        text: text.to_owned(),
        rules,
    })
}

fn read_paths(value: &Value, rules: &mut Vec<(Pattern, BTreeSet<&'static str>)>) -> Result<(), String> {
    match value {
        Value::Array(blocks) => blocks.iter().try_for_each(|block| read_paths(block, rules)),
        Value::Object(paths) => {
            for (path, rule) in paths {
                let rule = match rule {
                    Value::Object(rule) => rule,
                    _ => return Err(format!("path {path:?}: expected a block")),
                };
                if path.contains("{{") {
                    return Err(format!("path {path:?}: templated policies are not implemented here"));
                }
                if path.contains("+*") {
                    return Err(format!("path {path:?}: invalid use of wildcards ('+*' is forbidden)"));
                }
                rules.push((Pattern::new(path), capabilities(path, rule)?));
            }
            Ok(())
        }
        _ => Err("expected blocks of paths".to_owned()),
    }
}

fn capabilities(path: &str, rule: &Map<String, Value>) -> Result<BTreeSet<&'static str>, String> {
    let mut given = BTreeSet::new();
    for (key, value) in rule {
        match (key.as_str(), value) {
            ("comment", _) => {}
            ("capabilities", Value::Array(items)) => {
                for item in items {
                    let known = item
                        .as_str()
                        .and_then(|item| CAPABILITIES.iter().find(|known| **known == item));
                    match known {
                        Some(known) if *known != "root" => given.insert(*known),
                        _ => return Err(format!("path {path:?}: invalid capability {item}")),
                    };
                }
            }
            ("policy", Value::String(old)) => match old.as_str() {
                "deny" => given.extend(["deny"]),
                "read" => given.extend(["read", "list"]),
                "write" => given.extend(["create", "read", "update", "delete", "list"]),
                "sudo" => given.extend(["create", "read", "update", "delete", "list", "sudo"]),
                other => return Err(format!("path {path:?}: invalid policy {other:?}")),
            },
            (
                "allowed_parameters"
                | "denied_parameters"
                | "required_parameters"
                | "min_wrapping_ttl"
                | "max_wrapping_ttl"
                | "mfa_methods"
                | "control_group",
                _,
            ) => return Err(format!("path {path:?}: {key} is not implemented here")),
            (other, _) => return Err(format!("path {path:?}: invalid key {other:?}")),
        }
    }
    // A denial takes all else away.
    if given.contains("deny") {
        given = BTreeSet::from(["deny"]);
    }
    Ok(given)
}

#[cfg(test)]
mod tests {
    use rstest::rstest;

    use super::*;

    #[rstest]
    #[case(r#"path "aws/*" { capabilities = ["read", "list"] }"#)]
    #[case("# why\npath \"aws/*\" {\n  // twice\n  capabilities = [\"read\", /* and */ \"list\",]\n}\n")]
    #[case(r#"{"path":{"aws/*":{"capabilities":["read","list"]}}}"#)]
    #[case(r#"{"path":[{"aws/*":{"capabilities":["read","list"]}}]}"#)]
    #[case(r#"path "aws/*" { policy = "read" }"#)]
    fn one_policy_may_be_written_in_many_ways(#[case] text: &str) {
        let rules = parse(text).expect("a policy").rules;
        assert_eq!(rules, [(Pattern::new("aws/*"), BTreeSet::from(["read", "list"]))]);
    }

    #[rstest]
    #[case("path")]
    #[case("path \"x\" {")]
    #[case("path \"x\" { capabilities = [\"read\" }")]
    #[case("path \"x\" { capabilities = [\"fly\"] }")]
    #[case("path \"x\" { allowed_parameters = { \"a\" = [] } }")]
    #[case("path \"x/{{identity.entity.id}}\" { capabilities = [\"read\"] }")]
    #[case("paths \"x\" { capabilities = [\"read\"] }")]
    #[case("{\"path\":1}")]
    #[case("{")]
    #[case("path \"x")]
    fn what_is_no_policy_is_refused(#[case] text: &str) {
        assert!(parse(text).is_err());
    }

    #[test]
    fn depth_is_bounded() {
        assert!(parse(&"a {".repeat(10_000)).is_err());
        assert!(parse(&format!("a = {}", "[".repeat(10_000))).is_err());
    }
}
