//! Roles of the engine, also in the form of old tutorials.

use jiff::SignedDuration;
use serde_json::{Value, json};

use crate::{
    core::Core,
    reply::{Done, Refusal, Reply, several},
    request::Request,
};

/// The types of credentials by their names in the API.
pub(super) const IAM_USER: &str = "iam_user";
pub(super) const ASSUMED_ROLE: &str = "assumed_role";
pub(super) const FEDERATION_TOKEN: &str = "federation_token";
pub(super) const SESSION_TOKEN: &str = "session_token";

const TYPES: [&str; 4] = [IAM_USER, ASSUMED_ROLE, FEDERATION_TOKEN, SESSION_TOKEN];

/// See the module.
#[derive(Clone, Debug, Default)]
pub(super) struct Role {
    /// One type; two for an old role with a policy, where the path decides.
    pub(super) types: Vec<String>,
    pub(super) policy_arns: Vec<String>,
    pub(super) role_arns: Vec<String>,
    /// Empty for none.
    pub(super) policy_document: String,
    pub(super) iam_groups: Vec<String>,
    pub(super) iam_tags: Vec<(String, String)>,
    pub(super) session_tags: Vec<(String, String)>,
    pub(super) external_id: String,
    pub(super) default_sts_ttl: SignedDuration,
    pub(super) max_sts_ttl: SignedDuration,
    pub(super) user_path: String,
    pub(super) boundary: String,
    pub(super) mfa_serial_number: String,
    /// It was written in the old form, and each type is given on its own path only.
    pub(super) legacy: bool,
}

// === impl Role ===

impl Role {
    fn shown(&self) -> Value {
        let list = |list: &[String]| if list.is_empty() { Value::Null } else { json!(list) };
        let map = |pairs: &[(String, String)]| {
            if pairs.is_empty() {
                Value::Null
            } else {
                Value::Object(pairs.iter().map(|(key, value)| (key.clone(), json!(value))).collect())
            }
        };
        json!({
            "credential_type": self.types.join(","),
            "default_sts_ttl": self.default_sts_ttl.as_secs(),
            "external_id": self.external_id,
            "iam_groups": list(&self.iam_groups),
            "iam_tags": map(&self.iam_tags),
            "max_sts_ttl": self.max_sts_ttl.as_secs(),
            "mfa_serial_number": self.mfa_serial_number,
            "permissions_boundary_arn": self.boundary,
            "policy_arns": list(&self.policy_arns),
            "policy_document": self.policy_document,
            "role_arns": list(&self.role_arns),
            "session_tags": map(&self.session_tags),
            "user_path": self.user_path,
        })
    }

    /// What the old form stands for: the ARN of a policy or a role, or a policy's text.
    fn from_legacy(text: &str) -> Result<Self, Refusal> {
        let invalid = || Refusal::bad(format!("unable to parse supplied data: {text:?}"));
        let legacy = Self {
            legacy: true,
            ..Self::default()
        };
        if !text.starts_with("arn:") {
            return Ok(Self {
                types: vec![IAM_USER.to_owned(), FEDERATION_TOKEN.to_owned()],
                policy_document: compact(text).ok_or_else(invalid)?,
                ..legacy
            });
        }
        let resource = text.splitn(6, ':').nth(5).ok_or_else(invalid)?;
        match resource.split('/').next() {
            Some("role") => Ok(Self {
                types: vec![ASSUMED_ROLE.to_owned()],
                role_arns: vec![text.to_owned()],
                ..legacy
            }),
            Some("policy") => Ok(Self {
                types: vec![IAM_USER.to_owned()],
                policy_arns: vec![text.to_owned()],
                ..legacy
            }),
            _ => Err(invalid()),
        }
    }

    fn has(&self, kind: &str) -> bool {
        self.types.iter().any(|own| own == kind)
    }

    fn check(&self) -> Result<(), Refusal> {
        let mut errors: Vec<String> = Vec::new();
        let user = self.has(IAM_USER);
        let sts = [ASSUMED_ROLE, FEDERATION_TOKEN, SESSION_TOKEN]
            .iter()
            .any(|kind| self.has(kind));
        if self.types.is_empty() {
            errors.push("did not supply credential_type".to_owned());
        }
        for kind in self.types.iter().filter(|kind| !TYPES.contains(&kind.as_str())) {
            errors.push(format!("unrecognized credential type: {kind}"));
        }
        let only_sts = "only valid for assumed_role, federation_token, and session_token credential types";
        if !self.default_sts_ttl.is_zero() && !sts {
            errors.push(format!("default_sts_ttl parameter {only_sts}"));
        }
        if !self.max_sts_ttl.is_zero() && !sts {
            errors.push(format!("max_sts_ttl parameter {only_sts}"));
        }
        if !self.max_sts_ttl.is_zero() && self.default_sts_ttl > self.max_sts_ttl {
            errors.push(r#""default_sts_ttl" value must be less than or equal to "max_sts_ttl" value"#.to_owned());
        }
        if !self.user_path.is_empty() && !user {
            errors.push("user_path parameter only valid for iam_user credential type".to_owned());
        }
        let slashed = self.user_path.starts_with('/') && self.user_path.ends_with('/');
        if !self.user_path.is_empty() && !slashed {
            errors.push(
                r#"the specified value for user_path is invalid. It must match "^\\/([\x21-\x7F]{0,510}\\/)?$" regexp"#
                    .to_owned(),
            );
        }
        if !self.boundary.is_empty() && !user {
            errors.push("cannot supply permissions_boundary_arn when credential_type isn't iam_user".to_owned());
        }
        if !self.role_arns.is_empty() && !self.has(ASSUMED_ROLE) {
            errors.push("cannot supply role_arns when credential_type isn't assumed_role".to_owned());
        }
        if !self.session_tags.is_empty() && !self.has(ASSUMED_ROLE) {
            errors.push("cannot supply session_tags when credential_type isn't assumed_role".to_owned());
        }
        if !self.external_id.is_empty() && !self.has(ASSUMED_ROLE) {
            errors.push("cannot supply external_id when credential_type isn't assumed_role".to_owned());
        }
        if !self.iam_groups.is_empty() && sts && !user {
            errors.push("iam_groups are implemented for iam_user alone here".to_owned());
        }
        if errors.is_empty() {
            return Ok(());
        }
        let errors: Vec<&str> = errors.iter().map(String::as_str).collect();
        Err(Refusal::bad(format!(
            "error(s) validating supplied role data: {:?}",
            several(&errors)
        )))
    }
}

pub(super) fn read(core: &Core, mount: &str, name: &str) -> Done {
    let state = core.state();
    let role = state.mounts.aws(mount).and_then(|aws| aws.roles.get(name));
    Ok(Reply::data(role.ok_or_else(Refusal::absent)?.shown()))
}

/// A write keeps the fields that it does not name; the old form replaces the role.
pub(super) fn write(core: &Core, request: &Request, mount: &str, name: &str) -> Done {
    let fields = request.fields();
    let text = |name: &str| -> Result<Option<String>, Refusal> { fields.text(name) };
    let (policy, arn) = (text("policy")?.unwrap_or_default(), text("arn")?.unwrap_or_default());
    if !policy.is_empty() && !arn.is_empty() {
        return Err(Refusal::internal(several(&[
            "only one of policy or arn should be provided",
        ])));
    }
    let old_form = if policy.is_empty() { arn } else { policy };
    let mut state = core.state();
    let Some(aws) = state.mounts.aws_mut(mount) else {
        return Err(Refusal::unsupported_path());
    };
    let mut role = aws.roles.get(name).cloned().unwrap_or_default();
    if !old_form.is_empty() {
        if fields.has("credential_type") {
            return Err(Refusal::bad(
                "cannot supply deprecated role or policy parameters with an explicit credential_type",
            ));
        }
        let new = [
            "role_arns",
            "policy_arns",
            "policy_document",
            "default_sts_ttl",
            "max_sts_ttl",
            "user_path",
            "permissions_boundary_arn",
        ];
        if let Some(new) = new.into_iter().find(|new| fields.has(new)) {
            return Err(Refusal::bad(format!(
                "cannot supply deprecated role or policy parameters with {new}"
            )));
        }
        let role = Role::from_legacy(&old_form)?;
        role.check()?;
        aws.roles.insert(name.to_owned(), role);
        return Ok(Reply::none()
            .warn("Detected use of legacy role or policy parameter. Please upgrade to use the new parameters."));
    }
    if let Some(kind) = text("credential_type")? {
        role.types = vec![kind];
    }
    role.role_arns = fields.list("role_arns")?.unwrap_or(role.role_arns);
    role.policy_arns = fields.list("policy_arns")?.unwrap_or(role.policy_arns);
    if let Some(document) = text("policy_document")? {
        role.policy_document = match document.as_str() {
            "" => String::new(),
            text => compact(text).ok_or_else(|| Refusal::bad(format!("cannot parse policy document: {text:?}")))?,
        };
    }
    role.default_sts_ttl = fields.duration("default_sts_ttl")?.unwrap_or(role.default_sts_ttl);
    role.max_sts_ttl = fields.duration("max_sts_ttl")?.unwrap_or(role.max_sts_ttl);
    role.user_path = text("user_path")?.unwrap_or(role.user_path);
    role.boundary = text("permissions_boundary_arn")?.unwrap_or(role.boundary);
    role.iam_groups = fields.list("iam_groups")?.unwrap_or(role.iam_groups);
    role.iam_tags = fields.pairs("iam_tags")?.unwrap_or(role.iam_tags);
    role.session_tags = fields.pairs("session_tags")?.unwrap_or(role.session_tags);
    role.external_id = text("external_id")?.unwrap_or(role.external_id);
    role.mfa_serial_number = text("mfa_serial_number")?.unwrap_or(role.mfa_serial_number);
    role.legacy = false;
    role.check()?;
    aws.roles.insert(name.to_owned(), role);
    Ok(Reply::none())
}

/// The JSON text without blanks; none if it is no JSON. A text may come in base64.
fn compact(text: &str) -> Option<String> {
    use base64::Engine as _;
    let decoded = base64::engine::general_purpose::STANDARD.decode(text).ok();
    let decoded = decoded.and_then(|bytes| String::from_utf8(bytes).ok());
    let value: Value = serde_json::from_str(decoded.as_deref().unwrap_or(text)).ok()?;
    Some(value.to_string())
}
