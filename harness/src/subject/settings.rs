use std::time::Duration;

use rolecall_scenario::{
    Spanned,
    model::{ProxySettings, Restored, VaultUse},
};

/// Settings of the subject in neutral words; `None` is the subject's own default.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Settings {
    pub(crate) base_role_arn: Option<String>,
    pub(crate) cache_ttl: Option<Duration>,
    pub(crate) default_role: Option<String>,
    pub(crate) intercept: Option<String>,
    pub(crate) listen: Option<String>,
    pub(crate) namespace_format: Option<String>,
    pub(crate) namespace_restrictions: Option<bool>,
    pub(crate) passthrough: Option<Vec<String>>,
    pub(crate) require_token: Option<bool>,
    pub(crate) vault: Option<VaultUse>,
}

// === impl Settings ===

impl Settings {
    /// Whether it gives pods keys of Vault's roles.
    pub(crate) fn asks_vault(&self) -> bool {
        matches!(self.vault, Some(VaultUse::On { .. }))
    }

    /// These settings with those of a scenario laid over them.
    pub(crate) fn with(&self, over: &ProxySettings) -> Self {
        // `null` restores the subject's default; what is not named stays.
        let or = Over {
            restored: &over.restored,
        };
        Self {
            base_role_arn: or.value("base_role_arn", &over.base_role_arn, &self.base_role_arn),
            cache_ttl: or.value("cache_ttl", &over.cache_ttl, &self.cache_ttl),
            default_role: or.value("default_role", &over.default_role, &self.default_role),
            intercept: or.value("intercept", &over.intercept, &self.intercept),
            listen: or.value("listen", &over.listen, &self.listen),
            namespace_format: or.value("namespace_format", &over.namespace_format, &self.namespace_format),
            namespace_restrictions: or.value(
                "namespace_restrictions",
                &over.namespace_restrictions,
                &self.namespace_restrictions,
            ),
            passthrough: or.value("passthrough", &over.passthrough, &self.passthrough),
            require_token: or.value("require_token", &over.require_token, &self.require_token),
            vault: or.value("vault", &over.vault, &self.vault),
        }
    }
}

struct Over<'a> {
    restored: &'a Restored,
}

impl Over<'_> {
    fn value<T: Clone>(&self, word: &str, over: &Option<Spanned<T>>, under: &Option<T>) -> Option<T> {
        match over {
            Some(over) => Some(over.value.clone()),
            None if self.restored.contains(word) => None,
            None => under.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_setting_that_is_named_replaces_one_that_is_null_goes_and_the_rest_stays() {
        let before = Settings {
            cache_ttl: Some(Duration::from_secs(900)),
            intercept: Some("none".to_owned()),
            require_token: Some(true),
            ..Settings::default()
        };
        let mut over = ProxySettings {
            intercept: None,
            ..ProxySettings::default()
        };
        over.require_token = Some(Spanned::new(false, Default::default()));
        over.restored.insert("intercept");
        let after = before.with(&over);
        assert_eq!(
            (after.cache_ttl, after.intercept, after.require_token),
            (before.cache_ttl, None, Some(false))
        );
    }
}
