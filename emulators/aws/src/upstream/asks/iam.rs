use iam_policy::PolicyKind;

use crate::{
    answer::Refusal,
    authorise::Ask,
    identity::{Identity, Who},
    params::Params,
    state::{Document, Iam},
};

/// Operations about the user who asks, if they name none.
const OWN: [&str; 11] = [
    "ChangePassword",
    "CreateAccessKey",
    "DeleteAccessKey",
    "GetUser",
    "ListAccessKeys",
    "ListMFADevices",
    "ListServiceSpecificCredentials",
    "ListSigningCertificates",
    "ListSSHPublicKeys",
    "UpdateAccessKey",
    "UploadSigningCertificate",
];
/// Lists of all of a kind, and how their resource and their denials name it.
const LISTS: [(&str, &str); 4] = [
    ("ListRoles", "role"),
    ("ListUsers", "user"),
    ("ListGroups", "group"),
    ("ListInstanceProfiles", "instance-profile"),
];
/// The parameter that names what an operation is about, and what that is. The first that is there counts: a user is put
/// into a group, a role into a profile.
const NAMED: [(&str, &str, &str); 4] = [
    ("GroupName", "group", "group"),
    ("InstanceProfileName", "instance-profile", "instance profile"),
    ("RoleName", "role", "role"),
    ("UserName", "user", "user"),
];
/// The parameter that is the ARN of what an operation is about.
const BY_ARN: [&str; 6] = [
    "PolicyArn",
    "OpenIDConnectProviderArn",
    "SAMLProviderArn",
    "ServerCertificateArn",
    "PolicySourceArn",
    "SerialNumber",
];
const NAME: usize = 128;

/// The user an operation is about though it names none: the one who asks.
///
/// # Errors
/// Whoever asks is no user.
pub(crate) fn own_user(operation: &str, params: &Params, who: &Who) -> Result<Option<String>, Refusal> {
    if params.get("UserName").is_some() || !OWN.contains(&operation) {
        return Ok(None);
    }
    match &who.identity {
        Identity::User(user) => Ok(Some(user.name.clone())),
        _ => Err(Refusal::validation(
            "Must specify userName when calling with non-User credentials",
        )),
    }
}

/// The questions to the policies about an operation of IAM.
///
/// # Errors
/// A name that is none.
pub(crate) fn asks(iam: &Iam, operation: &str, params: &Params, own_user: Option<&str>) -> Result<Vec<Ask>, Refusal> {
    let action = format!("iam:{operation}");
    let mut ask = resource(iam, operation, &action, params, own_user)?;
    if let Some(arn) = params.get("PolicyArn")
        && (operation.starts_with("Attach") || operation.starts_with("Detach"))
    {
        ask = ask.context("iam:PolicyARN", arn);
    }
    if let Some(arn) = params.get("PermissionsBoundary") {
        ask = ask.context("iam:PermissionsBoundary", arn);
    }
    let mut asks = vec![ask];
    // A role gets to an instance by its profile.
    if operation == "AddRoleToInstanceProfile" {
        let role = params.name("RoleName", NAME)?;
        let arn = arn(iam, "role", role);
        asks.push(Ask::new("iam:PassRole", &arn).context("iam:PassedToService", "ec2.amazonaws.com"));
    }
    Ok(asks)
}

fn resource(iam: &Iam, operation: &str, action: &str, params: &Params, own_user: Option<&str>) -> Result<Ask, Refusal> {
    let account = &iam.account;
    if let Some((_, kind)) = LISTS.iter().find(|(name, _)| *name == operation) {
        let prefix = params.get("PathPrefix").unwrap_or("/");
        return Ok(Ask::new(action, format!("arn:aws:iam::{account}:{kind}{prefix}")));
    }
    if operation == "ListPolicies" {
        let arn = format!("arn:aws:iam::{account}:policy/");
        return Ok(Ask::new(action, &arn).shown("policy path /"));
    }
    if operation == "CreatePolicy" {
        let name = params.name("PolicyName", NAME)?;
        let arn = format!("arn:aws:iam::{account}:policy{}{name}", params.path()?);
        return Ok(Ask::new(action, &arn).shown(format!("policy {name}")));
    }
    if let Some(name) = own_user {
        return Ok(Ask::new(action, arn(iam, "user", name)).shown(format!("user {name}")));
    }
    for (param, kind, noun) in NAMED {
        if params.get(param).is_none() {
            continue;
        }
        let name = params.name(param, NAME)?;
        // What is to be made is named by its path too, and never looked for.
        if operation.starts_with("Create") && operation.len() == "Create".len() + param.len() - "Name".len() {
            let arn = format!("arn:aws:iam::{account}:{kind}{}{name}", params.path()?);
            return Ok(Ask::new(action, &arn));
        }
        return Ok(Ask::new(action, arn(iam, kind, name)).shown(format!("{noun} {name}")));
    }
    for param in BY_ARN {
        if let Some(arn) = params.get(param) {
            return Ok(Ask::new(action, arn).shown(format!("policy {arn}")));
        }
    }
    Ok(Ask::new(action, "*"))
}

/// The ARN of what has this name, with its path if it exists.
fn arn(iam: &Iam, kind: &str, name: &str) -> String {
    let found = match kind {
        "role" => iam.roles.get(name).map(|role| &role.arn),
        "user" => iam.users.get(name).map(|user| &user.arn),
        "group" => iam.groups.get(name).map(|group| &group.arn),
        _ => iam.profiles.get(name).map(|profile| &profile.arn),
    };
    found.map_or_else(|| format!("arn:aws:iam::{}:{kind}/{name}", iam.account), Clone::clone)
}

/// Refuses to change one of AWS's own policies, which the upstream would let everybody do.
///
/// # Errors
/// `AccessDenied`.
pub(crate) fn check_policy(operation: &str, params: &Params) -> Result<(), Refusal> {
    let changes = [
        "CreatePolicyVersion",
        "DeletePolicy",
        "DeletePolicyVersion",
        "SetDefaultPolicyVersion",
        "TagPolicy",
        "UntagPolicy",
    ];
    match params.get("PolicyArn") {
        Some(arn) if arn.starts_with("arn:aws:iam::aws:") && changes.contains(&operation) => Err(Refusal::new(
            403,
            "AccessDenied",
            format!("{operation} cannot be done to a policy that AWS manages: {arn}"),
        )),
        _ => Ok(()),
    }
}

/// Refuses a document that could not be evaluated once it were stored.
///
/// # Errors
/// `MalformedPolicyDocument`.
pub(crate) fn check_documents(operation: &str, params: &Params) -> Result<(), Refusal> {
    if let Some(text) = params.get("AssumeRolePolicyDocument") {
        Document::parse(PolicyKind::Trust, text)?;
    }
    let kind = if operation == "UpdateAssumeRolePolicy" {
        PolicyKind::Trust
    } else {
        PolicyKind::Identity
    };
    let stores = ["Put", "Create", "UpdateAssumeRolePolicy"];
    match params.get("PolicyDocument") {
        Some(text) if stores.iter().any(|start| operation.starts_with(start)) => Document::parse(kind, text).map(drop),
        _ => Ok(()),
    }
}
