//! `config/root` and `config/lease`.

use secrecy::{ExposeSecret as _, SecretString};
use serde_json::json;

use super::query::Endpoint;
use crate::{
    core::Core,
    duration,
    reply::{Done, Refusal, Reply},
    request::Request,
};

/// Vault's own template of user and session names, the one that is implemented.
const TEMPLATE: &str = r#"{{ if (eq .Type "STS") }}{{ printf "vault-%s-%s"  (unix_time) (random 20) | truncate 32 }}{{ else }}{{ printf "vault-%s-%s-%s" (printf "%s-%s" (.DisplayName) (.PolicyName) | truncate 42) (unix_time) (random 20) | truncate 64 }}{{ end }}"#;

/// The key that the engine signs with, and where it asks.
#[derive(Clone)]
pub(crate) struct Root {
    pub(super) access_key: String,
    pub(crate) secret_key: SecretString,
    region: String,
    iam_endpoint: String,
    sts_endpoint: String,
    sts_region: String,
    fallback_endpoints: Vec<String>,
    fallback_regions: Vec<String>,
    /// Less than nothing for the SDK's own number, three.
    max_retries: i64,
}

// === impl Root ===

impl Root {
    /// Tries beyond the first.
    pub(super) fn retries(&self) -> u32 {
        u32::try_from(self.max_retries).unwrap_or(3)
    }

    pub(super) fn iam(&self, default_region: &str) -> Endpoint {
        let region = if self.region.is_empty() {
            default_region
        } else {
            &self.region
        };
        if self.iam_endpoint.is_empty() {
            // IAM is one service for all regions, and signed for as such.
            return Endpoint::new("https://iam.amazonaws.com", "us-east-1", "iam");
        }
        Endpoint::new(&self.iam_endpoint, region, "iam")
    }

    /// The STS endpoints in the order in which they are tried.
    pub(super) fn sts(&self, default_region: &str) -> Vec<Endpoint> {
        let region = if self.region.is_empty() {
            default_region
        } else {
            &self.region
        };
        if self.sts_endpoint.is_empty() {
            return vec![Endpoint::new(
                &format!("https://sts.{region}.amazonaws.com"),
                region,
                "sts",
            )];
        }
        let region = if self.sts_region.is_empty() {
            region
        } else {
            &self.sts_region
        };
        let fallbacks = self.fallback_endpoints.iter().zip(&self.fallback_regions);
        let mut all = vec![Endpoint::new(&self.sts_endpoint, region, "sts")];
        all.extend(fallbacks.map(|(endpoint, region)| Endpoint::new(endpoint, region, "sts")));
        all
    }
}

pub(super) fn read_root(core: &Core, mount: &str) -> Done {
    let state = core.state();
    let root = state
        .mounts
        .aws(mount)
        .and_then(|aws| aws.root.as_ref())
        .ok_or_else(Refusal::absent)?;
    Ok(Reply::data(json!({
        "access_key": root.access_key,
        "disable_automated_rotation": false,
        "iam_endpoint": root.iam_endpoint,
        "identity_token_audience": "",
        "identity_token_ttl": 0,
        "max_retries": root.max_retries,
        "region": root.region,
        "role_arn": "",
        "rotation_period": 0,
        "rotation_schedule": "",
        "rotation_window": 0,
        "sts_endpoint": root.sts_endpoint,
        "sts_fallback_endpoints": root.fallback_endpoints,
        "sts_fallback_regions": root.fallback_regions,
        "sts_region": root.sts_region,
        "username_template": TEMPLATE,
    })))
}

/// A write keeps the fields that it does not name, and contacts nobody.
pub(super) fn write_root(core: &Core, request: &Request, mount: &str) -> Done {
    let fields = request.fields();
    for name in ["role_arn", "identity_token_audience", "rotation_schedule"] {
        if fields.text(name)?.is_some_and(|text| !text.is_empty()) {
            return Err(Refusal::bad(format!(
                "{name} is not implemented here: configure access_key and secret_key"
            )));
        }
    }
    if fields
        .duration("rotation_period")?
        .is_some_and(|period| !period.is_zero())
    {
        return Err(Refusal::bad(
            "rotation_period is not implemented here: use config/rotate-root",
        ));
    }
    if fields
        .text("username_template")?
        .is_some_and(|text| !text.is_empty() && text != TEMPLATE)
    {
        return Err(Refusal::bad("username_template is not implemented here: leave it out"));
    }
    let mut state = core.state();
    let Some(aws) = state.mounts.aws_mut(mount) else {
        return Err(Refusal::unsupported_path());
    };
    let old = aws.root.clone();
    let kept = |name: &str, old: Option<&String>| -> Result<String, Refusal> {
        Ok(fields.text(name)?.or_else(|| old.cloned()).unwrap_or_default())
    };
    let listed = |name: &str, old: Option<&Vec<String>>| -> Result<Vec<String>, Refusal> {
        Ok(fields.list(name)?.or_else(|| old.cloned()).unwrap_or_default())
    };
    let old = old.as_ref();
    let secret = old.map(|root| root.secret_key.expose_secret().to_owned());
    let root = Root {
        access_key: kept("access_key", old.map(|root| &root.access_key))?,
        secret_key: kept("secret_key", secret.as_ref())?.into(),
        region: kept("region", old.map(|root| &root.region))?,
        iam_endpoint: kept("iam_endpoint", old.map(|root| &root.iam_endpoint))?,
        sts_endpoint: kept("sts_endpoint", old.map(|root| &root.sts_endpoint))?,
        sts_region: kept("sts_region", old.map(|root| &root.sts_region))?,
        fallback_endpoints: listed("sts_fallback_endpoints", old.map(|root| &root.fallback_endpoints))?,
        fallback_regions: listed("sts_fallback_regions", old.map(|root| &root.fallback_regions))?,
        max_retries: fields
            .number("max_retries")?
            .or(old.map(|root| root.max_retries))
            .unwrap_or(-1)
            .min(100),
    };
    if root.fallback_endpoints.len() != root.fallback_regions.len() {
        return Err(Refusal::bad(
            "fallback endpoints and fallback regions must be the same length",
        ));
    }
    aws.root = Some(root);
    aws.sts = None;
    Ok(Reply::none())
}

pub(super) fn read_lease(core: &Core, mount: &str) -> Done {
    let state = core.state();
    let (lease, max) = state
        .mounts
        .aws(mount)
        .and_then(|aws| aws.lease)
        .ok_or_else(Refusal::absent)?;
    Ok(Reply::data(
        json!({ "lease": duration::go(lease), "lease_max": duration::go(max) }),
    ))
}

pub(super) fn write_lease(core: &Core, request: &Request, mount: &str) -> Done {
    let fields = request.fields();
    let read = |name: &str| -> Result<jiff::SignedDuration, Refusal> {
        let text = fields.text(name)?.filter(|text| !text.is_empty() && text != "0");
        let text = text.ok_or_else(|| Refusal::bad(format!("'{name}' is a required parameter")))?;
        duration::parse_text(&text)
            .ok_or_else(|| Refusal::bad(format!("Invalid {name}: time: invalid duration {text:?}")))
    };
    let lease = read("lease")?;
    let max = read("lease_max")?;
    if let Some(aws) = core.state().mounts.aws_mut(mount) {
        aws.lease = Some((lease, max));
    }
    Ok(Reply::none())
}
