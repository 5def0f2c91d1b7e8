use std::collections::BTreeMap;

use serde::Serialize;

use super::Claims;

/// Who somebody is (`authentication.k8s.io/v1` `UserInfo`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub(crate) struct UserInfo {
    pub(crate) username: String,
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) uid: String,
    pub(crate) groups: Vec<String>,
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub(crate) extra: BTreeMap<String, Vec<String>>,
}

// === impl UserInfo ===

impl UserInfo {
    /// A user without a UID, of `group` and of all who have shown who they are.
    pub(crate) fn named(username: &str, group: Option<&str>) -> Self {
        let groups = group.into_iter().chain(["system:authenticated"]);
        Self {
            username: username.to_owned(),
            groups: groups.map(str::to_owned).collect(),
            ..Self::default()
        }
    }

    /// Who does not say who he is.
    pub(crate) fn anonymous() -> Self {
        Self {
            username: "system:anonymous".to_owned(),
            groups: vec!["system:unauthenticated".to_owned()],
            ..Self::default()
        }
    }

    /// The service account that a token speaks for, and what it is bound to.
    pub(crate) fn of_token(claims: &Claims) -> Self {
        let binding = &claims.binding;
        let mut extra = BTreeMap::new();
        let mut add = |key: &str, value: String| {
            if !value.is_empty() {
                extra.insert(format!("authentication.kubernetes.io/{key}"), vec![value]);
            }
        };
        add("credential-id", format!("JTI={}", claims.jti));
        for (kind, reference) in [("node", &binding.node), ("pod", &binding.pod)] {
            if let Some(reference) = reference {
                add(&format!("{kind}-name"), reference.name.clone());
                add(&format!("{kind}-uid"), reference.uid.clone());
            }
        }
        Self {
            username: claims.sub.clone(),
            uid: binding.serviceaccount.uid.clone(),
            groups: vec![
                "system:serviceaccounts".to_owned(),
                format!("system:serviceaccounts:{}", binding.namespace),
                "system:authenticated".to_owned(),
            ],
            extra,
        }
    }
}
