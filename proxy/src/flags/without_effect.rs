use clap::{ArgAction, Args};

/// kube2iam's flags that are taken, so that its manifests start this proxy, and do nothing. Their values are not read.
#[derive(Clone, Debug, Default, Args)]
#[command(next_help_heading = "Taken for kube2iam's sake, without effect")]
pub struct WithoutEffect {
    /// No effect: the API server's certificate is always verified; a kubeconfig can name its authority
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = ArgAction::Set)]
    pub insecure: Option<String>,

    /// No effect: a request waits for a quarter of a second at most, and only for a pod that is not known yet
    #[arg(long, value_name = "DURATION")]
    pub backoff_max_interval: Option<String>,

    /// No effect: see --backoff-max-interval
    #[arg(long, value_name = "DURATION")]
    pub backoff_max_elapsed_time: Option<String>,

    /// No effect: the watch is followed without gaps, and a fresh list made when there is one
    #[arg(long, value_name = "DURATION")]
    pub cache_resync_period: Option<String>,

    /// No effect: while two live pods have one address, neither gets anything
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = ArgAction::Set)]
    pub resolve_duplicate_cache_ips: Option<String>,

    /// No effect: STS is always asked in the region of AWS_REGION or of the instance
    #[arg(long, value_name = "BOOL", num_args = 0..=1, require_equals = true, default_missing_value = "true",
          action = ArgAction::Set)]
    pub use_regional_sts_endpoint: Option<String>,
}

// === impl WithoutEffect ===

impl WithoutEffect {
    /// A line for each flag that was given and asks for something; `=false` asks for what is done anyway.
    pub(super) fn notes(&self) -> Vec<String> {
        let all = [
            (
                "insecure",
                &self.insecure,
                "the API server's certificate is always verified",
            ),
            (
                "backoff-max-interval",
                &self.backoff_max_interval,
                "requests hardly wait",
            ),
            (
                "backoff-max-elapsed-time",
                &self.backoff_max_elapsed_time,
                "requests hardly wait",
            ),
            (
                "cache-resync-period",
                &self.cache_resync_period,
                "the watch is followed without gaps",
            ),
            (
                "resolve-duplicate-cache-ips",
                &self.resolve_duplicate_cache_ips,
                "while two live pods have one address, neither gets anything",
            ),
            (
                "use-regional-sts-endpoint",
                &self.use_regional_sts_endpoint,
                "STS is always asked in the node's region",
            ),
        ];
        all.into_iter()
            .filter(|(_, value, _)| value.as_deref().is_some_and(|value| value != "false"))
            .map(|(flag, _, why)| format!("--{flag} has no effect here: {why}"))
            .collect()
    }
}
