use std::time::Duration;

use rolecall_scenario::model::ProxySettings;

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
}

// === impl Settings ===

impl Settings {
    /// These settings with those of a scenario laid over them.
    pub(crate) fn with(&self, over: &ProxySettings) -> Self {
        fn or<T: Clone>(over: &Option<rolecall_scenario::Spanned<T>>, under: &Option<T>) -> Option<T> {
            over.as_ref().map(|over| over.value.clone()).or_else(|| under.clone())
        }
        Self {
            base_role_arn: or(&over.base_role_arn, &self.base_role_arn),
            cache_ttl: or(&over.cache_ttl, &self.cache_ttl),
            default_role: or(&over.default_role, &self.default_role),
            intercept: or(&over.intercept, &self.intercept),
            listen: or(&over.listen, &self.listen),
            namespace_format: or(&over.namespace_format, &self.namespace_format),
            namespace_restrictions: or(&over.namespace_restrictions, &self.namespace_restrictions),
            passthrough: or(&over.passthrough, &self.passthrough),
            require_token: or(&over.require_token, &self.require_token),
        }
    }
}
